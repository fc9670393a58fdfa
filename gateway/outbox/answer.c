#include "outbox/answer.h"

#include "base/base64.h"
#include "base/date.h"
#include "base/json.h"

#define ID_MAX 64

/* --- one record ---------------------------------------------------------------------------- */

struct record_reader {
    const struct answer_want *want;
    struct arena *arena;
    struct answer_record record;
    bool type_fits, system_fits, value_fits;
};

static bool is_id_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
           c == '.';
}

/* Ids and versions become part of our URLs and headers, so nothing else than FHIR's own alphabet is
 * taken from a peer. */
static struct slice take_id(struct slice text, struct arena *arena)
{
    for (size_t i = 0; i < text.len; i++)
        if (!is_id_char(text.at[i]))
            return SLICE("");
    return text.len <= ID_MAX ? arena_copy(arena, text) : SLICE("");
}

/* Owned by the server, or different with each sending. */
static bool is_content(struct slice path)
{
    return !slice_is(path, "id") && !slice_is(path, "recorded") && !slice_is(path, "date") &&
           !slice_is(path, "sent") && !slice_starts(path, SLICE("context.period.")) &&
           !slice_starts(path, SLICE("meta.")) && !slice_starts(path, SLICE("text."));
}

/* A sum of digests does not mind the order of keys; positions in arrays are part of each digest. */
static void add_content(struct record_reader *state, const struct json_reader *reader,
                        enum json_kind kind, struct slice text)
{
    struct slice path = json_path(reader);
    uint32_t places[JSON_DEPTH_MAX];
    unsigned count = 0;
    for (size_t i = 0; i + 1 < path.len && count < COUNT_OF(places); i++)
        if (path.at[i] == '[') {
            places[count] = json_index(reader, count);
            count++;
        }
    char word = (char)('0' + kind);
    const struct slice parts[] = {
        path, SLICE("\n"), { (const char *)places, count * sizeof places[0] }, { &word, 1 }, text
    };
    struct sha256 digest = sha256_of(parts, COUNT_OF(parts));
    for (size_t i = 0; i < COUNT_OF(state->record.content.sums); i++) {
        uint64_t word_of_digest;
        memcpy(&word_of_digest, digest.bytes + i * sizeof word_of_digest, sizeof word_of_digest);
        state->record.content.sums[i] += word_of_digest;
    }
}

static bool holds(struct slice text, struct slice mark)
{
    return text.len >= mark.len && memmem(text.at, text.len, mark.at, mark.len) != NULL;
}

/* A server that keeps no identifier keeps the text: as it came, or in base64. */
static bool has_mark(struct record_reader *state, struct slice path, struct slice text)
{
    struct slice mark = state->want->mark, bytes;
    if (mark.len == 0)
        return false;
    if (holds(text, mark))
        return true;
    bool is_data = path.len > 5 && memcmp(path.at + path.len - 5, ".data", 5) == 0;
    return is_data && base64_decode(text, state->arena, &bytes) && holds(bytes, mark);
}

static bool on_record_value(void *ctx, struct json_reader *reader, enum json_kind kind,
                            struct slice text)
{
    struct record_reader *state = ctx;
    struct slice path = json_path(reader);
    struct err ignored;

    if (slice_is(path, "resourceType"))
        state->type_fits = slice_is(text, state->want->type);
    else if (slice_is(path, "id"))
        state->record.id = take_id(text, state->arena);
    else if (slice_is(path, "meta.versionId"))
        state->record.version = take_id(text, state->arena);
    else if (slice_is(path, "meta.lastUpdated") &&
             !instant_parse(text, &state->record.updated_ms, &ignored))
        state->record.updated_ms = 0;
    else if (slice_is(path, "identifier[].system"))
        state->system_fits = slice_eq(text, state->want->system);
    else if (slice_is(path, "identifier[].value"))
        state->value_fits = state->want->value.len > 0 && slice_eq(text, state->want->value);
    if (kind == JSON_STRING && has_mark(state, path, text))
        state->record.is_ours = true;
    if (is_content(path))
        add_content(state, reader, kind, text);
    return true;
}

static bool on_record_open(void *ctx, struct json_reader *reader, enum json_kind kind)
{
    struct record_reader *state = ctx;
    if (kind == JSON_OBJECT && slice_is(json_path(reader), "identifier[]"))
        state->system_fits = state->value_fits = false;
    return true;
}

