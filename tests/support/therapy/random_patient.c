#include "support/therapy/random_patient.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t state;

void random_seed(uint64_t seed) { state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1; }

unsigned random_below(unsigned limit)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(state >> 33) % limit;
}

#define CHANCE(percent) (random_below(100) < (percent))
#define PICK(words) (words)[random_below(COUNT_OF(words))]

/* --- the patient while it is being told ------------------------------------------------------ */

struct telling {
    struct story *story;
    const struct disease *disease;
    const char *code;
    int32_t day;         /* where the history has come to */
    const char *current; /* drugs of the regimen that is being ordered */
    char text[400], drugs[300];
};

static const char *day_text(int32_t day, char out[DATE_TEXT_SIZE])
{
    return date_format((struct date){ day }, out);
}

/* A month or a year once in a while. */
static const char *rough_day(int32_t day, char out[DATE_TEXT_SIZE])
{
    day_text(day, out);
    if (CHANCE(3))
        out[CHANCE(50) ? 4 : 7] = '\0';
    return out;
}

static void tell(struct telling *telling, const char *format, ...) PRINTF_LIKE(2, 3);
static void tell(struct telling *telling, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(telling->text, sizeof telling->text, format, arguments);
    va_end(arguments);
    if (telling->story->count + 40 >= RANDOM_EVENTS_MAX)
        return;
    if (getenv("LIFELINE_PATIENT") != NULL)
        printf("%s\n", telling->text);
    story_tell(telling->story, telling->text);
}

static bool has_room(const struct telling *telling)
{
    return telling->story->count + 60 < RANDOM_EVENTS_MAX;
}

/* --- drugs ----------------------------------------------------------------------------------- */

static const char *name_of(struct telling *telling, const struct drug *drug)
{
    return arena_copy(&telling->story->arena, drug->name).at;
}

/* "a + b" of one of the disease's own regimens. */
static const char *some_regimen(struct telling *telling, const struct rules *rules)
{
    unsigned first = 0, count = 0;
    for (unsigned i = 0; i < rules->regimen_count; i++) {
        if (rules->regimens[i].disease != telling->disease)
            continue;
        first = count == 0 ? i : first;
        count++;
    }
    if (count == 0)
        return "cisplatin + etoposide";
    const struct regimen *regimen = &rules->regimens[first + random_below(count)];
    telling->drugs[0] = '\0';
    for (unsigned i = 0; i < regimen->drug_count; i++) {
        size_t used = strlen(telling->drugs);
        snprintf(telling->drugs + used, sizeof telling->drugs - used, "%s%.*s",
                 used > 0 ? " + " : "", SLICE_ARGS(regimen->drugs[i]->name));
    }
    return arena_copy(&telling->story->arena, slice_of(telling->drugs)).at;
}

static const char *drug_of_set(struct telling *telling, const struct drug_set *set)
{
    static const char *const by_trait[] = { "olaparib",      "letrozole",   "palbociclib",
                                            "pembrolizumab", "bevacizumab", "osimertinib",
                                            "lenalidomide",  "bortezomib",  "trastuzumab" };
    return set->drug_count > 0 ? name_of(telling, set->drugs[random_below(set->drug_count)])
                               : PICK(by_trait);
}

static const char *special_drug(struct telling *telling)
{
    const struct profile *profile = telling->disease->profile;
    if (profile == NULL)
        return "docetaxel";
    switch (random_below(5)) {
    case 0:
        if (profile->maintenance_count > 0)
            return drug_of_set(telling,
                               &profile->maintenance[random_below(profile->maintenance_count)].set);
        break;
    case 1:
        if (profile->addon_count > 0)
            return drug_of_set(telling, &profile->addons[random_below(profile->addon_count)].set);
        break;
    case 2:
        if (profile->substitution_count > 0)
            return drug_of_set(
                telling, &profile->substitutions[random_below(profile->substitution_count)].set);
        break;
    case 3:
        if (profile->gap_exempt.drug_count > 0)
            return drug_of_set(telling, &profile->gap_exempt);
        break;
    default:
        if (profile->backbone.drug_count > 0)
            return drug_of_set(telling, &profile->backbone);
    }
    static const char *const drugs[] = { "docetaxel",   "gemcitabine", "cytarabine", "methotrexate",
                                         "rituximab",   "carboplatin", "cisplatin",  "capecitabine",
                                         "oxaliplatin", "melphalan",   "fludarabine" };
    return PICK(drugs);
}

