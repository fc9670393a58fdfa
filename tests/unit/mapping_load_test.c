/* What mapping_load() says of a damaged folder: the real tables, with one of them changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "support/mapping_folder.h"

#define CODES "code\tingredients\troute\tsource\n"
#define PLAIN "code\tmatch\tdisease\tmeaning\tsource\n"

/* `add` goes behind the last row of the file; `instead` replaces the file. */
static const struct damage {
    const char *name, *file, *add, *instead, *says;
} damages[] = {
    { "a state of a profile that is not there", "status_labels.tsv",
      "mmm\tx-refractory\tdrug\trituximab\t\t-\t60\tlabel\n", NULL,
      "mappings/status_labels.tsv:LAST profile: 'mmm' is not a key of profiles.tsv" },
    { "a state since a drug that names none", "status_labels.tsv",
      "mm\tx-refractory\tdrug\t-\t\t-\t60\tlabel\n", NULL,
      "mappings/status_labels.tsv:LAST ingredients: names no drug, and there is no trait" },
    { "a state since a line that names a drug", "status_labels.tsv",
      "mm\tx-refractory\tline\trituximab\t\t1\t60\tlabel\n", NULL,
      "mappings/status_labels.tsv:LAST ingredients: belongs to 'drug' only" },
    { "an exposure of a drug that is not there", "cumulative.tsv",
      "cisplatin\tcisplatim\t100\thouse\n", NULL,
      "mappings/cumulative.tsv:LAST ingredient: 'cisplatim' is not an ingredient of drugs.tsv; the "
      "nearest is 'cisplatin'" },
    { "a kind of treatment without a trait", "options.tsv", "x\tname\t\thouse\n", NULL,
      "mappings/options.tsv:LAST traits: names no trait" },
    { "a rule set with a drug that is not there", "rules_merck21.tsv",
      "nsclc\tsubstitution\tfluorouracill;capecitabine\tmerck21\n", NULL,
      "mappings/rules_merck21.tsv:LAST value: 'fluorouracill' is not an ingredient of drugs.tsv; "
      "the "
      "nearest is 'fluorouracil'" },
    { "a rule set with a parameter that is none", "rules_merck21.tsv",
      "nsclc\twindows\t28\tmerck21\n", NULL,
      "mappings/rules_merck21.tsv:LAST parameter: 'windows' is not a parameter; the nearest is "
      "'window'" },
    { "a rule set that changes a profile before its base", "rules_merck21.tsv",
      "breast\tgap\t90\tmerck21\n", NULL,
      "mappings/rules_merck21.tsv:LAST parameter: 'base' must be the first row of 'breast'" },
    { "a rule set with a base that is none", "rules_merck21.tsv", "breast\tbase\tours\tmerck21\n",
      NULL, "mappings/rules_merck21.tsv:LAST value: 'ours' is not one of: nothing lifeline" },
    { "a rule set that switches what cannot be", "rules_merck21.tsv",
      "nsclc\toff\tEXP-001\tmerck21\n", NULL,
      "mappings/rules_merck21.tsv:LAST value: 'EXP-001' is not a rule that can be switched" },
    { "a rule set for a profile that is not there", "rules_merck21.tsv",
      "lungs\tgap\t90\tmerck21\n", NULL,
      "mappings/rules_merck21.tsv:LAST profile: 'lungs' is not a key of profiles.tsv" },
    { "a rule set with an unknown source", "rules_merck21.tsv", "nsclc\tgap\t90\tnobody\n", NULL,
      "mappings/rules_merck21.tsv:LAST source: 'nobody' is not a key of sources.tsv" },
    { "a rule set with a maintenance rule of no drug", "rules_merck21.tsv",
      "nsclc\tmaintenance\tkind=switch | max_gap=90\tmerck21\n", NULL,
      "mappings/rules_merck21.tsv:LAST ingredients: names no drug, and there is no trait" },
    { "an ingredient twice", "drugs.tsv", "cisplatin\tantineoplastic\tplatinum\t\t28\t-\t-\tme\n",
      NULL, "mappings/drugs.tsv:LAST ingredient: 'cisplatin' is in another row too" },
    { "an ingredient code twice", "drugs.tsv",
      "newdrug\tantineoplastic\tplatinum\t\t28\t2555\t-\tme\n", NULL,
      "mappings/drugs.tsv:LAST rxnorm: '2555' is in an earlier row already" },
    { "an unknown group", "drugs.tsv", "newdrug\tpoison\tplatinum\t\t28\t-\t-\tme\n", NULL,
      "mappings/drugs.tsv:LAST group: 'poison' is not one of: antineoplastic endocrine supportive "
      "immunosuppressant antiretroviral dialysis" },
    { "an unknown trait", "drugs.tsv",
      "newdrug\tantineoplastic\tplatinum\tplatinium\t28\t-\t-\tme\n", NULL,
      "mappings/drugs.tsv:LAST traits: 'platinium' is not a word of this column; the nearest is "
      "'platinum'" },
    { "rolls up to a drug that is not there", "drugs.tsv",
      "newdrug\tantineoplastic\tplatinum\t\t28\t-\tcisplatim\tme\n", NULL,
      "mappings/drugs.tsv:LAST rolls_up_to: 'cisplatim' is not an ingredient of drugs.tsv; the "
      "nearest is 'cisplatin'" },
    { "a row without a source", "drugs.tsv", "newdrug\tantineoplastic\tplatinum\t\t28\t-\t-\t\n",
      NULL, "mappings/drugs.tsv:LAST source: '' is empty" },
    { "a product of an unknown ingredient", "rxnorm_products.tsv",
      "99999991\tSCD\tx\tcisplatin;carboplatim\tsystemic\tme\n", NULL,
      "mappings/rxnorm_products.tsv:LAST ingredients: 'carboplatim' is not an ingredient of "
      "drugs.tsv; the nearest is 'carboplatin'" },
    { "a product twice", "rxnorm_products.tsv", "1658084\tSCD\tx\ttrastuzumab\tsystemic\tme\n",
      NULL,
      "mappings/rxnorm_products.tsv:LAST rxcui: '1658084' maps twice: an earlier row, here or in "
      "another table, says trastuzumab emtansine" },
    { "a product code in the other file too", "rxnorm_other.tsv",
      "1658084\ttrastuzumab\tsystemic\tme\n", NULL,
      "mappings/rxnorm_other.tsv:LAST rxcui: '1658084' maps twice: an earlier row, here or in "
      "another table, says trastuzumab emtansine" },
    { "an unknown route", "rxnorm_other.tsv", "99999991\tcisplatin\toral\tme\n", NULL,
      "mappings/rxnorm_other.tsv:LAST route: 'oral' is not one of: systemic local other" },
    { "an NDC that is none", "ndc.tsv", "12-34\tcisplatin\tsystemic\tme\n", NULL,
      "mappings/ndc.tsv:LAST ndc: '12-34' is not a code of this system" },
    { "an ATC code twice", "atc.tsv", "L01XA01\tcarboplatin\tsystemic\tme\n", NULL,
      "mappings/atc.tsv:LAST code: 'L01XA01' maps twice: an earlier row, here or in another "
      "table, says cisplatin" },
    { "a CIEL code of an unknown ingredient", "ciel.tsv", "1\tzzz\tsystemic\tme\n", NULL,
      "mappings/ciel.tsv:LAST ingredients: 'zzz' is not an ingredient of drugs.tsv" },
    { "an alias that stands for another drug too", "aliases.tsv", "5-fu\tcisplatin\tsystemic\tme\n",
      NULL,
      "mappings/aliases.tsv:LAST text: '5-fu' maps twice: an earlier row, or the name in "
      "drugs.tsv, says fluorouracil" },
    { "an alias without a letter", "aliases.tsv", "---\tcisplatin\tsystemic\tme\n", NULL,
      "mappings/aliases.tsv:LAST text: '---' has no word, or too many" },
    { "an alias that is no exposure by its own words", "aliases.tsv",
      "Miracle cream\tcisplatin\tsystemic\tme\n", NULL,
      "mappings/aliases.tsv:LAST text: 'Miracle cream' can never be found: it holds a word of a "
      "placebo or of a form that is no exposure" },
    { "words of a disease that doubt it", "condition_words.tsv", "possible myeloma\tmm\tme\n", NULL,
      "mappings/condition_words.tsv:LAST text: 'possible myeloma' can never be found: it holds a "
      "word of denial or doubt" },
    { "a disease twice", "diseases.tsv", "mm\tmyeloma\thematologic\t-\tmm\tme\n", NULL,
      "mappings/diseases.tsv:LAST key: 'mm' is in an earlier row already" },
    { "within a disease that is not there", "diseases.tsv",
      "newone\tnew\tsolid\tlungs\tgeneric\tme\n", NULL,
      "mappings/diseases.tsv:LAST within: 'lungs' is not a key of diseases.tsv" },
    { "within itself", "diseases.tsv", "newone\tnew\tsolid\tnewone\tgeneric\tme\n", NULL,
      "mappings/diseases.tsv:LAST within: 'newone' leads in a circle" },
    { "a profile that is not there", "diseases.tsv", "newone\tnew\tsolid\t-\tnsclq\tme\n", NULL,
      "mappings/diseases.tsv:LAST profile: 'nsclq' of disease 'newone' is not a row of "
      "profiles.tsv" },
    { "drugs of a disease that is not there", "disease_drugs.tsv", "lungs\tlists\tcisplatin\tme\n",
      NULL, "mappings/disease_drugs.tsv:LAST disease: 'lungs' is not a key of diseases.tsv" },
    { "a disease lists a drug that is not there", "disease_drugs.tsv",
      "mm\tlists\tbortezomip\tme\n", NULL,
      "mappings/disease_drugs.tsv:LAST ingredients: 'bortezomip' is not an ingredient of "
      "drugs.tsv; "
      "the nearest is 'bortezomib'" },
    { "a condition code twice, with and without its dot", "icd10cm.tsv",
      "C9002\texact\tmm\tprimary\tx\tme\n", NULL,
      "mappings/icd10cm.tsv:LAST code: 'C9002' maps twice: an earlier row says mm, in_relapse" },
    { "a condition of an unknown disease", "icd10cm.tsv", "C99.9\texact\tmyeloma\tprimary\tx\tme\n",
      NULL, "mappings/icd10cm.tsv:LAST disease: 'myeloma' is not a key of diseases.tsv" },
    { "an unknown meaning", "icd10who.tsv", "C99.9\tbelow\tmm\tin_relaps\tme\n", NULL,
      "mappings/icd10who.tsv:LAST meaning: 'in_relaps' is not a word of this column; the nearest "
      "is "
      "'in_relapse'" },
    { "neither exact nor below", "icdo3.tsv", "9999/3\tprefix\tmm\tprimary\tme\n", NULL,
      "mappings/icdo3.tsv:LAST match: 'prefix' is not one of: exact below" },
    { "a SNOMED CT row without a source", "snomed_conditions.tsv", "1\texact\tmm\tprimary\n", NULL,
      "mappings/snomed_conditions.tsv:LAST source: '' is missing: the row ends here" },
    { "words of an unknown disease", "condition_words.tsv", "bad luck\tluck\tme\n", NULL,
      "mappings/condition_words.tsv:LAST disease: 'luck' is not a key of diseases.tsv" },
    { "words twice", "condition_words.tsv", "Multiple-Myeloma\tmm\tme\n", NULL,
      "mappings/condition_words.tsv:LAST text: 'Multiple-Myeloma' has another row already or has "
      "no "
      "word" },
    { "an unknown stop reason", "stop_reasons.tsv", "text\tbored\tboredom\tme\n", NULL,
      "mappings/stop_reasons.tsv:LAST reason: 'boredom' is not a word of this column; the nearest "
      "is 'shortage'" },
    { "an antiretroviral twice", "antiretrovirals.tsv",
      "dolutegravir\tDTG\tinsti\tnever\tno\tusual\t-\tno\tme\n", NULL,
      "mappings/antiretrovirals.tsv:0 ingredient: 'dolutegravir' has two rows" },
    { "an antiretroviral that is none", "antiretrovirals.tsv",
      "cisplatin\tCIS\tinsti\tnever\tno\tusual\t-\tno\tme\n", NULL,
      "mappings/antiretrovirals.tsv:LAST ingredient: 'cisplatin' is not of group antiretroviral in "
      "drugs.tsv" },
    { "a number we do not have", "hiv.tsv", "patience\t28\tdays\thouse\n", NULL,
      "mappings/hiv.tsv:LAST name: 'patience' is not a number of ours" },
    { "a number twice", "hiv.tsv", "pep\t28\tdays\thouse\n", NULL,
      "mappings/hiv.tsv:LAST name: 'pep' is in an earlier row already" },
    { "a state of renal replacement twice", "renal_states.tsv", "dialysis\t-\tdialysis\tme\n", NULL,
      "mappings/renal_states.tsv:LAST state: 'dialysis' is in an earlier row already" },
    { "a role that is none", "renal_drugs.tsv", "cisplatin\tpoison\tme\n", NULL,
      "mappings/renal_drugs.tsv:LAST role: 'poison' is not one of: induction induction_only "
      "maintenance peritoneal_fluid" },
    { "a stop code twice", "stop_reasons.tsv", "http://snomed.info/sct\t266721009\ttoxicity\tme\n",
      NULL,
      "mappings/stop_reasons.tsv:LAST code: '266721009' has another row already, or is too long" },
    { "no file at all", "atc.tsv", NULL, NULL, "mappings/atc.tsv:0 file: is missing" },
    { "a file without rows is allowed", "atc.tsv", NULL, CODES, "" },
};

