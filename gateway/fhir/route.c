#include "fhir/route_table.h"

#include <stdio.h>

#include "fhir/search.h"

/* --- the table ------------------------------------------------------------------------------- */

#define KEEPS                                                                                      \
    (DOES(READ) | DOES(VREAD) | DOES(HISTORY) | DOES(HISTORY_TYPE) | DOES(CREATE) | DOES(UPDATE) | \
     DOES(PATCH) | DOES(CONDITIONAL_UPDATE) | DOES(DELETE) | DOES(CONDITIONAL_DELETE) |            \
     DOES(SEARCH) | DOES(OPERATION))

/* clang-format off */
const struct fhir_offer fhir_offers[] = {
    { FHIR_PATIENT, KEEPS,
      "Identity, death and replacement by another Patient are used." },
    { FHIR_MEDICATION_REQUEST, KEEPS,
      "Ordered exposures: the source of the lines of therapy." },
    { FHIR_CONDITION, KEEPS,
      "Diagnosis, relapse and remission: evidence for the lines of therapy." },
    { FHIR_MEDICATION, KEEPS,
      "What MedicationRequests refer to; it may arrive after them." },
    { FHIR_FLAG, KEEPS,
      "Stored and returned, so that a Lifeline can also be the receiver of another one." },
    { FHIR_CARE_PLAN, KEEPS,
      "Stored and returned, so that a Lifeline can also be the receiver of another one." },
    { FHIR_PROVENANCE, KEEPS, "Stored and returned." },
    { FHIR_MEDICATION_ADMINISTRATION, KEEPS,
      "What was given: confirms and ends what was ordered, or stands for itself." },
    { FHIR_MEDICATION_STATEMENT, KEEPS,
      "What the patient is said to take: counts, with less weight than an order." },
    { FHIR_MEDICATION_DISPENSE, KEEPS,
      "What was handed over: belongs to the order it fulfils, or stands for itself." },
    { FHIR_OBSERVATION, KEEPS,
      "State of a cancer (LOINC 97509-4) and HIV viral loads are evidence; others are kept." },
    { FHIR_PROCEDURE, KEEPS,
      "Transplants, cell therapies, dialysis, radiotherapy and surgery are evidence." },
    { FHIR_COMMUNICATION, KEEPS, "Stored and returned." },
    { FHIR_DOCUMENT_REFERENCE, KEEPS, "Stored and returned." },
    { FHIR_OPERATION_DEFINITION, DOES(READ), "What our own operations take and give." },
};
/* clang-format on */
const unsigned fhir_offer_count = COUNT_OF(fhir_offers);

#define T(name) (UINT32_C(1) << FHIR_##name)
#define KEPT                                                                                      \
    (T(PATIENT) | T(MEDICATION_REQUEST) | T(CONDITION) | T(MEDICATION) | T(FLAG) | T(CARE_PLAN) | \
     T(PROVENANCE) | T(MEDICATION_ADMINISTRATION) | T(MEDICATION_STATEMENT) |                     \
     T(MEDICATION_DISPENSE) | T(OBSERVATION) | T(PROCEDURE) | T(COMMUNICATION) |                  \
     T(DOCUMENT_REFERENCE))

/* clang-format off */
const struct fhir_operation fhir_operations[] = {
    { FHIR_LINES_OF_THERAPY, T(PATIENT), false, true, true, NULL,
      "Lines of therapy, verdict and explanation; asOf is the day to look from." },
    { FHIR_EVERYTHING, T(PATIENT), false, true, true,
      "http://hl7.org/fhir/OperationDefinition/Patient-everything",
      "All that is stored of the patient, with the Medications it refers to; _type, _since and _count." },
    { FHIR_VALIDATE, KEPT, true, true, false, "http://hl7.org/fhir/OperationDefinition/Resource-validate",
      "Whether the resource would be taken, with the reason if not; profiles are not judged." },
};
/* clang-format on */
const unsigned fhir_operation_count = COUNT_OF(fhir_operations);

const struct fhir_offer *fhir_offer_of(enum fhir_type type)
{
    for (unsigned i = 0; i < fhir_offer_count; i++)
        if (fhir_offers[i].type == type)
            return &fhir_offers[i];
    return NULL;
}

const char *fhir_interaction_code(enum fhir_interaction interaction)
{
    static const char *const codes[] = {
#define X(name, code) [FHIR_DO_##name] = code,
        FHIR_INTERACTION_TABLE(X)
#undef X
    };
    CHECK((size_t)interaction < COUNT_OF(codes));
    return codes[interaction];
}

bool fhir_type_is_identified(enum fhir_type type)
{
    for (const struct fhir_search_row *row = NULL; (row = fhir_search_next(type, row)) != NULL;)
        if (row->places[0].shape == SHAPE_IDENTIFIER)
            return true;
    return false;
}

