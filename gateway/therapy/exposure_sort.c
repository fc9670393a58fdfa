#include "therapy/exposure.h"

/* An exposure and what decides nearly always: the day, then the drug. */
struct sort_item {
    uint64_t key;
    const struct exposure *exposure;
};

static uint64_t sort_key(const struct exposure *exposure)
{
    uint32_t day = (uint32_t)exposure->start.day ^ UINT32_C(0x80000000); /* negative ones first */
    return (uint64_t)day << 32 | exposure->drug->index;
}

static inline bool comes_earlier(const struct sort_item *a, const struct sort_item *b)
{
    if (a->key != b->key)
        return a->key < b->key;
    const struct exposure *first = a->exposure, *second = b->exposure;
    if (first->order->type != second->order->type)
        return first->order->type < second->order->type;
    int by_id = slice_cmp(first->order->id, second->order->id);
    return by_id != 0 ? by_id < 0 : first->end.day < second->end.day;
}

#define RUN 16 /* sorted by insertion: what arrives by date only has to move within its day */

static void sort_run(struct sort_item *items, unsigned count)
{
    for (unsigned i = 1; i < count; i++) {
        struct sort_item item = items[i];
        unsigned at = i;
        for (; at > 0 && comes_earlier(&item, &items[at - 1]); at--)
            items[at] = items[at - 1];
        items[at] = item;
    }
}

/* Two sorted neighbours become one in `to`. */
static void merge_runs(const struct sort_item *from, unsigned middle, unsigned count,
                       struct sort_item *to)
{
    if (middle >= count || !comes_earlier(&from[middle], &from[middle - 1])) {
        memcpy(to, from, count * sizeof(*to));
        return;
    }
    for (unsigned a = 0, b = middle, at = 0; at < count; at++)
        to[at] = a < middle && (b >= count || !comes_earlier(&from[b], &from[a])) ? from[a++]
                                                                                  : from[b++];
}

/* Merge sort: orders mostly arrive in runs by date, and equal input must give equal output. */
bool exposures_sort(struct engine *engine)
{
    unsigned count = engine->exposure_count;
    struct sort_item *from = arena_alloc_raw(engine->arena, (count + 1) * sizeof(*from) * 2);
    if (from == NULL)
        return false;
    struct sort_item *to = from + count;
    bool is_sorted = true;
    for (unsigned i = 0; i < count; i++) {
        from[i] = (struct sort_item){ sort_key(&engine->exposures[i]), &engine->exposures[i] };
        is_sorted = is_sorted && (i == 0 || !comes_earlier(&from[i], &from[i - 1]));
    }
    if (is_sorted)
        return true;
    struct exposure *sorted = arena_alloc_raw(engine->arena, count * sizeof(*sorted));
    if (sorted == NULL)
        return false;
    for (unsigned low = 0; low < count; low += RUN)
        sort_run(from + low, count - low < RUN ? count - low : RUN);
    for (unsigned width = RUN; width < count; width *= 2) {
        for (unsigned low = 0; low < count; low += 2 * width)
            merge_runs(from + low, width, count - low < 2 * width ? count - low : 2 * width,
                       to + low);
        struct sort_item *swap = from;
        from = to;
        to = swap;
    }
    for (unsigned i = 0; i < count; i++)
        sorted[i] = *from[i].exposure;
    engine->exposures = sorted;
    return true;
}
