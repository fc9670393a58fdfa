#include "fhir/write.h"

#include <stdio.h>

#include "base/date.h"
#include "base/json.h"

/* --- OperationOutcome ------------------------------------------------------------------------ */

/* True for "Bundle.entry[3].resource.status", false for "Content-Type" and "mappings/x.tsv:4". */
static bool is_element_path(const char *where)
{
    if (!(where[0] >= 'a' && where[0] <= 'z') && !(where[0] >= 'A' && where[0] <= 'Z'))
        return false;
    for (const char *at = where; *at != '\0'; at++) {
        bool is_letter = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z');
        if (!is_letter && !(*at >= '0' && *at <= '9') && strchr("._[]", *at) == NULL)
            return false;
    }
    return true;
}

/* "expected a string" becomes "Expected a string."; a place that is no element goes before it.
 * What our own store said is for the log, not for a peer. */
static void write_diagnostics(struct json_writer *writer, const struct err *err)
{
    char sentence[sizeof err->where + sizeof err->what + 8];
    bool is_ours = err->code == ERR_STORAGE || err->code == ERR_CORRUPT;
    const char *what =
        is_ours ? "the gateway could not read or write its store; its log says why" : err->what;
    bool has_place = !is_ours && err->where[0] != '\0' && !is_element_path(err->where);
    int len = snprintf(sentence, sizeof sentence, "%s%s%s.", has_place ? err->where : "",
                       has_place ? ": " : "", what);
    CHECK(len > 0);
    if (sentence[0] >= 'a' && sentence[0] <= 'z')
        sentence[0] = (char)(sentence[0] - 'a' + 'A');
    json_put_text(writer, "diagnostics", sentence);
}

static void write_issue(struct json_writer *writer, const struct err *err)
{
    json_object(writer);
    json_put_text(writer, "severity", err_http_status(err->code) >= 500 ? "fatal" : "error");
    json_put_text(writer, "code", err_fhir_issue(err->code));
    write_diagnostics(writer, err);
    if (is_element_path(err->where)) {
        json_key(writer, "expression");
        json_array(writer);
        json_text(writer, err->where);
        json_array_end(writer);
    }
    json_object_end(writer);
}

static void begin_outcome(struct json_writer *writer)
{
    json_object(writer);
    json_put_text(writer, "resourceType", "OperationOutcome");
    json_key(writer, "issue");
    json_array(writer);
}

static void end_outcome(struct json_writer *writer)
{
    json_array_end(writer);
    json_object_end(writer);
}

static void write_outcome(struct json_writer *writer, const struct err *err)
{
    begin_outcome(writer);
    write_issue(writer, err);
    end_outcome(writer);
}

void fhir_write_outcome(const struct err *err, struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out, false);
    write_outcome(&writer, err);
}

static void write_remark_issue(struct json_writer *writer, const char *severity, const char *text)
{
    json_object(writer);
    json_put_text(writer, "severity", severity);
    json_put_text(writer, "code", "informational");
    json_put_text(writer, "diagnostics", text);
    json_object_end(writer);
}

static void write_remark(struct json_writer *writer, const char *severity, const char *text)
{
    begin_outcome(writer);
    write_remark_issue(writer, severity, text);
    end_outcome(writer);
}

void fhir_write_verdict(const struct err *fault, const char *remark, struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out, false);
    begin_outcome(&writer);
    if (fault->code != ERR_OK)
        write_issue(&writer, fault);
    else
        write_remark_issue(&writer, "information", "The resource would be taken.");
    if (remark != NULL)
        write_remark_issue(&writer, "warning", remark);
    end_outcome(&writer);
}

void fhir_write_outcome_ok(const char *text, struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out, false);
    write_remark(&writer, "information", text);
}

/* --- answers to Bundles ---------------------------------------------------------------------- */

