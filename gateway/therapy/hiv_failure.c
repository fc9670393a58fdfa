/* Whether a line has failed: codes for it, orders stopped for it, and viral loads by the thresholds
 * of WHO and of DHHS (HIV-007 to HIV-011). */
#include <strings.h>

#include "therapy/evidence.h"
#include "therapy/exposure.h"
#include "therapy/hiv_int.h"

/* --- viral loads ----------------------------------------------------------------------------- */

/* 10^(digits / 10^scale), rounded down; decimals beyond the second do not count. */
static int64_t power_of_ten(int64_t digits, int32_t scale)
{
    int64_t hundredths = digits;
    for (; scale < 2; scale++)
        hundredths *= 10;
    for (; scale > 2; scale--)
        hundredths /= 10;
    if (hundredths < 0)
        return 0;
    if (hundredths > 1200)
        return INT64_MAX;
    int64_t billionths = 1000000000;
    for (int64_t i = 0; i < hundredths % 100; i++) /* 10^0.01 */
        billionths = billionths * 1023292992 / 1000000000;
    int64_t whole = 1;
    for (int64_t i = 0; i < hundredths / 100; i++)
        whole *= 10;
    return whole >= 1000000 ? whole / 1000 * (billionths / 1000000)
                            : whole * billionths / 1000000000;
}

static int64_t copies_of(const struct event *event)
{
    const struct quantity *value = &event->value;
    if (event->observation == OBSERVATION_HIV_VIRAL_LOAD_LOG)
        return power_of_ten(value->digits, value->scale);
    int64_t copies = value->digits;
    for (int32_t i = 0; i < value->scale; i++)
        copies /= 10;
    return copies > 0 ? copies : 0;
}

static bool read_load(const struct event *event, struct viral_load *out)
{
    bool is_load = is_one_of(event->observation,
                             ONE(OBSERVATION_HIV_VIRAL_LOAD) | ONE(OBSERVATION_HIV_VIRAL_LOAD_LOG));
    bool is_final = !is_one_of(event->status, ONE(STATUS_ENTERED_IN_ERROR) | ONE(STATUS_CANCELLED) |
                                                  ONE(STATUS_DRAFT) | ONE(STATUS_NOT_DONE));
    struct date_span day =
        event->effective.precision != DATE_ABSENT ? event->effective : event->recorded;
    if (!is_load || !is_final || day.precision != DATE_DAY)
        return false;
    *out = (struct viral_load){ .day = day.first.day, .event = event };
    if (!event->value.is_stated) {
        out->high = 0;
        return event->finding == FINDING_NOT_DETECTED;
    }
    int64_t copies = copies_of(event);
    enum comparator than = event->value.comparator;
    bool is_below = is_one_of(than, ONE(COMPARATOR_LESS) | ONE(COMPARATOR_LESS_OR_EQUAL));
    bool is_above = is_one_of(than, ONE(COMPARATOR_GREATER) | ONE(COMPARATOR_GREATER_OR_EQUAL));
    out->low = is_below ? 0 : copies;
    out->high = is_above ? INT64_MAX : copies;
    return true;
}

static bool load_before(const struct viral_load *a, const struct viral_load *b)
{
    if (a->day != b->day)
        return a->day < b->day;
    return slice_cmp(a->event->id, b->event->id) < 0;
}

static bool collect_loads(struct hiv_course *course)
{
    struct engine *engine = course->engine;
    course->loads =
        arena_alloc_raw(engine->arena, (engine->observation_count + 1) * sizeof(struct viral_load));
    for (unsigned i = 0; course->loads != NULL && i < engine->observation_count; i++) {
        struct viral_load load;
        if (!read_load(engine->observations[i], &load))
            continue;
        if (load.day > engine->as_of) {
            engine_changes_on(engine, load.day);
            continue;
        }
        unsigned at = course->load_count++;
        for (; at > 0 && load_before(&load, &course->loads[at - 1]); at--)
            course->loads[at] = course->loads[at - 1];
        course->loads[at] = load;
    }
    return course->loads != NULL;
}

/* --- codes, words and reasons ---------------------------------------------------------------- */

