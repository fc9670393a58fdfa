/* What follows after each answer, how long we wait, and when a destination is left alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/date.h"
#include "outbox/breaker.h"
#include "outbox/bucket.h"
#include "outbox/crowd.h"
#include "outbox/limits.h"
#include "outbox/retry.h"
#include "outbox/vendor.h"

#define HALF (UINT32_C(1) << 31)
#define NOW INT64_C(1780000000000)
#define DAY_MS (INT64_C(24) * 3600 * 1000)

/* "later 500" means: wait 500 ms. */
static const struct retry_case {
    const char *name;
    struct retry_input input;
    const char *expected;
} cases[] = {
    /* --- accepted */
    { "created is done", { .status = 201, .ask = RETRY_CREATE }, "done" },
    { "updated without a body is done", { .status = 204, .ask = RETRY_WRITE }, "done" },
    /* --- transport */
    { "nobody listens: later",
      { .transport = TRANSPORT_UNREACHABLE, .ask = RETRY_CREATE },
      "later transient 500" },
    { "no trust in the certificate: later, nothing was sent",
      { .transport = TRANSPORT_TLS, .ask = RETRY_CREATE },
      "later transient 500" },
    { "no connection in time: later",
      { .transport = TRANSPORT_LATE, .ask = RETRY_WRITE },
      "later transient 500" },
    { "a lost search is just repeated",
      { .transport = TRANSPORT_LOST, .ask = RETRY_READ },
      "later transient 500" },
    { "a lost POST is an unknown outcome",
      { .transport = TRANSPORT_LOST, .ask = RETRY_CREATE },
      "reconcile unknown 500" },
    { "a lost PUT too",
      { .transport = TRANSPORT_LOST, .ask = RETRY_WRITE },
      "reconcile unknown 500" },
    { "a POST that we broke off ourselves",
      { .transport = TRANSPORT_STOPPED, .ask = RETRY_CREATE },
      "reconcile unknown 500" },
    /* --- the classes of writeback 6 */
    { "a server error after PUT: later",
      { .status = 500, .ask = RETRY_WRITE },
      "later transient 500" },
    { "a server error after POST may have committed",
      { .status = 500, .ask = RETRY_CREATE },
      "reconcile unknown 500" },
    { "a proxy's 502 after POST may have committed",
      { .status = 502, .ask = RETRY_CREATE },
      "reconcile unknown 500" },
    { "a proxy's 504 after POST may have committed",
      { .status = 504, .ask = RETRY_CREATE },
      "reconcile unknown 500" },
    { "408 after POST may have committed",
      { .status = 408, .ask = RETRY_CREATE },
      "reconcile unknown 500" },
    { "busy refuses before it commits",
      { .status = 503, .ask = RETRY_CREATE },
      "later transient 500" },
    { "throttled", { .status = 429, .ask = RETRY_CREATE }, "later transient 500" },
    { "too early", { .status = 425, .ask = RETRY_WRITE }, "later transient 500" },
    { "504 after a read", { .status = 504, .ask = RETRY_READ }, "later transient 500" },
    { "an unheard-of 599", { .status = 599, .ask = RETRY_WRITE }, "later transient 500" },
    { "a redirect is the address's fault, not the record's",
      { .status = 302, .ask = RETRY_WRITE },
      "later transient 500" },
    { "who are you", { .status = 401, .ask = RETRY_WRITE }, "refresh credential 500" },
    { "another version: 412", { .status = 412, .ask = RETRY_WRITE }, "reread conflict" },
    { "W2.oracle.4.if-match: another version: Oracle says 409",
      { .status = 409, .ask = RETRY_WRITE },
      "reread conflict" },
    { "a duplicate that is called by its name",
      { .status = 422, .ask = RETRY_CREATE, .issue = { "duplicate", 9 } },
      "reread conflict" },
    { "bad request", { .status = 400, .ask = RETRY_WRITE }, "dead permanent permanent" },
    { "forbidden", { .status = 403, .ask = RETRY_WRITE }, "dead permanent permanent" },
    { "no such thing", { .status = 404, .ask = RETRY_WRITE }, "dead permanent permanent" },
    { "not offered", { .status = 405, .ask = RETRY_CREATE }, "dead permanent permanent" },
    { "gone", { .status = 410, .ask = RETRY_WRITE }, "dead permanent permanent" },
    { "too large", { .status = 413, .ask = RETRY_WRITE }, "dead permanent permanent" },
    { "another media type", { .status = 415, .ask = RETRY_WRITE }, "dead permanent permanent" },
    { "a business rule",
      { .status = 422, .ask = RETRY_WRITE, .issue = { "business-rule", 13 } },
      "dead permanent permanent" },
    { "not implemented", { .status = 501, .ask = RETRY_CREATE }, "dead permanent permanent" },
    /* --- what the OperationOutcome adds */
    { "422 because a lock was held: later",
      { .status = 422, .ask = RETRY_WRITE, .issue = { "lock-error", 10 } },
      "later transient 500" },
    { "400 that says throttled: later",
      { .status = 400, .ask = RETRY_WRITE, .issue = { "throttled", 9 } },
      "later transient 500" },
    { "405 stays 405 whatever it says",
      { .status = 405, .ask = RETRY_WRITE, .issue = { "transient", 9 } },
      "dead permanent permanent" },
    { "500 stays transient whatever it says",
      { .status = 500, .ask = RETRY_WRITE, .issue = { "invalid", 7 } },
      "later transient 500" },
    /* --- a vendor's number says more than the status */
    { "W2.epic.2.content: a rule of content, whatever the status",
      { .status = 500, .ask = RETRY_CREATE, .vendor_class = RETRY_CLASS_PERMANENT },
      "dead permanent permanent" },
    { "W2.epic.2.duplicate: already there",
      { .status = 400, .ask = RETRY_CREATE, .vendor_class = RETRY_CLASS_CONFLICT },
      "reread conflict" },
    { "W2.epic.2.site: the site has not built it: for its integration engineer",
      { .status = 400, .ask = RETRY_CREATE, .vendor_class = RETRY_CLASS_SITE },
      "dead site-build site-build" },
    { "W2.epic.2.policy: break-the-glass is never passed by",
      { .status = 403, .ask = RETRY_READ, .vendor_class = RETRY_CLASS_POLICY },
      "dead policy policy" },
    { "W2.epic.2.merged: a merged patient is followed",
      { .status = 404, .ask = RETRY_CREATE, .vendor_class = RETRY_CLASS_MERGED },
      "follow merged" },
    { "W2.epic.2.quota: the quota of today is over tomorrow",
      { .status = 400,
        .ask = RETRY_CREATE,
        .vendor_class = RETRY_CLASS_QUOTA,
        .next_day_ms = NOW + 3600000 },
      "later quota 3600000" },
    { "W2.epic.2.transient: transient by number",
      { .status = 400, .ask = RETRY_WRITE, .vendor_class = RETRY_CLASS_TRANSIENT },
      "later transient 500" },
    { "401 stays 401 whatever the number",
      { .status = 401, .ask = RETRY_WRITE, .vendor_class = RETRY_CLASS_POLICY },
      "refresh credential 500" },
    /* --- /metadata says nothing about the record */
    { "no metadata there: later", { .status = 404, .ask = RETRY_PROBE }, "later transient 500" },
    { "metadata needs a credential",
      { .status = 401, .ask = RETRY_PROBE },
      "refresh credential 500" },
    /* --- the schedule */
    { "second failure", { .status = 503, .attempt = 2 }, "later transient 2500" },
    { "third failure", { .status = 503, .attempt = 3 }, "later transient 15000" },
    { "fourth failure", { .status = 503, .attempt = 4 }, "later transient 60000" },
    { "fifth failure", { .status = 503, .attempt = 5 }, "later transient 300000" },
    { "sixth failure", { .status = 503, .attempt = 6 }, "later transient 900000" },
    { "seventh failure", { .status = 503, .attempt = 7 }, "later transient 1800000" },
    { "the thousandth waits no longer than an hour",
      { .status = 503, .attempt = 1000 },
      "later transient 1800000" },
    { "a test may hurry",
      { .status = 503, .attempt = 3, .pace_permille = 10 },
      "later transient 150" },
    /* --- Retry-After */
    { "Retry-After in seconds",
      { .status = 429, .retry_after = { "7", 1 } },
      "later transient 7000" },
    { "Retry-After shorter than our own wait",
      { .status = 429, .attempt = 3, .retry_after = { "7", 1 } },
      "later transient 15000" },
    { "Retry-After as a date",
      { .status = 503, .retry_after = { "@+9000", 6 } },
      "later transient 9000" },
    { "Retry-After in the past",
      { .status = 503, .retry_after = { "@-9000", 6 } },
      "later transient 500" },
    { "Retry-After that nobody understands",
      { .status = 503, .retry_after = { "soon", 4 } },
      "later transient 500" },
    { "Retry-After of a thousand years is cut to a day",
      { .status = 503, .retry_after = { "31536000000", 11 } },
      "later transient 86400000" },
    /* --- the horizon */
    { "after a week it is given up",
      { .status = 503,
        .attempt = 90,
        .first_failure_ms = NOW - 7 * DAY_MS,
        .horizon_ms = 7 * DAY_MS },
      "dead transient horizon" },
    { "a minute before, not yet",
      { .status = 503,
        .attempt = 90,
        .first_failure_ms = NOW - 7 * DAY_MS + 60000,
        .horizon_ms = 7 * DAY_MS },
      "later transient 1800000" },
    { "no horizon: for ever",
      { .status = 503, .attempt = 90, .first_failure_ms = NOW - 700 * DAY_MS },
      "later transient 1800000" },
    { "what was replayed late is tried twice",
      { .status = 503,
        .attempt = 1,
        .first_failure_ms = NOW - 30 * DAY_MS,
        .horizon_ms = 7 * DAY_MS },
      "later transient 500" },
    { "a wrong password is never the end of a message",
      { .status = 401,
        .attempt = 90,
        .first_failure_ms = NOW - 30 * DAY_MS,
        .horizon_ms = 7 * DAY_MS },
      "refresh credential 1800000" },
};

