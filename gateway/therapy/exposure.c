#include "therapy/exposure.h"

#include "therapy/attribute.h"
#include "therapy/fulfil.h"
#include "therapy/left_out.h"

/* Nobody's order of these is lost without a word. */
static bool is_missed(const struct drug *drug)
{
    return (exposure_makes_lines(drug) && drug->group != DRUG_UNKNOWN) ||
           drug->group == DRUG_ANTIRETROVIRAL;
}

/* Steroids print the name of a regimen, enzyme inducers explain a dose; nothing else of the
 * supportive drugs is of interest. */
bool exposure_is_of_interest(const struct drug *drug)
{
    return exposure_makes_lines(drug) || drug->group == DRUG_ANTIRETROVIRAL ||
           drug->group == DRUG_IMMUNOSUPPRESSANT || drug->group == DRUG_DIALYSIS ||
           drug_has(drug, TRAIT_STEROID) || drug_has(drug, TRAIT_INDUCER);
}

/* --- orders by id or group, for the few that point at another one ---------------------------- */

static struct slice key_of(const struct event *order, bool is_group)
{
    return is_group ? order->group_identifier : order->id;
}

static bool comes_before(const struct event *a, const struct event *b, bool is_group)
{
    int order = slice_cmp(key_of(a, is_group), key_of(b, is_group));
    return order != 0 ? order < 0 : a->version < b->version;
}

static void sift_down(const struct event **events, unsigned from, unsigned count, bool is_group)
{
    for (unsigned child; (child = 2 * from + 1) < count; from = child) {
        if (child + 1 < count && comes_before(events[child], events[child + 1], is_group))
            child++;
        if (!comes_before(events[from], events[child], is_group))
            return;
        const struct event *swap = events[from];
        events[from] = events[child];
        events[child] = swap;
    }
}

/* The orders sorted by id, or by group identifier; NULL past the arena's limit. */
static const struct event **sorted_orders(const struct engine *engine, bool is_group)
{
    size_t bytes = engine->order_count * sizeof(engine->orders[0]);
    const struct event **sorted = arena_alloc_raw(engine->arena, bytes);
    if (sorted == NULL)
        return NULL;
    memcpy(sorted, engine->orders, bytes);
    unsigned count = engine->order_count;
    for (unsigned i = count / 2; i-- > 0;)
        sift_down(sorted, i, count, is_group);
    for (unsigned left = count; left-- > 1;) {
        const struct event *swap = sorted[0];
        sorted[0] = sorted[left];
        sorted[left] = swap;
        sift_down(sorted, 0, left, is_group);
    }
    return sorted;
}

