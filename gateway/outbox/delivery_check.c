/* Is what was settled still there, and as we left it?
 *
 * A read with If-None-Match of the version that we know.  What a person has changed since stays as
 * it is and is told (target-edited); what was deleted there is told (target-deleted) and does not
 * come back by itself.  Both give way to what comes up after them: the next wish finds the new
 * version, or looks for the record by its identifier and creates it.  Whatever else is answered
 * proves nothing, and leaves the row as it was until the next round. */
#include "outbox/delivery_int.h"

const char *delivery_drift_name(enum delivery_drift drift)
{
    static const char *const names[] = { "none", "edited", "deleted" };
    CHECK((size_t)drift < COUNT_OF(names));
    return names[drift];
}

void delivery_end_check(struct delivery *delivery)
{
    delivery->row.state = OUTBOX_SETTLED;
    sm_move(&delivery->sm, DELIVERY_ENDED);
}

void delivery_decide_check(struct delivery *delivery)
{
    if (!delivery_has_target(delivery))
        delivery_end_check(delivery);
    else if (delivery->capability == NULL)
        sm_move(&delivery->sm, DELIVERY_ASKING);
    else if (!delivery_offer(delivery)->can_read)
        delivery_end_check(delivery);
    else
        sm_move(&delivery->sm, DELIVERY_READING);
}

/* A server without If-None-Match sends the record; one without versions teaches nothing. */
static void compare(struct delivery *delivery, const struct delivery_answer *answer,
                    const struct delivery_moment *moment)
{
    struct outbox_row *row = &delivery->row;
    struct answer_want want = delivery_want(delivery);
    struct answer_record held, wanted;
    struct err err;
    if (!answer_read_record(answer->body, &want, delivery->arena, &held, &err) ||
        held.version.len == 0)
        return;
    struct slice etag = arena_format(delivery->arena, "W/\"%.*s\"", SLICE_ARGS(held.version));
    bool is_known = row->target_etag.len > 0;
    if (slice_eq(etag, row->target_etag))
        return;
    row->target_etag = etag;
    bool is_same = answer_read_record(delivery_body(delivery, moment->now_ms), &want,
                                      delivery->arena, &wanted, &err) &&
                   fingerprint_equal(&wanted.content, &held.content);
    if (is_same || !is_known)
        return;
    delivery->drift = DRIFT_EDITED;
    delivery_note(delivery, "", "target-edited");
}

void delivery_judge_check(struct delivery *delivery, const struct delivery_answer *answer,
                          const struct delivery_moment *moment)
{
    struct answer_issue issue = { .number = 0 };
    bool is_read = delivery->sm.state == DELIVERY_READING;
    int status = answer->transport == TRANSPORT_ANSWERED ? answer->status : 0;
    if (status >= 400)
        answer_read_issue(answer->body, delivery->arena, &issue);
    bool is_vendors = vendor_class(issue.vendor, issue.number) != RETRY_CLASS_NONE;
    if (is_read && status == 200) {
        compare(delivery, answer, moment);
    } else if (is_read && (status == 404 || status == 410) && !is_vendors) {
        delivery->drift = DRIFT_DELETED;
        delivery->row.target_id = delivery->row.target_etag = SLICE("");
        delivery->row.held = (struct sha256){ { 0 } };
        delivery_note(delivery, "", "target-deleted");
    }
    delivery_end_check(delivery);
}
