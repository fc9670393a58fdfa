#include "domain/line.h"

#include "base/text.h"

const char *proof_words(unsigned proof)
{
    static const char *const words[] = {
        "on record",
        "ordered",
        "administered",
        "ordered and administered",
        "dispensed",
        "ordered and dispensed",
        "administered and dispensed",
        "ordered, administered and dispensed",
        "reported",
        "ordered and reported",
        "administered and reported",
        "ordered, administered and reported",
        "dispensed and reported",
        "ordered, dispensed and reported",
        "administered, dispensed and reported",
        "ordered, administered, dispensed and reported",
    };
    CHECK(proof < COUNT_OF(words));
    return words[proof];
}

const char *grade_name(enum grade grade)
{
    static const char *const names[] = { "NONE", "LOW", "MEDIUM", "HIGH" };
    CHECK((size_t)grade < COUNT_OF(names));
    return names[grade];
}

const char *segment_kind_name(enum segment_kind kind)
{
    static const char *const names[] = {
        "induction", "consolidation", "maintenance",         "conditioning", "bridging",
        "regimen",   "haemodialysis", "peritoneal dialysis", "dialysis",     "graft"
    };
    CHECK((size_t)kind < COUNT_OF(names));
    return names[kind];
}

const char *line_setting_name(enum line_setting setting)
{
    static const char *const names[] = { "unknown", "curative", "palliative" };
    CHECK((size_t)setting < COUNT_OF(names));
    return names[setting];
}

const char *disease_status_name(enum disease_status status)
{
    static const char *const names[] = { "unknown",   "relapsed",     "refractory",  "sensitive",
                                         "resistant", "in-remission", "progressed",  "suppressed",
                                         "viraemic",  "on-dialysis",  "transplanted" };
    CHECK((size_t)status < COUNT_OF(names));
    return names[status];
}

const char *evidence_kind_name(enum evidence_kind kind)
{
    static const char *const names[] = { "relapse",      "progression",    "refractory",
                                         "remission",    "metastasis",     "castration resistance",
                                         "response",     "stable disease", "treatment failure",
                                         "graft failure" };
    CHECK((size_t)kind < COUNT_OF(names));
    return names[kind];
}

const char *line_notation(const struct history *history, unsigned at, char out[LINE_NOTATION_SIZE])
{
    const struct line *line = &history->lines[at];
    unsigned curative = 0, palliative = 0;
    for (unsigned i = 0; i <= at; i++) {
        curative += history->lines[i].setting == SETTING_CURATIVE;
        palliative += history->lines[i].setting == SETTING_PALLIATIVE;
    }
    struct text text = { out, LINE_NOTATION_SIZE, 0 };
    if (line->number_max == 0)
        text_add(&text, "LoT >=%u", line->number_min);
    else
        text_add(&text, "LoT %u", line->number);
    if (curative + palliative == at + 1 && line->number_max != 0)
        text_add(&text, " (%u+%u)", curative, palliative);
    else
        text_add(&text, " (?+?)");
    return out;
}