/* The first order with this key. */
static unsigned first_with(const struct engine *engine, const struct event *const *sorted,
                           struct slice key, bool is_group)
{
    unsigned low = 0, high = engine->order_count;
    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        if (slice_cmp(key_of(sorted[middle], is_group), key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct slice id_behind(struct slice reference, struct slice type)
{
    for (size_t i = 0; i + type.len < reference.len; i++) {
        struct slice rest = slice_skip(reference, i);
        if ((i == 0 || reference.at[i - 1] == '/') && slice_starts(rest, type)) {
            rest = slice_skip(rest, type.len);
            return slice_take_until(&rest, '/');
        }
    }
    return (struct slice){ NULL, 0 };
}

const struct event *exposures_find_given(const struct engine *engine, struct slice reference)
{
    static const struct {
        struct slice name;
        enum fhir_type type;
    } types[] = { { { "MedicationAdministration/", 25 }, FHIR_MEDICATION_ADMINISTRATION },
                  { { "MedicationStatement/", 20 }, FHIR_MEDICATION_STATEMENT },
                  { { "MedicationDispense/", 19 }, FHIR_MEDICATION_DISPENSE } };
    for (size_t t = 0; t < COUNT_OF(types); t++) {
        struct slice id = id_behind(reference, types[t].name);
        unsigned low = 0, high = id.len > 0 ? engine->given_count : 0;
        while (low < high) {
            unsigned middle = low + (high - low) / 2;
            const struct event *event = engine->given[middle];
            bool is_before = event->type != types[t].type ? event->type < types[t].type
                                                          : slice_cmp(event->id, id) < 0;
            if (is_before)
                low = middle + 1;
            else
                high = middle;
        }
        if (id.len > 0 && low < engine->given_count && engine->given[low]->type == types[t].type &&
            slice_eq(engine->given[low]->id, id))
            return engine->given[low];
    }
    return NULL;
}

const struct event *exposures_find_order(struct engine *engine, struct slice reference)
{
    struct slice id = id_behind(reference, SLICE("MedicationRequest/"));
    if (id.len == 0 || engine->order_count == 0)
        return NULL;
    if (engine->orders_by_id == NULL)
        engine->orders_by_id = sorted_orders(engine, false);
    if (engine->orders_by_id == NULL)
        return NULL;
    unsigned at = first_with(engine, engine->orders_by_id, id, false);
    bool is_there = at < engine->order_count && slice_eq(engine->orders_by_id[at]->id, id);
    return is_there ? engine->orders_by_id[at] : NULL;
}

/* --- admission ------------------------------------------------------------------------------- */

/* Orders in their own right, and those that carry out another one. */
#define ORDERS (ONE(INTENT_ABSENT) | ONE(INTENT_ORDER) | ONE(INTENT_ORIGINAL_ORDER))
#define FILLERS (ONE(INTENT_REFLEX_ORDER) | ONE(INTENT_FILLER_ORDER) | ONE(INTENT_INSTANCE_ORDER))

enum admission { ADMIT_NOT, ADMIT_EVER, ADMIT_PLAN, ADMIT_COUNT };

/* EXP-001 */
static enum admission admit_status(enum order_status status)
{
    const uint32_t unclear = ONE(STATUS_UNKNOWN) | ONE(STATUS_ABSENT);
    const uint32_t counted = ONE(STATUS_ACTIVE) | ONE(STATUS_COMPLETED) | IS_HALTED;
    if (is_one_of(status, counted) || !RULE_ON(EXP_STATUS))
        return ADMIT_COUNT;
    return is_one_of(status, unclear) ? ADMIT_EVER : ADMIT_NOT;
}

static bool is_counted_order(const struct event *order)
{
    return order != NULL && admit_status(order->status) == ADMIT_COUNT && !order->do_not_perform &&
           is_one_of(order->intent, ORDERS);
}

static bool has_same_drug(const struct event *a, const struct event *b)
{
    return a->drug_count > 0 && b->drug_count > 0 && a->drugs[0] == b->drugs[0];
}

/* A counted order of the same drug under the same group identifier. */
static bool has_grouped_order(struct engine *engine, const struct event *order)
{
    struct slice group = order->group_identifier;
    if (group.len == 0)
        return false;
    if (engine->orders_by_group == NULL)
        engine->orders_by_group = sorted_orders(engine, true);
    if (engine->orders_by_group == NULL)
        return false;
    for (unsigned i = first_with(engine, engine->orders_by_group, group, true);
         i < engine->order_count && slice_eq(engine->orders_by_group[i]->group_identifier, group);
         i++) {
        const struct event *other = engine->orders_by_group[i];
        if (other != order && is_counted_order(other) && has_same_drug(other, order))
            return true;
    }
    return false;
}

/* EXP-014: an order that fills or times a counted order adds nothing. */
static bool is_filled_elsewhere(struct engine *engine, const struct event *order)
{
    for (unsigned i = 0; i < order->based_on_count; i++) {
        const struct event *base = exposures_find_order(engine, order->based_on[i]);
        if (base != order && is_counted_order(base))
            return true;
    }
    return has_grouped_order(engine, order);
}

/* EXP-002, EXP-003 */
static enum admission admit(struct engine *engine, const struct event *order)
{
    enum admission by_status = admit_status(order->status);
    if (by_status == ADMIT_NOT || (order->do_not_perform && RULE_ON(EXP_NOT_PERFORM)))
        return ADMIT_NOT;
    if (is_one_of(order->intent, FILLERS))
        return is_filled_elsewhere(engine, order) && RULE_ON(EXP_FILLER) ? ADMIT_NOT : by_status;
    if (is_one_of(order->intent, ORDERS) || !RULE_ON(EXP_INTENT))
        return by_status;
    return order->intent == INTENT_PLAN ? ADMIT_PLAN : ADMIT_NOT;
}

/* --- start and end --------------------------------------------------------------------------- */

/* EXP-005, EXP-006: the first that exists; a partial date counts from its first day. */
struct date_span exposure_order_start(const struct event *order)
{
    if (order->bounds_start.precision != DATE_ABSENT && RULE_ON(EXP_START))
        return order->bounds_start;
    if (order->first_timing_event.precision != DATE_ABSENT && RULE_ON(EXP_START))
        return order->first_timing_event;
    return order->authored_on;
}

/* EXP-007: what the order says; INT32_MAX and open when an active order says nothing.  The last
 * timing event is the last ordered dose: the tail is only for orders that name no dose at all. */
static struct told_end natural_end(const struct event *order, const struct drug *drug,
                                   int32_t start)
{
    if (order->bounds_end.precision != DATE_ABSENT && RULE_ON(EXP_END))
        return (struct told_end){ .day = order->bounds_end.last.day };
    if (order->last_timing_event.precision != DATE_ABSENT && RULE_ON(EXP_END))
        return (struct told_end){ .day = order->last_timing_event.last.day };
    int32_t days = order->bounds_days > 0   ? order->bounds_days
                   : order->repeat_days > 0 ? order->repeat_days
                                            : order->supply_days;
    if (days > 0 && RULE_ON(EXP_END))
        return (struct told_end){ .day = start + days };
    struct told_end end = { .day = INT32_MAX, .is_open = true };
    if (!is_one_of(order->status, GOES_ON) && RULE_ON(EXP_TAIL)) /* EXP-010 */
        end = (struct told_end){ .day = start + drug->tail_days, .is_assumed = true };
    /* EXP-009: the time in which it may be dispensed caps, it never extends. */
    if (order->validity_end.precision != DATE_ABSENT && order->validity_end.last.day < end.day &&
        RULE_ON(EXP_VALIDITY))
        end = (struct told_end){ .day = order->validity_end.last.day, .is_assumed = true };
    return end;
}

/* EXP-008: a stop or hold ends the order on the day the source names. */
static struct told_end order_end(const struct event *order, const struct drug *drug, int32_t start)
{
    struct told_end end = natural_end(order, drug, start);
    if (!is_one_of(order->status, IS_HALTED) || !RULE_ON(EXP_STOP))
        return end;
    if (order->status_changed.precision != DATE_ABSENT) {
        if (order->status_changed.last.day < end.day)
            end = (struct told_end){ .day = order->status_changed.last.day };
    } else if (end.is_open) {
        end = (struct told_end){ .day = start + drug->tail_days, .is_assumed = true };
    }
    return end;
}

/* --- collecting ------------------------------------------------------------------------------ */

static void note_unattributed(struct engine *engine, const struct event *order)
{
    unsigned count = engine->unattributed_count;
    if (count == 0 || engine->unattributed[count - 1] != order)
        engine->unattributed[engine->unattributed_count++] = order;
}

static void add_plan(struct engine *engine, const struct event *order, const struct drug *drug)
{
    if (order->authored_on.precision == DATE_ABSENT)
        return;
    engine->plans[engine->plan_count++] =
        (struct exposure){ .drug = drug, .start = order->authored_on.first, .order = order };
}

/* Whoever tells of a drug may say what it is for; else its order may. */
static struct attribution attribute(const struct engine *engine, const struct told *told,
                                    int32_t start)
{
    bool says_why = told->event->reason_reference_count > 0 || told->event->reason_count > 0 ||
                    told->event->reason_code.count > 0;
    const struct event *speaker = says_why || told->order == NULL ? told->event : told->order;
    return attribute_order(engine, speaker, told->drug, start);
}

void exposure_note_undated(struct engine *engine, const struct event *event,
                           const struct drug *drug)
{
    struct told told = { .event = event, .drug = drug };
    struct attribution attribution = attribute(engine, &told, engine->as_of);
    if (!is_missed(drug))
        return;
    if (attribution.how != ATTRIBUTED_ELSEWHERE && RULE_ON(EXP_UNATTRIBUTED))
        note_unattributed(engine, event);
    left_out_note(engine, event, attribution.how == ATTRIBUTED ? RULE_EXP_START : attribution.rule);
}

void exposure_add(struct engine *engine, const struct told *told)
{
    bool counts_from_first = told->start.precision == DATE_DAY || RULE_ON(EXP_PARTIAL);
    int32_t start = counts_from_first ? told->start.first.day : told->start.last.day;
    struct attribution attribution = attribute(engine, told, told->start.first.day);
    if (attribution.how == ATTRIBUTED_NOWHERE && is_missed(told->drug) && RULE_ON(EXP_UNATTRIBUTED))
        note_unattributed(engine, told->event); /* EXP-020 */
    bool makes_lines = is_missed(told->drug);
    if (attribution.how != ATTRIBUTED) {
        if (makes_lines)
            left_out_note(engine, told->event, attribution.rule);
        return;
    }
    if (start > engine->as_of &&
        RULE_ON(EXP_AS_OF)) { /* EXP-011: planned, not yet ordered exposure */
        engine_changes_on(engine, start);
        if (makes_lines)
            left_out_note(engine, told->event, RULE_EXP_AS_OF);
        return;
    }
    if (told->end.day < start) { /* stopped before it began */
        if (makes_lines)
            left_out_note(engine, told->event, RULE_EXP_STOP);
        return;
    }
    bool goes_on = told->end.day > engine->as_of;
    if (goes_on && !told->end.is_open)
        engine_changes_on(engine, told->end.day);
    engine->exposures[engine->exposure_count++] = (struct exposure){
        .drug = told->drug,
        .start = { start },
        .end = { goes_on ? engine->as_of : told->end.day },
        .stated_end = { told->end.day },
        .start_span = told->start,
        .is_open = goes_on,
        .is_assumed_end = told->end.is_assumed,
        .proof = told->proof,
        .is_ambiguous = attribution.is_ambiguous,
        .diseases = attribution.diseases,
        .order = told->event,
        .last_told = date_none(),
    };
}

/* The rule by which admit() did not count the order. */
static enum rule rule_of_admission(const struct event *order)
{
    if (admit_status(order->status) != ADMIT_COUNT)
        return RULE_EXP_STATUS;
    if (order->do_not_perform)
        return RULE_EXP_NOT_PERFORM;
    return is_one_of(order->intent, FILLERS) ? RULE_EXP_FILLER : RULE_EXP_INTENT;
}

static void add_exposure(struct engine *engine, const struct event *order, const struct drug *drug)
{
    struct date_span span = exposure_order_start(order);
    if (span.precision == DATE_ABSENT) {
        exposure_note_undated(engine, order, drug);
        return;
    }
    bool counts_from_first = span.precision == DATE_DAY || RULE_ON(EXP_PARTIAL);
    struct told told = {
        .event = order,
        .drug = drug,
        .start = span,
        .end = order_end(order, drug, counts_from_first ? span.first.day : span.last.day),
        .proof = order->reported && RULE_ON(EXP_REPORTED) ? PROOF_REPORTED /* EXP-004 */
                                                          : PROOF_ORDERED
    };
    exposure_add(engine, &told);
}

/* Eye drops, creams, another use: known, and no exposure. */
static void tell_local(struct engine *engine, const struct event *order)
{
    for (unsigned i = 0; i < order->local_count; i++)
        if (is_missed(order->drugs[i]))
            left_out_tell(engine, order, RULE_SUPPORTIVE,
                          SLICE("a form for one place of the body, or another use: no exposure"));
}

static void add_order(struct engine *engine, const struct event *order)
{
    tell_local(engine, order);
    bool is_interesting = false;
    for (unsigned i = 0; i < order->drug_count; i++)
        is_interesting = is_interesting || exposure_is_of_interest(order->drugs[i]);
    if (!is_interesting)
        return;
    enum admission admission = admit(engine, order);
    for (unsigned i = 0; admission != ADMIT_COUNT && i < order->drug_count; i++)
        if (is_missed(order->drugs[i]))
            left_out_note(engine, order, rule_of_admission(order));
    for (unsigned i = 0; admission != ADMIT_NOT && i < order->drug_count; i++) {
        const struct drug *drug = order->drugs[i];
        if (!exposure_is_of_interest(drug))
            continue;
        if (admission == ADMIT_PLAN)
            add_plan(engine, order, drug);
        else if (admission == ADMIT_COUNT)
            add_exposure(engine, order, drug);
        else if (is_missed(drug))
            note_unattributed(engine, order); /* "ever ordered": listed, in no line */
    }
}

/* --- what exposures say of each other ------------------------------------------------------- */

/* EXP-015: two orders of one drug on one day that end differently: an explicit stop wins. */
static void settle_same_day(struct engine *engine)
{
    for (unsigned i = 1; i < engine->exposure_count; i++) {
        struct exposure *a = &engine->exposures[i - 1], *b = &engine->exposures[i];
        if (a->drug != b->drug || a->start.day != b->start.day || a->end.day == b->end.day)
            continue;
        bool stop_a = a->order->status == STATUS_STOPPED,
             stop_b = b->order->status == STATUS_STOPPED;
        if (stop_a && !stop_b && RULE_ON(EXP_SAME_DAY)) {
            b->end = a->end;
            b->stated_end = a->stated_end;
            b->is_open = false;
        } else if (stop_b && !stop_a && RULE_ON(EXP_SAME_DAY)) {
            a->end = b->end;
            a->stated_end = b->stated_end;
            a->is_open = false;
        }
    }
}

/* EXP-013: a renewal joins the order that it names, whatever the gap, unless that was stopped. */
static void join_renewals(struct engine *engine)
{
    for (unsigned i = 0; i < engine->exposure_count; i++) {
        const struct exposure *renewal = &engine->exposures[i];
        if (renewal->order->prior_prescription.len == 0)
            continue;
        const struct event *prior =
            exposures_find_order(engine, renewal->order->prior_prescription);
        if (prior == NULL || is_one_of(prior->status, IS_HALTED))
            continue;
        for (unsigned k = i; k-- > 0;) {
            struct exposure *before = &engine->exposures[k];
            if (before->order != prior || before->drug != renewal->drug)
                continue;
            if (before->end.day < renewal->start.day - 1 && RULE_ON(EXP_JOIN))
                before->end.day = before->stated_end.day = renewal->start.day - 1;
            break;
        }
    }
}

/* The drugs ordered within `stale_open` days of as_of, each once; NULL past the arena's limit. */
static const struct drug **recent_drugs(struct engine *engine, unsigned *count)
{
    unsigned from = engine->exposure_count;
    while (from > 0 &&
           engine->as_of - engine->exposures[from - 1].start.day <= engine->rules->stale_open)
        from--;
    const struct drug **drugs =
        arena_alloc_raw(engine->arena, (engine->exposure_count - from + 1) * sizeof(*drugs));
    *count = 0;
    for (unsigned i = from; drugs != NULL && i < engine->exposure_count; i++) {
        unsigned at = 0;
        while (at < *count && drugs[at] != engine->exposures[i].drug)
            at++;
        if (at == *count)
            drugs[(*count)++] = engine->exposures[i].drug;
    }
    return drugs;
}

int32_t exposure_stop_day(const struct exposure *exposure)
{
    bool is_dated = exposure->order->status_changed.precision != DATE_ABSENT;
    return is_dated ? exposure->stated_end.day : exposure->end.day;
}

static int32_t latest_start(const struct engine *engine, const struct drug *drug)
{
    unsigned at = engine->exposure_count - 1;
    while (engine->exposures[at].drug != drug)
        at--;
    return engine->exposures[at].start.day;
}

/* EXP-012: open for longer than `stale_open` days, and the drug was not ordered again since. */
static void flag_stale(struct engine *engine)
{
    int32_t limit = engine->rules->stale_open;
    const struct drug **recent = NULL; /* made when first needed */
    unsigned recent_count = 0;
    for (unsigned i = 0; i < engine->exposure_count; i++) {
        struct exposure *open = &engine->exposures[i];
        bool says_nothing = open->is_open && open->order->bounds_end.precision == DATE_ABSENT;
        if (!says_nothing)
            continue;
        int32_t since =
            open->last_told.day > open->start.day ? open->last_told.day : open->start.day;
        engine_changes_on(engine, since + limit + 1);
        if (engine->as_of - since <= limit)
            continue;
        if (recent == NULL)
            recent = recent_drugs(engine, &recent_count);
        bool is_renewed = false;
        for (unsigned k = 0; k < recent_count && !is_renewed; k++)
            is_renewed = recent[k] == open->drug;
        if (is_renewed)
            engine_changes_on(engine, latest_start(engine, open->drug) + limit + 1);
        open->is_stale_open = !is_renewed && RULE_ON(EXP_STALE);
    }
}

bool exposures_collect(struct engine *engine, struct err *err)
{
    size_t most = 0;
    for (unsigned i = 0; i < engine->order_count; i++)
        most += engine->orders[i]->drug_count;
    engine->exposures = arena_alloc_raw(engine->arena, (most + 1) * sizeof(struct exposure));
    engine->plans = arena_alloc_raw(engine->arena, (most + 1) * sizeof(struct exposure));
    engine->unattributed = arena_alloc_raw(
        engine->arena, (engine->order_count + engine->given_count + 1) * sizeof(struct event *));
    if (arena_overflowed(engine->arena))
        return err_fail(err, ERR_TOO_LARGE, "therapy", "too many orders for one derivation");
    for (unsigned i = 0; i < engine->order_count; i++)
        add_order(engine, engine->orders[i]);
    if (!exposures_sort(engine))
        return err_fail(err, ERR_TOO_LARGE, "therapy", "too many orders for one derivation");
    settle_same_day(engine);
    join_renewals(engine);
    if (engine->given_count > 0 && (!fulfil_orders(engine, err) || !exposures_sort(engine)))
        return err_fail(err, ERR_TOO_LARGE, "therapy", "too many events for one derivation");
    flag_stale(engine);
    for (unsigned i = 0; i < engine->exposure_count; i++)
        engine->exposures[i].is_reported = engine->exposures[i].proof == PROOF_REPORTED;
    return true;
}
