/* therapy/hiv_int.h -- what the files of antiretroviral therapy share.
 *
 * What      a drug has a slot, so that a set of drugs is a uint64_t.  A dose that speaks of
 *           resistance has a slot of its own beside that of its drug: a change of dose is then a
 *           change of regimen like any other.
 */
#pragma once

#include "therapy/attribute.h"
#include "therapy/hiv.h"
#include "therapy/telling.h"

#define FOREVER INT32_MAX

struct hiv_slot {
    const struct arv *arv;
    bool is_dose;
    uint8_t drug; /* is_dose: the slot of the drug itself */
};

/* Orders of one slot without a longer pause. */
struct hiv_era {
    int32_t start, end; /* FOREVER: goes on */
    int32_t last_start; /* of its last order */
    uint8_t slot;
};

/* What was ordered together, long enough to be a regimen. */
struct art {
    int32_t start, end; /* FOREVER */
    uint64_t slots;     /* without boosters; with slots of doses */
    uint64_t boosters;
    int32_t resumed, pause; /* the last interruption: day it ended, days it took; DATE_NONE */
};

/* Copies per millilitre as an interval: "<50" is 0 to 49. */
struct viral_load {
    int32_t day;
    int64_t low, high;
    const struct event *event;
};

struct hiv_failure {
    int32_t day;
    enum rule rule;
    bool is_weak;
    int32_t copies;                     /* of the last viral load; -1 when none was counted */
    const struct event *event, *before; /* before: the viral load that this one confirms */
};

/* A line while it grows. */
struct hiv_line {
    unsigned number, least, most; /* most: 0 when no upper bound is known */
    int32_t start;
    unsigned first, end;   /* regimens */
    int32_t evidence_from; /* failure up to this day has been counted */
    enum grade grade;      /* what its opening says about salvage */
    bool is_failure;       /* the line before failed */
    struct boundary opened_by;
    struct line_note *notes;
    unsigned note_count;
};

struct hiv_course {
    struct engine *engine;
    const struct hiv_rules *rules;
    struct hiv_slot slots[LOT_DRUGS_MAX];
    unsigned slot_count;
    uint64_t kinds[ARV_BOOSTER + 1]; /* slots of each kind */
    uint64_t anchors, doses, signals, pair;
    const struct exposure **uses; /* by start */
    uint8_t *use_slots;
    bool *is_in_line; /* of each use */
    unsigned use_count;
    const struct exposure **inducers; /* by start */
    unsigned inducer_count;
    struct hiv_era *eras; /* by start */
    unsigned era_count;
    struct art *regimens;
    unsigned regimen_count;
    struct viral_load *loads; /* by day */
    unsigned load_count;
    struct hiv_failure *failures; /* of Conditions and orders; by day */
    unsigned failure_count;
    struct hiv_line lines[LOT_LINES_MAX];
    unsigned line_count;
    bool is_truncated;
    struct telling telling;
};

/* Tells of a failure for drawings, once. */
void hiv_tell_failure(const struct hiv_course *course, const struct hiv_failure *failure);

/* hiv_regimen.c */
bool hiv_collect(struct hiv_course *course, struct err *err) MUST_USE;
bool hiv_make_regimens(struct hiv_course *course, struct err *err) MUST_USE;
uint64_t hiv_drugs(const struct hiv_course *course, uint64_t slots); /* without those of doses */
bool hiv_has_boosted_pi(const struct hiv_course *course, const struct art *art);

/* hiv_failure.c */
bool hiv_collect_failures(struct hiv_course *course, struct err *err) MUST_USE;
/* The last failure in (from, until] that no later suppression has undone; false when there is none.
 * *undone is one that was, or has rule RULE_NONE. */
bool hiv_find_failure(const struct hiv_course *course, const struct hiv_line *line, int32_t from,
                      int32_t until, struct hiv_failure *out, struct hiv_failure *undone);
/* The reason given for a change around `day`, of those that make it a substitution. */
enum stop_reason hiv_substitution(const struct hiv_course *course, int32_t day,
                                  const struct event **event);

/* hiv_lines.c */
bool hiv_make_lines(struct hiv_course *course, struct err *err) MUST_USE;
/* Drugs of the regimen, sorted by name, in the arena. */
const struct drug *const *hiv_drug_list(const struct hiv_course *course, uint64_t slots,
                                        unsigned *count);
/* Evidence: the orders that started the regimen. */
void hiv_add_orders(const struct hiv_course *course, struct finding *finding, int32_t from,
                    int32_t until);

/* hiv_verdict.c */
void hiv_reach_verdict(struct hiv_course *course, struct verdict *out);
