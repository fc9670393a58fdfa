/* Days and FHIR dates: every precision, every calendar corner, and what is no date. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/date.h"
#include "base/text.h"

static const struct date_row {
    const char *name, *text, *span; /* NULL: refused */
} dates[] = {
    { "a year is its days", "2020", "2020-01-01..2020-12-31 year" },
    { "a month is its days", "2023-04", "2023-04-01..2023-04-30 month" },
    { "February of a leap year", "2024-02", "2024-02-01..2024-02-29 month" },
    { "February of a common year", "2023-02", "2023-02-01..2023-02-28 month" },
    { "1900 was no leap year", "1900-02", "1900-02-01..1900-02-28 month" },
    { "2000 was one", "2000-02", "2000-02-01..2000-02-29 month" },
    { "a day", "2021-03-01", "2021-03-01..2021-03-01 day" },
    { "the leap day", "2024-02-29", "2024-02-29..2024-02-29 day" },
    { "the first day that counts", "0001-01-01", "0001-01-01..0001-01-01 day" },
    { "the last day that counts", "9999-12-31", "9999-12-31..9999-12-31 day" },
    { "late in the evening it stays the sender's day", "2021-03-01T23:30:00-05:00",
      "2021-03-01..2021-03-01 day" },
    { "early in the morning too", "2021-03-01T00:30:00+14:00", "2021-03-01..2021-03-01 day" },
    { "UTC", "2021-03-01T12:00:00Z", "2021-03-01..2021-03-01 day" },
    { "fractions of a second", "2021-03-01T12:00:00.123456789+02:00",
      "2021-03-01..2021-03-01 day" },
    { "without a zone", "2021-03-01T12:00:00", "2021-03-01..2021-03-01 day" },
    { "without seconds", "2021-03-01T12:00Z", "2021-03-01..2021-03-01 day" },
    { "a leap second", "2016-12-31T23:59:60Z", "2016-12-31..2016-12-31 day" },
    { "nothing", "", NULL },
    { "a blank", " 2021", NULL },
    { "two digits", "21", NULL },
    { "the year zero", "0000", NULL },
    { "a month of one digit", "2021-3", NULL },
    { "the month zero", "2021-00", NULL },
    { "a thirteenth month", "2021-13", NULL },
    { "a day zero", "2021-03-00", NULL },
    { "the thirtieth of February", "2024-02-30", NULL },
    { "a leap day in a common year", "2023-02-29", NULL },
    { "the thirty-first of April", "2023-04-31", NULL },
    { "slashes", "2021/03/01", NULL },
    { "American", "03/01/2021", NULL },
    { "no separators", "20210301", NULL },
    { "text behind", "2021-03-01x", NULL },
    { "a half time", "2021-03-01T12", NULL },
    { "an hour too many", "2021-03-01T25:00:00Z", NULL },
    { "a minute too many", "2021-03-01T12:60:00Z", NULL },
    { "a second too many", "2021-03-01T12:00:61Z", NULL },
    { "a point without digits", "2021-03-01T12:00:00.Z", NULL },
    { "a zone too far", "2021-03-01T12:00:00+15:00", NULL },
    { "a zone without minutes", "2021-03-01T12:00:00+02", NULL },
    { "text behind the zone", "2021-03-01T12:00:00Z ", NULL },
};

static void date_reads_as(void **state)
{
    static const char *const precisions[] = { "absent", "year", "month", "day" };
    const struct date_row *row = *state;
    struct date_span span = { { 7 }, { 7 }, DATE_ABSENT };
    struct err err = { .code = ERR_OK };
    if (!date_parse(slice_of(row->text), &span, &err)) {
        assert_null(row->span);
        assert_int_equal(err.code, ERR_VALUE);
        assert_int_equal(span.first.day, 7); /* untouched */
        return;
    }
    char first[DATE_TEXT_SIZE], last[DATE_TEXT_SIZE], said[64];
    struct text text = TEXT(said);
    text_add(&text, "%s..%s %s", date_format(span.first, first), date_format(span.last, last),
             precisions[span.precision]);
    assert_non_null(row->span);
    assert_string_equal(said, row->span);
}