static void decides(void **state)
{
    static const char *const actions[] = { "done",   "later",     "refresh", "follow",
                                           "reread", "reconcile", "dead" };
    const struct retry_case *c = *state;
    struct retry_input input = c->input;
    char text[96], date[HTTP_DATE_SIZE];
    input.now_ms = NOW;
    input.jitter = HALF;
    input.attempt = input.attempt == 0 ? 1 : input.attempt;
    input.pace_permille = input.pace_permille == 0 ? 1000 : input.pace_permille;
    if (input.retry_after.len > 0 && input.retry_after.at[0] == '@')
        input.retry_after =
            slice_of(http_date_format(NOW + strtol(input.retry_after.at + 1, NULL, 10), date));

    struct retry_step step = retry_decide(&input);
    int used = snprintf(text, sizeof text, "%s", actions[step.action]);
    if (step.action != RETRY_DONE)
        used +=
            snprintf(text + used, sizeof text - (size_t)used, " %s", retry_class_name(step.class));
    if (step.action == RETRY_DEAD)
        snprintf(text + used, sizeof text - (size_t)used, " %s", step.reason);
    else if (step.due_ms != 0) /* the wait is never 0: one millisecond is added to it */
        snprintf(text + used, sizeof text - (size_t)used, " %lld",
                 (long long)((step.due_ms - NOW) / 10 * 10));
    assert_string_equal(c->expected, text);
}

