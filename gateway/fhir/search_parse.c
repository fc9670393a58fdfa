#include <stdio.h>
#include <stdlib.h>

#include "base/date.h"
#include "fhir/read.h"
#include "fhir/search.h"
#include "http/message.h"

struct parser {
    struct fhir_search *out;
    const struct fhir_search_bases *bases;
    struct arena *arena;
    bool is_strict;
    struct err *err;
    char *used; /* as long as the query */
    size_t used_len;
};

static bool invalid(struct parser *parser, const char *name, const char *what)
{
    return err_fail(parser->err, ERR_INVALID, name, "%s", what);
}

static bool out_of_memory(struct parser *parser)
{
    return err_fail(parser->err, ERR_TOO_LARGE, "", "the request needs too much memory");
}

/* --- values ---------------------------------------------------------------------------------- */

/* Up to the next `stop` that no backslash protects. */
static struct slice take_part(struct slice *rest, char stop)
{
    size_t at = 0;
    while (at < rest->len && rest->at[at] != stop)
        at += rest->at[at] == '\\' && at + 1 < rest->len ? 2 : 1;
    struct slice part = { rest->at, at };
    *rest = slice_skip(*rest, at + 1);
    return part;
}

static struct slice unescape(struct slice text, struct arena *arena)
{
    if (text.len == 0 || memchr(text.at, '\\', text.len) == NULL)
        return text;
    char *copy = arena_alloc_raw(arena, text.len);
    size_t len = 0;
    for (size_t i = 0; copy != NULL && i < text.len; i++) {
        if (text.at[i] == '\\' && i + 1 < text.len)
            i++;
        copy[len++] = text.at[i];
    }
    return copy != NULL ? (struct slice){ copy, len } : SLICE("");
}

/* "code", "system|code", "|code" and "system|". */
static void read_token(struct parser *parser, struct slice text, struct fhir_alternative *out)
{
    struct slice rest = text, first = take_part(&rest, '|');
    if (first.len < text.len) {
        out->has_system = true;
        out->system = unescape(first, parser->arena);
        out->code = unescape(rest, parser->arena);
        out->has_code = rest.len > 0;
        return;
    }
    out->code = unescape(first, parser->arena);
    out->has_code = true;
}

/* "p1", "Patient/p1" and "https://ehr.example/fhir/Patient/p1" are one. */
static void read_reference(struct parser *parser, struct slice text, const char *type,
                           struct fhir_alternative *out)
{
    struct slice value = unescape(text, parser->arena);
    struct slice local = fhir_local_reference(value, parser->bases->urls, parser->bases->count);
    out->has_code = true;
    out->code = local.len > 0 ? local : value;
    if (type[0] != '\0' && memchr(value.at, '/', value.len) == NULL)
        out->code = arena_format(parser->arena, "%s/%.*s", type, SLICE_ARGS(value));
}

static bool read_date(struct parser *parser, const char *name, struct slice text,
                      struct fhir_alternative *out)
{
    static const char prefixes[][3] = {
        [PREFIX_EQ] = "eq", [PREFIX_NE] = "ne", [PREFIX_GT] = "gt",
        [PREFIX_GE] = "ge", [PREFIX_LT] = "lt", [PREFIX_LE] = "le",
        [PREFIX_SA] = "sa", [PREFIX_EB] = "eb", [PREFIX_AP] = "ap"
    };
    struct err unused;
    out->prefix = PREFIX_EQ;
    for (unsigned i = 0; i < COUNT_OF(prefixes); i++)
        if (slice_starts(text, slice_of(prefixes[i]))) {
            out->prefix = (enum fhir_prefix)i;
            text = slice_skip(text, 2);
            break;
        }
    return moment_range(text, &out->low_ms, &out->high_ms, &unused) ||
           invalid(parser, name, "expected a date, with or without a prefix such as ge");
}

/* --- criteria -------------------------------------------------------------------------------- */

static bool read_modifier(struct parser *parser, const char *name, struct slice modifier,
                          struct fhir_criterion *out, const char **type)
{
    enum fhir_search_kind kind = out->row->kind;
    if (modifier.len == 0)
        return true;
    if (slice_is(modifier, "missing"))
        out->modifier = MODIFIER_MISSING;
    else if (slice_is(modifier, "not") && kind == SEARCH_TOKEN)
        out->modifier = MODIFIER_NOT;
    else if (slice_is(modifier, "identifier") && kind == SEARCH_REFERENCE)
        out->modifier = MODIFIER_IDENTIFIER;
    else if (kind == SEARCH_REFERENCE && fhir_type_of(modifier) != FHIR_NONE)
        *type = fhir_type_name(fhir_type_of(modifier));
    else
        return err_fail(parser->err, ERR_INVALID, name, "this modifier is not offered here");
    return true;
}

