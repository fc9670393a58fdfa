/* One delivery, told as a story: outbox_delivery_stories.h has them and how they are written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/date.h"
#include "base/text.h"
#include "outbox/delivery.h"
#include "outbox_delivery_stories.h"

#define NOW INT64_C(1780000000000)
#define IDENTITY "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define STEPS_MAX 64

/* --- destinations ------------------------------------------------------------------------------ */

/* create, read, update, search by identifier, patient, target */
#define C .can_create = true
#define R .can_read = true
#define U .can_update = true
#define I .search_identifier = true
#define P .search_patient = true
#define T .search_target = true
#define TO .search_recipient = true, .search_received = true
#define IF_NONE .conditional_create = true
#define IF_MATCH .conditional_update = true
#define UPSERT .update_create = true

/* clang-format off */
static const struct {
    const char *name;
    struct capability_type record, provenance, message, document;
    enum vendor vendor;
} modes[] = {
    { .name = "hapi", .record = { C, R, U, I, IF_NONE, IF_MATCH, UPSERT },
      .provenance = { C, R, U, IF_NONE, UPSERT, T } },
    { .name = "plain", .record = { C, R, U, I }, .provenance = { C, R, T } },
    { .name = "upsert", .record = { C, R, U, I, UPSERT }, .provenance = { C, R, U, UPSERT } },
    { .name = "conditional-create", .record = { C, R, U, I, IF_NONE }, .provenance = { C } },
    { .name = "conditional-only", .record = { C, U, IF_MATCH }, .provenance = { C } },
    { .name = "minimal", .record = { C, R, U }, .provenance = { C } },
    { .name = "read-only", .record = { R, I }, .provenance = { R } },
    { .name = "no-update", .record = { C, R, I }, .provenance = { C } },
    { .name = "epic", .record = { R, I, P }, .provenance = { R }, .message = { C, R, I, P },
      .document = { C, R, U, I, P }, .vendor = VENDOR_EPIC },
    { .name = "oracle", .record = { R, P }, .provenance = { C, T }, .message = { C, R, TO },
      .document = { C, R, U, P }, .vendor = VENDOR_ORACLE },
    { .name = "meditech", .message = { C, R, P }, .document = { R, P } },
    { .name = "athena", .record = { R }, .document = { R, P } },
    { .name = "us-core", .document = { C, R, I, P, IF_NONE } },
};
/* clang-format on */

static struct capability capability_of(const char *name)
{
    struct capability out = { 0 };
    for (size_t i = 0; i < COUNT_OF(modes); i++)
        if (strcmp(modes[i].name, name) == 0) {
            out.types[POSTING_FLAG] = out.types[POSTING_CARE_PLAN] = modes[i].record;
            out.types[POSTING_PROVENANCE] = modes[i].provenance;
            out.types[POSTING_COMMUNICATION] = modes[i].message;
            out.types[POSTING_DOCUMENT] = modes[i].document;
            out.vendor = modes[i].vendor;
            return out;
        }
    fail_msg("no mode %s", name);
    return out;
}

/* --- the teller ---------------------------------------------------------------------------------- */

struct teller {
    struct arena arena;
    struct delivery delivery;
    struct outbox_row row;
    struct capability capability;
    struct text out;
    char text[2048];
    bool must_verify;
    char rest[512]; /* answers not yet given */
    char *next;
};

static bool row_has(const struct story *story, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = strstr(story->row, word); at != NULL; at = strstr(at + 1, word)) {
        bool starts = at == story->row || at[-1] == ' ';
        if (starts && (at[len] == ' ' || at[len] == '\0'))
            return true;
    }
    return false;
}

#define BODY                                                                                 \
    "{\"resourceType\":\"Flag\",\"identifier\":[{\"system\":\"urn:x\",\"value\":\"" IDENTITY \
    "\"}],"                                                                                  \
    "\"status\":\"active\"}"
#define NOTE                                                                               \
    "{\"title\":\"Salvage therapy ordered\",\"subject\":\"Patient/p1\",\"wish\":\"hold\"," \
    "\"text\":\"Salvage therapy ordered\\n\"}"