static unsigned last_line(struct slice text)
{
    unsigned lines = 0;
    for (size_t i = 0; i < text.len; i++)
        lines += text.at[i] == '\n';
    return lines;
}

static void damage_folder(struct mapping_folder *folder, const struct damage *damage,
                          unsigned *line)
{
    if (damage->instead != NULL) {
        mapping_folder_put(folder, damage->file, slice_of(damage->instead));
        return;
    }
    if (damage->add == NULL) {
        mapping_folder_remove(folder, damage->file);
        return;
    }
    for (unsigned i = 0; i < folder->count; i++) {
        if (strcmp(folder->files[i].name, damage->file) != 0)
            continue;
        struct slice text =
            arena_format(&folder->arena, "%.*s%s", SLICE_ARGS(folder->files[i].text), damage->add);
        folder->files[i].text = text;
        *line = last_line(text);
    }
}

static void damage_is_told(void **state)
{
    const struct damage *damage = *state;
    struct mapping_folder folder;
    struct mapping *mapping = NULL;
    struct table_errors errors = { .count = 0 };
    unsigned line = 0;
    char buffer[2000], expected[600], number[20];
    struct text seen = TEXT(buffer), wanted = TEXT(expected);
    buffer[0] = expected[0] = '\0';
    mapping_folder_read(&folder, SOURCE_DIR "/mappings");
    damage_folder(&folder, damage, &line);

    bool is_loaded = mapping_load(folder.files, folder.count, &mapping, &errors);

    for (unsigned i = 0; i < errors.count; i++)
        text_add(&seen, "%s%s %s", i > 0 ? "; " : "", errors.list[i].where, errors.list[i].what);
    const char *last = strstr(damage->says, "LAST");
    snprintf(number, sizeof number, "%u", line);
    if (last != NULL)
        text_add(&wanted, "%.*s%s%s", (int)(last - damage->says), damage->says, number, last + 4);
    else
        text_add(&wanted, "%s", damage->says);
    assert_string_equal(buffer, expected);
    assert_int_equal(is_loaded, damage->says[0] == '\0');
    mapping_close(mapping);
    mapping_folder_fini(&folder);
}

