/* The contract of a store: the outbox. */
#include "outbox_words.h"

/* --- outbox stories ----------------------------------------------------------------------- */

static void wish_reads_as_written(struct fixture *fixture)
{
    want(fixture, 7, "i1", "body");
    reopen(fixture);
    struct outbox_row row = row_of(fixture, "i1"), same;
    struct sha256 wanted = digest("body"), none = { { 0 } };
    bool found = false;
    assert_true(row.key > 0);
    assert_int_equal(row.patient, 7);
    assert_slice(row.patient_name, "Patient/p1");
    assert_slice(row.destination, "ehr");
    assert_int_equal(row.kind, POSTING_FLAG);
    assert_int_equal(row.wish, WISH_HOLD);
    assert_slice(row.disease, "dlbcl");
    assert_slice(row.identity, "i1");
    assert_slice(row.body, "body");
    assert_true(sha256_equal(&row.wanted, &wanted));
    assert_true(sha256_equal(&row.held, &none));
    assert_int_equal(row.state, OUTBOX_PENDING);
    assert_int_equal(row.attempts, 0);
    assert_int_equal(row.revision, 1);
    assert_int_equal(row.due_ms, 1000);
    assert_int_equal(row.created_ms, 1000);
    MUST(store_outbox_get(fixture->tx, row.key, &fixture->arena, &same, &found, &fixture->err));
    assert_true(found);
    assert_slice(same.identity, "i1");
    MUST(
        store_outbox_get(fixture->tx, row.key + 99, &fixture->arena, &same, &found, &fixture->err));
    assert_false(found);
}

static void ten_changes_are_one_row(struct fixture *fixture)
{
    for (unsigned i = 0; i < 10; i++) {
        char body[16];
        snprintf(body, sizeof body, "body %u", i);
        want_at(fixture, 7, "i1", body, 1000 + i);
    }
    unsigned count = 0;
    struct outbox_row *rows = claim(fixture, 5000, 10, &count);
    assert_int_equal(count, 1);
    assert_slice(rows[0].body, "body 9");
    assert_int_equal(rows[0].revision, 10);
    assert_int_equal(rows[0].created_ms, 1000);
    assert_int_equal(rows[0].changed_ms, 1009);
}

/* `state` OUTBOX_SETTLED: it is told another way. */
static void want_told(struct fixture *fixture, const char *identity, const char *body)
{
    struct outbox_row row = { .tenant = fixture->tenant,
                              .patient = 7,
                              .patient_name = SLICE("Patient/p1"),
                              .destination = SLICE("ehr"),
                              .kind = POSTING_DOCUMENT,
                              .wish = WISH_HOLD,
                              .disease = SLICE("dlbcl"),
                              .identity = slice_of(identity),
                              .body = slice_of(body),
                              .wanted = digest(body),
                              .state = OUTBOX_SETTLED,
                              .last_error = SLICE("told-by flag"),
                              .due_ms = 1000,
                              .changed_ms = 1000 };
    MUST(store_outbox_want(fixture->tx, &row, &fixture->err));
}

static void told_another_way_is_not_due(struct fixture *fixture)
{
    unsigned count = 0;
    want_told(fixture, "i1", "body");
    claim(fixture, 5000, 10, &count);
    assert_int_equal(count, 0);
    want_told(fixture, "i1", "another");
    struct outbox_row row = row_of(fixture, "i1");
    assert_int_equal(row.state, OUTBOX_SETTLED);
    assert_int_equal(row.revision, 2);
    assert_slice(row.body, "another");
    assert_slice(row.last_error, "told-by flag");
    claim(fixture, 5000, 10, &count);
    assert_int_equal(count, 0);
}

static void told_another_way_and_held_is_due(struct fixture *fixture)
{
    unsigned count = 0;
    want(fixture, 7, "i1", "body");
    settle(fixture, row_of(fixture, "i1"), OUTBOX_SETTLED, 0);
    want_told(fixture, "i1", "another");
    assert_int_equal(row_of(fixture, "i1").state, OUTBOX_PENDING);
    want(fixture, 8, "i2", "body");
    settle(fixture, row_of(fixture, "i2"), OUTBOX_UNKNOWN, 0);
    want_told(fixture, "i2", "another");
    assert_int_equal(row_of(fixture, "i2").state, OUTBOX_UNKNOWN);
    claim(fixture, 5000, 10, &count);
    assert_true(count > 0);
}

static void same_wish_changes_nothing(struct fixture *fixture)
{
    want(fixture, 7, "i1", "body");
    settle(fixture, row_of(fixture, "i1"), OUTBOX_SETTLED, 0);
    want_at(fixture, 7, "i1", "body", 9000);
    struct outbox_row row = row_of(fixture, "i1");
    assert_int_equal(row.state, OUTBOX_SETTLED);
    assert_int_equal(row.revision, 1);
    assert_int_equal(row.changed_ms, 1000);
}

