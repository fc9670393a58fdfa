/* The real tables: what must hold of them whoever edits them, and their agreement with the verified
 * reference tables, where those are at hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "base/text.h"
#include "mapping/mapping_int.h"
#include "support/mapping_folder.h"

#define REFERENCE SOURCE_DIR "/../shared/reference/"
#define FIELDS_MAX 20

static struct mapping_folder folder;
static struct mapping *mapping;

/* --- a folder that loads ---------------------------------------------------------------------- */

static void the_folder_loads_in_good_time(void **state)
{
    (void)state;
    struct mapping *again;
    struct table_errors errors = { .count = 0 };
    clock_t before = clock();
    assert_true(mapping_load(folder.files, folder.count, &again, &errors));
    double ms = (double)(clock() - before) * 1000 / CLOCKS_PER_SEC;
    print_message("mappings: %u files, %u drugs, %u diseases, %zu drug codes, %zu condition codes, "
                  "%zu words of drugs, %zu stop reasons, loaded in %.0f ms of processor time\n",
                  folder.count, mapping->drug_count, mapping->disease_count,
                  mapping->drug_codes.used, mapping->condition_codes.used,
                  mapping->drug_words.phrases.used,
                  mapping->stop_codes.used + mapping->stop_words.phrases.used, ms);
    mapping_close(again);
    assert_true(mapping->drug_count > 600);
    assert_true(mapping->drug_codes.used > 20000);
    assert_true(mapping->condition_codes.used > 5000);
}

static void every_file_says_what_it_is(void **state)
{
    (void)state;
    for (unsigned i = 0; i < folder.count; i++) {
        if (folder.files[i].text.len == 0 || folder.files[i].text.at[0] != '#')
            fail_msg("%s does not begin with a comment", folder.files[i].name);
    }
}

static void every_drug_is_found_by_its_own_name(void **state)
{
    (void)state;
    for (unsigned i = 0; i < mapping->drug_count; i++) {
        const struct drug *drug = &mapping->drugs[i].drug;
        assert_int_equal(drug->index, i);
        struct event event = { .medication = { NULL, 0, drug->name } };
        struct arena arena;
        arena_init(&arena, 1 << 16);
        mapping_resolve(mapping, &event, &arena);
        if (event.drug_count != 1 || event.drugs[0] != drug)
            fail_msg("the text '%.*s' does not lead to this drug", SLICE_ARGS(drug->name));
        arena_fini(&arena);
    }
}

/* What rules build on: a trait that contradicts its row would silently change lines. */
static void traits_and_groups_agree(void **state)
{
    (void)state;
    for (unsigned i = 0; i < mapping->drug_count; i++) {
        const struct drug *drug = &mapping->drugs[i].drug;
        bool is_cancer_drug = drug->group == DRUG_ANTINEOPLASTIC || drug->group == DRUG_ENDOCRINE;
        uint32_t only_cancer = TRAIT_PLATINUM | TRAIT_TARGETED | TRAIT_CHECKPOINT |
                               TRAIT_CYTOTOXIC | TRAIT_ENDOCRINE | TRAIT_CDK46 | TRAIT_PARPI |
                               TRAIT_IMID | TRAIT_PROTEASOME | TRAIT_ANTHRACYCLINE |
                               TRAIT_CELL_THERAPY;
        uint32_t never_cancer = TRAIT_STEROID | TRAIT_GROWTH_FACTOR | TRAIT_BONE_AGENT |
                                TRAIT_ANTIEMETIC | TRAIT_MODULATOR | TRAIT_MOBILISATION;
        bool ok =
            is_cancer_drug ? (drug->traits & never_cancer) == 0 : (drug->traits & only_cancer) == 0;
        ok = ok && drug_has(drug, TRAIT_ENDOCRINE) == (drug->group == DRUG_ENDOCRINE);
        ok = ok && (drug->tail_days == 0) == drug_has(drug, TRAIT_CELL_THERAPY);
        ok = ok && !(drug_has(drug, TRAIT_ORAL) && drug_has(drug, TRAIT_DEPOT));
        if (!ok)
            fail_msg("'%.*s': group, traits and tail do not agree", SLICE_ARGS(drug->name));
    }
}