static bool read_alternative(struct parser *parser, const char *name, const char *type,
                             struct slice text, struct fhir_criterion *out)
{
    struct fhir_alternative *alternative = &out->alternatives[out->count];
    if (text.len == 0)
        return invalid(parser, name, "the parameter has no value");
    if (out->count == FHIR_ALTERNATIVES_MAX)
        return invalid(parser, name, "too many values");
    out->count++;
    if (out->row->kind == SEARCH_DATE)
        return read_date(parser, name, text, alternative);
    if (out->row->kind == SEARCH_REFERENCE && out->modifier != MODIFIER_IDENTIFIER)
        read_reference(parser, text, type, alternative);
    else
        read_token(parser, text, alternative);
    return true;
}

static bool add_criterion(struct parser *parser, const struct fhir_search_row *row,
                          struct slice modifier, struct slice value)
{
    struct fhir_search *search = parser->out;
    const char *type =
        row->kind == SEARCH_REFERENCE && strcmp(row->name, "patient") == 0 ? "Patient" : "";
    if (search->criterion_count == FHIR_CRITERIA_MAX)
        return invalid(parser, row->name, "too many parameters");
    struct fhir_criterion *out = &search->criteria[search->criterion_count++];
    *out = (struct fhir_criterion){ .row = row };
    out->alternatives = ARENA_ARRAY(parser->arena, struct fhir_alternative, FHIR_ALTERNATIVES_MAX);
    if (out->alternatives == NULL)
        return out_of_memory(parser);
    if (!read_modifier(parser, row->name, modifier, out, &type))
        return false;
    if (out->modifier == MODIFIER_MISSING) {
        out->wants_missing = slice_is(value, "true");
        return out->wants_missing || slice_is(value, "false") ||
               invalid(parser, row->name, "expected true or false");
    }
    do
        if (!read_alternative(parser, row->name, type, take_part(&value, ','), out))
            return false;
    while (value.len > 0);
    return true;
}

/* The one chain: patient.identifier, also patient:Patient.identifier and of subject. */
static bool is_patient_chain(struct slice name)
{
    static const char *const chains[] = { "patient.identifier", "patient:Patient.identifier",
                                          "subject.identifier", "subject:Patient.identifier" };
    for (unsigned i = 0; i < COUNT_OF(chains); i++)
        if (slice_is(name, chains[i]))
            return true;
    return false;
}

static bool read_criterion(struct parser *parser, struct slice name, struct slice value,
                           bool *is_known)
{
    struct slice modifier = name, plain = slice_take_until(&modifier, ':');
    bool is_chain = is_patient_chain(name);
    if (is_chain) {
        plain = SLICE("patient");
        modifier = SLICE("identifier");
    }
    for (const struct fhir_search_row *row = NULL;
         (row = fhir_search_next(parser->out->type, row)) != NULL;) {
        if (!slice_is(plain, row->name))
            continue;
        *is_known = true;
        if (!add_criterion(parser, row, modifier, value))
            return false;
        parser->out->criteria[parser->out->criterion_count - 1].by_patient_identifier = is_chain;
        return true;
    }
    return true;
}

/* --- what shapes the answer ------------------------------------------------------------------ */

static bool read_count(struct parser *parser, struct slice value)
{
    unsigned count = 0;
    if (value.len == 0 || value.len > 9)
        return invalid(parser, "_count", "expected a number");
    for (size_t i = 0; i < value.len; i++) {
        if (value.at[i] < '0' || value.at[i] > '9')
            return invalid(parser, "_count", "expected a number");
        count = count * 10 + (unsigned)(value.at[i] - '0');
    }
    parser->out->count = count < FHIR_COUNT_MAX ? count : FHIR_COUNT_MAX;
    parser->out->has_count = true;
    return true;
}

static bool read_page(struct parser *parser, struct slice value)
{
    char text[40];
    char *end;
    struct fhir_search *out = parser->out;
    if (value.len >= sizeof text)
        return invalid(parser, "_page", "this is not a page of ours");
    memcpy(text, value.at, value.len);
    text[value.len] = '\0';
    out->after = strtoll(text, &end, 16);
    out->until = *end == '-' ? strtoll(end + 1, &end, 16) : 0;
    return (*end == '\0' && out->after >= 0 && out->until > 0) ||
           invalid(parser, "_page", "this is not a page of ours");
}

struct slice fhir_search_page_format(int64_t after, int64_t until, struct arena *arena)
{
    return arena_format(arena, "%llx-%llx", (unsigned long long)after, (unsigned long long)until);
}

static bool read_include(struct parser *parser, struct slice name, struct slice value,
                         bool *is_known)
{
    struct fhir_search *out = parser->out;
    if (slice_is(name, "_include") && out->type == FHIR_MEDICATION_REQUEST &&
        slice_is(value, "MedicationRequest:medication"))
        out->include_medication = *is_known = true;
    return true;
}