static const struct instant_row {
    const char *name, *text;
    int64_t ms;
    const char *formatted, *http;
} instants[] = {
    { "the epoch", "1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00.000Z",
      "Thu, 01 Jan 1970 00:00:00 GMT" },
    { "milliseconds", "2024-11-23T08:30:00.123Z", 1732350600123, "2024-11-23T08:30:00.123Z",
      "Sat, 23 Nov 2024 08:30:00 GMT" },
    { "more digits than milliseconds", "2024-11-23T08:30:00.123999Z", 1732350600123,
      "2024-11-23T08:30:00.123Z", "Sat, 23 Nov 2024 08:30:00 GMT" },
    { "east of Greenwich", "2024-11-23T10:30:00+02:00", 1732350600000, "2024-11-23T08:30:00.000Z",
      "Sat, 23 Nov 2024 08:30:00 GMT" },
    { "west, and another day", "2024-11-23T23:30:00-05:00", 1732422600000,
      "2024-11-24T04:30:00.000Z", "Sun, 24 Nov 2024 04:30:00 GMT" },
    { "before the epoch", "1969-12-31T23:59:59.999Z", -1, "1969-12-31T23:59:59.999Z",
      "Wed, 31 Dec 1969 23:59:59 GMT" },
    { "a day is its first moment", "2000-02-29", 951782400000, "2000-02-29T00:00:00.000Z",
      "Tue, 29 Feb 2000 00:00:00 GMT" },
};

static void instant_reads_as(void **state)
{
    const struct instant_row *row = *state;
    char formatted[INSTANT_TEXT_SIZE], http[HTTP_DATE_SIZE];
    int64_t ms = 0, http_ms = 0;
    struct err err;
    assert_true(instant_parse(slice_of(row->text), &ms, &err));
    assert_true(ms == row->ms);
    assert_string_equal(instant_format(ms, formatted), row->formatted);
    assert_string_equal(http_date_format(ms, http), row->http);
    assert_true(http_date_parse(slice_of(http), &http_ms));
    assert_true(http_ms == ms - ((ms % 1000) + 1000) % 1000);
}

static void every_day_of_eight_centuries_is_itself(void **state)
{
    (void)state;
    struct date day = date_of(1600, 1, 1), end = date_of(2400, 1, 1);
    assert_int_equal(date_days_between(day, end), 292194);
    for (; date_is_before(day, end); day = date_add(day, 1)) {
        char text[DATE_TEXT_SIZE];
        struct date_span span;
        struct err err;
        assert_true(date_parse(slice_of(date_format(day, text)), &span, &err));
        assert_int_equal(span.first.day, day.day);
        assert_int_equal(date_of_ms((int64_t)day.day * 86400000).day, day.day);
        assert_int_equal(date_of_ms((int64_t)day.day * 86400000 - 1).day, day.day - 1);
    }
    assert_true(date_is_none(date_none()));
    assert_false(date_is_none(date_of(1970, 1, 1)));
}

static void http_dates_that_are_none(void **state)
{
    static const char *const wrong[] = { "",
                                         "Sat",
                                         "Sat, 23 Nov 2024",
                                         "Sat, 32 Nov 2024 08:30:00 GMT",
                                         "Sat, 31 Feb 2024 08:30:00 GMT",
                                         "Sat, 23 Foo 2024 08:30:00 GMT",
                                         "2024-11-23T08:30:00Z" };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        int64_t ms;
        assert_false(http_date_parse(slice_of(wrong[i]), &ms));
    }
}

int main(void)
{
    struct CMUnitTest tests[COUNT_OF(dates) + COUNT_OF(instants) + 2];
    size_t count = 0;
    for (size_t i = 0; i < COUNT_OF(dates); i++)
        tests[count++] = (struct CMUnitTest){ .name = dates[i].name,
                                              .test_func = date_reads_as,
                                              .initial_state = (void *)(uintptr_t)&dates[i] };
    for (size_t i = 0; i < COUNT_OF(instants); i++)
        tests[count++] = (struct CMUnitTest){ .name = instants[i].name,
                                              .test_func = instant_reads_as,
                                              .initial_state = (void *)(uintptr_t)&instants[i] };
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(every_day_of_eight_centuries_is_itself);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(http_dates_that_are_none);
    return cmocka_run_group_tests_name("base_date", tests, NULL, NULL);
}
