#include "base/text.h"
#include "fhir/read_int.h"

/* What stands around the resources.  Faults of an entry stay with the entry, so that a batch can
 * answer entry by entry; faults of the Bundle itself fail the whole. */

static const struct {
    const char *name;
    enum bundle_type type;
} bundle_types[] = {
    { "transaction", BUNDLE_TRANSACTION }, { "batch", BUNDLE_BATCH },
    { "collection", BUNDLE_COLLECTION },   { "searchset", BUNDLE_SEARCHSET },
    { "message", BUNDLE_MESSAGE },         { "document", BUNDLE_DOCUMENT },
    { "history", BUNDLE_HISTORY },         { "transaction-response", BUNDLE_OTHER },
    { "batch-response", BUNDLE_OTHER },
};

static const struct {
    struct slice name;
    enum http_verb verb;
} verbs[] = {
    { { "GET", 3 }, VERB_GET }, { { "HEAD", 4 }, VERB_HEAD },     { { "POST", 4 }, VERB_POST },
    { { "PUT", 3 }, VERB_PUT }, { { "DELETE", 6 }, VERB_DELETE }, { { "PATCH", 5 }, VERB_PATCH },
};

static struct fhir_entry *entry_now(const struct document *document)
{
    const struct bundle_draft *bundle = document->bundle;
    return bundle->entry_depth > 0 ? &bundle->out->entries[bundle->out->count - 1] : NULL;
}

static void entry_fault(struct document *document, const struct json_reader *json,
                        enum err_code code, const char *what)
{
    struct fhir_entry *entry = entry_now(document);
    if (entry == NULL || entry->fault.code != ERR_OK)
        return; /* the first fault is told */
    char where[sizeof entry->fault.where];
    json_where(json, where, sizeof where);
    err_fail(&entry->fault, code, where, "%s", what);
}

/* In an entry it is the entry's fault, elsewhere everybody's. */
static bool fault_here(struct document *document, struct json_reader *json, const char *what)
{
    if (entry_now(document) == NULL)
        return json_fail(json, ERR_VALUE, "%s", what);
    entry_fault(document, json, ERR_VALUE, what);
    return true;
}

/* --- values ---------------------------------------------------------------------------------- */

static struct slice keep(const struct document *document, struct slice text)
{
    struct draft lender = { .body = document->body, .arena = document->arena };
    return draft_keep(&lender, text);
}

static bool take_bundle_type(struct document *document, struct json_reader *json, struct slice text)
{
    for (size_t i = 0; i < COUNT_OF(bundle_types); i++) {
        if (slice_is(text, bundle_types[i].name)) {
            document->bundle->out->type = bundle_types[i].type;
            document->bundle->has_type = true;
            return true;
        }
    }
    return json_fail(json, ERR_VALUE, "the code is not one of its required value set");
}

static bool take_verb(struct document *document, struct json_reader *json, struct slice text)
{
    struct fhir_entry *entry = entry_now(document);
    for (size_t i = 0; i < COUNT_OF(verbs); i++) {
        if (slice_eq(text, verbs[i].name)) {
            entry->verb = verbs[i].verb;
            return true;
        }
    }
    return fault_here(document, json, "the code is not one of its required value set");
}

enum known_path {
    PATH_OTHER,
    PATH_ROOT,
    PATH_RESOURCE_TYPE,
    PATH_TYPE,
    PATH_ENTRIES,
    PATH_ENTRY,
    PATH_RESOURCE,
    PATH_REQUEST,
    PATH_METHOD,
    PATH_TEXT,
};

/* All we read around the resources; PATH_TEXT is kept at `offset` of the entry. */
static const struct bundle_row {
    const char *path;
    enum known_path known;
    size_t offset;
} bundle_rows[] = {
    { "", PATH_ROOT, 0 },
    { "resourceType", PATH_RESOURCE_TYPE, 0 },
    { "type", PATH_TYPE, 0 },
    { "entry", PATH_ENTRIES, 0 },
    { "entry[]", PATH_ENTRY, 0 },
    { "entry[].resource", PATH_RESOURCE, 0 },
    { "entry[].request", PATH_REQUEST, 0 },
    { "entry[].request.method", PATH_METHOD, 0 },
    { "entry[].fullUrl", PATH_TEXT, offsetof(struct fhir_entry, full_url) },
    { "entry[].request.url", PATH_TEXT, offsetof(struct fhir_entry, url) },
    { "entry[].request.ifMatch", PATH_TEXT, offsetof(struct fhir_entry, if_match) },
    { "entry[].request.ifNoneMatch", PATH_TEXT, offsetof(struct fhir_entry, if_none_match) },
    { "entry[].request.ifNoneExist", PATH_TEXT, offsetof(struct fhir_entry, if_none_exist) },
    { "entry[].request.ifModifiedSince", PATH_TEXT,
      offsetof(struct fhir_entry, if_modified_since) },
};

