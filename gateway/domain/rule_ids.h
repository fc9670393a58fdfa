/* domain/rule_ids.h -- the ids of the clinical rules, as reports, audit records and RULES.md name
 * them.  The clinical text, the parameters and the source of each are in gateway/therapy/RULES.md;
 * an id never changes its meaning, new rules get new numbers. */
#pragma once

/* clang-format off */
#define RULE_TABLE(X)                                                                   \
    X(NONE, "", "")                                                                     \
    /* lines: what opens one, and what does not */                                      \
    X(FIRST_EXPOSURE,      "LOT-001", "FIRST_EXPOSURE")                                 \
    X(WINDOW,              "LOT-002", "WINDOW")                                         \
    X(TWO_CYCLES,          "LOT-003", "TWO_CYCLES")                                     \
    X(SUBSTITUTION,        "LOT-004", "SUBSTITUTION")                                   \
    X(GAP,                 "LOT-005", "GAP")                                            \
    X(GAP_EXEMPT,          "LOT-006", "GAP_EXEMPT")                                     \
    X(RELAPSE,             "LOT-007", "RELAPSE")                                        \
    X(RECHALLENGE,         "LOT-008", "GAP")                                            \
    X(ADD_EXEMPT,          "LOT-009", "ADD_EXEMPT")                                     \
    X(SUPPLEMENT,          "LOT-010", "SUPPLEMENT")                                     \
    X(PHASE,               "LOT-011", "PHASE")                                          \
    X(MAINTENANCE,         "LOT-012", "MAINTENANCE")                                    \
    X(POST_TRANSPLANT,     "LOT-013", "MAINTENANCE")                                    \
    X(TOXICITY,            "LOT-014", "TOXICITY")                                       \
    X(PLANNED,             "LOT-015", "PLANNED")                                        \
    X(NEW_AGENT,           "LOT-016", "NEW_AGENT")                                      \
    X(NEW_AGENT_AFTER_RELAPSE, "LOT-017", "NEW_AGENT_AFTER_RELAPSE")                    \
    X(CELL_THERAPY,        "LOT-018", "CELL_THERAPY")                                   \
    X(BRIDGING,            "LOT-019", "BRIDGING")                                       \
    X(CONDITIONING,        "LOT-020", "CONDITIONING")                                   \
    X(SECOND_TRANSPLANT,   "LOT-021", "SECOND_TRANSPLANT")                              \
    X(BACKBONE,            "LOT-022", "BACKBONE")                                       \
    X(DROP,                "LOT-023", "DROP")                                           \
    X(CARRY,               "LOT-024", "CARRY")                                          \
    X(LINE_END,            "LOT-025", "LINE_END")                                       \
    X(SHORT_LINE,          "LOT-026", "SHORT_LINE")                                     \
    X(DIAGNOSIS,           "LOT-027", "DIAGNOSIS")                                      \
    X(IDENTITY,            "LOT-028", "IDENTITY")                                       \
    X(UNKNOWN_AGENT,       "LOT-029", "UNKNOWN_AGENT")                                  \
    X(SUPPORTIVE,          "LOT-030", "SUPPORTIVE")                                     \
    X(SETTING,             "LOT-031", "SETTING")                                        \
    X(IDENTICAL,           "LOT-032", "IDENTICAL")                                      \
    X(REGIMEN,             "LOT-033", "REGIMEN")                                        \
    X(CYCLE_REGIMEN,       "LOT-034", "CYCLE_REGIMEN")                                  \
    X(RESTART,             "LOT-035", "RESTART")                                        \
    X(NO_EVIDENCE,         "LOT-036", "NO_EVIDENCE")                                    \
    X(PERIOPERATIVE,       "LOT-037", "PERIOPERATIVE")                                  \
    /* exposures: what an order proves */                                               \
    X(EXP_STATUS,          "EXP-001", "ORDER_STATUS")                                   \
    X(EXP_INTENT,          "EXP-002", "ORDER_INTENT")                                   \
    X(EXP_NOT_PERFORM,     "EXP-003", "DO_NOT_PERFORM")                                 \
    X(EXP_REPORTED,        "EXP-004", "REPORTED")                                       \
    X(EXP_START,           "EXP-005", "START")                                          \
    X(EXP_PARTIAL,         "EXP-006", "PARTIAL_DATE")                                   \
    X(EXP_END,             "EXP-007", "NATURAL_END")                                    \
    X(EXP_STOP,            "EXP-008", "STOP")                                           \
    X(EXP_VALIDITY,        "EXP-009", "VALIDITY_CAP")                                   \
    X(EXP_TAIL,            "EXP-010", "TAIL")                                           \
    X(EXP_AS_OF,           "EXP-011", "AS_OF")                                          \
    X(EXP_STALE,           "EXP-012", "STALE_OPEN")                                     \
    X(EXP_JOIN,            "EXP-013", "JOIN")                                           \
    X(EXP_FILLER,          "EXP-014", "FILLER")                                         \
    X(EXP_SAME_DAY,        "EXP-015", "CONFLICTING_END")                                \
    X(EXP_BY_REFERENCE,    "EXP-016", "REASON_REFERENCE")                               \
    X(EXP_BY_CODE,         "EXP-017", "REASON_CODE")                                    \
    X(EXP_BY_CONDITION,    "EXP-018", "SINGLE_CONDITION")                               \
    X(EXP_AMBIGUOUS,       "EXP-019", "AMBIGUOUS")                                      \
    X(EXP_UNATTRIBUTED,    "EXP-020", "UNATTRIBUTED")                                   \
    X(EXP_UNKNOWN,         "EXP-021", "UNMAPPED")                                       \
    X(EXP_ADMINISTERED,    "EXP-022", "ADMINISTERED")                                   \
    X(EXP_DISPENSED,       "EXP-023", "DISPENSED")                                      \
    X(EXP_STATED,          "EXP-024", "STATED")                                         \
    X(EXP_FULFILS,         "EXP-025", "FULFILS_ORDER")                                  \
    X(EXP_WITHIN,          "EXP-026", "WITHIN_ORDER")                                   \
    X(EXP_CONFIRM_END,     "EXP-027", "CONFIRMED_END")                                  \
    X(EXP_CONFIRM_START,   "EXP-028", "CONFIRMED_START")                                \
    X(EXP_INFUSION,        "EXP-029", "CELL_INFUSION")                                  \
    X(EXP_CONFLICT,        "EXP-030", "CONFLICTING_CODES")                              \
    /* evidence: what Conditions and stopped orders say */                              \
    X(EVD_STOP_REASON,     "EVD-001", "STOP_REASON")                                    \
    X(EVD_CLINICAL_STATUS, "EVD-002", "CLINICAL_STATUS")                                \
    X(EVD_CODE,            "EVD-003", "RELAPSE_CODE")                                   \
    X(EVD_REMISSION,       "EVD-004", "REMISSION")                                      \
    X(EVD_INFERRED,        "EVD-005", "ACTIVE_AFTER_REMISSION")                         \
    X(EVD_METASTASIS,      "EVD-006", "NEW_METASTASIS")                                 \
    X(EVD_REFUTED,         "EVD-007", "REFUTED")                                        \
    X(EVD_DATE,            "EVD-008", "EVIDENCE_DATE")                                  \
    X(EVD_LATE,            "EVD-009", "LATE_EVIDENCE")                                  \
    X(EVD_TEXT,            "EVD-010", "CONDITION_TEXT")                                 \
    X(EVD_CASTRATION,      "EVD-011", "CASTRATION_RESISTANT")                           \
    X(EVD_OBSERVED,        "EVD-012", "DISEASE_STATUS_OBSERVED")                        \
    X(EVD_PARTIAL,         "EVD-013", "EVIDENCE_WITHOUT_DAY")                           \
    X(EVD_GIVEN,           "EVD-014", "ADMINISTRATION_STOPPED")                         \
    /* the salvage verdict */                                                           \
    X(SAL_BASIS,           "SAL-001", "BASIS")                                          \
    X(SAL_EVIDENCE,        "SAL-002", "RELAPSE_EVIDENCE")                               \
    X(SAL_STOP_REASON,     "SAL-003", "STOPPED_FOR_PROGRESSION")                        \
    X(SAL_SWITCH,          "SAL-004", "STRONG_BOUNDARY")                                \
    X(SAL_SIGNATURE,       "SAL-005", "SALVAGE_REGIMEN")                                \
    X(SAL_CELL_THERAPY,    "SAL-006", "CELL_THERAPY_OR_TRANSPLANT")                     \
    X(SAL_WEAK,            "SAL-007", "WEAK_BOUNDARY")                                  \
    X(SAL_MAINTENANCE,     "SAL-008", "VETO_MAINTENANCE")                               \
    X(SAL_REMISSION,       "SAL-009", "VETO_FIRST_REMISSION")                           \
    X(SAL_TOXICITY,        "SAL-010", "VETO_CHANGE_REASON")                             \
    X(SAL_FIRST_PALLIATIVE, "SAL-011", "VETO_FIRST_PALLIATIVE")                         \
    X(SAL_GRADE,           "SAL-012", "GRADE")                                          \
    X(SAL_TRUNCATED,       "SAL-013", "HISTORY_TRUNCATED")                              \
    X(SAL_AMBIGUOUS,       "SAL-014", "AMBIGUOUS_DISEASE")                              \
    X(SAL_PARTIAL,         "SAL-015", "PARTIAL_DATE")                                   \
    X(SAL_REPORTED,        "SAL-016", "REPORTED_OR_STALE")                              \
    X(SAL_STATUS,          "SAL-017", "DISEASE_STATUS")                                 \
    X(SAL_CLASS_FAILED,    "SAL-018", "CLASS_FAILED")                                   \
    X(SAL_EARLY,           "SAL-019", "EARLY_RECURRENCE")                               \
    X(SAL_UNKNOWN_AGENT,   "SAL-020", "UNKNOWN_AGENT")                                  \
    X(SAL_NOT_STARTED,     "SAL-021", "RELAPSE_WITHOUT_NEW_LINE")                       \
    X(SAL_SHORT,           "SAL-022", "SHORT_LINE_COUNTED")                             \
    X(SAL_CONTRAST,        "SAL-023", "CONTRAST")                                       \
    X(SAL_CONTROLLED,      "SAL-024", "DISEASE_CONTROLLED")                             \
    X(SAL_LABEL,           "SAL-025", "STATUS_LABEL")                                   \
    X(SAL_OPTION,          "SAL-026", "OPTIONS")                                        \
    X(SAL_CUMULATIVE,      "SAL-027", "CUMULATIVE_EXPOSURE")                            \
    /* antiretroviral therapy */                                                        \
    X(HIV_DIAGNOSIS,       "HIV-001", "NO_HIV_DIAGNOSIS")                               \
    X(HIV_PREP,            "HIV-002", "PRE_EXPOSURE_PROPHYLAXIS")                       \
    X(HIV_PEP,             "HIV-003", "POST_EXPOSURE_PROPHYLAXIS")                      \
    X(HIV_HEPATITIS_B,     "HIV-004", "HEPATITIS_B")                                    \
    X(HIV_REGIMEN,         "HIV-005", "NO_REGIMEN")                                     \
    X(HIV_FIRST,           "HIV-006", "FIRST_ART")                                      \
    X(HIV_FAILURE,         "HIV-007", "FAILURE_EVIDENCE")                               \
    X(HIV_LOAD_WHO,        "HIV-008", "FAILURE_EVIDENCE")                               \
    X(HIV_LOAD_DHHS,       "HIV-009", "FAILURE_EVIDENCE")                               \
    X(HIV_WEAK_FAILURE,    "HIV-010", "FAILURE_EVIDENCE")                               \
    X(HIV_RESUPPRESSED,    "HIV-011", "RESUPPRESSED")                                   \
    X(HIV_SUBSTITUTION,    "HIV-012", "SUBSTITUTION")                                   \
    X(HIV_SAME_CLASS,      "HIV-013", "SAME_CLASS")                                     \
    X(HIV_PI_SWITCH,       "HIV-014", "PI_SWITCH")                                      \
    X(HIV_TRANSITION,      "HIV-015", "PROGRAMME_TRANSITION")                           \
    X(HIV_SECOND_LINE_PAIR, "HIV-016", "WHO_2L_RAL_LPV")                                \
    X(HIV_SIGNAL,          "HIV-017", "SALVAGE_SIGNAL")                                 \
    X(HIV_DOSE,            "HIV-018", "SALVAGE_SIGNAL")                                 \
    X(HIV_DUAL_ANCHOR,     "HIV-019", "DUAL_ANCHOR")                                    \
    X(HIV_TRUNCATED,       "HIV-020", "HISTORY_TRUNCATED_SALVAGE_PATTERN")              \
    X(HIV_FAILED_BEFORE,   "HIV-021", "FAILURE_BEFORE_FIRST_ORDER")                     \
    X(HIV_INTERRUPTION,    "HIV-022", "INTERRUPTION")                                   \
    X(HIV_LEFTOVER,        "HIV-023", "LEFTOVER")                                       \
    X(HIV_BASIS,           "HIV-024", "BASIS")                                          \
    X(HIV_GRADE,           "HIV-025", "GRADE")                                          \
    X(HIV_CONTRADICTED,    "HIV-026", "REASON_CONTRADICTS_FAILURE")                     \
    X(HIV_EXPOSURE,        "HIV-027", "EXPOSURE_IS_NOT_FAILURE")                        \
    X(HIV_NOT_SWITCHED,    "HIV-028", "FAILURE_WITHOUT_NEW_LINE")                       \
    X(HIV_STATUS,          "HIV-029", "LAST_VIRAL_LOAD")                                \
    /* renal replacement */                                                             \
    X(RRT_DIAGNOSIS,       "RRT-001", "NO_END_STAGE_RENAL_DISEASE")                     \
    X(RRT_DIALYSIS,        "RRT-002", "DIALYSIS")                                       \
    X(RRT_TRANSPLANT,      "RRT-003", "KIDNEY_TRANSPLANT")                              \
    X(RRT_PREEMPTIVE,      "RRT-004", "PREEMPTIVE_TRANSPLANT")                          \
    X(RRT_GRAFT_FAILURE,   "RRT-005", "GRAFT_FAILURE")                                  \
    X(RRT_RETRANSPLANT,    "RRT-006", "RETRANSPLANT")                                   \
    X(RRT_INDUCTION,       "RRT-007", "TRANSPLANT_DATED_BY_INDUCTION")                  \
    X(RRT_STATUS_CODE,     "RRT-008", "TRANSPLANT_DATED_BY_STATUS_CODE")                \
    X(RRT_SAME_TRANSPLANT, "RRT-009", "SAME_TRANSPLANT")                                \
    X(RRT_TECHNIQUE_SHORT, "RRT-010", "PD_TO_HD_30")                                    \
    X(RRT_TECHNIQUE_LONG,  "RRT-011", "PD_TO_HD_180")                                   \
    X(RRT_ACCESS,          "RRT-012", "ACCESS_FAILURE")                                 \
    X(RRT_DELAYED,         "RRT-013", "DELAYED_GRAFT_FUNCTION")                         \
    X(RRT_RESUMED,         "RRT-014", "GRAFT_FAILURE")                                  \
    X(RRT_TRUNCATED,       "RRT-015", "HISTORY_TRUNCATED")                              \
    X(RRT_DRUGS,           "RRT-016", "IMMUNOSUPPRESSANTS")                             \
    X(RRT_BASIS,           "RRT-017", "BASIS")                                          \
    X(RRT_NOT_SALVAGE,     "RRT-018", "NOT_SALVAGE")                                    \
    X(RRT_GRADE,           "RRT-019", "GRADE")
/* clang-format on */

enum rule {
#define X(name, id, reason) RULE_##name,
    RULE_TABLE(X)
#undef X
        RULE_COUNT
};

_Static_assert(RULE_PERIOPERATIVE < 64, "what a profile can switch off is a bit of 64");

const char *rule_id(enum rule rule);     /* "LOT-001" */
const char *rule_reason(enum rule rule); /* "FIRST_EXPOSURE" */
