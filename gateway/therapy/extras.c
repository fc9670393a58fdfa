#include "therapy/extras.h"

/* --- SAL-025: named states ------------------------------------------------------------------- */

/* The evidence that ended a line: what the next line answers, or what came after the last one. */
static const struct atom *evidence_after(const struct course *course, unsigned at)
{
    if (at + 1 < course->line_count)
        return course->lines[at + 1]->first_relapse;
    return course_relapse(course, course->lines[at], course->engine->as_of);
}

/* The latest evidence: after the last line began, else what it answered. */
static const struct atom *latest_evidence(const struct course *course)
{
    const struct atom *after = evidence_after(course, course->line_count - 1);
    return after != NULL ? after : course->lines[course->line_count - 1]->first_relapse;
}

/* The last day before `day` on which a drug of the label was ordered; an order that goes on
 * counts up to the day itself. */
static int32_t last_of_set(const struct course *course, const struct drug_set *set, int32_t day)
{
    int32_t last = DATE_NONE;
    for (unsigned i = 0; i < course->use_count && course->uses[i].start < day; i++) {
        const struct use *use = &course->uses[i];
        int32_t end = use->end < day ? use->end : day;
        if (end > last && drug_set_has(set, course->drugs[use->slot]))
            last = end;
    }
    return last;
}

static int32_t last_transplant(const struct course *course, int32_t day)
{
    int32_t last = DATE_NONE;
    for (unsigned i = 0; i < course->transplant_count; i++)
        if (course->transplants[i].day < day && course->transplants[i].day > last)
            last = course->transplants[i].day;
    return last;
}

static int32_t last_of_line(const struct course *course, unsigned at, int32_t day)
{
    const struct line_state *line = course->lines[at];
    int32_t last = DATE_NONE;
    for (unsigned i = line->first_use; i < line->use_end; i++) {
        int32_t end = course->uses[i].end < day ? course->uses[i].end : day;
        if (course->uses[i].start < day && end > last)
            last = end;
    }
    return last;
}

/* Whether the label holds after line `at` (SINCE_LINE) or now. */
static bool holds(const struct course *course, const struct status_label *label, unsigned at,
                  struct verdict_label *out)
{
    const struct atom *evidence =
        label->since == SINCE_LINE ? evidence_after(course, at) : latest_evidence(course);
    if (evidence == NULL)
        return false;
    int32_t day = evidence->day, last;
    if (label->since == SINCE_LINE)
        last = last_of_line(course, at, day);
    else
        last = label->since == SINCE_DRUG ? last_of_set(course, &label->set, day)
                                          : last_transplant(course, day);
    if (last == DATE_NONE || day - last > label->to_days)
        return false;
    *out = (struct verdict_label){ label, day - last, evidence->event };
    return true;
}

static bool is_of_line(const struct status_label *label, unsigned at)
{
    if (label->since != SINCE_LINE)
        return at == 0; /* asked once */
    return at + 1 < 32 && (label->lines >> (at + 1) & 1) != 0;
}

static void add_reason(struct arena *arena, struct verdict *verdict,
                       const struct verdict_label *label)
{
    static const char *const since[] = { "the last order of these drugs", "the transplant",
                                         "the last order of the line" };
    struct verdict_reason *reasons =
        arena_alloc_raw(arena, (verdict->reason_count + 1) * sizeof(*reasons));
    if (reasons == NULL || verdict->reason_count >= LOT_REASONS_MAX)
        return;
    memcpy(reasons, verdict->reasons, verdict->reason_count * sizeof(*reasons));
    reasons[verdict->reason_count++] =
        (struct verdict_reason){ RULE_SAL_LABEL,
                                 arena_format(arena, "%.*s: %d days since %s, limit %d",
                                              SLICE_ARGS(label->label->label), label->days,
                                              since[label->label->since], label->label->to_days) };
    verdict->reasons = reasons;
}

void extras_label(const struct course *course, struct verdict *verdict)
{
    const struct rules *rules = course->engine->rules;
    struct verdict_label *labels = NULL;
    for (unsigned i = 0; i < rules->label_count && course->line_count > 0; i++) {
        const struct status_label *label = &rules->labels[i];
        struct verdict_label found;
        if (!slice_eq(label->profile, course->profile->key))
            continue;
        for (unsigned at = 0; at < course->line_count; at++) {
            if (!is_of_line(label, at) || !holds(course, label, at, &found) || !RULE_ON(SAL_LABEL))
                continue;
            if (labels == NULL)
                labels = ARENA_ARRAY(course->engine->arena, struct verdict_label,
                                     rules->label_count * course->line_count);
            if (labels == NULL)
                return;
            labels[verdict->label_count++] = found;
            verdict->labels = labels;
            add_reason(course->engine->arena, verdict, &found);
        }
    }
}

/* --- SAL-026: kinds of treatment ------------------------------------------------------------- */

static bool has_transplant(const struct profile *profile)
{
    return profile->transplant_bundle || profile->post_transplant_maintenance != RULE_OFF ||
           profile->second_transplant_is_line;
}

static bool is_asked(const struct course *course, const struct treatment_option *option)
{
    if (option->traits == 0)
        return has_transplant(course->profile);
    return (course->disease->listed_traits & option->traits) != 0;
}

