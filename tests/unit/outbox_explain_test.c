/* Every reason that a row can have is explained, and says what to do where something can be done. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "outbox/explain.h"

#define NOW INT64_C(1780000000000)

static const struct explain_case {
    const char *name;
    enum outbox_state state;
    const char *last_error, *paused;
    int64_t due_in_ms;
    int status;
    const char *expected;
} cases[] = {
    { "new", OUTBOX_PENDING, "", "", 0, 0,
      "It is to be sent. Next as soon as its destination and the patient's earlier rows allow." },
    { "settled", OUTBOX_SETTLED, "", "", 0, 201, "Nothing is left to do." },
    { "told another way", OUTBOX_SETTLED, "told-by flag+careplan", "", 0, 0,
      "Nothing is left to do. It is told by another channel." },
    { "out of order", OUTBOX_PENDING, "transient exception", "", 5000, 500,
      "It is to be sent. The destination was out of reach or out of order. It is tried again by "
      "itself. It last answered with HTTP 500. Next at 2026-05-28T20:26:45Z." },
    { "paused", OUTBOX_PENDING, "", "A. Moor: upgrade", 0, 0,
      "It is to be sent. Its destination is paused by A. Moor: upgrade." },
    { "a lost answer", OUTBOX_UNKNOWN, "unknown no-answer", "", 5000, 0,
      "It may be there already. A request was sent and its answer was lost. The destination is "
      "asked "
      "before anything is sent again. Next at 2026-05-28T20:26:45Z." },
    { "a policy", OUTBOX_DEAD, "policy processing 4134", "", 0, 403,
      "It was given up after 1 attempt. The destination refuses it by policy (consent, "
      "break-the-glass). It is never tried again by itself, and not to be passed by: ask the "
      "site's "
      "privacy officer. It last answered with HTTP 403." },
    { "no channel says more than permanent", OUTBOX_DEAD, "permanent no-channel", "", 0, 0,
      "It was given up after 1 attempt. The destination offers no way in which it could be told. "
      "lifeline check --probe says what it offers; configure recipients, an author or other "
      "channels, "
      "then replay." },
};

static void row_is_explained(void **state)
{
    const struct explain_case *c = *state;
    char bytes[800];
    struct text text = TEXT(bytes);
    struct outbox_row row = { .state = c->state,
                              .last_error = slice_of(c->last_error),
                              .due_ms = NOW + c->due_in_ms,
                              .attempts = 1,
                              .last_status = c->status };
    explain_row(&row, slice_of(c->paused), NOW, &text);
    assert_string_equal(c->expected, bytes);
}

/* What delivery.c, retry.c and operate.c write into last_error. */
static void no_reason_is_left_unexplained(void **state)
{
    static const char *const reasons[] = {
        "transient unreachable",
        "credential login",
        "conflict duplicate",
        "unknown no-answer",
        "permanent business-rule",
        "policy 4134",
        "site-build 59187",
        "merged 4107",
        "quota 4135",
        "horizon transient",
        "unknown not-found-yet",
        "unknown cannot-reconcile",
        "permanent no-channel",
        "permanent not-offered",
        "permanent search-ignored",
        "permanent body-unreadable",
        "waiting Flag",
        "waiting for-more",
        "told-by nothing",
        "dropped",
        "target-edited",
        "target-deleted",
        "followed-merge",
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(reasons); i++) {
        char plain[800], with[800];
        struct text first = TEXT(plain), second = TEXT(with);
        struct outbox_row row = { .state = OUTBOX_SETTLED };
        explain_row(&row, SLICE(""), NOW, &first);
        row.last_error = slice_of(reasons[i]);
        explain_row(&row, SLICE(""), NOW, &second);
        if (strcmp(plain, with) == 0)
            fail_msg("'%s' is not explained", reasons[i]);
    }
}

int main(void)
{
    struct CMUnitTest tests[COUNT_OF(cases) + 1];
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        tests[i] = (struct CMUnitTest){ .name = cases[i].name,
                                        .test_func = row_is_explained,
                                        .initial_state = (void *)(uintptr_t)&cases[i] };
    tests[COUNT_OF(cases)] = (struct CMUnitTest)cmocka_unit_test(no_reason_is_left_unexplained);
    return cmocka_run_group_tests_name("outbox_explain", tests, NULL, NULL);
}
