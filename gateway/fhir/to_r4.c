#include "fhir/to_r4.h"

#include "base/buffer.h"
#include "base/json_text.h"

#define GROWTH 4096 /* what the other form may need on top of the text's own length */

#define CLINICAL "http://terminology.hl7.org/CodeSystem/condition-clinical"
#define VERIFICATION "http://terminology.hl7.org/CodeSystem/condition-ver-status"

enum how {
    NEW_NAME,     /* the same value under another key */
    NEW_TYPE,     /* a resourceType that R4 calls otherwise */
    WORD,         /* a code that R4 has in a CodeableConcept; `also` is its system */
    LIST,         /* a single value where R4 has a list */
    CHOICE,       /* R5's CodeableReference: its concept under `to`, its reference under `also` */
    CHOICES,      /* a list of them: two lists */
    ITEM_CHOICES, /* a list of objects whose member `item` is one */
};

#define DRUG_USES \
    "MedicationRequest MedicationAdministration MedicationStatement MedicationDispense"
#define REASONED DRUG_USES " Procedure"

/* `types` are the names that the resource itself states. */
static const struct change {
    const char *types, *from;
    enum how how;
    const char *to, *also;
} changes[] = {
    { "MedicationOrder", "resourceType", NEW_TYPE, "MedicationRequest", NULL },
    { "MedicationOrder", "dateWritten", NEW_NAME, "authoredOn", NULL },
    { "MedicationOrder", "reasonEnded", NEW_NAME, "statusReason", NULL },
    { "MedicationOrder Procedure", "reasonCodeableConcept", LIST, "reasonCode", NULL },
    { "MedicationOrder " REASONED, "reasonReference", LIST, "reasonReference", NULL },
    { "MedicationOrder Condition " DRUG_USES, "patient", NEW_NAME, "subject", NULL },
    { "Condition", "clinicalStatus", WORD, "clinicalStatus", CLINICAL },
    { "Condition", "verificationStatus", WORD, "verificationStatus", VERIFICATION },
    { "Condition", "assertedDate", NEW_NAME, "recordedDate", NULL },
    { "Condition", "dateRecorded", NEW_NAME, "recordedDate", NULL },
    { "MedicationAdministration", "effectiveTimeDateTime", NEW_NAME, "effectiveDateTime", NULL },
    { "MedicationAdministration", "effectiveTimePeriod", NEW_NAME, "effectivePeriod", NULL },
    { DRUG_USES, "medication", CHOICE, "medicationCodeableConcept", "medicationReference" },
    { REASONED, "reason", CHOICES, "reasonCode", "reasonReference" },
    { "MedicationRequest", "reported", NEW_NAME, "reportedBoolean", NULL },
    /* R5 spells these two with one r. */
    { "MedicationAdministration", "occurenceDateTime", NEW_NAME, "effectiveDateTime", NULL },
    { "MedicationAdministration", "occurencePeriod", NEW_NAME, "effectivePeriod", NULL },
    { "Procedure", "occurrenceDateTime", NEW_NAME, "performedDateTime", NULL },
    { "Procedure", "occurrencePeriod", NEW_NAME, "performedPeriod", NULL },
    { "Medication", "ingredient", ITEM_CHOICES, "itemCodeableConcept", "itemReference" },
};

/* --- glances --------------------------------------------------------------------------------- */

static bool begins(struct slice raw, char c) { return raw.len > 0 && raw.at[0] == c; }

static bool has_word(const char *words, struct slice word)
{
    struct slice rest = slice_of(words);
    while (rest.len > 0)
        if (slice_eq(slice_take_until(&rest, ' '), word))
            return true;
    return false;
}

static const struct change *change_of(struct slice type, struct slice key)
{
    for (size_t i = 0; i < COUNT_OF(changes); i++)
        if (json_key_is(key, changes[i].from) && has_word(changes[i].types, type))
            return &changes[i];
    return NULL;
}

/* --- writing --------------------------------------------------------------------------------- */

struct rewriting {
    struct slice type;
    struct buffer out;
    bool is_changed, has_member;
};

static void put(struct rewriting *to, const char *text) { buffer_add(&to->out, slice_of(text)); }

static void put_key(struct rewriting *to, const char *key)
{
    put(to, to->has_member ? ",\"" : "\"");
    put(to, key);
    put(to, "\":");
    to->has_member = true;
}

static void put_as_it_is(struct rewriting *to, const struct json_member *member)
{
    put(to, to->has_member ? ",\"" : "\"");
    buffer_add(&to->out, member->key);
    put(to, "\":");
    buffer_add(&to->out, member->value);
    to->has_member = true;
}

static void put_named(struct rewriting *to, const char *key, struct slice value)
{
    if (value.at == NULL)
        return;
    put_key(to, key);
    buffer_add(&to->out, value);
}

