/* ingest/cds.c -- CDS Hooks: the cards of a patient, from what is stored, what the call brings
 * along, and the orders that are being written.
 *
 * What      prefetch and drafts are read like any resource, used for this answer and never stored.
 *           A resource that prefetch brings replaces the stored one of its name: the EHR's word of
 *           this moment counts.  Drafts count as orders of today.
 * Rules     checklist K1 to K10; nothing here waits for another server.
 */
#include "base/json.h"
#include "cds/cards.h"
#include "ingest/ingest_int.h"
#include "ingest/merge.h"
#include "therapy/derive.h"

#define CARDS_BYTES_MAX ((size_t)1024 * 1024)

enum cds_door { CDS_DISCOVERY, CDS_CALL, CDS_FEEDBACK };

struct ingest_cds {
    enum cds_door door;
    struct cds_request request;
    struct cds_feedback *feedback;
    unsigned feedback_count;
    struct event *events; /* of prefetch, then of the drafts */
    unsigned event_count, first_draft;
};

/* --- the way in ------------------------------------------------------------------------------ */

/* "/cds-services..." or "/{tenant}/cds-services..."; `rest` is what follows. */
bool cds_path(struct slice path, struct slice *tenant, struct slice *rest)
{
    struct slice at = slice_skip(path, 1), first = slice_take_until(&at, '/');
    *tenant = SLICE("");
    if (!slice_is(first, "cds-services")) {
        *tenant = first;
        first = slice_take_until(&at, '/');
    }
    *rest = at;
    return slice_is(first, "cds-services");
}

static bool find_door(struct ingest_call *call, struct slice rest, struct ingest_cds *cds,
                      struct err *err)
{
    enum http_verb verb = call->request->verb, wanted = VERB_POST;
    if (rest.len == 0) {
        cds->door = CDS_DISCOVERY;
        wanted = VERB_GET;
    } else if (slice_is(rest, CDS_SERVICE_ID)) {
        cds->door = CDS_CALL;
    } else if (slice_is(rest, CDS_SERVICE_ID "/feedback")) {
        cds->door = CDS_FEEDBACK;
    } else {
        return err_fail(err, ERR_NOT_FOUND, "", "there is no such service: see /cds-services");
    }
    if (verb == wanted || (verb == VERB_HEAD && wanted == VERB_GET))
        return true;
    call->work->allow = wanted == VERB_GET ? SLICE("GET, HEAD") : SLICE("POST");
    return err_fail(err, ERR_METHOD, "", "this verb is not served here");
}

/* --- resources of a call --------------------------------------------------------------------- */

static bool is_same_resource(const struct event *a, const struct event *b)
{
    return a->type == b->type && slice_eq(a->id, b->id);
}

/* Of this patient, or of nobody said. */
static bool is_of_patient(const struct ingest_call *call, const struct fhir_resource *resource,
                          struct slice patient)
{
    const struct tenant *tenant = &call->work->tenant->tenant;
    struct slice local =
        fhir_local_reference(resource->subject, tenant->base_urls, tenant->base_url_count);
    struct slice type = slice_take_until(&local, '/');
    if (resource->type == FHIR_PATIENT)
        return slice_eq(resource->id, patient);
    return resource->subject.len == 0 || (slice_is(type, "Patient") && slice_eq(local, patient));
}

static void give_medication(struct ingest_cds *cds, const struct fhir_resource *medication)
{
    for (unsigned i = 0; i < cds->event_count; i++) {
        struct slice id = cds->events[i].medication_reference;
        struct slice type = slice_take_until(&id, '/');
        if (!slice_is(type, "Medication") || !slice_eq(id, medication->id))
            continue;
        cds->events[i].medication = medication->event.medication;
        cds->events[i].medication_resolved = true;
    }
}

static void draft_becomes_order(struct ingest_call *call, struct event *event, unsigned number)
{
    struct date today = call->work->as_of;
    if (event->id.len == 0)
        event->id = arena_format(call->arena, "draft-%u", number);
    event->status = STATUS_ACTIVE;
    if (event->authored_on.precision == DATE_ABSENT)
        event->authored_on = (struct date_span){ today, today, DATE_DAY };
}

