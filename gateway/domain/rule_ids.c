#include "domain/rule_ids.h"

#include "base/check.h"

static const struct {
    const char *id, *reason;
} rules[] = {
#define X(name, id, reason) [RULE_##name] = { id, reason },
    RULE_TABLE(X)
#undef X
};

const char *rule_id(enum rule rule)
{
    CHECK((size_t)rule < COUNT_OF(rules));
    return rules[rule].id;
}

const char *rule_reason(enum rule rule)
{
    CHECK((size_t)rule < COUNT_OF(rules));
    return rules[rule].reason;
}
