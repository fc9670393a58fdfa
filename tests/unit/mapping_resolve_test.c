/* What orders and conditions resolve to, on the real tables.  A row is a story. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "support/mapping_folder.h"

static struct mapping_folder folder;
static struct mapping *mapping;

#define RXNORM "http://www.nlm.nih.gov/research/umls/rxnorm"
#define NDC "http://hl7.org/fhir/sid/ndc"
#define ATC "http://www.whocc.no/atc"
#define SNOMED "http://snomed.info/sct"
#define CM "http://hl7.org/fhir/sid/icd-10-cm"
#define WHO "http://hl7.org/fhir/sid/icd-10"
#define GM "http://fhir.de/CodeSystem/bfarm/icd-10-gm"
#define CIEL "https://openconceptlab.org/orgs/CIEL/sources/CIEL"
#define ICDO "http://terminology.hl7.org/CodeSystem/icd-o-3"
#define STATUS "http://terminology.hl7.org/CodeSystem/medicationrequest-status-reason"

struct story_coding {
    const char *system, *code;
};
static const struct story {
    const char *name;
    struct story_coding codings[4];
    const char *text;
    const char *means;
} drug_stories[] = {
    { "T-DM1 by clinical drug", { { RXNORM, "1658084" } }, "", "trastuzumab emtansine" },
    { "T-DM1 by branded drug", { { RXNORM, "1658087" } }, "", "trastuzumab emtansine" },
    { "T-DM1 by brand", { { RXNORM, "1371046" } }, "", "trastuzumab emtansine" },
    { "T-DM1 by precise ingredient", { { RXNORM, "1371041" } }, "", "trastuzumab emtansine" },
    { "T-DM1 by component", { { RXNORM, "1658082" } }, "", "trastuzumab emtansine" },
    { "T-DM1 with the roll-up trastuzumab beside it is no conflict",
      { { RXNORM, "224905" }, { RXNORM, "1658084" } },
      "",
      "trastuzumab emtansine" },
    { "T-DM1 by ATC with the roll-up beside it",
      { { ATC, "L01FD03" }, { RXNORM, "224905" } },
      "",
      "trastuzumab emtansine" },
    { "T-DXd", { { RXNORM, "2267576" } }, "", "trastuzumab deruxtecan" },
    { "trastuzumab itself", { { RXNORM, "224905" } }, "", "trastuzumab" },
    { "Abraxane is not paclitaxel", { { RXNORM, "583218" } }, "", "paclitaxel protein-bound" },
    { "Abraxane by brand",
      { { RXNORM, "589511" }, { RXNORM, "56946" } },
      "",
      "paclitaxel protein-bound" },
    { "Doxil", { { RXNORM, "80773" } }, "", "doxorubicin liposomal" },
    { "Onivyde", { { RXNORM, "1719777" }, { RXNORM, "51499" } }, "", "irinotecan liposomal" },
    { "Vyxeos is two liposomal drugs",
      { { RXNORM, "1942743" } },
      "",
      "cytarabine liposomal+daunorubicin liposomal" },
    { "a biosimilar is its antibody", { { RXNORM, "2046138" } }, "", "bevacizumab" },
    { "hyaluronidase never counts beside an antibody",
      { { RXNORM, "2119714" } },
      "",
      "trastuzumab" },
    { "Phesgo is two antibodies", { { RXNORM, "2382604" } }, "", "pertuzumab+trastuzumab" },
    { "Lonsurf is split", { { RXNORM, "1670322" } }, "", "tipiracil+trifluridine" },
    { "leucovorin", { { RXNORM, "6313" } }, "", "calcium folinate" },
    { "NDC, eleven digits", { { NDC, "00002298026" } }, "", "selpercatinib" },
    { "NDC, 5-4-2", { { NDC, "00002-2980-26" } }, "", "selpercatinib" },
    { "NDC, 4-4-2", { { NDC, "0002-2980-26" } }, "", "selpercatinib" },
    { "NDC, ten digits without hyphens", { { NDC, "0002298026" } }, "", "selpercatinib" },
    { "NDC under its OID",
      { { "urn:oid:2.16.840.1.113883.6.69", "0002-2980-26" } },
      "",
      "selpercatinib" },
    { "NDC that is none", { { NDC, "1-2" } }, "", "unknown unmapped" },
    { "ATC", { { ATC, "L01FA01" } }, "", "rituximab" },
    { "ATC in small letters", { { ATC, "l01fa01" } }, "", "rituximab" },
    { "ATC of a combination", { { ATC, "L01BC59" } }, "", "tipiracil+trifluridine" },
    { "a retired ATC code", { { ATC, "L01XC02" } }, "", "rituximab" },
    { "ATC of paclitaxel beside the product Abraxane",
      { { ATC, "L01CD01" }, { RXNORM, "583218" } },
      "",
      "paclitaxel protein-bound" },
    { "CIEL", { { CIEL, "78643" } }, "", "lamivudine" },
    { "CIEL as OpenMRS pads it",
      { { CIEL, "78643AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" } },
      "",
      "lamivudine" },
    { "ingredient, product and brand agree",
      { { RXNORM, "121191" }, { RXNORM, "226754" }, { ATC, "L01FA01" } },
      "",
      "rituximab" },
    { "two products that disagree: the first, and told",
      { { RXNORM, "1658084" }, { RXNORM, "583218" } },
      "",
      "trastuzumab emtansine conflict" },
    { "product and ingredient disagree: the product, and told",
      { { RXNORM, "40048" }, { RXNORM, "583218" } },
      "",
      "paclitaxel protein-bound conflict" },
    { "one ingredient code for each part of a combination",
      { { RXNORM, "40048" }, { RXNORM, "56946" } },
      "",
      "carboplatin+paclitaxel" },
    { "ingredients in different systems disagree",
      { { ATC, "L01XA01" }, { RXNORM, "40048" } },
      "",
      "cisplatin conflict" },
    { "a known code wins over the text, and that is told",
      { { RXNORM, "40048" } },
      "cisplatin",
      "carboplatin conflict" },
    { "the text may name the brand, the salt, the strength, the form and the route",
      { { RXNORM, "121191" } },
      "Rituxan 10 MG/ML intravenous solution",
      "rituximab" },
    { "a biosimilar suffix is no other drug",
      { { RXNORM, "121191" } },
      "rituximab-abbs 500 mg/50 mL vial",
      "rituximab" },
    { "the text may say more than the code",
      { { RXNORM, "40048" } },
      "carboplatin + paclitaxel",
      "carboplatin" },
    { "words that no table knows deny nothing",
      { { RXNORM, "40048" } },
      "Cycle 3 of protocol A-17",
      "carboplatin" },
    { "an unknown code beside a known one",
      { { RXNORM, "999999999" }, { RXNORM, "40048" } },
      "",
      "carboplatin" },
    { "https form of the system",
      { { "https://www.nlm.nih.gov/research/umls/rxnorm", "40048" } },
      "",
      "carboplatin" },
    { "a coding without a code, and a text", { { RXNORM, "" } }, "carboplatin", "carboplatin" },
    { "the plain code of aflibercept is the eye drug", { { RXNORM, "1232150" } }, "", "none" },
    { "Eylea", { { RXNORM, "1232159" } }, "", "none" },
    { "Zaltrap", { { RXNORM, "1304480" } }, "", "ziv-aflibercept" },
    { "ziv-aflibercept", { { RXNORM, "1304475" } }, "", "ziv-aflibercept" },
    { "aflibercept, text", { { NULL, NULL } }, "aflibercept 40 mg/ml", "none" },
    { "ziv-aflibercept, text", { { NULL, NULL } }, "Ziv-aflibercept 25 MG/ML", "ziv-aflibercept" },
    { "fluorouracil cream is no exposure",
      { { NULL, NULL } },
      "fluorouracil 5% topical cream",
      "none" },
    { "an eye form by code", { { RXNORM, "208581" } }, "", "none" },
    { "an eye form beside its ingredient",
      { { RXNORM, "208581" }, { RXNORM, "10803" } },
      "",
      "none" },
    { "a brand of capsule and gel beside the gel",
      { { RXNORM, "258324" }, { RXNORM, "308724" } },
      "",
      "none" },
    { "the ATC code of an eye form", { { ATC, "S01LA08" } }, "", "none" },
    { "hormone replacement is no endocrine therapy", { { RXNORM, "1000351" } }, "", "none" },

    { "text: ingredient", { { NULL, NULL } }, "Carboplatin", "carboplatin" },
    { "text: names in other languages differ by a vowel and accents",
      { { NULL, NULL } },
      "Etoposid 180 mg, NaCl 0,9 %",
      "etoposide" },
    { "text: in French",
      { { NULL, NULL } },
      "\xc3\xa9toposide, doxorubicine",
      "doxorubicin+etoposide" },
    { "text: in Spanish",
      { { NULL, NULL } },
      "cisplatino y Etop\xc3\xb3sido",
      "cisplatin+etoposide" },
    { "text: what stands behind the German word for after",
      { { NULL, NULL } },
      "Docetaxel nach Cisplatin",
      "docetaxel" },
    { "text: a German cream", { { NULL, NULL } }, "Fluorouracil Creme 5 %", "none" },
    { "text: a word that is no name with another vowel",
      { { NULL, NULL } },
      "Etoposidol",
      "unknown unmapped" },
    { "text: product description",
      { { NULL, NULL } },
      "10 ML pembrolizumab 25 MG/ML Injection [Keytruda]",
      "pembrolizumab" },
    { "text: never trastuzumab inside its conjugates",
      { { NULL, NULL } },
      "fam-trastuzumab deruxtecan-nxki 100 MG Injection",
      "trastuzumab deruxtecan" },
    { "text: ado-trastuzumab emtansine",
      { { NULL, NULL } },
      "ADO-TRASTUZUMAB EMTANSINE",
      "trastuzumab emtansine" },
    { "text: a conjugate that no table knows",
      { { NULL, NULL } },
      "trastuzumab vedotin",
      "unknown unmapped" },
    { "text: salt", { { NULL, NULL } }, "doxorubicin hydrochloride 2 mg/ml", "doxorubicin" },
    { "text: biosimilar suffix", { { NULL, NULL } }, "rituximab-abbs", "rituximab" },
    { "text: with hyaluronidase",
      { { NULL, NULL } },
      "daratumumab-hyaluronidase-fihj",
      "daratumumab" },
    { "text: abbreviation with a hyphen", { { NULL, NULL } }, "5-FU", "fluorouracil" },
    { "text: T-DM1", { { NULL, NULL } }, "T-DM1", "trastuzumab emtansine" },
    { "text: nab-paclitaxel", { { NULL, NULL } }, "nab-Paclitaxel", "paclitaxel protein-bound" },
    { "text: as registries write it",
      { { NULL, NULL } },
      "paclitaxel protein-bound particles",
      "paclitaxel protein-bound" },
    { "text: albumin-bound",
      { { NULL, NULL } },
      "PACLitaxel (albumin bound) 100 mg",
      "paclitaxel protein-bound" },
    { "text: pegylated liposomal doxorubicin",
      { { NULL, NULL } },
      "pegylated liposomal doxorubicin",
      "doxorubicin liposomal" },
    { "text: liposomal in another place",
      { { NULL, NULL } },
      "DOXOrubicin HCl PEG-liposomal inj",
      "doxorubicin liposomal" },
    { "text: two drugs", { { NULL, NULL } }, "Carboplatin + Paclitaxel", "carboplatin+paclitaxel" },
    { "text: the tablet of azacitidine",
      { { NULL, NULL } },
      "azaCITIDine 300 MG Oral Tablet",
      "azacitidine oral" },
    { "the tablet of azacitidine, by code",
      { { RXNORM, "2396772" }, { RXNORM, "1251" } },
      "",
      "azacitidine oral" },
    { "text: brand of two", { { NULL, NULL } }, "Lonsurf 20 mg", "tipiracil+trifluridine" },
    { "text: what stands behind 'for' is not ordered",
      { { NULL, NULL } },
      "ondansetron for cisplatin nausea",
      "ondansetron" },
    { "text: what stands behind 'after' neither",
      { { NULL, NULL } },
      "rescue after methotrexate",
      "unknown unmapped" },
    { "text: placebo may be anything",
      { { NULL, NULL } },
      "pembrolizumab or placebo",
      "unknown unmapped" },
    { "text: the back of the needle", { { NULL, NULL } }, "methotrexate intrathecal", "none" },
    { "text: registry names", { { NULL, NULL } }, "leuprolide", "leuprorelin" },
    { "text: leucovorin", { { NULL, NULL } }, "leucovorin calcium 350 mg", "calcium folinate" },
    { "text: antithymocyte globulin",
      { { NULL, NULL } },
      "antithymocyte globulin",
      "antithymocyte immunoglobulin (rabbit)" },
    { "text: mycophenolate", { { NULL, NULL } }, "mycophenolate", "mycophenolate mofetil" },
    { "text: part of a longer word is nothing",
      { { NULL, NULL } },
      "carboplatinum",
      "unknown unmapped" },
    { "an ordinary drug", { { RXNORM, "6809" } }, "metformin", "unknown unmapped" },
    { "nothing at all", { { NULL, NULL } }, "", "none" },
};

static const struct story condition_stories[] = {
    { "myeloma in relapse", { { CM, "C90.02" } }, "", "mm in_relapse" },
    { "without the dot", { { CM, "C9002" } }, "", "mm in_relapse" },
    { "an ICD-10-CM code under WHO's URI", { { WHO, "C90.02" } }, "", "mm in_relapse" },
    { "DLBCL in remission, new in FY2025", { { CM, "C83.3A" } }, "", "dlbcl in_remission" },
    { "bone metastasis", { { CM, "C79.51" } }, "", "any_solid metastatic" },
    { "lung: which kind is not told", { { CM, "C34.90" } }, "", "lung primary" },
    { "breast by a code without a row", { { CM, "C50.911" } }, "", "breast primary" },
    { "bladder is urothelial", { { CM, "C67.9" } }, "", "urothelial primary" },
    { "testis is germ cell", { { CM, "C62.90" } }, "", "germcell primary" },
    { "Merkel cell", { { CM, "C4A.9" } }, "", "mcc primary" },
    { "in situ", { { CM, "D05.11" } }, "", "breast in_situ" },
    { "history", { { CM, "Z85.3" } }, "", "breast history" },
    { "hormone resistant", { { CM, "Z19.2" } }, "", "any_cancer castration_resistant" },
    { "end-stage renal disease", { { CM, "N18.6" } }, "", "esrd primary" },
    { "WHO by prefix", { { WHO, "C83.3" } }, "", "dlbcl primary" },
    { "WHO, a deeper national code", { { GM, "C50.4" } }, "", "breast primary" },
    { "a national edition without a name here",
      { { "http://hl7.org/fhir/sid/icd-10-nl", "C61" } },
      "",
      "prostate primary" },
    { "WHO has no N18.6", { { WHO, "N18.5" } }, "", "esrd primary" },
    { "morphology", { { ICDO, "9680/3" } }, "", "dlbcl primary" },
    { "SNOMED: not small cell", { { SNOMED, "254637007" } }, "", "nsclc primary" },
    { "SNOMED: small cell", { { SNOMED, "254632001" } }, "", "sclc primary" },
    { "SNOMED: relapsed myeloma", { { SNOMED, "452291000124109" } }, "", "mm in_relapse" },
    { "SNOMED: hormone refractory",
      { { SNOMED, "427492003" } },
      "",
      "prostate castration_resistant" },
    { "two codes, two meanings",
      { { CM, "C90.00" }, { SNOMED, "452291000124109" } },
      "",
      "mm primary, mm in_relapse" },
    { "two codes, one meaning",
      { { CM, "C50.911" }, { SNOMED, "254837009" } },
      "",
      "breast primary" },
    { "text", { { NULL, NULL } }, "Non-small cell lung cancer", "nsclc primary" },
    { "text with a state", { { NULL, NULL } }, "Multiple myeloma in relapse", "mm in_relapse" },
    { "text that doubts", { { NULL, NULL } }, "Suspected breast cancer", "unmapped" },
    { "text that looks back", { { NULL, NULL } }, "Family history of breast cancer", "unmapped" },
    { "not ours", { { CM, "E11.9" } }, "Type 2 diabetes", "unmapped" },
};

static const struct story stop_stories[] = {
    { "no response, as mCODE codes it", { { SNOMED, "266721009" } }, "", "progression" },
    { "not tolerated", { { SNOMED, "407563006" } }, "", "toxicity" },
    { "HL7: intolerance", { { STATUS, "sintol" } }, "", "toxicity" },
    { "HL7: over https",
      { { "https://terminology.hl7.org/CodeSystem/medicationrequest-status-reason", "salg" } },
      "",
      "toxicity" },
    { "text: progression", { { NULL, NULL } }, "Disease progression on CT", "progression" },
    { "text: of two, the heavier", { { NULL, NULL } }, "toxicity and progression", "progression" },
    { "text: denied", { { NULL, NULL } }, "no progression, shortage of supply", "shortage" },
    { "text: no response is not a denial", { { NULL, NULL } }, "no response", "progression" },
    { "text behind a code that says other",
      { { STATUS, "altchoice" } },
      "treatment failure",
      "progression" },
    { "WHO: a switch for virological failure",
      { { "http://smart.who.int/hiv/CodeSystem/HIVConcepts", "HIV.D.DE433" } },
      "",
      "progression" },
    { "WHO: a substitution for a better drug",
      { { "http://smart.who.int/hiv/CodeSystem/HIVConcepts", "HIV.D.DE423" } },
      "",
      "new_drug" },
    { "words of a programme", { { NULL, NULL } }, "New drug available", "new_drug" },
    { "a word we do not know", { { NULL, NULL } }, "per protocol", "other" },
    { "nothing told", { { NULL, NULL } }, "", "none" },
};

static unsigned fill_concept(const struct story *story, struct coding *codings,
                             struct concept *concept)
{
    unsigned count = 0;
    while (count < COUNT_OF(story->codings) && story->codings[count].system != NULL) {
        struct slice uri = slice_of(story->codings[count].system);
        codings[count] =
            (struct coding){ code_system_of(uri), uri, slice_of(story->codings[count].code) };
        count++;
    }
    *concept = (struct concept){ codings, count, slice_of(story->text) };
    return count;
}

static void drug_resolves_to(void **state)
{
    const struct story *story = *state;
    struct coding codings[4];
    struct event event = { .type = FHIR_MEDICATION_REQUEST };
    struct arena arena;
    char buffer[300];
    struct text seen = TEXT(buffer);
    arena_init(&arena, 1 << 16);
    fill_concept(story, codings, &event.medication);

    mapping_resolve(mapping, &event, &arena);

    for (unsigned i = 0; i < event.drug_count; i++) {
        bool is_unknown = event.drugs[i]->group == DRUG_UNKNOWN;
        if (is_unknown)
            assert_int_equal(event.drugs[i]->name.len, strlen("unknown:") + 16);
        text_add(&seen, "%s%.*s", i > 0 ? "+" : "", is_unknown ? 7 : (int)event.drugs[i]->name.len,
                 event.drugs[i]->name.at);
        if (i > 0)
            assert_true(event.drugs[i - 1]->index < event.drugs[i]->index);
    }
    text_add(&seen, "%s%s%s", event.drug_count == 0 ? "none" : "",
             event.is_unmapped ? " unmapped" : "", event.is_conflicting ? " conflict" : "");
    assert_string_equal(buffer, story->means);
    arena_fini(&arena);
}

static const char *const meanings[] = {
    "primary",
    "in_relapse",
    "in_remission",
    "recurrent",
    "refractory",
    "metastatic",
    "castration_resistant",
    "in_situ",
    "history",
    "associated",
    "dialysis",
    "transplant",
    "transplant_failure",
    "treatment_encounter",
};

static void condition_resolves_to(void **state)
{
    const struct story *story = *state;
    struct coding codings[4];
    struct event event = { .type = FHIR_CONDITION }, order = { .type = FHIR_MEDICATION_REQUEST };
    struct arena arena;
    char buffer[300];
    struct text seen = TEXT(buffer);
    arena_init(&arena, 1 << 16);
    fill_concept(story, codings, &event.code);
    order.reason_code = event.code;

    mapping_resolve(mapping, &event, &arena);
    mapping_resolve(mapping, &order, &arena);

    for (unsigned i = 0; i < event.meaning_count; i++)
        text_add(&seen, "%s%.*s %s", i > 0 ? ", " : "", SLICE_ARGS(event.meanings[i].disease->key),
                 meanings[event.meanings[i].meaning]);
    if (event.is_unmapped)
        text_add(&seen, "unmapped");
    assert_string_equal(buffer, story->means);
    assert_int_equal(order.reason_count, event.meaning_count); /* the same for a reason */
    assert_false(order.is_unmapped);
    arena_fini(&arena);
}

