#include "fhir/read_take.h"

#define DIGITS_MAX 18

/* --- decimals -------------------------------------------------------------------------------- */

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* The exponent behind 'e' or 'E'; false when it is beyond anything measured. */
static bool read_exponent(struct slice text, int *out)
{
    bool is_negative = text.len > 0 && text.at[0] == '-';
    if (text.len > 0 && (text.at[0] == '-' || text.at[0] == '+'))
        text = slice_skip(text, 1);
    int value = 0;
    if (text.len == 0 || text.len > 3)
        return false;
    for (size_t i = 0; i < text.len; i++)
        value = value * 10 + (text.at[i] - '0');
    *out = is_negative ? -value : value;
    return true;
}

/* Digits without trailing zeros behind the point: 110.0 and 1.1E+2 are both 110. */
static bool normalise(int64_t *digits, int *scale)
{
    while (*scale > 0 && *digits % 10 == 0) {
        *digits /= 10;
        (*scale)--;
    }
    for (; *scale < 0; (*scale)++) {
        if (*digits > INT64_MAX / 10 || *digits < INT64_MIN / 10)
            return false;
        *digits *= 10;
    }
    return *scale <= DIGITS_MAX;
}

bool fhir_decimal(struct slice text, int64_t *digits, int32_t *scale)
{
    bool is_negative = text.len > 0 && text.at[0] == '-', is_fraction = false;
    int64_t value = 0;
    int places = 0, exponent = 0;
    unsigned count = 0;
    for (size_t i = is_negative; i < text.len; i++) {
        char c = text.at[i];
        if (c == 'e' || c == 'E') {
            if (!read_exponent(slice_skip(text, i + 1), &exponent))
                return false;
            break;
        }
        if (c == '.') {
            is_fraction = true;
            continue;
        }
        if (!is_digit(c) || (value != 0 && ++count >= DIGITS_MAX))
            return false;
        value = value * 10 + (c - '0');
        places += is_fraction;
    }
    places -= exponent;
    if (value == 0)
        places = 0;
    if (!normalise(&value, &places))
        return false;
    *digits = is_negative ? -value : value;
    *scale = places;
    return true;
}

/* --- quantities ------------------------------------------------------------------------------ */

static enum comparator comparator_of(struct slice text)
{
    if (slice_is(text, "<"))
        return COMPARATOR_LESS;
    if (slice_is(text, "<="))
        return COMPARATOR_LESS_OR_EQUAL;
    if (slice_is(text, ">="))
        return COMPARATOR_GREATER_OR_EQUAL;
    return slice_is(text, ">") ? COMPARATOR_GREATER : COMPARATOR_NONE;
}

static struct quantity take_quantity(struct draft *draft)
{
    struct quantity quantity = { .comparator = comparator_of(draft->quantity_comparator),
                                 .unit = draft->quantity_code.len > 0 ? draft->quantity_code
                                                                      : draft->quantity_unit };
    quantity.is_stated = draft->quantity_value.len > 0 &&
                         fhir_decimal(draft->quantity_value, &quantity.digits, &quantity.scale);
    draft->quantity_value = draft->quantity_unit = SLICE("");
    draft->quantity_code = draft->quantity_comparator = SLICE("");
    return quantity.is_stated ? quantity : (struct quantity){ .is_stated = false };
}

bool take_value_quantity(struct draft *draft, struct json_reader *json, const struct path_row *row,
                         struct slice text)
{
    (void)json, (void)row, (void)text;
    draft->resource->event.value = take_quantity(draft);
    return true;
}

bool take_value_integer(struct draft *draft, struct json_reader *json, const struct path_row *row,
                        struct slice text)
{
    draft->quantity_value = draft_keep(draft, text);
    return take_value_quantity(draft, json, row, text);
}

bool take_value_string(struct draft *draft, struct json_reader *json, const struct path_row *row,
                       struct slice text)
{
    (void)json, (void)row;
    draft->concept_text = draft_keep(draft, text);
    draft->resource->event.value_concept = draft_take_concept(draft);
    return true;
}

bool take_dose(struct draft *draft, struct json_reader *json, const struct path_row *row,
               struct slice text)
{
    (void)json, (void)row, (void)text;
    struct quantity dose = take_quantity(draft);
    if (!draft->resource->event.dose.is_stated)
        draft->resource->event.dose = dose;
    return true;
}

