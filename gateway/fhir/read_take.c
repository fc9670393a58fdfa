#include "fhir/read_take.h"

#define MCODE_INTENT "http://hl7.org/fhir/us/mcode/StructureDefinition/mcode-treatment-intent"

static void *member_of_draft(struct draft *draft, const struct path_row *row)
{
    return (char *)draft + row->offset;
}

static void *member_of_event(struct draft *draft, const struct path_row *row)
{
    return (char *)&draft->resource->event + row->offset;
}

/* --- texts, flags, dates --------------------------------------------------------------------- */

bool take_text(struct draft *draft, struct json_reader *json, const struct path_row *row,
               struct slice text)
{
    (void)json;
    *(struct slice *)member_of_draft(draft, row) = draft_keep(draft, text);
    return true;
}

bool take_first_text(struct draft *draft, struct json_reader *json, const struct path_row *row,
                     struct slice text)
{
    const struct slice *kept = member_of_draft(draft, row);
    return kept->len > 0 || take_text(draft, json, row, text);
}

bool take_bool(struct draft *draft, struct json_reader *json, const struct path_row *row,
               struct slice text)
{
    (void)json;
    *(bool *)member_of_event(draft, row) = slice_is(text, "true");
    return true;
}

bool take_false(struct draft *draft, struct json_reader *json, const struct path_row *row,
                struct slice text)
{
    (void)json;
    *(bool *)member_of_event(draft, row) = slice_is(text, "false");
    return true;
}

bool take_present(struct draft *draft, struct json_reader *json, const struct path_row *row,
                  struct slice text)
{
    (void)json, (void)text;
    *(bool *)member_of_event(draft, row) = true;
    return true;
}

/* False when the date is none; the fault is noted then. */
static bool read_date(struct draft *draft, struct json_reader *json, const struct path_row *row,
                      struct slice text, struct date_span *out)
{
    struct err err;
    if (date_parse(text, out, &err))
        return true;
    draft_fault(draft, json, row->types, NULL, err.code, err.what);
    return false;
}

bool take_date(struct draft *draft, struct json_reader *json, const struct path_row *row,
               struct slice text)
{
    struct date_span span;
    if (read_date(draft, json, row, text, &span))
        *(struct date_span *)member_of_event(draft, row) = span;
    return true;
}

bool take_earliest(struct draft *draft, struct json_reader *json, const struct path_row *row,
                   struct slice text)
{
    struct date_span span, *kept = member_of_event(draft, row);
    if (read_date(draft, json, row, text, &span) &&
        (kept->precision == DATE_ABSENT || date_is_before(span.first, kept->first)))
        *kept = span;
    return true;
}

bool take_latest(struct draft *draft, struct json_reader *json, const struct path_row *row,
                 struct slice text)
{
    struct date_span span, *kept = member_of_event(draft, row);
    if (read_date(draft, json, row, text, &span) &&
        (kept->precision == DATE_ABSENT || date_is_before(kept->last, span.last)))
        *kept = span;
    return true;
}

bool take_timing_event(struct draft *draft, struct json_reader *json, const struct path_row *row,
                       struct slice text)
{
    struct event *event = &draft->resource->event;
    struct date_span span;
    if (!read_date(draft, json, row, text, &span))
        return true;
    if (event->first_timing_event.precision == DATE_ABSENT ||
        date_is_before(span.first, event->first_timing_event.first))
        event->first_timing_event = span;
    if (event->last_timing_event.precision == DATE_ABSENT ||
        date_is_before(event->last_timing_event.last, span.last))
        event->last_timing_event = span;
    return true;
}

bool take_deceased(struct draft *draft, struct json_reader *json, const struct path_row *row,
                   struct slice text)
{
    draft->resource->event.is_deceased = true;
    return take_date(draft, json, row, text);
}

/* --- durations ------------------------------------------------------------------------------- */

/* The longest over all dosages. */
bool take_longest(struct draft *draft, struct json_reader *json, const struct path_row *row,
                  struct slice text)
{
    (void)json, (void)text;
    int32_t days =
        fhir_duration_days(draft->quantity_value, draft->quantity_unit, draft->quantity_code);
    int32_t *kept = member_of_event(draft, row);
    if (days > *kept)
        *kept = days;
    draft->quantity_value = draft->quantity_unit = draft->quantity_code = SLICE("");
    return true;
}

bool take_repeat(struct draft *draft, struct json_reader *json, const struct path_row *row,
                 struct slice text)
{
    (void)json, (void)row, (void)text;
    int32_t days = fhir_repeat_days(draft);
    if (days > draft->resource->event.repeat_days)
        draft->resource->event.repeat_days = days;
    int32_t doses = fhir_repeat_doses(draft);
    if (doses > draft->resource->event.doses_per_1000_days)
        draft->resource->event.doses_per_1000_days = doses;
    draft->repeat_count = draft->repeat_frequency = SLICE("");
    draft->repeat_period = draft->repeat_unit = SLICE("");
    draft->repeat_times = 0;
    return true;
}

