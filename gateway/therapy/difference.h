/* therapy/difference.h -- two answers about one patient, and what made them differ.
 *
 * What      yesterday's and today's answer, two as-of days, or two rule sets.  Lines are paired by
 *           their identity, then by what they share; each pair tells what changed in it and which
 *           resource versions are behind that: new ones, withdrawn ones, other versions.  Where no
 *           resource is, the day or the rule set made the difference, and the heads tell those.
 * Owns      everything lives in `arena` and borrows from both answers.
 * Errors    an overfull arena leaves an incomplete difference: ask arena_overflowed().
 * Thread    any; pure.
 * Rules     RULES_SPEC 11.7, 12.
 */
#pragma once

#include "base/arena.h"
#include "base/buffer.h"
#include "domain/line.h"

/* What changed between the two lines of a pair; a line without partner has none of them. */
/* clang-format off */
#define LINE_CHANGE_TABLE(X)        \
    X(NUMBER,      "number")        \
    X(RANGE,       "range")         \
    X(START,       "start")         \
    X(END,         "end")           \
    X(INGREDIENTS, "ingredients")   \
    X(REGIMEN,     "regimen")       \
    X(SETTING,     "setting")       \
    X(SEGMENTS,    "segments")      \
    X(OPENING,     "openedBy")      \
    X(CLOSING,     "closedBy")
/* clang-format on */

enum line_change_index {
#define X(name, word) LINE_CHANGE_INDEX_##name,
    LINE_CHANGE_TABLE(X)
#undef X
        LINE_CHANGE_COUNT
};
enum line_change {
#define X(name, word) LINE_CHANGE_##name = 1 << LINE_CHANGE_INDEX_##name,
    LINE_CHANGE_TABLE(X)
#undef X
};
const char *line_change_word(unsigned index); /* "ingredients" */

enum cause_kind { CAUSE_NEW, CAUSE_WITHDRAWN, CAUSE_OTHER_VERSION };
const char *cause_kind_name(enum cause_kind kind); /* "new" */

/* A resource that only one answer rests on, or another version of it. */
struct cause {
    enum cause_kind kind;
    const struct event *before, *after; /* one of them NULL unless CAUSE_OTHER_VERSION */
};

struct line_pair {
    const struct line *before, *after; /* NULL: there is none in that answer */
    uint32_t changes;                  /* enum line_change, or-ed */
    /* For a line without partner: what the other answer says about its first day instead, a note
     * such as GAP_EXEMPT; NULL when it says nothing. */
    const struct line_note *instead;
    const struct cause *causes;
    unsigned cause_count;
};

struct history_difference {
    const struct disease *disease;
    const struct history *before, *after; /* NULL: only the other answer has this disease */
    const struct line_pair *pairs;        /* every line of both, by first day */
    unsigned pair_count;
    bool is_line_changed, is_verdict_changed;
    const struct cause *causes; /* of the verdict */
    unsigned cause_count;
};

struct difference {
    const struct therapy *before, *after;
    const struct history_difference *histories; /* by disease key */
    unsigned history_count;
    bool is_any;
};

void difference_find(const struct therapy *before, const struct therapy *after, struct arena *arena,
                     struct difference *out);

/* One JSON object, without a line end; the two heads are "before" and "after". */
void difference_json(struct slice patient, const struct difference *difference, struct buffer *out);
/* What changed since, for people; nothing about what stayed. */
void difference_text(struct slice patient, const struct difference *difference, struct buffer *out);
/* Both answers side by side, a row for each line of either: for two rule sets. */
void difference_table(struct slice patient, const struct difference *difference,
                      struct buffer *out);
