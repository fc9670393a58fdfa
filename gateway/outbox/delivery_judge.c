/* What the destination holds, compared with what is wanted.
 *
 * In this order:
 * 1. The content is what is wanted: settled, nothing is sent.
 * 2. After a lost answer, the record has changed since we last knew it and since this came to be
 *    wanted, and what we sent then is still what is wanted: our request was carried out, and the
 *    server wrote it its own way or a person has edited it since: settled as "target-edited".
 * 3. After a conflict, the record was changed later than what is wanted came up: a person's edit
 *    wins: settled as "target-edited", and we stop re-asserting until there is new evidence.
 *    Clocks are compared through the peer's Date header, with a margin of a minute that covers a
 *    request of ours that was committed late.
 * 4. Else what is wanted is newer: it is written over the record, with its fresh ETag.
 */
#include "outbox/delivery_int.h"

static bool is_edited(const struct delivery *delivery, const struct answer_record *record,
                      const struct delivery_answer *answer, const struct delivery_moment *moment)
{
    const struct outbox_row *row = &delivery->row;
    int64_t skew_ms = answer->date_ms != 0 ? answer->date_ms - moment->now_ms : 0;
    int64_t updated_ms = record->updated_ms - skew_ms;
    if (record->updated_ms == 0)
        return false;
    if (!delivery_held_is_unknown(&row->held))
        return delivery->is_conflicted && updated_ms > row->changed_ms + OUTBOX_EDIT_MARGIN_MS;

    struct delivery_mark mark = delivery_mark_of(&row->held);
    struct slice known = row->target_etag;
    if (slice_starts(known, SLICE("W/\"")) && known.len > 3)
        known = (struct slice){ known.at + 3, known.len - 4 };
    bool has_moved = known.len > 0 ? !slice_eq(record->version, known) : mark.is_create;
    return has_moved && mark.revision == row->revision && updated_ms > row->changed_ms;
}

static void judge(struct delivery *delivery, const struct answer_record *record,
                  const struct delivery_answer *answer, const struct delivery_moment *moment)
{
    struct outbox_row *row = &delivery->row;
    struct answer_want want = delivery_want(delivery);
    struct answer_record wanted;
    struct err err;
    bool is_readable = answer_read_record(delivery_body(delivery, moment->now_ms), &want,
                                          delivery->arena, &wanted, &err);
    /* The name of a message stands for its content, whatever the server made of the rest. */
    bool is_same = delivery_is_message(delivery) ||
                   (is_readable && fingerprint_equal(&wanted.content, &record->content));
    bool is_edit = !is_same && is_edited(delivery, record, answer, moment);

    row->target_id = record->id;
    row->target_etag = record->version.len > 0 ? arena_format(delivery->arena, "W/\"%.*s\"",
                                                              SLICE_ARGS(record->version))
                                               : arena_copy(delivery->arena, answer->etag);
    delivery->is_searched = true; /* fresh: no need to look again before the write */
    if (is_same || is_edit || delivery->is_written) {
        delivery->is_reconciled = delivery->was_unknown;
        delivery_settle(delivery, is_edit && !delivery->is_written ? "target-edited" : "");
        return;
    }
    delivery->is_conflicted = false;
    sm_move(&delivery->sm, DELIVERY_DECIDING);
}

/* A proxy's page, or a body past our limit. */
static void put_off_unreadable(struct delivery *delivery, const struct delivery_moment *moment)
{
    if (delivery->is_written)
        delivery_settle(delivery, "");
    else
        delivery_put_off_for(delivery, RETRY_CLASS_TRANSIENT, "answer-unreadable", moment);
}

/* Some servers forget without a word what they do not support (Oracle Health), so the first of each
 * kind is read again: an operator should know what is not there. */
static void judge_kept(struct delivery *delivery, const struct delivery_answer *answer,
                       const struct delivery_moment *moment)
{
    char bytes[160];
    struct text missing = TEXT(bytes);
    struct slice sent = delivery_body(delivery, moment->now_ms);
    delivery->is_verifying = false;
    bool is_read = answer_missing_members(sent, answer->body, delivery->arena, &missing);
    delivery->has_verified = is_read;
    delivery_settle(delivery, is_read && missing.used > 0
                                  ? arena_format(delivery->arena, "not-kept %s", bytes).at
                                  : "");
}

