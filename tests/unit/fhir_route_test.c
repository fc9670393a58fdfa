/* Paths, Bundle entries and media types: what each asks for, or how it is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/text.h"
#include "fhir/route.h"

static const char *const interactions[] = {
#define X(name, code) #name,
    FHIR_INTERACTION_TABLE(X)
#undef X
};

/* --- paths ----------------------------------------------------------------------------------- */

static const struct path_row {
    const char *name;
    enum http_verb verb;
    const char *path, *query, *asks;
} paths[] = {
    { "metadata", VERB_GET, "/metadata", "", "CAPABILITIES" },
    { "metadata with a slash", VERB_GET, "/metadata/", "", "CAPABILITIES" },
    { "HEAD of metadata", VERB_HEAD, "/metadata", "", "CAPABILITIES head" },
    { "POST to metadata", VERB_POST, "/metadata", "", "METHOD allow 'OPTIONS, GET, HEAD'" },
    { "a Bundle at the base", VERB_POST, "", "", "BUNDLE" },
    { "a Bundle at the base with a slash", VERB_POST, "/", "", "BUNDLE" },
    { "GET of the base", VERB_GET, "/", "", "METHOD allow 'OPTIONS, POST'" },
    { "create", VERB_POST, "/Patient", "", "CREATE Patient" },
    { "search", VERB_GET, "/Patient", "_id=1", "SEARCH Patient" },
    { "search without parameters", VERB_GET, "/Condition", "", "SEARCH Condition" },
    { "conditional update", VERB_PUT, "/Flag", "identifier=a%7Cb", "CONDITIONAL_UPDATE Flag" },
    { "PUT without an id or a query", VERB_PUT, "/Flag", "", "INVALID" },
    { "conditional update of an order", VERB_PUT, "/MedicationRequest", "identifier=1",
      "CONDITIONAL_UPDATE MedicationRequest" },
    { "DELETE of a whole type", VERB_DELETE, "/Patient", "", "INVALID" },
    { "conditional deletion", VERB_DELETE, "/Flag", "identifier=a%7Cb", "CONDITIONAL_DELETE Flag" },
    { "read", VERB_GET, "/Patient/p1", "", "READ Patient id p1" },
    { "HEAD", VERB_HEAD, "/Patient/p1", "", "READ Patient id p1 head" },
    { "update", VERB_PUT, "/MedicationRequest/m1", "", "UPDATE MedicationRequest id m1" },
    { "delete", VERB_DELETE, "/Medication/m1", "", "DELETE Medication id m1" },
    { "PATCH", VERB_PATCH, "/Flag/f1", "", "PATCH Flag id f1" },
    { "PATCH of a type", VERB_PATCH, "/Flag", "identifier=1",
      "METHOD allow 'OPTIONS, GET, HEAD, POST, PUT, DELETE'" },
    { "OPTIONS", VERB_OPTIONS, "/Flag/f1", "", "OPTIONS Flag id f1" },
    { "POST to an id", VERB_POST, "/Flag/f1", "",
      "METHOD allow 'OPTIONS, GET, HEAD, PUT, DELETE, PATCH'" },
    { "vread", VERB_GET, "/CarePlan/c1/_history/3", "", "VREAD CarePlan id c1 version 3" },
    { "history of an instance", VERB_GET, "/CarePlan/c1/_history", "", "HISTORY CarePlan id c1" },
    { "lines of therapy", VERB_GET, "/Patient/p1/$lines-of-therapy", "asOf=2024-01-01",
      "OPERATION Patient id p1 $lines-of-therapy" },
    { "lines of therapy by POST", VERB_POST, "/Patient/p1/$lines-of-therapy", "",
      "OPERATION Patient id p1 $lines-of-therapy" },
    { "DELETE of an operation", VERB_DELETE, "/Patient/p1/$lines-of-therapy", "",
      "METHOD allow 'OPTIONS, GET, HEAD, POST'" },
    { "another operation", VERB_GET, "/Patient/p1/$expunge", "", "NOT_FOUND" },
    { "A7.3: everything of a patient", VERB_GET, "/Patient/p1/$everything", "",
      "OPERATION Patient id p1 $everything" },
    { "A7.1: validation of a new resource", VERB_POST, "/Condition/$validate", "",
      "OPERATION Condition $validate" },
    { "validation is asked by POST only", VERB_GET, "/Condition/$validate", "",
      "METHOD allow 'OPTIONS, POST'" },
    { "an OperationDefinition", VERB_GET, "/OperationDefinition/lines-of-therapy", "",
      "READ OperationDefinition id lines-of-therapy" },
    { "the operation on another type", VERB_GET, "/Condition/c1/$lines-of-therapy", "",
      "NOT_FOUND" },
    { "an operation on a type", VERB_POST, "/Patient/$match", "", "NOT_FOUND" },
    { "history of a type", VERB_GET, "/Patient/_history", "", "HISTORY_TYPE Patient" },
    { "history of everything", VERB_GET, "/_history", "", "HISTORY_SYSTEM" },
    { "search by form", VERB_POST, "/Patient/_search", "", "SEARCH Patient" },
    { "GET of the search form", VERB_GET, "/Patient/_search", "", "METHOD allow 'OPTIONS, POST'" },
    { "a type that is not offered", VERB_GET, "/Practitioner/1", "", "NOT_FOUND" },
    { "a type that is read but not offered", VERB_GET, "/Bundle/1", "", "NOT_FOUND" },
    { "a type in lower case", VERB_GET, "/patient/1", "", "NOT_FOUND" },
    { "two slashes", VERB_GET, "//Patient/1", "", "NOT_FOUND" },
    { "too many parts", VERB_GET, "/Patient/1/_history/2/3", "", "NOT_FOUND" },
    { "something under metadata", VERB_GET, "/metadata/x", "", "NOT_FOUND" },
    { "a stored type", VERB_PUT, "/MedicationAdministration/a1", "",
      "UPDATE MedicationAdministration id a1" },
    { "a document reference is created", VERB_POST, "/DocumentReference", "",
      "CREATE DocumentReference" },
    { "a document reference is superseded", VERB_PUT, "/DocumentReference/1", "",
      "UPDATE DocumentReference id 1" },
};

