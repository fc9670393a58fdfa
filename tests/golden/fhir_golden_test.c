/* FHIR in, event or OperationOutcome out: every fhir/NAME.json has a fhir/NAME.expect beside it.
 * With UPDATE_GOLDEN=1 in the environment the .expect files are written instead of compared; read
 * the difference before you commit it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "fhir/read.h"
#include "fhir/write.h"

#define FILES_MAX 256
#define FOLDER SOURCE_DIR "/tests/golden/fhir/"

/* --- an event in words ----------------------------------------------------------------------- */

static void put_text(struct buffer *out, const char *name, struct slice text)
{
    if (text.len > 0)
        buffer_format(out, "%s %.*s\n", name, SLICE_ARGS(text));
}

static void put_span(struct buffer *out, const char *name, struct date_span span)
{
    char first[DATE_TEXT_SIZE], last[DATE_TEXT_SIZE];
    if (span.precision == DATE_ABSENT)
        return;
    buffer_format(out, "%s %s", name, date_format(span.first, first));
    if (span.precision != DATE_DAY)
        buffer_format(out, "..%s", date_format(span.last, last));
    buffer_add_char(out, '\n');
}

static void put_concept(struct buffer *out, const char *name, const struct concept *concept)
{
    if (concept->count == 0 && concept->text.len == 0)
        return;
    buffer_format(out, "%s", name);
    for (unsigned i = 0; i < concept->count; i++) {
        const struct coding *coding = &concept->codings[i];
        struct slice system = coding->system == CODE_OTHER
                                  ? coding->system_uri
                                  : slice_of(code_system_uri(coding->system));
        buffer_format(out, " [%.*s %.*s]", SLICE_ARGS(system), SLICE_ARGS(coding->code));
    }
    buffer_format(out, " '%.*s'\n", SLICE_ARGS(concept->text));
}

static void put_list(struct buffer *out, const char *name, const struct slice *list, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        put_text(out, name, list[i]);
}

static void put_number(struct buffer *out, const char *name, int64_t number)
{
    if (number != 0)
        buffer_format(out, "%s %lld\n", name, (long long)number);
}

static void put_quantity(struct buffer *out, const char *name, const struct quantity *quantity)
{
    static const char *const comparators[] = { "", "< ", "<= ", ">= ", "> " };
    if (quantity->is_stated)
        buffer_format(out, "%s %s%lld / 10^%d '%.*s'\n", name, comparators[quantity->comparator],
                      (long long)quantity->digits, quantity->scale, SLICE_ARGS(quantity->unit));
}

static void put_word(struct buffer *out, const char *name, const char *const *words, unsigned value)
{
    if (value != 0)
        buffer_format(out, "%s %s\n", name, words[value]);
}

static void put_codes(struct buffer *out, const struct event *event)
{
    static const char *const statuses[] = { "",          "active",           "on-hold", "cancelled",
                                            "completed", "entered-in-error", "stopped", "draft",
                                            "unknown",   "not-done" };
    static const char *const intents[] = { "",
                                           "proposal",
                                           "plan",
                                           "order",
                                           "original-order",
                                           "reflex-order",
                                           "filler-order",
                                           "instance-order",
                                           "option" };
    static const char *const clinical[] = { "",         "active",    "recurrence", "relapse",
                                            "inactive", "remission", "resolved",   "unknown" };
    static const char *const verification[] = {
        "", "unconfirmed", "provisional", "differential", "confirmed", "refuted", "entered-in-error"
    };
    static const char *const treatments[] = { "", "curative", "palliative", "other" };
    put_word(out, "status", statuses, event->status);
    put_word(out, "intent", intents, event->intent);
    put_word(out, "clinical-status", clinical, event->clinical_status);
    put_word(out, "verification-status", verification, event->verification_status);
    put_word(out, "treatment-intent", treatments, event->treatment_intent);
    put_number(out, "do-not-perform", event->do_not_perform);
    put_number(out, "reported", event->reported);
    put_number(out, "deceased", event->is_deceased);
}