void delivery_judge_read(struct delivery *delivery, const struct delivery_answer *answer,
                         const struct delivery_moment *moment)
{
    struct answer_want want = delivery_want(delivery);
    struct answer_record record;
    struct err err;
    if (delivery->is_verifying) {
        judge_kept(delivery, answer, moment);
        return;
    }
    if (!answer_read_record(answer->body, &want, delivery->arena, &record, &err)) {
        put_off_unreadable(delivery, moment);
        return;
    }
    record.id = delivery->row.target_id; /* what we asked for */
    judge(delivery, &record, answer, moment);
}

/* A Provenance has no identifier: it is ours when it says what we say, of the same target. */
static void judge_provenance(struct delivery *delivery, const struct answer_search *found,
                             const struct delivery_moment *moment)
{
    struct answer_want want = delivery_want(delivery);
    struct answer_record wanted;
    struct err err;
    if (!answer_read_record(delivery_body(delivery, moment->now_ms), &want, delivery->arena,
                            &wanted, &err)) {
        delivery_die(delivery, "permanent body-unreadable");
        return;
    }
    for (unsigned i = 0; i < found->count; i++) {
        if (!fingerprint_equal(&wanted.content, &found->records[i].content))
            continue;
        delivery->row.target_id = found->records[i].id;
        delivery->is_reconciled = true;
        delivery_settle(delivery, "");
        return;
    }
    delivery->is_searched = true;
    sm_move(&delivery->sm, DELIVERY_DECIDING);
}

/* Older first: the record that the destination's users have known longest. */
static bool is_better(const struct answer_record *record, const struct answer_record *best)
{
    return best->id.len == 0 || (record->updated_ms != 0 && record->updated_ms < best->updated_ms);
}

/* The same record may come on two pages (Oracle Health). */
static bool is_known(const struct delivery *delivery, struct slice id)
{
    for (unsigned i = 0; i < delivery->ours_count; i++)
        if (slice_eq(delivery->ours[i].id, id))
            return true;
    return false;
}

static void gather(struct delivery *delivery, const struct answer_search *found)
{
    for (unsigned i = 0; i < found->count; i++) {
        const struct answer_record *record = &found->records[i];
        if (!record->is_ours) {
            delivery->others_count++;
            continue;
        }
        if (is_known(delivery, record->id) || delivery->ours_count == OUTBOX_RECORDS_MAX)
            continue;
        delivery->ours[delivery->ours_count++] = *record;
        if (record->id.len > 0 && is_better(record, &delivery->best))
            delivery->best = *record;
    }
}

/* A page further on is asked of this destination only: a link elsewhere is not followed, since
 * the credential would go with the request. */
static bool has_next_page(struct delivery *delivery, const struct answer_search *found)
{
    struct slice base = delivery->site->base, next = found->next;
    bool is_below = base.len > 0 && slice_starts(next, base) && next.len > base.len + 1 &&
                    next.at[base.len] == '/';
    if (next.len == 0)
        return false;
    delivery->is_endless = !is_below || ++delivery->pages >= OUTBOX_PAGES_MAX;
    if (delivery->is_endless)
        return false;
    delivery->next_page = slice_skip(next, base.len + 1);
    return true;
}

void delivery_judge_search(struct delivery *delivery, const struct delivery_answer *answer,
                           const struct delivery_moment *moment)
{
    struct answer_want want = delivery_want(delivery);
    struct answer_search found;
    struct err err;
    if (!answer_read_search(answer->body, &want, delivery->arena, &found, &err)) {
        put_off_unreadable(delivery, moment);
        return;
    }
    if (delivery->row.kind == POSTING_PROVENANCE) {
        judge_provenance(delivery, &found, moment);
        return;
    }
    gather(delivery, &found);
    if (has_next_page(delivery, &found)) {
        sm_move(&delivery->sm, DELIVERY_DECIDING);
        return;
    }
    bool is_by_identifier = delivery_search_by(delivery) == SEARCH_IDENTIFIER;
    if (delivery->best.id.len > 0) {
        struct answer_record best = delivery->best;
        delivery->duplicates = delivery->ours_count - 1;
        judge(delivery, &best, answer, moment);
    } else if (delivery->ours_count > 0) { /* without an id that could be used */
        put_off_unreadable(delivery, moment);
    } else if (delivery->others_count > 0 && is_by_identifier && !delivery->is_written) {
        /* It answers with records of others: the search parameter was ignored, so that "nothing
         * found" proves nothing, and a POST could be a second copy. */
        delivery_die(delivery, "permanent search-ignored");
    } else {
        delivery->is_searched = true;
        sm_move(&delivery->sm, DELIVERY_DECIDING);
    }
}