static struct json_paths paths;
static struct json_step *bundle_paths;

__attribute__((constructor)) static void fill_paths(void)
{
    bundle_paths = json_paths_root(&paths);
    for (size_t i = 0; i < COUNT_OF(bundle_rows); i++)
        json_paths_add(&paths, bundle_paths, bundle_rows[i].path, (unsigned)i + 1);
    json_paths_finish(&paths);
}

/* What the current path means here. */
static const struct bundle_row *row_here(const struct json_reader *json)
{
    static const struct bundle_row other = { NULL, PATH_OTHER, 0 };
    unsigned mark = json_mark(json);
    return mark != 0 ? &bundle_rows[mark - 1] : &other;
}

static bool is_container_due(enum known_path known)
{
    return known == PATH_ROOT || known == PATH_ENTRIES || known == PATH_ENTRY ||
           known == PATH_RESOURCE || known == PATH_REQUEST;
}

bool bundle_value(struct document *document, struct json_reader *json, enum json_kind kind,
                  struct slice text)
{
    if (document->bundle == NULL)
        return json_fail(json, ERR_STRUCTURE, "expected a JSON object");
    if (json_depth(json) == 0) /* always so for a resource that stands alone */
        return json_fail(json, ERR_STRUCTURE, "expected a JSON object");
    const struct bundle_row *row = row_here(json);
    enum known_path known = row->known;
    if (kind == JSON_NULL && !json_is_item(json))
        return fault_here(document, json, "null is not a value: leave the element out");
    if (kind == JSON_STRING && text.len == 0)
        return fault_here(document, json, "an empty string is not a value: leave the element out");
    if (known == PATH_OTHER || known == PATH_ROOT)
        return true;
    if (is_container_due(known))
        return fault_here(document, json,
                          known == PATH_ENTRIES ? "expected an array" : "expected an object");
    if (kind != JSON_STRING)
        return fault_here(document, json, "expected a string");
    if (known == PATH_RESOURCE_TYPE) {
        document->bundle->resource_type = keep(document, text);
        return slice_is(text, "Bundle") || json_fail(json, ERR_INVALID, "expected a Bundle");
    }
    if (known == PATH_TYPE)
        return take_bundle_type(document, json, text);
    if (known == PATH_METHOD)
        return take_verb(document, json, text);
    *(struct slice *)(void *)((char *)entry_now(document) + row->offset) = keep(document, text);
    return true;
}

/* --- containers ------------------------------------------------------------------------------ */

static bool entry_begin(struct document *document, struct json_reader *json)
{
    struct bundle_draft *bundle = document->bundle;
    struct fhir_bundle *out = bundle->out;
    if (out->count == bundle->entries_max)
        return json_fail(json, ERR_TOO_COSTLY, "more than %u entries", bundle->entries_max);
    if (out->count == bundle->room) {
        unsigned room = bundle->room > 0 ? bundle->room * 2 : 16;
        struct fhir_entry *entries =
            arena_alloc_raw(document->arena, sizeof *entries * (size_t)room);
        if (entries == NULL)
            return json_fail(json, ERR_TOO_LARGE, "the request needs too much memory");
        if (out->count > 0)
            memcpy(entries, out->entries, sizeof *entries * out->count);
        out->entries = entries;
        bundle->room = room;
    }
    memset(&out->entries[out->count++], 0, sizeof out->entries[0]);
    bundle->entry_depth = json_depth(json);
    entry_now(document)->verb = VERB_OTHER;
    return true;
}

static bool resource_begin(struct document *document, struct json_reader *json)
{
    struct fhir_entry *entry = entry_now(document);
    entry->has_resource = true;
    entry->resource = ARENA_NEW(document->arena, struct fhir_resource);
    if (entry->resource == NULL)
        return json_fail(json, ERR_TOO_LARGE, "the request needs too much memory");
    document_begin_resource(document, json, entry->resource);
    json_root(json, fhir_resource_paths());
    return true;
}

