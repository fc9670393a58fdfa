/* tests/support/store_fault.h -- a store whose n-th call fails: an ops table before the real one.
 *
 * What      counts the calls of a transaction that may fail, from store_fault_arm() on, and lets
 *           the n-th fail with a chosen error before it does anything.  Every transaction opened
 *           after store_fault_install() goes through it.
 * Thread    the counters belong to the thread of the transaction.
 */
#pragma once

#include "store/store_int.h"

struct store_fault {
    struct store_ops ops; /* in front of the store */
    const struct store_ops *real;
    _Atomic unsigned calls;   /* since the last arm */
    _Atomic unsigned fail_at; /* 0: never */
    enum err_code code;
    const char *only;   /* count only calls of this name; NULL: all */
    const char *failed; /* name of the call that failed, NULL when none did */
};

void store_fault_install(struct store_fault *fault, struct store *store);
void store_fault_remove(struct store_fault *fault, struct store *store);
void store_fault_arm(struct store_fault *fault, unsigned fail_at, enum err_code code,
                     const char *only);