static bool on_record_close(void *ctx, struct json_reader *reader, enum json_kind kind)
{
    struct record_reader *state = ctx;
    bool is_identifier = kind == JSON_OBJECT && slice_is(json_path(reader), "identifier[]");
    if (is_identifier && state->system_fits && state->value_fits)
        state->record.is_ours = true;
    return true;
}

bool answer_read_record(struct slice body, const struct answer_want *want, struct arena *arena,
                        struct answer_record *out, struct err *err)
{
    static const struct json_events events = { on_record_value, on_record_open, on_record_close };
    struct record_reader state = { .want = want, .arena = arena };
    if (!json_read(body, &(struct json_options){ .root = want->type }, &events, &state, arena, err))
        return false;
    if (!state.type_fits)
        return err_fail(err, ERR_INVALID, want->type, "this is another resource");
    *out = state.record;
    return true;
}

/* --- a search ------------------------------------------------------------------------------ */

struct search_reader {
    struct slice body;
    struct slice resources[OUTBOX_RECORDS_MAX]; /* spans of body */
    unsigned count;
    size_t start;
    bool is_bundle, is_type, has_others, is_next;
    const char *type;
    struct arena *arena;
    struct slice url, next;
};

static bool on_search_value(void *ctx, struct json_reader *reader, enum json_kind kind,
                            struct slice text)
{
    struct search_reader *state = ctx;
    struct slice path = json_path(reader);
    (void)kind;
    if (slice_is(path, "resourceType"))
        state->is_bundle = slice_is(text, "Bundle");
    else if (slice_is(path, "entry[].resource.resourceType"))
        state->is_type = slice_is(text, state->type);
    else if (slice_is(path, "link[].relation"))
        state->is_next = slice_is(text, "next");
    else if (slice_is(path, "link[].url"))
        state->url = arena_copy(state->arena, text);
    return true;
}

static bool on_search_open(void *ctx, struct json_reader *reader, enum json_kind kind)
{
    struct search_reader *state = ctx;
    if (kind == JSON_OBJECT && slice_is(json_path(reader), "entry[].resource")) {
        state->start = json_offset(reader) - 1;
        state->is_type = false;
    } else if (kind == JSON_OBJECT && slice_is(json_path(reader), "link[]")) {
        state->is_next = false;
        state->url = SLICE("");
    }
    return true;
}

/* An OperationOutcome among the entries is advice about the search, not a match. */
static bool on_search_close(void *ctx, struct json_reader *reader, enum json_kind kind)
{
    struct search_reader *state = ctx;
    if (kind == JSON_OBJECT && state->is_next && slice_is(json_path(reader), "link[]"))
        state->next = state->url;
    if (kind != JSON_OBJECT || !slice_is(json_path(reader), "entry[].resource") || !state->is_type)
        return true;
    if (state->count == COUNT_OF(state->resources)) {
        state->has_others = true;
        return true;
    }
    struct slice resource = { state->body.at + state->start, json_offset(reader) - state->start };
    state->resources[state->count++] = resource;
    return true;
}

bool answer_read_search(struct slice body, const struct answer_want *want, struct arena *arena,
                        struct answer_search *out, struct err *err)
{
    static const struct json_events events = { on_search_value, on_search_open, on_search_close };
    struct search_reader state = { .body = body, .type = want->type, .arena = arena };
    if (!json_read(body, &(struct json_options){ .root = "Bundle" }, &events, &state, arena, err))
        return false;
    if (!state.is_bundle)
        return err_fail(err, ERR_INVALID, "Bundle", "this is another resource");
    struct answer_search found = { .count = state.count,
                                   .has_others = state.has_others,
                                   .next = state.next };
    for (unsigned i = 0; i < state.count; i++)
        if (!answer_read_record(state.resources[i], want, arena, &found.records[i], err))
            return false;
    *out = found;
    return true;
}

/* --- who survives a merge ------------------------------------------------------------------ */

struct survivor_reader {
    struct arena *arena;
    struct slice other, survivor;
    bool is_patient, is_replaced;
};

