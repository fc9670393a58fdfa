/* contract/outbox_words.h -- wishes and rows of the outbox, for the stories of a store. */
#pragma once

#include "store_fixture.h"

static inline struct sha256 digest(const char *text) { return sha256_of_one(slice_of(text)); }

static inline struct outbox_row wish(struct fixture *fixture, int64_t patient, const char *identity,
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

static inline void want_at(struct fixture *fixture, int64_t patient, const char *identity,
                           const char *body, int64_t now_ms)
{
    struct outbox_row row = wish(fixture, patient, identity, body);
    row.due_ms = row.changed_ms = now_ms;
    MUST(store_outbox_want(fixture->tx, &row, &fixture->err));
}

static inline void want(struct fixture *fixture, int64_t patient, const char *identity,
                        const char *body)
{
    want_at(fixture, patient, identity, body, 1000);
}

static inline struct outbox_row row_of(struct fixture *fixture, const char *identity)
{
    struct outbox_row row;
    bool found = false;
    MUST(store_outbox_find(fixture->tx, fixture->tenant, SLICE("ehr"), slice_of(identity),
                           &fixture->arena, &row, &found, &fixture->err));
    assert_true(found);
    return row;
}

static inline void settle(struct fixture *fixture, struct outbox_row row, enum outbox_state state,
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

static inline struct outbox_row *claim(struct fixture *fixture, int64_t now_ms, unsigned limit,
                                       unsigned *count)
{
    struct outbox_row *rows = NULL;
    MUST(store_outbox_claim(fixture->tx, SLICE("ehr"), now_ms, NULL, 0, limit, &fixture->arena,
                            &rows, count, &fixture->err));
    return rows;
}
