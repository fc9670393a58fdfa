/* The contract of a store: the outbox, the audit log and its ledger, what no mapping knew, and the
 * figures.  Transactions and resources are in store_test.c. */
#include "store_fixture.h"

#include "store/ledger.h"

/* --- outbox words ------------------------------------------------------------------------- */

static struct sha256 digest(const char *text) { return sha256_of_one(slice_of(text)); }

static struct outbox_row wish(struct fixture *fixture, int64_t patient, const char *identity,
                              const char *body)
{
    return (struct outbox_row){ .tenant = fixture->tenant,
                                .patient = patient,
                                .patient_name = SLICE("Patient/p1"),
                                .destination = SLICE("ehr"),
                                .kind = POSTING_FLAG,
                                .wish = WISH_HOLD,
                                .disease = SLICE("dlbcl"),
                                .identity = slice_of(identity),
                                .body = slice_of(body),
                                .wanted = digest(body),
                                .due_ms = 1000,
                                .changed_ms = 1000 };
}

static void want_at(struct fixture *fixture, int64_t patient, const char *identity,
                    const char *body, int64_t now_ms)
{
    struct outbox_row row = wish(fixture, patient, identity, body);
    row.due_ms = row.changed_ms = now_ms;
    MUST(store_outbox_want(fixture->tx, &row, &fixture->err));
}

static void want(struct fixture *fixture, int64_t patient, const char *identity, const char *body)
{
    want_at(fixture, patient, identity, body, 1000);
}

static struct outbox_row row_of(struct fixture *fixture, const char *identity)
{
    struct outbox_row row;
    bool found = false;
    MUST(store_outbox_find(fixture->tx, fixture->tenant, SLICE("ehr"), slice_of(identity),
                           &fixture->arena, &row, &found, &fixture->err));
    assert_true(found);
    return row;
}

static void settle(struct fixture *fixture, struct outbox_row row, enum outbox_state state,
                   int64_t due_ms)
{
    row.state = state;
    row.attempts++;
    row.due_ms = due_ms;
    row.last_status = state == OUTBOX_SETTLED ? 201 : 503;
    row.target_id = SLICE("flag-1");
    row.target_etag = SLICE("W/\"1\"");
    row.last_error = state == OUTBOX_SETTLED ? SLICE("") : SLICE("server: throttled");
    if (state == OUTBOX_SETTLED)
        row.held = row.wanted;
    MUST(store_outbox_settle(fixture->tx, &row, &fixture->err));
}

static struct outbox_row *claim(struct fixture *fixture, int64_t now_ms, unsigned limit,
                                unsigned *count)
{
    struct outbox_row *rows = NULL;
    MUST(store_outbox_claim(fixture->tx, SLICE("ehr"), now_ms, NULL, 0, limit, &fixture->arena,
                            &rows, count, &fixture->err));
    return rows;
}

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

/* --- audit -------------------------------------------------------------------------------- */

static bool append(struct fixture *fixture, int64_t time_ms)
{
    const struct audit_record record = { .kind = AUDIT_ADMIN,
                                         .time_ms = time_ms,
                                         .monotonic_ns = time_ms * 1000,
                                         .tenant = SLICE("north"),
                                         .actor = SLICE("operator"),
                                         .outcome = "success" };
    return ledger_append(fixture->tx, &record, &fixture->err);
}

static int64_t head_seq(struct fixture *fixture)
{
    struct sha256 hash;
    int64_t seq = -1;
    MUST(store_audit_head(fixture->tx, &seq, &hash, &fixture->err));
    return seq;
}

static void assert_chain_is_whole(struct fixture *fixture, uint64_t records)
{
    struct audit_verifier verifier;
    MUST(ledger_verify(fixture->tx, NULL, &verifier, &fixture->err));
    if (verifier.fault != AUDIT_OK)
        fail_msg("record %lld: %s", (long long)verifier.fault_seq, verifier.what);
    assert_int_equal(verifier.records, records);
}

