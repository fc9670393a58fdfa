/* From orders to regimens.  Orders of one drug join to eras; where the set of running eras stays
 * the same for long enough, has an anchor and enough drugs, it is a regimen.  Shorter stretches are
 * transitions: an early refill, a late one, drugs that start some days apart. */
#include "therapy/hiv_int.h"

/* --- slots ----------------------------------------------------------------------------------- */

static unsigned find_slot(const struct hiv_course *course, const struct arv *arv, bool is_dose)
{
    unsigned at = 0;
    while (at < course->slot_count &&
           (course->slots[at].arv != arv || course->slots[at].is_dose != is_dose))
        at++;
    return at;
}

static bool take_slot(struct hiv_course *course, const struct arv *arv, bool is_dose, unsigned drug,
                      unsigned *out, struct err *err)
{
    unsigned at = find_slot(course, arv, is_dose);
    *out = at;
    if (at < course->slot_count)
        return true;
    if (at == LOT_DRUGS_MAX)
        return err_fail(err, ERR_TOO_LARGE, "therapy", "more than %d antiretrovirals",
                        LOT_DRUGS_MAX);
    course->slots[course->slot_count++] =
        (struct hiv_slot){ .arv = arv, .is_dose = is_dose, .drug = (uint8_t)drug };
    uint64_t bit = slot_bit(at);
    if (is_dose) {
        course->doses |= bit;
        return true;
    }
    course->kinds[arv->kind] |= bit;
    if (arv->kind != ARV_NRTI && arv->kind != ARV_BOOSTER)
        course->anchors |= bit;
    if (arv->is_signal && RULE_ON(HIV_SIGNAL))
        course->signals |= bit;
    if (arv->is_second_line_pair)
        course->pair |= bit;
    return true;
}

uint64_t hiv_drugs(const struct hiv_course *course, uint64_t slots)
{
    return slots & ~course->doses;
}

/* --- HIV-018: a dose that speaks of resistance ----------------------------------------------- */

static bool is_pregnant(const struct hiv_course *course, int32_t day)
{
    const struct engine *engine = course->engine;
    for (unsigned i = 0; i < engine->condition_count; i++) {
        const struct event *condition = engine->conditions[i];
        int32_t from = condition_known(condition);
        if (from == DATE_NONE || from > day || !condition_counts(condition))
            continue;
        if (!condition_means(condition, DISEASE_PREGNANCY, MEANS_PRIMARY) &&
            !condition_means(condition, DISEASE_HIV, MEANS_IN_PREGNANCY))
            continue;
        int32_t until = condition->abatement.precision != DATE_ABSENT
                            ? condition->abatement.last.day
                            : from + course->rules->pregnancy;
        if (day <= until)
            return true;
    }
    return false;
}

static bool is_induced(const struct hiv_course *course, const struct exposure *exposure)
{
    for (unsigned i = 0; i < course->inducer_count; i++)
        if (course->inducers[i]->start.day <= exposure->end.day &&
            course->inducers[i]->end.day >= exposure->start.day)
            return true;
    return false;
}

static bool is_resistance_dose(const struct hiv_course *course, const struct arv *arv,
                               const struct exposure *exposure)
{
    if (arv->twice_daily == TWICE_DAILY_USUAL ||
        exposure->order->doses_per_1000_days < course->rules->doses_twice || !RULE_ON(HIV_DOSE))
        return false;
    if (arv->twice_daily == TWICE_DAILY_RESISTANCE_OR_INDUCER && is_induced(course, exposure))
        return false;
    return !is_pregnant(course, exposure->start.day);
}

/* --- eras ------------------------------------------------------------------------------------ */

static void add_to_era(struct hiv_course *course, unsigned latest[LOT_DRUGS_MAX + 1],
                       const struct exposure *exposure, unsigned slot)
{
    int32_t start = exposure->start.day;
    int32_t end = exposure->is_open ? FOREVER : exposure->end.day;
    int32_t lasts = drug_has(exposure->drug, TRAIT_DEPOT) ? start + exposure->drug->tail_days : end;
    end = lasts > end ? lasts : end; /* an injection works until the next one is due */
    if (latest[slot] > 0) {
        struct hiv_era *era = &course->eras[latest[slot] - 1];
        if (era->end == FOREVER || start - era->end <= course->engine->rules->era_persistence) {
            era->end = end > era->end ? end : era->end;
            era->last_start = start;
            return;
        }
    }
    course->eras[course->era_count++] =
        (struct hiv_era){ .start = start, .end = end, .last_start = start, .slot = (uint8_t)slot };
    latest[slot] = course->era_count;
}

/* How many different antiretrovirals have an order that starts in [day, day + days). */
static unsigned count_ordered(const struct hiv_course *course, int32_t day, int32_t days)
{
    uint64_t slots = 0;
    for (unsigned i = 0; i < course->use_count; i++) {
        int32_t start = course->uses[i]->start.day;
        if (start >= day && start < day + days)
            slots |= slot_bit(course->use_slots[i]);
    }
    return (unsigned)__builtin_popcountll(slots & ~course->kinds[ARV_BOOSTER]);
}