static void put_event(struct buffer *out, const struct event *event)
{
    put_concept(out, "medication", &event->medication);
    put_text(out, "medication-reference", event->medication_reference);
    put_codes(out, event);
    put_span(out, "authored-on", event->authored_on);
    put_span(out, "bounds-start", event->bounds_start);
    put_span(out, "bounds-end", event->bounds_end);
    put_span(out, "first-event", event->first_timing_event);
    put_span(out, "last-event", event->last_timing_event);
    put_number(out, "bounds-days", event->bounds_days);
    put_number(out, "repeat-days", event->repeat_days);
    put_number(out, "supply-days", event->supply_days);
    put_number(out, "doses-per-1000-days", event->doses_per_1000_days);
    put_quantity(out, "dose", &event->dose);
    put_span(out, "validity-end", event->validity_end);
    put_span(out, "status-changed", event->status_changed);
    put_concept(out, "status-reason", &event->status_reason);
    put_concept(out, "reason-code", &event->reason_code);
    put_list(out, "reason-reference", event->reason_references, event->reason_reference_count);
    put_list(out, "based-on", event->based_on, event->based_on_count);
    put_text(out, "group", event->group_identifier);
    put_text(out, "prior", event->prior_prescription);
    put_text(out, "protocol", event->protocol);
    put_concept(out, "code", &event->code);
    put_span(out, "onset", event->onset);
    put_span(out, "abatement", event->abatement);
    put_span(out, "recorded", event->recorded);
    put_span(out, "effective", event->effective);
    put_span(out, "effective-end", event->effective_end);
    put_quantity(out, "value", &event->value);
    put_concept(out, "value-concept", &event->value_concept);
    if (event->value_is_false)
        buffer_add(out, SLICE("value false\n"));
    put_list(out, "focus", event->focus, event->focus_count);
    put_span(out, "died", event->deceased);
    put_text(out, "replaced-by", event->replaced_by);
}

static void put_resource(struct buffer *out, const struct fhir_resource *resource)
{
    buffer_format(out, "type %.*s%s\n", SLICE_ARGS(resource->type_name),
                  resource->type == FHIR_NONE ? " (not known)" : "");
    put_text(out, "id", resource->id);
    put_text(out, "subject", resource->subject);
    put_text(out, "subject-identifier", resource->subject_identifier);
    put_list(out, "identifier", resource->identifiers, resource->identifier_count);
    put_event(out, &resource->event);
    for (unsigned i = 0; i < resource->patch_count; i++) {
        const struct fhir_patch *patch = &resource->patches[i];
        buffer_format(out, "patch %.*s%s\n", SLICE_ARGS(patch->value),
                      patch->target != NULL ? " (used)" : "");
    }
}

static void put_outcome(struct buffer *out, const struct err *err)
{
    buffer_format(out, "%d %s ", err_http_status(err->code), err_name(err->code));
    fhir_write_outcome(err, out);
    buffer_add_char(out, '\n');
}

/* --- Bundles --------------------------------------------------------------------------------- */

static struct slice new_reference(void *ctx, struct slice value)
{
    const struct fhir_bundle *bundle = ctx;
    static char names[8][32]; /* more than any Bundle here asks for at once */
    for (unsigned i = 0; i < bundle->count; i++) {
        if (!slice_eq(bundle->entries[i].full_url, value) || bundle->entries[i].resource == NULL)
            continue;
        snprintf(names[i % 8], sizeof names[0], "%.*s/new-%u",
                 SLICE_ARGS(bundle->entries[i].resource->type_name), i);
        return slice_of(names[i % 8]);
    }
    return SLICE("");
}

