#include "therapy/fulfil.h"

#include <stdlib.h>

#include "therapy/exposure.h"
#include "therapy/left_out.h"

/* The weight of what tells of a drug, the strongest first. */
enum rank { RANK_ADMINISTERED, RANK_DISPENSED, RANK_REPORTED, RANK_COUNT };

/* One drug of one administration, dispense or statement. */
struct telling {
    const struct event *event;
    const struct drug *drug;
    const struct event *order; /* the counted order that it names; NULL without one */
    struct date_span span;
    struct told_end end;
    enum rank rank;
};

/* What belongs to an exposure, in order of the exposures, then of days. */
struct belonging {
    struct exposure *exposure;
    const struct telling *telling;
};

struct fulfilment {
    struct engine *engine;
    struct telling *tellings;
    unsigned count;
    struct exposure **by_drug; /* by drug, start, order id */
    unsigned by_drug_count;
    struct belonging *belongings;
    unsigned belonging_count;
};

/* --- what is told ---------------------------------------------------------------------------- */

/* EXP-022 to EXP-024, and EXP-001 for the words of these types. */
static bool is_admitted(const struct event *event)
{
    if (!is_one_of(event->status, ONE(STATUS_COMPLETED) | ONE(STATUS_ACTIVE) | IS_HALTED))
        return false;
    if (event->type == FHIR_MEDICATION_DISPENSE)
        return RULE_ON(EXP_DISPENSED);
    if (event->type == FHIR_MEDICATION_STATEMENT)
        return RULE_ON(EXP_STATED);
    return RULE_ON(EXP_ADMINISTERED);
}

static enum rank rank_of(const struct event *event)
{
    if (event->type == FHIR_MEDICATION_DISPENSE)
        return RANK_DISPENSED;
    return event->type == FHIR_MEDICATION_STATEMENT ? RANK_REPORTED : RANK_ADMINISTERED;
}

/* By which a telling that does not count is left out. */
static enum rule rule_of_rank(enum rank rank)
{
    return rank == RANK_ADMINISTERED ? RULE_EXP_ADMINISTERED
           : rank == RANK_DISPENSED  ? RULE_EXP_DISPENSED
                                     : RULE_EXP_STATED;
}

static unsigned proof_of(enum rank rank)
{
    static const unsigned proofs[RANK_COUNT] = { PROOF_ADMINISTERED, PROOF_DISPENSED,
                                                 PROOF_REPORTED };
    return proofs[rank];
}

/* An administration is what was given, with no tail.  A dispense lasts its supply.  A statement
 * that goes on has no end; one about a single day says no more than a finished order does. */
static struct told_end end_of(const struct event *event, const struct drug *drug)
{
    bool goes_on = is_one_of(event->status, GOES_ON);
    int32_t start = event->effective.first.day;
    if (event->effective_end.precision != DATE_ABSENT)
        return (struct told_end){ .day = event->effective_end.last.day };
    switch (rank_of(event)) {
    case RANK_DISPENSED:
        if (event->supply_days > 0)
            return (struct told_end){ .day = start + event->supply_days };
        break;
    case RANK_REPORTED:
        if (goes_on)
            return (struct told_end){ .day = INT32_MAX, .is_open = true };
        break;
    case RANK_ADMINISTERED:
    case RANK_COUNT:
        return (struct told_end){ .day = event->effective.last.day };
    }
    return (struct told_end){ .day = start + drug->tail_days, .is_assumed = true };
}

/* What was entered in error, or deleted, was never there. */
static const struct event *order_among(struct engine *engine, const struct event *event)
{
    for (unsigned i = 0; i < event->based_on_count; i++) {
        const struct event *order = exposures_find_order(engine, event->based_on[i]);
        if (order != NULL && order->status != STATUS_ENTERED_IN_ERROR)
            return order;
    }
    return NULL;
}

/* The order that an event names, or that what it names belongs to: a statement may be derived from
 * a dispense, which names the order. */
static const struct event *named_order(struct engine *engine, const struct event *event)
{
    const struct event *order = order_among(engine, event);
    for (unsigned i = 0; order == NULL && i < event->based_on_count; i++) {
        const struct event *between = exposures_find_given(engine, event->based_on[i]);
        if (between != NULL && between != event && between->status != STATUS_ENTERED_IN_ERROR)
            order = order_among(engine, between);
    }
    return order;
}

