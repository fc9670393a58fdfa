#include "base/date.h"

#include <stdio.h>

/* Days since 1970-01-01 of a proleptic Gregorian date; years are counted from March, so that the
 * leap day is the last of its year. */
struct date date_of(int year, unsigned month, unsigned day)
{
    int shifted = month <= 2 ? year - 1 : year;
    int era = (shifted >= 0 ? shifted : shifted - 399) / 400;
    unsigned year_of_era = (unsigned)(shifted - era * 400);
    unsigned day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return (struct date){ era * 146097 + (int32_t)day_of_era - 719468 };
}

static void civil_of(struct date date, int *year, unsigned *month, unsigned *day)
{
    int32_t shifted = date.day + 719468;
    int era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    unsigned day_of_era = (unsigned)(shifted - era * 146097);
    unsigned year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned shifted_month = (5 * day_of_year + 2) / 153;
    *day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    *month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
    *year = (int)year_of_era + era * 400 + (*month <= 2 ? 1 : 0);
}

static unsigned days_in_month(int year, unsigned month)
{
    static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && is_leap ? 29 : days[month - 1];
}

/* Exactly `count` digits from *rest. */
static bool take_digits(struct slice *rest, unsigned count, unsigned *out)
{
    unsigned value = 0;
    if (rest->len < count)
        return false;
    for (unsigned i = 0; i < count; i++) {
        if (rest->at[i] < '0' || rest->at[i] > '9')
            return false;
        value = value * 10 + (unsigned)(rest->at[i] - '0');
    }
    *out = value;
    *rest = slice_skip(*rest, count);
    return true;
}

static bool take_char(struct slice *rest, char c)
{
    if (rest->len == 0 || rest->at[0] != c)
        return false;
    *rest = slice_skip(*rest, 1);
    return true;
}

struct moment {
    unsigned year, month, day, hour, minute, second, milli;
    int zone_minutes;
    bool has_time, has_zone, has_second, has_fraction;
    enum date_precision precision;
};

static bool take_zone(struct slice *rest, struct moment *out)
{
    if (rest->len == 0)
        return true;
    out->has_zone = true;
    if (take_char(rest, 'Z'))
        return true;
    int sign = take_char(rest, '-') ? -1 : take_char(rest, '+') ? 1 : 0;
    unsigned hours, minutes;
    if (sign == 0 || !take_digits(rest, 2, &hours) || !take_char(rest, ':') ||
        !take_digits(rest, 2, &minutes) || hours > 14 || minutes > 59)
        return false;
    out->zone_minutes = sign * (int)(hours * 60 + minutes);
    return true;
}

/* hh:mm[:ss[.fraction]][zone]; some senders leave the seconds or the zone out, which is harmless
 * for the day. */
static bool take_time(struct slice *rest, struct moment *out)
{
    out->has_time = true;
    if (!take_digits(rest, 2, &out->hour) || !take_char(rest, ':') ||
        !take_digits(rest, 2, &out->minute) || out->hour > 24 || out->minute > 59)
        return false;
    out->has_second = take_char(rest, ':');
    if (out->has_second && (!take_digits(rest, 2, &out->second) || out->second > 60))
        return false;
    out->has_fraction = take_char(rest, '.');
    if (out->has_fraction) {
        unsigned digit, scale = 100, taken = 0;
        for (; take_digits(rest, 1, &digit); taken++, scale /= 10)
            out->milli += digit * scale;
        if (taken == 0)
            return false;
    }
    return take_zone(rest, out);
}

static unsigned two_digits(const char *at)
{
    return (unsigned)(at[0] - '0') * 10 + (unsigned)(at[1] - '0');
}

/* "YYYY-MM-DD" at the beginning, which nearly every date has; false for anything else. */
static bool take_day(struct slice *rest, struct moment *out)
{
    static const unsigned char places[] = { 0, 1, 2, 3, 5, 6, 8, 9 };
    const char *at = rest->at;
    if (rest->len < 10 || at[4] != '-' || at[7] != '-')
        return false;
    for (size_t i = 0; i < COUNT_OF(places); i++)
        if (at[places[i]] < '0' || at[places[i]] > '9')
            return false;
    out->year = two_digits(at) * 100 + two_digits(at + 2);
    out->month = two_digits(at + 5);
    out->day = two_digits(at + 8);
    out->precision = DATE_DAY;
    *rest = (struct slice){ at + 10, rest->len - 10 };
    return out->year > 0 && out->month >= 1 && out->month <= 12 && out->day >= 1 &&
           out->day <= days_in_month((int)out->year, out->month);
}

static bool moment_parse(struct slice text, struct moment *out)
{
    struct slice rest = text;
    *out = (struct moment){ .month = 1, .day = 1, .precision = DATE_YEAR };
    if (take_day(&rest, out))
        return rest.len == 0 || ((take_char(&rest, 'T') || take_char(&rest, ' ')) &&
                                 take_time(&rest, out) && rest.len == 0);
    rest = text;
    *out = (struct moment){ .month = 1, .day = 1, .precision = DATE_YEAR };
    if (!take_digits(&rest, 4, &out->year) || out->year == 0)
        return false;
    if (rest.len == 0)
        return true;
    out->precision = DATE_MONTH;
    return take_char(&rest, '-') && take_digits(&rest, 2, &out->month) && out->month >= 1 &&
           out->month <= 12 && rest.len == 0;
}

