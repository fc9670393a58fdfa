#include "therapy/range.h"

#include "therapy/course.h"
#include "therapy/finish.h"
#include "therapy/lines.h"
#include "therapy/verdict.h"

const struct profile *range_other_profile(const struct course *course)
{
    const struct rules *contrast = course->engine->rules->contrast;
    if (contrast == NULL)
        return NULL;
    const struct profile *other = rules_profile(contrast, course->disease);
    return other != NULL && (other->differs | course->profile->differs) != 0 ? other : NULL;
}

/* Whether anything that the first sweep decided may come out differently (engine.h, differs_at). */
static bool may_differ(const struct course *course, const struct profile *other)
{
    uint8_t differs = other->differs | course->profile->differs;
    return (differs & DIFFERS_OTHERWISE) != 0 || (differs & course->contrasts) != 0;
}

static unsigned lines_until(const struct course *course, int32_t day)
{
    unsigned count = 0;
    while (count < course->line_count && course->lines[count]->start <= day)
        count++;
    return count;
}

/* The least and the greatest number that a day of the line has under either convention. */
static void number_lines(const struct course *course, const struct course *second,
                         struct line *lines)
{
    for (unsigned i = 0; i < course->line_count; i++) {
        struct line *line = &lines[i];
        bool is_last = i + 1 == course->line_count;
        int32_t until = is_last ? course->engine->as_of : lines[i + 1].start.day - 1;
        unsigned least = lines_until(second, line->start.day);
        unsigned most = lines_until(second, until);
        if (line->number_max ==
            0) { /* lines before the record are missing: one of ours, of theirs */
            line->number_min = least > 0 && least < line->number ? least + 1 : line->number_min;
            continue;
        }
        if (least > 0 && least < line->number_min)
            line->number_min = least;
        if (most > line->number)
            line->number_max = most;
    }
}

/* LOT-026: Rajkumar asks for a complete cycle; without the short lines before it, the number is
 * less. */
static void discount_short(const struct course *course, struct line *lines)
{
    unsigned shorts = 0;
    for (unsigned i = 0; i < course->line_count; i++) {
        unsigned least = lines[i].number - shorts;
        if (lines[i].number_max != 0 && least < lines[i].number_min)
            lines[i].number_min = least;
        shorts += lines[i].is_short;
    }
}

static void add_reason(struct arena *arena, struct verdict *verdict, struct slice text)
{
    struct verdict_reason *reasons =
        arena_alloc_raw(arena, (verdict->reason_count + 1) * sizeof(*reasons));
    if (reasons == NULL)
        return;
    memcpy(reasons, verdict->reasons, verdict->reason_count * sizeof(*reasons));
    reasons[verdict->reason_count] = (struct verdict_reason){ RULE_SAL_CONTRAST, text };
    verdict->reasons = reasons;
    verdict->reason_count++;
}

static void weigh(const struct course *course, const struct verdict *second, struct history *out)
{
    struct arena *arena = course->engine->arena;
    struct slice rules = out->contrast.rules;
    if (second->salvage == out->verdict.salvage || !RULE_ON(SAL_CONTRAST))
        return;
    if (out->verdict.grade > GRADE_MEDIUM)
        out->verdict.grade = GRADE_MEDIUM;
    if (out->verdict.salvage)
        add_reason(arena, &out->verdict,
                   arena_format(arena,
                                "by the rules of %.*s this is line %u and no salvage therapy: at "
                                "most MEDIUM",
                                SLICE_ARGS(rules), out->contrast.line_count));
    else
        add_reason(arena, &out->verdict,
                   arena_format(arena,
                                "by the rules of %.*s this is line %u and would be salvage therapy",
                                SLICE_ARGS(rules), out->contrast.line_count));
}

/* The second course, on the rules of the contrasting set. */
static bool derive_second(struct course *second, struct engine *engine, unsigned cancer,
                          struct verdict *verdict, struct err *err)
{
    if (!course_init(second, engine, cancer, err))
        return false;
    second->is_contrast = true;
    if (!lines_sweep(second, err))
        return false;
    struct line *lines = lines_finish(second);
    if (lines != NULL || second->line_count == 0)
        verdict_reach(second, lines, verdict);
    return true;
}

bool range_find(struct course *course, unsigned cancer, struct line *lines, struct history *out,
                struct err *err)
{
    struct engine *engine = course->engine;
    const struct rules *rules = engine->rules;
    const struct profile *other = range_other_profile(course);
    discount_short(course, lines);
    if (rules->contrast == NULL)
        return true;
    out->contrast = (struct contrast){ .rules = rules->contrast->name,
                                       .line_count = course->line_count,
                                       .salvage = out->verdict.salvage,
                                       .grade = out->verdict.grade };
    if (other == NULL || !may_differ(course, other))
        return true;
    struct course second;
    struct verdict verdict = { .salvage = false };
    engine->rules = rules->contrast;
    bool ok = derive_second(&second, engine, cancer, &verdict, err);
    engine->rules = rules;
    if (!ok)
        return false;
    out->contrast.line_count = second.line_count;
    out->contrast.salvage = verdict.salvage;
    out->contrast.grade = verdict.grade;
    number_lines(course, &second, lines);
    weigh(course, &verdict, out);
    return true;
}
