#include "fhir/read.h"

#include <stdio.h>

#include "fhir/read_take.h"

/* Happy path: each JSON event looks its path up and lets the row take the value; the closing brace
 * of a resource reduces the draft.  Failure: broken JSON stops the reading; what is wrong with the
 * content is noted, the rest of that resource is skipped, and the first such fault is its error. */

/* --- the draft ------------------------------------------------------------------------------- */

struct slice draft_keep(struct draft *draft, struct slice text)
{
    uintptr_t at = (uintptr_t)text.at, body = (uintptr_t)draft->body.at;
    bool is_in_body = at >= body && at - body < draft->body.len;
    return is_in_body ? text : arena_copy(draft->arena, text);
}

bool draft_fault(struct draft *draft, const struct json_reader *json, uint32_t types,
                 const char *below, enum err_code code, const char *what)
{
    if (draft->type_bit != 0 && (types & draft->type_bit) == 0)
        return true;
    if (draft->fault_count == FAULTS_MAX)
        return true;
    struct waiting_fault *fault = ARENA_NEW(draft->arena, struct waiting_fault);
    if (fault == NULL)
        return true; /* the arena has overflowed, which is tested at the end */
    char path[sizeof fault->err.where], where[sizeof fault->err.where];
    json_where(json, path, sizeof path);
    const char *dot = path[0] != '\0' && below != NULL ? "." : "";
    int len = snprintf(where, sizeof where, "%s%s%s", path, dot, below != NULL ? below : "");
    CHECK(len >= 0);
    err_fail(&fault->err, code, where, "%s", what);
    fault->types = types;
    *draft->faults_end = fault;
    draft->faults_end = &fault->next;
    draft->fault_count++;
    draft->is_skipped = draft->type_bit != 0 || types == ALL_TYPES;
    return true;
}

static void draft_begin(struct draft *draft, const struct document *document,
                        const struct json_reader *json, struct fhir_resource *resource)
{
    memset(draft, 0, offsetof(struct draft, codings));
    draft->resource = resource;
    draft->arena = document->arena;
    draft->body = document->body;
    draft->depth = json_depth(json);
    draft->start = json_offset(json) - 1;
    draft->faults_end = &draft->faults;
}

/* What is wrong with the resource, now that its type is known; ERR_OK when nothing. */
static struct err draft_verdict(const struct draft *draft)
{
    for (const struct waiting_fault *fault = draft->faults; fault != NULL; fault = fault->next)
        if ((fault->types & draft->type_bit) != 0)
            return fault->err;
    return (struct err){ .code = ERR_OK };
}

/* --- a resource in its document -------------------------------------------------------------- */

void document_begin_resource(struct document *document, const struct json_reader *json,
                             struct fhir_resource *resource)
{
    document->now = &document->drafts[0];
    draft_begin(document->now, document, json, resource);
}

static bool begin_contained(struct document *document, struct json_reader *json)
{
    struct fhir_resource *resource = ARENA_NEW(document->arena, struct fhir_resource);
    if (resource == NULL)
        return json_fail(json, ERR_TOO_LARGE, "the request needs too much memory");
    document->now = &document->drafts[1];
    draft_begin(document->now, document, json, resource);
    json_root(json, fhir_resource_paths());
    return true;
}

static bool end_contained(struct document *document, const struct err *fault)
{
    struct draft *outer = &document->drafts[0], *inner = &document->drafts[1];
    document->now = outer;
    if (fault->code != ERR_OK) {
        struct waiting_fault *kept = ARENA_NEW(document->arena, struct waiting_fault);
        if (kept != NULL && outer->fault_count < FAULTS_MAX) {
            *kept = (struct waiting_fault){ NULL, ALL_TYPES, *fault };
            *outer->faults_end = kept;
            outer->faults_end = &kept->next;
            outer->fault_count++;
            outer->is_skipped = true;
        }
        return true;
    }
    if (inner->resource->type != FHIR_MEDICATION)
        return true;
    struct contained_medication *kept = ARENA_NEW(document->arena, struct contained_medication);
    if (kept != NULL) {
        *kept = (struct contained_medication){ outer->contained, inner->resource->id,
                                               inner->resource->event.medication };
        outer->contained = kept;
    }
    return true;
}