/* --- codes ----------------------------------------------------------------------------------- */

static void forget_coding(struct draft *draft)
{
    draft->coding_system = draft->coding_code = draft->coding_display = SLICE("");
}

bool take_coding(struct draft *draft, struct json_reader *json, const struct path_row *row,
                 struct slice text)
{
    (void)json, (void)row, (void)text;
    enum code_system system = code_system_of(draft->coding_system);
    struct coding coding = { system, system == CODE_OTHER ? draft->coding_system : SLICE(""),
                             draft->coding_code };
    unsigned at = draft->coding_count;

    if (draft->first_display.len == 0)
        draft->first_display = draft->coding_display;
    forget_coding(draft);
    if (coding.code.len == 0)
        return true; /* a coding without a code may still have told a display */
    if (at == EVENT_CODINGS_MAX) {
        /* A long list: a code that mappings may know takes the place of one they cannot. */
        while (at > 0 && draft->codings[at - 1].system != CODE_OTHER)
            at--;
        if (at-- == 0 || system == CODE_OTHER)
            return true;
    } else {
        draft->coding_count++;
    }
    draft->codings[at] = coding;
    return true;
}

/* At most EVENT_TEXT_MAX bytes, and whole characters. */
struct slice draft_cut_text(struct slice text)
{
    if (text.len <= EVENT_TEXT_MAX)
        return text;
    text.len = EVENT_TEXT_MAX;
    while (text.len > 0 && ((unsigned char)text.at[text.len] & 0xc0) == 0x80)
        text.len--;
    return text;
}

struct concept draft_take_concept(struct draft *draft)
{
    struct concept concept = { .text = draft_cut_text(draft->concept_text.len > 0
                                                          ? draft->concept_text
                                                          : draft->first_display) };
    size_t size = sizeof draft->codings[0] * draft->coding_count;
    struct coding *codings = size > 0 ? arena_alloc_raw(draft->arena, size) : NULL;
    if (codings != NULL) {
        memcpy(codings, draft->codings, size);
        concept.codings = codings;
        concept.count = draft->coding_count;
    }
    draft->coding_count = 0;
    draft->concept_text = draft->first_display = SLICE("");
    return concept;
}

bool take_event_concept(struct draft *draft, struct json_reader *json, const struct path_row *row,
                        struct slice text)
{
    (void)json, (void)text;
    *(struct concept *)member_of_event(draft, row) = draft_take_concept(draft);
    return true;
}

bool take_code(struct draft *draft, struct json_reader *json, const struct path_row *row,
               struct slice text)
{
    (void)json, (void)row, (void)text;
    draft->code = draft_take_concept(draft);
    return true;
}

/* Words of several ingredients are joined: half a combination must not pass for the whole. */
bool take_ingredient(struct draft *draft, struct json_reader *json, const struct path_row *row,
                     struct slice text)
{
    (void)json, (void)row, (void)text;
    struct slice word = draft->concept_text.len > 0 ? draft->concept_text : draft->first_display;
    struct slice before = draft->ingredient_text;
    draft->concept_text = draft->first_display = SLICE("");
    if (word.len == 0 || before.len > EVENT_TEXT_MAX)
        return true;
    draft->ingredient_text = before.len == 0 ? word
                                             : arena_format(draft->arena, "%.*s / %.*s",
                                                            SLICE_ARGS(before), SLICE_ARGS(word));
    return true;
}

bool take_ingredients(struct draft *draft, struct json_reader *json, const struct path_row *row,
                      struct slice text)
{
    (void)json, (void)row, (void)text;
    draft->concept_text = draft->ingredient_text;
    draft->ingredients = draft_take_concept(draft);
    return true;
}

/* mCODE's treatment intent; other extensions are none of our business. */
bool take_extension(struct draft *draft, struct json_reader *json, const struct path_row *row,
                    struct slice text)
{
    (void)json, (void)row, (void)text;
    enum treatment_intent *intent = &draft->resource->event.treatment_intent;
    if (slice_is(draft->extension_url, MCODE_INTENT) && draft->extension_code.len > 0) {
        if (slice_is(draft->extension_code, "373808002"))
            *intent = TREATMENT_CURATIVE;
        else if (slice_is(draft->extension_code, "363676003"))
            *intent = TREATMENT_PALLIATIVE;
        else
            *intent = TREATMENT_OTHER;
    }
    draft->extension_url = draft->extension_code = SLICE("");
    return true;
}

/* --- codes of required bindings -------------------------------------------------------------- */