/* What cannot be read is left out: a call is answered with what is understood. */
static bool read_resources(struct ingest_call *call, struct ingest_cds *cds,
                           const struct slice *list, unsigned count, bool is_draft, struct err *err)
{
    for (unsigned i = 0; i < count; i++) {
        struct fhir_resource *resource = ARENA_NEW(call->arena, struct fhir_resource);
        struct err fault;
        if (resource == NULL)
            return err_fail(err, ERR_TOO_LARGE, "", "the request needs too much memory");
        if (!fhir_read(list[i], FHIR_NONE, call->arena, resource, &fault) ||
            !fhir_type_is_timeline(resource->type) ||
            !is_of_patient(call, resource, cds->request.patient))
            continue;
        if (is_draft && resource->type != FHIR_MEDICATION_REQUEST)
            continue;
        struct event *event = &cds->events[cds->event_count];
        *event = resource->event;
        event->type = resource->type;
        event->id = resource->id;
        if (is_draft)
            draft_becomes_order(call, event, i + 1);
        if (!localise_event(call, event, err))
            return false;
        cds->event_count++;
    }
    return true;
}

static bool read_medications(struct ingest_call *call, struct ingest_cds *cds,
                             const struct slice *list, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct fhir_resource *resource = ARENA_NEW(call->arena, struct fhir_resource);
        struct err fault;
        if (resource != NULL && fhir_read(list[i], FHIR_MEDICATION, call->arena, resource, &fault))
            give_medication(cds, resource);
    }
    return !arena_overflowed(call->arena);
}

static bool read_call(struct ingest_call *call, struct ingest_cds *cds, struct err *err)
{
    struct cds_request *request = &cds->request;
    if (!cds_request_read(call->request->body, call->arena, request, err))
        return false;
    cds->events =
        ARENA_ARRAY(call->arena, struct event, request->prefetch_count + request->draft_count + 1);
    if (cds->events == NULL)
        return err_fail(err, ERR_TOO_LARGE, "", "the request needs too much memory");
    if (!read_resources(call, cds, request->prefetch, request->prefetch_count, false, err))
        return false;
    cds->first_draft = cds->event_count;
    if (!read_resources(call, cds, request->drafts, request->draft_count, true, err))
        return false;
    return (read_medications(call, cds, request->prefetch, request->prefetch_count) &&
            read_medications(call, cds, request->drafts, request->draft_count)) ||
           err_fail(err, ERR_TOO_LARGE, "", "the request needs too much memory");
}

bool cds_prepare(struct ingest_call *call, struct slice tenant, struct slice rest, struct err *err)
{
    struct ingest_work *work = call->work;
    struct ingest_cds *cds = ARENA_NEW(call->arena, struct ingest_cds);
    struct ingest_op *op = ARENA_NEW(call->arena, struct ingest_op);
    if (cds == NULL || op == NULL)
        return err_fail(err, ERR_TOO_LARGE, "", "the request needs too much memory");
    if (!find_caller(call, tenant, err) || !find_door(call, rest, cds, err))
        return false;
    if (cds->door == CDS_CALL && !read_call(call, cds, err))
        return false;
    if (cds->door == CDS_FEEDBACK && !cds_feedback_read(call->request->body, call->arena,
                                                        &cds->feedback, &cds->feedback_count, err))
        return false;
    op->route = (struct fhir_route){ .interaction = FHIR_DO_OPERATION, .type = FHIR_PATIENT };
    op->answer.status = 200;
    if (cds->door == CDS_CALL) {
        op->action = "read";
        op->answer_id = cds->request.patient;
    }
    work->route = op->route;
    work->is_routed = true;
    work->ops = op;
    work->op_count = 1;
    work->cds = cds;
    return true;
}

/* --- on the lane ----------------------------------------------------------------------------- */

/* Stored events that prefetch does not replace, then prefetch, then `drafts` of the drafts. */
static bool derive(struct ingest_call *call, struct patient_set *set, const struct event *stored,
                   size_t stored_count, unsigned used, struct therapy **out, struct err *err)
{
    const struct ingest_cds *cds = call->work->cds;
    const struct mapping *mapping = call->ingest->settings.mapping;
    struct event *events = arena_alloc_raw(set->arena, sizeof *events * (stored_count + used + 1));
    struct therapy *therapy = ARENA_NEW(set->arena, struct therapy);
    size_t count = 0;
    if (events == NULL || therapy == NULL)
        return err_fail(err, ERR_TOO_LARGE, "", "the request needs too much memory");
    for (size_t i = 0; i < stored_count; i++) {
        bool is_replaced = false;
        for (unsigned k = 0; k < used && !is_replaced; k++)
            is_replaced = is_same_resource(&stored[i], &cds->events[k]);
        if (!is_replaced)
            events[count++] = stored[i];
    }
    for (unsigned k = 0; k < used; k++) {
        events[count] = cds->events[k];
        mapping_resolve(mapping, &events[count++], set->arena);
    }
    *out = therapy;
    return therapy_derive(mapping_rules(mapping), events, count, call->work->as_of, set->arena,
                          therapy, err);
}