/* --- overlays and the digest ------------------------------------------------------------------ */

static struct mapping *load(const struct mapping_folder *folder)
{
    struct mapping *mapping = NULL;
    struct table_errors errors = { .count = 0 };
    assert_true(mapping_load(folder->files, folder->count, &mapping, &errors));
    return mapping;
}

static struct event resolved(const struct mapping *mapping, enum code_system system,
                             const char *drug, const char *condition, struct arena *arena)
{
    struct coding codings[] = { { system, SLICE(""), slice_of(drug) },
                                { system, SLICE(""), slice_of(condition) } };
    struct event event = { .medication = { &codings[0], 1, SLICE("") },
                           .code = { &codings[1], 1, SLICE("") } };
    mapping_resolve(mapping, &event, arena);
    return event;
}

static void an_overlay_adds_and_wins(void **state)
{
    (void)state;
    struct mapping_folder folder;
    struct arena arena;
    arena_init(&arena, 1 << 16);
    mapping_folder_read(&folder, SOURCE_DIR "/mappings");
    mapping_folder_overlay(&folder, "snomed_conditions.tsv",
                           SLICE(PLAIN "109989006\texact\tmm\trefractory\tours\n"));
    mapping_folder_overlay(&folder, "snomed_drugs.tsv",
                           SLICE(CODES "387318005\tcisplatin\tsystemic\tours\n"));
    struct mapping *mapping = load(&folder);

    struct event event = resolved(mapping, CODE_SNOMED, "387318005", "109989006", &arena);
    assert_int_equal(event.drug_count, 1);
    assert_true(slice_is(event.drugs[0]->name, "cisplatin"));
    assert_int_equal(event.meaning_count, 1);
    assert_int_equal(event.meanings[0].meaning, MEANS_REFRACTORY); /* was primary */
    mapping_close(mapping);
    mapping_folder_fini(&folder);
    arena_fini(&arena);
}