/* --- time ------------------------------------------------------------------------------------ */

/* On both sides of every limit of the tables. */
static void wait(struct telling *telling)
{
    static const int32_t days[] = { 0,   1,   4,   5,   7,   13,  14,  15,  20,  21,  22,  28,
                                    29,  30,  31,  45,  60,  61,  90,  91,  100, 120, 121, 150,
                                    176, 180, 181, 182, 183, 200, 250, 365, 366, 730 };
    const struct profile *profile = telling->disease->profile;
    int32_t limit = profile == NULL ? 28 : CHANCE(50) ? profile->gap : profile->window;
    if (CHANCE(30) && limit > 0)
        telling->day += limit + (int32_t)random_below(3) - 1;
    else
        telling->day += PICK(days);
}

/* --- what may happen -------------------------------------------------------------------------- */

static void order_cycles(struct telling *telling, const char *drugs, const char *words)
{
    static const int intervals[] = { 7, 14, 21, 21, 28 };
    int interval = PICK(intervals), cycles = 1 + (int)random_below(5);
    char day[DATE_TEXT_SIZE];
    tell(telling, "%s %s x%d/%d %s", drugs, day_text(telling->day, day), cycles, interval, words);
    telling->day += (cycles - 1) * interval;
}

static void order_course(struct telling *telling, const char *drugs, const char *words)
{
    char day[DATE_TEXT_SIZE], end[DATE_TEXT_SIZE];
    int32_t length = (int32_t)random_below(240);
    tell(telling, "%s %s..%s %s", drugs, rough_day(telling->day, day),
         day_text(telling->day + 366 * (strlen(day) < 10) + length, end), words);
    telling->day += length;
}

static void order(struct telling *telling, const char *drugs, const char *words)
{
    char day[DATE_TEXT_SIZE];
    if (CHANCE(55))
        order_cycles(telling, drugs, words);
    else if (CHANCE(80))
        order_course(telling, drugs, words);
    else
        tell(telling, "%s %s..open", drugs, day_text(telling->day, day));
}

static void step_regimen(struct telling *telling, const struct rules *rules)
{
    static const char *const words[] = { "",         "",         "",
                                         "",         "curative", "palliative",
                                         "plan:A",   "plan:A",   "careplan:x",
                                         "reported", "stopped",  "stopped progression" };
    telling->current = some_regimen(telling, rules);
    order(telling, telling->current, PICK(words));
}

static void step_again(struct telling *telling)
{
    if (telling->current != NULL)
        order(telling, telling->current, "");
}

static void step_special(struct telling *telling)
{
    static const char *const words[] = { "",
                                         "",
                                         "toxicity",
                                         "dose:50mg/m2",
                                         "dose:80mg",
                                         "shortage",
                                         "plan:A",
                                         "timing",
                                         "stopped toxicity",
                                         "hold",
                                         "active progression",
                                         "stopped progression" };
    order(telling, special_drug(telling), PICK(words));
}

static void step_messy(struct telling *telling)
{
    static const char *const words[] = { "cancelled",
                                         "draft",
                                         "error",
                                         "unknown",
                                         "not-perform",
                                         "intent:plan",
                                         "intent:option",
                                         "intent:filler based:m1",
                                         "intent:filler group:g",
                                         "group:g",
                                         "intent:instance group:g",
                                         "intent:original",
                                         "authored",
                                         "undated",
                                         "timing",
                                         "prior:m1",
                                         "prior:m3 no-end",
                                         "no-end supply:30",
                                         "authored validity:2021-06-01",
                                         "bounds:60 no-end",
                                         "repeat:40 no-end",
                                         "for:c1",
                                         "for:c2",
                                         "code:C50.911",
                                         "code:M06.9",
                                         "reported",
                                         "intent:proposal",
                                         "authored:2020-05-01 intent:plan",
                                         "stopped changed:2020-06-01",
                                         "completed no-end validity:2020-09-01" };
    order(telling,
          CHANCE(50) && telling->current != NULL ? telling->current : special_drug(telling),
          PICK(words));
    if (CHANCE(30)) { /* twice on one day, with another end */
        char day[DATE_TEXT_SIZE], end[DATE_TEXT_SIZE];
        const char *drug = special_drug(telling);
        day_text(telling->day, day);
        tell(telling, "%s %s..%s", drug, day, day_text(telling->day + 90, end));
        tell(telling, "%s %s..%s stopped", drug, day, day_text(telling->day + 30, end));
    }
}