static void stop_resolves_to(void **state)
{
    static const char *const words[] = { "none",      "progression",    "toxicity",
                                         "shortage",  "simplification", "interaction",
                                         "pregnancy", "coinfection",    "new_drug",
                                         "completed", "patient",        "death",
                                         "other" };
    const struct story *story = *state;
    struct coding codings[4];
    struct event event = { .type = FHIR_MEDICATION_REQUEST };
    struct arena arena;
    arena_init(&arena, 1 << 16);
    fill_concept(story, codings, &event.status_reason);
    mapping_resolve(mapping, &event, &arena);
    assert_string_equal(words[event.stop_reason], story->means);
    arena_fini(&arena);
}

static struct event unknown_order(const struct coding *codings, unsigned count, const char *text,
                                  struct arena *arena)
{
    struct event event = { .type = FHIR_MEDICATION_REQUEST };
    event.medication = (struct concept){ codings, count, slice_of(text) };
    mapping_resolve(mapping, &event, arena);
    return event;
}

static void an_unknown_drug_has_one_name_for_ever(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 16);
    const struct coding ab[] = { { CODE_RXNORM, SLICE(RXNORM), SLICE("6809") },
                                 { CODE_OTHER, SLICE("urn:local"), SLICE("X1") } };
    const struct coding ba[] = { ab[1], ab[0] };

    struct event one = unknown_order(ab, 2, "metformin", &arena);
    struct event two = unknown_order(ba, 2, "Metformin 500", &arena);
    struct event text = unknown_order(NULL, 0, "Trial-Drug 17", &arena);
    struct event spelt = unknown_order(NULL, 0, "trial drug  17", &arena);

    assert_true(slice_eq(one.drugs[0]->name, two.drugs[0]->name)); /* whatever the order */
    assert_true(slice_eq(text.drugs[0]->name, spelt.drugs[0]->name));
    assert_false(slice_eq(one.drugs[0]->name, text.drugs[0]->name));
    assert_true(slice_is(text.drugs[0]->name, "unknown:064a7294f32586e5"));
    assert_true(text.drugs[0]->index >= DRUG_INDEX_UNKNOWN);
    arena_fini(&arena);
}