static bool put_cards(struct ingest_call *call, const struct therapy *now,
                      const struct therapy *with_drafts, struct err *err)
{
    struct ingest *ingest = call->ingest;
    const struct cds_card_settings settings = {
        .grade_min = ingest->settings.grade_min,
        .rule_set = mapping_digest(ingest->settings.mapping),
    };
    struct buffer text;
    buffer_init(&text, CARDS_BYTES_MAX);
    cds_write_cards(&settings, &call->work->cds->request, now, with_drafts, &text);
    call->work->ops->answer.resource = arena_copy(call->arena, buffer_slice(&text));
    bool is_whole = !buffer_overflowed(&text) && !arena_overflowed(call->arena);
    buffer_fini(&text);
    return is_whole || err_fail(err, ERR_TOO_COSTLY, "", "the answer is too large");
}

static bool run_cards(struct ingest_call *call, struct patient_set *set, struct err *err)
{
    struct ingest_cds *cds = call->work->cds;
    struct patient_work *patient;
    struct therapy *now, *with_drafts = NULL;
    struct event *stored = NULL;
    size_t stored_count = 0;
    struct slice name = arena_format(call->arena, "Patient/%.*s", SLICE_ARGS(cds->request.patient));
    if (!patient_touch(set, name, false, &patient, err))
        return false;
    if (patient == NULL && !cds->request.has_prefetch)
        return op_refuse(call->work->ops, ERR_PRECONDITION, "prefetch",
                         "nothing is stored of this patient: send the prefetch that "
                         "/cds-services asks for");
    const struct merge_from from = { set, set->tx, set->arena };
    struct merged merged;
    if (patient != NULL &&
        (!merge_gather(&from, name, &patient->state, &merged, err) ||
         !merge_events(call->ingest, &merged, set->arena, &stored, &stored_count, err)))
        return false;
    if (!derive(call, set, stored, stored_count, cds->first_draft, &now, err))
        return false;
    if (cds->event_count > cds->first_draft &&
        !derive(call, set, stored, stored_count, cds->event_count, &with_drafts, err))
        return false;
    return put_cards(call, now, with_drafts, err);
}

/* What was said of a card is in the audit log: who, which card, what, when; never the comment. */
static void note_feedback(const struct ingest_cds *cds, struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out, false);
    json_object(&writer);
    json_key(&writer, "feedback");
    json_array(&writer);
    for (unsigned i = 0; i < cds->feedback_count; i++) {
        const struct cds_feedback *one = &cds->feedback[i];
        json_object(&writer);
        json_put(&writer, "card", one->card);
        json_put_text(&writer, "outcome", one->outcome == CDS_ACCEPTED ? "accepted" : "overridden");
        if (one->reason.len > 0)
            json_put(&writer, "reason", one->reason);
        json_put_bool(&writer, "hasComment", one->has_comment);
        json_put_integer(&writer, "suggestions", one->suggestion_count);
        json_put(&writer, "time", one->time);
        json_object_end(&writer);
    }
    json_array_end(&writer);
    json_object_end(&writer);
}

bool cds_run(struct ingest_call *call, struct patient_set *set, struct err *err)
{
    struct ingest_cds *cds = call->work->cds;
    struct buffer text;
    switch (cds->door) {
    case CDS_CALL:
        return run_cards(call, set, err);
    case CDS_FEEDBACK:
        note_feedback(cds, set->detail);
        return true;
    case CDS_DISCOVERY:
        break;
    }
    buffer_init(&text, CARDS_BYTES_MAX);
    cds_write_services(&text);
    call->work->ops->answer.resource = arena_copy(call->arena, buffer_slice(&text));
    buffer_fini(&text);
    return !arena_overflowed(call->arena) ||
           err_fail(err, ERR_TOO_LARGE, "", "the request needs too much memory");
}