static void take_class(const struct class_exposure *exposure, const struct treatment_option *option,
                       struct option_use *out)
{
    bool is_of_kind = false;
    for (unsigned i = 0; i < exposure->drug_count; i++)
        is_of_kind = is_of_kind || (exposure->drugs[i]->traits & option->traits) != 0;
    if (!is_of_kind)
        return;
    out->is_used = true;
    out->failed = out->failed || exposure->failed;
    if (date_is_none(out->first) || exposure->first.day < out->first.day)
        out->first = exposure->first;
    if (date_is_none(out->last) || exposure->last.day > out->last.day)
        out->last = exposure->last;
}

static void take_transplants(const struct course *course, struct option_use *out)
{
    for (unsigned i = 0; i < course->transplant_count; i++) {
        struct date day = { course->transplants[i].day };
        out->is_used = true;
        out->first = i == 0 ? day : out->first;
        out->last = day;
    }
    for (unsigned i = 0; i < course->line_count; i++) /* conditioning shows one too (LOT-020) */
        out->is_used = out->is_used || course->lines[i]->conditioning != DATE_NONE;
}

void extras_options(const struct course *course, struct history *out)
{
    const struct rules *rules = course->engine->rules;
    struct option_use *options =
        ARENA_ARRAY(course->engine->arena, struct option_use, rules->option_count + 1);
    if (options == NULL)
        return;
    for (unsigned i = 0; i < rules->option_count; i++) {
        const struct treatment_option *option = &rules->options[i];
        struct option_use use = { .option = option, .first = date_none(), .last = date_none() };
        for (unsigned k = 0; k < out->class_count && option->traits != 0; k++)
            take_class(&out->classes[k], option, &use);
        if (option->traits == 0)
            take_transplants(course, &use);
        if ((use.is_used || is_asked(course, option)) && RULE_ON(SAL_OPTION))
            options[out->option_count++] = use;
    }
    out->options = options;
}

/* --- SAL-027: exposures that add up ---------------------------------------------------------- */

/* "mg/m2", as UCUM writes it and as people do. */
static bool is_per_area(struct slice unit)
{
    return slice_is(unit, "mg/m2") || slice_is(unit, "mg/m\xc2\xb2") || slice_is(unit, "mg/m^2");
}

/* How many doses the order is for; 0 when it does not say. */
static int64_t doses_of(const struct exposure *exposure)
{
    const struct event *order = exposure->order;
    int64_t days = exposure->end.day - exposure->start.day;
    if (order->type == FHIR_MEDICATION_ADMINISTRATION || days == 0 || exposure->is_assumed_end)
        return 1;
    if (order->doses_per_1000_days <= 0)
        return 0;
    int64_t doses = (days + 1) * order->doses_per_1000_days / 1000;
    return doses > 0 ? doses : 1;
}

static int64_t thousandths_of(const struct quantity *quantity)
{
    int64_t value = quantity->digits;
    for (int32_t scale = quantity->scale; scale > 3; scale--)
        value /= 10;
    for (int32_t scale = quantity->scale; scale < 3; scale++)
        value *= 10;
    return value;
}

static struct slice why_not(const struct exposure *exposure, const struct cumulative_rule *rule)
{
    const struct quantity *dose = &exposure->order->dose;
    if (rule->factor_hundredths == RULE_OFF)
        return SLICE("nobody knows what it is worth");
    if (exposure->order->drug_count > 1)
        return SLICE("the dose is of several drugs");
    if (!dose->is_stated || dose->comparator != COMPARATOR_NONE || dose->digits <= 0 ||
        dose->digits > INT32_MAX)
        return SLICE("no dose is stated");
    if (!is_per_area(dose->unit))
        return SLICE("the dose is not per m2, and body surface is not known");
    if (doses_of(exposure) == 0)
        return SLICE("how often is not stated");
    return (struct slice){ NULL, 0 };
}

static void add_exposure(const struct exposure *exposure, const struct cumulative_rule *rule,
                         struct cumulative *out)
{
    struct slice why = why_not(exposure, rule);
    out->orders++;
    if (why.len > 0) {
        out->why_not = out->why_not.len > 0 ? out->why_not : why;
        return;
    }
    out->counted++;
    out->total_thousandths +=
        thousandths_of(&exposure->order->dose) * doses_of(exposure) * rule->factor_hundredths / 100;
}

static bool has_any(const struct engine *engine)
{
    const uint64_t *drugs = engine->rules->cumulative_drugs;
    for (unsigned i = 0; drugs != NULL && i < engine->exposure_count; i++) {
        const struct drug *drug = engine->exposures[i].drug;
        if (drug->group != DRUG_UNKNOWN && (drugs[drug->index / 64] >> drug->index % 64 & 1) != 0)
            return true;
    }
    return false;
}

const struct cumulative *extras_cumulative(const struct engine *engine, unsigned *count)
{
    const struct rules *rules = engine->rules;
    struct cumulative *list = NULL;
    *count = 0;
    if (!has_any(engine))
        return NULL;
    for (unsigned first = 0, end; first < rules->cumulative_count; first = end) {
        struct cumulative sum = { .exposure = rules->cumulative[first].exposure };
        for (end = first; end < rules->cumulative_count &&
                          slice_eq(rules->cumulative[end].exposure, sum.exposure);
             end++)
            for (unsigned i = 0; i < engine->exposure_count; i++)
                if (engine->exposures[i].drug == rules->cumulative[end].drug)
                    add_exposure(&engine->exposures[i], &rules->cumulative[end], &sum);
        if (sum.orders == 0 || !RULE_ON(SAL_CUMULATIVE))
            continue;
        if (list == NULL)
            list = ARENA_ARRAY(engine->arena, struct cumulative, rules->cumulative_count);
        if (list == NULL)
            return NULL;
        list[(*count)++] = sum;
    }
    return list;
}
