/* Which way a destination is told, and what a message looks like there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "outbox/ladder.h"

#define STATEMENT(head, resources)                                                       \
    "{\"resourceType\":\"CapabilityStatement\"," head ",\"rest\":[{\"mode\":\"server\"," \
    "\"resource\":[" resources "]}]}"
#define CAN(type, codes) "{\"type\":\"" type "\",\"interaction\":[" codes "]}"
#define C "{\"code\":\"create\"}"
#define U ",{\"code\":\"update\"}"
#define EPIC "\"software\":{\"name\":\"Epic\",\"version\":\"May 2026\"}"
#define ORACLE "\"publisher\":\"Oracle Health\""
#define MEDITECH "\"publisher\":\"Medical Information Technology, Inc\""
#define OTHER "\"software\":{\"name\":\"HAPI FHIR Server\"}"

/* site: recipients, sender, author */
static const struct ladder_case {
    const char *name, *rungs, *statement, *site, *expected;
} cases[] = {
    { "a server that takes all: Flag and CarePlan", "",
      STATEMENT(OTHER, CAN("Flag", C U) "," CAN("CarePlan", C U)), "", "flag+careplan" },
    { "one of a rung is enough", "", STATEMENT(OTHER, CAN("CarePlan", C U)), "", "careplan" },
    { "a Flag that could never be ended is not raised", "",
      STATEMENT(OTHER, CAN("Flag", C) "," CAN("DocumentReference", C)), "", "document" },
    { "Epic: a message to the pool", "",
      STATEMENT(EPIC, CAN("Communication", C) "," CAN("DocumentReference", C U)), "r",
      "communication" },
    { "Epic without recipients: a note, by an author", "",
      STATEMENT(EPIC, CAN("Communication", C) "," CAN("DocumentReference", C U)), "a", "document" },
    { "Epic 5: a note needs an author", "",
      STATEMENT(EPIC, CAN("Communication", C) "," CAN("DocumentReference", C U)), "", "nothing" },
    { "Oracle 1: a message needs a sender", "",
      STATEMENT(ORACLE, CAN("Communication", C) "," CAN("DocumentReference", C U)), "r",
      "document" },
    { "Oracle: a message with sender and recipients", "",
      STATEMENT(ORACLE, CAN("Communication", C) "," CAN("DocumentReference", C U)), "rs",
      "communication" },
    { "MEDITECH: messages only", "", STATEMENT(MEDITECH, CAN("Communication", C)), "r",
      "communication" },
    { "athenahealth: nothing", "", STATEMENT(OTHER, CAN("QuestionnaireResponse", C)), "rsa",
      "nothing" },
    { "several at once", "communication+document",
      STATEMENT(EPIC, CAN("Communication", C) "," CAN("DocumentReference", C U)), "ra",
      "communication+document" },
    { "the site's own order", "document flag",
      STATEMENT(OTHER, CAN("Flag", C U) "," CAN("DocumentReference", C)), "", "document" },
    { "what is not on the ladder is not used", "careplan", STATEMENT(OTHER, CAN("Flag", C U)), "",
      "nothing" },
};

static struct ladder ladder_of(const char *rungs)
{
    struct ladder ladder = { .count = 0 };
    struct slice rest = slice_of(rungs);
    if (rest.len == 0)
        return ladder_default();
    while (rest.len > 0)
        assert_true(ladder_read_rung(slice_take_until(&rest, ' '), &ladder.rungs[ladder.count++]));
    return ladder;
}

static void ladder_chooses(void **state)
{
    const struct ladder_case *c = *state;
    struct ladder ladder = ladder_of(c->rungs);
    struct message_site site = { .recipient_count = strchr(c->site, 'r') != NULL };
    struct capability capability;
    struct arena arena;
    struct err err;
    char bytes[96];
    struct text text = TEXT(bytes);
    arena_init(&arena, 1 << 20);
    if (strchr(c->site, 's') != NULL)
        site.sender = SLICE("Practitioner/1");
    if (strchr(c->site, 'a') != NULL)
        site.author = SLICE("Practitioner/1");
    assert_true(capability_read(slice_of(c->statement), &arena, &capability, &err));
    posting_kinds_write(ladder_choose(&ladder, &capability, &site), &text);
    assert_string_equal(c->expected, bytes);
    arena_fini(&arena);
}

/* W2.oracle.3: a Condition is no channel. */
static void rungs_are_names_of_channels(void **state)
{
    static const char *const bad[] = {
        "", "+", "Flag", "provenance", "condition", "flag,careplan"
    };
    unsigned kinds = 0;
    (void)state;
    assert_true(ladder_read_rung(SLICE("flag+document"), &kinds));
    assert_int_equal(POSTING_BIT(POSTING_FLAG) | POSTING_BIT(POSTING_DOCUMENT), kinds);
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(ladder_read_rung(slice_of(bad[i]), &kinds));
}

/* --- messages ------------------------------------------------------------------------------ */

#define NOTE(wish)                                                               \
    "{\"title\":\"Salvage therapy ordered: line 3\",\"subject\":\"Patient/p1\"," \
    "\"encounter\":\"Encounter/e1\",\"wish\":\"" wish                            \
    "\",\"text\":\"Salvage therapy ordered: line 3\\nR-ICE\\n\"}"

static struct slice written(const struct message *message, const struct message_site *site,
                            struct arena *arena)
{
    struct slice out = SLICE("");
    struct err err;
    if (!message_write(message, site, arena, &out, &err))
        fail_msg("%s", err.what);
    return out;
}

