/* What a row of the outbox becomes when a wish changes or a delivery ends, for every backend. */
#include <stdlib.h>

#include "store/store_int.h"

#define SCRATCH_MAX ((size_t)64 * 1024 * 1024) /* one row: a body and a few names */
#define PICK_FACTOR 4                          /* candidates looked at for one that is claimed */

static bool find(struct store_tx *tx, const struct outbox_row *row, int64_t *key, bool *found,
                 struct err *err)
{
    return store_done(
        tx, tx->ops->outbox_find(tx, row->tenant, row->destination, row->identity, key, found, err),
        err);
}

static bool get(struct store_tx *tx, int64_t key, struct arena *arena, struct outbox_row *out,
                bool *found, struct err *err)
{
    return store_done(tx, tx->ops->outbox_get(tx, key, arena, out, found, err), err);
}

/* --- wanting ------------------------------------------------------------------------------ */

/* A delivery whose answer was lost is reconciled first, whatever is wanted meanwhile: sending at
 * once could create a second record at the destination. */
static enum outbox_state state_when_wanted(enum outbox_state before)
{
    return before == OUTBOX_UNKNOWN ? OUTBOX_UNKNOWN : OUTBOX_PENDING;
}

/* What it holds, or may hold, is looked after in any case. */
static bool is_left_alone(const struct outbox_row *old, const struct outbox_row *wish)
{
    static const struct sha256 nothing;
    bool is_held = old->target_id.len > 0 || !sha256_equal(&old->held, &nothing);
    return wish->state == OUTBOX_SETTLED && old->state != OUTBOX_UNKNOWN && !is_held;
}

static struct outbox_row row_when_wanted(const struct outbox_row *old,
                                         const struct outbox_row *wish)
{
    struct outbox_row row = *old;
    row.patient = wish->patient;
    row.patient_name = wish->patient_name;
    row.kind = wish->kind;
    row.wish = wish->wish;
    row.disease = wish->disease;
    row.body = wish->body;
    row.wanted = wish->wanted;
    row.state = state_when_wanted(old->state);
    row.attempts = 0;
    row.due_ms = wish->due_ms;
    row.changed_ms = wish->changed_ms;
    row.revision = old->revision + 1;
    if (is_left_alone(old, wish)) {
        row.state = OUTBOX_SETTLED;
        row.last_error = wish->last_error;
    }
    return row;
}

static struct outbox_row row_when_new(const struct outbox_row *wish)
{
    return (struct outbox_row){
        .tenant = wish->tenant,
        .patient = wish->patient,
        .patient_name = wish->patient_name,
        .destination = wish->destination,
        .kind = wish->kind,
        .wish = wish->wish,
        .disease = wish->disease,
        .identity = wish->identity,
        .body = wish->body,
        .wanted = wish->wanted,
        .state = wish->state == OUTBOX_SETTLED ? OUTBOX_SETTLED : OUTBOX_PENDING,
        .last_error = wish->state == OUTBOX_SETTLED ? wish->last_error : SLICE(""),
        .due_ms = wish->due_ms,
        .created_ms = wish->changed_ms,
        .changed_ms = wish->changed_ms,
        .revision = 1,
    };
}

static bool want(struct store_tx *tx, const struct outbox_row *wish, struct arena *scratch,
                 struct err *err)
{
    int64_t key = 0;
    bool found = false;
    struct outbox_row row = { 0 };
    if (!find(tx, wish, &key, &found, err))
        return false;
    if (!found) {
        row = row_when_new(wish);
        return store_done(tx, tx->ops->outbox_insert(tx, &row, err), err);
    }
    if (!get(tx, key, scratch, &row, &found, err))
        return false;
    if (sha256_equal(&row.wanted, &wish->wanted))
        return true;
    row = row_when_wanted(&row, wish);
    return store_done(tx, tx->ops->outbox_write(tx, &row, err), err);
}

bool store_outbox_want(struct store_tx *tx, const struct outbox_row *row, struct err *err)
{
    if (!store_may_write(tx, err))
        return false;
    struct arena scratch;
    arena_init(&scratch, SCRATCH_MAX);
    bool is_done = want(tx, row, &scratch, err);
    arena_fini(&scratch);
    return is_done;
}

/* --- settling ----------------------------------------------------------------------------- */

/* What the destination told us is kept in any case; but a result for an older revision settles
 * nothing and puts nothing off.  Only "the answer was lost" stands above a newer wish. */
static struct outbox_row row_when_settled(const struct outbox_row *old,
                                          const struct outbox_row *result)
{
    struct outbox_row row = *old;
    row.target_id = result->target_id;
    row.target_etag = result->target_etag;
    row.held = result->held;
    row.last_status = result->last_status;
    row.last_error = result->last_error;
    if (result->revision == old->revision) {
        row.state = result->state;
        row.attempts = result->attempts;
        row.due_ms = result->due_ms;
    } else {
        row.state = state_when_wanted(result->state);
    }
    return row;
}