static void add_failure(struct hiv_course *course, const struct hiv_failure *failure)
{
    if (failure->day == DATE_NONE)
        return;
    if (failure->day > course->engine->as_of) {
        engine_changes_on(course->engine, failure->day);
        return;
    }
    unsigned at = course->failure_count++;
    for (; at > 0 && (failure->day < course->failures[at - 1].day ||
                      (failure->day == course->failures[at - 1].day &&
                       slice_cmp(failure->event->id, course->failures[at - 1].event->id) < 0));
         at--)
        course->failures[at] = course->failures[at - 1];
    course->failures[at] = *failure;
}

static bool text_has(struct slice text, const char *word)
{
    size_t len = strlen(word);
    for (size_t i = 0; i + len <= text.len; i++)
        if (strncasecmp(text.at + i, word, len) == 0)
            return true;
    return false;
}

/* Words of a Condition that has no code we know; other viruses fail their therapies too. */
static bool words_say_failure(struct slice text)
{
    static const char *const denials[] = { "no ",      "not ",      "without ", "risk", "suspected",
                                           "possible", "hepatitis", "hcv",      "hbv",  "cmv" };
    if (!text_has(text, "virological failure") && !text_has(text, "virologic failure"))
        return false;
    for (size_t i = 0; i < COUNT_OF(denials); i++)
        if (text_has(text, denials[i]))
            return false;
    return true;
}

static void add_condition(struct hiv_course *course, const struct event *condition)
{
    struct hiv_failure failure = { .day = condition_known(condition),
                                   .event = condition,
                                   .copies = -1 };
    if (!condition_counts(condition))
        return;
    if ((condition_means(condition, DISEASE_HIV, MEANS_VIROLOGICAL_FAILURE) ||
         words_say_failure(condition->code.text)) &&
        RULE_ON(HIV_FAILURE)) {
        failure.rule = RULE_HIV_FAILURE;
    } else if ((condition_means(condition, DISEASE_HIV, MEANS_CLINICAL_FAILURE) ||
                condition_means(condition, DISEASE_HIV, MEANS_IMMUNOLOGICAL_FAILURE)) &&
               RULE_ON(HIV_WEAK_FAILURE)) {
        failure.rule = RULE_HIV_WEAK_FAILURE;
        failure.is_weak = true;
    } else {
        return;
    }
    add_failure(course, &failure);
}

/* HIV-007, HIV-010: an Observation that names the failure, or whose value does. */
static void add_observation(struct hiv_course *course, const struct event *event)
{
    struct date_span day =
        event->effective.precision != DATE_ABSENT ? event->effective : event->recorded;
    bool is_virological = event->observation == OBSERVATION_HIV_VIROLOGICAL_FAILURE ||
                          (event->observation == OBSERVATION_HIV_FAILURE &&
                           event->finding == FINDING_VIROLOGICAL_FAILURE);
    bool is_weak =
        event->observation == OBSERVATION_HIV_WEAK_FAILURE ||
        (event->observation == OBSERVATION_HIV_FAILURE && event->finding == FINDING_WEAK_FAILURE);
    if (day.precision == DATE_ABSENT || !event_was_done(event) ||
        event->finding == FINDING_NEGATED || event->value_is_false)
        return;
    struct hiv_failure failure = { .day = day.first.day,
                                   .rule =
                                       is_virological ? RULE_HIV_FAILURE : RULE_HIV_WEAK_FAILURE,
                                   .is_weak = !is_virological,
                                   .copies = -1,
                                   .event = event };
    if ((is_virological && RULE_ON(HIV_FAILURE)) || (is_weak && RULE_ON(HIV_WEAK_FAILURE)))
        add_failure(course, &failure);
}

static enum stop_reason reason_of(const struct event *order)
{
    return is_one_of(order->stop_reason, ONE(STOP_NONE) | ONE(STOP_OTHER)) ? order->change_reason
                                                                           : order->stop_reason;
}

/* An order that goes on and gives a reason was made for it; one that has ended ended for it. */
static int32_t reason_day(const struct exposure *exposure)
{
    bool is_new_order =
        exposure->order->status == STATUS_ACTIVE || exposure->order->stop_reason == STOP_NONE;
    return is_new_order ? exposure->start.day : exposure_stop_day(exposure);
}