#define PROVENANCE                                                                \
    "{\"resourceType\":\"Provenance\",\"target\":[{\"reference\":\"{{flag}}\"}]," \
    "\"recorded\":\"{{recorded}}\"}"

static void make_row(struct teller *teller, const struct story *story)
{
    struct outbox_row *row = &teller->row;
    bool is_unknown = row_has(story, "unknown") || row_has(story, "unknown-post");
    *row = (struct outbox_row){
        .key = 1,
        .kind = row_has(story, "provenance") ? POSTING_PROVENANCE
                : row_has(story, "message")  ? POSTING_COMMUNICATION
                : row_has(story, "document") ? POSTING_DOCUMENT
                                             : POSTING_FLAG,
        .patient_name = SLICE("Patient/p1"),
        .wish = row_has(story, "inactive") ? WISH_INACTIVE : WISH_HOLD,
        .identity = SLICE(IDENTITY),
        .body = row_has(story, "provenance")                              ? SLICE(PROVENANCE)
                : row_has(story, "message") || row_has(story, "document") ? SLICE(NOTE)
                                                                          : SLICE(BODY),
        .wanted = sha256_of_one(SLICE("wanted")),
        .state = is_unknown                ? OUTBOX_UNKNOWN
                 : row_has(story, "check") ? OUTBOX_SETTLED
                                           : OUTBOX_PENDING,
        .changed_ms = row_has(story, "old") ? NOW - INT64_C(864000000) : NOW - 1000,
        .attempts = row_has(story, "tired") ? 9 : 0,
        .revision = 5,
    };
    if (row_has(story, "target")) {
        row->target_id = SLICE("7");
        row->target_etag = row_has(story, "no-etag") ? SLICE("") : SLICE("W/\"1\"");
        row->held = sha256_of_one(SLICE("older"));
    }
    if (row_has(story, "held"))
        row->held = row->wanted;
    if (is_unknown)
        row->held = delivery_held_mark(
            &(struct delivery_mark){ .revision = row_has(story, "older") ? 4 : 5,
                                     .is_create = row_has(story, "unknown-post"),
                                     .searches = row_has(story, "searched2") ? 2 : 0 });
}

static char *next_answer(struct teller *teller)
{
    char *at = teller->next;
    if (at == NULL || *at == '\0')
        fail_msg("the story ends too early: %s", teller->text);
    char *end = strchr(at, ';');
    teller->next = end != NULL ? end + 1 : NULL;
    if (end != NULL)
        *end = '\0';
    return at + strspn(at, " ");
}

/* A message or note of the vendors that keep no identifier: its text alone says whose it is. */
static struct slice note_json(struct teller *teller, const char *id, const char *version,
                              bool is_same)
{
    const struct slice parts[] = { SLICE(IDENTITY),
                                   { (const char *)teller->row.wanted.bytes, SHA256_BYTES } };
    struct sha256 digest = sha256_of(parts, COUNT_OF(parts));
    char hex[SHA256_HEX_SIZE], mark[MESSAGE_MARK_SIZE];
    message_mark((struct slice){ sha256_hex(&digest, hex), 32 }, mark);
    struct slice text = arena_format(&teller->arena, "text\n[%s]\n", is_same ? mark : "other");
    return arena_format(&teller->arena,
                        "{\"resourceType\":\"%s\",\"id\":\"%s\",\"meta\":{\"versionId\":\"%s\"},"
                        "\"payload\":[{\"contentAttachment\":{\"data\":\"%.*s\"}}]}",
                        teller->delivery.type, id, version,
                        SLICE_ARGS(base64_encode(text, &teller->arena)));
}

