#include "domain/rules.h"

static bool list_has(const struct drug *const *drugs, unsigned count, const struct drug *drug)
{
    for (unsigned i = 0; i < count; i++)
        if (drugs[i] == drug)
            return true;
    return false;
}

bool drug_set_has(const struct drug_set *set, const struct drug *drug)
{
    bool is_named =
        (set->traits & drug->traits) != 0 || list_has(set->drugs, set->drug_count, drug);
    return is_named && !list_has(set->except, set->except_count, drug);
}