static void settled_row_is_not_claimed(struct fixture *fixture)
{
    unsigned count = 9;
    want(fixture, 7, "i1", "body");
    settle(fixture, row_of(fixture, "i1"), OUTBOX_SETTLED, 0);
    reopen(fixture);
    struct outbox_row row = row_of(fixture, "i1");
    assert_int_equal(row.state, OUTBOX_SETTLED);
    assert_true(sha256_equal(&row.held, &row.wanted));
    assert_slice(row.target_id, "flag-1");
    assert_slice(row.target_etag, "W/\"1\"");
    assert_int_equal(row.last_status, 201);
    claim(fixture, INT64_MAX, 10, &count);
    assert_int_equal(count, 0);
}

static void changed_wish_keeps_the_target(struct fixture *fixture)
{
    want(fixture, 7, "i1", "body");
    settle(fixture, row_of(fixture, "i1"), OUTBOX_SETTLED, 0);
    want_at(fixture, 7, "i1", "another", 2000);
    struct outbox_row row = row_of(fixture, "i1");
    struct sha256 held = digest("body");
    assert_int_equal(row.state, OUTBOX_PENDING);
    assert_int_equal(row.attempts, 0);
    assert_int_equal(row.due_ms, 2000);
    assert_slice(row.target_id, "flag-1");
    assert_true(sha256_equal(&row.held, &held));
}

static void settle_that_raced_stays_pending(struct fixture *fixture)
{
    want(fixture, 7, "i1", "one");
    struct outbox_row sent = row_of(fixture, "i1");
    want_at(fixture, 7, "i1", "two", 2000);
    settle(fixture, sent, OUTBOX_SETTLED, 99000);
    struct outbox_row row = row_of(fixture, "i1");
    struct sha256 held = digest("one"), wanted = digest("two");
    assert_int_equal(row.state, OUTBOX_PENDING);
    assert_int_equal(row.due_ms, 2000);
    assert_int_equal(row.attempts, 0);
    assert_slice(row.target_id, "flag-1");
    assert_slice(row.body, "two");
    assert_true(sha256_equal(&row.held, &held));
    assert_true(sha256_equal(&row.wanted, &wanted));
    settle(fixture, sent, OUTBOX_DEAD, 99000);
    assert_int_equal(row_of(fixture, "i1").state, OUTBOX_PENDING);
}

static void lost_answer_outlives_a_new_wish(struct fixture *fixture)
{
    want(fixture, 7, "i1", "one");
    struct outbox_row sent = row_of(fixture, "i1");
    want_at(fixture, 7, "i1", "two", 2000);
    settle(fixture, sent, OUTBOX_UNKNOWN, 99000);
    assert_int_equal(row_of(fixture, "i1").state, OUTBOX_UNKNOWN);
    assert_int_equal(row_of(fixture, "i1").due_ms, 2000);
    want_at(fixture, 7, "i1", "three", 3000);
    struct outbox_row row = row_of(fixture, "i1");
    assert_int_equal(row.state, OUTBOX_UNKNOWN);
    settle(fixture, row, OUTBOX_PENDING, 3000); /* reconciled */
    assert_int_equal(row_of(fixture, "i1").state, OUTBOX_PENDING);
}

static void claim_gives_one_row_per_patient(struct fixture *fixture)
{
    static const char *const expected[] = { "a1", "b1", "c1" };
    unsigned count = 0;
    want(fixture, 1, "a1", "x");
    want(fixture, 1, "a2", "x");
    want(fixture, 2, "b1", "x");
    want(fixture, 3, "c1", "x");
    want(fixture, 2, "b2", "x");
    struct outbox_row *rows = claim(fixture, 1000, 10, &count);
    assert_int_equal(count, COUNT_OF(expected));
    for (unsigned i = 0; i < count; i++)
        assert_slice(rows[i].identity, expected[i]);
    rows = claim(fixture, 1000, 2, &count);
    assert_int_equal(count, 2);
    assert_slice(rows[1].identity, "b1");
}

static void busy_patients_wait(struct fixture *fixture)
{
    const int64_t busy[] = { 1, 3 };
    struct outbox_row *rows = NULL;
    unsigned count = 0;
    want(fixture, 1, "a1", "x");
    want(fixture, 2, "b1", "x");
    want(fixture, 3, "c1", "x");
    MUST(store_outbox_claim(fixture->tx, SLICE("ehr"), 1000, busy, 2, 10, &fixture->arena, &rows,
                            &count, &fixture->err));
    assert_int_equal(count, 1);
    assert_slice(rows[0].identity, "b1");
}

static void nothing_is_claimed_before_its_time(struct fixture *fixture)
{
    unsigned count = 9;
    int64_t due_ms = 0;
    MUST(store_outbox_next_due(fixture->tx, SLICE("ehr"), &due_ms, &fixture->err));
    assert_true(due_ms == INT64_MAX);
    want_at(fixture, 1, "a1", "x", 5000);
    want_at(fixture, 2, "b1", "x", 4000);
    settle(fixture, row_of(fixture, "a1"), OUTBOX_UNKNOWN, 3000);
    reopen(fixture);
    claim(fixture, 2999, 10, &count);
    assert_int_equal(count, 0);
    MUST(store_outbox_next_due(fixture->tx, SLICE("ehr"), &due_ms, &fixture->err));
    assert_int_equal(due_ms, 3000);
    struct outbox_row *rows = claim(fixture, 3000, 10, &count);
    assert_int_equal(count, 1);
    assert_int_equal(rows[0].state, OUTBOX_UNKNOWN);
    MUST(store_outbox_next_due(fixture->tx, SLICE("elsewhere"), &due_ms, &fixture->err));
    assert_true(due_ms == INT64_MAX);
}

