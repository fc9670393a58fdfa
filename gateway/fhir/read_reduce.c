#include <stdio.h>

#include "fhir/read_int.h"

/* --- codes of required bindings -------------------------------------------------------------- */

static const char *const order_intents[] = {
    [INTENT_ABSENT] = "",
    [INTENT_PROPOSAL] = "proposal",
    [INTENT_PLAN] = "plan",
    [INTENT_ORDER] = "order",
    [INTENT_ORIGINAL_ORDER] = "original-order",
    [INTENT_REFLEX_ORDER] = "reflex-order",
    [INTENT_FILLER_ORDER] = "filler-order",
    [INTENT_INSTANCE_ORDER] = "instance-order",
    [INTENT_OPTION] = "option",
};

static const char *const flag_statuses[] = { "active", "inactive", "entered-in-error" };
static const char *const plan_statuses[] = { "draft",     "active",           "on-hold", "revoked",
                                             "completed", "entered-in-error", "unknown" };
static const char *const plan_intents[] = { "proposal", "plan", "order", "option", "directive" };

/* Place of the code in the list, or -1. */
static int place_of(struct slice code, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (slice_is(code, list[i]))
            return (int)i;
    return -1;
}

static void check_code(struct draft *draft, const struct json_reader *json, const char *element,
                       struct slice code, const char *const *list, size_t count)
{
    if (code.len > 0 && place_of(code, list, count) < 0)
        draft_fault(draft, json, ALL_TYPES, element, ERR_VALUE,
                    "the code is not one of its required value set");
}

/* --- orders ---------------------------------------------------------------------------------- */

static void require(struct draft *draft, const struct json_reader *json, uint32_t bits,
                    const char *element)
{
    if ((draft->has & bits) != 0)
        return;
    char what[96];
    snprintf(what, sizeof what, "%s must have %s", fhir_type_name(draft->resource->type), element);
    draft_fault(draft, json, ALL_TYPES, element, ERR_REQUIRED, what);
}

/* "#m1" may stand before or behind the resource it names. */
static void resolve_contained(struct draft *draft, const struct json_reader *json)
{
    struct slice id = slice_skip(draft->contained_reference, 1);
    const struct contained_medication *found = draft->contained;
    while (found != NULL && !slice_eq(found->id, id))
        found = found->next;
    if (found == NULL) {
        draft_fault(draft, json, ALL_TYPES, "medicationReference.reference", ERR_VALUE,
                    "no contained Medication has this id");
        return;
    }
    draft->resource->event.medication = found->concept;
}

static void reduce_status(struct draft *draft, const struct json_reader *json)
{
    const struct fhir_resource *resource = draft->resource;
    require(draft, json, HAS_STATUS, "status");
    if (draft->status.len > 0 &&
        !fhir_status_of(resource->type, draft->status, &draft->resource->event.status))
        draft_fault(draft, json, ALL_TYPES, "status", ERR_VALUE,
                    "the code is not one of its required value set");
}

static void reduce_drug_use(struct draft *draft, const struct json_reader *json)
{
    reduce_status(draft, json);
    require(draft, json, HAS_MEDICATION_CONCEPT | HAS_MEDICATION_REFERENCE, "medication");
    if (draft->resource->type != FHIR_MEDICATION_DISPENSE) /* R4: a dispense need not name one */
        require(draft, json, HAS_SUBJECT, "subject");
    if ((draft->has & HAS_MEDICATION_CONCEPT) != 0 && (draft->has & HAS_MEDICATION_REFERENCE) != 0)
        draft_fault(draft, json, ALL_TYPES, "medicationReference", ERR_VALUE,
                    "only one of medicationCodeableConcept and medicationReference may be there");
    else if (draft->contained_reference.len > 0)
        resolve_contained(draft, json);
}

static void reduce_order(struct draft *draft, const struct json_reader *json)
{
    struct event *event = &draft->resource->event;
    reduce_drug_use(draft, json);
    require(draft, json, HAS_INTENT, "intent");
    check_code(draft, json, "intent", draft->intent, order_intents, COUNT_OF(order_intents));
    int intent = place_of(draft->intent, order_intents, COUNT_OF(order_intents));
    event->intent = intent > 0 ? (enum order_intent)intent : INTENT_ABSENT;
}

/* --- the others ------------------------------------------------------------------------------ */

