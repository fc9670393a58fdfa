/* Every member of what the planner is handed: how plan_meaning_test.c changes it, and which bodies
 * may differ then. */
#pragma once

#include "plan_story.h"

enum of {
    INPUT,
    THERAPY,
    HISTORY,
    DISEASE,
    CONDITION,
    VERDICT,
    REASON,
    VETO,
    LINE,
    EARLIER,
    DRUG,
    ORDER,
    CLASS,
    BEFORE,
    OF_COUNT
};

enum how {
    NUMBER,      /* another number, or another of an enumeration */
    LOGIC,       /* true becomes false */
    DAY,         /* a day later */
    WORDS,       /* other text */
    LETTER,      /* of an array of characters */
    DRUGS,       /* a list of other drugs */
    EVENTS,      /* a list of other events */
    DIGEST,      /* of something else */
    MISSING,     /* NULL */
    LINE_NUMBER, /* of the line that the verdict names */
    EVIDENCE,    /* of a boundary */
    ROWS,        /* what it points to has rows of its own, or nothing follows it */
};

struct member {
    const char *name;
    enum of of;
    size_t at, size;
    enum how how;
    const char
        *news; /* while it holds: F, C or both; "source" when only a source has another name */
};

#define MEMBER(of, type, member, how, news)                                                    \
    {                                                                                          \
#of ": " #member, of, offsetof(struct type, member), sizeof((struct type *)0)->member, \
            how, news                                                                          \
    }