static bool read_shape(struct parser *parser, struct slice name, struct slice value, bool *is_known,
                       bool *is_page)
{
    *is_known = true;
    *is_page = slice_is(name, "_page");
    if (*is_page)
        return read_page(parser, value);
    if (slice_is(name, "_count"))
        return read_count(parser, value);
    if (slice_is(name, "_total")) {
        parser->out->wants_total = slice_is(value, "accurate");
        return parser->out->wants_total || slice_is(value, "none") || slice_is(value, "estimate") ||
               invalid(parser, "_total", "expected none, estimate or accurate");
    }
    if (slice_is(name, "_format") || slice_is(name, "_pretty") || slice_is(name, "_summary") ||
        slice_is(name, "_elements"))
        return true; /* the reply's affair */
    *is_known = false;
    return read_include(parser, name, value, is_known);
}

/* --- the query ------------------------------------------------------------------------------- */

/* Byte for byte: a posted form may hold anything. */
static void keep_used(struct parser *parser, struct slice raw)
{
    if (parser->used_len > 0)
        parser->used[parser->used_len++] = '&';
    memcpy(parser->used + parser->used_len, raw.at, raw.len);
    parser->used_len += raw.len;
}

static bool read_parameter(struct parser *parser, struct slice raw)
{
    struct slice one = raw, name, value;
    bool is_known = false, is_page = false;
    if (!http_query_next(&one, parser->arena, &name, &value))
        return true;
    if (!read_shape(parser, name, value, &is_known, &is_page))
        return false;
    if (!is_known && !read_criterion(parser, name, value, &is_known))
        return false;
    if (is_known) {
        if (!is_page)
            keep_used(parser, raw);
        return true;
    }
    if (parser->is_strict)
        return err_fail(parser->err, ERR_UNSUPPORTED, "",
                        "a search parameter is not offered for this type: see /metadata");
    if (parser->out->ignored.len == 0)
        parser->out->ignored = name;
    return true;
}

bool fhir_search_parse(enum fhir_type type, struct slice query, bool is_strict,
                       const struct fhir_search_bases *bases, struct arena *arena,
                       struct fhir_search *out, struct err *err)
{
    struct parser parser = { .out = out,
                             .bases = bases,
                             .arena = arena,
                             .is_strict = is_strict,
                             .err = err,
                             .used = arena_alloc_raw(arena, query.len + 1) };
    *out = (struct fhir_search){ .type = type, .count = FHIR_COUNT_DEFAULT };
    if (parser.used == NULL)
        return out_of_memory(&parser);
    while (query.len > 0)
        if (!read_parameter(&parser, slice_take_until(&query, '&')))
            return false;
    out->used = (struct slice){ parser.used, parser.used_len };
    return !arena_overflowed(arena) || out_of_memory(&parser);
}

/* --- the way in ------------------------------------------------------------------------------ */

static bool leads(const struct fhir_criterion *criterion, enum fhir_search_shape shape)
{
    return criterion->row->places[0].shape == shape && criterion->modifier == MODIFIER_NONE;
}

/* Identifiers are indexed with their system: "value" alone finds nothing there. */
static bool is_whole_identifier(const struct fhir_criterion *criterion)
{
    for (unsigned i = 0; i < criterion->count; i++)
        if (!criterion->alternatives[i].has_code || !criterion->alternatives[i].has_system)
            return false;
    return leads(criterion, SHAPE_IDENTIFIER);
}

static bool is_of_patient(const struct fhir_criterion *criterion)
{
    bool is_subject = criterion->row->kind == SEARCH_REFERENCE &&
                      strcmp(criterion->row->places[0].path, "subject") == 0;
    return is_subject && (criterion->modifier == MODIFIER_NONE || criterion->by_patient_identifier);
}

enum fhir_anchor fhir_search_anchor(const struct fhir_search *search,
                                    const struct fhir_criterion **criterion)
{
    enum fhir_anchor best = ANCHOR_NONE;
    *criterion = NULL;
    for (unsigned i = 0; i < search->criterion_count; i++) {
        const struct fhir_criterion *at = &search->criteria[i];
        enum fhir_anchor anchor = leads(at, SHAPE_RESOURCE_ID) ? ANCHOR_ID
                                  : is_whole_identifier(at)    ? ANCHOR_IDENTIFIER
                                  : is_of_patient(at)          ? ANCHOR_PATIENT
                                                               : ANCHOR_NONE;
        if (anchor == ANCHOR_NONE || (best != ANCHOR_NONE && anchor >= best))
            continue;
        best = anchor;
        *criterion = at;
    }
    return best;
}
