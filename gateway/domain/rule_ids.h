/* domain/rule_ids.h -- the ids of the clinical rules, as reports, audit records and RULES.md name
 * them.  The clinical text of each is in gateway/therapy/RULES.md. */
#pragma once

/* clang-format off */
#define RULE_TABLE(X)                      \
    X(NONE, "", "")                        \
    X(LOT_001, "LOT-001", "FIRST_EXPOSURE")
/* clang-format on */

enum rule {
#define X(name, id, reason) RULE_##name,
    RULE_TABLE(X)
#undef X
};

const char *rule_id(enum rule rule);     /* "LOT-001" */
const char *rule_reason(enum rule rule); /* "FIRST_EXPOSURE" */