/* HIV-023: an anchor that is not ordered again after another one has come is what was left of the
 * regimen before, up to `leftover` days; and without limit when a whole regimen came. */
static void cut_leftovers(struct hiv_course *course)
{
    for (unsigned i = 0; i < course->era_count; i++) {
        const struct hiv_era *now = &course->eras[i];
        if ((course->anchors & slot_bit(now->slot)) == 0 || !RULE_ON(HIV_LEFTOVER))
            continue;
        unsigned ordered = 0;
        for (unsigned k = 0; k < i; k++) {
            struct hiv_era *old = &course->eras[k];
            if ((course->anchors & slot_bit(old->slot)) == 0 || old->slot == now->slot ||
                old->start >= now->start || old->end < now->start || old->last_start >= now->start)
                continue;
            if (ordered == 0)
                ordered = count_ordered(course, now->start, course->rules->regimen_stable);
            bool is_short = old->end != FOREVER && old->end - now->start <= course->rules->leftover;
            if (is_short || ordered >= (unsigned)course->rules->regimen_drugs)
                old->end = now->start - 1;
        }
    }
}

static void collect_inducers(struct hiv_course *course)
{
    const struct engine *engine = course->engine;
    for (unsigned i = 0; i < engine->exposure_count; i++) {
        const struct exposure *exposure = &engine->exposures[i];
        if ((exposure->diseases & engine->hiv.bit) != 0 && drug_has(exposure->drug, TRAIT_INDUCER))
            course->inducers[course->inducer_count++] = exposure;
    }
}

bool hiv_collect(struct hiv_course *course, struct err *err)
{
    const struct engine *engine = course->engine;
    size_t most = engine->exposure_count + 1;
    unsigned latest[LOT_DRUGS_MAX + 1] = { 0 };
    course->uses = arena_alloc_raw(engine->arena, most * sizeof(struct exposure *));
    course->inducers = arena_alloc_raw(engine->arena, most * sizeof(struct exposure *));
    course->use_slots = arena_alloc_raw(engine->arena, most);
    course->is_in_line = arena_alloc(engine->arena, most);
    course->eras = arena_alloc_raw(engine->arena, 2 * most * sizeof(struct hiv_era));
    if (arena_overflowed(engine->arena))
        return err_fail(err, ERR_TOO_LARGE, "therapy", "too many orders for one derivation");
    collect_inducers(course);
    for (unsigned i = 0; i < engine->exposure_count; i++) {
        const struct exposure *exposure = &engine->exposures[i];
        const struct arv *arv = hiv_arv(course->rules, exposure->drug);
        unsigned slot, dose;
        if ((exposure->diseases & engine->hiv.bit) == 0 || arv == NULL)
            continue;
        if (!take_slot(course, arv, false, 0, &slot, err))
            return false;
        course->uses[course->use_count] = exposure;
        course->use_slots[course->use_count++] = (uint8_t)slot;
        add_to_era(course, latest, exposure, slot);
        if (!is_resistance_dose(course, arv, exposure))
            continue;
        if (!take_slot(course, arv, true, slot, &dose, err))
            return false;
        add_to_era(course, latest, exposure, dose);
    }
    cut_leftovers(course);
    return true;
}

/* --- regimens -------------------------------------------------------------------------------- */

/* A day on which eras start or have ended. */
struct turn {
    int32_t day;
    uint8_t slot;
    bool is_end;
};

static bool turn_before(const struct turn *a, const struct turn *b) { return a->day < b->day; }

static void sift_down(struct turn *turns, unsigned from, unsigned count)
{
    for (unsigned child; (child = 2 * from + 1) < count; from = child) {
        if (child + 1 < count && turn_before(&turns[child], &turns[child + 1]))
            child++;
        if (!turn_before(&turns[from], &turns[child]))
            return;
        struct turn swap = turns[from];
        turns[from] = turns[child];
        turns[child] = swap;
    }
}

static void sort_turns(struct turn *turns, unsigned count)
{
    for (unsigned i = count / 2; i-- > 0;)
        sift_down(turns, i, count);
    for (unsigned left = count; left-- > 1;) {
        struct turn swap = turns[0];
        turns[0] = turns[left];
        turns[left] = swap;
        sift_down(turns, 0, left);
    }
}

bool hiv_has_boosted_pi(const struct hiv_course *course, const struct art *art)
{
    for (unsigned s = 0; s < course->slot_count; s++) {
        const struct arv *arv = course->slots[s].arv;
        if ((art->slots & course->kinds[ARV_PI] & slot_bit(s)) == 0)
            continue;
        if (arv->boosted == BOOSTED_ALWAYS ||
            (arv->boosted == BOOSTED_WITH_BOOSTER && art->boosters != 0))
            return true;
    }
    return false;
}

/* The first day on which no other anchor than those of `slots` is left from before `start`. */
static int32_t end_of_anchors(const struct hiv_course *course, uint64_t slots, int32_t start)
{
    int32_t end = INT32_MIN;
    for (unsigned i = 0; i < course->era_count && course->eras[i].start < start; i++) {
        const struct hiv_era *era = &course->eras[i];
        bool is_other = (course->anchors & ~slots & slot_bit(era->slot)) != 0;
        if (is_other && era->end < start && era->end >= end)
            end = era->end + 1;
    }
    return end;
}