static struct slice record_json(struct teller *teller, const char *id, const char *version,
                                const char *how)
{
    char instant[INSTANT_TEXT_SIZE];
    bool is_provenance = teller->row.kind == POSTING_PROVENANCE;
    bool is_same = strchr(how, '=') != NULL;
    bool is_later = strchr(how, '!') != NULL;
    /* Records are of different age; the first is the oldest. */
    int64_t at_ms = NOW + (is_later ? 3600000 : -3600000) + strtol(id, NULL, 10);
    if (teller->row.kind == POSTING_COMMUNICATION || teller->row.kind == POSTING_DOCUMENT)
        return note_json(teller, id, version, is_same);
    if (is_provenance)
        return arena_format(&teller->arena,
                            "{\"resourceType\":\"Provenance\",\"id\":\"%s\",\"recorded\":\"x\","
                            "\"target\":[{\"reference\":\"Flag/%s\"}]}",
                            id, is_same ? "7" : "8");
    return arena_format(&teller->arena,
                        "{\"resourceType\":\"Flag\",\"id\":\"%s\",\"meta\":{\"versionId\":\"%s\","
                        "\"lastUpdated\":\"%s\"},\"identifier\":[{\"system\":\"urn:x\","
                        "\"value\":\"%s\"}],\"status\":\"%s\"}",
                        id, version, instant_format(at_ms, instant),
                        strchr(how, 'x') != NULL ? "other" : IDENTITY,
                        is_same ? "active" : "inactive");
}

static struct slice search_json(struct teller *teller, const char *how)
{
    long count = strtol(how, NULL, 10);
    struct slice out = SLICE("{\"resourceType\":\"Bundle\",\"entry\":[");
    for (long i = count - 1; i >= 0; i--) { /* the oldest comes last */
        char id[24];
        snprintf(id, sizeof id, "%ld", 50 + i);
        struct slice record = record_json(teller, id, "1", how);
        out = arena_format(&teller->arena, "%.*s{\"resource\":%.*s}%s", SLICE_ARGS(out),
                           SLICE_ARGS(record), i > 0 ? "," : "");
    }
    bool has_next = strpbrk(how, ">^") != NULL;
    return arena_format(
        &teller->arena, "%.*s],\"link\":[{\"relation\":\"self\",\"url\":\"x\"}%s%s%s]}",
        SLICE_ARGS(out), has_next ? ",{\"relation\":\"next\",\"url\":\"https://" : "",
        has_next ? (strchr(how, '>') != NULL ? "ehr/fhir/" : "elsewhere/fhir/") : "",
        has_next ? "Communication?page=2\"}" : "");
}

static struct delivery_answer answer_of(struct teller *teller, const char *text)
{
    char id[64] = "", version[16] = "";
    struct delivery_answer answer = { .transport = TRANSPORT_ANSWERED,
                                      .status = 200,
                                      .date_ms = NOW };
    if (strcmp(text, "lost") == 0)
        return (struct delivery_answer){ .transport = TRANSPORT_LOST };
    if (strcmp(text, "stopped") == 0)
        return (struct delivery_answer){ .transport = TRANSPORT_STOPPED };
    if (strcmp(text, "refused") == 0)
        return (struct delivery_answer){ .transport = TRANSPORT_UNREACHABLE };
    if (strcmp(text, "duplicate") == 0) {
        answer.status = 422;
        answer.body = SLICE("{\"resourceType\":\"OperationOutcome\",\"issue\":[{\"severity\":"
                            "\"error\",\"code\":\"duplicate\"}]}");
        return answer;
    }
    if (strcmp(text, "merged") == 0) {
        answer.status = 404;
        answer.body =
            SLICE("{\"resourceType\":\"OperationOutcome\",\"issue\":[{\"severity\":\"error\","
                  "\"code\":\"processing\",\"details\":{\"coding\":[{\"system\":"
                  "\"urn:oid:1.2.840.114350.1.13.0.1.7.2.657369\",\"code\":\"4107\"}]}}]}");
        return answer;
    }
    if (strncmp(text, "survivor ", 9) == 0) {
        bool is_url = strchr(text, '/') != NULL;
        answer.body =
            arena_format(&teller->arena,
                         "{\"resourceType\":\"Patient\",\"link\":[{\"type\":\"seealso\",\"other\":{"
                         "\"reference\":\"Patient/9\"}}%s%s%s%s]}",
                         strcmp(text, "survivor none") != 0 ? ",{\"other\":{\"reference\":\"" : "",
                         strcmp(text, "survivor none") == 0 || is_url ? "" : "Patient/",
                         strcmp(text, "survivor none") == 0 ? "" : text + 9,
                         strcmp(text, "survivor none") != 0 ? "\"},\"type\":\"replaced-by\"}" : "");
        return answer;
    }
    if (strncmp(text, "found ", 6) == 0) {
        answer.body = search_json(teller, text + 6);
        return answer;
    }
    if (strncmp(text, "read ", 5) == 0) {
        snprintf(version, sizeof version, "%ld", strtol(text + 5, NULL, 10));
        answer.body = record_json(teller, "7", version, text + 5);
        return answer;
    }
    int parts = sscanf(text, "%d %63s %15s", &answer.status, id, version);
    assert_true(parts >= 1);
    if (parts >= 2)
        answer.location = arena_format(&teller->arena, "https://ehr/fhir/%s/%s/_history/1",
                                       teller->delivery.type, id);
    if (parts >= 3)
        answer.etag = arena_format(&teller->arena, "W/\"%s\"", version);
    return answer;
}

