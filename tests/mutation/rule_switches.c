#include "domain/rule_on.h"

struct rule_switch rule_switches[RULE_COUNT];
