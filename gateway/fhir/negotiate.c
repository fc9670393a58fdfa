#include <stdlib.h>
#include <strings.h>

#include "fhir/route.h"

/* Formats of request and reply (checklist A1.1 to A1.5): JSON of R4, nothing else. */

static struct slice trim(struct slice text)
{
    while (text.len > 0 && (text.at[0] == ' ' || text.at[0] == '\t'))
        text = slice_skip(text, 1);
    while (text.len > 0 && (text.at[text.len - 1] == ' ' || text.at[text.len - 1] == '\t'))
        text.len--;
    return text;
}

static bool is_same(struct slice text, const char *word)
{
    return text.len == strlen(word) && strncasecmp(text.at, word, text.len) == 0;
}

static struct slice unquote(struct slice text)
{
    bool is_quoted = text.len >= 2 && text.at[0] == '"' && text.at[text.len - 1] == '"';
    return is_quoted ? (struct slice){ text.at + 1, text.len - 2 } : text;
}

struct media {
    bool is_json, is_any, is_r4, is_utf8;
    bool is_refused; /* q=0 */
    bool has_version;
};

static bool is_version(struct slice text)
{
    return slice_is(text, "4.0") || slice_is(text, "4.0.1");
}

/* "application/fhir+json; charset=utf-8; fhirVersion=4.0; q=0.9" */
static struct media media_of(struct slice text)
{
    struct slice type = trim(slice_take_until(&text, ';'));
    struct media media = { .is_r4 = true, .is_utf8 = true };
    media.is_json = is_same(type, "application/fhir+json") || is_same(type, "application/json") ||
                    is_same(type, "text/json") || is_same(type, "application/json+fhir");
    media.is_any = is_same(type, "*/*") || is_same(type, "application/*");
    while (text.len > 0) {
        struct slice value = slice_take_until(&text, ';');
        struct slice name = trim(slice_take_until(&value, '='));
        value = unquote(trim(value));
        if (is_same(name, "charset"))
            media.is_utf8 = is_same(value, "utf-8") || is_same(value, "utf8");
        else if (is_same(name, "fhirVersion"))
            media.has_version = true, media.is_r4 = is_version(value);
        else if (is_same(name, "q"))
            media.is_refused = slice_is(value, "0") || slice_is(value, "0.0") ||
                               slice_is(value, "0.00") || slice_is(value, "0.000");
    }
    return media;
}

bool fhir_is_in_lines(const struct http_request *request)
{
    struct slice rest = http_header_find(request, "content-type");
    struct slice type = trim(slice_take_until(&rest, ';'));
    return request->verb == VERB_POST &&
           (is_same(type, "application/fhir+ndjson") || is_same(type, "application/x-ndjson") ||
            is_same(type, "application/ndjson"));
}

enum fhir_body fhir_body_of(enum http_verb verb, enum fhir_interaction interaction)
{
    if (interaction == FHIR_DO_PATCH)
        return FHIR_BODY_PATCH;
    bool is_posted_search = interaction == FHIR_DO_SEARCH && verb == VERB_POST;
    return is_posted_search ? FHIR_BODY_FORM : FHIR_BODY_RESOURCE;
}

static bool check_form(struct slice type, struct err *err)
{
    return is_same(trim(slice_take_until(&type, ';')), "application/x-www-form-urlencoded") ||
           err_fail(err, ERR_MEDIA_TYPE, "Content-Type",
                    "a search is posted as application/x-www-form-urlencoded");
}

static bool check_patch(struct slice type, struct err *err)
{
    return is_same(trim(slice_take_until(&type, ';')), "application/json-patch+json") ||
           err_fail(err, ERR_MEDIA_TYPE, "Content-Type",
                    "a patch is sent as application/json-patch+json");
}

static bool check_body(const struct http_request *request, enum fhir_body body, struct err *err)
{
    struct slice type = http_header_find(request, "content-type");
    if (body == FHIR_BODY_PATCH)
        return check_patch(type, err);
    if (body == FHIR_BODY_LINES)
        return true; /* that is why it is one */
    if (request->body.len == 0 || type.len == 0)
        return true;
    if (body == FHIR_BODY_FORM)
        return check_form(type, err);
    struct media media = media_of(type);
    if (!media.is_json)
        return err_fail(err, ERR_MEDIA_TYPE, "Content-Type",
                        "expected application/fhir+json or application/json");
    if (!media.is_r4)
        return err_fail(err, ERR_MEDIA_TYPE, "Content-Type", "expected fhirVersion 4.0");
    if (!media.is_utf8)
        return err_fail(err, ERR_MEDIA_TYPE, "Content-Type", "expected charset utf-8");
    return true;
}

static bool check_accept(struct slice accept, bool *has_version, struct err *err)
{
    bool is_other_version = false;
    if (trim(accept).len == 0)
        return true;
    while (accept.len > 0) {
        struct media media = media_of(slice_take_until(&accept, ','));
        if (media.is_refused || (!media.is_json && !media.is_any))
            continue;
        if (media.is_r4) {
            *has_version = media.has_version;
            return true;
        }
        is_other_version = true;
    }
    return err_fail(err, ERR_NOT_ACCEPTABLE, "Accept", "%s",
                    is_other_version ? "replies are of fhirVersion 4.0"
                                     : "replies are application/fhir+json");
}

/* A short name, or a media type. */
static bool check_format(struct slice format, struct err *err)
{
    struct media media = media_of(format);
    /* A '+' that was not percent-encoded arrives as a space. */
    bool is_json = is_same(format, "json") || is_same(format, "application/fhir json") ||
                   media.is_json || media.is_any;
    if (is_json && media.is_r4)
        return true;
    return err_fail(err, ERR_NOT_ACCEPTABLE, "_format", "replies are application/fhir+json");
}

bool fhir_negotiate(const struct http_request *request, enum fhir_body body, struct arena *arena,
                    struct fhir_format *out, struct err *err)
{
    struct fhir_format format = { .is_pretty = false };
    bool has_format = false;
    struct slice query = request->query, name, value;
    if (!check_body(request, body, err))
        return false;
    while (http_query_next(&query, arena, &name, &value)) {
        if (slice_is(name, "_pretty")) {
            format.is_pretty = slice_is(value, "true");
        } else if (slice_is(name, "_format")) {
            has_format = true;
            if (!check_format(value, err))
                return false;
        }
    }
    /* Lines are answered by lines, which every sender of lines can read. */
    if (!has_format && body != FHIR_BODY_LINES &&
        !check_accept(http_header_find(request, "accept"), &format.has_version, err))
        return false;
    *out = format;
    return true;
}