/* --- paths ----------------------------------------------------------------------------------- */

/* "/Patient/p1/_history/2" in its parts; a slash at the end is tolerated. */
struct parts {
    struct slice part[4];
    unsigned count;
    bool is_too_long;
};

static struct parts split(struct slice path)
{
    struct parts parts = { .count = 0 };
    if (path.len > 0 && path.at[0] == '/')
        path = slice_skip(path, 1);
    while (path.len > 0) {
        struct slice part = slice_take_until(&path, '/');
        if (parts.count == COUNT_OF(parts.part) || part.len == 0)
            parts.is_too_long = true;
        else
            parts.part[parts.count++] = part;
    }
    return parts;
}

/* What a verb may mean at one place; 0 interactions for the verbs that mean nothing there. */
struct place {
    uint32_t get, post, put, delete, patch;
};

static uint32_t meaning_of(enum http_verb verb, const struct place *place)
{
    switch (verb) {
    case VERB_GET:
    case VERB_HEAD:
        return place->get;
    case VERB_POST:
        return place->post;
    case VERB_PUT:
        return place->put;
    case VERB_DELETE:
        return place->delete;
    case VERB_PATCH:
        return place->patch;
    case VERB_OPTIONS:
    case VERB_OTHER:
        break;
    }
    return 0;
}

/* Which verbs are offered: for OPTIONS and for a refusal. */
static struct slice allow_text(uint32_t offered, const struct place *place, struct arena *arena)
{
    const char *get = (place->get & offered) != 0 ? ", GET, HEAD" : "";
    const char *post = (place->post & offered) != 0 ? ", POST" : "";
    const char *put = (place->put & offered) != 0 ? ", PUT" : "";
    const char *delete = (place->delete &offered) != 0 ? ", DELETE" : "";
    const char *patch = (place->patch & offered) != 0 ? ", PATCH" : "";
    return arena_format(arena, "OPTIONS%s%s%s%s%s", get, post, put, delete, patch);
}

static bool choose(enum http_verb verb, uint32_t offered, const struct place *place,
                   struct arena *arena, struct fhir_route *route, struct slice *allow,
                   struct err *err)
{
    uint32_t chosen = meaning_of(verb, place) & offered;
    if (verb == VERB_OPTIONS || chosen == 0)
        *allow = allow_text(offered, place, arena);
    if (verb == VERB_OPTIONS) {
        route->interaction = FHIR_DO_OPTIONS;
        return true;
    }
    if (chosen == 0) {
        return err_fail(err, ERR_METHOD, "", "this interaction is not offered here: see /metadata");
    }
    route->interaction = (enum fhir_interaction)__builtin_ctz(chosen);
    route->is_head = verb == VERB_HEAD;
    return true;
}

static bool not_found(struct err *err)
{
    return err_fail(err, ERR_NOT_FOUND, "", "there is nothing at this path");
}

/* The base itself, /metadata, the history of everything and the door of messages. */
static bool route_base(enum http_verb verb, const struct parts *parts, struct arena *arena,
                       struct fhir_route *route, struct slice *allow, struct err *err)
{
    static const struct place base = { .post = DOES(BUNDLE) };
    static const struct place history = { .get = DOES(HISTORY_SYSTEM) };
    static const struct place metadata = { .get = DOES(CAPABILITIES) };
    if (parts->count == 0)
        return choose(verb, DOES(BUNDLE), &base, arena, route, allow, err);
    if (parts->count == 1 && slice_is(parts->part[0], "_history"))
        return choose(verb, DOES(HISTORY_SYSTEM), &history, arena, route, allow, err);
    if (parts->count == 1 && slice_is(parts->part[0], "metadata"))
        return choose(verb, DOES(CAPABILITIES), &metadata, arena, route, allow, err);
    if (parts->count == 1 && slice_is(parts->part[0], FHIR_PROCESS_MESSAGE)) {
        route->operation = parts->part[0];
        return choose(verb, DOES(BUNDLE), &base, arena, route, allow, err);
    }
    return not_found(err);
}

/* The last part of the path is an operation's name. */
static bool route_operation(enum http_verb verb, const struct parts *parts,
                            const struct fhir_offer *offer, struct arena *arena,
                            struct fhir_route *route, struct slice *allow, struct err *err)
{
    struct slice name = parts->part[parts->count - 1];
    for (unsigned i = 0; i < fhir_operation_count; i++) {
        const struct fhir_operation *row = &fhir_operations[i];
        bool is_here = parts->count == 2 ? row->on_type : row->on_instance;
        if (!slice_is(name, row->name) || !is_here || (row->types >> offer->type & 1) == 0)
            continue;
        const struct place place = { .get = row->by_get ? DOES(OPERATION) : 0,
                                     .post = DOES(OPERATION) };
        route->operation = name;
        return choose(verb, DOES(OPERATION), &place, arena, route, allow, err);
    }
    return err_fail(err, ERR_NOT_FOUND, "", "this operation is not offered: see /metadata");
}