static bool end_resource(struct document *document, struct json_reader *json)
{
    struct draft *draft = document->now;
    bool is_contained = draft == &document->drafts[1];
    struct slice *source = &draft->resource->source;
    *source = slice_skip(document->body, draft->start);
    source->len = json_offset(json) - draft->start;
    if (draft->type_bit == 0) {
        draft->type_bit = ALL_TYPES;
        draft->faults_end = &draft->faults; /* nothing else matters without a type */
        draft->fault_count = 0;
        draft_fault(draft, json, ALL_TYPES, "resourceType", ERR_REQUIRED,
                    "a resource must have a resourceType");
    } else if (!is_contained || draft->resource->type == FHIR_MEDICATION) {
        draft_reduce(draft, json);
    }
    struct err verdict = draft_verdict(draft);
    if (is_contained)
        return end_contained(document, &verdict);
    document->now = NULL;
    if (document->bundle != NULL)
        return bundle_take_resource(document, json, &verdict);
    if (verdict.code == ERR_OK)
        return true;
    *document->err = verdict;
    return true; /* fhir_read() looks again when JSON itself turned out sound */
}

/* --- events ---------------------------------------------------------------------------------- */

static const struct slice modifier = { "modifierExtension", 17 };

static bool fault_kind(struct draft *draft, const struct json_reader *json,
                       const struct path_row *row)
{
    static const char *const expected[] = {
        [JSON_NULL] = "expected null",        [JSON_BOOL] = "expected true or false",
        [JSON_NUMBER] = "expected a number",  [JSON_STRING] = "expected a string",
        [JSON_OBJECT] = "expected an object", [JSON_ARRAY] = "expected an array",
    };
    return draft_fault(draft, json, row->types, NULL, ERR_VALUE, expected[row->kind]);
}

static bool row_applies(const struct draft *draft, const struct path_row *row)
{
    return row != NULL && (draft->type_bit == 0 || (row->types & draft->type_bit) != 0);
}

/* Primitive arrays may hold null where a sibling has extensions; nothing else may. */
static bool take_null(struct draft *draft, const struct json_reader *json,
                      const struct path_row *row)
{
    if (!json_is_item(json))
        return draft_fault(draft, json, ALL_TYPES, NULL, ERR_VALUE,
                           "null is not a value: leave the element out");
    bool is_object_due = row_applies(draft, row) && row->kind == JSON_OBJECT;
    return !is_object_due || fault_kind(draft, json, row);
}

static bool take_value(struct draft *draft, struct json_reader *json, enum json_kind kind,
                       struct slice text, const struct path_row *row)
{
    draft->target = NULL;
    if (kind == JSON_NULL)
        return take_null(draft, json, row);
    if (kind == JSON_STRING && text.len == 0)
        return draft_fault(draft, json, ALL_TYPES, NULL, ERR_VALUE,
                           "an empty string is not a value: leave the element out");
    if (!row_applies(draft, row))
        return !slice_eq(json_member_key(json), modifier) ||
               draft_fault(draft, json, ALL_TYPES, NULL, ERR_VALUE, "expected an array");
    if (row->kind != kind)
        return fault_kind(draft, json, row);
    draft->has |= row->has;
    return row->take == NULL || row->take(draft, json, row, text);
}

static bool on_value(void *ctx, struct json_reader *json, enum json_kind kind, struct slice text)
{
    struct document *document = ctx;
    struct draft *draft = document->now;
    if (draft == NULL)
        return bundle_value(document, json, kind, text);
    const struct path_row *row = fhir_path_row(json);
    if (draft->is_skipped) {
        bool is_type =
            draft->type_bit == 0 && kind == JSON_STRING && row != NULL && row->take == take_type;
        return !is_type || take_type(draft, json, row, text);
    }
    if (!take_value(draft, json, kind, text, row))
        return false;
    if (kind == JSON_STRING && !draft->is_skipped && draft_may_note(json, text)) {
        struct draft *outer = &document->drafts[0];
        if (draft != outer)
            outer->target = NULL; /* a contained resource has no event of its own */
        draft_note_patches(outer, json, text);
    }
    return true;
}

/* An item of the resource's own "contained". */
static bool is_contained_here(const struct draft *draft, const struct json_reader *json)
{
    return json_depth(json) == draft->depth + 2 && json_is_item(json) &&
           slice_is(json_element(json), "contained");
}

static bool on_open(void *ctx, struct json_reader *json, enum json_kind kind)
{
    struct document *document = ctx;
    struct draft *draft = document->now;
    if (draft == NULL)
        return bundle_open(document, json, kind);
    if (draft->is_skipped)
        return true;
    if (slice_eq(json_member_key(json), modifier))
        return draft_fault(draft, json, ALL_TYPES, NULL, ERR_EXTENSION,
                           "modifier extensions may change the meaning and are refused");
    bool is_outer = draft == &document->drafts[0];
    if (is_outer && kind == JSON_OBJECT && is_contained_here(draft, json))
        return begin_contained(document, json);
    const struct path_row *row = fhir_path_row(json);
    if (!row_applies(draft, row))
        return true;
    if (row->kind != kind)
        return fault_kind(draft, json, row);
    draft->has |= row->has;
    return true;
}