static const char *reason_of(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        { 200, "OK" },
        { 201, "Created" },
        { 204, "No Content" },
        { 304, "Not Modified" },
        { 400, "Bad Request" },
        { 401, "Unauthorized" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 406, "Not Acceptable" },
        { 409, "Conflict" },
        { 410, "Gone" },
        { 412, "Precondition Failed" },
        { 413, "Content Too Large" },
        { 415, "Unsupported Media Type" },
        { 422, "Unprocessable Content" },
        { 500, "Internal Server Error" },
        { 503, "Service Unavailable" },
    };
    for (size_t i = 0; i < COUNT_OF(reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "";
}

static void write_answer(struct json_writer *writer, const struct fhir_answer *answer)
{
    bool is_fault = answer->err.code != ERR_OK;
    int status = is_fault ? err_http_status(answer->err.code) : answer->status;
    const char *reason = reason_of(status);
    char text[64];

    snprintf(text, sizeof text, "%d%s%s", status, reason[0] != '\0' ? " " : "", reason);
    json_put_text(writer, "status", text);
    if (!is_fault && answer->location.len > 0)
        json_put(writer, "location", answer->location);
    if (!is_fault && answer->version > 0) {
        snprintf(text, sizeof text, "W/\"%u\"", answer->version);
        json_put_text(writer, "etag", text);
        json_put_text(writer, "lastModified", instant_format(answer->updated_ms, text));
    }
    if (is_fault) {
        json_key(writer, "outcome");
        write_outcome(writer, &answer->err);
    }
}

void fhir_write_bundle_response(bool is_transaction, const struct fhir_answer *answers,
                                unsigned count, struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out, false);
    json_object(&writer);
    json_put_text(&writer, "resourceType", "Bundle");
    json_put_text(&writer, "type", is_transaction ? "transaction-response" : "batch-response");
    if (count > 0) { /* FHIR has no empty arrays */
        json_key(&writer, "entry");
        json_array(&writer);
    }
    for (unsigned i = 0; i < count; i++) {
        json_object(&writer);
        if (answers[i].err.code == ERR_OK && answers[i].resource.len > 0) {
            json_key(&writer, "resource");
            json_raw(&writer, answers[i].resource);
        }
        json_key(&writer, "response");
        json_object(&writer);
        write_answer(&writer, &answers[i]);
        json_object_end(&writer);
        json_object_end(&writer);
    }
    if (count > 0)
        json_array_end(&writer);
    json_object_end(&writer);
}

static void write_link(struct json_writer *writer, const char *relation, struct slice url)
{
    if (url.len == 0)
        return;
    json_object(writer);
    json_put_text(writer, "relation", relation);
    json_put(writer, "url", url);
    json_object_end(writer);
}

static void write_search_mode(struct json_writer *writer, const char *mode)
{
    json_key(writer, "search");
    json_object(writer);
    json_put_text(writer, "mode", mode);
    json_object_end(writer);
    json_object_end(writer);
}

void fhir_write_searchset(const struct fhir_searchset *set, struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out, false);
    json_object(&writer);
    json_put_text(&writer, "resourceType", "Bundle");
    json_put_text(&writer, "type", "searchset");
    if (set->has_total)
        json_put_integer(&writer, "total", set->total);
    json_key(&writer, "link");
    json_array(&writer);
    write_link(&writer, "self", set->self);
    write_link(&writer, "next", set->next);
    json_array_end(&writer);
    bool has_entries = set->count > 0 || set->warning != NULL;
    if (has_entries) {
        json_key(&writer, "entry");
        json_array(&writer);
    }
    for (unsigned i = 0; i < set->count; i++) {
        json_object(&writer);
        json_put(&writer, "fullUrl", set->matches[i].full_url);
        json_key(&writer, "resource");
        json_raw(&writer, set->matches[i].resource);
        write_search_mode(&writer, set->matches[i].mode);
    }
    if (set->warning != NULL) {
        json_object(&writer);
        json_key(&writer, "resource");
        write_remark(&writer, "warning", set->warning);
        write_search_mode(&writer, "outcome");
    }
    if (has_entries)
        json_array_end(&writer);
    json_object_end(&writer);
}

void fhir_write_history(const struct fhir_history *history, struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out, false);
    json_object(&writer);
    json_put_text(&writer, "resourceType", "Bundle");
    json_put_text(&writer, "type", "history");
    if (history->has_total)
        json_put_integer(&writer, "total", history->total);
    json_key(&writer, "link");
    json_array(&writer);
    write_link(&writer, "self", history->self);
    write_link(&writer, "next", history->next);
    json_array_end(&writer);
    if (history->count > 0) {
        json_key(&writer, "entry");
        json_array(&writer);
    }
    for (unsigned i = 0; i < history->count; i++) {
        const struct fhir_version *version = &history->versions[i];
        json_object(&writer);
        json_put(&writer, "fullUrl", version->full_url);
        if (version->answer.resource.len > 0) {
            json_key(&writer, "resource");
            json_raw(&writer, version->answer.resource);
        }
        json_key(&writer, "request");
        json_object(&writer);
        json_put_text(&writer, "method", http_verb_name(version->verb));
        json_put(&writer, "url", version->url);
        json_object_end(&writer);
        json_key(&writer, "response");
        json_object(&writer);
        write_answer(&writer, &version->answer);
        json_object_end(&writer);
        json_object_end(&writer);
    }
    if (history->count > 0)
        json_array_end(&writer);
    json_object_end(&writer);
}
