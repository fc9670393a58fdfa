/* Prior exposure by drug class, and which classes have failed (SAL-018). */
#include "therapy/verdict.h"

/* A line failed when relapse or progression followed it, or a salvage line did. */
static bool has_failed(const struct course *course, unsigned at, bool is_salvage)
{
    if (at + 1 == course->line_count)
        return course_relapse(course, course->lines[at], course->engine->as_of) != NULL;
    if (course->lines[at + 1]->relapse != NULL)
        return true;
    return is_salvage && at + 2 == course->line_count;
}

static struct class_exposure *find_class(struct class_exposure *classes, unsigned *count,
                                         struct slice name)
{
    unsigned at = 0;
    while (at < *count && slice_cmp(classes[at].drug_class, name) < 0)
        at++;
    if (at < *count && slice_eq(classes[at].drug_class, name))
        return &classes[at];
    memmove(&classes[at + 1], &classes[at], (*count - at) * sizeof(*classes));
    ++*count;
    classes[at] =
        (struct class_exposure){ .drug_class = name, .first = date_none(), .last = date_none() };
    return &classes[at];
}

static uint64_t slots_of_class(const struct course *course, struct slice name)
{
    uint64_t slots = 0;
    for (unsigned s = 0; s < course->drug_count; s++)
        if (slice_eq(course->drugs[s]->drug_class, name))
            slots |= slot_bit(s);
    return slots;
}

const struct class_exposure *classes_collect(const struct course *course, bool is_salvage,
                                             unsigned *count)
{
    struct class_exposure *classes = arena_alloc_raw(
        course->engine->arena, (course->drug_count + 1) * sizeof(struct class_exposure));
    *count = 0;
    if (classes == NULL)
        return NULL;
    int32_t first[LOT_DRUGS_MAX], last[LOT_DRUGS_MAX];
    uint64_t seen = 0, failed = 0;
    for (unsigned i = 0; i < course->use_count; i++) {
        const struct use *use = &course->uses[i];
        bool is_known = (seen & slot_bit(use->slot)) != 0;
        if (!is_known)
            first[use->slot] = use->start;
        if (!is_known || use->end > last[use->slot])
            last[use->slot] = use->end;
        seen |= slot_bit(use->slot);
    }
    for (unsigned i = 0; i < course->line_count; i++)
        if (has_failed(course, i, is_salvage) && RULE_ON(SAL_CLASS_FAILED))
            failed |= course->lines[i]->taken;
    for (unsigned s = 0; s < course->drug_count; s++) {
        struct slice name = course->drugs[s]->drug_class;
        if ((seen & slot_bit(s)) == 0 || name.len == 0)
            continue;
        struct class_exposure *found = find_class(classes, count, name);
        if (date_is_none(found->first) || first[s] < found->first.day)
            found->first.day = first[s];
        if (date_is_none(found->last) || last[s] > found->last.day)
            found->last.day = last[s];
        found->failed = found->failed || (failed & slot_bit(s)) != 0;
    }
    for (unsigned i = 0; i < *count; i++)
        classes[i].drugs = course_drugs(course, slots_of_class(course, classes[i].drug_class),
                                        &classes[i].drug_count);
    return classes;
}
