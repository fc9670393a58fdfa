/* domain/line.h -- lines of therapy, the verdict, and why: what the engine answers.
 *
 * Owns      everything lives in the arena of the derivation; the arrays are as long as their
 *           counts.
 * Rules     ids are explained in gateway/therapy/RULES.md; texts of RULE_TABLE are what reports
 *           print.
 */
#pragma once

#include "base/date.h"
#include "domain/event.h"
#include "domain/rule_ids.h"
#include "domain/rules.h"

#define LOT_LINES_MAX 64
#define LOT_DRUGS_MAX 64 /* different drugs of one disease */
#define LOT_SEGMENTS_MAX 16
#define LOT_EVIDENCE_MAX 16
#define LOT_OPERANDS_MAX 6
#define LOT_REASONS_MAX 16
#define LOT_CLASSES_MAX 64
#define LOT_CANCERS_MAX 16
#define LOT_HISTORIES_MAX (LOT_CANCERS_MAX + 2) /* and HIV, and the kidneys */

/* What proves an exposure, a bit each. */
enum proof {
    PROOF_ORDERED = 1,
    PROOF_ADMINISTERED = 2,
    PROOF_DISPENSED = 4,
    PROOF_REPORTED = 8, /* told by somebody, not ordered here */
};

/* What one order proves about one ingredient: "ordered", never "given", unless what became of it is
 * on record too; or what an administration, a dispense or a statement proves without an order. */
struct exposure {
    const struct drug *drug;
    struct date start, end;      /* inclusive; end is clipped to as_of */
    struct date_span start_span; /* the precision behind `start` */
    struct date stated_end;      /* the same, not clipped; INT32_MAX: nothing says when */
    bool is_open;                /* goes on: without an end, or its end lies beyond as_of */
    bool is_stale_open;          /* open for more than 365 days without renewal */
    bool is_assumed_end;         /* nothing in the order says when it ends: start + tail */
    unsigned proof;              /* enum proof, or-ed */
    bool is_reported;            /* nothing but PROOF_REPORTED */
    bool is_ambiguous;           /* more than one disease may be meant */
    uint32_t diseases;           /* bit n: attributed to history n */
    const struct event *order;   /* or what stands for itself */
    const struct event *const *fulfilments; /* what confirms it, by day */
    unsigned fulfilment_count;
    struct date last_told; /* the day of the last of them */
};

enum evidence_kind {
    EVIDENCE_RELAPSE,
    EVIDENCE_PROGRESSION,
    EVIDENCE_REFRACTORY,
    EVIDENCE_REMISSION,
    EVIDENCE_METASTASIS,
    EVIDENCE_CASTRATION,
    EVIDENCE_RESPONSE, /* the disease got better */
    EVIDENCE_STABLE,
    EVIDENCE_FAILURE,       /* of antiretroviral therapy */
    EVIDENCE_GRAFT_FAILURE, /* of a transplanted kidney */
};

/* What outranks what as the reason of a boundary (RULES_SPEC 4.1.4). */
enum evidence_strength {
    STRENGTH_METASTASIS,
    STRENGTH_INFERRED,
    STRENGTH_CODE,
    STRENGTH_STATUS,
    STRENGTH_STOP,
};

/* One dated thing that a resource says about the course of a disease. */
struct atom {
    enum evidence_kind kind;
    enum evidence_strength strength;
    int32_t day;         /* since 1970-01-01 */
    int32_t order_start; /* STRENGTH_STOP: the start of the stopped order */
    bool is_partial;     /* the source names no day, only a month or a year */
    uint32_t diseases;   /* bit n: history n */
    const struct event *event;
};

struct operand {
    const char *name; /* "gapDays" */
    int32_t value;
};

/* Why a boundary is there, with the numbers compared and the versions it rests on. */
struct boundary {
    enum rule rule;
    const char *reason;             /* "NEW_AGENT_AFTER_RELAPSE" */
    const struct operand *operands; /* at most LOT_OPERANDS_MAX */
    unsigned operand_count;
    const struct event *const *evidence; /* at most LOT_EVIDENCE_MAX, the strongest first */
    unsigned evidence_count;
    struct slice source; /* of the parameter that decided: keys of mappings/sources.tsv */
    uint64_t also;       /* bit n: `enum rule` n would have applied too, but was asked later */
};