/* clang-format off */
static const struct member members[] = {
    MEMBER(INPUT, plan_input, tenant, WORDS, "FC"),
    MEMBER(INPUT, plan_input, patient, WORDS, "FC"),
    MEMBER(INPUT, plan_input, therapy, ROWS, ""),
    MEMBER(INPUT, plan_input, before, ROWS, ""),
    MEMBER(INPUT, plan_input, before_count, ROWS, ""),
    MEMBER(INPUT, plan_input, retracted, ROWS, ""),
    MEMBER(INPUT, plan_input, retracted_count, NUMBER, ""),
    MEMBER(INPUT, plan_input, rule_set, DIGEST, "source"),
    MEMBER(INPUT, plan_input, instance, WORDS, "FC"),
    MEMBER(INPUT, plan_input, device, WORDS, "source"),
    MEMBER(INPUT, plan_input, texts, MISSING, "C"),
    MEMBER(INPUT, plan_input, grade_min, NUMBER, ""),
    MEMBER(INPUT, plan_input, is_deceased, LOGIC, "FC"),
    MEMBER(INPUT, plan_input, deceased, DAY, ""),
    MEMBER(INPUT, plan_input, extra_kinds, ROWS, ""), /* of notes, which are snapshots */
    MEMBER(INPUT, plan_input, idle_kinds, ROWS, ""), /* what is written at all, not what is said */
    MEMBER(INPUT, plan_input, with_extensions, LOGIC, "FC"),
    MEMBER(INPUT, plan_input, today, DAY, ""),
    MEMBER(THERAPY, therapy, as_of, DAY, ""),
    MEMBER(THERAPY, therapy, rules, WORDS, ""),
    MEMBER(THERAPY, therapy, histories, ROWS, ""),
    MEMBER(THERAPY, therapy, history_count, NUMBER, "FC"),
    MEMBER(THERAPY, therapy, cumulative, ROWS, ""),
    MEMBER(THERAPY, therapy, cumulative_count, NUMBER, "C"),
    MEMBER(THERAPY, therapy, unmapped, EVENTS, ""),
    MEMBER(THERAPY, therapy, unmapped_count, NUMBER, ""),
    MEMBER(THERAPY, therapy, conflicting, EVENTS, ""),
    MEMBER(THERAPY, therapy, conflicting_count, NUMBER, ""),
    MEMBER(THERAPY, therapy, unattributed, EVENTS, ""),
    MEMBER(THERAPY, therapy, unattributed_count, NUMBER, ""),
    MEMBER(THERAPY, therapy, left_out, ROWS, ""),
    MEMBER(THERAPY, therapy, left_out_count, NUMBER, ""),
    MEMBER(THERAPY, therapy, exposures, MISSING, ""),
    MEMBER(THERAPY, therapy, exposure_count, NUMBER, ""),
    MEMBER(THERAPY, therapy, atoms, MISSING, ""),
    MEMBER(THERAPY, therapy, atom_count, NUMBER, ""),
    MEMBER(THERAPY, therapy, procedures, EVENTS, ""),
    MEMBER(THERAPY, therapy, procedure_count, NUMBER, ""),
    MEMBER(THERAPY, therapy, observations, EVENTS, ""),
    MEMBER(THERAPY, therapy, observation_count, NUMBER, ""),
    MEMBER(THERAPY, therapy, next_change, DAY, ""),
    MEMBER(HISTORY, history, disease, ROWS, ""),
    MEMBER(HISTORY, history, rules, WORDS, ""),
    MEMBER(HISTORY, history, condition, MISSING, "C"),
    MEMBER(HISTORY, history, is_ambiguous, LOGIC, ""),
    MEMBER(HISTORY, history, lines, ROWS, ""),
    MEMBER(HISTORY, history, line_count, NUMBER, "FC"),
    MEMBER(HISTORY, history, verdict, ROWS, ""),
    MEMBER(HISTORY, history, contrast, MISSING, ""),
    MEMBER(HISTORY, history, options, ROWS, ""),
    MEMBER(HISTORY, history, option_count, NUMBER, "C"),
    MEMBER(HISTORY, history, classes, ROWS, ""),
    MEMBER(HISTORY, history, class_count, NUMBER, "C"),
    MEMBER(DISEASE, disease, index, NUMBER, ""),
    MEMBER(DISEASE, disease, key, WORDS, "FC"),
    MEMBER(DISEASE, disease, name, WORDS, "FC"),
    MEMBER(DISEASE, disease, family, NUMBER, ""),
    MEMBER(DISEASE, disease, profile, ROWS, ""),
    MEMBER(DISEASE, disease, within, ROWS, ""),
    MEMBER(DISEASE, disease, listed, ROWS, ""),
    MEMBER(DISEASE, disease, identifying, ROWS, ""),
    MEMBER(DISEASE, disease, listed_traits, NUMBER, ""),
    MEMBER(CONDITION, event, type, NUMBER, "C"),
    MEMBER(CONDITION, event, id, WORDS, "C"),
    MEMBER(CONDITION, event, version, NUMBER, ""),
    MEMBER(VERDICT, verdict, salvage, LOGIC, "FC"),
    MEMBER(VERDICT, verdict, grade, NUMBER, "FC"),
    MEMBER(VERDICT, verdict, line, NUMBER, "FC"),
    MEMBER(VERDICT, verdict, basis, WORDS, "FC"),
    MEMBER(VERDICT, verdict, status, NUMBER, "FC"),
    MEMBER(VERDICT, verdict, reasons, ROWS, ""),
    MEMBER(VERDICT, verdict, reason_count, NUMBER, "FC"),
    MEMBER(VERDICT, verdict, vetoes, ROWS, ""),
    MEMBER(VERDICT, verdict, veto_count, NUMBER, ""),
    MEMBER(VERDICT, verdict, history_truncated, LOGIC, "FC"),
    MEMBER(VERDICT, verdict, labels, MISSING, ""),
    MEMBER(VERDICT, verdict, label_count, NUMBER, ""),
    MEMBER(VERDICT, verdict, evidence, EVENTS, ""),
    MEMBER(VERDICT, verdict, evidence_count, NUMBER, ""),
    MEMBER(REASON, verdict_reason, rule, NUMBER, ""),
    MEMBER(REASON, verdict_reason, text, WORDS, "FC"),
    MEMBER(VETO, verdict_reason, rule, NUMBER, ""),
    MEMBER(VETO, verdict_reason, text, WORDS, ""),
    MEMBER(LINE, line, number, LINE_NUMBER, "FC"),
    MEMBER(LINE, line, number_min, NUMBER, "FC"),
    MEMBER(LINE, line, number_max, NUMBER, "FC"),
    MEMBER(LINE, line, id, LETTER, ""),
    MEMBER(LINE, line, start, DAY, "FC"),
    MEMBER(LINE, line, end, DAY, "C"),
    MEMBER(LINE, line, is_open, LOGIC, "C"),
    MEMBER(LINE, line, is_short, LOGIC, ""),
    MEMBER(LINE, line, setting, NUMBER, ""),
    MEMBER(LINE, line, drugs, DRUGS, "FC"),
    MEMBER(LINE, line, drug_count, NUMBER, "FC"),
    MEMBER(LINE, line, regimen, WORDS, "FC"),
    MEMBER(LINE, line, segments, ROWS, ""),
    MEMBER(LINE, line, segment_count, NUMBER, ""),
    MEMBER(LINE, line, opened_by, EVIDENCE, ""),
    MEMBER(LINE, line, closed_by, EVIDENCE, ""),
    MEMBER(LINE, line, notes, ROWS, ""),
    MEMBER(LINE, line, note_count, NUMBER, ""),
    MEMBER(LINE, line, sources, EVENTS, "C"),
    MEMBER(LINE, line, source_count, NUMBER, "C"),
    MEMBER(LINE, line, proof, NUMBER, "FC"),
    MEMBER(EARLIER, line, number, NUMBER, "C"),
    MEMBER(EARLIER, line, number_min, NUMBER, ""),
    MEMBER(EARLIER, line, number_max, NUMBER, ""),
    MEMBER(EARLIER, line, id, LETTER, ""),
    MEMBER(EARLIER, line, start, DAY, "C"),
    MEMBER(EARLIER, line, end, DAY, "C"),
    MEMBER(EARLIER, line, is_open, LOGIC, "C"),
    MEMBER(EARLIER, line, is_short, LOGIC, ""),
    MEMBER(EARLIER, line, setting, NUMBER, ""),
    MEMBER(EARLIER, line, drugs, DRUGS, "C"),
    MEMBER(EARLIER, line, drug_count, NUMBER, "C"),
    MEMBER(EARLIER, line, regimen, WORDS, "C"),
    MEMBER(EARLIER, line, segments, ROWS, ""),
    MEMBER(EARLIER, line, segment_count, NUMBER, ""),
    MEMBER(EARLIER, line, opened_by, EVIDENCE, ""),
    MEMBER(EARLIER, line, closed_by, EVIDENCE, ""),
    MEMBER(EARLIER, line, notes, ROWS, ""),
    MEMBER(EARLIER, line, note_count, NUMBER, ""),
    MEMBER(EARLIER, line, sources, EVENTS, ""),
    MEMBER(EARLIER, line, source_count, NUMBER, ""),
    MEMBER(EARLIER, line, proof, NUMBER, ""),
    MEMBER(DRUG, drug, name, WORDS, "FC"),
    MEMBER(DRUG, drug, traits, NUMBER, "C"),
    MEMBER(ORDER, event, type, NUMBER, "C"),
    MEMBER(ORDER, event, id, WORDS, "C"),
    MEMBER(ORDER, event, version, NUMBER, ""),
    MEMBER(CLASS, class_exposure, drug_class, WORDS, "C"),
    MEMBER(CLASS, class_exposure, drugs, DRUGS, "C"),
    MEMBER(CLASS, class_exposure, drug_count, NUMBER, "C"),
    MEMBER(CLASS, class_exposure, first, DAY, "C"),
    MEMBER(CLASS, class_exposure, last, DAY, "C"),
    MEMBER(CLASS, class_exposure, failed, LOGIC, "C"),
    MEMBER(BEFORE, posted, kind, ROWS, ""),
    MEMBER(BEFORE, posted, target, ROWS, ""),
    MEMBER(BEFORE, posted, wish, ROWS, ""),
    MEMBER(BEFORE, posted, disease, WORDS, ""),
    MEMBER(BEFORE, posted, line_id, WORDS, ""),
    MEMBER(BEFORE, posted, digest, ROWS, ""),
    MEMBER(BEFORE, posted, evidence_ids, WORDS, ""),
    MEMBER(BEFORE, posted, text, WORDS, ""),
    MEMBER(BEFORE, posted, start, DAY, ""),
    MEMBER(BEFORE, posted, end, DAY, ""),
};
/* clang-format on */
