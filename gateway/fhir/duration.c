#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "fhir/read_int.h"

#define DAYS_MAX 36525.0 /* a century; longer is a slip of the keyboard */

/* UCUM codes, and the words that senders put into `unit` when they have no code. */
static const struct unit {
    const char *name;
    double days;
} units[] = {
    { "d", 1 },
    { "day", 1 },
    { "days", 1 },
    { "wk", 7 },
    { "week", 7 },
    { "weeks", 7 },
    { "mo", 30.4375 },
    { "month", 30.4375 },
    { "months", 30.4375 },
    { "a", 365.25 },
    { "year", 365.25 },
    { "years", 365.25 },
    { "h", 1 / 24.0 },
    { "hour", 1 / 24.0 },
    { "hours", 1 / 24.0 },
    { "min", 1 / 1440.0 },
    { "s", 1 / 86400.0 },
};

/* Days per unit; 0 when the unit is unknown. */
static double days_of_unit(struct slice name)
{
    for (size_t i = 0; i < COUNT_OF(units); i++)
        if (name.len == strlen(units[i].name) && strncasecmp(name.at, units[i].name, name.len) == 0)
            return units[i].days;
    return 0;
}

/* A JSON number as a double; 0 when absent or too long to be sensible. */
static double number_of(struct slice text)
{
    char digits[40];
    double whole = 0;
    size_t i = 0;
    while (i < text.len && i < 15 && text.at[i] >= '0' && text.at[i] <= '9')
        whole = whole * 10 + (text.at[i++] - '0');
    if (i == text.len)
        return whole; /* exactly, and much sooner */
    if (text.len == 0 || text.len >= sizeof digits)
        return 0;
    memcpy(digits, text.at, text.len);
    digits[text.len] = '\0';
    return strtod(digits, NULL);
}

/* Part of a day is ordered as that day. */
static int32_t whole_days(double days)
{
    if (!(days > 0) || days > DAYS_MAX)
        return 0;
    return days < 1 ? 1 : (int32_t)(days + 0.5);
}

int32_t fhir_duration_days(struct slice value, struct slice unit, struct slice code)
{
    double days = code.len > 0 ? days_of_unit(code) : 0;
    if (days <= 0 && unit.len > 0)
        days = days_of_unit(unit);
    return whole_days(number_of(value) * days);
}

/* FHIR counts repetitions over the whole schedule: they take count / frequency periods. */
int32_t fhir_repeat_days(const struct draft *draft)
{
    double frequency = number_of(draft->repeat_frequency);
    if (frequency < 1)
        frequency = 1;
    return whole_days(number_of(draft->repeat_count) / frequency * number_of(draft->repeat_period) *
                      days_of_unit(draft->repeat_unit));
}

#define DOSES_MAX 96000 /* four times an hour */

/* Doses a day, in thousandths: `when` and timeOfDay count where no frequency is told. */
int32_t fhir_repeat_doses(const struct draft *draft)
{
    double times = number_of(draft->repeat_frequency);
    double period = number_of(draft->repeat_period) * days_of_unit(draft->repeat_unit);
    if (draft->repeat_times > times)
        times = draft->repeat_times;
    if (times <= 0)
        times = 1;
    if (period <= 0 && draft->repeat_times > 0)
        period = 1;
    double doses = period > 0 ? times / period * 1000 : 0;
    return doses > 0 && doses <= DOSES_MAX ? (int32_t)(doses + 0.5) : 0;
}

/* HL7 v3 GTSAbbreviation, as FHIR's timing-abbreviation names them. */
int32_t fhir_code_doses(struct slice code)
{
    static const struct {
        const char *code;
        int32_t doses;
    } codes[] = {
        { "QD", 1000 },  { "BID", 2000 }, { "TID", 3000 },  { "QID", 4000 },
        { "AM", 1000 },  { "PM", 1000 },  { "BED", 1000 },  { "QOD", 500 },
        { "WK", 143 },   { "MO", 33 },    { "Q1H", 24000 }, { "Q2H", 12000 },
        { "Q3H", 8000 }, { "Q4H", 6000 }, { "Q6H", 4000 },  { "Q8H", 3000 },
    };
    for (size_t i = 0; i < COUNT_OF(codes); i++)
        if (code.len == strlen(codes[i].code) && strncasecmp(code.at, codes[i].code, code.len) == 0)
            return codes[i].doses;
    return 0;
}
