/* outbox/operate.h -- what an operator may do to the outbox, in one transaction with its record.
 *
 * What      replay: a row is tried again now, whatever became of it (one that is settled is looked
 *           at again and written where it is missing).  edit: the same with another body.  drop: it
 *           is given up until something new is wanted.  pause, resume: a destination.  One row by
 *           its key, or all that a filter fits, at most OPERATE_ROWS_MAX at once.
 *           Who did it and why is in the audit log: an operation without a name is refused.
 * Errors    ERR_INVALID for a request that cannot be; ERR_NOT_FOUND when there is no such row.
 * Thread    the lane's, inside a job.
 * Rules     standards/writeback 6; checklists J (11.50, 11.70): reason and person bound to the
 *           record.
 */
#pragma once

#include "store/store.h"

#define OPERATE_ROWS_MAX 10000
#define OPERATE_NAME_MAX 128
#define OPERATE_REASON_MAX 400

enum operation { OPERATE_REPLAY, OPERATE_EDIT, OPERATE_DROP, OPERATE_PAUSE, OPERATE_RESUME };

/* Empty members fit every row. */
struct outbox_filter {
    enum outbox_state state; /* 0: any */
    struct slice destination;
    struct slice patient; /* "Patient/p1" */
    struct slice word;    /* of last_error: "policy", "no-channel", "59187" */
};

struct operate {
    enum operation operation;
    int64_t key;                 /* of a row; 0: those of the filter */
    struct outbox_filter filter; /* of pause and resume: the destination */
    struct slice by, reason;     /* who, and why */
    struct slice body;           /* of OPERATE_EDIT */
    int64_t now_ms, monotonic_ns;
    struct slice address; /* of whoever asked, for the record */
};

const char *operation_name(enum operation operation);
bool outbox_filter_fits(const struct outbox_filter *filter, const struct outbox_row *row);
/* `count` is the number of rows that were changed. */
bool operate_apply(struct store_tx *tx, const struct operate *operate, struct arena *arena,
                   unsigned *count, struct err *err) MUST_USE;
/* The destination can be told by other channels than before: rows that were left out, or given up
 * for want of a channel, are due again.  Nothing when these are the channels as they were known. */
bool operate_channels(struct store_tx *tx, struct slice destination, unsigned channels,
                      int64_t now_ms, struct arena *arena, unsigned *count,
                      struct err *err) MUST_USE;
/* Who paused a destination and why; empty when nobody did. */
bool operate_paused(struct store_tx *tx, struct slice destination, struct arena *arena,
                    struct slice *out, struct err *err) MUST_USE;