static bool route_type(enum http_verb verb, const struct parts *parts,
                       const struct fhir_offer *offer, struct arena *arena,
                       struct fhir_route *route, struct slice *allow, struct err *err)
{
    static const struct place type = { .get = DOES(SEARCH),
                                       .post = DOES(CREATE),
                                       .put = DOES(CONDITIONAL_UPDATE),
                                       .delete = DOES(CONDITIONAL_DELETE) };
    static const struct place search = { .post = DOES(SEARCH) };
    static const struct place instance = {
        .get = DOES(READ), .put = DOES(UPDATE), .delete = DOES(DELETE), .patch = DOES(PATCH)
    };
    static const struct place history = { .get = DOES(HISTORY) };
    static const struct place history_of_type = { .get = DOES(HISTORY_TYPE) };
    static const struct place version = { .get = DOES(VREAD) };

    if (parts->count == 1)
        return choose(verb, offer->interactions, &type, arena, route, allow, err);
    if (parts->count == 2 && slice_is(parts->part[1], "_search"))
        return choose(verb, offer->interactions, &search, arena, route, allow, err);
    if (parts->count == 2 && slice_is(parts->part[1], "_history"))
        return choose(verb, offer->interactions, &history_of_type, arena, route, allow, err);
    if (parts->count == 2 && parts->part[1].at[0] == '$')
        return route_operation(verb, parts, offer, arena, route, allow, err);
    if (parts->part[1].at[0] == '$' || parts->part[1].at[0] == '_')
        return not_found(err);
    route->id = parts->part[1];
    if (parts->count == 2)
        return choose(verb, offer->interactions, &instance, arena, route, allow, err);
    if (parts->count == 3 && parts->part[2].at[0] == '$')
        return route_operation(verb, parts, offer, arena, route, allow, err);
    if (parts->count == 3 && slice_is(parts->part[2], "_history"))
        return choose(verb, offer->interactions, &history, arena, route, allow, err);
    if (parts->count == 4 && slice_is(parts->part[2], "_history")) {
        route->version = parts->part[3];
        return choose(verb, offer->interactions, &version, arena, route, allow, err);
    }
    return not_found(err);
}

bool fhir_route(enum http_verb verb, struct slice path, struct slice query, struct arena *arena,
                struct fhir_route *out, struct slice *allow, struct err *err)
{
    struct fhir_route route = { .type = FHIR_NONE };
    struct parts parts = split(path);
    if (parts.is_too_long)
        return not_found(err);
    bool is_base = parts.count == 0 || slice_is(parts.part[0], "metadata") ||
                   slice_is(parts.part[0], "_history") ||
                   slice_is(parts.part[0], FHIR_PROCESS_MESSAGE);
    if (is_base) {
        if (!route_base(verb, &parts, arena, &route, allow, err))
            return false;
        *out = route;
        return true;
    }
    route.type = fhir_type_of(parts.part[0]);
    const struct fhir_offer *offer = fhir_offer_of(route.type);
    if (offer == NULL)
        return err_fail(err, ERR_NOT_FOUND, "", "this resource type is not offered: see /metadata");
    if (!route_type(verb, &parts, offer, arena, &route, allow, err))
        return false;
    bool is_conditional = route.interaction == FHIR_DO_CONDITIONAL_UPDATE ||
                          route.interaction == FHIR_DO_CONDITIONAL_DELETE;
    if (is_conditional && query.len == 0)
        return err_fail(err, ERR_INVALID, "",
                        "PUT and DELETE need an id in the path, or a query that names one "
                        "resource");
    *out = route;
    return true;
}

bool fhir_route_entry(enum http_verb verb, struct slice url, struct arena *arena,
                      struct fhir_route *out, struct slice *query, struct err *err)
{
    struct slice rest = url, allow, path = slice_take_until(&rest, '?');
    if (path.len == 0)
        return err_fail(err, ERR_NOT_FOUND, "request.url", "there is nothing at this path");
    if (!fhir_route(verb, path, rest, arena, out, &allow, err)) {
        snprintf(err->where, sizeof err->where, "request.url");
        return false;
    }
    if (out->interaction == FHIR_DO_CAPABILITIES || out->interaction == FHIR_DO_BUNDLE ||
        out->interaction == FHIR_DO_OPTIONS)
        return err_fail(err, ERR_UNSUPPORTED, "request.url", "not offered inside a Bundle");
    *query = rest;
    return true;
}