static void names_and_aliases_lead_to_one_drug(void **state)
{
    (void)state;
    const struct drug *tdm1 = mapping_drug(mapping, SLICE("trastuzumab emtansine"));
    assert_non_null(tdm1);
    assert_ptr_equal(mapping_drug(mapping, SLICE("Kadcyla")), tdm1);
    assert_ptr_equal(mapping_drug(mapping, SLICE("t-dm1")), tdm1);
    assert_null(mapping_drug(mapping, SLICE("Lonsurf"))); /* two drugs */
    assert_null(mapping_drug(mapping, SLICE("Eylea")));   /* no exposure */
    assert_null(mapping_drug(mapping, SLICE("metformin")));
    assert_non_null(mapping_disease(mapping, SLICE("dlbcl")));
    assert_null(mapping_disease(mapping, SLICE("flu")));
}

static void diseases_list_their_drugs(void **state)
{
    (void)state;
    const struct drug *osimertinib = mapping_drug(mapping, SLICE("osimertinib"));
    const struct drug *lurbinectedin = mapping_drug(mapping, SLICE("lurbinectedin"));
    const struct drug *letrozole = mapping_drug(mapping, SLICE("letrozole"));
    const struct disease *nsclc = mapping_disease(mapping, SLICE("nsclc"));
    const struct disease *sclc = mapping_disease(mapping, SLICE("sclc"));
    const struct disease *lung = mapping_disease(mapping, SLICE("lung"));
    const struct disease *pmbcl = mapping_disease(mapping, SLICE("pmbcl"));
    const struct drug unknown = { .group = DRUG_UNKNOWN, .index = DRUG_INDEX_UNKNOWN };

    assert_ptr_equal(nsclc->within, lung);
    assert_true(disease_lists_drug(nsclc, osimertinib));
    assert_false(disease_lists_drug(sclc, osimertinib));
    assert_true(disease_lists_drug(lung, osimertinib)); /* a disease above lists what is within */
    assert_true(disease_lists_drug(lung, lurbinectedin));
    assert_false(disease_lists_drug(lung, letrozole));
    assert_true(disease_identified_by(nsclc, osimertinib));
    assert_true(disease_identified_by(sclc, lurbinectedin));
    assert_false(disease_identified_by(nsclc, lurbinectedin));
    assert_false(disease_lists_drug(lung, &unknown));
    assert_true(disease_lists_drug(pmbcl, mapping_drug(mapping, SLICE("pembrolizumab"))));
    /* without a row of its own, the list of the disease above */
    const struct disease *malt = mapping_disease(mapping, SLICE("mzl_malt"));
    assert_true(disease_lists_drug(malt, mapping_drug(mapping, SLICE("rituximab"))));
}

