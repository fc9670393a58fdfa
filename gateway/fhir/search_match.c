#include <stdlib.h>

#include "base/date.h"
#include "base/json.h"
#include "fhir/read.h"
#include "fhir/search.h"

/* One pass over the body: each value that stands in a place of a criterion is held against the
 * criterion's alternatives.  Any value may match (FHIR: "at least one of the repetitions"). */

#define PLACES_MAX (FHIR_CRITERIA_MAX * FHIR_SEARCH_PLACES)

/* What has been read of a coding, an identifier, a reference or a period until it closes. */
struct place {
    struct fhir_criterion const *criterion;
    enum fhir_search_shape shape;
    struct slice path;
    struct slice system, code;
    int64_t low_ms, high_ms;
};

struct judge {
    const struct fhir_search_bases *bases;
    struct arena *arena;
    struct place places[PLACES_MAX];
    unsigned place_count;
    bool *has_value, *has_match; /* one per criterion */
    const struct fhir_criterion *first;
};

/* --- alternatives ---------------------------------------------------------------------------- */

static bool token_is(const struct fhir_alternative *wanted, struct slice system, struct slice code)
{
    return (!wanted->has_system || slice_eq(wanted->system, system)) &&
           (!wanted->has_code || slice_eq(wanted->code, code));
}

/* FHIR's comparisons of the range searched for with the range that the resource states. */
static bool date_is(const struct fhir_alternative *wanted, int64_t low_ms, int64_t high_ms)
{
    const int64_t about_ms = INT64_C(86400000);
    bool is_inside = low_ms >= wanted->low_ms && high_ms <= wanted->high_ms;
    switch (wanted->prefix) {
    case PREFIX_EQ:
        return is_inside;
    case PREFIX_NE:
        return !is_inside;
    case PREFIX_GT:
        return high_ms > wanted->high_ms;
    case PREFIX_GE:
        return high_ms > wanted->high_ms || is_inside;
    case PREFIX_LT:
        return low_ms < wanted->low_ms;
    case PREFIX_LE:
        return low_ms < wanted->low_ms || is_inside;
    case PREFIX_SA:
        return low_ms >= wanted->high_ms;
    case PREFIX_EB:
        return high_ms <= wanted->low_ms;
    case PREFIX_AP:
        return low_ms < wanted->high_ms + about_ms && high_ms > wanted->low_ms - about_ms;
    }
    return false;
}

static void saw(struct judge *judge, const struct place *place, bool is_match)
{
    size_t at = (size_t)(place->criterion - judge->first);
    judge->has_value[at] = true;
    judge->has_match[at] |= is_match;
}

static void judge_token(struct judge *judge, const struct place *place, struct slice system,
                        struct slice code)
{
    bool is_match = false;
    for (unsigned i = 0; i < place->criterion->count; i++)
        is_match |= token_is(&place->criterion->alternatives[i], system, code);
    saw(judge, place, is_match);
}

static void judge_date(struct judge *judge, const struct place *place, int64_t low_ms,
                       int64_t high_ms)
{
    bool is_match = false;
    for (unsigned i = 0; i < place->criterion->count; i++)
        is_match |= date_is(&place->criterion->alternatives[i], low_ms, high_ms);
    saw(judge, place, is_match);
}

static void judge_reference(struct judge *judge, const struct place *place, struct slice reference)
{
    struct slice local = fhir_local_reference(reference, judge->bases->urls, judge->bases->count);
    bool is_match = false;
    for (unsigned i = 0; i < place->criterion->count; i++) {
        struct slice wanted = place->criterion->alternatives[i].code;
        struct slice id = local;
        slice_take_until(&id, '/');
        is_match |= slice_eq(wanted, local.len > 0 ? local : reference) || slice_eq(wanted, id);
    }
    saw(judge, place, is_match);
}

/* --- the pass -------------------------------------------------------------------------------- */

/* The path below a place: ".coding[].code"; a NULL slice when it is none. */
static struct slice below(const struct place *place, struct slice path)
{
    bool is_below = slice_starts(path, place->path);
    return is_below ? slice_skip(path, place->path.len) : (struct slice){ NULL, 0 };
}

static void take_value(struct judge *judge, struct place *place, struct slice rest,
                       struct slice text)
{
    struct err unused;
    int64_t low_ms, high_ms;
    bool is_identifier = place->shape == SHAPE_IDENTIFIER;
    bool by_identifier = place->criterion->modifier == MODIFIER_IDENTIFIER;
    switch (place->shape) {
    case SHAPE_CODE:
        if (rest.len == 0)
            judge_token(judge, place, slice_of(place->criterion->row->system), text);
        return;
    case SHAPE_MOMENT:
        if (rest.len == 0 && moment_range(text, &low_ms, &high_ms, &unused))
            judge_date(judge, place, low_ms, high_ms);
        return;
    case SHAPE_PERIOD:
        if (slice_is(rest, ".start") && moment_range(text, &low_ms, &high_ms, &unused))
            place->low_ms = low_ms;
        if (slice_is(rest, ".end") && moment_range(text, &low_ms, &high_ms, &unused))
            place->high_ms = high_ms;
        return;
    case SHAPE_REFERENCE:
        if (slice_is(rest, ".reference") && !by_identifier)
            judge_reference(judge, place, text);
        break;
    case SHAPE_CONCEPT:
    case SHAPE_IDENTIFIER:
    case SHAPE_RESOURCE_ID:
    case SHAPE_UPDATED:
    case SHAPE_NONE:
        break;
    }
    if (slice_is(rest, is_identifier   ? ".system"
                       : by_identifier ? ".identifier.system"
                                       : ".coding[].system"))
        place->system = arena_copy(judge->arena, text);
    if (slice_is(rest, is_identifier   ? ".value"
                       : by_identifier ? ".identifier.value"
                                       : ".coding[].code"))
        place->code = arena_copy(judge->arena, text);
}

