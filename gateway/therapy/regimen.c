#include "therapy/regimen.h"

#include "therapy/exposure.h"

#define BATCH_DAYS 7 /* the days over which one cycle's drugs start */

/* Where the table sorts a regimen's disease: those for any disease are last. */
static uint32_t disease_rank(const struct disease *disease)
{
    return disease != NULL ? disease->index : UINT32_MAX;
}

/* The regimens of exactly this disease (NULL: of any) are neighbours in the table. */
struct span_of_regimens {
    unsigned first, end;
};

static struct span_of_regimens regimens_of(const struct rules *rules, const struct disease *disease)
{
    uint32_t rank = disease_rank(disease);
    unsigned low = 0, high = rules->regimen_count;
    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        if (disease_rank(rules->regimens[middle].disease) < rank)
            low = middle + 1;
        else
            high = middle;
    }
    struct span_of_regimens span = { low, low };
    while (span.end < rules->regimen_count && rules->regimens[span.end].disease == disease)
        span.end++;
    return span;
}

static uint64_t bits_of(const struct course *course, uint64_t slots)
{
    uint64_t bits = 0;
    for (uint64_t left = slots; left != 0; left &= left - 1)
        bits |= drug_bit(course->drugs[__builtin_ctzll(left)]);
    return bits;
}

/* True when the regimen's drugs that make lines are exactly `slots`, whose bits_of() are `bits`. */
static bool has_drugs(const struct course *course, const struct regimen *regimen, uint64_t slots,
                      uint64_t bits)
{
    uint64_t found = 0;
    if (regimen->bits != bits && RULE_ON(SUPPORTIVE))
        return false;
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

/* The best of one disease's regimens; NULL when none has these drugs. */
static const struct regimen *best_of(const struct course *course, const struct disease *disease,
                                     uint64_t slots, int32_t start, int32_t until)
{
    const struct rules *rules = course->engine->rules;
    const struct regimen *best = NULL;
    unsigned count = (unsigned)__builtin_popcountll(slots);
    int best_score = -1;
    uint64_t bits = bits_of(course, slots);
    struct span_of_regimens span = regimens_of(rules, disease);
    for (unsigned i = span.first; i < span.end; i++) {
        const struct regimen *regimen = &rules->regimens[i];
        if (regimen->drug_count < count)
            break; /* the largest come first */
        if (!has_drugs(course, regimen, slots, bits))
            continue;
        int score = steroid_score(course, regimen, start, until);
        if (score > best_score) { /* the first of equals: the table's own order */
            best = regimen;
            best_score = score;
        }
    }
    return best;
}

const struct regimen *regimen_of(const struct course *course, uint64_t slots, int32_t start,
                                 int32_t until)
{
    const struct regimen *best = NULL;
    if (slots == 0)
        return NULL;
    for (const struct disease *disease = course->disease; disease != NULL && best == NULL;
         disease = disease->within)
        best = best_of(course, disease, slots, start, until);
    return best != NULL ? best : best_of(course, NULL, slots, start, until);
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

static bool conditions_for(const struct course *course, const struct disease *disease,
                           uint64_t slots)
{
    const struct rules *rules = course->engine->rules;
    struct span_of_regimens span = regimens_of(rules, disease);
    uint64_t bits = bits_of(course, slots);
    for (unsigned i = span.first; i < span.end; i++)
        if ((rules->regimens[i].uses & REGIMEN_CONDITIONING) != 0 &&
            has_drugs(course, &rules->regimens[i], slots, bits))
            return true;
    return false;
}

bool regimen_is_conditioning(const struct course *course, uint64_t slots)
{
    for (const struct disease *disease = course->disease; disease != NULL;
         disease = disease->within)
        if (conditions_for(course, disease, slots))
            return true;
    return conditions_for(course, NULL, slots);
}
