/* The contract of a store: patients, identifiers and links. */
#include <time.h>

#include "store_fixture.h"

/* --- identifiers and links ---------------------------------------------------------------- */

static void identifiers_find_all_who_have_them(struct fixture *fixture)
{
    static const struct {
        const char *identifier;
        int64_t key;
    } rows[] = { { "mrn|1", 12 }, { "mrn|1", 11 }, { "mrn|1", 11 }, { "mrn|2", 13 } };
    int64_t keys[4];
    unsigned count = 0;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        MUST(store_identifier_put(fixture->tx, fixture->tenant, FHIR_PATIENT,
                                  slice_of(rows[i].identifier), rows[i].key, &fixture->err));
    reopen(fixture);
    MUST(store_identifier_find(fixture->tx, fixture->tenant, FHIR_PATIENT, SLICE("mrn|1"), keys, 4,
                               &count, &fixture->err));
    assert_keys(keys, count, KEYS(11, 12));
    MUST(store_identifier_find(fixture->tx, fixture->tenant, FHIR_PATIENT, SLICE("mrn|1"), keys, 1,
                               &count, &fixture->err));
    assert_keys(keys, count, KEYS(11));
    MUST(store_identifier_find(fixture->tx, fixture->tenant + 1, FHIR_PATIENT, SLICE("mrn|1"), keys,
                               4, &count, &fixture->err));
    assert_int_equal(count, 0);
}

static void cleared_identifiers_are_gone(struct fixture *fixture)
{
    int64_t keys[4];
    unsigned count = 0;
    for (int64_t key = 1; key <= 3; key++) {
        MUST(store_identifier_put(fixture->tx, fixture->tenant, FHIR_PATIENT, SLICE("a"), key,
                                  &fixture->err));
        MUST(store_identifier_put(fixture->tx, fixture->tenant, FHIR_PATIENT, SLICE("b"), key,
                                  &fixture->err));
    }
    MUST(store_identifier_clear(fixture->tx, fixture->tenant, FHIR_PATIENT, 2, &fixture->err));
    MUST(store_identifier_find(fixture->tx, fixture->tenant, FHIR_PATIENT, SLICE("a"), keys, 4,
                               &count, &fixture->err));
    assert_keys(keys, count, KEYS(1, 3));
    MUST(store_identifier_find(fixture->tx, fixture->tenant, FHIR_PATIENT, SLICE("b"), keys, 4,
                               &count, &fixture->err));
    assert_keys(keys, count, KEYS(1, 3));
}

static uint64_t order_hash(const struct fixture *fixture, const char *identifier)
{
    return store_mention_hash(fixture->tenant, FHIR_MEDICATION_REQUEST, slice_of(identifier));
}

static void mentioned(struct fixture *fixture, const char *identifier, int64_t *keys,
                      unsigned *count)
{
    MUST(store_mention_find(fixture->tx, order_hash(fixture, identifier), keys, 4, count,
                            &fixture->err));
}

/* Enough of them for the memory of it to grow several times. */
static void mentions_lead_to_candidates(struct fixture *fixture)
{
    char name[32];
    int64_t keys[4];
    unsigned count = 9;
    mentioned(fixture, "o|1", keys, &count);
    assert_int_equal(count, 0);
    for (int64_t key = 1; key <= 5000; key++) {
        snprintf(name, sizeof name, "o|%d", (int)(key % 2500));
        uint64_t hashes[] = { order_hash(fixture, name), order_hash(fixture, "all") };
        MUST(store_mention_put(fixture->tx, key, hashes, key <= 3 ? 2 : 1, &fixture->err));
    }
    uint64_t again = order_hash(fixture, "o|7");
    MUST(store_mention_put(fixture->tx, 7, &again, 1, &fixture->err));
    MUST(store_mention_put(fixture->tx, 8, NULL, 0, &fixture->err));
    for (unsigned turn = 0; turn < 2; turn++) {
        mentioned(fixture, "o|7", keys, &count);
        assert_int_equal(count, 2); /* 7 and 2507, each once */
        assert_int_equal(keys[0] + keys[1], 7 + 2507);
        mentioned(fixture, "all", keys, &count);
        assert_int_equal(count, 3);
        mentioned(fixture, "o|2501", keys, &count);
        assert_int_equal(count, 0);
        reopen(fixture);
    }
    assert_true(order_hash(fixture, "o|7") !=
                store_mention_hash(fixture->tenant + 1, FHIR_MEDICATION_REQUEST, SLICE("o|7")));
    assert_true(order_hash(fixture, "o|7") !=
                store_mention_hash(fixture->tenant, FHIR_CONDITION, SLICE("o|7")));
}