bool hiv_collect_failures(struct hiv_course *course, struct err *err)
{
    const struct engine *engine = course->engine;
    size_t most =
        (size_t)engine->condition_count + engine->observation_count + course->use_count + 1;
    course->failures = arena_alloc_raw(engine->arena, most * sizeof(struct hiv_failure));
    if (course->failures == NULL || !collect_loads(course))
        return err_fail(err, ERR_TOO_LARGE, "therapy", "too much evidence for one derivation");
    for (unsigned i = 0; i < engine->condition_count; i++)
        add_condition(course, engine->conditions[i]);
    for (unsigned i = 0; i < engine->observation_count; i++)
        add_observation(course, engine->observations[i]);
    for (unsigned i = 0; i < course->use_count; i++) {
        const struct exposure *exposure = course->uses[i];
        bool is_told = i > 0 && course->uses[i - 1]->order == exposure->order;
        if (!is_told && reason_of(exposure->order) == STOP_PROGRESSION && RULE_ON(HIV_FAILURE))
            add_failure(course, &(struct hiv_failure){ .day = reason_day(exposure),
                                                       .rule = RULE_HIV_FAILURE,
                                                       .copies = -1,
                                                       .event = exposure->order });
    }
    return true;
}

void hiv_tell_failure(const struct hiv_course *course, const struct hiv_failure *failure)
{
    struct engine *engine = course->engine;
    if (failure->event->type != FHIR_CONDITION && failure->event->type != FHIR_OBSERVATION)
        return; /* orders stopped for progression are there already */
    for (unsigned i = 0; i < engine->atom_count; i++)
        if (engine->atoms[i].event == failure->event)
            return;
    evidence_add(engine, &(struct atom){ .kind = EVIDENCE_FAILURE,
                                         .strength = STRENGTH_CODE,
                                         .day = failure->day,
                                         .diseases = engine->hiv.bit,
                                         .event = failure->event });
}

enum stop_reason hiv_substitution(const struct hiv_course *course, int32_t day,
                                  const struct event **event)
{
    int32_t near = course->engine->rules->relapse_lookahead;
    for (unsigned i = 0; i < course->use_count && course->uses[i]->start.day <= day + near; i++) {
        enum stop_reason reason = reason_of(course->uses[i]->order);
        const uint32_t benign = ONE(STOP_TOXICITY) | ONE(STOP_SHORTAGE) | ONE(STOP_SIMPLIFICATION) |
                                ONE(STOP_INTERACTION) | ONE(STOP_PREGNANCY) |
                                ONE(STOP_COINFECTION) | ONE(STOP_NEW_DRUG);
        bool is_substitution = is_one_of(reason, benign);
        int32_t given = is_substitution ? reason_day(course->uses[i]) : DATE_NONE;
        if (given > course->engine->as_of)
            engine_changes_on(course->engine, given);
        if (given == course->engine->as_of) /* an end that nobody dated moves with the answer */
            engine_changes_on(course->engine, day + near + 1);
        if (!is_substitution || given < day - near || given > day + near ||
            given > course->engine->as_of || !RULE_ON(HIV_SUBSTITUTION))
            continue;
        *event = course->uses[i]->order;
        return reason;
    }
    return STOP_NONE;
}

/* --- HIV-008, HIV-009: viral loads on therapy ------------------------------------------------- */

static const struct art *regimen_at(const struct hiv_course *course, const struct hiv_line *line,
                                    int32_t day)
{
    const struct art *found = NULL;
    for (unsigned i = line->first; i < line->end; i++)
        if (course->regimens[i].start <= day)
            found = &course->regimens[i];
    int32_t grace = course->engine->rules->era_persistence;
    bool is_on = found != NULL && (found->end == FOREVER || day <= found->end + grace);
    return is_on ? found : NULL;
}

