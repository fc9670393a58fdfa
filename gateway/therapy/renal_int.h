/* therapy/renal_int.h -- what the files of renal replacement share. */
#pragma once

#include "therapy/renal.h"
#include "therapy/telling.h"

/* What happened on a day, in the order in which one day's are looked at. */
enum renal_kind {
    RENAL_MARK_ACCESS,  /* a complication of the access */
    RENAL_MARK_FAILURE, /* the graft has failed */
    RENAL_MARK_HAEMODIALYSIS,
    RENAL_MARK_PERITONEAL,
    RENAL_MARK_DIALYSIS, /* which one is not told */
    RENAL_MARK_TRANSPLANT,
};

struct renal_mark {
    int32_t day, end; /* end: of a stated period, else day */
    enum renal_kind kind;
    enum rule rule;    /* TRANSPLANT: how its day is known */
    bool is_procedure; /* or an order; false: a code, which may be carried along */
    const struct event *event;
};

/* A line while it grows. */
struct renal_line {
    enum renal_state state;
    int32_t start;
    bool is_weak;    /* its beginning is inferred, or its day is not known */
    bool is_partial; /* it begins on a date without a day */
    struct boundary opened_by;
    struct line_note *notes;
    unsigned note_count;
};

struct renal_course {
    struct engine *engine;
    const struct renal_rules *rules;
    struct renal_mark *marks; /* by day, kind */
    unsigned mark_count;
    struct renal_line lines[LOT_LINES_MAX];
    unsigned line_count;
    bool is_truncated;      /* a graft failed whose transplant is not on record */
    int32_t transplant;     /* day of the last one; DATE_NONE */
    bool has_failed_before; /* technique or access, in this line of dialysis */
    struct telling telling;
};

/* renal_marks.c */
bool renal_collect(struct renal_course *course, struct err *err) MUST_USE;
bool renal_is_dialysis(const struct renal_mark *mark);

/* renal_lines.c */
bool renal_make_lines(struct renal_course *course, struct err *err) MUST_USE;

/* renal_verdict.c */
void renal_reach_verdict(struct renal_course *course, struct verdict *out);