static int64_t cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* A default that a system writes everywhere, say; each further one costs what the first did. */
static void an_identifier_may_be_everybodys(struct fixture *fixture)
{
    uint64_t hash = order_hash(fixture, "n/a");
    int64_t spent[5], keys[4];
    unsigned count;
    for (int64_t turn = 0, key = 1; turn < 5; turn++) {
        int64_t begun = cpu_ns();
        for (int64_t end = key + 20000; key < end; key++)
            MUST(store_mention_put(fixture->tx, key, &hash, 1, &fixture->err));
        spent[turn] = cpu_ns() - begun;
    }
    if (spent[4] > 4 * spent[0])
        fail_msg("the last 20000 took %lld us, the first %lld", (long long)spent[4] / 1000,
                 (long long)spent[0] / 1000);
    mentioned(fixture, "n/a", keys, &count);
    assert_int_equal(count, 4);
}

static void links_lead_to_patients(struct fixture *fixture)
{
    int64_t keys[8];
    unsigned count = 0;
    for (int64_t key = 5; key > 0; key--)
        MUST(store_link_put(fixture->tx, fixture->tenant, SLICE("Medication/m1"), key,
                            &fixture->err));
    MUST(store_link_put(fixture->tx, fixture->tenant, SLICE("Medication/m1"), 3, &fixture->err));
    MUST(store_link_put(fixture->tx, fixture->tenant, SLICE("Medication/m2"), 9, &fixture->err));
    reopen(fixture);
    MUST(store_link_scan(fixture->tx, fixture->tenant, SLICE("Medication/m1"), 0, 3, keys, &count,
                         &fixture->err));
    assert_keys(keys, count, KEYS(1, 2, 3));
    MUST(store_link_scan(fixture->tx, fixture->tenant, SLICE("Medication/m1"), 3, 8, keys, &count,
                         &fixture->err));
    assert_keys(keys, count, KEYS(4, 5));
}

/* --- patients ----------------------------------------------------------------------------- */

static void patient_is_made_once(struct fixture *fixture)
{
    int64_t key = patient(fixture, "Patient/p1"), other = patient(fixture, "Patient/p2");
    assert_int_not_equal(key, other);
    reopen(fixture);
    assert_int_equal(patient(fixture, "Patient/p1"), key);
    struct slice name;
    int32_t tenant = 0;
    bool found = false;
    MUST(store_patient_name(fixture->tx, other, &fixture->arena, &tenant, &name, &found,
                            &fixture->err));
    assert_true(found);
    assert_int_equal(tenant, fixture->tenant);
    assert_slice(name, "Patient/p2");
    MUST(store_patient_name(fixture->tx, 999, &fixture->arena, &tenant, &name, &found,
                            &fixture->err));
    assert_false(found);
}

static void same_name_of_two_tenants_is_two_patients(struct fixture *fixture)
{
    int64_t key = patient(fixture, "Patient/p1"), other = 0;
    bool found = true;
    MUST(store_patient_key(fixture->tx, fixture->tenant + 1, SLICE("Patient/p1"), false, &other,
                           &found, &fixture->err));
    assert_false(found);
    MUST(store_patient_key(fixture->tx, fixture->tenant + 1, SLICE("Patient/p1"), true, &other,
                           &found, &fixture->err));
    assert_int_not_equal(key, other);
}

static void new_patient_has_an_empty_state(struct fixture *fixture)
{
    assert_state(fixture, patient(fixture, "Patient/p1"), "");
    assert_state(fixture, 4711, ""); /* nor has one that does not exist */
}

static void state_grows_and_shrinks(struct fixture *fixture)
{
    char text[20001];
    int64_t keys[20];
    for (unsigned i = 0; i < COUNT_OF(keys); i++) {
        char name[32];
        snprintf(name, sizeof name, "Patient/%u", i);
        keys[i] = patient(fixture, name);
    }
    for (unsigned round = 0; round < 5; round++)
        for (unsigned i = 0; i < COUNT_OF(keys); i++) {
            size_t len = (i * 997 + round * 5003) % (sizeof text - 1);
            memset(text, (int)('a' + i), len);
            text[len] = '\0';
            save(fixture, keys[i], text, DATE_NONE);
            assert_state(fixture, keys[i], text);
        }
    reopen(fixture);
    for (unsigned i = 0; i < COUNT_OF(keys); i++) {
        size_t len = (i * 997 + 4 * 5003) % (sizeof text - 1);
        memset(text, (int)('a' + i), len);
        text[len] = '\0';
        assert_state(fixture, keys[i], text);
    }
}