static void step_supportive(struct telling *telling)
{
    static const char *const drugs[] = { "ondansetron",     "pegfilgrastim", "zoledronic acid",
                                         "dexamethasone",   "prednisone",    "calcium folinate",
                                         "study drug XB-7", "metforminol",   "megestrol",
                                         "tacrolimus",      "filgrastim" };
    order(telling, PICK(drugs), "");
}

static void step_given(struct telling *telling)
{
    static const char *const how[] = { "given", "dispensed", "told" };
    static const char *const words[] = { "",
                                         "",
                                         "based:m1",
                                         "not-done",
                                         "error",
                                         "supply:30",
                                         "stopped",
                                         "not-done progression",
                                         "stopped progression" };
    char day[DATE_TEXT_SIZE];
    const char *drugs = telling->current != NULL ? telling->current : "docetaxel";
    int32_t before = (int32_t)random_below(60);
    tell(telling, "%s %s %s x%u/%u %s", PICK(how), drugs, day_text(telling->day - before, day),
         1 + random_below(3), 7 + random_below(15), PICK(words));
}

static void step_evidence(struct telling *telling)
{
    static const char *const words[] = { "relapse",
                                         "relapse",
                                         "recurrence",
                                         "remission",
                                         "resolved",
                                         "refuted",
                                         "error",
                                         "",
                                         "relapse recorded:2021-01-01",
                                         "text:progressive_disease",
                                         "text:refractory_disease",
                                         "text:no_evidence_of_recurrence",
                                         "text:relapsed_disease ended:2022-01-01" };
    static const char *const others[] = { "C78.7",  "C79.51", "C90.02", "C91.02",
                                          "C92.02", "C90.01", "C91.01", "C83.3A",
                                          "C81.9A", "Z19.2",  "C82.9A", "C92.01" };
    static const char *const seen[] = { "worsened", "stable", "improved", "mixed" };
    char day[DATE_TEXT_SIZE];
    rough_day(telling->day + (int32_t)random_below(60) - 30, day);
    if (CHANCE(20))
        tell(telling, "?%s %s %s", PICK(seen), day, CHANCE(50) ? "focus:c1" : "");
    else if (CHANCE(35))
        tell(telling, "@%s %s", PICK(others), day);
    else
        tell(telling, "@%s %s %s", telling->code, day, PICK(words));
}

static void step_transplant(struct telling *telling)
{
    static const char *const regimens[] = { "melphalan",
                                            "carmustine + etoposide + cytarabine + melphalan",
                                            "busulfan + fludarabine", "carmustine + thiotepa",
                                            "carboplatin + etoposide" };
    char day[DATE_TEXT_SIZE];
    if (CHANCE(80))
        tell(telling, "%s %s", PICK(regimens), day_text(telling->day, day));
    telling->day += (int32_t)random_below(17);
    if (CHANCE(80))
        tell(telling, "!%s %s %s", CHANCE(70) ? "sct" : "allo", day_text(telling->day, day),
             CHANCE(20)  ? "plan:tandem"
             : CHANCE(5) ? "error"
                         : "");
}

static void step_cells(struct telling *telling)
{
    static const char *const cells[] = { "axicabtagene ciloleucel", "tisagenlecleucel",
                                         "idecabtagene vicleucel", "lifileucel" };
    char day[DATE_TEXT_SIZE];
    if (CHANCE(70))
        tell(telling, "!apheresis %s", day_text(telling->day, day));
    telling->day += (int32_t)random_below(20);
    if (CHANCE(50))
        order_cycles(
            telling,
            CHANCE(50) && telling->current != NULL ? telling->current : "polatuzumab vedotin", "");
    telling->day += (int32_t)random_below(20);
    if (CHANCE(80))
        tell(telling, "%s %s x%u/1", CHANCE(80) ? "fludarabine + cyclophosphamide" : "bendamustine",
             day_text(telling->day, day), 1 + random_below(3));
    telling->day += 2 + (int32_t)random_below(14);
    tell(telling, "%s %s%s", PICK(cells), day_text(telling->day, day), CHANCE(20) ? " x2/7" : "");
}