enum segment_kind {
    SEGMENT_INDUCTION,
    SEGMENT_CONSOLIDATION,
    SEGMENT_MAINTENANCE,
    SEGMENT_CONDITIONING,
    SEGMENT_BRIDGING,
    SEGMENT_REGIMEN, /* of antiretroviral therapy */
    SEGMENT_HAEMODIALYSIS,
    SEGMENT_PERITONEAL_DIALYSIS,
    SEGMENT_DIALYSIS, /* which one is not told */
    SEGMENT_GRAFT,
};

struct segment {
    enum segment_kind kind;
    struct date start, end;
    const struct drug *const *drugs; /* sorted by name */
    unsigned drug_count;
};

/* A decision inside a line that did not open a new one, such as SUBSTITUTION or MAINTENANCE. */
struct line_note {
    struct boundary why;
    struct date day;
};

enum line_setting { SETTING_UNKNOWN, SETTING_CURATIVE, SETTING_PALLIATIVE };

struct line {
    unsigned number;     /* counted on the record */
    unsigned number_min; /* the least it can be: more when the history is truncated */
    unsigned number_max; /* 0: no upper bound is known */
    char id[33];         /* hex; a hash of patient-independent start evidence, not of the ordinal */
    struct date start, end;
    bool is_open;  /* printed as "end":null */
    bool is_short; /* less than one cycle */
    enum line_setting setting;
    const struct drug *const *drugs; /* sorted by name; supportive drugs left out */
    unsigned drug_count;
    struct slice regimen; /* "R-ICE", or empty when no regimen of mappings/regimens.tsv matches */
    const struct segment *segments; /* at most LOT_SEGMENTS_MAX, by start, not overlapping */
    unsigned segment_count;
    struct boundary opened_by, closed_by; /* closed_by.reason is NULL while nothing closed it */
    const struct line_note *notes;        /* at most LOT_REASONS_MAX, by day */
    unsigned note_count;
    const struct event *const *sources; /* orders that started in the line, by start, and what
                                         * became of them */
    unsigned source_count;
    unsigned proof; /* of all of them: enum proof, or-ed */
};

enum grade { GRADE_NONE, GRADE_LOW, GRADE_MEDIUM, GRADE_HIGH };

enum disease_status {
    DISEASE_STATUS_UNKNOWN,
    DISEASE_STATUS_RELAPSED,
    DISEASE_STATUS_REFRACTORY,
    DISEASE_STATUS_SENSITIVE,
    DISEASE_STATUS_RESISTANT,
    DISEASE_STATUS_IN_REMISSION,
    DISEASE_STATUS_PROGRESSED,
    DISEASE_STATUS_SUPPRESSED, /* HIV: the last viral load */
    DISEASE_STATUS_VIRAEMIC,
    DISEASE_STATUS_ON_DIALYSIS, /* end-stage renal disease */
    DISEASE_STATUS_GRAFT,
};

struct verdict_reason {
    enum rule rule;
    struct slice text; /* a sentence for people; says "ordered" */
};

/* A named state of the disease, such as "rituximab-refractory" (mappings/status_labels.tsv). */
struct verdict_label {
    const struct status_label *label;
    int32_t days; /* from the drug, transplant or line to the evidence */
    const struct event *evidence;
};

struct verdict {
    bool salvage;
    enum grade grade;
    unsigned line;      /* number of the line that the verdict rests on; 0 when there is none */
    struct slice basis; /* "any_line>=2" */
    enum disease_status status;
    const struct verdict_reason *reasons; /* at most LOT_REASONS_MAX */
    unsigned reason_count;
    const struct verdict_reason *vetoes;
    unsigned veto_count;
    bool history_truncated;
    const struct verdict_label *labels;
    unsigned label_count;
    const struct event *const *evidence; /* Conditions and orders it rests on */
    unsigned evidence_count;
};