static void tell_request(struct teller *teller, const struct delivery_request *request)
{
    struct slice path = request->path;
    struct slice head = slice_take_until(&path, '=');
    text_add(&teller->out, "%s %.*s", request->method, SLICE_ARGS(head));
    if (request->if_match.len > 0)
        text_add(&teller->out, " if %.*s", SLICE_ARGS(request->if_match));
    if (request->if_none_match.len > 0)
        text_add(&teller->out, " unless %.*s", SLICE_ARGS(request->if_none_match));
    if (request->if_none_exist.len > 0)
        text_add(&teller->out, " unless");
    if (request->body.len > 0 && teller->row.kind == POSTING_PROVENANCE) {
        assert_null(memmem(request->body.at, request->body.len, "{{", 2));
        assert_non_null(memmem(request->body.at, request->body.len, "\"Flag/7\"", 8));
        text_add(&teller->out, " of Flag/7");
    }
    struct slice body = request->body;
    if (body.len > 0 &&
        memmem(body.at, body.len, "\"duplicate-0123456789abcdef012345\"", 34) != NULL) {
        assert_non_null(memmem(body.at, body.len, "\"entered-in-error\"", 18));
        assert_null(memmem(body.at, body.len, IDENTITY, 64));
        text_add(&teller->out, " as an error");
    }
    const char *replaces = request->body.len > 0 ? memmem(request->body.at, request->body.len,
                                                          "DocumentReference/", 18)
                                                 : NULL;
    if (replaces != NULL)
        text_add(&teller->out, " replaces %c", replaces[18]);
    struct slice survivor = teller->delivery.survivor;
    bool is_search = path.len > 0 && slice_starts(path, SLICE("p")); /* patient=... */
    if (survivor.len > 0 && (is_search || request->body.len > 0)) {
        struct slice where = is_search ? path : request->body;
        char name[64];
        snprintf(name, sizeof name, "%.*s", SLICE_ARGS(survivor));
        const char *wanted = is_search ? name + 8 : name;
        assert_non_null(memmem(where.at, where.len, wanted, strlen(wanted)));
        assert_true(is_search || memmem(where.at, where.len, "Patient/p1", 10) == NULL);
        text_add(&teller->out, " of %s", name + 8);
    }
    text_add(&teller->out, "; ");
    /* W2.epic.7: what a search asks is in one place. */
    if (strcmp(request->action, "search") == 0)
        assert_true(strcmp(request->method, "GET") == 0 && request->body.len == 0);
    /* Values never reach the audit log. */
    assert_null(memchr(request->audit_path.at, '=', request->audit_path.len));
    assert_null(memmem(request->audit_path.at, request->audit_path.len, IDENTITY, 32));
}