/* Before and after an operation: sometimes one curative course. */
static void step_surgery(struct telling *telling, const struct rules *rules)
{
    static const char *const words[] = { "curative", "curative", "curative", "palliative", "" };
    char day[DATE_TEXT_SIZE];
    order_cycles(telling, some_regimen(telling, rules), PICK(words));
    telling->day += (int32_t)random_below(120);
    if (CHANCE(85))
        tell(telling, "!surgery %s %s", day_text(telling->day, day), CHANCE(8) ? "error" : "");
    telling->day += (int32_t)random_below(90);
    order_cycles(telling, some_regimen(telling, rules), PICK(words));
    if (CHANCE(30)) /* a code that contradicts the words */
        order_cycles(telling, "cisplatin", "rxnorm:40048");
}

/* --- HIV and the kidney ----------------------------------------------------------------------- */

static void tell_hiv(struct telling *telling)
{
    static const char *const regimens[] = {
        "efavirenz + lamivudine + tenofovir disoproxil",
        "dolutegravir + lamivudine + tenofovir disoproxil",
        "nevirapine + lamivudine + zidovudine",
        "lopinavir + ritonavir + lamivudine + zidovudine",
        "lopinavir + ritonavir + raltegravir",
        "darunavir + ritonavir + dolutegravir + lamivudine",
        "darunavir + ritonavir + etravirine + lamivudine",
        "atazanavir + ritonavir + lamivudine + tenofovir disoproxil",
        "tenofovir disoproxil + emtricitabine",
        "tenofovir disoproxil",
        "cabotegravir",
        "bictegravir + emtricitabine + tenofovir alafenamide",
        "abacavir + lamivudine + zidovudine",
        "enfuvirtide + darunavir + ritonavir + tenofovir disoproxil",
        "rilpivirine + lamivudine + tenofovir disoproxil"
    };
    static const char *const words[] = { "",
                                         "",
                                         "",
                                         "",
                                         "bid",
                                         "reported",
                                         "stopped progression",
                                         "stopped toxicity",
                                         "active toxicity",
                                         "shortage" };
    static const char *const loads[] = { "<50",  "30",    "150",          "250",    "900",
                                         "1500", "20000", "not-detected", ">100000" };
    static const char *const codes[] = { "HIV.D.DE228", "HIV.D.DE226", "HIV.D.DE227",
                                         "Z33.1",       "A15.0",       "B20" };
    char day[DATE_TEXT_SIZE], end[DATE_TEXT_SIZE];
    if (CHANCE(90))
        tell(telling, "@B20 %s", day_text(telling->day - (int32_t)random_below(90) + 20, day));
    for (unsigned steps = 2 + random_below(7); steps > 0 && has_room(telling); steps--) {
        int32_t length = CHANCE(15) ? (int32_t)random_below(40) : 60 + (int32_t)random_below(500);
        day_text(telling->day, day);
        const char *drugs = PICK(regimens);
        if (CHANCE(85))
            tell(telling, "%s %s..%s %s", drugs, day, day_text(telling->day + length, end),
                 PICK(words));
        else
            tell(telling, "%s %s..open", drugs, day);
        for (unsigned loads_left = random_below(5); loads_left > 0; loads_left--)
            tell(telling, "#vl %s %s",
                 day_text(telling->day + (int32_t)random_below((unsigned)length + 1), end),
                 PICK(loads));
        if (CHANCE(35))
            tell(telling, "@%s %s", PICK(codes),
                 day_text(telling->day + length - (int32_t)random_below(40), end));
        if (CHANCE(10))
            tell(telling, "rifampicin %s..%s", day, day_text(telling->day + 180, end));
        telling->day += length + (CHANCE(60) ? 1 : (int32_t)random_below(120));
    }
}

