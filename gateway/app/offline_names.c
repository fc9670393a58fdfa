#include "app/offline_int.h"

#include "base/pool.h"

static struct offline_slot *slot_of(const struct offline_names *names, struct slice text)
{
    unsigned at = (unsigned)table_hash(text) & (names->room - 1);

    while (names->slots[at].number != 0 && !slice_eq(names->slots[at].text, text))
        at = (at + 1) & (names->room - 1);
    return &names->slots[at];
}

static void names_grow(struct offline_names *names)
{
    struct offline_names larger = { .room = names->room > 0 ? names->room * 2 : 64 };

    larger.slots = pool_new(larger.room * sizeof larger.slots[0]);
    for (unsigned i = 0; i < names->room; i++) {
        if (names->slots[i].number == 0)
            continue;
        *slot_of(&larger, names->slots[i].text) = names->slots[i];
        larger.used++;
    }
    pool_free(names->slots);
    *names = larger;
}

unsigned names_put(struct offline_names *names, struct slice text, unsigned number, bool replaces)
{
    if (names->used * 2 >= names->room)
        names_grow(names);
    struct offline_slot *slot = slot_of(names, text);
    unsigned before = slot->number;
    if (before == 0)
        names->used++;
    if (before == 0)
        *slot = (struct offline_slot){ text, number + 1 };
    else if (replaces)
        slot->number = number + 1;
    return before != 0 ? before - 1 : number;
}

bool names_find(const struct offline_names *names, struct slice text, unsigned *number)
{
    if (names->room == 0 || text.len == 0)
        return false;
    const struct offline_slot *slot = slot_of(names, text);
    if (slot->number != 0)
        *number = slot->number - 1;
    return slot->number != 0;
}

void names_free(struct offline_names *names)
{
    pool_free(names->slots);
    *names = (struct offline_names){ .room = 0 };
}

struct slice offline_tail_of_url(struct slice url)
{
    const char *history = url.len > 0 ? memmem(url.at, url.len, "/_history/", 10) : NULL;
    if (history != NULL)
        url.len = (size_t)(history - url.at);

    size_t slash = url.len;
    while (slash > 0 && url.at[slash - 1] != '/')
        slash--;
    if (slash < 2 || slash == url.len)
        return SLICE("");
    size_t start = slash - 1;
    while (start > 0 && url.at[start - 1] != '/')
        start--;
    struct slice type = { url.at + start, slash - 1 - start };
    return fhir_type_of(type) != FHIR_NONE ? slice_skip(url, start) : SLICE("");
}