static bool on_survivor_value(void *ctx, struct json_reader *reader, enum json_kind kind,
                              struct slice text)
{
    struct survivor_reader *state = ctx;
    struct slice path = json_path(reader);
    (void)kind;
    if (slice_is(path, "resourceType"))
        state->is_patient = slice_is(text, "Patient");
    else if (slice_is(path, "link[].type"))
        state->is_replaced = slice_is(text, "replaced-by");
    else if (slice_is(path, "link[].other.reference"))
        state->other = arena_copy(state->arena, text);
    return true;
}

static bool on_survivor_open(void *ctx, struct json_reader *reader, enum json_kind kind)
{
    struct survivor_reader *state = ctx;
    if (kind == JSON_OBJECT && slice_is(json_path(reader), "link[]")) {
        state->is_replaced = false;
        state->other = SLICE("");
    }
    return true;
}

static bool on_survivor_close(void *ctx, struct json_reader *reader, enum json_kind kind)
{
    struct survivor_reader *state = ctx;
    bool is_link = kind == JSON_OBJECT && slice_is(json_path(reader), "link[]");
    if (is_link && state->is_replaced && state->survivor.len == 0)
        state->survivor = state->other;
    return true;
}

bool answer_read_survivor(struct slice body, struct arena *arena, struct slice *out)
{
    static const struct json_events events = { on_survivor_value, on_survivor_open,
                                               on_survivor_close };
    struct survivor_reader state = { .arena = arena };
    struct err ignored;
    bool is_read = json_read(body, NULL, &events, &state, arena, &ignored);
    *out = state.survivor;
    return is_read && state.is_patient && state.survivor.len > 0;
}

/* --- what is kept -------------------------------------------------------------------------- */

#define MEMBERS_MAX 64

struct member_reader {
    struct arena *arena;
    struct slice names[MEMBERS_MAX];
    unsigned count;
};

static void add_member(struct member_reader *state, const struct json_reader *reader)
{
    struct slice path = json_path(reader);
    if (path.len == 0 || state->count == MEMBERS_MAX || memchr(path.at, '.', path.len) != NULL ||
        memchr(path.at, '[', path.len) != NULL)
        return;
    state->names[state->count++] = arena_copy(state->arena, path);
}

static bool on_member_value(void *ctx, struct json_reader *reader, enum json_kind kind,
                            struct slice text)
{
    (void)kind;
    (void)text;
    add_member(ctx, reader);
    return true;
}

static bool on_member_open(void *ctx, struct json_reader *reader, enum json_kind kind)
{
    (void)kind;
    add_member(ctx, reader);
    return true;
}

static bool on_member_close(void *ctx, struct json_reader *reader, enum json_kind kind)
{
    (void)ctx;
    (void)reader;
    (void)kind;
    return true;
}

static bool has_member(const struct member_reader *held, struct slice name)
{
    for (unsigned i = 0; i < held->count; i++)
        if (slice_eq(held->names[i], name))
            return true;
    return false;
}

bool answer_missing_members(struct slice sent, struct slice held, struct arena *arena,
                            struct text *out)
{
    static const struct json_events events = { on_member_value, on_member_open, on_member_close };
    struct member_reader ours = { .arena = arena }, theirs = { .arena = arena };
    struct err ignored;
    if (!json_read(sent, NULL, &events, &ours, arena, &ignored) ||
        !json_read(held, NULL, &events, &theirs, arena, &ignored))
        return false;
    for (unsigned i = 0; i < ours.count; i++)
        if (!has_member(&theirs, ours.names[i]))
            text_add(out, "%s%.*s", out->used > 0 ? "," : "", SLICE_ARGS(ours.names[i]));
    return true;
}

/* --- outcomes and headers ------------------------------------------------------------------ */

struct issue_reader {
    bool is_outcome, is_worst, has_worst;
    enum vendor coding_vendor;
    unsigned coding_number;
    struct answer_issue issue, worst;
};

static void take_code(struct answer_issue *issue, struct slice text)
{
    size_t len = 0;
    while (len < text.len && len + 1 < sizeof issue->code &&
           ((text.at[len] >= 'a' && text.at[len] <= 'z') || text.at[len] == '-'))
        len++;
    bool is_code = len == text.len;
    memcpy(issue->code, text.at, is_code ? len : 0);
    issue->code[is_code ? len : 0] = '\0';
}

