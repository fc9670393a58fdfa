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

bool rules_disease_lists(const struct rules *rules, const struct disease *disease,
                         const struct drug *drug)
{
    if (drug->group == DRUG_UNKNOWN || drug->index >= rules->drug_count)
        return false;
    const uint64_t *row = &rules->drug_diseases[(size_t)drug->index * rules->disease_words];
    for (; disease != NULL; disease = disease->within)
        if ((row[disease->index / 64] >> disease->index % 64 & 1) != 0)
            return true;
    return false;
}
