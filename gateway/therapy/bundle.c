#include "therapy/bundle.h"

#include "therapy/regimen.h"
#include "therapy/stay.h"

#define DEPLETION_DAYS 14 /* lymphodepletion before an infusion (RULES_SPEC 5) */
#define REPEAT_DAYS 45    /* drugs that come again within it are cycles, not conditioning */
#define SHORT_DAYS 31     /* the longest order that may be conditioning: one dose with its tail */

/* --- cell therapy ---------------------------------------------------------------------------- */

/* The first use that starts on `day` or later. */
static unsigned first_use_from(const struct course *course, int32_t day)
{
    unsigned low = 0, high = course->use_count;
    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        if (course->uses[middle].start < day)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The first day of pure lymphodepletion in the two weeks before the infusion. */
static int32_t depletion_start(const struct course *course, int32_t infusion)
{
    unsigned i = first_use_from(course, infusion - DEPLETION_DAYS);
    while (i < course->use_count && course->uses[i].start < infusion) {
        int32_t day = course->uses[i].start;
        uint64_t slots = 0;
        for (; i < course->use_count && course->uses[i].start == day; i++)
            slots |= slot_bit(course->uses[i].slot);
        if ((slots & ~course->depletion) == 0)
            return day;
    }
    return infusion;
}

/* The next cell therapy on the day of the batch or later; DATE_NONE when there is none. */
static int32_t next_infusion(const struct course *course, const struct batch *batch)
{
    unsigned low = 0, high = course->infusion_count;
    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        if (course->infusions[middle] < batch->day)
            low = middle + 1;
        else
            high = middle;
    }
    return low < course->infusion_count ? course->infusions[low] : DATE_NONE;
}

/* The last collection of cells before lymphodepletion; DATE_NONE when there was none. */
static int32_t last_apheresis(const struct course *course, int32_t before)
{
    int32_t day = DATE_NONE;
    for (unsigned i = 0; i < course->apheresis_count; i++)
        if (course->aphereses[i] < before)
            day = course->aphereses[i];
    return day;
}

struct infusion bundle_infusion(const struct course *course, const struct batch *batch)
{
    struct infusion none = { .day = DATE_NONE };
    if (course->cell == 0 || !course->profile->cart_bundle ||
        !profile_has(course->profile, RULE_CELL_THERAPY))
        return none;
    int32_t infusion = next_infusion(course, batch);
    if (infusion == DATE_NONE)
        return none;
    int32_t depletion = depletion_start(course, infusion);
    if (batch->day >= depletion)
        return (struct infusion){ infusion, depletion, false };
    int32_t apheresis = last_apheresis(course, depletion);
    if (apheresis != DATE_NONE && batch->day >= apheresis &&
        profile_has(course->profile, RULE_BRIDGING) && RULE_ON(BRIDGING))
        return (struct infusion){ infusion, depletion, true };
    return none;
}

/* --- transplants ----------------------------------------------------------------------------- */

static bool has_transplant_rules(const struct profile *profile)
{
    return profile->transplant_bundle || profile->post_transplant_maintenance != RULE_OFF;
}

static const struct transplant *transplant_after(const struct course *course, int32_t day)
{
    int32_t lookahead = course->engine->rules->conditioning_lookahead;
    for (unsigned i = 0; i < course->transplant_count; i++)
        if (course->transplants[i].day >= day && course->transplants[i].day - day <= lookahead)
            return &course->transplants[i];
    return NULL;
}

static bool has_transplant_near(const struct course *course, int32_t day)
{
    for (unsigned i = 0; i < course->transplant_count; i++)
        if (course->transplants[i].day >= day - REPEAT_DAYS &&
            course->transplants[i].day <= day + REPEAT_DAYS)
            return true;
    return false;
}

/* One dose with its tail.  While nobody knows how long an order goes on, it is short. */
static bool is_short_order(const struct course *course, const struct use *use)
{
    int32_t end = use->exposure->stated_end.day;
    if (end == INT32_MAX) {
        engine_changes_on(course->engine, use->start + SHORT_DAYS + 1);
        end = use->end;
    }
    return end - use->start <= SHORT_DAYS;
}

/* Without a Procedure: short orders of exactly a conditioning regimen, not repeated as cycles. */
static bool shows_conditioning(const struct course *course, const struct batch *batch)
{
    int32_t lookahead = course->engine->rules->conditioning_lookahead;
    int32_t first = batch->day;
    unsigned from = batch->first;
    while (from > 0 && batch->day - course->uses[from - 1].start <= lookahead)
        first = course->uses[--from].start;
    uint64_t slots = 0, later = 0, earlier = 0;
    for (unsigned i = from; i-- > 0 && course->uses[i].start >= first - REPEAT_DAYS;)
        earlier |= slot_bit(course->uses[i].slot);
    for (unsigned i = from; i < course->use_count; i++) {
        const struct use *use = &course->uses[i];
        if (use->start > batch->day + REPEAT_DAYS)
            break;
        if (use->start > first + lookahead)
            later |= slot_bit(use->slot);
        else if (!is_short_order(course, use))
            return false;
        else
            slots |= slot_bit(use->slot);
    }
    bool is_cycle = (slots & later) != 0 || (slots & ~earlier) == 0;
    return !is_cycle && (slots & course->conditioning) != 0 &&
           regimen_is_conditioning(course, slots);
}

struct conditioning bundle_conditioning(const struct course *course, const struct batch *batch)
{
    struct conditioning none = { .is_conditioning = false, .transplant = DATE_NONE };
    if (!has_transplant_rules(course->profile) || !profile_has(course->profile, RULE_CONDITIONING))
        return none;
    const struct transplant *transplant = transplant_after(course, batch->day);
    if (transplant != NULL)
        return (struct conditioning){ true, transplant->day, transplant->event };
    if (has_transplant_near(course, batch->day) || !shows_conditioning(course, batch))
        return none;
    return (struct conditioning){ true, DATE_NONE, NULL };
}

static bool is_planned_pair(const struct course *course, int32_t earlier,
                            const struct event *second)
{
    for (unsigned i = 0; second != NULL && i < course->transplant_count; i++)
        if (course->transplants[i].day == earlier &&
            stay_same_plan(course->transplants[i].event, second))
            return true;
    return false;
}

bool bundle_is_second(const struct course *course, const struct line_state *line,
                      const struct conditioning *conditioning, int32_t day, int32_t *since)
{
    const struct profile *profile = course->profile;
    int32_t earlier = line->transplant != DATE_NONE ? line->transplant : line->conditioning;
    int32_t later = conditioning->transplant != DATE_NONE ? conditioning->transplant : day;
    if (earlier == DATE_NONE || later <= earlier || !profile->second_transplant_is_line)
        return false;
    *since = later - earlier;
    if (profile->second_transplant_same_line != RULE_OFF &&
        *since <= profile->second_transplant_same_line)
        return false;
    if (profile->planned_tandem != RULE_OFF && *since <= profile->planned_tandem)
        return false;
    return !is_planned_pair(course, earlier, conditioning->event);
}