static bool on_value(void *ctx, struct json_reader *reader, enum json_kind kind, struct slice text)
{
    struct judge *judge = ctx;
    if (kind != JSON_STRING)
        return true;
    struct slice path = json_path(reader);
    for (unsigned i = 0; i < judge->place_count; i++) {
        struct slice rest = below(&judge->places[i], path);
        if (rest.at != NULL)
            take_value(judge, &judge->places[i], rest, text);
    }
    return true;
}

static void reset(struct place *place)
{
    place->system = place->code = SLICE("");
    place->low_ms = INT64_MIN;
    place->high_ms = INT64_MAX;
}

static bool on_open(void *ctx, struct json_reader *reader, enum json_kind kind)
{
    (void)ctx, (void)reader, (void)kind;
    return true;
}

/* Where the parts of a value are complete. */
static bool closes(const struct place *place, struct slice rest)
{
    switch (place->shape) {
    case SHAPE_CONCEPT:
        return slice_is(rest, ".coding[]");
    case SHAPE_REFERENCE:
        return place->criterion->modifier == MODIFIER_IDENTIFIER && rest.len == 0;
    case SHAPE_IDENTIFIER:
    case SHAPE_PERIOD:
        return rest.len == 0;
    case SHAPE_CODE:
    case SHAPE_MOMENT:
    case SHAPE_RESOURCE_ID:
    case SHAPE_UPDATED:
    case SHAPE_NONE:
        break;
    }
    return false;
}

static bool on_close(void *ctx, struct json_reader *reader, enum json_kind kind)
{
    struct judge *judge = ctx;
    if (kind != JSON_OBJECT)
        return true;
    struct slice path = json_path(reader);
    for (unsigned i = 0; i < judge->place_count; i++) {
        struct place *place = &judge->places[i];
        struct slice rest = below(place, path);
        if (rest.at == NULL || !closes(place, rest))
            continue;
        if (place->shape == SHAPE_PERIOD)
            judge_date(judge, place, place->low_ms, place->high_ms);
        else if (place->code.len > 0 || place->system.len > 0)
            judge_token(judge, place, place->system, place->code);
        reset(place);
    }
    return true;
}

/* --- a candidate ----------------------------------------------------------------------------- */

static void add_places(struct judge *judge, const struct fhir_criterion *criterion,
                       const struct fhir_candidate *candidate)
{
    for (unsigned i = 0; i < FHIR_SEARCH_PLACES; i++) {
        enum fhir_search_shape shape = criterion->row->places[i].shape;
        if (shape == SHAPE_NONE)
            return;
        struct place *place = &judge->places[judge->place_count];
        *place = (struct place){ .criterion = criterion,
                                 .shape = shape,
                                 .path = slice_of(criterion->row->places[i].path) };
        reset(place);
        if (shape == SHAPE_RESOURCE_ID)
            judge_token(judge, place, SLICE(""), candidate->id);
        else if (shape == SHAPE_UPDATED)
            judge_date(judge, place, candidate->updated_ms, candidate->updated_ms + 1);
        else
            judge->place_count++;
    }
}

static bool holds(const struct fhir_criterion *criterion, bool has_value, bool has_match)
{
    switch (criterion->modifier) {
    case MODIFIER_MISSING:
        return has_value != criterion->wants_missing;
    case MODIFIER_NOT:
        return !has_match;
    case MODIFIER_NONE:
    case MODIFIER_IDENTIFIER:
        break;
    }
    return has_match;
}

bool fhir_search_matches(const struct fhir_search *search, const struct fhir_candidate *candidate,
                         const struct fhir_search_bases *bases, struct arena *arena, bool *out,
                         struct err *err)
{
    static const struct json_events events = { on_value, on_open, on_close };
    bool has_value[FHIR_CRITERIA_MAX] = { false }, has_match[FHIR_CRITERIA_MAX] = { false };
    struct judge *judge = ARENA_NEW(arena, struct judge);
    if (judge == NULL)
        return err_fail(err, ERR_TOO_LARGE, "", "the request needs too much memory");
    judge->bases = bases;
    judge->arena = arena;
    judge->first = search->criteria;
    judge->has_value = has_value;
    judge->has_match = has_match;
    for (unsigned i = 0; i < search->criterion_count; i++)
        if (!search->criteria[i].by_patient_identifier) /* the way in saw to it */
            add_places(judge, &search->criteria[i], candidate);
    if (judge->place_count > 0 && !json_read(candidate->body, NULL, &events, judge, arena, err))
        return false;
    *out = true;
    for (unsigned i = 0; i < search->criterion_count; i++)
        *out &= search->criteria[i].by_patient_identifier ||
                holds(&search->criteria[i], has_value[i], has_match[i]);
    return true;
}