static unsigned number_of(struct slice text)
{
    unsigned number = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9' || text.len > 8)
            return 0;
        number = number * 10 + (unsigned)(text.at[i] - '0');
    }
    return number;
}

static bool on_issue_value(void *ctx, struct json_reader *reader, enum json_kind kind,
                           struct slice text)
{
    struct issue_reader *state = ctx;
    struct slice path = json_path(reader);
    (void)kind;
    if (slice_is(path, "resourceType"))
        state->is_outcome = slice_is(text, "OperationOutcome");
    else if (slice_is(path, "issue[].code"))
        take_code(&state->issue, text);
    else if (slice_is(path, "issue[].severity"))
        state->is_worst = slice_is(text, "error") || slice_is(text, "fatal");
    else if (slice_is(path, "issue[].details.coding[].system"))
        state->coding_vendor = vendor_of_system(text);
    else if (slice_is(path, "issue[].details.coding[].code"))
        state->coding_number = number_of(text);
    return true;
}

static bool on_issue_open(void *ctx, struct json_reader *reader, enum json_kind kind)
{
    struct issue_reader *state = ctx;
    if (kind == JSON_OBJECT && slice_is(json_path(reader), "issue[]")) {
        state->issue = (struct answer_issue){ .number = 0 };
        state->is_worst = false;
    } else if (kind == JSON_OBJECT && slice_is(json_path(reader), "issue[].details.coding[]")) {
        state->coding_vendor = VENDOR_OTHER;
        state->coding_number = 0;
    }
    return true;
}

/* An issue with a number that means something says more than one without. */
static bool on_issue_close(void *ctx, struct json_reader *reader, enum json_kind kind)
{
    struct issue_reader *state = ctx;
    struct slice path = json_path(reader);
    if (kind == JSON_OBJECT && slice_is(path, "issue[].details.coding[]") &&
        state->coding_vendor != VENDOR_OTHER && state->coding_number > 0) {
        state->issue.vendor = state->coding_vendor;
        state->issue.number = state->coding_number;
    }
    if (kind != JSON_OBJECT || !slice_is(path, "issue[]") || !state->is_worst)
        return true;
    bool is_better = !state->has_worst || (state->worst.number == 0 && state->issue.number > 0);
    if (is_better)
        state->worst = state->issue;
    state->has_worst = true;
    return true;
}

void answer_read_issue(struct slice body, struct arena *arena, struct answer_issue *out)
{
    static const struct json_events events = { on_issue_value, on_issue_open, on_issue_close };
    struct issue_reader state = { .is_outcome = false };
    struct err ignored;
    *out = (struct answer_issue){ .number = 0 };
    if (body.len == 0 || !json_read(body, NULL, &events, &state, arena, &ignored))
        return;
    if (state.is_outcome)
        *out = state.worst;
}

struct slice answer_location_id(struct slice location, const char *type)
{
    size_t type_len = strlen(type);
    struct slice id = SLICE("");
    /* The last "Type/" counts: a base URL may hold the word too. */
    for (size_t i = 0; i + type_len + 1 < location.len; i++) {
        bool starts = i == 0 || location.at[i - 1] == '/';
        if (!starts || memcmp(location.at + i, type, type_len) != 0 ||
            location.at[i + type_len] != '/')
            continue;
        struct slice rest = slice_skip(location, i + type_len + 1);
        size_t len = 0;
        while (len < rest.len && is_id_char(rest.at[len]))
            len++;
        bool ends = len == rest.len || rest.at[len] == '/';
        id = ends && len > 0 && len <= ID_MAX ? (struct slice){ rest.at, len } : SLICE("");
    }
    return id;
}

uint32_t answer_etag_version(struct slice etag)
{
    uint32_t version = 0;
    struct slice rest = slice_starts(etag, SLICE("W/")) ? slice_skip(etag, 2) : etag;
    if (rest.len < 3 || rest.at[0] != '"' || rest.at[rest.len - 1] != '"')
        return 0;
    for (size_t i = 1; i + 1 < rest.len; i++) {
        if (rest.at[i] < '0' || rest.at[i] > '9' || version > 100000000)
            return 0;
        version = version * 10 + (uint32_t)(rest.at[i] - '0');
    }
    return version;
}