static void tell_end(struct teller *teller)
{
    static const char *const states[] = { "", "pending", "settled", "dead", "unknown" };
    const struct outbox_row *row = &teller->delivery.row;
    const char *dash = "-";
    text_add(&teller->out, "%s", states[row->state]);
    if (row->state == OUTBOX_SETTLED) {
        text_add(&teller->out, " %.*s", row->target_id.len > 0 ? (int)row->target_id.len : 1,
                 row->target_id.len > 0 ? row->target_id.at : dash);
        text_add(&teller->out, " %.*s", row->target_etag.len > 0 ? (int)row->target_etag.len : 1,
                 row->target_etag.len > 0 ? row->target_etag.at : dash);
        static const struct sha256 nothing;
        bool holds = sha256_equal(&row->held, &row->wanted);
        text_add(&teller->out, "%s", holds ? " holds" : "");
        text_add(&teller->out, "%s", sha256_equal(&row->held, &nothing) ? " empty" : "");
        assert_int_equal(0, row->attempts);
    }
    if (row->state == OUTBOX_PENDING || row->state == OUTBOX_UNKNOWN)
        assert_true(row->due_ms > NOW);
    /* What is no failure of the destination costs no attempt and waits no longer for those before. */
    if (slice_is(row->last_error, "unknown not-found-yet")) {
        assert_int_equal(teller->row.attempts, row->attempts);
        assert_in_range(row->due_ms - NOW, 4990, 5001);
    }
    if (slice_is(row->last_error, "unknown stopped")) {
        assert_int_equal(teller->row.attempts, row->attempts);
        assert_in_range(row->due_ms - NOW, 990, 1001);
    }
    /* While it is not known what is there, the row says so, whatever becomes of its state. */
    if (row->state == OUTBOX_UNKNOWN)
        assert_true(delivery_held_is_unknown(&row->held));
    if (row->last_error.len > 0)
        text_add(&teller->out, " %.*s", SLICE_ARGS(row->last_error));
    if (teller->delivery.is_reconciled)
        text_add(&teller->out, " reconciled");
    if (teller->delivery.is_checking)
        text_add(&teller->out, " drift %s", delivery_drift_name(teller->delivery.drift));
}

static void take_answer(struct teller *teller, const struct delivery_moment *moment)
{
    const char *text = next_answer(teller);
    if (strncmp(text, "offers ", 7) == 0) {
        assert_int_equal(DELIVERY_ASKING, teller->delivery.sm.state);
        bool is_readable = strcmp(text + 7, "nonsense") != 0;
        if (is_readable)
            teller->capability = capability_of(text + 7);
        teller->delivery.capability = is_readable ? &teller->capability : NULL;
        delivery_asked(&teller->delivery, moment);
        return;
    }
    struct delivery_answer answer = answer_of(teller, text);
    delivery_answered(&teller->delivery, &answer, moment);
}

static void tell(struct teller *teller, const struct story *story)
{
    struct delivery_moment moment = {
        .now_ms = NOW, .horizon_ms = INT64_C(604800000), .jitter = UINT32_MAX, .pace_permille = 1000
    };
    struct delivery *delivery = &teller->delivery;
    for (unsigned step = 0; step < STEPS_MAX; step++) {
        struct delivery_request request;
        delivery->must_verify = teller->must_verify;
        enum delivery_action action = delivery_next(delivery, &moment, &request);
        if (action == DELIVERY_END) {
            tell_end(teller);
            return;
        }
        if (action == DELIVERY_SAVE) {
            assert_int_equal(OUTBOX_UNKNOWN, delivery->row.state);
            assert_string_equal("same", next_answer(teller));
            text_add(&teller->out, "save; ");
            delivery_saved(delivery);
            continue;
        }
        if (delivery->needs_token) {
            text_add(&teller->out, "token; ");
            delivery->needs_token = false;
        }
        tell_request(teller, &request);
        take_answer(teller, &moment);
    }
    fail_msg("no end in %s", story->name);
}