static int load(void **state)
{
    (void)state;
    struct table_errors errors = { .count = 0 };
    mapping_folder_read(&folder, SOURCE_DIR "/mappings");
    if (mapping_load(folder.files, folder.count, &mapping, &errors))
        return 0;
    for (unsigned i = 0; i < errors.count; i++)
        print_error("%s: %s\n", errors.list[i].where, errors.list[i].what);
    return -1;
}

static int unload(void **state)
{
    (void)state;
    mapping_close(mapping);
    mapping_folder_fini(&folder);
    return 0;
}

static struct CMUnitTest test_of(const struct story *story, CMUnitTestFunction function)
{
    return (struct CMUnitTest){ .name = story->name,
                                .test_func = function,
                                .initial_state = (void *)(uintptr_t)story };
}

int main(void)
{
    static struct CMUnitTest
        tests[COUNT_OF(drug_stories) + COUNT_OF(condition_stories) + COUNT_OF(stop_stories) + 3];
    size_t count = 0;
    for (size_t i = 0; i < COUNT_OF(drug_stories); i++)
        tests[count++] = test_of(&drug_stories[i], drug_resolves_to);
    for (size_t i = 0; i < COUNT_OF(condition_stories); i++)
        tests[count++] = test_of(&condition_stories[i], condition_resolves_to);
    for (size_t i = 0; i < COUNT_OF(stop_stories); i++)
        tests[count++] = test_of(&stop_stories[i], stop_resolves_to);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(an_unknown_drug_has_one_name_for_ever);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(names_and_aliases_lead_to_one_drug);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(diseases_list_their_drugs);
    return _cmocka_run_group_tests("mapping resolve", tests, count, load, unload);
}