/* The drugs of a regimen may start some days apart: it begins with the first new one. */
static int32_t begin_of(const struct hiv_course *course, const struct art *last, uint64_t slots,
                        int32_t start)
{
    uint64_t fresh = last != NULL ? slots & ~last->slots : slots;
    int32_t begin = start, least = end_of_anchors(course, slots, start);
    for (unsigned i = 0; i < course->era_count && course->eras[i].start <= start; i++) {
        const struct hiv_era *era = &course->eras[i];
        bool is_near = era->start >= least && start - era->start <= course->rules->regimen_stable &&
                       (last == NULL || era->start > last->end);
        if ((fresh & slot_bit(era->slot)) != 0 && era->end >= start && is_near &&
            era->start < begin)
            begin = era->start;
    }
    return begin;
}

/* HIV-005, and HIV-003: a short course that ended before HIV was known is prophylaxis. */
static bool is_regimen(const struct hiv_course *course, uint64_t slots, int32_t start, int32_t end)
{
    uint64_t drugs = hiv_drugs(course, slots);
    bool is_complete = (drugs & course->anchors) != 0 &&
                       __builtin_popcountll(drugs) >= course->rules->regimen_drugs;
    bool is_stable = end == FOREVER || end - start >= course->rules->regimen_stable;
    if ((!is_complete || !is_stable) && RULE_ON(HIV_REGIMEN))
        return false;
    int32_t known = course->engine->hiv.known;
    bool is_prophylaxis = end != FOREVER && end - start <= course->rules->pep &&
                          known != DATE_NONE && end < known && RULE_ON(HIV_PEP);
    return drugs != 0 && !is_prophylaxis;
}

static void add_stretch(struct hiv_course *course, uint64_t running, int32_t start, int32_t end)
{
    uint64_t boosters = running & course->kinds[ARV_BOOSTER];
    uint64_t slots = running & ~course->kinds[ARV_BOOSTER];
    for (unsigned s = 0; s < course->slot_count; s++)
        if (course->slots[s].is_dose && (slots & slot_bit(course->slots[s].drug)) == 0)
            slots &= ~slot_bit(s);
    if (!is_regimen(course, slots, start, end))
        return;
    if (start > course->engine->as_of) { /* what is left when a drug of today has run out */
        engine_changes_on(course->engine, start);
        return;
    }
    struct art *last =
        course->regimen_count > 0 ? &course->regimens[course->regimen_count - 1] : NULL;
    if (last != NULL && last->slots == slots) { /* HIV-022 */
        if (start - last->end > course->engine->rules->era_persistence) {
            last->resumed = start;
            last->pause = start - last->end - 1;
        }
        last->end = end;
        last->boosters |= boosters;
        return;
    }
    int32_t begin = begin_of(course, last, slots, start);
    course->regimens[course->regimen_count++] =
        (struct art){ begin, end, slots, boosters, DATE_NONE, 0 };
}

bool hiv_make_regimens(struct hiv_course *course, struct err *err)
{
    struct arena *arena = course->engine->arena;
    struct turn *turns = arena_alloc_raw(arena, (2 * course->era_count + 1) * sizeof(*turns));
    course->regimens =
        arena_alloc_raw(arena, (2 * course->era_count + 1) * sizeof(course->regimens[0]));
    if (turns == NULL || course->regimens == NULL)
        return err_fail(err, ERR_TOO_LARGE, "therapy", "too many orders for one derivation");
    unsigned count = 0;
    for (unsigned i = 0; i < course->era_count; i++) {
        const struct hiv_era *era = &course->eras[i];
        if (era->end < era->start)
            continue; /* a leftover whose day is gone */
        turns[count++] = (struct turn){ era->start, era->slot, false };
        if (era->end != FOREVER)
            turns[count++] = (struct turn){ era->end + 1, era->slot, true };
    }
    sort_turns(turns, count);
    /* Boosters alone change nothing: a stretch goes on while the other slots are the same. */
    uint64_t running = 0, kept = 0, boosters = 0;
    int32_t start = 0;
    for (unsigned i = 0; i < count;) {
        int32_t day = turns[i].day;
        uint64_t started = 0, ended = 0;
        for (; i < count && turns[i].day == day; i++)
            *(turns[i].is_end ? &ended : &started) |= slot_bit(turns[i].slot);
        running = (running & ~ended) | started;
        uint64_t plain = running & ~course->kinds[ARV_BOOSTER];
        if (plain == kept) {
            boosters |= running & course->kinds[ARV_BOOSTER];
            continue;
        }
        if (kept != 0)
            add_stretch(course, kept | boosters, start, day - 1);
        kept = plain;
        boosters = running & course->kinds[ARV_BOOSTER];
        start = day;
    }
    if (kept != 0)
        add_stretch(course, kept | boosters, start, FOREVER);
    return true;
}