static void story_goes(void **state)
{
    const struct story *story = *state;
    static struct teller teller;
    memset(&teller, 0, sizeof teller);
    arena_init(&teller.arena, 16 * 1024 * 1024);
    teller.out = TEXT(teller.text);
    snprintf(teller.rest, sizeof teller.rest, "%s", story->answers);
    teller.next = teller.rest;
    make_row(&teller, story);
    struct delivery_site site = { .system = SLICE("urn:x"),
                                  .base = SLICE("https://ehr/fhir"),
                                  .message = { .recipients = { SLICE("Group/1") },
                                               .recipient_count = 1 } };
    if (row_has(story, "no-recipient"))
        site.message.recipient_count = 0;
    if (row_has(story, "verify"))
        teller.must_verify = true;
    if (row_has(story, "delay"))
        site.message_delay_ms = 60000;
    if (row_has(story, "ladder"))
        site.ladder = ladder_default();
    delivery_start(&teller.delivery, &teller.row, &site, &teller.arena);
    teller.delivery.is_checking = row_has(story, "check");
    if (story->mode[0] != '\0') {
        teller.capability = capability_of(story->mode);
        teller.delivery.capability = &teller.capability;
    }
    if (delivery_sibling_kind(&teller.row) != 0) {
        struct delivery_sibling sibling = { .exists = !row_has(story, "no-flag"),
                                            .state = row_has(story, "waiting")     ? OUTBOX_PENDING
                                                     : row_has(story, "dead-flag") ? OUTBOX_DEAD
                                                                                   : OUTBOX_SETTLED,
                                            .due_ms = NOW + 5000,
                                            .target_id = SLICE("7") };
        delivery_set_sibling(&teller.delivery, &sibling, NOW);
    }
    tell(&teller, story);
    assert_string_equal(story->transcript, teller.text);
    assert_true(teller.next == NULL || *teller.next == '\0'); /* all answers were needed */
    arena_fini(&teller.arena);
}

static void a_mark_is_read_as_it_was_written(void **state)
{
    (void)state;
    struct sha256 held = delivery_held_mark(&(struct delivery_mark){ 77, true, 2 });
    struct sha256 digest = sha256_of_one(SLICE("x"));
    struct delivery_mark mark = delivery_mark_of(&held);
    assert_true(delivery_held_is_unknown(&held));
    assert_false(delivery_held_is_unknown(&digest));
    assert_int_equal(77, mark.revision);
    assert_true(mark.is_create);
    assert_int_equal(2, mark.searches);
}

/* However the dice fall, a record that shows late or is committed late has its time. */
static void the_looks_do_not_fall_into_one_instant(void **state)
{
    static const struct story story = { .mode = "plain", .row = "unknown-post" };
    static struct teller teller;
    struct delivery_moment moment = { .now_ms = NOW, .pace_permille = 1000 };
    struct delivery *delivery = &teller.delivery;
    (void)state;
    memset(&teller, 0, sizeof teller);
    arena_init(&teller.arena, 16 * 1024 * 1024);
    make_row(&teller, &story);
    teller.capability = capability_of(story.mode);
    static const int64_t least_ms[] = { 2500, 15000 };
    for (size_t look = 0; look < COUNT_OF(least_ms); look++) {
        struct delivery_request request;
        struct delivery_answer nothing = answer_of(&teller, "found 0");
        delivery_start(delivery, &teller.row, &(struct delivery_site){ .system = SLICE("urn:x") },
                       &teller.arena);
        delivery->capability = &teller.capability;
        assert_int_equal(DELIVERY_SEND, delivery_next(delivery, &moment, &request));
        delivery_answered(delivery, &nothing, &moment);
        assert_int_equal(DELIVERY_END, delivery_next(delivery, &moment, &request));
        assert_in_range(delivery->row.due_ms - moment.now_ms, least_ms[look] - 1,
                        least_ms[look] + 1);
        teller.row = delivery->row;
        moment.now_ms = delivery->row.due_ms;
    }
    arena_fini(&teller.arena);
}

int main(void)
{
    struct CMUnitTest tests[COUNT_OF(stories) + 2];
    size_t n = 0;
    for (size_t i = 0; i < COUNT_OF(stories); i++) /* one reported test per row */
        tests[n++] = (struct CMUnitTest){ .name = stories[i].name,
                                          .test_func = story_goes,
                                          .initial_state = (void *)(uintptr_t)&stories[i] };
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(a_mark_is_read_as_it_was_written);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(the_looks_do_not_fall_into_one_instant);
    return cmocka_run_group_tests_name("outbox_delivery", tests, NULL, NULL);
}