static void saving_nobody_is_refused(struct fixture *fixture)
{
    assert_false(store_patient_save(fixture->tx, 4711, SLICE("x"), 1, &fixture->err));
    assert_int_equal(fixture->err.code, ERR_NOT_FOUND);
}

static void due_patients_are_found(struct fixture *fixture)
{
    int64_t a = patient(fixture, "a"), b = patient(fixture, "b"), c = patient(fixture, "c");
    int64_t keys[8];
    unsigned count = 0;
    save(fixture, a, "", 100);
    save(fixture, b, "", DATE_NONE);
    save(fixture, c, "", 50);
    MUST(store_patients_due(fixture->tx, 49, 8, keys, &count, &fixture->err));
    assert_int_equal(count, 0);
    MUST(store_patients_due(fixture->tx, 50, 8, keys, &count, &fixture->err));
    assert_keys(keys, count, KEYS(c));
    reopen(fixture);
    MUST(store_patients_due(fixture->tx, 100, 8, keys, &count, &fixture->err));
    assert_keys(keys, count, KEYS(a, c));
    MUST(store_patients_due(fixture->tx, 100, 1, keys, &count, &fixture->err));
    assert_int_equal(count, 1);
}

static void due_day_follows_every_save(struct fixture *fixture)
{
    static const struct {
        int32_t next_day, asked;
        bool is_due;
    } rows[] = {
        { 100, 100, true }, { 200, 100, false }, { 200, 199, false },        { 200, 200, true },
        { 90, 90, true },   { 300, 90, false },  { DATE_NONE, 5000, false }, { 10, 9, false },
        { 10, 10, true },   { -5, -5, true },    { DATE_NONE, 9000, false }, { 400, 399, false },
        { 400, 400, true },
    };
    int64_t key = patient(fixture, "a"), keys[2];
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        unsigned count = 9;
        save(fixture, key, "state", rows[i].next_day);
        MUST(store_patients_due(fixture->tx, rows[i].asked, 2, keys, &count, &fixture->err));
        assert_int_equal(count, rows[i].is_due);
        if (i % 3 == 0)
            reopen(fixture);
        if (i % 2 == 0)
            assert_state(fixture, key, "state");
    }
}

static void patients_of_a_tenant_are_listed(struct fixture *fixture)
{
    int64_t a = patient(fixture, "a"), b = patient(fixture, "b"), other = 0, keys[4];
    unsigned count = 0;
    bool found = false;
    MUST(store_patient_key(fixture->tx, fixture->tenant + 1, SLICE("c"), true, &other, &found,
                           &fixture->err));
    int64_t d = patient(fixture, "d");
    MUST(store_patients(fixture->tx, fixture->tenant, 0, 2, keys, &count, &fixture->err));
    assert_keys(keys, count, KEYS(a, b));
    MUST(store_patients(fixture->tx, fixture->tenant, b, 4, keys, &count, &fixture->err));
    assert_keys(keys, count, KEYS(d));
}

/* --- the table ---------------------------------------------------------------------------- */

static const struct story stories[] = {
    { "an identifier finds all who have it", identifiers_find_all_who_have_them },
    { "cleared identifiers are gone, others stay", cleared_identifiers_are_gone },
    { "mentions lead to candidates, also after a restart", mentions_lead_to_candidates },
    { "an identifier that all carry costs no more", an_identifier_may_be_everybodys },
    { "a link leads to each patient once", links_lead_to_patients },
    { "a patient is made once", patient_is_made_once },
    { "the same name at two tenants is two patients", same_name_of_two_tenants_is_two_patients },
    { "a new patient has an empty state", new_patient_has_an_empty_state },
    { "a state grows and shrinks", state_grows_and_shrinks },
    { "a state of nobody is refused", saving_nobody_is_refused },
    { "patients are due on their day", due_patients_are_found },
    { "the due day follows every save, forwards and back", due_day_follows_every_save },
    { "the patients of a tenant are listed", patients_of_a_tenant_are_listed },
};

int main(void) { return tell_all("store contract: patients", stories, COUNT_OF(stories)); }
