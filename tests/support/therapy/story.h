/* support/therapy/story.h -- a patient told in one line of text, for tests of the engine.
 *
 * What      clauses joined by ';'.  Each makes events, as a sender would have sent them, and runs
 *           them through the real mappings:
 *
 *             carboplatin + pemetrexed 2021-01-04 x4/21      four cycles of two orders each
 *             lenalidomide 2021-01-04..2021-06-01            one order of a drug
 *             letrozole 2021-01-04..open                     active, without an end
 *             given cisplatin 2021-01-04 x4/21 based:m1      administrations (dispensed, told: alike)
 *             @C83.30 2021-11-20 relapse                     a Condition (ICD-10-CM)
 *             @HIV.D.DE228 2021-11-20                        a Condition (WHO SMART HIV)
 *             !sct 2021-07-03                                a Procedure (sct allo apheresis hd pd
 *                                                            dialysis kidney cart axi-cel)
 *             #vl 2021-07-03 <50                             a viral load (log: its logarithm)
 *             #failure 2021-07-03 HIV.D.DE228                an Observation of treatment failure
 *             ?worsened 2021-11-20 focus:c1                  an Observation of the cancer's status
 *
 *           followed by any of the words of order_words[] in story.c: stopped, toxicity, curative,
 *           plan:A, for:c1, intent:filler, based:m1, supply:30 ...  Orders are m1, m2 ...,
 *           Conditions c1, c2 ..., in the order of the text.
 * Owns      a story owns its events until story_end().  The mapping is loaded once per program.
 */
#pragma once

#include "domain/line.h"
#include "mapping/mapping.h"

#define STORY_EVENTS_MAX 2000

struct story {
    const struct mapping *mapping; /* the repository's, unless a test puts another one here */
    struct arena arena;
    struct event *events;
    size_t count, room;
    unsigned orders, conditions, procedures, given, observations;
};

/* The mapping of the repository's mappings/; stops the program with its faults printed. */
const struct mapping *story_mapping(void);

/* Loads mappings/ with the first `from` in `file` replaced by `to`; true when it loads all the
 * same. */
bool story_load_edited(const char *file, const char *from, const char *to,
                       struct table_errors *errors);

void story_begin(struct story *story);
/* The same for a story of more than STORY_EVENTS_MAX events. */
void story_begin_long(struct story *story, size_t events_max);
void story_end(struct story *story);
/* Adds what `text` tells; a mistake in it stops the program. */
void story_tell(struct story *story, const char *text);

/* Derives with the rules of the mapping as of `day` ("2030-01-01"). */
const struct therapy *story_derive(struct story *story, const char *day);
const struct therapy *story_derive_with(struct story *story, const struct rules *rules,
                                        const char *day);

/* "1 2021-01-04..2021-03-15 carboplatin+pemetrexed FIRST_EXPOSURE\n..." of the only history (or of
 * the one of `disease`, when that is not NULL); lives in the story's arena. */
const char *story_lines(struct story *story, const struct therapy *therapy, const char *disease);
/* "salvage HIGH line 2 relapsed SAL-001 SAL-002" or "no NONE line 1 unknown SAL-008". */
const char *story_verdict(struct story *story, const struct therapy *therapy);
void story_add_verdict(const struct history *history, struct buffer *out);
/* The ids of the notes of all lines: "LOT-004 LOT-012". */
const char *story_notes(struct story *story, const struct therapy *therapy);

const struct history *story_history(const struct therapy *therapy, const char *disease);
struct date story_day(const char *text);

/* A whole file of the repository (path from its root) in `arena`; false when it is not there. */
bool story_file(const char *path, struct arena *arena, struct slice *out);
