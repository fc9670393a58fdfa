#include "therapy/left_out.h"

#include <stdlib.h>

void left_out_note(struct engine *engine, const struct event *order, enum rule rule)
{
    left_out_tell(engine, order, rule, SLICE(""));
}

void left_out_tell(struct engine *engine, const struct event *order, enum rule rule,
                   struct slice text)
{
    unsigned count = engine->left_out_count;
    if (count > 0 && engine->left_out[count - 1].order == order)
        return; /* another drug of the same order */
    if (count == engine->left_out_room) {
        unsigned room = count > 0 ? 2 * count : 16;
        struct left_out *larger = arena_alloc_raw(engine->arena, room * sizeof(*larger));
        if (larger == NULL)
            return; /* therapy_derive() looks at the arena at its end */
        if (count > 0)
            memcpy(larger, engine->left_out, count * sizeof(*larger));
        engine->left_out = larger;
        engine->left_out_room = room;
    }
    engine->left_out[engine->left_out_count++] = (struct left_out){ order, rule, text };
}

/* By type, id and version; the rule last, so that neither arrival nor the order of the histories
 * shows. */
static int by_order(const void *a, const void *b)
{
    const struct left_out *first = a, *second = b;
    const struct event *x = first->order, *y = second->order;
    if (x->type != y->type)
        return x->type < y->type ? -1 : 1;
    int order = slice_cmp(x->id, y->id);
    if (order == 0 && x->version != y->version)
        order = x->version < y->version ? -1 : 1;
    return order != 0 ? order : (int)first->rule - (int)second->rule;
}

static void mark_lines(const struct therapy *therapy, const struct event *events, size_t count,
                       bool *is_in_line)
{
    for (unsigned h = 0; h < therapy->history_count; h++) {
        const struct history *history = &therapy->histories[h];
        for (unsigned l = 0; l < history->line_count; l++) {
            const struct line *line = &history->lines[l];
            for (unsigned i = 0; i < line->source_count; i++)
                if (line->sources[i] >= events && line->sources[i] < events + count)
                    is_in_line[line->sources[i] - events] = true;
        }
    }
}

void left_out_finish(struct engine *engine, const struct event *events, size_t count,
                     struct therapy *out)
{
    out->left_out = engine->left_out;
    out->left_out_count = 0;
    if (engine->left_out_count == 0)
        return;
    bool *is_in_line = ARENA_ARRAY(engine->arena, bool, count);
    if (is_in_line == NULL)
        return; /* therapy_derive() looks at the arena at its end */
    mark_lines(out, events, count, is_in_line);
    qsort(engine->left_out, engine->left_out_count, sizeof engine->left_out[0], by_order);
    for (unsigned i = 0; i < engine->left_out_count; i++) {
        struct left_out *found = &engine->left_out[i];
        bool is_again = out->left_out_count > 0 &&
                        engine->left_out[out->left_out_count - 1].order == found->order;
        if (!is_again && !is_in_line[found->order - events])
            engine->left_out[out->left_out_count++] = *found;
    }
}
