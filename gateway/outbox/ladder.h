/* outbox/ladder.h -- by which channels a destination is told, of those that it can take.
 *
 * What      a ladder has rungs, a rung one channel or several: "flag+careplan", "communication",
 *           "document".  The first rung of which the destination takes anything is the one, and all
 *           of it that the destination takes is used.  What a destination takes it says in its own
 *           /metadata; what a channel needs of the site (recipients, an author) is configured.
 * Owns      nothing.
 * Thread    pure.
 * Rules     standards/writeback 2, 3.  A Condition is never a channel: salvage is inferred.
 */
#pragma once

#include "base/text.h"
#include "outbox/capability.h"
#include "outbox/message.h"

#define LADDER_RUNGS_MAX 5
#define LADDER_DEFAULT_RUNGS                         \
    {                                                \
        "flag+careplan", "communication", "document" \
    }

struct ladder {
    unsigned rungs[LADDER_RUNGS_MAX]; /* sets of POSTING_BIT() */
    unsigned count;
};

/* False when the text is no rung: names of channels joined by '+'. */
bool ladder_read_rung(struct slice text, unsigned *kinds) MUST_USE;
struct ladder ladder_default(void);
/* All channels of all rungs. */
unsigned ladder_kinds(const struct ladder *ladder);

/* NULL when the destination can be told by this channel, else why not, for people. */
const char *ladder_obstacle(enum posting_kind kind, const struct capability *capability,
                            const struct message_site *site);
/* The channels to use; 0 when there is none. */
unsigned ladder_choose(const struct ladder *ladder, const struct capability *capability,
                       const struct message_site *site);