/* daysSupply counts days; senders leave its unit out or write any word for it. */
bool take_days_supply(struct draft *draft, struct json_reader *json, const struct path_row *row,
                      struct slice text)
{
    (void)json, (void)row, (void)text;
    if (draft->quantity_code.len == 0)
        draft->quantity_unit = SLICE("d");
    int32_t days =
        fhir_duration_days(draft->quantity_value, draft->quantity_unit, draft->quantity_code);
    take_quantity(draft);
    draft->resource->event.supply_days = days;
    return true;
}

/* --- how often ------------------------------------------------------------------------------- */

bool take_repeat_times(struct draft *draft, struct json_reader *json, const struct path_row *row,
                       struct slice text)
{
    (void)row, (void)text;
    draft->repeat_times = json_members(json);
    return true;
}

bool take_timing_code(struct draft *draft, struct json_reader *json, const struct path_row *row,
                      struct slice text)
{
    (void)json, (void)row, (void)text;
    struct concept code = draft_take_concept(draft);
    int32_t doses = code.text.len > 0 ? fhir_code_doses(code.text) : 0;
    for (unsigned i = 0; i < code.count; i++)
        if (fhir_code_doses(code.codings[i].code) > doses)
            doses = fhir_code_doses(code.codings[i].code);
    if (doses > draft->resource->event.doses_per_1000_days)
        draft->resource->event.doses_per_1000_days = doses;
    return true;
}

/* The first of several keeps its place: what is said first is meant first. */
bool take_first_concept(struct draft *draft, struct json_reader *json, const struct path_row *row,
                        struct slice text)
{
    (void)json, (void)text;
    struct concept *kept = (void *)((char *)&draft->resource->event + row->offset);
    struct concept concept = draft_take_concept(draft);
    if (kept->count == 0 && kept->text.len == 0)
    *kept = concept;
    return true;
}

/* --- statuses -------------------------------------------------------------------------------- */

#define OF(type) TYPE_BIT(FHIR_##type)
#define DRUG_USES \
    (OF(MEDICATION_ADMINISTRATION) | OF(MEDICATION_STATEMENT) | OF(MEDICATION_DISPENSE))
#define DONE (OF(PROCEDURE) | DRUG_USES)
#define ALL (OF(MEDICATION_REQUEST) | OF(OBSERVATION) | DONE)

/* The words of the required bindings of R4, and what each comes to. */
static const struct {
    const char *word;
    uint32_t types;
    enum order_status status;
} status_words[] = {
    { "completed", ALL & ~OF(OBSERVATION), STATUS_COMPLETED },
    { "final", OF(OBSERVATION), STATUS_COMPLETED },
    { "active", OF(MEDICATION_REQUEST) | OF(MEDICATION_STATEMENT), STATUS_ACTIVE },
    { "stopped", ALL & ~OF(OBSERVATION), STATUS_STOPPED },
    { "on-hold", ALL & ~OF(OBSERVATION), STATUS_ON_HOLD },
    { "cancelled", OF(MEDICATION_REQUEST) | OF(MEDICATION_DISPENSE) | OF(OBSERVATION),
      STATUS_CANCELLED },
    { "entered-in-error", ALL, STATUS_ENTERED_IN_ERROR },
    { "draft", OF(MEDICATION_REQUEST), STATUS_DRAFT },
    { "unknown", ALL, STATUS_UNKNOWN },
    { "in-progress", DONE & ~OF(MEDICATION_STATEMENT), STATUS_ACTIVE },
    { "not-done", OF(MEDICATION_ADMINISTRATION) | OF(PROCEDURE), STATUS_NOT_DONE },
    { "preparation", OF(MEDICATION_DISPENSE) | OF(PROCEDURE), STATUS_DRAFT },
    { "declined", OF(MEDICATION_DISPENSE), STATUS_NOT_DONE },
    { "intended", OF(MEDICATION_STATEMENT), STATUS_DRAFT },
    { "not-taken", OF(MEDICATION_STATEMENT), STATUS_NOT_DONE },
    { "registered", OF(OBSERVATION), STATUS_DRAFT },
    { "preliminary", OF(OBSERVATION), STATUS_ACTIVE },
    { "amended", OF(OBSERVATION), STATUS_COMPLETED },
    { "corrected", OF(OBSERVATION), STATUS_COMPLETED },
};

bool fhir_status_of(enum fhir_type type, struct slice word, enum order_status *out)
{
    for (size_t i = 0; i < COUNT_OF(status_words); i++) {
        if ((status_words[i].types & TYPE_BIT(type)) == 0 || !slice_is(word, status_words[i].word))
            continue;
        *out = status_words[i].status;
        return true;
    }
    return false;
}