static void reduce_condition(struct draft *draft, const struct json_reader *json)
{
    require(draft, json, HAS_SUBJECT, "subject");
    draft->resource->event.code = draft->code;
}

/* A dispense that was not handed over yet is dated by its preparation. */
static void reduce_dispense(struct draft *draft, const struct json_reader *json)
{
    struct event *event = &draft->resource->event;
    reduce_drug_use(draft, json);
    if (event->effective.precision == DATE_ABSENT)
        event->effective = event->recorded;
}

static void reduce_procedure(struct draft *draft, const struct json_reader *json)
{
    reduce_status(draft, json);
    require(draft, json, HAS_SUBJECT, "subject");
    draft->resource->event.code = draft->code;
}

static void reduce_observation(struct draft *draft, const struct json_reader *json)
{
    reduce_status(draft, json);
    require(draft, json, HAS_CODE, "code");
    draft->resource->event.code = draft->code;
}

static bool has_known_system(const struct concept *concept)
{
    for (unsigned i = 0; i < concept->count; i++)
        if (concept->codings[i].system != CODE_OTHER)
            return true;
    return false;
}

/* Both lists of codings, the product's first, as far as they fit. */
static struct concept join_codings(struct draft *draft, struct concept to,
                                   const struct concept *from)
{
    struct coding *codings = ARENA_ARRAY(draft->arena, struct coding, to.count + from->count);
    if (codings == NULL)
        return to; /* the arena has overflowed, which is tested at the end */
    if (to.count > 0)
        memcpy(codings, to.codings, to.count * sizeof codings[0]);
    for (unsigned i = 0; i < from->count && to.count < EVENT_CODINGS_MAX; i++)
        codings[to.count++] = from->codings[i];
    to.codings = codings;
    return to;
}

/* Ingredients speak where the product has no code of its own, and beside one of a system that no
 * mapping knows: "rezeptur", a national product number. */
static void reduce_medication(struct draft *draft)
{
    const struct concept *parts = &draft->ingredients;
    struct concept medication = draft->code;
    bool has_parts = parts->count > 0 || parts->text.len > 0;
    if (has_parts && medication.count == 0 && (parts->count > 0 || medication.text.len == 0)) {
        medication = *parts;
    } else if (has_parts && medication.count > 0 && !has_known_system(&medication)) {
        medication = join_codings(draft, medication, parts);
        if (medication.text.len == 0)
            medication.text = parts->text;
        else if (parts->text.len > 0)
            medication.text = arena_format(draft->arena, "%.*s / %.*s", SLICE_ARGS(medication.text),
                                           SLICE_ARGS(parts->text));
        medication.text = draft_cut_text(medication.text);
    }
    draft->resource->event.medication = medication;
}

void draft_reduce(struct draft *draft, const struct json_reader *json)
{
    struct event *event = &draft->resource->event;
    event->type = draft->resource->type;
    event->id = draft->resource->id;
    switch (draft->resource->type) {
    case FHIR_MEDICATION_REQUEST:
        reduce_order(draft, json);
        break;
    case FHIR_MEDICATION_ADMINISTRATION:
    case FHIR_MEDICATION_STATEMENT:
        reduce_drug_use(draft, json);
        break;
    case FHIR_MEDICATION_DISPENSE:
        reduce_dispense(draft, json);
        break;
    case FHIR_CONDITION:
        reduce_condition(draft, json);
        break;
    case FHIR_MEDICATION:
        reduce_medication(draft);
        break;
    case FHIR_OBSERVATION:
        reduce_observation(draft, json);
        break;
    case FHIR_PROCEDURE:
        reduce_procedure(draft, json);
        break;
    case FHIR_FLAG:
        check_code(draft, json, "status", draft->status, flag_statuses, COUNT_OF(flag_statuses));
        break;
    case FHIR_CARE_PLAN:
        check_code(draft, json, "status", draft->status, plan_statuses, COUNT_OF(plan_statuses));
        check_code(draft, json, "intent", draft->intent, plan_intents, COUNT_OF(plan_intents));
        break;
    case FHIR_NONE:
    case FHIR_PATIENT:
    case FHIR_PROVENANCE:
    case FHIR_AUDIT_EVENT:
    case FHIR_COMMUNICATION:
    case FHIR_DOCUMENT_REFERENCE:
    case FHIR_BUNDLE:
    case FHIR_OPERATION_OUTCOME:
    case FHIR_OPERATION_DEFINITION:
        break;
    }
}
