/* ingest/bundle_int.h -- what the two halves of a Bundle share: entries are read and prepared on a
 * loop (bundle.c); what only the store can tell is settled on the lane (bundle_resolve.c).
 */
#pragma once

#include "ingest/ingest_int.h"

/* fullUrl -> "Type/id" of every entry that writes. */
struct full_urls {
    struct full_url {
        struct slice url, reference; /* reference empty while a condition is not resolved */
        unsigned entry;
    } * slots;
    unsigned slot_count;
    unsigned self;            /* the entry being rewritten */
    bool is_batch, saw_other; /* a batch entry that refers to another entry */
    bool saw_unknown_urn, saw_condition;
    struct bundle_resolver *resolver; /* on the lane: conditional references are resolved */
};

/* NULL past the arena's limit. */
struct full_urls *full_urls_new(unsigned count, struct arena *arena, struct err *err) MUST_USE;
/* The slot of a url, or the free one where it belongs (url empty). */
struct full_url *full_url_find(const struct full_urls *urls, struct slice url);

/* The entries become work->ops.  `places` are their places in the Bundle that was sent, when it had
 * others as well; NULL when it had not.  What is no batch is a transaction. */
bool bundle_take(struct ingest_call *call, const struct fhir_bundle *bundle, const unsigned *places,
                 struct err *err) MUST_USE;
bool entry_fails(struct ingest_op *op, enum err_code code, const char *where, const char *what);
/* "Type/id" of what the entry writes; not for conditional entries. */
struct slice entry_reference(struct ingest_call *call, const struct ingest_op *op);
/* References become what they stand for, then the entry is ready for the store. */
void entry_rewrite(struct ingest_call *call, struct full_urls *urls, struct ingest_op *op);
/* True when an entry's condition or reference can be settled on the lane only. */
bool bundle_must_wait(const struct ingest_work *work);
/* One identity written twice cannot both hold (A4.4). */
bool check_identities(struct ingest_call *call, struct err *err) MUST_USE;