/* Every kind of rule can be changed and taken away, and a fault names the overlay's own line. */
static void an_overlay_changes_rules(void **state)
{
    (void)state;
    struct mapping_folder folder;
    mapping_folder_read(&folder, SOURCE_DIR "/mappings");
    mapping_folder_overlay(&folder, "parameters.tsv",
                           SLICE("name\tdays\tsource\nstale_open\t100\thouse\n"));
    mapping_folder_overlay(
        &folder, "regimens.tsv",
        SLICE("name\tdisease\tcomponents\tuses\texclusive\tsource\tchange\n"
              "ABVD\thodgkin\t\t\t\t\tremoved\n"
              "Our trial arm\thodgkin\tbleomycin;nivolumab\tfirst_line\tno\tours\t\n"));
    mapping_folder_overlay(&folder, "addons.tsv",
                           SLICE("profile\tingredients\ttraits\texcept\tmax_days\t"
                                 "needs_continuing\tif_absent_class\tsource\tchange\n"
                                 "breast\t-\tcdk46\t-\t45\tyes\tno\thouse\t\n"));
    struct mapping *mapping = load(&folder);
    const struct rules *rules = mapping_rules(mapping);
    unsigned abvd = 0, added = 0, cdk46 = 0;
    for (unsigned i = 0; i < rules->regimen_count; i++) {
        abvd += slice_is(rules->regimens[i].name, "ABVD");
        added += slice_is(rules->regimens[i].name, "Our trial arm");
    }
    for (unsigned p = 0; p < rules->profile_count; p++)
        for (unsigned a = 0; a < rules->profiles[p].addon_count; a++)
            if ((rules->profiles[p].addons[a].set.traits & TRAIT_CDK46) != 0)
                cdk46 += (unsigned)rules->profiles[p].addons[a].max_days;
    assert_int_equal(rules->stale_open, 100);
    assert_int_equal(abvd, 0);
    assert_int_equal(added, 1);
    assert_int_equal(cdk46, 45);
    mapping_close(mapping);
    mapping_folder_fini(&folder);
}