static void note_left_out(struct engine *engine, const struct telling *telling, enum rule rule)
{
    if (exposure_makes_lines(telling->drug) && telling->drug->group != DRUG_UNKNOWN)
        left_out_note(engine, telling->event, rule);
}

static void collect_tellings(struct fulfilment *fulfilment)
{
    struct engine *engine = fulfilment->engine;
    for (unsigned i = 0; i < engine->given_count; i++) {
        const struct event *event = engine->given[i];
        bool is_admitted_event = is_admitted(event);
        for (unsigned k = 0; k < event->drug_count; k++) {
            const struct drug *drug = event->drugs[k];
            bool is_dated = event->effective.precision != DATE_ABSENT;
            if (!exposure_is_of_interest(drug))
                continue;
            if (!is_admitted_event && event->status != STATUS_UNKNOWN) {
                note_left_out(engine, &(struct telling){ .event = event, .drug = drug },
                              rule_of_rank(rank_of(event)));
                continue;
            }
            if (!is_dated || !is_admitted_event) {
                exposure_note_undated(engine, event, drug);
                continue;
            }
            fulfilment->tellings[fulfilment->count++] =
                (struct telling){ .event = event,
                                  .drug = drug,
                                  .order = named_order(engine, event),
                                  .span = event->effective,
                                  .end = end_of(event, drug),
                                  .rank = rank_of(event) };
        }
    }
}

/* --- order ----------------------------------------------------------------------------------- */

static int compare_drugs(const struct drug *a, const struct drug *b)
{
    if (a->index != b->index)
        return a->index < b->index ? -1 : 1;
    return a == b ? 0 : slice_cmp(a->name, b->name);
}

/* By rank, drug and day; type and id only so that equal input gives equal output. */
static bool telling_before(const void *a, const void *b)
{
    const struct telling *first = a, *second = b;
    if (first->rank != second->rank)
        return first->rank < second->rank;
    int by_drug = compare_drugs(first->drug, second->drug);
    if (by_drug != 0)
        return by_drug < 0;
    if (first->span.first.day != second->span.first.day)
        return first->span.first.day < second->span.first.day;
    if (first->event->type != second->event->type)
        return first->event->type < second->event->type;
    return slice_cmp(first->event->id, second->event->id) < 0;
}

static bool pointed_before(const void *a, const void *b)
{
    const struct exposure *first = *(struct exposure *const *)a;
    const struct exposure *second = *(struct exposure *const *)b;
    int by_drug = compare_drugs(first->drug, second->drug);
    if (by_drug != 0)
        return by_drug < 0;
    if (first->start.day != second->start.day)
        return first->start.day < second->start.day;
    if (first->order->type != second->order->type)
        return first->order->type < second->order->type;
    return slice_cmp(first->order->id, second->order->id) < 0;
}

/* By exposure, then day, type and id. */
static bool belonging_before(const void *a, const void *b)
{
    const struct belonging *first = a, *second = b;
    if (first->exposure != second->exposure)
        return first->exposure < second->exposure;
    if (first->telling->span.first.day != second->telling->span.first.day)
        return first->telling->span.first.day < second->telling->span.first.day;
    if (first->telling->event->type != second->telling->event->type)
        return first->telling->event->type < second->telling->event->type;
    return slice_cmp(first->telling->event->id, second->telling->event->id) < 0;
}

typedef bool before_fn(const void *a, const void *b);

/* Insertion where it is nearly sorted, as what arrives by date is; else a merge. */
static bool sort_items(void *items, unsigned count, size_t size, before_fn *before,
                       struct arena *arena)
{
    char *from = items;
    bool is_sorted = true;
    for (unsigned i = 1; i < count && is_sorted; i++)
        is_sorted = !before(from + i * size, from + (i - 1) * size);
    if (is_sorted)
        return true;
    char *spare = arena_alloc_raw(arena, count * size), *to = spare;
    if (spare == NULL)
        return false;
    for (unsigned width = 1; width < count; width *= 2) {
        for (unsigned low = 0; low < count; low += 2 * width) {
            unsigned middle = low + width < count ? low + width : count;
            unsigned high = middle + width < count ? middle + width : count;
            for (unsigned a = low, b = middle, at = low; at < high; at++) {
                bool take_a =
                    a < middle && (b >= high || !before(from + b * size, from + a * size));
                memcpy(to + at * size, from + (take_a ? a++ : b++) * size, size);
            }
        }
        char *swap = from;
        from = to;
        to = swap;
    }
    if (from != items)
        memcpy(items, from, count * size);
    return true;
}

