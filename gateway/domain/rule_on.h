/* domain/rule_on.h -- where a rule is applied, its condition names it: gap > limit && RULE_ON(GAP).
 *
 * What      RULE_ON() is true; it is the last thing that its condition asks.  The tests compile the
 *           engine a second time with LIFELINE_RULE_SWITCHES: there it counts how often the rule
 *           decided something, and a rule can be switched off, so that they can ask whether anybody
 *           would notice.  The gateway has no such switch.
 */
#pragma once

#include "domain/rule_ids.h"

#ifdef LIFELINE_RULE_SWITCHES

#include <stdbool.h>

struct rule_switch {
    bool is_off;
    unsigned long decided;
};
extern struct rule_switch rule_switches[RULE_COUNT];
#define RULE_ON(name) (rule_switches[RULE_##name].decided++, !rule_switches[RULE_##name].is_off)

#else
/* The gateway has no switches. */
#define RULE_ON(name) 1
#endif