static void an_overlay_is_checked_like_any_table(void **state)
{
    (void)state;
    struct mapping_folder folder;
    struct mapping *mapping = NULL;
    struct table_errors errors = { .count = 0 };
    mapping_folder_read(&folder, SOURCE_DIR "/mappings");
    mapping_folder_overlay(&folder, "snomed_drugs.tsv",
                           SLICE("# ours\n" CODES "373450007\tsisplatin\tsystemic\tme\n"));
    mapping_folder_overlay(&folder, "regimen.tsv", SLICE("name\n"));
    assert_false(mapping_load(folder.files, folder.count, &mapping, &errors));
    assert_int_equal(errors.count, 2);
    assert_string_equal(errors.list[0].where, "overlay/regimen.tsv:0");
    assert_string_equal(errors.list[0].what, "file: is not a table of mappings/");
    assert_string_equal(errors.list[1].where, "overlay/snomed_drugs.tsv:3");
    assert_string_equal(errors.list[1].what,
                        "ingredients: 'sisplatin' is not an ingredient of drugs.tsv");
    mapping_folder_fini(&folder);
}

static void the_digest_follows_names_and_texts_only(void **state)
{
    (void)state;
    struct mapping_folder folder;
    mapping_folder_read(&folder, SOURCE_DIR "/mappings");
    struct mapping *before = load(&folder);
    struct mapping_file first = folder.files[0];
    folder.files[0] = folder.files[folder.count - 1]; /* the order of the folder */
    folder.files[folder.count - 1] = first;
    struct mapping *moved = load(&folder);
    mapping_folder_overlay(&folder, "snomed_conditions.tsv", SLICE(PLAIN));
    struct mapping *more = load(&folder);

    assert_true(sha256_equal(mapping_digest(before), mapping_digest(moved)));
    assert_false(sha256_equal(mapping_digest(before), mapping_digest(more)));
    assert_memory_equal(mapping_digest(before), &mapping_rules(before)->digest, SHA256_BYTES);
    mapping_close(before);
    mapping_close(moved);
    mapping_close(more);
    mapping_folder_fini(&folder);
}