struct class_exposure {
    struct slice drug_class;
    const struct drug *const *drugs; /* sorted by name */
    unsigned drug_count;
    struct date first, last;
    bool failed; /* a line with it was followed by relapse, progression or a salvage line */
};

/* A kind of treatment that the disease has: whether it has been ordered (mappings/options.tsv). */
struct option_use {
    const struct treatment_option *option;
    bool is_used, failed;
    struct date first, last; /* none while it is not used */
};

/* An exposure that adds up over all diseases of the patient (mappings/cumulative.tsv).  Only what
 * orders state is added: with `counted` below `orders` the total is a least one. */
struct cumulative {
    struct slice exposure; /* "doxorubicin-equivalent" */
    unsigned orders, counted;
    int64_t total_thousandths; /* mg/m2 */
    struct slice why_not;      /* why the first order that is not counted is not; empty: all are */
};

/* The second opinion of RULES_SPEC 8.6: the same history under the contrasting rules. */
struct contrast {
    struct slice rules; /* "contrast"; empty: there is none */
    unsigned line_count;
    bool salvage;
    enum grade grade; /* by those rules alone */
};

/* One patient, one disease. */
struct history {
    const struct disease *disease;
    struct slice rules;            /* the rule set that found the lines: "lifeline", "merck21" */
    const struct event *condition; /* the Condition that names it; NULL when only drugs do */
    bool is_ambiguous;             /* attribution could not decide between diseases */
    const struct line *lines;
    unsigned line_count;
    struct verdict verdict;
    struct contrast contrast;
    const struct option_use *options; /* in the order of the table */
    unsigned option_count;
    const struct class_exposure *classes; /* by name of the class */
    unsigned class_count;
};

/* An order of a drug that makes lines which is in no line, and the rule that kept it out; also a
 * Procedure, such as dialysis of an acute injury. */
struct left_out {
    const struct event *order;
    enum rule rule;
    struct slice text; /* for people; empty where the rule says it all */
};

/* Everything the engine says about one patient on one day. */
struct therapy {
    struct date as_of;
    struct slice rules; /* the rule set that was asked; where it has no rules, ours applied */
    const struct history *histories; /* at most LOT_HISTORIES_MAX: cancers by key, HIV, kidney */
    unsigned history_count;
    const struct cumulative *cumulative; /* in the order of the table; only what was ordered */
    unsigned cumulative_count;
    const struct event *const *unmapped; /* medications and conditions that no mapping knows */
    unsigned unmapped_count;
    const struct event *const *conflicting; /* whose codes and words name different drugs */
    unsigned conflicting_count;
    const struct event *const *unattributed; /* counted orders that no disease claims */
    unsigned unattributed_count;
    const struct left_out *left_out; /* by type, then id */
    unsigned left_out_count;
    /* What the lines were made of, for drawings: by start; by day; by id. */
    const struct exposure *exposures;
    unsigned exposure_count;
    const struct atom *atoms;
    unsigned atom_count;
    const struct event *const *procedures;
    unsigned procedure_count;
    const struct event *const *observations;
    unsigned observation_count;
    struct date next_change; /* the first later day on which the answer may differ without news */
};

const char *proof_words(unsigned proof); /* "ordered and administered" */
/* "LoT 2 (1+1)": the line of the history at index `at`, with how many lines up to it were given for
 * cure and how many for palliation; "LoT 2 (?+?)" when one of them says neither (RULES_SPEC 7). */
#define LINE_NOTATION_SIZE 40
const char *line_notation(const struct history *history, unsigned at, char out[LINE_NOTATION_SIZE]);

const char *grade_name(enum grade grade);                    /* "HIGH" ... "NONE" */
const char *segment_kind_name(enum segment_kind kind);       /* "induction" */
const char *line_setting_name(enum line_setting setting);    /* "curative" */
const char *evidence_kind_name(enum evidence_kind kind);     /* "relapse" */
const char *disease_status_name(enum disease_status status); /* "relapsed" */