/* --- which exposure it belongs to ------------------------------------------------------------ */

/* EXP-025: the exposure that the named order is for this drug. */
static struct exposure *find_named(const struct fulfilment *fulfilment,
                                   const struct telling *telling)
{
    unsigned low = 0, high = fulfilment->by_drug_count;
    if (telling->order == NULL || !RULE_ON(EXP_FULFILS))
        return NULL;
    while (low < high) { /* the first of the drug */
        unsigned middle = low + (high - low) / 2;
        if (compare_drugs(fulfilment->by_drug[middle]->drug, telling->drug) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    unsigned first = low;
    high = fulfilment->by_drug_count;
    int32_t start = exposure_order_start(telling->order).first.day;
    while (low < high) { /* the first that starts with the order */
        unsigned middle = low + (high - low) / 2;
        const struct exposure *exposure = fulfilment->by_drug[middle];
        if (compare_drugs(exposure->drug, telling->drug) == 0 && exposure->start.day < start)
            low = middle + 1;
        else
            high = middle;
    }
    for (unsigned i = low < first ? first : low; i < fulfilment->by_drug_count; i++) {
        struct exposure *exposure = fulfilment->by_drug[i];
        if (compare_drugs(exposure->drug, telling->drug) != 0 || exposure->start.day > start)
            return NULL;
        if (exposure->order == telling->order)
            return exposure;
    }
    return NULL;
}

static bool lies_within(const struct telling *telling, const struct exposure *exposure,
                        int32_t slack)
{
    return exposure != NULL && exposure->start.day <= telling->span.last.day + slack &&
           exposure->end.day >= telling->span.first.day - slack;
}

/* Where the sweep over one drug stands: what has begun by the day that is asked. */
struct sweep {
    const struct drug *drug;
    unsigned next;
    struct exposure *latest, *longest; /* by start; by end */
};

static void sweep_to(const struct fulfilment *fulfilment, struct sweep *sweep,
                     const struct telling *telling, int32_t slack)
{
    if (sweep->drug == NULL || compare_drugs(sweep->drug, telling->drug) != 0) {
        sweep->drug = telling->drug;
        sweep->latest = sweep->longest = NULL;
        while (sweep->next < fulfilment->by_drug_count &&
               compare_drugs(fulfilment->by_drug[sweep->next]->drug, telling->drug) < 0)
            sweep->next++;
    }
    for (; sweep->next < fulfilment->by_drug_count; sweep->next++) {
        struct exposure *exposure = fulfilment->by_drug[sweep->next];
        if (compare_drugs(exposure->drug, telling->drug) != 0 ||
            exposure->start.day > telling->span.last.day + slack)
            return;
        sweep->latest = exposure;
        if (sweep->longest == NULL || exposure->end.day > sweep->longest->end.day)
            sweep->longest = exposure;
    }
}

/* EXP-026: the order of the same drug in whose time it lies, the latest one first. */
static struct exposure *find_within(const struct fulfilment *fulfilment, struct sweep *sweep,
                                    const struct telling *telling)
{
    int32_t slack = fulfilment->engine->rules->fulfil_slack;
    sweep_to(fulfilment, sweep, telling, slack);
    if (lies_within(telling, sweep->latest, slack) && RULE_ON(EXP_WITHIN))
        return sweep->latest;
    if (lies_within(telling, sweep->longest, slack) && RULE_ON(EXP_WITHIN))
        return sweep->longest;
    return NULL;
}

/* EXP-029: cells are ordered weeks before they are given, and a code for the infusion need not know
 * the product: the nearest cell therapy is the one. */
static struct exposure *find_cells(const struct fulfilment *fulfilment,
                                   const struct telling *telling)
{
    const struct engine *engine = fulfilment->engine;
    struct exposure *nearest = NULL;
    int32_t day = telling->span.first.day;
    if (!drug_has(telling->drug, TRAIT_CELL_THERAPY) || !RULE_ON(EXP_INFUSION))
        return NULL;
    for (unsigned i = 0; i < engine->exposure_count; i++) {
        struct exposure *exposure = &engine->exposures[i];
        if (!drug_has(exposure->drug, TRAIT_CELL_THERAPY) ||
            exposure->start.day < day - engine->rules->cell_order_lookback ||
            exposure->start.day > day + engine->rules->fulfil_slack)
            continue;
        if (nearest == NULL || abs(exposure->start.day - day) < abs(nearest->start.day - day))
            nearest = exposure;
    }
    return nearest;
}

/* --- what it changes ------------------------------------------------------------------------- */

static bool has_stated_stop(const struct event *order)
{
    return is_one_of(order->status, IS_HALTED) && order->status_changed.precision != DATE_ABSENT;
}

static void move_end(struct engine *engine, struct exposure *exposure, int32_t end)
{
    exposure->is_assumed_end = false;
    exposure->is_open = end > engine->as_of;
    if (exposure->is_open)
        engine_changes_on(engine, end);
    exposure->stated_end.day = end;
    exposure->end.day = exposure->is_open ? engine->as_of : end;
}

/* EXP-027, dispenses: each refill reaches as far as its supply, unless the order was stopped. */
static void refine_by_supply(struct engine *engine, struct exposure *exposure,
                             const struct telling *telling)
{
    bool is_news = !telling->end.is_assumed && (!exposure->is_open || exposure->is_assumed_end) &&
                   (exposure->is_assumed_end || telling->end.day > exposure->end.day);
    if (is_news && !has_stated_stop(exposure->order) && RULE_ON(EXP_CONFIRM_END))
        move_end(engine, exposure, telling->end.day);
}

static void belong(struct fulfilment *fulfilment, struct exposure *exposure,
                   const struct telling *telling)
{
    exposure->proof |= proof_of(telling->rank);
    if (telling->rank == RANK_DISPENSED)
        refine_by_supply(fulfilment->engine, exposure, telling);
    fulfilment->belongings[fulfilment->belonging_count++] = (struct belonging){ exposure, telling };
}

/* EXP-027, administrations: an end that was only assumed is the last one given; and what was given
 * beyond the order was given. */
static void refine_by_given(struct engine *engine, struct exposure *exposure, int32_t last)
{
    bool is_news = exposure->is_assumed_end || (!exposure->is_open && last > exposure->end.day);
    if (last != DATE_NONE && is_news && RULE_ON(EXP_CONFIRM_END))
        move_end(engine, exposure, last > exposure->start.day ? last : exposure->start.day);
}

/* EXP-029: the day of a cell therapy is that of its infusion. */
static void refine_infusion(struct exposure *exposure, const struct belonging *belongings,
                            unsigned count)
{
    if (!drug_has(exposure->drug, TRAIT_CELL_THERAPY) || !RULE_ON(EXP_INFUSION))
        return;
    for (unsigned i = 0; i < count; i++) {
        const struct telling *telling = belongings[i].telling;
        if (telling->rank != RANK_ADMINISTERED || telling->span.precision != DATE_DAY)
            continue;
        exposure->start_span = telling->span;
        exposure->start = exposure->end = telling->span.first;
        exposure->is_open = exposure->is_assumed_end = false;
        return;
    }
}

/* EXP-028: a date without a day gets the day of the first administration that lies in it. */
static void refine_start(struct exposure *exposure, const struct belonging *belongings,
                         unsigned count)
{
    struct date_span *span = &exposure->start_span;
    for (unsigned i = 0; i < count && span->precision != DATE_DAY; i++) {
        const struct telling *telling = belongings[i].telling;
        if (telling->rank != RANK_ADMINISTERED || telling->span.precision != DATE_DAY ||
            telling->span.first.day < span->first.day || telling->span.first.day > span->last.day ||
            !RULE_ON(EXP_CONFIRM_START))
            continue;
        *span = telling->span;
        exposure->start = telling->span.first;
        if (exposure->end.day < exposure->start.day)
            exposure->end = exposure->start;
    }
}

/* Hands each exposure what belongs to it, and lets it correct the exposure. */
static bool settle(struct fulfilment *fulfilment)
{
    struct engine *engine = fulfilment->engine;
    struct belonging *belongings = fulfilment->belongings;
    unsigned count = fulfilment->belonging_count;
    const struct event **events =
        arena_alloc_raw(engine->arena, (count + 1) * sizeof(struct event *));
    if (events == NULL ||
        !sort_items(belongings, count, sizeof belongings[0], belonging_before, engine->arena))
        return false;
    for (unsigned i = 0, next; i < count; i = next) {
        struct exposure *exposure = belongings[i].exposure;
        int32_t given = DATE_NONE;
        for (next = i; next < count && belongings[next].exposure == exposure; next++) {
            const struct telling *telling = belongings[next].telling;
            events[next] = telling->event;
            exposure->last_told = telling->span.first;
            if (telling->rank == RANK_ADMINISTERED && telling->end.day > given)
                given = telling->end.day;
        }
        exposure->fulfilments = &events[i];
        exposure->fulfilment_count = next - i;
        refine_by_given(engine, exposure, given);
        refine_start(exposure, &belongings[i], next - i);
        refine_infusion(exposure, &belongings[i], next - i);
    }
    return true;
}

/* --- one rank after the other ---------------------------------------------------------------- */

static bool point_by_drug(struct fulfilment *fulfilment)
{
    struct engine *engine = fulfilment->engine;
    for (unsigned i = 0; i < engine->exposure_count; i++)
        fulfilment->by_drug[i] = &engine->exposures[i];
    fulfilment->by_drug_count = engine->exposure_count;
    return sort_items(fulfilment->by_drug, fulfilment->by_drug_count, sizeof fulfilment->by_drug[0],
                      pointed_before, engine->arena);
}

static void stand_alone(struct engine *engine, const struct telling *telling)
{
    struct told told = { .event = telling->event,
                         .drug = telling->drug,
                         .order = telling->order,
                         .start = telling->span,
                         .end = telling->end,
                         .proof = proof_of(telling->rank) };
    exposure_add(engine, &told);
}

/* Those of the rank, which stand together. */
static unsigned run_rank(struct fulfilment *fulfilment, unsigned at)
{
    struct sweep sweep = { .drug = NULL };
    enum rank rank = fulfilment->tellings[at].rank;
    for (; at < fulfilment->count && fulfilment->tellings[at].rank == rank; at++) {
        const struct telling *telling = &fulfilment->tellings[at];
        if (telling->span.first.day > fulfilment->engine->as_of) {
            engine_changes_on(fulfilment->engine, telling->span.first.day);
            note_left_out(fulfilment->engine, telling, RULE_EXP_AS_OF);
            continue;
        }
        struct exposure *exposure = find_named(fulfilment, telling);
        if (exposure == NULL)
            exposure = find_within(fulfilment, &sweep, telling);
        if (exposure == NULL)
            exposure = find_cells(fulfilment, telling);
        if (exposure != NULL)
            belong(fulfilment, exposure, telling);
        else
            stand_alone(fulfilment->engine, telling);
    }
    return at;
}

/* The exposures move to where those that stand alone fit behind them. */
static bool make_room(struct fulfilment *fulfilment)
{
    struct engine *engine = fulfilment->engine;
    size_t most = 0;
    for (unsigned i = 0; i < engine->given_count; i++)
        most += engine->given[i]->drug_count;
    size_t all = engine->exposure_count + most + 1;
    struct exposure *exposures = arena_alloc_raw(engine->arena, all * sizeof *exposures);
    fulfilment->tellings = arena_alloc_raw(engine->arena, (most + 1) * sizeof(struct telling));
    fulfilment->belongings = arena_alloc_raw(engine->arena, (most + 1) * sizeof(struct belonging));
    fulfilment->by_drug = arena_alloc_raw(engine->arena, all * sizeof(struct exposure *));
    if (arena_overflowed(engine->arena))
        return false;
    memcpy(exposures, engine->exposures, engine->exposure_count * sizeof *exposures);
    engine->exposures = exposures;
    return true;
}

bool fulfil_orders(struct engine *engine, struct err *err)
{
    struct fulfilment fulfilment = { .engine = engine };
    bool fits = make_room(&fulfilment);
    if (fits) {
        collect_tellings(&fulfilment);
        fits = sort_items(fulfilment.tellings, fulfilment.count, sizeof(struct telling),
                          telling_before, engine->arena);
    }
    for (unsigned at = 0; fits && at < fulfilment.count;) {
        fits = point_by_drug(&fulfilment);
        at = fits ? run_rank(&fulfilment, at) : at;
    }
    if (!fits || !settle(&fulfilment))
        return err_fail(err, ERR_TOO_LARGE, "therapy", "too many events for one derivation");
    return true;
}
