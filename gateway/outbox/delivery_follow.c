/* A destination says that it has merged the patient into another (Epic 4107): it is asked which
 * record survives, and what is wanted is written and looked for there.  The row stays as it is. */
#include "outbox/body.h"
#include "outbox/delivery_int.h"

struct slice delivery_patient(const struct delivery *delivery)
{
    return delivery->survivor.len > 0 ? delivery->survivor : delivery->row.patient_name;
}

struct slice delivery_for_survivor(const struct delivery *delivery, struct slice body)
{
    struct arena *arena = delivery->arena;
    if (delivery->survivor.len == 0)
        return body;
    struct slice old = arena_format(arena, "\"%.*s\"", SLICE_ARGS(delivery->row.patient_name));
    struct slice new = arena_format(arena, "\"%.*s\"", SLICE_ARGS(delivery->survivor));
    return arena_overflowed(arena) ? SLICE("") : body_replace(body, old.at, new, arena);
}

void delivery_on_merged(struct delivery *delivery)
{
    const char *merged = retry_class_name(RETRY_CLASS_MERGED);
    bool is_post = delivery->sm.state == DELIVERY_WRITING && delivery->write == WRITE_CREATE;
    if (is_post)
        delivery_unmark(delivery); /* refused, so it left nothing behind */
    bool can_ask = slice_starts(delivery_patient(delivery), SLICE("Patient/"));
    if (delivery->sm.state == DELIVERY_FOLLOWING || delivery->merges == OUTBOX_MERGES_MAX ||
        !can_ask) {
        delivery_die(delivery, merged);
        return;
    }
    delivery->merges++;
    delivery->is_merged = true;
    delivery_forget_search(delivery);
    sm_move(&delivery->sm, DELIVERY_DECIDING);
}

/* The survivor is one of the same destination: a link elsewhere is nobody we could write about. */
void delivery_judge_survivor(struct delivery *delivery, const struct delivery_answer *answer)
{
    struct slice base = delivery->site->base, link = SLICE("");
    bool is_read = answer_read_survivor(answer->body, delivery->arena, &link);
    bool is_url = link.len > 0 && memmem(link.at, link.len, "://", 3) != NULL;
    struct slice id = answer_location_id(link, "Patient");
    struct slice survivor = arena_format(delivery->arena, "Patient/%.*s", SLICE_ARGS(id));
    bool is_other = id.len > 0 && !slice_eq(survivor, delivery_patient(delivery));
    delivery->is_merged = false;
    if (!is_read || !is_other || (is_url && !slice_starts(link, base))) {
        delivery_die(delivery, retry_class_name(RETRY_CLASS_MERGED));
        return;
    }
    delivery->survivor = survivor;
    sm_move(&delivery->sm, DELIVERY_DECIDING);
}