struct word {
    const char *text;
    int value;
};

static const struct word clinical_words[] = {
    { "active", CLINICAL_ACTIVE },       { "recurrence", CLINICAL_RECURRENCE },
    { "relapse", CLINICAL_RELAPSE },     { "inactive", CLINICAL_INACTIVE },
    { "remission", CLINICAL_REMISSION }, { "resolved", CLINICAL_RESOLVED },
    { "unknown", CLINICAL_UNKNOWN },
};

static const struct word verification_words[] = {
    { "unconfirmed", VERIFICATION_UNCONFIRMED },
    { "provisional", VERIFICATION_PROVISIONAL },
    { "differential", VERIFICATION_DIFFERENTIAL },
    { "confirmed", VERIFICATION_CONFIRMED },
    { "refuted", VERIFICATION_REFUTED },
    { "entered-in-error", VERIFICATION_ENTERED_IN_ERROR },
};

/* The value of the coding at hand, or 0.  An unknown code of the bound system (or of none) is a
 * fault; codes of other systems, data-absent-reason among them, are translations. */
static int bound_value(struct draft *draft, struct json_reader *json, const struct path_row *row,
                       const char *system, const struct word *words, size_t count)
{
    struct slice uri = draft->coding_system, code = draft->coding_code;
    forget_coding(draft);
    if (code.len == 0)
        return 0;
    size_t prefix = strlen("http://terminology.hl7.org/CodeSystem/");
    bool is_bound = uri.len == 0 || slice_is(uri, system) ||
                    (uri.len > 20 && slice_starts(uri, SLICE("http://hl7.org/fhir/")) &&
                     slice_is(slice_skip(uri, 20), system + prefix));
    if (!is_bound)
        return 0;
    for (size_t i = 0; i < count; i++)
        if (slice_is(code, words[i].text))
            return words[i].value;
    draft_fault(draft, json, row->types, "code", ERR_VALUE,
                "the code is not one of its required value set");
    return 0;
}

bool take_clinical_status(struct draft *draft, struct json_reader *json, const struct path_row *row,
                          struct slice text)
{
    (void)text;
    int value =
        bound_value(draft, json, row, "http://terminology.hl7.org/CodeSystem/condition-clinical",
                    clinical_words, COUNT_OF(clinical_words));
    if (value != 0)
        draft->resource->event.clinical_status = (enum clinical_status)value;
    return true;
}

bool take_verification_status(struct draft *draft, struct json_reader *json,
                              const struct path_row *row, struct slice text)
{
    (void)text;
    int value =
        bound_value(draft, json, row, "http://terminology.hl7.org/CodeSystem/condition-ver-status",
                    verification_words, COUNT_OF(verification_words));
    if (value != 0)
        draft->resource->event.verification_status = (enum verification_status)value;
    return true;
}

/* --- identity -------------------------------------------------------------------------------- */

bool take_type(struct draft *draft, struct json_reader *json, const struct path_row *row,
               struct slice text)
{
    (void)json, (void)row;
    draft->resource->type_name = draft_keep(draft, text);
    draft->resource->type = fhir_type_of(text);
    draft->type_bit = TYPE_BIT(draft->resource->type);
    return true;
}

bool take_id(struct draft *draft, struct json_reader *json, const struct path_row *row,
             struct slice text)
{
    if (!fhir_id_is_valid(text))
        return draft_fault(draft, json, row->types, NULL, ERR_VALUE,
                           "expected 1 to 64 letters, digits, '-' or '.'");
    draft->resource->id = draft_keep(draft, text);
    return true;
}

bool take_implicit_rules(struct draft *draft, struct json_reader *json, const struct path_row *row,
                         struct slice text)
{
    (void)text;
    return draft_fault(draft, json, row->types, NULL, ERR_EXTENSION,
                       "implicit rules may change the meaning and are refused");
}

/* "system|value" of the identifier that has just closed; empty without a value. */
struct slice draft_take_identifier(struct draft *draft)
{
    struct slice system = draft->identifier_system, value = draft->identifier_value;
    draft->identifier_system = draft->identifier_value = SLICE("");
    if (value.len == 0)
        return SLICE("");
    char *joined = arena_alloc_raw(draft->arena, system.len + 1 + value.len);
    if (joined == NULL)
        return SLICE("");
    if (system.len > 0)
        memcpy(joined, system.at, system.len);
    joined[system.len] = '|';
    memcpy(joined + system.len + 1, value.at, value.len);
    return (struct slice){ joined, system.len + 1 + value.len };
}

bool take_own_identifier(struct draft *draft, struct json_reader *json, const struct path_row *row,
                         struct slice text)
{
    (void)json, (void)row, (void)text;
    struct fhir_resource *resource = draft->resource;
    struct slice identifier = draft_take_identifier(draft);
    if (identifier.len > 0 && resource->identifier_count < FHIR_IDENTIFIERS_MAX)
        resource->identifiers[resource->identifier_count++] = identifier;
    return true;
}