static void tell_renal(struct telling *telling)
{
    static const char *const codes[] = { "Z99.2",  "Z94.0", "T86.12", "T82.41XA",
                                         "T86.12", "N17.9", "Z94.0" };
    static const char *const drugs[] = { "basiliximab", "antithymocyte globulin", "tacrolimus",
                                         "mycophenolate", "belatacept" };
    char day[DATE_TEXT_SIZE], end[DATE_TEXT_SIZE];
    if (CHANCE(90))
        tell(telling, "@N18.6 %s", day_text(telling->day - 30, day));
    for (unsigned steps = 2 + random_below(8); steps > 0 && has_room(telling); steps--) {
        int32_t length = (int32_t)random_below(400);
        rough_day(telling->day, day);
        day_text(telling->day + length + 366 * (strlen(day) < 10), end);
        switch (random_below(5)) {
        case 0:
            tell(telling, "!%s %s..%s", CHANCE(50) ? "hd" : "pd", day, end);
            break;
        case 1:
            tell(telling, "!kidney %s", day);
            break;
        case 2:
            tell(telling, "@%s %s", PICK(codes), day);
            break;
        case 3:
            tell(telling, "%s %s..%s", PICK(drugs), day, end);
            break;
        default:
            tell(telling, "!%s %s x%u/%u", CHANCE(50) ? "hd" : "pd", day_text(telling->day, day),
                 1 + random_below(6), 3 + random_below(60));
        }
        telling->day += (int32_t)random_below(CHANCE(50) ? 40 : 400);
    }
}

/* --- the whole -------------------------------------------------------------------------------- */

static const struct patient_kind {
    const char *code, *disease;
} kinds[] = { { "C34.90", "nsclc" },     { "C34.90", "sclc" },         { "C18.9", "crc" },
              { "C16.9", "gastric" },    { "C43.9", "melanoma" },      { "C10.9", "hnscc" },
              { "C4A.9", "mcc" },        { "C56.9", "ovarian" },       { "C61", "prostate" },
              { "C50.911", "breast" },   { "C67.9", "urothelial" },    { "C90.00", "mm" },
              { "C83.30", "dlbcl" },     { "C81.90", "hodgkin" },      { "C82.90", "fl" },
              { "C83.10", "mcl" },       { "C92.00", "aml" },          { "C91.00", "all" },
              { "C92.40", "apl" },       { "C62.90", "germcell" },     { "C84.40", "ptcl" },
              { "C25.9", "pancreatic" }, { "C40.20", "osteosarcoma" }, { "B20", "hiv" },
              { "N18.6", "esrd" } };

static void tell_cancer(struct telling *telling, const struct rules *rules)
{
    char day[DATE_TEXT_SIZE];
    static const char *const first_words[] = {
        "", "", "", "", "relapse", "remission", "recorded:2019-02-01"
    };
    if (CHANCE(95))
        tell(telling, "@%s %s %s", telling->code,
             rough_day(telling->day - (int32_t)random_below(60) + 20, day), PICK(first_words));
    if (CHANCE(8))
        tell(telling, "@%s %s", PICK(kinds).code, day_text(telling->day - 100, day));
    for (unsigned steps = 1 + random_below(9); steps > 0 && has_room(telling); steps--) {
        unsigned what = random_below(100);
        if (what < 30)
            step_regimen(telling, rules);
        else if (what < 40)
            step_again(telling);
        else if (what < 58)
            step_special(telling);
        else if (what < 66)
            step_messy(telling);
        else if (what < 71)
            step_supportive(telling);
        else if (what < 76)
            step_given(telling);
        else if (what < 88)
            step_evidence(telling);
        else if (what < 93)
            step_transplant(telling);
        else if (what < 96)
            step_surgery(telling, rules);
        else
            step_cells(telling);
        wait(telling);
    }
}

void random_patient(uint64_t seed, struct story *story, struct random_patient *out)
{
    random_seed(seed);
    const struct patient_kind *kind = &PICK(kinds);
    struct telling telling = { .story = story,
                               .disease = mapping_disease(story->mapping, slice_of(kind->disease)),
                               .code = kind->code,
                               .day = story_day("2018-01-01").day + (int32_t)random_below(900) };
    CHECK(telling.disease != NULL);
    unsigned sets = 0;
    while (mapping_ruleset_at(story->mapping, sets) != NULL)
        sets++;
    out->rules = mapping_rules(story->mapping);
    if (CHANCE(12))
        out->rules = mapping_ruleset_at(story->mapping, random_below(sets));
    if (slice_is(telling.disease->key, "hiv"))
        tell_hiv(&telling);
    else if (slice_is(telling.disease->key, "esrd"))
        tell_renal(&telling);
    else
        tell_cancer(&telling, mapping_rules(story->mapping));
    if (CHANCE(4))
        tell_hiv(&telling);
    int32_t later = CHANCE(30) ? -(int32_t)random_below(200) : (int32_t)random_below(700);
    out->as_of.day = telling.day + later;
}
