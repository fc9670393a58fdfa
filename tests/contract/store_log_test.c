/* The contract of a store: the audit log and its ledger, what no mapping knew, and the figures.
 * Transactions and resources are in store_test.c, the outbox in store_outbox_test.c. */
#include "outbox_words.h"

#include "store/ledger.h"

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
