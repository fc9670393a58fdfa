/* support/therapy/golden.h -- the stories of tests/golden/therapy: prose for people, blocks for tests.
 *
 * What      a file is one story, or a chapter of stories with a heading "## " each.  A story has a
 *           block ```exposures, a block ```lines that the engine must answer, and names the rules
 *           that it pins: "**Shows** LOT-005, SAL-007. **Not** LOT-006."  The README there tells how
 *           the blocks are written.
 * Owns      the stories live as long as the program.
 */
#pragma once

#include "support/therapy/story.h"

#define GOLDEN_STORIES_MAX 600
#define GOLDEN_WORDS ((RULE_COUNT + 63) / 64)
#define GOLDEN_FOLDER "tests/golden/therapy"

struct golden {
    const char *name; /* "lung.md: A gap of 181 days opens a line" */
    const char *file; /* "lung.md" */
    struct slice exposures, lines;
    uint64_t shows[GOLDEN_WORDS], denies[GOLDEN_WORDS]; /* bit n: enum rule n */
};

static inline bool golden_has(const uint64_t *set, unsigned rule)
{
    return (set[rule / 64] >> rule % 64 & 1) != 0;
}

/* All stories, by file, then as they stand; stops the program when one is badly written. */
const struct golden *golden_load(unsigned *count);

/* Tells its exposures to a story that has begun: the rules that it names and the day it asks for. */
const struct rules *golden_tell(const struct golden *golden, struct story *story,
                                struct date *as_of);

/* Tells the exposures of `golden` and appends what the engine answers, in the form of the block. */
void golden_answer(const struct golden *golden, struct buffer *out);
/* The same without the second opinion of SAL-023. */
void golden_answer_alone(const struct golden *golden, struct buffer *out);
/* The same with a mapping that is not the repository's. */
void golden_answer_with(const struct golden *golden, const struct mapping *mapping,
                        struct buffer *out);