bool take_subject_identifier(struct draft *draft, struct json_reader *json,
                             const struct path_row *row, struct slice text)
{
    (void)json, (void)row, (void)text;
    draft->resource->subject_identifier = draft_take_identifier(draft);
    return true;
}

bool take_group_identifier(struct draft *draft, struct json_reader *json,
                           const struct path_row *row, struct slice text)
{
    (void)json, (void)row, (void)text;
    draft->resource->event.group_identifier = draft_take_identifier(draft);
    return true;
}

/* --- references ------------------------------------------------------------------------------ */

static bool take_reference_to(struct draft *draft, struct slice *target, struct slice text)
{
    *target = draft_keep(draft, text);
    draft->target = target;
    return true;
}

bool take_subject(struct draft *draft, struct json_reader *json, const struct path_row *row,
                  struct slice text)
{
    (void)json, (void)row;
    return take_reference_to(draft, &draft->resource->subject, text);
}

bool take_event_reference(struct draft *draft, struct json_reader *json, const struct path_row *row,
                          struct slice text)
{
    (void)json;
    return take_reference_to(draft, member_of_event(draft, row), text);
}

bool take_event_reference_once(struct draft *draft, struct json_reader *json,
                               const struct path_row *row, struct slice text)
{
    const struct slice *kept = member_of_event(draft, row);
    return kept->len > 0 || take_event_reference(draft, json, row, text);
}

/* Canonical URLs are never rewritten, and come before a URI. */
bool take_canonical(struct draft *draft, struct json_reader *json, const struct path_row *row,
                    struct slice text)
{
    (void)row;
    if (json_index(json, 0) == 0)
        draft->resource->event.protocol = draft_keep(draft, text);
    return true;
}

bool take_medication_reference(struct draft *draft, struct json_reader *json,
                               const struct path_row *row, struct slice text)
{
    (void)json, (void)row;
    if (text.at[0] == '#') {
        draft->contained_reference = draft_keep(draft, text);
        return true;
    }
    return take_reference_to(draft, &draft->resource->event.medication_reference, text);
}

/* The list is made whole at its first item, so that targets of patches stay valid. */
static bool take_into_list(struct draft *draft, const struct slice **list, unsigned *count,
                           struct slice text)
{
    if (*count == EVENT_REFERENCES_MAX)
        return true;
    if (*count == 0)
        *list = ARENA_ARRAY(draft->arena, struct slice, EVENT_REFERENCES_MAX);
    if (*list == NULL)
        return true; /* the arena has overflowed, which is tested at the end */
    struct slice *target = (struct slice *)(uintptr_t) & (*list)[(*count)++];
    return take_reference_to(draft, target, text);
}

bool take_reason_reference(struct draft *draft, struct json_reader *json,
                           const struct path_row *row, struct slice text)
{
    (void)json, (void)row;
    struct event *event = &draft->resource->event;
    return take_into_list(draft, &event->reason_references, &event->reason_reference_count, text);
}

bool take_based_on(struct draft *draft, struct json_reader *json, const struct path_row *row,
                   struct slice text)
{
    (void)json, (void)row;
    struct event *event = &draft->resource->event;
    return take_into_list(draft, &event->based_on, &event->based_on_count, text);
}

bool take_focus(struct draft *draft, struct json_reader *json, const struct path_row *row,
                struct slice text)
{
    (void)json, (void)row;
    struct event *event = &draft->resource->event;
    return take_into_list(draft, &event->focus, &event->focus_count, text);
}

/* The type of the link may follow: which patient it names is decided at its closing brace. */
bool take_link_other(struct draft *draft, struct json_reader *json, const struct path_row *row,
                     struct slice text)
{
    (void)json, (void)row;
    draft->link_other = draft_keep(draft, text);
    draft->link_patch = draft->resource->patch_count; /* the patch noted next */
    return true;
}

bool take_link(struct draft *draft, struct json_reader *json, const struct path_row *row,
               struct slice text)
{
    (void)json, (void)row, (void)text;
    struct fhir_resource *resource = draft->resource;
    if (slice_is(draft->link_type, "replaced-by") && draft->link_other.len > 0) {
        resource->event.replaced_by = draft->link_other;
        for (unsigned i = 0; i < resource->patch_count; i++) {
            if (resource->patches[i].target == &resource->event.replaced_by)
                resource->patches[i].target = NULL;
            if (i == draft->link_patch)
                resource->patches[i].target = &resource->event.replaced_by;
        }
    }
    draft->link_type = draft->link_other = SLICE("");
    return true;
}