static void jitter_is_full(void **state)
{
    (void)state;
    assert_int_equal(1, retry_wait_ms(7, 0, 1000));
    assert_int_equal(3600000, retry_wait_ms(7, UINT32_MAX, 1000));
    assert_true(retry_wait_ms(7, HALF / 2, 1000) < retry_wait_ms(7, HALF, 1000));
}

/* --- the breaker ----------------------------------------------------------------------------- */

/* f failure, a answer, t trip; a number: so many seconds pass.  Then what may be under way (of 4). */
static const struct breaker_case {
    const char *name, *story;
    unsigned expected;
} breaker_cases[] = {
    { "closed: all may go", "", 4 },
    { "four failures in a row leave it closed", "ffff", 4 },
    { "an answer in between starts the count again", "ffffaffff", 4 },
    { "the fifth opens it", "fffff", 0 },
    { "it stays open for five seconds", "fffff4", 0 },
    { "then one may try", "fffff5", 1 },
    { "the probe is answered: all may go", "fffff5a", 4 },
    { "the probe fails: open again", "fffff5f", 0 },
    { "... and for longer", "fffff5f5", 0 },
    { "... fifteen seconds", "fffff5f9 6", 1 },
    { "failures of what was under way do not prolong it", "fffffffff5", 1 },
    { "a refused credential opens it at once", "t", 0 },
    { "nine exchanges are too few for their share to count", "fafafafaf", 4 },
    { "half of ten within thirty seconds open it", "fafafafafaf", 0 },
    { "a third of them does not", "faafaafaafaafaaf", 4 },
    { "half of them, slowly, does not", "fa9fa9fa9fa9fa9fa9fa9f", 4 },
    { "recovery forgets the past", "fffff5f9 6afffff5", 1 },
};