bool date_parse(struct slice text, struct date_span *out, struct err *err)
{
    struct moment at;
    if (!moment_parse(text, &at))
        return err_fail(err, ERR_VALUE, "date",
                        "expected a date: YYYY, YYYY-MM, YYYY-MM-DD or a dateTime");
    int year = (int)at.year;
    struct date first = date_of(year, at.month, at.day), last = first;
    if (at.precision == DATE_YEAR)
        last = date_of(year, 12, 31);
    else if (at.precision == DATE_MONTH)
        last = date_of(year, at.month, days_in_month(year, at.month));
    *out = (struct date_span){ first, last, at.precision };
    return true;
}

static void put_digits(char *at, unsigned count, unsigned value)
{
    for (; count > 0; value /= 10)
        at[--count] = (char)('0' + value % 10);
}

const char *date_format(struct date date, char *out)
{
    int year;
    unsigned month, day;
    civil_of(date, &year, &month, &day);
    char text[40] = "0000-00-00";
    if (year < 0 || year > 9999) {
        snprintf(text, sizeof text, "%04d-%02u-%02u", year, month, day);
    } else {
        put_digits(text, 4, (unsigned)year);
        put_digits(text + 5, 2, month);
        put_digits(text + 8, 2, day);
    }
    memcpy(out, text, DATE_TEXT_SIZE - 1);
    out[DATE_TEXT_SIZE - 1] = '\0';
    return out;
}

static int64_t moment_ms(const struct moment *at)
{
    int64_t seconds = (int64_t)date_of((int)at->year, at->month, at->day).day * 86400 +
                      (int64_t)at->hour * 3600 + (int64_t)at->minute * 60 + (int64_t)at->second -
                      (int64_t)at->zone_minutes * 60;
    return seconds * 1000 + (int64_t)at->milli;
}

bool instant_parse(struct slice text, int64_t *out_ms, struct err *err)
{
    struct moment at;
    if (!moment_parse(text, &at))
        return err_fail(err, ERR_VALUE, "instant",
                        "expected an instant: YYYY-MM-DDThh:mm:ss+zz:zz");
    *out_ms = moment_ms(&at);
    return true;
}

bool moment_range(struct slice text, int64_t *low_ms, int64_t *high_ms, struct err *err)
{
    struct moment at;
    struct date_span span;
    if (!moment_parse(text, &at) || !date_parse(text, &span, err))
        return err_fail(err, ERR_VALUE, "date",
                        "expected a date: YYYY, YYYY-MM, YYYY-MM-DD or a dateTime");
    int64_t length = at.has_fraction ? 1 : at.has_second ? 1000 : 60000;
    *low_ms = moment_ms(&at);
    *high_ms = at.has_time ? *low_ms + length : ((int64_t)span.last.day + 1) * 86400000;
    return true;
}

struct date date_of_ms(int64_t ms)
{
    int64_t day = ms / 86400000;
    if (ms % 86400000 < 0)
        day--;
    return (struct date){ (int32_t)day };
}

const char *instant_format(int64_t ms, char *out)
{
    struct date date = date_of_ms(ms);
    int year;
    unsigned month, day;
    civil_of(date, &year, &month, &day);
    unsigned rest = (unsigned)(ms - (int64_t)date.day * 86400000);
    char text[64];
    snprintf(text, sizeof text, "%04d-%02u-%02uT%02u:%02u:%02u.%03uZ", year, month, day,
             rest / 3600000, rest / 60000 % 60, rest / 1000 % 60, rest % 1000);
    memcpy(out, text, INSTANT_TEXT_SIZE - 1);
    out[INSTANT_TEXT_SIZE - 1] = '\0';
    return out;
}

static const char month_names[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

const char *http_date_format(int64_t ms, char *out)
{
    static const char day_names[7][4] = { "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" };
    struct date date = date_of_ms(ms);
    int year;
    unsigned month, day;
    civil_of(date, &year, &month, &day);
    unsigned rest = (unsigned)(ms - (int64_t)date.day * 86400000) / 1000;
    char text[64];
    snprintf(text, sizeof text, "%s, %02u %s %04d %02u:%02u:%02u GMT",
             day_names[((date.day % 7) + 7) % 7], day, month_names[month - 1], year, rest / 3600,
             rest / 60 % 60, rest % 60);
    memcpy(out, text, HTTP_DATE_SIZE - 1);
    out[HTTP_DATE_SIZE - 1] = '\0';
    return out;
}

bool http_date_parse(struct slice text, int64_t *out_ms)
{
    struct slice rest = slice_skip(text, 5); /* "Sun, " */
    unsigned day, year, hour, minute, second, month = 0;
    if (!take_digits(&rest, 2, &day) || !take_char(&rest, ' ') || rest.len < 4)
        return false;
    for (unsigned i = 0; i < 12; i++)
        if (memcmp(rest.at, month_names[i], 3) == 0)
            month = i + 1;
    rest = slice_skip(rest, 4);
    if (month == 0 || !take_digits(&rest, 4, &year) || !take_char(&rest, ' ') ||
        !take_digits(&rest, 2, &hour) || !take_char(&rest, ':') ||
        !take_digits(&rest, 2, &minute) || !take_char(&rest, ':') ||
        !take_digits(&rest, 2, &second) || day < 1 || year == 0 ||
        day > days_in_month((int)year, month))
        return false;
    *out_ms = ((int64_t)date_of((int)year, month, day).day * 86400 + (int64_t)hour * 3600 +
               (int64_t)minute * 60 + (int64_t)second) *
              1000;
    return true;
}