static void destinations_are_apart(struct fixture *fixture)
{
    struct outbox_row row = wish(fixture, 1, "i1", "x");
    unsigned count = 0;
    want(fixture, 1, "i1", "x");
    row.destination = SLICE("registry");
    MUST(store_outbox_want(fixture->tx, &row, &fixture->err));
    assert_int_equal(row_of(fixture, "i1").revision, 1);
    claim(fixture, 1000, 10, &count);
    assert_int_equal(count, 1);
}

static void long_backlog_is_worked_off(struct fixture *fixture)
{
    bool is_seen[301] = { false };
    unsigned total = 0, count = 0;
    for (int i = 1; i <= 300; i++) {
        char identity[16];
        snprintf(identity, sizeof identity, "i%d", i);
        want_at(fixture, i, identity, "x", 1000 + (i * 37) % 300);
    }
    do {
        struct outbox_row *rows = claim(fixture, 2000, 7, &count);
        for (unsigned i = 0; i < count; i++) {
            assert_false(is_seen[rows[i].patient]);
            is_seen[rows[i].patient] = true;
            settle(fixture, rows[i], OUTBOX_SETTLED, 0);
        }
        total += count;
    } while (count > 0);
    assert_int_equal(total, 300);
}

static void outbox_is_listed_by_state(struct fixture *fixture)
{
    struct outbox_row *rows = NULL;
    unsigned count = 0;
    want(fixture, 1, "a", "x");
    want(fixture, 2, "b", "x");
    want(fixture, 3, "c", "x");
    settle(fixture, row_of(fixture, "b"), OUTBOX_DEAD, 0);
    MUST(store_outbox_list(fixture->tx, 0, 0, 2, &fixture->arena, &rows, &count, &fixture->err));
    assert_int_equal(count, 2);
    assert_slice(rows[1].identity, "b");
    MUST(store_outbox_list(fixture->tx, 0, rows[1].key, 9, &fixture->arena, &rows, &count,
                           &fixture->err));
    assert_int_equal(count, 1);
    assert_slice(rows[0].identity, "c");
    MUST(store_outbox_list(fixture->tx, OUTBOX_DEAD, 0, 9, &fixture->arena, &rows, &count,
                           &fixture->err));
    assert_int_equal(count, 1);
    assert_slice(rows[0].identity, "b");
    assert_slice(rows[0].last_error, "server: throttled");
}

static void settling_nothing_is_refused(struct fixture *fixture)
{
    struct outbox_row row = wish(fixture, 1, "i1", "x");
    row.key = 4711;
    assert_false(store_outbox_settle(fixture->tx, &row, &fixture->err));
    assert_int_equal(fixture->err.code, ERR_NOT_FOUND);
}

static void undone_wish_is_gone(struct fixture *fixture)
{
    unsigned count = 9;
    want(fixture, 1, "a", "one");
    MUST(store_savepoint(fixture->tx, &fixture->err));
    want(fixture, 1, "a", "two");
    want(fixture, 2, "b", "two");
    store_savepoint_undo(fixture->tx);
    struct outbox_row *rows = claim(fixture, 1000, 9, &count);
    assert_int_equal(count, 1);
    assert_slice(rows[0].body, "one");
}
/* --- the table ---------------------------------------------------------------------------- */

static const struct story stories[] = {
    { "a wish reads as it was written", wish_reads_as_written },
    { "ten changes while pending are one row", ten_changes_are_one_row },
    { "told another way: not due", told_another_way_is_not_due },
    { "... unless the destination holds something by it", told_another_way_and_held_is_due },
    { "the same wish again changes nothing", same_wish_changes_nothing },
    { "a settled row is not claimed", settled_row_is_not_claimed },
    { "a changed wish keeps the target and what it holds", changed_wish_keeps_the_target },
    { "a settle that raced with a change stays pending", settle_that_raced_stays_pending },
    { "a lost answer outlives a new wish", lost_answer_outlives_a_new_wish },
    { "a claim gives one row per patient, the oldest", claim_gives_one_row_per_patient },
    { "a patient with a delivery under way waits", busy_patients_wait },
    { "nothing is claimed before its time", nothing_is_claimed_before_its_time },
    { "two destinations are two rows", destinations_are_apart },
    { "a long backlog is worked off without a repeat", long_backlog_is_worked_off },
    { "the outbox is listed by state", outbox_is_listed_by_state },
    { "settling a row that is not there is refused", settling_nothing_is_refused },
    { "an undone wish is gone", undone_wish_is_gone },
};

int main(void) { return tell_all("store contract: outbox", stories, COUNT_OF(stories)); }
