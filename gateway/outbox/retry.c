#include "outbox/retry.h"

#include "base/date.h"
#include "outbox/limits.h"

#define QUOTA_WAIT_MS (INT64_C(12) * 3600 * 1000)

static const int64_t wait_s[] = { 1, 5, 30, 120, 600, 1800, 3600 };

static const struct {
    const char *name;
    enum retry_action action;
} classes[] = {
#define X(class, word, follows) [RETRY_CLASS_##class] = { word, follows },
    RETRY_CLASS_TABLE(X)
#undef X
};

/* What an issue code says beyond the status. */
enum issue_kind { ISSUE_ANY, ISSUE_TRANSIENT, ISSUE_DUPLICATE };

#define ASK_PROBE (1u << RETRY_PROBE)
#define ASK_READ (ASK_PROBE | (1u << RETRY_READ))
#define ASK_WRITE (1u << RETRY_WRITE)
#define ASK_CREATE (1u << RETRY_CREATE)
#define ASK_ANY (ASK_READ | ASK_WRITE | ASK_CREATE)

/* The first row that fits decides.  A proxy that answers 502 or 504, and a server that fails
 * half-way, may have committed what we sent: after a POST that is an unknown outcome, after a PUT a
 * repeat does no harm.  A redirect is a fault of the destination's address, not of the record, so
 * the record keeps its place. */
/* clang-format off */
#define RULE_TABLE(X)                                                       \
    /* transport, status,    asks,                   issue,     class */     \
    X(UNREACHABLE,   0,   0, ASK_ANY,                ANY,       TRANSIENT)  \
    X(TLS,           0,   0, ASK_ANY,                ANY,       TRANSIENT)  \
    X(LATE,          0,   0, ASK_ANY,                ANY,       TRANSIENT)  \
    X(LOST,          0,   0, ASK_READ,               ANY,       TRANSIENT)  \
    X(LOST,          0,   0, ASK_WRITE | ASK_CREATE, ANY,       UNKNOWN)    \
    X(STOPPED,       0,   0, ASK_READ,               ANY,       TRANSIENT)  \
    X(STOPPED,       0,   0, ASK_WRITE | ASK_CREATE, ANY,       UNKNOWN)    \
    X(ANSWERED,    200, 299, ASK_ANY,                ANY,       NONE)       \
    X(ANSWERED,    300, 399, ASK_ANY,                ANY,       TRANSIENT)  \
    X(ANSWERED,    401, 401, ASK_ANY,                ANY,       CREDENTIAL) \
    X(ANSWERED,    400, 599, ASK_PROBE,              ANY,       TRANSIENT)  \
    X(ANSWERED,    408, 408, ASK_CREATE,             ANY,       UNKNOWN)    \
    X(ANSWERED,    500, 500, ASK_CREATE,             ANY,       UNKNOWN)    \
    X(ANSWERED,    502, 502, ASK_CREATE,             ANY,       UNKNOWN)    \
    X(ANSWERED,    504, 504, ASK_CREATE,             ANY,       UNKNOWN)    \
    X(ANSWERED,    400, 499, ASK_CREATE,             DUPLICATE, CONFLICT)   \
    X(ANSWERED,    409, 409, ASK_ANY,                ANY,       CONFLICT)   \
    X(ANSWERED,    412, 412, ASK_ANY,                ANY,       CONFLICT)   \
    X(ANSWERED,    408, 408, ASK_ANY,                ANY,       TRANSIENT)  \
    X(ANSWERED,    425, 425, ASK_ANY,                ANY,       TRANSIENT)  \
    X(ANSWERED,    429, 429, ASK_ANY,                ANY,       TRANSIENT)  \
    X(ANSWERED,    404, 405, ASK_ANY,                ANY,       PERMANENT)  \
    X(ANSWERED,    410, 410, ASK_ANY,                ANY,       PERMANENT)  \
    X(ANSWERED,    400, 499, ASK_ANY,                TRANSIENT, TRANSIENT)  \
    X(ANSWERED,    400, 499, ASK_ANY,                ANY,       PERMANENT)  \
    X(ANSWERED,    501, 501, ASK_ANY,                ANY,       PERMANENT)  \
    X(ANSWERED,    505, 505, ASK_ANY,                ANY,       PERMANENT)