static bool on_close(void *ctx, struct json_reader *json, enum json_kind kind)
{
    struct document *document = ctx;
    struct draft *draft = document->now;
    if (draft == NULL)
        return bundle_close(document, json, kind);
    if (json_depth(json) == draft->depth)
        return end_resource(document, json);
    if (draft->is_skipped)
        return true;
    if (json_members(json) == 0)
        return draft_fault(draft, json, ALL_TYPES, NULL, ERR_VALUE,
                           kind == JSON_OBJECT ? "an empty object is not a value"
                                               : "an empty array is not a value");
    const struct path_row *row = fhir_path_row(json);
    if (!row_applies(draft, row) || row->kind != kind || row->take == NULL)
        return true;
    return row->take(draft, json, row, SLICE(""));
}

const struct json_events fhir_document_events = { on_value, on_open, on_close };

/* --- one resource ---------------------------------------------------------------------------- */

/* resourceType mostly comes first; knowing it early makes paths whole: "Patient.link[0].type". */
static const char *peek_type(struct slice body)
{
    static const char key[] = "\"resourceType\"";
    size_t at = slice_starts(body, SLICE("\xef\xbb\xbf")) ? 3 : 0;
    const char *const marks[] = { "{", key, ":", "\"" };
    for (size_t i = 0; i < COUNT_OF(marks); i++) {
        while (at < body.len && body.at[at] != '\0' && strchr(" \t\r\n", body.at[at]) != NULL)
            at++;
        struct slice rest = slice_skip(body, at);
        if (!slice_starts(rest, slice_of(marks[i])))
            return NULL;
        at += strlen(marks[i]);
    }
    struct slice rest = slice_skip(body, at);
    enum fhir_type type = fhir_type_of(slice_take_until(&rest, '"'));
    return type != FHIR_NONE ? fhir_type_name(type) : NULL;
}

/* The targets of patches follow the resource to where the caller wants it. */
static void hand_over(const struct fhir_resource *from, struct fhir_resource *out)
{
    *out = *from;
    for (unsigned i = 0; i < out->patch_count; i++) {
        uintptr_t target = (uintptr_t)out->patches[i].target;
        uintptr_t offset = target - (uintptr_t)from;
        if (target >= (uintptr_t)from && offset < sizeof *from)
            out->patches[i].target = (struct slice *)(void *)((char *)out + offset);
    }
}

static bool resource_verdict(const struct fhir_resource *resource, enum fhir_type expected,
                             const char *root, const struct err *fault, struct err *err)
{
    char where[sizeof err->where];
    if (expected != FHIR_NONE && resource->type_name.len > 0 && resource->type != expected)
        return err_fail(err, ERR_INVALID, "resourceType",
                        "the resource is not of the type that was asked for");
    if (fault->code == ERR_OK)
        return true;
    bool has_name = root != NULL || resource->type == FHIR_NONE;
    snprintf(where, sizeof where, "%s%s%.120s", has_name ? "" : fhir_type_name(resource->type),
             has_name || fault->where[0] == '\0' ? "" : ".", fault->where);
    return err_fail(err, fault->code, has_name ? fault->where : where, "%s", fault->what);
}

bool fhir_read(struct slice body, enum fhir_type expected, struct arena *arena,
               struct fhir_resource *out, struct err *err)
{
    struct err fault = { .code = ERR_OK };
    struct document document;
    document.body = body;
    document.arena = arena;
    document.err = &fault;
    document.now = NULL;
    document.bundle = NULL;
    struct fhir_resource *resource = ARENA_NEW(arena, struct fhir_resource);
    if (resource == NULL)
        return err_fail(err, ERR_TOO_LARGE, "", "the request needs too much memory");
    document.single = resource;
    struct json_options options = { .root = peek_type(body), .paths = fhir_resource_paths() };
    if (!json_read(body, &options, &fhir_document_events, &document, arena, err))
        return false;
    if (!resource_verdict(resource, expected, options.root, &fault, err))
        return false;
    if (arena_overflowed(arena))
        return err_fail(err, ERR_TOO_LARGE, "", "the request needs too much memory");
    hand_over(resource, out);
    return true;
}
