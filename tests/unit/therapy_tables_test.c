/* The tables of rules: what a clinician mistypes is told with its line and column, and every name
 * is checked against the drug dictionary.  Also what the shipped tables promise. */
#include "support/therapy/story_case.h"

static const struct fault {
    const char *name, *file, *from, *to, *where, *what;
} faults[] = {
    { "an unknown drug in a profile", "profiles.tsv", "afatinib;alectinib", "afatinibb;alectinib",
      "mappings/profiles.tsv:", "gap_exempt: 'afatinibb'" },
    { "an unknown drug in a substitution", "substitutions.tsv", "capecitabine;fluorouracil",
      "capecitabine;flourouracil", "mappings/substitutions.tsv:", "ingredients: 'flourouracil'" },
    { "an unknown drug in an add-on", "addons.tsv", "cetuximab;panitumumab\t180",
      "cetuximabb;panitumumab\t180", "mappings/addons.tsv:", "except: 'cetuximabb'" },
    { "an unknown drug in maintenance", "maintenance.tsv", "urothelial\tavelumab",
      "urothelial\tavelumabb", "mappings/maintenance.tsv:", "ingredients: 'avelumabb'" },
    { "an unknown drug in a regimen", "regimens.tsv", "bendamustine;polatuzumab vedotin;rituximab",
      "bendamustine;polatuzumab;rituximab", "mappings/regimens.tsv:", "components: 'polatuzumab'" },
    { "an unknown disease of a regimen", "regimens.tsv", "R-CHOP\tdlbcl", "R-CHOP\tdlbcll",
      "mappings/regimens.tsv:", "disease: 'dlbcll' is not a key of diseases.tsv" },
    { "a regimen that is exclusive and first-line", "regimens.tsv", "first_line\tno",
      "first_line\tyes", "mappings/regimens.tsv:", "exclusive: 'yes' needs the use salvage" },
    { "a use that does not exist", "regimens.tsv", "first_line\tno", "firstline\tno",
      "mappings/regimens.tsv:", "uses: 'firstline'" },
    { "an unknown profile of an add-on", "addons.tsv", "crc\tcetuximab", "crcc\tcetuximab",
      "mappings/addons.tsv:", "profile: 'crcc' is not a key of profiles.tsv" },
    { "an unknown profile of a substitution", "substitutions.tsv", "nsclc;sclc", "nsclc;sclcc",
      "mappings/substitutions.tsv:", "profiles: 'sclcc' is not a key of profiles.tsv" },
    { "an unknown source", "profiles.tsv", "merck21;hess21\n", "merck22;hess21\n",
      "mappings/profiles.tsv:", "source: 'merck22' is not a key of sources.tsv" },
    { "a line number that is none", "maintenance.tsv", "switch\t1,2\t", "switch\t1,two\t",
      "mappings/maintenance.tsv:", "lines: 'two' is not a number of a line" },
    { "a basis that does not exist", "profiles.tsv", "\tadvanced_line\t", "\tadvanced\t",
      "mappings/profiles.tsv:", "basis: 'advanced'" },
    { "days that are no number", "profiles.tsv",
      "\n"
      "nsclc\t28\t180",
      "\n"
      "nsclc\t28\t18o",
      "mappings/profiles.tsv:", "gap: '18o'" },
    { "a parameter that does not exist", "parameters.tsv", "stale_open\t", "stale_opened\t",
      "mappings/parameters.tsv:", "name: 'stale_opened' is not a parameter" },
    { "a parameter that is missing", "parameters.tsv", "stale_open\t", "stale_opened\t",
      "mappings/parameters.tsv:0", "name: 'stale_open' is missing" },
    { "no profile for diseases without one", "profiles.tsv",
      "\n"
      "generic\t",
      "\n"
      "generick\t",
      "mappings/profiles.tsv:0", "key: 'generic' is missing" },
    { "one profile twice", "profiles.tsv",
      "\n"
      "melanoma\t",
      "\n"
      "gastric\t",
      "mappings/profiles.tsv:", "key: 'gastric' is in an earlier row already" },
    { "a substitution of one drug", "substitutions.tsv", "capecitabine;fluorouracil",
      "capecitabine", "mappings/substitutions.tsv:", "ingredients: names fewer than two drugs" },
    { "an add-on for nothing", "addons.tsv", "breast\t-\tendocrine", "breast\t-\t",
      "mappings/addons.tsv:", "ingredients: names no drug, and there is no trait" },
};

static void fault_is_told(void **state)
{
    const struct fault *fault = *state;
    static struct table_errors errors;
    errors.count = 0;
    assert_false(story_load_edited(fault->file, fault->from, fault->to, &errors));
    for (unsigned i = 0; i < errors.count; i++)
        if (strncmp(errors.list[i].where, fault->where, strlen(fault->where)) == 0 &&
            strncmp(errors.list[i].what, fault->what, strlen(fault->what)) == 0)
            return;
    for (unsigned i = 0; i < errors.count; i++)
        print_message("%s: %s\n", errors.list[i].where, errors.list[i].what);
    fail_msg("not told: %s %s", fault->where, fault->what);
}

/* RULES_SPEC 8.4: what is used early too is never enough alone. */
static void common_drugs_are_not_exclusive(void **state)
{
    static const char *const never[] = {
        "arsenic trioxide",   "blinatumomab", "osimertinib",   "lorlatinib",
        "enfortumab vedotin", "nivolumab",    "pembrolizumab", "abiraterone",
        "enzalutamide",       "topotecan",    "ifosfamide",    "trastuzumab deruxtecan"
    };
    const struct rules *rules = mapping_rules(story_mapping());
    (void)state;
    for (unsigned i = 0; i < rules->regimen_count; i++)
        for (unsigned k = 0; k < rules->regimens[i].drug_count; k++)
            for (size_t n = 0; n < COUNT_OF(never); n++)
                if (slice_is(rules->regimens[i].drugs[k]->name, never[n]))
                    assert_false(rules->regimens[i].is_exclusive);
    assert_true(rules->regimen_count >= 60);
}

/* Every cancer that derives lines has a profile, and every profile a basis. */
static void every_cancer_has_rules(void **state)
{
    const struct rules *rules = mapping_rules(story_mapping());
    (void)state;
    for (unsigned i = 0; i < rules->disease_count; i++) {
        enum disease_family family = rules->diseases[i]->family;
        if (family == DISEASE_SOLID || family == DISEASE_HEMATOLOGIC)
            assert_non_null(rules->diseases[i]->profile);
    }
    for (unsigned i = 0; i < rules->profile_count; i++)
        assert_true(rules->profiles[i].basis_text.len > 0);
    assert_int_equal(rules->relapse_lookahead, 30);
    assert_int_equal(rules->conditioning_lookahead, 14);
}

int main(void)
{
    struct CMUnitTest tests[COUNT_OF(faults) + 2];
    size_t count = 0;
    for (size_t i = 0; i < COUNT_OF(faults); i++)
        tests[count++] = (struct CMUnitTest){ .name = faults[i].name,
                                              .test_func = fault_is_told,
                                              .initial_state = (void *)(uintptr_t)&faults[i] };
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(common_drugs_are_not_exclusive);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(every_cancer_has_rules);
    return _cmocka_run_group_tests("therapy_tables", tests, count, NULL, NULL);
}