/* R4 has no "unknown" among the words of a verification: then nothing is said. */
static void put_word(struct rewriting *to, const struct change *change, struct slice word)
{
    if (slice_is(word, "\"unknown\""))
        return;
    put_key(to, change->to);
    put(to, "{\"coding\":[{\"system\":\"");
    put(to, change->also);
    put(to, "\",\"code\":");
    buffer_add(&to->out, word);
    put(to, "}]}");
}

/* The members `part` of the objects in a raw array, as an array; nothing when there is none. */
static void put_parts(struct rewriting *to, const char *key, struct slice array, const char *part)
{
    struct json_cursor cursor = { .text = array };
    struct slice item;
    bool is_begun = false;
    if (!json_take(&cursor, '['))
        return;
    while (json_next_item(&cursor, &item)) {
        struct slice value = json_find_member(item, part);
        if (value.at == NULL)
            continue;
        if (is_begun)
            put(to, ",");
        else
            put_key(to, key), put(to, "[");
        is_begun = true;
        buffer_add(&to->out, value);
    }
    if (is_begun)
        put(to, "]");
}

static void put_ingredients(struct rewriting *to, const struct change *change, struct slice array)
{
    struct json_cursor cursor = { .text = array };
    struct slice item;
    put_key(to, change->from);
    put(to, "[");
    (void)json_take(&cursor, '[');
    for (bool is_first = true; json_next_item(&cursor, &item); is_first = false) {
        struct slice choice = json_find_member(item, "item");
        put(to, is_first ? "" : ",");
        if (choice.at == NULL) {
            buffer_add(&to->out, item);
            continue;
        }
        struct rewriting inner = { .out = to->out };
        put(&inner, "{");
        put_named(&inner, change->to, json_find_member(choice, "concept"));
        put_named(&inner, change->also, json_find_member(choice, "reference"));
        put(&inner, "}");
        to->out = inner.out;
    }
    put(to, "]");
}

static bool fits(const struct change *change, struct slice value)
{
    switch (change->how) {
    case WORD:
        return begins(value, '"');
    case CHOICE:
        return json_find_member(value, "concept").at != NULL ||
               json_find_member(value, "reference").at != NULL;
    case CHOICES:
        return begins(value, '[');
    case ITEM_CHOICES:
        return begins(value, '[') && memmem(value.at, value.len, "\"item\"", 6) != NULL;
    case LIST:
        return begins(value, '{');
    case NEW_NAME:
    case NEW_TYPE:
        return true;
    }
    return false;
}

static void put_changed(struct rewriting *to, const struct change *change, struct slice value)
{
    to->is_changed = true;
    switch (change->how) {
    case NEW_NAME:
        put_named(to, change->to, value);
        break;
    case NEW_TYPE: /* its name in DSTU2 stood for the intent */
        put_key(to, "resourceType");
        put(to, "\"");
        put(to, change->to);
        put(to, "\",\"intent\":\"order\"");
        break;
    case WORD:
        put_word(to, change, value);
        break;
    case LIST:
        put_key(to, change->to);
        put(to, "[");
        buffer_add(&to->out, value);
        put(to, "]");
        break;
    case CHOICE:
        put_named(to, change->to, json_find_member(value, "concept"));
        put_named(to, change->also, json_find_member(value, "reference"));
        break;
    case CHOICES:
        put_parts(to, change->to, value, "concept");
        put_parts(to, change->also, value, "reference");
        break;
    case ITEM_CHOICES:
        put_ingredients(to, change, value);
        break;
    }
}

static bool rewrite(struct rewriting *to, struct slice resource)
{
    struct json_cursor cursor = { .text = resource };
    struct json_member member;
    if (!json_take(&cursor, '{'))
        return false;
    put(to, "{");
    while (json_next_member(&cursor, &member)) {
        const struct change *change = change_of(to->type, member.key);
        if (change != NULL && fits(change, member.value))
            put_changed(to, change, member.value);
        else
            put_as_it_is(to, &member);
    }
    put(to, "}");
    return !cursor.is_bad && to->is_changed && !buffer_overflowed(&to->out);
}

bool fhir_to_r4(struct slice resource, struct arena *arena, struct slice *out)
{
    struct slice type = json_find_member(resource, "resourceType");
    *out = resource;
    if (!begins(type, '"') || type.len < 2)
        return false;
    struct rewriting to = { .type = { type.at + 1, type.len - 2 } };
    buffer_init(&to.out, 2 * resource.len + GROWTH);
    bool is_changed = rewrite(&to, resource);
    if (is_changed)
        *out = arena_copy(arena, buffer_slice(&to.out));
    buffer_fini(&to.out);
    return is_changed && out->len > 0;
}