static void put_route(struct text *out, const struct fhir_route *route)
{
    text_add(out, "%s", interactions[route->interaction]);
    if (route->type != FHIR_NONE)
        text_add(out, " %s", fhir_type_name(route->type));
    if (route->id.len > 0)
        text_add(out, " id %.*s", SLICE_ARGS(route->id));
    if (route->version.len > 0)
        text_add(out, " version %.*s", SLICE_ARGS(route->version));
    if (route->operation.len > 0)
        text_add(out, " %.*s", SLICE_ARGS(route->operation));
    if (route->is_head)
        text_add(out, " head");
}

static void path_asks(void **state)
{
    const struct path_row *row = *state;
    char said[256];
    struct text text = TEXT(said);
    struct arena arena;
    struct fhir_route route;
    struct slice allow = SLICE("");
    struct err err;
    arena_init(&arena, 4096);
    if (fhir_route(row->verb, slice_of(row->path), slice_of(row->query), &arena, &route, &allow,
                   &err))
        put_route(&text, &route);
    else if (err.code == ERR_METHOD)
        text_add(&text, "METHOD allow '%.*s'", SLICE_ARGS(allow));
    else
        text_add(&text, "%s", err_name(err.code));
    assert_string_equal(said, row->asks);
    arena_fini(&arena);
}

/* --- entries --------------------------------------------------------------------------------- */

static const struct entry_row {
    const char *name;
    enum http_verb verb;
    const char *url, *asks;
} entries[] = {
    { "a create", VERB_POST, "Patient", "CREATE Patient ?" },
    { "an update", VERB_PUT, "Patient/1", "UPDATE Patient id 1 ?" },
    { "a slash in front", VERB_GET, "/Patient/1", "READ Patient id 1 ?" },
    { "a conditional update", VERB_PUT, "Flag?identifier=a",
      "CONDITIONAL_UPDATE Flag ?identifier=a" },
    { "a search", VERB_GET, "Condition?patient=1", "SEARCH Condition ?patient=1" },
    { "an unknown type", VERB_POST, "Practitioner", "NOT_FOUND request.url" },
    { "metadata", VERB_GET, "metadata", "UNSUPPORTED request.url" },
    { "nothing", VERB_POST, "", "NOT_FOUND request.url" },
    { "only a query", VERB_GET, "?x=1", "NOT_FOUND request.url" },
    { "a patch", VERB_PATCH, "Patient/1", "PATCH Patient id 1 ?" },
    { "the base", VERB_POST, "/", "UNSUPPORTED request.url" },
};

static void entry_asks(void **state)
{
    const struct entry_row *row = *state;
    char said[256];
    struct text text = TEXT(said);
    struct arena arena;
    struct fhir_route route;
    struct slice query;
    struct err err;
    arena_init(&arena, 4096);
    if (fhir_route_entry(row->verb, slice_of(row->url), &arena, &route, &query, &err)) {
        put_route(&text, &route);
        text_add(&text, " ?%.*s", SLICE_ARGS(query));
    } else {
        text_add(&text, "%s %s", err_name(err.code), err.where);
    }
    assert_string_equal(said, row->asks);
    arena_fini(&arena);
}

/* --- formats --------------------------------------------------------------------------------- */