static void breaker_allows(void **state)
{
    const struct breaker_case *c = *state;
    struct breaker breaker;
    int64_t now_ms = NOW;
    breaker_init(&breaker, 1000);
    for (const char *at = c->story; *at != '\0'; at++) {
        (void)breaker_limit(&breaker, now_ms, 4);
        if (*at == 'f')
            breaker_failed(&breaker, now_ms);
        else if (*at == 'a')
            breaker_answered(&breaker, now_ms);
        else if (*at == 't')
            breaker_trip(&breaker, now_ms);
        else if (*at != ' ')
            now_ms += (*at - '0') * INT64_C(1000);
    }
    assert_int_equal(c->expected, breaker_limit(&breaker, now_ms, 4));
}

/* --- vendors --------------------------------------------------------------------------------- */

static void epic_numbers_have_classes(void **state)
{
    static const struct {
        const char *numbers, *class;
    } rows[] = {
        { "4100 4102 4111 4112 4115 4122 59100 59101 59102 59105 59108 59111 59144 59159",
          "permanent" },
        { "59141", "conflict" },
        { "40000 59187 59188 59189", "site-build" },
        { "4118 4130 4131 4134", "policy" },
        { "4135", "quota" },
        { "4107", "merged" },
        { "59177", "transient" },
        { "59109 4101 4119 1 0", "" }, /* informational, or nobody's: the status decides */
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (const char *at = rows[i].numbers; *at != '\0'; at += strspn(at, "0123456789")) {
            at += strspn(at, " ");
            unsigned number = (unsigned)strtoul(at, NULL, 10);
            assert_string_equal(rows[i].class, retry_class_name(vendor_class(VENDOR_EPIC, number)));
            assert_int_equal(RETRY_CLASS_NONE, vendor_class(VENDOR_ORACLE, number));
        }
}

/* --- the rate -------------------------------------------------------------------------------- */

#define MIDNIGHT (NOW - NOW % DAY_MS)

static unsigned made_in(struct bucket *bucket, int64_t from_ms, int64_t span_ms)
{
    unsigned made = 0;
    for (int64_t at = from_ms; at < from_ms + span_ms; at += 10)
        if (bucket_wait_until(bucket, at) == 0) {
            bucket_charge(bucket, at);
            made++;
        }
    return made;
}

/* W2.epic.3.adaptive.  Answers: '.' in the usual 20 ms, 'l' late (300 ms), 's' in 130 ms, 'r' refused;
 * then how many deliveries may be under way, of at most four. */
static void the_crowd_is_as_large_as_the_destination_bears(void **state)
{
    static const struct {
        const char *answers;
        unsigned limit;
    } rows[] = {
        { "", 4 },
        { "....", 4 },
        { "....l", 3 },
        { "....ll", 2 },
        { "..llllll", 1 },
        { "....r", 2 },
        { "rrr", 1 },
        { "....s", 4 },
        { "....r..", 3 },
        { "....rr.", 2 },
        { "....rr.........", 4 },
        { "llllllll", 4 },
        { "....l...l", 3 },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct crowd crowd;
        crowd_init(&crowd, 4);
        for (const char *at = rows[i].answers; *at != '\0'; at++)
            crowd_note(&crowd, *at == 'r' ? CROWD_REFUSED : CROWD_GOOD,
                       *at == 'l'   ? 300000
                       : *at == 's' ? 130000
                                    : 20000);
        if (crowd.limit != rows[i].limit)
            fail_msg("%s: %u, not %u", rows[i].answers, crowd.limit, rows[i].limit);
    }
}

/* A destination that is slower for good is not left at one for ever. */
static void what_is_usual_is_learnt_again(void **state)
{
    struct crowd crowd;
    (void)state;
    crowd_init(&crowd, 4);
    for (unsigned i = 0; i < 60; i++)
        crowd_note(&crowd, CROWD_GOOD, 20000);
    for (unsigned i = 0; i < 10; i++)
        crowd_note(&crowd, CROWD_GOOD, 300000);
    assert_int_equal(1, crowd.limit);
    for (unsigned i = 0; i < 150; i++)
        crowd_note(&crowd, CROWD_GOOD, 300000);
    assert_int_equal(4, crowd.limit);
}

/* W2.epic.3.rate */
static void the_rate_is_kept_by_day_and_by_night(void **state)
{
    const struct bucket_plan plan = { .per_minute = 60,
                                      .night_per_minute = 600,
                                      .night_from = 22 * 60,
                                      .night_to = 6 * 60,
                                      .utc_offset_minutes = -300 };
    struct bucket bucket;
    (void)state;
    bucket_init(&bucket, &plan, MIDNIGHT + 17 * 3600000); /* noon there */
    assert_in_range(made_in(&bucket, MIDNIGHT + 17 * 3600000, 60000), 60, 62);
    assert_in_range(made_in(&bucket, MIDNIGHT + 18 * 3600000, 60000), 66, 71); /* and the burst */
    bucket_empty(&bucket, MIDNIGHT + 19 * 3600000); /* back after an outage: no burst */
    assert_in_range(made_in(&bucket, MIDNIGHT + 19 * 3600000, 60000), 60, 62);
    assert_in_range(made_in(&bucket, MIDNIGHT + 17 * 3600000 + 60000, 60000), 57, 61);
    assert_in_range(made_in(&bucket, MIDNIGHT + 4 * 3600000 + DAY_MS, 60000), 650, 702);
    int64_t wait = bucket_wait_until(&bucket, MIDNIGHT + 4 * 3600000 + DAY_MS + 60000);
    assert_true(wait == 0 || wait < MIDNIGHT + 4 * 3600000 + DAY_MS + 61000);
    /* A delivery that was begun may need more requests than there are: they are made up for. */
    bucket_init(&bucket, &plan, MIDNIGHT + 17 * 3600000);
    for (unsigned i = 0; i < 30; i++)
        bucket_charge(&bucket, MIDNIGHT + 17 * 3600000);
    assert_in_range(bucket_wait_until(&bucket, MIDNIGHT + 17 * 3600000) - MIDNIGHT - 17 * 3600000,
                    29000, 31000);
}

static void a_quota_ends_with_the_destinations_day(void **state)
{
    const struct bucket_plan plan = { .utc_offset_minutes = -300 };
    (void)state;
    assert_int_equal(MIDNIGHT + 5 * 3600000, bucket_next_day_ms(&plan, MIDNIGHT));
    assert_int_equal(MIDNIGHT + 5 * 3600000 + DAY_MS,
                     bucket_next_day_ms(&plan, MIDNIGHT + 5 * 3600000));
}

static void without_a_rate_nothing_waits(void **state)
{
    struct bucket bucket;
    (void)state;
    bucket_init(&bucket, &(struct bucket_plan){ .per_minute = 0 }, NOW);
    assert_int_equal(1000, made_in(&bucket, NOW, 10000));
}

int main(void)
{
    struct CMUnitTest tests[COUNT_OF(cases) + COUNT_OF(breaker_cases) + 7];
    size_t n = 0;
    for (size_t i = 0; i < COUNT_OF(cases); i++) /* one reported test per row */
        tests[n++] = (struct CMUnitTest){ .name = cases[i].name,
                                          .test_func = decides,
                                          .initial_state = (void *)(uintptr_t)&cases[i] };
    for (size_t i = 0; i < COUNT_OF(breaker_cases); i++)
        tests[n++] = (struct CMUnitTest){ .name = breaker_cases[i].name,
                                          .test_func = breaker_allows,
                                          .initial_state = (void *)(uintptr_t)&breaker_cases[i] };
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(jitter_is_full);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(epic_numbers_have_classes);
    tests[n++] =
        (struct CMUnitTest)cmocka_unit_test(the_crowd_is_as_large_as_the_destination_bears);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(what_is_usual_is_learnt_again);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(the_rate_is_kept_by_day_and_by_night);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(a_quota_ends_with_the_destinations_day);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(without_a_rate_nothing_waits);
    return cmocka_run_group_tests_name("outbox_retry", tests, NULL, NULL);
}