static bool has(struct slice body, const char *text)
{
    return memmem(body.at, body.len, text, strlen(text)) != NULL;
}

static void a_message_is_what_every_vendor_takes(void **state)
{
    const struct message_site site = { .sender = SLICE("Practitioner/9"),
                                       .recipients = { SLICE("Group/1"), SLICE("Practitioner/2") },
                                       .recipient_count = 2 };
    const struct message message = { .kind = POSTING_COMMUNICATION,
                                     .note = SLICE(NOTE("hold")),
                                     .system = SLICE("urn:x"),
                                     .identity = SLICE("0123456789abcdef0123456789abcdef"),
                                     .now_ms = INT64_C(1780000000000) };
    struct arena arena;
    (void)state;
    arena_init(&arena, 1 << 20);
    struct slice body = written(&message, &site, &arena);
    struct slice text =
        SLICE("Salvage therapy ordered: line 3\nR-ICE\n[lifeline-0123456789abcd]\n");
    struct slice data = base64_encode(text, &arena);
    assert_true(has(body, "\"status\":\"completed\""));
    assert_true(has(body, "\"code\":\"notification\""));
    assert_true(has(body, "\"priority\":\"routine\""));
    assert_true(has(body, "\"topic\":{\"text\":\"Salvage therapy ordered: line 3\"}"));
    assert_true(has(body, "\"sender\":{\"reference\":\"Practitioner/9\"}"));
    assert_true(has(body, "[{\"reference\":\"Group/1\"},{\"reference\":\"Practitioner/2\"}]"));
    assert_true(has(body, "\"contentType\":\"text/plain; charset=utf-8\""));
    assert_true(has(body, arena_format(&arena, "\"data\":\"%.*s\"", SLICE_ARGS(data)).at));
    assert_true(has(body, "\"sent\":\"2026-05-28T"));
    struct message_site other = site;
    other.is_string_payload = other.is_urgent = true;
    body = written(&message, &other, &arena);
    assert_true(has(body, "\"contentString\":\"Salvage therapy ordered: line 3\\nR-ICE\\n["));
    assert_true(has(body, "\"priority\":\"urgent\""));
    arena_fini(&arena);
}

/* W2.epic.5, W2.us-core-9.content, W2.us-core-9.replaces */
static void a_note_in_the_chart_is_what_every_vendor_takes(void **state)
{
    const struct message_site site = { .author = SLICE("Practitioner/9"),
                                       .document_type = SLICE("urn:site|ONC1"),
                                       .device = SLICE("Lifeline/1") };
    struct message message = { .kind = POSTING_DOCUMENT,
                               .note = SLICE(NOTE("hold")),
                               .system = SLICE("urn:x"),
                               .identity = SLICE("0123456789abcdef0123456789abcdef"),
                               .now_ms = INT64_C(1780000000000) };
    struct arena arena;
    (void)state;
    arena_init(&arena, 1 << 20);
    struct slice body = written(&message, &site, &arena);
    assert_true(has(body, "\"status\":\"current\",\"docStatus\":\"final\""));
    assert_true(has(body, "[{\"system\":\"urn:site\",\"code\":\"ONC1\"}]"));
    assert_true(has(body, "\"author\":[{\"reference\":\"Practitioner/9\"}]"));
    assert_true(
        has(body, "\"period\":{\"start\":\"2026-05-28T20:26:40.000Z\",\"end\":\"2026-05-28T"));
    assert_true(has(body, "\"context\":{\"encounter\":[{\"reference\":\"Encounter/e1\"}],"));
    assert_false(has(body, "relatesTo"));
    message.note = SLICE(NOTE("in-error"));
    body = written(&message, &(struct message_site){ .device = SLICE("Lifeline/1") }, &arena);
    assert_true(has(body, "\"status\":\"entered-in-error\""));
    assert_true(has(body, "\"system\":\"http://loinc.org\",\"code\":\"11506-3\""));
    assert_true(has(body, "\"author\":[{\"display\":\"Lifeline/1\"}]"));
    message.replaces = SLICE("7"); /* a new one in the place of another */
    body = written(&message, &site, &arena);
    assert_true(has(body, "\"status\":\"current\""));
    assert_true(
        has(body, "\"code\":\"replaces\",\"target\":{\"reference\":\"DocumentReference/7\"}"));
    arena_fini(&arena);
}

static void what_the_planner_did_not_write_is_refused(void **state)
{
    static const char *const bad[] = { "", "{}", "{\"title\":\"x\"}", "[",
                                       "{\"title\":1,\"text\":\"x\"}" };
    struct arena arena;
    struct slice out;
    struct err err;
    (void)state;
    arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct message message = { .kind = POSTING_COMMUNICATION, .note = slice_of(bad[i]) };
        assert_false(message_write(&message, &(struct message_site){ 0 }, &arena, &out, &err));
    }
    arena_fini(&arena);
}

int main(void)
{
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(rungs_are_names_of_channels),
        cmocka_unit_test(a_message_is_what_every_vendor_takes),
        cmocka_unit_test(a_note_in_the_chart_is_what_every_vendor_takes),
        cmocka_unit_test(what_the_planner_did_not_write_is_refused),
    };
    struct CMUnitTest tests[COUNT_OF(cases) + COUNT_OF(others)];
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        tests[i] = (struct CMUnitTest){ .name = cases[i].name,
                                        .test_func = ladder_chooses,
                                        .initial_state = (void *)(uintptr_t)&cases[i] };
    memcpy(tests + COUNT_OF(cases), others, sizeof others);
    return cmocka_run_group_tests_name("outbox_message", tests, NULL, NULL);
}