static void put_entry(struct buffer *out, struct fhir_bundle *bundle, unsigned index,
                      struct arena *arena)
{
    static const char *const verbs[] = {
#define X(name) #name,
        HTTP_METHOD_TABLE(X)
#undef X
    };
    struct fhir_entry *entry = &bundle->entries[index];
    struct err err;
    buffer_format(out, "--- entry %u\n", index);
    put_text(out, "full-url", entry->full_url);
    if (entry->has_request)
        buffer_format(out, "request %s %.*s\n", verbs[entry->verb], SLICE_ARGS(entry->url));
    put_text(out, "if-match", entry->if_match);
    put_text(out, "if-none-match", entry->if_none_match);
    put_text(out, "if-none-exist", entry->if_none_exist);
    put_text(out, "if-modified-since", entry->if_modified_since);
    if (entry->fault.code != ERR_OK) {
        put_outcome(out, &entry->fault);
        return;
    }
    if (entry->resource == NULL)
        return;
    struct slice before = entry->resource->source;
    if (bundle->type == BUNDLE_TRANSACTION)
        assert_true(fhir_rewrite(entry->resource, new_reference, bundle, arena, &err));
    put_resource(out, entry->resource);
    if (!slice_eq(before, entry->resource->source))
        put_text(out, "rewritten", entry->resource->source);
}

static void put_bundle(struct buffer *out, struct slice body, struct arena *arena)
{
    static const char *const types[] = { "other",     "transaction", "batch",    "collection",
                                         "searchset", "message",     "document", "history" };
    struct fhir_bundle bundle;
    struct err err;
    if (!fhir_read_bundle(body, 5, arena, &bundle, &err)) {
        put_outcome(out, &err);
        return;
    }
    buffer_format(out, "bundle %s of %u\n", types[bundle.type], bundle.count);
    for (unsigned i = 0; i < bundle.count; i++)
        put_entry(out, &bundle, i, arena);
}

/* --- files ----------------------------------------------------------------------------------- */

static struct slice read_file(const char *path, struct arena *arena)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return (struct slice){ NULL, 0 };
    char *text = arena_alloc(arena, 1 << 20);
    assert_non_null(text);
    size_t len = fread(text, 1, 1 << 20, file);
    fclose(file);
    assert_true(len < 1 << 20);
    return (struct slice){ text, len };
}

static void write_file(const char *path, struct slice text)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text.at, 1, text.len, file), text.len);
    fclose(file);
}

static void reads_as_expected(void **state)
{
    const char *path = *state;
    char expect[512];
    struct arena arena;
    struct buffer out;
    arena_init(&arena, 1 << 24);
    buffer_init(&out, 1 << 20);
    struct slice body = read_file(path, &arena);
    assert_non_null(body.at);

    bool is_bundle = strstr(path, "/bundle-") != NULL;
    struct fhir_resource resource;
    struct err err;
    if (is_bundle)
        put_bundle(&out, body, &arena);
    else if (fhir_read(body, FHIR_NONE, &arena, &resource, &err))
        put_resource(&out, &resource);
    else
        put_outcome(&out, &err);

    snprintf(expect, sizeof expect, "%.*s.expect", (int)(strlen(path) - strlen(".json")), path);
    if (getenv("UPDATE_GOLDEN") != NULL)
        write_file(expect, buffer_slice(&out));
    struct slice expected = read_file(expect, &arena);
    buffer_add_char(&out, '\0');
    assert_non_null(expected.at);
    assert_string_equal(out.at, expected.at);
    buffer_fini(&out);
    arena_fini(&arena);
}

int main(void)
{
    static struct CMUnitTest tests[FILES_MAX];
    glob_t files;
    if (glob(FOLDER "*.json", 0, NULL, &files) != 0 || files.gl_pathc > FILES_MAX) {
        fprintf(stderr, "no golden files in %s, or too many\n", FOLDER);
        return 1;
    }
    for (size_t i = 0; i < files.gl_pathc; i++)
        tests[i] = (struct CMUnitTest){ .name = files.gl_pathv[i] + strlen(FOLDER),
                                        .test_func = reads_as_expected,
                                        .initial_state = files.gl_pathv[i] };
    int failed = _cmocka_run_group_tests("fhir_golden", tests, files.gl_pathc, NULL, NULL);
    globfree(&files);
    return failed;
}
