/* base/date.h -- calendar days as a type, and FHIR dates of any precision as intervals of days.
 *
 * What      a FHIR dateTime keeps the calendar day that its sender wrote, in the sender's zone:
 *           "2021-03-01T23:30:00-05:00" is the day 2021-03-01.  A year or a month is the interval
 *           of its days; nobody invents a day.
 * Errors    ERR_VALUE with what was expected.
 * Rules     LOT-EXP: partial dates are intervals (RULES_SPEC 3.2).
 */
#pragma once

#include "base/err.h"
#include "base/slice.h"

struct date {
    int32_t day; /* days since 1970-01-01 */
};

#define DATE_NONE INT32_MIN
#define DATE_TEXT_SIZE 12 /* "YYYY-MM-DD" and NUL */

enum date_precision { DATE_ABSENT, DATE_YEAR, DATE_MONTH, DATE_DAY };

struct date_span {
    struct date first, last; /* equal when precision is DATE_DAY */
    enum date_precision precision;
};

static inline struct date date_none(void) { return (struct date){ DATE_NONE }; }
static inline bool date_is_none(struct date d) { return d.day == DATE_NONE; }
static inline struct date date_add(struct date d, int32_t days)
{
    return (struct date){ d.day + days };
}
static inline int32_t date_days_between(struct date from, struct date to)
{
    return to.day - from.day;
}
static inline bool date_is_before(struct date a, struct date b) { return a.day < b.day; }

struct date date_of(int year, unsigned month, unsigned day);
/* FHIR date, dateTime or instant: YYYY, YYYY-MM, YYYY-MM-DD, or with a time (and a zone). */
bool date_parse(struct slice text, struct date_span *out, struct err *err) MUST_USE;
/* "YYYY-MM-DD" into out[DATE_TEXT_SIZE]; returns out. */
const char *date_format(struct date date, char *out);

/* FHIR instant -> milliseconds since 1970 UTC.  A dateTime without a time is its first moment. */
bool instant_parse(struct slice text, int64_t *out_ms, struct err *err) MUST_USE;
/* "2026-11-23T08:30:00.123Z" into out[INSTANT_TEXT_SIZE]; returns out. */
#define INSTANT_TEXT_SIZE 28
const char *instant_format(int64_t ms, char *out);
/* The moments that a date or dateTime of any precision stands for: the first, and the one behind
 * the last ("2024-03" is the whole of March; without a zone it is UTC). */
bool moment_range(struct slice text, int64_t *low_ms, int64_t *high_ms, struct err *err) MUST_USE;
/* "Mon, 23 Nov 2026 08:30:00 GMT" (RFC 9110) into out[HTTP_DATE_SIZE]; returns out. */
#define HTTP_DATE_SIZE 32
const char *http_date_format(int64_t ms, char *out);
bool http_date_parse(struct slice text, int64_t *out_ms) MUST_USE;
struct date date_of_ms(int64_t ms);
