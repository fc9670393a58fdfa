/* domain/hiv_rules.h -- the rules of antiretroviral therapy, loaded from mappings/hiv.tsv and
 * mappings/antiretrovirals.tsv.
 *
 * Owns      the mapping; immutable.
 * Rules     HIV-001 to HIV-030; RULES_SPEC 9.
 */
#pragma once

#include "domain/drug.h"

/* Column `kind`.  All but NRTIs and boosters are anchors: a regimen has at least one. */
enum arv_kind { ARV_NRTI, ARV_NNRTI, ARV_PI, ARV_INSTI, ARV_ENTRY, ARV_CAPSID, ARV_BOOSTER };

/* Column `boosted`: whether a PI (or elvitegravir) is a boosted one. */
enum arv_boosted { BOOSTED_NEVER, BOOSTED_WITH_BOOSTER, BOOSTED_ALWAYS };

/* Column `twice_daily`: what two doses a day say. */
enum arv_twice_daily {
    TWICE_DAILY_USUAL,
    TWICE_DAILY_RESISTANCE,            /* unless pregnant */
    TWICE_DAILY_RESISTANCE_OR_INDUCER, /* unless pregnant or with an enzyme inducer */
};

/* Column `alone`: what it is ordered for when no HIV is on record. */
enum arv_alone { ALONE_NOTHING, ALONE_PREP, ALONE_HEPATITIS_B };

struct arv {
    const struct drug *drug;
    enum arv_kind kind;
    enum arv_boosted boosted;
    enum arv_twice_daily twice_daily;
    enum arv_alone alone;
    bool is_signal;           /* ordered in late lines only */
    bool is_second_line_pair; /* one of the two anchors of WHO's alternative second line */
    struct slice label;       /* "TDF", "DRV/r": as regimens are named */
};

struct hiv_rules {
    const struct arv *arvs; /* by index of the drug */
    unsigned arv_count;
    /* mappings/hiv.tsv; days unless a name says otherwise */
    int32_t regimen_stable, regimen_drugs;
    int32_t pep;
    int32_t late_line;    /* the least number of a line that only late regimens speak of */
    int32_t salvage_line; /* lines from this number on are salvage */
    int32_t failure_copies, failure_after, failure_apart; /* WHO; copies per millilitre */
    int32_t confirmed_copies, confirmed_after;            /* DHHS */
    int32_t leftover;
    int32_t pregnancy;
    int32_t doses_twice; /* doses per 1000 days that are twice a day */
};

/* NULL for a drug that is none; the loader sees to it that all are of their group. */
static inline const struct arv *hiv_arv(const struct hiv_rules *rules, const struct drug *drug)
{
    if (drug->group != DRUG_ANTIRETROVIRAL)
        return NULL;
    for (unsigned low = 0, high = rules->arv_count; low < high;) {
        unsigned middle = low + (high - low) / 2;
        if (rules->arvs[middle].drug == drug)
            return &rules->arvs[middle];
        if (rules->arvs[middle].drug->index < drug->index)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}
