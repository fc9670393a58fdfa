#include "therapy/regimen.h"

#include "therapy/exposure.h"

#define BATCH_DAYS 7 /* the days over which one cycle's drugs start */

static bool is_for(const struct course *course, const struct regimen *regimen)
{
    const struct disease *disease = course->disease;
    if (regimen->disease == NULL)
        return true;
    for (; disease != NULL; disease = disease->within)
        if (disease == regimen->disease)
            return true;
    return false;
}

/* True when the regimen's drugs that make lines are exactly `slots`. */
static bool has_drugs(const struct course *course, const struct regimen *regimen, uint64_t slots)
{
    uint64_t found = 0;
    for (unsigned i = 0; i < regimen->drug_count; i++) {
        const struct drug *drug = regimen->drugs[i];
        if (!exposure_makes_lines(drug))
            continue;
        unsigned slot = 0;
        while (slot < course->drug_count && course->drugs[slot] != drug)
            slot++;
        if (slot == course->drug_count || (slots & slot_bit(slot)) == 0)
            return false;
        found |= slot_bit(slot);
    }
    return found == slots;
}

/* How well the steroids agree: named and ordered, or neither. */
static int steroid_score(const struct course *course, const struct regimen *regimen, int32_t start,
                         int32_t until)
{
    bool is_named = false, is_ordered = false, is_same = false;
    for (unsigned i = 0; i < regimen->drug_count; i++)
        is_named = is_named || drug_has(regimen->drugs[i], TRAIT_STEROID);
    for (unsigned i = 0; i < course->steroid_count; i++) {
        const struct exposure *steroid = course->steroids[i];
        if (steroid->start.day > until)
            break;
        if (steroid->end.day < start)
            continue;
        is_ordered = true;
        for (unsigned k = 0; k < regimen->drug_count; k++)
            is_same = is_same || regimen->drugs[k] == steroid->drug;
    }
    return (is_named == is_ordered ? 1 : 0) + (is_same ? 1 : 0);
}

const struct regimen *regimen_of(const struct course *course, uint64_t slots, int32_t start,
                                 int32_t until)
{
    const struct rules *rules = course->engine->rules;
    const struct regimen *best = NULL;
    unsigned count = (unsigned)__builtin_popcountll(slots);
    int best_score = -1;
    for (unsigned i = 0; slots != 0 && i < rules->regimen_count; i++) {
        const struct regimen *regimen = &rules->regimens[i];
        if (regimen->drug_count < count || !is_for(course, regimen) ||
            !has_drugs(course, regimen, slots))
            continue;
        int score = (regimen->disease == course->disease ? 8
                     : regimen->disease != NULL          ? 4
                                                         : 0) +
                    steroid_score(course, regimen, start, until);
        if (score > best_score) { /* the first of equals: the table's own order */
            best = regimen;
            best_score = score;
        }
    }
    return best;
}

bool regimen_is_salvage_batch(const struct course *course, const struct batch *batch)
{
    uint64_t slots = 0;
    for (unsigned i = batch->first; i < course->use_count; i++) {
        if (course->uses[i].start > batch->day + BATCH_DAYS)
            break;
        slots |= slot_bit(course->uses[i].slot);
    }
    const struct regimen *all = regimen_of(course, slots, batch->day, batch->day + BATCH_DAYS);
    const struct regimen *own =
        regimen_of(course, batch->slots, batch->day, batch->day + BATCH_DAYS);
    return (all != NULL && all->is_exclusive) || (own != NULL && own->is_exclusive);
}

bool regimen_is_conditioning(const struct course *course, uint64_t slots)
{
    const struct rules *rules = course->engine->rules;
    for (unsigned i = 0; i < rules->regimen_count; i++) {
        const struct regimen *regimen = &rules->regimens[i];
        if ((regimen->uses & REGIMEN_CONDITIONING) != 0 && is_for(course, regimen) &&
            has_drugs(course, regimen, slots))
            return true;
    }
    return false;
}
