/* therapy/engine.h -- what the steps of one derivation share.
 *
 * What      `struct engine` is the patient, `struct course` one disease of the patient while its
 *           lines are being found.  Days are plain int32_t here (days since 1970-01-01).  A
 *           disease's drugs have slots 0..63, so that a set of drugs is a uint64_t.
 * Owns      everything is in the arena of the derivation.
 */
#pragma once

#include "domain/line.h"
#include "domain/rule_on.h"
#include "domain/rules.h"

#define SLOT_NONE 64

/* A cancer of the patient, as Conditions and reasons name it. */
struct cancer {
    const struct disease *disease;
    const struct event *condition; /* the first that names it; NULL when only reasons do */
    int32_t diagnosed;             /* earliest stated onset; DATE_NONE when there is none */
    int32_t known;                 /* earliest date of any of its Conditions; DATE_NONE */
    bool is_active;
};

/* HIV or end-stage renal disease of the patient. */
struct chronic {
    const struct disease *disease; /* NULL: not on record */
    const struct event *condition; /* the earliest that names it; NULL when only an order does */
    int32_t known;                 /* the earliest day of any; DATE_NONE */
    uint32_t bit;                  /* in exposure.diseases */
};

/* Of exposures that no history claims, but that are looked at: prophylaxis without HIV. */
#define DISEASES_NONE (UINT32_C(1) << 31)

struct engine {
    const struct rules *rules;
    int32_t as_of;
    struct arena *arena;
    const struct event **orders, **conditions, **procedures, **observations; /* but orders by id */
    unsigned order_count, condition_count, procedure_count, observation_count;
    const struct event **given; /* administrations, dispenses and statements, by type and id */
    unsigned given_count;
    const struct event **orders_by_id, **orders_by_group; /* made when first needed */
    struct cancer cancers[LOT_CANCERS_MAX];
    unsigned cancer_count;
    struct chronic hiv, renal;
    struct exposure *exposures; /* by start, drug, order id */
    unsigned exposure_count;
    struct exposure *plans; /* intent=plan: no exposure, evidence of a planned sequence */
    unsigned plan_count;
    struct atom *atoms; /* by day, strength, type, id */
    unsigned atom_count;
    const struct event **unattributed;
    unsigned unattributed_count;
    struct left_out *left_out; /* left_out.h */
    unsigned left_out_count, left_out_room;
    int32_t next_change;
};

/* One exposure of a drug that makes lines. */
struct use {
    int32_t start, end;
    uint8_t slot;
    const struct exposure *exposure;
};

/* From this day on the line is in another segment. */
struct mark {
    enum segment_kind kind;
    int32_t start;
};

/* A line while it grows. */
struct line_state {
    unsigned number;
    int32_t start, own_end; /* own_end: of the orders that started in it */
    int32_t last;           /* the same with what it carried over: what gaps are measured from */
    unsigned first_use, use_end;
    uint64_t opening; /* slots of the first batch */
    uint64_t taken;   /* all its slots */
    uint64_t carried, earlier, switched, conditioned;
    int32_t answered;                 /* EVD-009: evidence up to this day explains its start */
    int32_t transplant, conditioning; /* days; DATE_NONE */
    int32_t infusion; /* day of the cell therapy that it was opened for; DATE_NONE */
    unsigned cycles;
    int32_t cycle_start;
    uint64_t cycle_slots, cycle_before; /* of the cycle that runs, and of the one before it */
    struct mark marks[LOT_SEGMENTS_MAX];
    unsigned mark_count;
    struct line_note *notes;
    unsigned note_count;
    /* how it was opened */
    struct boundary opened_by;
    const struct atom *relapse;       /* the strongest evidence before or just after its start */
    const struct atom *first_relapse; /* the earliest: what intervals are measured to */
    bool is_switch;                   /* a drug of the line before is gone */
    bool is_short_before;             /* the line before was shorter than one cycle */
    bool is_unknown_only;             /* only unmapped agents opened it */
    enum stop_reason change_reason;
    /* found when it is closed */
    int32_t induction_end;
    const struct regimen *regimen;
    struct line *out;
};

struct transplant {
    int32_t day;
    const struct event *event;
};

struct course {
    struct engine *engine;
    const struct profile *profile;
    const struct profile *other; /* what the answer is checked against; NULL: nothing (range.h) */
    uint8_t contrasts;           /* enum profile_difference: where `other` may decide differently */
    const struct disease *disease;
    const struct cancer *cancer;
    uint32_t bit; /* of the cancer in exposure.diseases */
    bool is_ambiguous;
    bool is_contrast; /* only counts: its lines need no identity */

    const struct drug *drugs[LOT_DRUGS_MAX];
    unsigned drug_count;
    struct use *uses; /* by start */
    unsigned use_count;
    const struct exposure **steroids; /* by start; they only name regimens */
    unsigned steroid_count;

    /* what the profile says about each slot */
    uint64_t exempt, supplement, rechallenge, cell, depletion, conditioning, platinum, cytotoxic;
    uint64_t unknown;
    uint64_t addons[PROFILE_RULES_MAX], maintenance[PROFILE_RULES_MAX];
    uint64_t substitutes[LOT_DRUGS_MAX];

    const struct atom **relapses; /* relapse, progression, refractory of Conditions; by day */
    unsigned relapse_count;
    const struct atom **stops; /* orders stopped for progression; by day */
    unsigned stop_count;
    const struct atom **others;
    unsigned other_count;
    struct transplant *transplants;
    unsigned transplant_count;
    int32_t *aphereses;
    unsigned apheresis_count;
    int32_t *infusions; /* days on which a cell therapy starts */
    unsigned infusion_count;

    /* how far the sweep has seen each slot */
    int32_t seen_end[LOT_DRUGS_MAX];   /* latest end, assumed or not */
    int32_t stated_end[LOT_DRUGS_MAX]; /* latest end that an order states, also beyond as_of */
    const struct use *seen_last[LOT_DRUGS_MAX];
    uint64_t open; /* slots that go on at as_of */

    struct line_state *lines[LOT_LINES_MAX];
    unsigned line_count;
};

/* All orders of one day. */
struct batch {
    int32_t day;
    unsigned first, end; /* in course->uses */
    uint64_t slots;
    int32_t last; /* latest end */
};

/* A set of enumerators: ONE(A) | ONE(B). */
#define ONE(value) (UINT32_C(1) << (value))
static inline bool is_one_of(unsigned value, uint32_t set) { return (set >> value & 1) != 0; }
/* Orders and tellings that go on, and those that somebody ended before their time. */
#define GOES_ON (ONE(STATUS_ACTIVE) | ONE(STATUS_ON_HOLD))
#define IS_HALTED (ONE(STATUS_STOPPED) | ONE(STATUS_ON_HOLD))

static inline uint64_t slot_bit(unsigned slot) { return UINT64_C(1) << slot; }
static inline struct line_state *course_line(struct course *course)
{
    return course->line_count > 0 ? course->lines[course->line_count - 1] : NULL;
}
/* The answer may change on `day` although nothing arrives. */
static inline void engine_changes_on(struct engine *engine, int32_t day)
{
    if (day > engine->as_of && (engine->next_change == DATE_NONE || day < engine->next_change))
        engine->next_change = day;
}