static const struct {
    enum transport_error transport;
    int first, last; /* status */
    unsigned asks;
    enum issue_kind issue;
    enum retry_class class;
} rules[] = {
#define X(transport, first, last, asks, issue, class) \
    { TRANSPORT_##transport, first, last, asks, ISSUE_##issue, RETRY_CLASS_##class },
    RULE_TABLE(X)
#undef X
};

/* "transient" and its children in the FHIR value set issue-type. */
static const char *const transient_issues[] = {
    "transient", "lock-error", "no-store", "exception", "timeout", "incomplete", "throttled",
};

static const char *const transport_names[] = {
    [TRANSPORT_ANSWERED]    = "answered",
    [TRANSPORT_UNREACHABLE] = "unreachable",
    [TRANSPORT_TLS]         = "tls",
    [TRANSPORT_LATE]        = "connect-timeout",
    [TRANSPORT_LOST]        = "no-answer",
    [TRANSPORT_STOPPED]     = "stopped",
};
/* clang-format on */

const char *retry_class_name(enum retry_class class)
{
    CHECK((unsigned)class < COUNT_OF(classes));
    return classes[class].name;
}

const char *transport_error_name(enum transport_error error)
{
    CHECK((size_t)error < COUNT_OF(transport_names));
    return transport_names[error];
}

static bool issue_fits(enum issue_kind kind, struct slice issue)
{
    if (kind == ISSUE_ANY)
        return true;
    if (kind == ISSUE_DUPLICATE)
        return slice_is(issue, "duplicate");
    for (size_t i = 0; i < COUNT_OF(transient_issues); i++)
        if (slice_is(issue, transient_issues[i]))
            return true;
    return false;
}

static enum retry_class class_of(const struct retry_input *input)
{
    int status = input->transport == TRANSPORT_ANSWERED ? input->status : 0;
    bool is_number = input->vendor_class != RETRY_CLASS_NONE && status >= 400 && status != 401;
    if (is_number && input->ask != RETRY_PROBE)
        return input->vendor_class;
    for (size_t i = 0; i < COUNT_OF(rules); i++) {
        bool fits = rules[i].transport == input->transport && status >= rules[i].first &&
                    status <= rules[i].last && (rules[i].asks & (1u << input->ask)) != 0;
        if (fits && issue_fits(rules[i].issue, input->issue))
            return rules[i].class;
    }
    return RETRY_CLASS_TRANSIENT; /* the other 5xx, and statuses that nobody defined */
}

int64_t retry_wait_ms(unsigned attempt, uint32_t jitter, unsigned pace_permille)
{
    CHECK(attempt > 0);
    size_t row = attempt - 1 < COUNT_OF(wait_s) ? attempt - 1 : COUNT_OF(wait_s) - 1;
    int64_t whole_ms = wait_s[row] * pace_permille;
    return (int64_t)(((uint64_t)whole_ms * jitter) >> 32) + 1;
}

int64_t retry_after_ms(struct slice header, int64_t now_ms)
{
    int64_t wait_ms = 0, at_ms;
    size_t digits = 0;
    while (digits < header.len && header.at[digits] >= '0' && header.at[digits] <= '9')
        digits++;
    if (digits == header.len && digits > 0) {
        for (size_t i = 0; i < digits && wait_ms < OUTBOX_RETRY_AFTER_MAX_MS; i++)
            wait_ms = wait_ms * 10 + (header.at[i] - '0') * INT64_C(1000);
    } else if (http_date_parse(header, &at_ms)) {
        wait_ms = at_ms - now_ms;
    }
    if (wait_ms < 0)
        return 0;
    return wait_ms < OUTBOX_RETRY_AFTER_MAX_MS ? wait_ms : OUTBOX_RETRY_AFTER_MAX_MS;
}

struct retry_step retry_decide(const struct retry_input *input)
{
    enum retry_class class = class_of(input);
    struct retry_step step = { .action = classes[class].action, .class = class, .reason = "" };
    if (step.action == RETRY_DONE || step.action == RETRY_REREAD || step.action == RETRY_FOLLOW)
        return step;
    if (step.action == RETRY_DEAD) {
        step.reason = classes[class].name;
        return step;
    }
    if (class == RETRY_CLASS_QUOTA) { /* the horizon goes on: a quota is over tomorrow */
        step.due_ms =
            input->next_day_ms > input->now_ms ? input->next_day_ms : input->now_ms + QUOTA_WAIT_MS;
        return step;
    }
    int64_t wait_ms = retry_wait_ms(input->attempt, input->jitter, input->pace_permille);
    int64_t asked_ms = retry_after_ms(input->retry_after, input->now_ms);
    step.due_ms = input->now_ms + (asked_ms > wait_ms ? asked_ms : wait_ms);
    /* A wrong password is the destination's trouble: its messages keep their place for ever.  The
     * first failure is forgiven, so that what was replayed late is tried at least twice. */
    bool is_over = input->horizon_ms > 0 && input->attempt > 1 &&
                   input->now_ms - input->first_failure_ms >= input->horizon_ms;
    if (is_over && step.action != RETRY_REFRESH) {
        step.action = RETRY_DEAD;
        step.reason = "horizon";
    }
    return step;
}