static void every_cancer_has_rules_and_nothing_else_has(void **state)
{
    (void)state;
    unsigned listing = 0;
    for (unsigned i = 0; i < mapping->disease_count; i++) {
        const struct disease *disease = &mapping->diseases[i];
        bool is_cancer = disease->family == DISEASE_SOLID ||
                         disease->family == DISEASE_HEMATOLOGIC ||
                         disease->family == DISEASE_ANY_CANCER;
        if (is_cancer != (disease->profile != NULL))
            fail_msg("disease '%.*s'", SLICE_ARGS(disease->key));
        for (unsigned d = 0; d < mapping->drug_count; d++)
            if (disease_lists_drug(disease, &mapping->drugs[d].drug)) {
                listing++;
                break;
            }
    }
    print_message("mappings: %u of %u diseases list drugs\n", listing, mapping->disease_count);
    assert_true(listing > 80);
}

/* A name of a disease in params.json is a key here: profiles and worked examples use them. */
static void every_profile_is_a_disease(void **state)
{
    (void)state;
    const struct rules *rules = mapping_rules(mapping);
    assert_true(rules->profile_count >= 20);
    for (unsigned i = 0; i < rules->profile_count; i++) {
        struct slice key = rules->profiles[i].key;
        const struct disease *disease = mapping_disease(mapping, key);
        if (slice_starts(key, SLICE("generic")))
            continue;
        if (disease == NULL || disease->profile != &rules->profiles[i])
            fail_msg("profile '%.*s' is not the profile of a disease of this name",
                     SLICE_ARGS(key));
    }
}

/* --- the reference ---------------------------------------------------------------------------- */

static struct slice take_field(struct slice *line)
{
    if (line->len == 0 || line->at[0] != '"')
        return slice_take_until(line, ',');
    *line = slice_skip(*line, 1); /* what we read holds no doubled quotes */
    struct slice field = slice_take_until(line, '"');
    (void)slice_take_until(line, ',');
    return field;
}

static unsigned split_line(struct slice line, struct slice fields[FIELDS_MAX])
{
    unsigned count = 0;
    while (count < FIELDS_MAX && line.len > 0)
        fields[count++] = take_field(&line);
    for (unsigned i = count; i < FIELDS_MAX; i++)
        fields[i] = SLICE("");
    return count;
}

static struct slice our_name(struct slice ingredient)
{
    return slice_is(ingredient, "aflibercept") ? SLICE("ziv-aflibercept") : ingredient;
}

static bool leads_to(enum code_system system, struct slice code, struct slice ingredient,
                     struct arena *arena)
{
    struct coding coding = { system, SLICE(""), code };
    struct event event = { .medication = { &coding, 1, SLICE("") } };
    mapping_resolve(mapping, &event, arena);
    return event.drug_count == 1 && slice_eq(event.drugs[0]->name, our_name(ingredient));
}

/* drugs.csv: ingredient 0, rxnorm_in 1, other_rxcuis 2, atc 3, brand_names 13. */
static void reference_drugs_lead_to_themselves(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 64 << 20);
    struct slice text = support_read_file(&arena, REFERENCE "drugs.csv");
    if (text.at == NULL) {
        print_message("SKIPPED: ../shared/reference is not here\n");
        arena_fini(&arena);
        skip();
    }
    unsigned rows = 0, codes = 0, names = 0;
    struct slice fields[FIELDS_MAX];
    (void)slice_take_until(&text, '\n');
    while (text.len > 0) {
        split_line(slice_take_until(&text, '\n'), fields);
        bool is_eye_drug = slice_is(fields[0], "aflibercept");
        rows++;
        names += mapping_drug(mapping, our_name(fields[0])) != NULL;
        if (fields[1].len > 0 && !is_eye_drug) {
            codes++;
            if (!leads_to(CODE_RXNORM, fields[1], fields[0], &arena))
                fail_msg("RxNorm %.*s of '%.*s'", SLICE_ARGS(fields[1]), SLICE_ARGS(fields[0]));
        }
        for (struct slice rest = fields[3]; rest.len > 0;) {
            struct slice code = slice_take_until(&rest, ';');
            codes++;
            if (!leads_to(CODE_ATC, code, fields[0], &arena))
                fail_msg("ATC %.*s of '%.*s'", SLICE_ARGS(code), SLICE_ARGS(fields[0]));
        }
    }
    print_message("reference/drugs.csv: %u rows, %u names and %u codes lead to themselves\n", rows,
                  names, codes);
    assert_int_equal(names, rows);
    assert_true(codes > 1000);
    arena_fini(&arena);
}

