#include "outbox/ladder.h"

bool ladder_read_rung(struct slice text, unsigned *kinds)
{
    unsigned found = 0;
    while (text.len > 0) {
        enum posting_kind kind = posting_kind_of(slice_take_until(&text, '+'));
        if (kind == 0 || kind == POSTING_PROVENANCE)
            return false;
        found |= POSTING_BIT(kind);
    }
    *kinds = found;
    return found != 0;
}

struct ladder ladder_default(void)
{
    static const char *const rungs[] = LADDER_DEFAULT_RUNGS;
    struct ladder ladder = { .count = COUNT_OF(rungs) };
    for (unsigned i = 0; i < ladder.count; i++)
        CHECK(ladder_read_rung(slice_of(rungs[i]), &ladder.rungs[i]));
    return ladder;
}

unsigned ladder_kinds(const struct ladder *ladder)
{
    unsigned kinds = 0;
    for (unsigned i = 0; i < ladder->count; i++)
        kinds |= ladder->rungs[i];
    return kinds;
}

/* A Flag that could never be ended would do harm, so create alone is not enough for one. */
const char *ladder_obstacle(enum posting_kind kind, const struct capability *capability,
                            const struct message_site *site)
{
    const struct capability_type *offer = &capability->types[kind];
    bool is_state = kind == POSTING_FLAG || kind == POSTING_CARE_PLAN;
    bool can_upsert = offer->can_update && (offer->update_create || offer->conditional_update);
    if (is_state && can_upsert)
        return NULL;
    if (!offer->can_create)
        return "create is not offered";
    if (is_state && !offer->can_update)
        return "update is not offered, so it could never be ended";
    if (kind == POSTING_COMMUNICATION && site->recipient_count == 0)
        return "no recipients are configured";
    if (kind == POSTING_COMMUNICATION && capability->vendor == VENDOR_ORACLE &&
        site->sender.len == 0)
        return "Oracle Health needs a sender, and none is configured";
    if (kind == POSTING_DOCUMENT && capability->vendor == VENDOR_EPIC && site->author.len == 0)
        return "Epic needs an author, and none is configured";
    return NULL;
}

unsigned ladder_choose(const struct ladder *ladder, const struct capability *capability,
                       const struct message_site *site)
{
    for (unsigned i = 0; i < ladder->count; i++) {
        unsigned usable = 0;
        for (enum posting_kind kind = POSTING_FLAG; kind < POSTING_KINDS; kind++)
            if ((ladder->rungs[i] & POSTING_BIT(kind)) != 0 &&
                ladder_obstacle(kind, capability, site) == NULL)
                usable |= POSTING_BIT(kind);
        if (usable != 0)
            return usable;
    }
    return 0;
}