#define FORM 2
#define PATCH 3
static const struct format_row {
    const char *name, *content_type, *accept, *query, *answer;
    int body; /* false, true, FORM or PATCH */
} formats[] = {
    { "nothing said", NULL, NULL, "", "ok", true },
    { "FHIR JSON", "application/fhir+json", "application/fhir+json", "", "ok", true },
    { "plain JSON", "application/json", "application/json", "", "ok", true },
    { "with charset and version", "application/fhir+json; charset=UTF-8; fhirVersion=4.0",
      "application/fhir+json;fhirVersion=4.0", "", "ok version", true },
    { "a quoted charset", "application/fhir+json;charset=\"utf-8\"", NULL, "", "ok", true },
    { "version 4.0.1", "application/fhir+json; fhirVersion=4.0.1", NULL, "", "ok", true },
    { "another case", "Application/FHIR+JSON", "APPLICATION/JSON", "", "ok", true },
    { "XML in", "application/fhir+xml", NULL, "", "MEDIA_TYPE", true },
    { "CSV in", "text/csv", NULL, "", "MEDIA_TYPE", true },
    { "another version in", "application/fhir+json; fhirVersion=3.0", NULL, "", "MEDIA_TYPE",
      true },
    { "Latin-1 in", "application/fhir+json; charset=iso-8859-1", NULL, "", "MEDIA_TYPE", true },
    { "a type without a body does not matter", "text/csv", NULL, "", "ok", false },
    { "XML out", NULL, "application/fhir+xml", "", "NOT_ACCEPTABLE", false },
    { "HTML or anything", NULL, "text/html, */*;q=0.1", "", "ok", false },
    { "XML first, JSON second", NULL, "application/fhir+xml, application/fhir+json;q=0.5", "", "ok",
      false },
    { "JSON forbidden", NULL, "application/fhir+json;q=0", "", "NOT_ACCEPTABLE", false },
    { "another version out", NULL, "application/fhir+json; fhirVersion=5.0", "", "NOT_ACCEPTABLE",
      false },
    { "an empty Accept", NULL, "", "", "ok", false },
    { "_format beats Accept", NULL, "application/fhir+xml", "_format=json", "ok", false },
    { "_format with an encoded plus", NULL, NULL, "_format=application%2Ffhir%2Bjson", "ok",
      false },
    { "_format with a bare plus", NULL, NULL, "_format=application/fhir+json", "ok", false },
    { "_format text/json", NULL, NULL, "_format=text/json", "ok", false },
    { "_format xml", NULL, "application/fhir+json", "_format=xml", "NOT_ACCEPTABLE", false },
    { "_pretty", NULL, NULL, "_pretty=true&_format=json", "ok pretty", false },
    { "_pretty off", NULL, NULL, "_pretty=false", "ok", false },
    { "a posted search", "application/x-www-form-urlencoded; charset=utf-8", NULL, "", "ok", FORM },
    { "a search posted as JSON", "application/fhir+json", NULL, "", "MEDIA_TYPE", FORM },
    { "a JSON Patch", "application/json-patch+json", NULL, "", "ok", PATCH },
    { "a patch that is called a resource", "application/fhir+json", NULL, "", "MEDIA_TYPE", PATCH },
    { "a patch without a type", NULL, NULL, "", "MEDIA_TYPE", PATCH },
    { "a form as a resource", "application/x-www-form-urlencoded", NULL, "", "MEDIA_TYPE", true },
};

static void format_is_answered(void **state)
{
    const struct format_row *row = *state;
    struct http_request request = { .verb = VERB_POST, .query = slice_of(row->query) };
    char said[64];
    struct text text = TEXT(said);
    struct arena arena;
    struct err err;
    struct fhir_format format = { .is_pretty = false };
    enum fhir_body body = row->body == FORM    ? FHIR_BODY_FORM
                          : row->body == PATCH ? FHIR_BODY_PATCH
                                               : FHIR_BODY_RESOURCE;
    if (row->body != false)
        request.body = SLICE("{}");
    if (row->content_type != NULL)
        request.headers[request.header_count++] =
            (struct http_header){ SLICE("Content-Type"), slice_of(row->content_type) };
    if (row->accept != NULL)
        request.headers[request.header_count++] =
            (struct http_header){ SLICE("Accept"), slice_of(row->accept) };
    arena_init(&arena, 4096);
    if (fhir_negotiate(&request, body, &arena, &format, &err))
        text_add(&text, "ok%s%s", format.is_pretty ? " pretty" : "",
                 format.has_version ? " version" : "");
    else
        text_add(&text, "%s", err_name(err.code));
    assert_string_equal(said, row->answer);
    arena_fini(&arena);
}

int main(void)
{
    struct CMUnitTest tests[COUNT_OF(paths) + COUNT_OF(entries) + COUNT_OF(formats)];
    size_t count = 0;
    for (size_t i = 0; i < COUNT_OF(paths); i++)
        tests[count++] = (struct CMUnitTest){ .name = paths[i].name,
                                              .test_func = path_asks,
                                              .initial_state = (void *)(uintptr_t)&paths[i] };
    for (size_t i = 0; i < COUNT_OF(entries); i++)
        tests[count++] = (struct CMUnitTest){ .name = entries[i].name,
                                              .test_func = entry_asks,
                                              .initial_state = (void *)(uintptr_t)&entries[i] };
    for (size_t i = 0; i < COUNT_OF(formats); i++)
        tests[count++] = (struct CMUnitTest){ .name = formats[i].name,
                                              .test_func = format_is_answered,
                                              .initial_state = (void *)(uintptr_t)&formats[i] };
    return cmocka_run_group_tests_name("fhir_route", tests, NULL, NULL);
}