static void rows_of_the_log_read_as_written(struct fixture *fixture)
{
    struct audit_row *rows = NULL;
    unsigned count = 9;
    assert_int_equal(head_seq(fixture), 0);
    for (int64_t seq = 1; seq <= 5; seq++) {
        char text[16];
        snprintf(text, sizeof text, "record %lld", (long long)seq);
        struct audit_row row = { seq, slice_of(text), digest(text) };
        MUST(store_audit_append(fixture->tx, &row, &fixture->err));
    }
    struct sha256 head = digest("record 5"), hash;
    int64_t seq = 0;
    MUST(store_audit_set_head(fixture->tx, 5, &head, &fixture->err));
    reopen(fixture);
    MUST(store_audit_head(fixture->tx, &seq, &hash, &fixture->err));
    assert_int_equal(seq, 5);
    assert_true(sha256_equal(&hash, &head));
    MUST(store_audit_scan(fixture->tx, 2, 2, &fixture->arena, &rows, &count, &fixture->err));
    assert_int_equal(count, 2);
    assert_int_equal(rows[1].seq, 4);
    assert_slice(rows[1].record, "record 4");
    hash = digest("record 4");
    assert_true(sha256_equal(&rows[1].hash, &hash));
}

static void second_record_of_a_number_is_refused(struct fixture *fixture)
{
    struct audit_row row = { 1, SLICE("first"), digest("first") };
    MUST(store_audit_append(fixture->tx, &row, &fixture->err));
    assert_false(store_audit_append(fixture->tx, &row, &fixture->err));
    assert_int_equal(fixture->err.code, ERR_CONFLICT);
}

static void chain_goes_on_after_a_restart(struct fixture *fixture)
{
    for (unsigned i = 0; i < 9; i++) {
        MUST(append(fixture, 1000 + i));
        if (i % 3 == 0)
            reopen(fixture);
    }
    assert_int_equal(head_seq(fixture), 9);
    reopen(fixture);
    assert_chain_is_whole(fixture, 9);
}

static void undone_record_leaves_no_gap(struct fixture *fixture)
{
    MUST(append(fixture, 1000));
    for (unsigned i = 0; i < 6; i++) {
        MUST(store_savepoint(fixture->tx, &fixture->err));
        MUST(append(fixture, 2000 + i));
        MUST(append(fixture, 2000 + i));
        if (i % 2 == 0)
            store_savepoint_undo(fixture->tx);
        else
            MUST(store_savepoint_keep(fixture->tx, &fixture->err));
    }
    MUST(append(fixture, 3000));
    assert_int_equal(head_seq(fixture), 8);
    reopen(fixture);
    assert_chain_is_whole(fixture, 8);
}

static void rolled_back_records_leave_no_gap(struct fixture *fixture)
{
    MUST(append(fixture, 1000));
    commit(fixture);
    begin(fixture);
    MUST(append(fixture, 2000));
    store_rollback(fixture->tx);
    begin(fixture);
    assert_int_equal(head_seq(fixture), 1);
    MUST(append(fixture, 3000));
    reopen(fixture);
    assert_chain_is_whole(fixture, 2);
}

static void long_chain_is_verified_in_pieces(struct fixture *fixture)
{
    for (int64_t i = 0; i < 2500; i++)
        MUST(append(fixture, 1000 + i));
    commit(fixture);
    assert_chain_is_whole(fixture, 2500); /* in transactions of its own */
    begin(fixture);
    assert_chain_is_whole(fixture, 2500); /* in ours */
}

static void cut_tail_is_found(struct fixture *fixture)
{
    struct audit_verifier verifier;
    struct sha256 hash = digest("later");
    MUST(append(fixture, 1000));
    MUST(append(fixture, 1001));
    MUST(store_audit_set_head(fixture->tx, 4, &hash, &fixture->err));
    reopen(fixture);
    MUST(ledger_verify(fixture->tx, NULL, &verifier, &fixture->err));
    assert_int_equal(verifier.fault, AUDIT_TRUNCATED);
    assert_int_equal(verifier.fault_seq, 3);
}

static void foreign_record_is_found(struct fixture *fixture)
{
    struct audit_verifier verifier;
    for (int64_t i = 0; i < 3; i++)
        MUST(append(fixture, 1000 + i));
    struct audit_row row = { 4, SLICE("{\"seq\":4}"), digest("no") };
    MUST(store_audit_append(fixture->tx, &row, &fixture->err));
    reopen(fixture);
    MUST(ledger_verify(fixture->tx, NULL, &verifier, &fixture->err));
    assert_int_not_equal(verifier.fault, AUDIT_OK);
    assert_int_equal(verifier.fault_seq, 4);
}

static void signatures_read_as_written(struct fixture *fixture)
{
    struct audit_row *rows = NULL;
    unsigned count = 0;
    MUST(store_audit_sign(fixture->tx, 10, SLICE("ten"), &fixture->err));
    MUST(store_audit_sign(fixture->tx, 20, SLICE("twenty"), &fixture->err));
    MUST(store_audit_sign(fixture->tx, 20, SLICE("twenty again"), &fixture->err));
    reopen(fixture);
    MUST(store_audit_signatures(fixture->tx, 0, 9, &fixture->arena, &rows, &count, &fixture->err));
    assert_int_equal(count, 2);
    assert_int_equal(rows[0].seq, 10);
    assert_slice(rows[1].record, "twenty again");
    MUST(store_audit_signatures(fixture->tx, 10, 9, &fixture->arena, &rows, &count, &fixture->err));
    assert_int_equal(count, 1);
}