static bool settle(struct store_tx *tx, const struct outbox_row *result, struct arena *scratch,
                   struct err *err)
{
    struct outbox_row row = { 0 };
    bool found = false;
    if (!get(tx, result->key, scratch, &row, &found, err))
        return false;
    if (!found)
        return err_fail(err, ERR_NOT_FOUND, "store.outbox", "there is no such row");
    row = row_when_settled(&row, result);
    return store_done(tx, tx->ops->outbox_write(tx, &row, err), err);
}

bool store_outbox_settle(struct store_tx *tx, const struct outbox_row *row, struct err *err)
{
    if (!store_may_write(tx, err))
        return false;
    struct arena scratch;
    arena_init(&scratch, SCRATCH_MAX);
    bool is_done = settle(tx, row, &scratch, err);
    arena_fini(&scratch);
    return is_done;
}

/* --- claiming ----------------------------------------------------------------------------- */

/* Offered oldest due first; of one patient's rows the one made first stays. */
bool outbox_pick_offer(struct outbox_pick *pick, int64_t key, int64_t patient)
{
    for (unsigned i = 0; i < pick->busy_count; i++)
        if (pick->busy[i] == patient)
            return true;
    for (unsigned i = 0; patient != 0 && i < pick->count; i++) {
        if (pick->at[i].patient != patient)
            continue;
        if (key < pick->at[i].key)
            pick->at[i].key = key;
        return true;
    }
    pick->at[pick->count++] = (struct outbox_candidate){ key, patient };
    return pick->count < pick->max;
}

static int by_key(const void *a, const void *b)
{
    const struct outbox_candidate *left = a, *right = b;
    return (left->key > right->key) - (left->key < right->key);
}

static bool load_picked(struct store_tx *tx, const struct outbox_pick *pick, unsigned limit,
                        struct arena *arena, struct outbox_row *rows, struct err *err)
{
    for (unsigned i = 0; i < pick->count && i < limit; i++) {
        bool found = false;
        if (!get(tx, pick->at[i].key, arena, &rows[i], &found, err))
            return false;
        CHECK(found);
    }
    return true;
}

bool store_outbox_claim(struct store_tx *tx, struct slice destination, int64_t now_ms,
                        const int64_t *busy, unsigned busy_count, unsigned limit,
                        struct arena *arena, struct outbox_row **rows, unsigned *count,
                        struct err *err)
{
    CHECK(limit > 0);
    if (!store_may_read(tx, err))
        return false;
    struct outbox_pick pick = { .busy = busy, .busy_count = busy_count };
    pick.max = limit * PICK_FACTOR;
    pick.at = ARENA_ARRAY(arena, struct outbox_candidate, pick.max);
    struct outbox_row *all = ARENA_ARRAY(arena, struct outbox_row, limit);
    if (pick.at == NULL || all == NULL)
        return store_no_room(err);
    if (!store_done(tx, tx->ops->outbox_due(tx, destination, now_ms, &pick, err), err))
        return false;
    qsort(pick.at, pick.count, sizeof pick.at[0], by_key);
    if (!load_picked(tx, &pick, limit, arena, all, err))
        return false;
    *rows = all;
    *count = pick.count < limit ? pick.count : limit;
    return true;
}

/* --- looking ------------------------------------------------------------------------------ */

bool store_outbox_get(struct store_tx *tx, int64_t key, struct arena *arena, struct outbox_row *out,
                      bool *found, struct err *err)
{
    return store_may_read(tx, err) && get(tx, key, arena, out, found, err);
}

bool store_outbox_find(struct store_tx *tx, int32_t tenant, struct slice destination,
                       struct slice identity, struct arena *arena, struct outbox_row *out,
                       bool *found, struct err *err)
{
    struct outbox_row wish = { .tenant = tenant, .destination = destination, .identity = identity };
    int64_t key = 0;
    bool is_there = false;
    if (!store_may_read(tx, err) || !find(tx, &wish, &key, &is_there, err))
        return false;
    if (is_there && !get(tx, key, arena, out, &is_there, err))
        return false;
    *found = is_there;
    return true;
}

bool store_outbox_list(struct store_tx *tx, enum outbox_state state, int64_t after, unsigned limit,
                       struct arena *arena, struct outbox_row **rows, unsigned *count,
                       struct err *err)
{
    return store_may_read(tx, err) &&
           store_done(tx, tx->ops->outbox_list(tx, state, after, limit, arena, rows, count, err),
                      err);
}

bool store_outbox_next_due(struct store_tx *tx, struct slice destination, int64_t *due_ms,
                           struct err *err)
{
    return store_may_read(tx, err) &&
           store_done(tx, tx->ops->outbox_next_due(tx, destination, due_ms, err), err);
}
