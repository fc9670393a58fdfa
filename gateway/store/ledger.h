/* store/ledger.h -- the audit chain of a lane: append inside the running transaction.
 *
 * What      keeps the head (seq, hash) of the chain in memory beside the transaction.  A record of
 *           a job whose savepoint is undone disappears with it, and the chain goes on without a
 *           gap; the head is written to the store once per commit.
 * Errors    ERR_STORAGE; the job fails with it: what cannot be audited does not happen (J, H10).
 * Thread    the lane's.
 */
#pragma once

#include "audit/audit.h"
#include "store/store.h"

bool ledger_append(struct store_tx *tx, const struct audit_record *record,
                   struct err *err) MUST_USE;
/* Signs the current head and stores the statement. */
bool ledger_sign(struct store_tx *tx, const struct audit_key *key, int64_t now_ms,
                 struct err *err) MUST_USE;
/* Verifies the whole stored chain, heads and signatures (key may be NULL: signatures are then only
 * counted).  False when the store cannot be read; what was found is in *out. */
bool ledger_verify(struct store_tx *tx, const struct audit_key *key, struct audit_verifier *out,
                   struct err *err) MUST_USE;