static void without_drugs_nothing_else_is_told(void **state)
{
    (void)state;
    struct mapping_folder folder;
    struct mapping *mapping = NULL;
    struct table_errors errors = { .count = 0 };
    mapping_folder_read(&folder, SOURCE_DIR "/mappings");
    mapping_folder_put(&folder, "drugs.tsv", SLICE("what\n"));
    assert_false(mapping_load(folder.files, folder.count, &mapping, &errors));
    for (unsigned i = 0; i < errors.count; i++)
        assert_string_equal(errors.list[i].where, "mappings/drugs.tsv:1");
    mapping_folder_fini(&folder);
}

int main(void)
{
    static struct CMUnitTest tests[COUNT_OF(damages) + 5];
    for (size_t i = 0; i < COUNT_OF(damages); i++)
        tests[i] = (struct CMUnitTest){ .name = damages[i].name,
                                        .test_func = damage_is_told,
                                        .initial_state = (void *)(uintptr_t)&damages[i] };
    size_t n = COUNT_OF(damages);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(an_overlay_adds_and_wins);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(an_overlay_changes_rules);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(an_overlay_is_checked_like_any_table);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(the_digest_follows_names_and_texts_only);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(without_drugs_nothing_else_is_told);
    return _cmocka_run_group_tests("mapping load", tests, n, NULL, NULL);
}