static bool is_carrier(struct slice name)
{
    return slice_is(name, "hyaluronidase") || slice_is(name, "berahyaluronidase alfa");
}

/* The tablet of azacitidine is a drug of its own here: it is maintenance, the infusion is not. */
static bool is_same_drug(struct slice ours, struct slice theirs)
{
    return slice_eq(ours, theirs) ||
           (slice_is(ours, "azacitidine oral") && slice_is(theirs, "azacitidine"));
}

/* Every ingredient of the row, and no other; carriers do not count beside another. */
static bool is_row(const struct event *event, struct slice ingredients)
{
    unsigned wanted = 0, found = 0, carriers = 0;
    while (ingredients.len > 0) {
        struct slice name = slice_take_until(&ingredients, ';');
        carriers += is_carrier(name);
        wanted++;
        for (unsigned i = 0; i < event->drug_count; i++)
            found += is_same_drug(event->drugs[i]->name, our_name(name));
    }
    if (carriers == wanted)
        carriers = 0;
    return found == wanted - carriers && event->drug_count == found;
}

/* rxnorm_products.csv: rxcui 0, ingredients 3, local_route 6. */
static void reference_products_lead_to_their_ingredients(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 64 << 20);
    struct slice text = support_read_file(&arena, REFERENCE "rxnorm_products.csv");
    if (text.at == NULL) {
        print_message("SKIPPED: ../shared/reference is not here\n");
        arena_fini(&arena);
        skip();
    }
    unsigned rows = 0, exposures = 0, others = 0;
    struct slice fields[FIELDS_MAX];
    (void)slice_take_until(&text, '\n');
    while (text.len > 0) {
        split_line(slice_take_until(&text, '\n'), fields);
        struct coding coding = { CODE_RXNORM, SLICE(""), fields[0] };
        struct event event = { .medication = { &coding, 1, SLICE("") } };
        mapping_resolve(mapping, &event, &arena);
        rows++;
        if (event.is_unmapped)
            fail_msg("RxNorm %.*s is unknown", SLICE_ARGS(fields[0]));
        if (slice_is(fields[6], "Y"))
            assert_int_equal(event.drug_count, 0);
        if (event.drug_count == 0) { /* local by its brand, or for another purpose */
            others++;
            continue;
        }
        exposures++;
        if (!is_row(&event, fields[3]))
            fail_msg("RxNorm %.*s is not %.*s", SLICE_ARGS(fields[0]), SLICE_ARGS(fields[3]));
    }
    print_message("reference/rxnorm_products.csv: %u rows: %u exposures, %u local or other forms\n",
                  rows, exposures, others);
    assert_true(exposures > 5000);
    assert_true(others < 300);
    arena_fini(&arena);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_folder_loads_in_good_time),
        cmocka_unit_test(every_file_says_what_it_is),
        cmocka_unit_test(every_drug_is_found_by_its_own_name),
        cmocka_unit_test(traits_and_groups_agree),
        cmocka_unit_test(every_cancer_has_rules_and_nothing_else_has),
        cmocka_unit_test(every_profile_is_a_disease),
        cmocka_unit_test(reference_drugs_lead_to_themselves),
        cmocka_unit_test(reference_products_lead_to_their_ingredients),
    };
    return cmocka_run_group_tests_name("mapping data", tests, load, unload);
}