static bool open_in_bundle(struct document *document, struct json_reader *json, enum json_kind kind,
                           enum known_path known)
{
    enum json_kind due = known == PATH_ENTRIES ? JSON_ARRAY : JSON_OBJECT;
    if (known == PATH_OTHER || known == PATH_ROOT)
        return true;
    if (!is_container_due(known))
        return fault_here(document, json, "expected a string");
    if (kind != due)
        return fault_here(document, json,
                          due == JSON_ARRAY ? "expected an array" : "expected an object");
    if (known == PATH_ENTRY)
        return entry_begin(document, json);
    if (known == PATH_RESOURCE)
        return resource_begin(document, json);
    if (known == PATH_REQUEST)
        entry_now(document)->has_request = true;
    return true;
}

bool bundle_open(struct document *document, struct json_reader *json, enum json_kind kind)
{
    if (json_depth(json) == 1 && kind != JSON_OBJECT)
        return json_fail(json, ERR_STRUCTURE, "expected a JSON object");
    if (document->bundle == NULL) {
        document_begin_resource(document, json, document->single);
        return true;
    }
    if (json_depth(json) > 2 && slice_is(json_member_key(json), "modifierExtension")) {
        entry_fault(document, json, ERR_EXTENSION,
                    "modifier extensions may change the meaning and are refused");
        return true;
    }
    return open_in_bundle(document, json, kind, row_here(json)->known);
}

bool bundle_close(struct document *document, struct json_reader *json, enum json_kind kind)
{
    bool is_empty = json_members(json) == 0 && json_depth(json) > 1;
    if (is_empty && !fault_here(document, json,
                                kind == JSON_OBJECT ? "an empty object is not a value"
                                                    : "an empty array is not a value"))
        return false;
    if (json_depth(json) == document->bundle->entry_depth)
        document->bundle->entry_depth = 0;
    return true;
}

bool bundle_take_resource(struct document *document, const struct json_reader *json,
                          const struct err *fault)
{
    struct fhir_entry *entry = entry_now(document);
    if (entry->fault.code == ERR_OK)
        entry->fault = *fault;
    if (entry->resource->type == FHIR_BUNDLE)
        entry_fault(document, json, ERR_UNSUPPORTED, "a Bundle inside a Bundle is not taken");
    return true;
}

/* --- the whole ------------------------------------------------------------------------------- */

/* Transactions and batches say for each entry what to do with it. */
static void check_requests(struct fhir_bundle *bundle)
{
    if (bundle->type != BUNDLE_TRANSACTION && bundle->type != BUNDLE_BATCH)
        return;
    for (unsigned i = 0; i < bundle->count; i++) {
        struct fhir_entry *entry = &bundle->entries[i];
        if (entry->fault.code != ERR_OK || !entry->has_request)
            continue;
        char where[64];
        struct text text = TEXT(where);
        bool has_verb = entry->verb != VERB_OTHER;
        text_add(&text, "Bundle.entry[%u].request.%s", i, has_verb ? "url" : "method");
        if (!has_verb || entry->url.len == 0)
            err_fail(&entry->fault, ERR_REQUIRED, where, "a request must have a method and a url");
    }
}

bool fhir_read_bundle(struct slice body, unsigned entries_max, struct arena *arena,
                      struct fhir_bundle *out, struct err *err)
{
    struct fhir_bundle result = { .type = BUNDLE_OTHER };
    struct bundle_draft bundle = { .out = &result, .entries_max = entries_max };
    struct document document;
    document.body = body;
    document.arena = arena;
    document.err = err;
    document.now = NULL;
    document.single = NULL;
    document.bundle = &bundle;
    if (!json_read(body, &(struct json_options){ .root = "Bundle", .paths = bundle_paths },
                   &fhir_document_events, &document, arena, err))
        return false;
    if (bundle.resource_type.len == 0)
        return err_fail(err, ERR_REQUIRED, "Bundle.resourceType",
                        "a resource must have a resourceType");
    if (!bundle.has_type)
        return err_fail(err, ERR_REQUIRED, "Bundle.type", "Bundle must have type");
    if (arena_overflowed(arena))
        return err_fail(err, ERR_TOO_LARGE, "Bundle", "the request needs too much memory");
    check_requests(&result);
    *out = result;
    return true;
}