/* --- the rest ----------------------------------------------------------------------------- */

static void sight(struct fixture *fixture, const char *code, const char *text, int64_t now_ms)
{
    const struct unmapped_row row = { .tenant = fixture->tenant,
                                      .type = FHIR_MEDICATION_REQUEST,
                                      .system = SLICE("urn:local"),
                                      .code = slice_of(code),
                                      .text = slice_of(text),
                                      .first_ms = now_ms,
                                      .last_ms = now_ms };
    MUST(store_unmapped_count(fixture->tx, &row, &fixture->err));
}

static void unmapped_is_counted(struct fixture *fixture)
{
    struct unmapped_row *rows = NULL;
    unsigned count = 0;
    sight(fixture, "x1", "a drug", 10);
    sight(fixture, "", "another", 20);
    sight(fixture, "", "another", 30);
    sight(fixture, "", "another", 15);
    reopen(fixture);
    MUST(store_unmapped_list(fixture->tx, 9, &fixture->arena, &rows, &count, &fixture->err));
    assert_int_equal(count, 2);
    assert_slice(rows[0].text, "another");
    assert_slice(rows[0].system, "urn:local");
    assert_int_equal(rows[0].type, FHIR_MEDICATION_REQUEST);
    assert_int_equal(rows[0].count, 3);
    assert_int_equal(rows[0].first_ms, 15);
    assert_int_equal(rows[0].last_ms, 30);
    assert_slice(rows[1].code, "x1");
    assert_int_equal(rows[1].count, 1);
    MUST(store_unmapped_list(fixture->tx, 1, &fixture->arena, &rows, &count, &fixture->err));
    assert_int_equal(count, 1);
}

static void figures_count(struct fixture *fixture)
{
    struct store_figures figures;
    int64_t key = 0;
    bool found = false;
    struct store_resource row = { .tenant = fixture->tenant, .type = FHIR_CONDITION, .version = 1 };
    for (unsigned i = 0; i < 4; i++) {
        row.key = store_key_reserve(fixture->store, 1);
        MUST(store_resource_insert(fixture->tx, &row, &fixture->err));
        reopen(fixture);
    }
    MUST(store_patient_key(fixture->tx, fixture->tenant, SLICE("Patient/p1"), true, &key, &found,
                           &fixture->err));
    want(fixture, 1, "a", "x");
    want(fixture, 2, "b", "x");
    want(fixture, 3, "c", "x");
    want(fixture, 4, "d", "x");
    settle(fixture, row_of(fixture, "b"), OUTBOX_DEAD, 0);
    settle(fixture, row_of(fixture, "c"), OUTBOX_UNKNOWN, 0);
    settle(fixture, row_of(fixture, "d"), OUTBOX_SETTLED, 0);
    MUST(append(fixture, 1000));
    for (unsigned i = 0; i < 2; i++) { /* inside the transaction, and after it */
        MUST(store_figures(fixture->tx, &figures, &fixture->err));
        assert_int_equal(figures.resources, 4);
        assert_int_equal(figures.patients, 1);
        assert_int_equal(figures.outbox_pending, 1);
        assert_int_equal(figures.outbox_dead, 1);
        assert_int_equal(figures.outbox_unknown, 1);
        assert_int_equal(figures.audit_records, 1);
        reopen(fixture);
    }
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
    { "rows of the log read as written", rows_of_the_log_read_as_written },
    { "a second record of a number is refused", second_record_of_a_number_is_refused },
    { "the chain goes on after a restart", chain_goes_on_after_a_restart },
    { "an undone record leaves no gap", undone_record_leaves_no_gap },
    { "rolled back records leave no gap", rolled_back_records_leave_no_gap },
    { "a long chain is verified in pieces", long_chain_is_verified_in_pieces },
    { "a cut tail is found", cut_tail_is_found },
    { "a record that nobody wrote is found", foreign_record_is_found },
    { "signed heads read as written", signatures_read_as_written },
    { "what no mapping knew is counted", unmapped_is_counted },
    { "the figures count what is there", figures_count },
};

int main(void) { return tell_all("store contract: logs", stories, COUNT_OF(stories)); }
