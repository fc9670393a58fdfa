/* A chain of records as a store holds it, and what can be done to it: for the tests of audit/. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "audit/export.h"

#define CHAIN_MAX 64
#define CHAIN_LINE_MAX 1024
#define CHAIN_START_MS INT64_C(1795422600123) /* 2026-11-23T08:30:00.123Z */

struct chain_row {
    int64_t seq; /* the column of the store */
    char line[CHAIN_LINE_MAX];
    size_t len;
    struct sha256 hash;
};

struct chain {
    struct chain_row rows[CHAIN_MAX];
    unsigned count;
    struct audit_head head;
};

static inline struct slice chain_line(const struct chain_row *row)
{
    return (struct slice){ row->line, row->len };
}

/* The n-th record, unlike its neighbours; `salt` makes another one of the same place. */
static inline void chain_append(struct chain *chain, unsigned salt)
{
    unsigned n = chain->count;
    char id[32], request[32];
    snprintf(request, sizeof request, "req-%u", salt);
    snprintf(id, sizeof id, "l%07u%c", n, (char)('a' + (int)salt));
    const struct audit_entry entries[] = {
        { "create", FHIR_MEDICATION_REQUEST, slice_of(id), 1, 201 },
        { "update", FHIR_CONDITION, SLICE("c1"), n + 2, 200 },
    };
    struct audit_record record = {
        .kind = (enum audit_kind)(n % 8),
        .time_ms = CHAIN_START_MS + 1000 * (int64_t)n,
        .monotonic_ns = 5000000000 + (int64_t)n,
        .tenant = SLICE("north"),
        .actor = SLICE("ehr.example"),
        .address = SLICE("192.0.2.7"),
        .request_id = slice_of(request),
        .method = SLICE("POST"),
        .path = SLICE("/fhir"),
        .status = 200,
        .outcome = "success",
        .entries = entries,
        .entry_count = n % 3,
        .patient = SLICE("Patient/p1"),
        .request_digest = sha256_of_one(SLICE("body")),
        .detail = n % 5 == 0 ? SLICE("{\"lines\":2}") : SLICE(""),
    };
    struct buffer out;
    buffer_init(&out, CHAIN_LINE_MAX);
    audit_write(&record, &chain->head, &out);
    assert_false(buffer_overflowed(&out));
    struct chain_row *row = &chain->rows[chain->count++];
    row->seq = chain->head.seq;
    row->len = out.len;
    memcpy(row->line, out.at, out.len);
    row->hash = chain->head.hash;
    buffer_fini(&out);
}

static inline void chain_build(struct chain *chain, unsigned count)
{
    *chain = (struct chain){ 0 };
    while (chain->count < count)
        chain_append(chain, 0);
}

/* Numbers the places 1, 2, 3 ... as somebody would who wants to hide a gap. */
static inline void chain_renumber(struct chain *chain)
{
    for (unsigned i = 0; i < chain->count; i++)
        chain->rows[i].seq = i + 1;
}

static inline void chain_remove(struct chain *chain, unsigned at)
{
    memmove(&chain->rows[at], &chain->rows[at + 1],
            (chain->count - at - 1) * sizeof chain->rows[0]);
    chain->count--;
}

static inline void chain_insert(struct chain *chain, unsigned at, const struct chain_row *row)
{
    struct chain_row copy = *row;
    memmove(&chain->rows[at + 1], &chain->rows[at], (chain->count - at) * sizeof chain->rows[0]);
    chain->rows[at] = copy;
    chain->count++;
}

/* Another record in the place of the n-th, correctly hashed behind its predecessor; and all that
 * follow hashed anew when `to_the_end`. */
static inline void chain_forge(struct chain *chain, unsigned at, bool to_the_end)
{
    unsigned count = chain->count;
    struct chain forged = *chain;
    forged.count = at;
    forged.head =
        (struct audit_head){ at, at > 0 ? chain->rows[at - 1].hash : (struct sha256){ { 0 } } };
    while (forged.count < (to_the_end ? count : at + 1))
        chain_append(&forged, forged.count == at ? 7 : 0);
    memcpy(&chain->rows[at], &forged.rows[at], (forged.count - at) * sizeof chain->rows[0]);
    if (to_the_end)
        chain->head = forged.head;
}

static inline struct audit_verifier chain_verify(const struct chain *chain)
{
    struct audit_verifier verifier;
    audit_verify_start(&verifier);
    for (unsigned i = 0; i < chain->count; i++)
        if (!audit_verify_row(&verifier, chain->rows[i].seq, chain_line(&chain->rows[i]),
                              &chain->rows[i].hash))
            break;
    bool is_good = audit_verify_end(&verifier, &chain->head);
    assert_int_equal(is_good, audit_is_whole(&verifier));
    return verifier;
}

static inline void assert_fault(const struct audit_verifier *verifier, enum audit_fault fault,
                                int64_t seq, unsigned at)
{
    if (verifier->fault == fault && verifier->fault_seq == seq)
        return;
    fail_msg("at %u: %s %lld (%s), expected %s %lld", at, audit_fault_name(verifier->fault),
             (long long)verifier->fault_seq, verifier->what, audit_fault_name(fault),
             (long long)seq);
}