/* Since when an anchor was ordered without a pause up to `day`; DATE_NONE when none was. */
static int32_t on_therapy_since(const struct hiv_course *course, int32_t day)
{
    int32_t grace = course->engine->rules->era_persistence, since = DATE_NONE;
    for (unsigned i = course->era_count; i-- > 0;) {
        const struct hiv_era *era = &course->eras[i];
        int32_t until = since != DATE_NONE ? since : day;
        bool is_there = (course->anchors & slot_bit(era->slot)) != 0 && era->start <= until &&
                        era->end >= era->start &&
                        (era->end == FOREVER || era->end + grace >= until);
        if (is_there)
            since = era->start;
    }
    return since;
}

static bool is_failing(const struct hiv_course *course, const struct hiv_line *line, unsigned at,
                       int32_t from, struct hiv_failure *out)
{
    const struct hiv_rules *rules = course->rules;
    const struct viral_load *load = &course->loads[at];
    const struct art *art = regimen_at(course, line, load->day);
    int32_t since = on_therapy_since(course, load->day);
    int32_t on_line = load->day - (since > line->start ? since : line->start);
    if (art == NULL || since == DATE_NONE)
        return false;
    *out = (struct hiv_failure){ .day = load->day,
                                 .copies = load->low < INT32_MAX ? (int32_t)load->low : INT32_MAX,
                                 .event = load->event };
    bool is_high = load->low > rules->failure_copies && on_line >= rules->failure_after;
    if (is_high && (art->slots & course->kinds[ARV_NNRTI]) != 0 && RULE_ON(HIV_LOAD_WHO)) {
        out->rule = RULE_HIV_LOAD_WHO;
        return true;
    }
    for (unsigned i = at; i-- > 0;) {
        const struct viral_load *before = &course->loads[i];
        int32_t then = on_line - (load->day - before->day);
        if (before->day == load->day)
            continue;
        if (before->day <= from || regimen_at(course, line, before->day) == NULL ||
            before->low < rules->confirmed_copies)
            return false;
        bool is_who = is_high && before->low > rules->failure_copies &&
                      then >= rules->failure_after &&
                      load->day - before->day >= rules->failure_apart && RULE_ON(HIV_LOAD_WHO);
        bool is_dhhs = load->low >= rules->confirmed_copies && then >= rules->confirmed_after &&
                       RULE_ON(HIV_LOAD_DHHS);
        if (!is_who && !is_dhhs)
            return false;
        out->rule = is_who ? RULE_HIV_LOAD_WHO : RULE_HIV_LOAD_DHHS;
        out->before = before->event;
        return true;
    }
    return false;
}

/* Both lists in one walk by day.  A reason counts whatever the last viral load: it is the word of
 * who made the change. */
bool hiv_find_failure(const struct hiv_course *course, const struct hiv_line *line, int32_t from,
                      int32_t until, struct hiv_failure *out, struct hiv_failure *undone)
{
    struct hiv_failure found = { .rule = RULE_NONE };
    undone->rule = RULE_NONE;
    unsigned at = 0, load = 0;
    int32_t ahead = course->engine->rules->relapse_lookahead;
    while (at < course->failure_count || load < course->load_count) {
        bool is_code =
            load == course->load_count ||
            (at < course->failure_count && course->failures[at].day <= course->loads[load].day);
        struct hiv_failure next = { .rule = RULE_NONE };
        if (is_code) {
            const struct hiv_failure *code = &course->failures[at++];
            bool is_near = code->day - ahead <= until;
            if (is_near && code->day == course->engine->as_of)
                engine_changes_on(course->engine, until + ahead + 1); /* as in a substitution */
            if (code->day > from && is_near)
                next = *code;
        } else {
            const struct viral_load *value = &course->loads[load++];
            bool is_within = value->day > from && value->day <= until;
            if (is_within && is_failing(course, line, load - 1, from, &next)) {
                /* taken below */
            } else if (is_within && value->high < course->rules->confirmed_copies &&
                       found.rule != RULE_NONE && RULE_ON(HIV_RESUPPRESSED)) { /* HIV-011 */
                *undone = found;
                found.rule = RULE_NONE;
                next.rule = RULE_NONE;
            } else {
                next.rule = RULE_NONE;
            }
        }
        if (next.rule != RULE_NONE && (found.rule == RULE_NONE || !next.is_weak || found.is_weak))
            found = next;
    }
    *out = found;
    return found.rule != RULE_NONE;
}
