#include "support/therapy/story.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "therapy/derive.h"

#define FILES_MAX 64

static void complain(const char *what, struct slice text)
{
    fprintf(stderr, "story: %s: %.*s\n", what, SLICE_ARGS(text));
    exit(2);
}

/* --- files and the mapping ------------------------------------------------------------------- */

bool story_file(const char *path, struct arena *arena, struct slice *out)
{
    char name[512];
    snprintf(name, sizeof name, "%s/%s", SOURCE_DIR, path);
    FILE *file = fopen(name, "rb");
    if (file == NULL)
        return false;
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    char *text = arena_alloc_raw(arena, (size_t)size + 1);
    CHECK(text != NULL);
    size_t got = fread(text, 1, (size_t)size, file);
    text[got] = '\0';
    fclose(file);
    *out = (struct slice){ text, got };
    return true;
}

/* The texts of mappings/, in `arena`. */
static unsigned read_files(struct arena *arena, struct mapping_file *files)
{
    unsigned count = 0;
    DIR *folder = opendir(SOURCE_DIR "/mappings");
    CHECK(folder != NULL);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL && count < FILES_MAX;) {
        char path[400];
        size_t len = strlen(entry->d_name);
        if (len < 5 || strcmp(entry->d_name + len - 4, ".tsv") != 0)
            continue;
        snprintf(path, sizeof path, "mappings/%.300s", entry->d_name);
        files[count] =
            (struct mapping_file){ .name = arena_copy(arena, slice_of(entry->d_name)).at };
        CHECK(story_file(path, arena, &files[count].text));
        count++;
    }
    closedir(folder);
    return count;
}

const struct mapping *story_mapping(void)
{
    static struct mapping *mapping;
    static struct table_errors errors;
    struct mapping_file files[FILES_MAX];
    struct arena arena;
    if (mapping != NULL)
        return mapping;
    arena_init(&arena, (size_t)256 << 20);
    if (!mapping_load(files, read_files(&arena, files), &mapping, &errors)) {
        for (unsigned i = 0; i < errors.count; i++)
            fprintf(stderr, "%s: %s\n", errors.list[i].where, errors.list[i].what);
        exit(2);
    }
    arena_fini(&arena);
    return mapping;
}

bool story_load_edited(const char *file, const char *from, const char *to,
                       struct table_errors *errors)
{
    struct mapping_file files[FILES_MAX];
    struct mapping *mapping = NULL;
    struct arena arena;
    arena_init(&arena, (size_t)256 << 20);
    unsigned count = read_files(&arena, files);
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(files[i].name, file) != 0)
            continue;
        const char *at = strstr(files[i].text.at, from);
        CHECK(at != NULL);
        files[i].text = arena_format(&arena, "%.*s%s%s", (int)(at - files[i].text.at),
                                     files[i].text.at, to, at + strlen(from));
    }
    bool loads = mapping_load(files, count, &mapping, errors);
    mapping_close(mapping);
    arena_fini(&arena);
    return loads;
}

void story_begin(struct story *story) { story_begin_long(story, STORY_EVENTS_MAX); }

void story_begin_long(struct story *story, size_t events_max)
{
    memset(story, 0, sizeof *story);
    story->mapping = story_mapping();
    arena_init(&story->arena, (size_t)512 << 20);
    story->events = ARENA_ARRAY(&story->arena, struct event, events_max);
    CHECK(story->events != NULL);
    story->room = events_max;
}

void story_end(struct story *story) { arena_fini(&story->arena); }

/* --- reading a clause ------------------------------------------------------------------------ */

static struct slice trim(struct slice text)
{
    while (text.len > 0 && isspace((unsigned char)text.at[0]))
        text = slice_skip(text, 1);
    while (text.len > 0 && isspace((unsigned char)text.at[text.len - 1]))
        text.len--;
    return text;
}

static struct slice next_word(struct slice *rest)
{
    *rest = trim(*rest);
    return slice_take_until(rest, ' ');
}

static struct date_span read_span(struct slice text)
{
    struct date_span span;
    struct err err;
    if (!date_parse(text, &span, &err))
        complain("not a date", text);
    return span;
}

struct date story_day(const char *text) { return read_span(slice_of(text)).first; }

static struct date_span span_of(struct date day)
{
    return (struct date_span){ day, day, DATE_DAY };
}

static struct event *add_event(struct story *story, enum fhir_type type, char letter,
                               unsigned *count)
{
    CHECK(story->count < story->room);
    struct event *event = &story->events[story->count++];
    event->type = type;
    event->version = 1;
    event->id = arena_format(&story->arena, "%c%u", letter, ++*count);
    return event;
}

static struct concept code_concept(struct story *story, const char *uri, struct slice code)
{
    struct coding *coding = ARENA_NEW(&story->arena, struct coding);
    CHECK(coding != NULL);
    coding->system = code_system_of(slice_of(uri));
    coding->code = arena_copy(&story->arena, code);
    return (struct concept){ .codings = coding, .count = 1 };
}

static const struct slice *one_reference(struct story *story, const char *type, struct slice id)
{
    struct slice *reference = ARENA_NEW(&story->arena, struct slice);
    CHECK(reference != NULL);
    bool is_whole = memchr(id.at, '/', id.len) != NULL; /* an address, or another type */
    *reference = arena_format(&story->arena, "%s%.*s", is_whole ? "" : type, SLICE_ARGS(id));
    return reference;
}

#define ICD10CM "http://hl7.org/fhir/sid/icd-10-cm"
#define WHO_HIV "http://smart.who.int/hiv/CodeSystem/HIVConcepts"

/* --- words behind an order ------------------------------------------------------------------- */

static bool read_status_word(struct event *order, struct slice word)
{
    static const struct {
        const char *word;
        enum order_status status;
    } words[] = { { "stopped", STATUS_STOPPED },  { "hold", STATUS_ON_HOLD },
                  { "active", STATUS_ACTIVE },    { "cancelled", STATUS_CANCELLED },
                  { "draft", STATUS_DRAFT },      { "error", STATUS_ENTERED_IN_ERROR },
                  { "unknown", STATUS_UNKNOWN },  { "completed", STATUS_COMPLETED },
                  { "not-done", STATUS_NOT_DONE } };
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (!slice_is(word, words[i].word))
            continue;
        order->status = words[i].status;
        if (order->status == STATUS_STOPPED || order->status == STATUS_ON_HOLD)
            order->status_changed = order->bounds_end;
        return true;
    }
    return false;
}

static bool read_reason_word(struct event *order, struct slice word)
{
    static const struct {
        const char *word, *text;
    } words[] = { { "toxicity", "toxicity" },
                  { "progression", "progression" },
                  { "shortage", "shortage" },
                  { "simplification", "simplification" },
                  { "interaction", "drug interaction" },
                  { "pregnancy", "pregnancy" },
                  { "tuberculosis", "tuberculosis" },
                  { "new-drug", "new drug available" },
                  { "failure", "virological failure" } };
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (slice_is(word, words[i].word)) {
            order->status_reason.text = slice_of(words[i].text);
            return true;
        }
    }
    return false;
}

static bool read_intent_word(struct event *order, struct slice word)
{
    static const struct {
        const char *word;
        enum order_intent intent;
    } words[] = { { "intent:plan", INTENT_PLAN },
                  { "intent:proposal", INTENT_PROPOSAL },
                  { "intent:option", INTENT_OPTION },
                  { "intent:original", INTENT_ORIGINAL_ORDER },
                  { "intent:filler", INTENT_FILLER_ORDER },
                  { "intent:reflex", INTENT_REFLEX_ORDER },
                  { "intent:instance", INTENT_INSTANCE_ORDER } };
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (slice_is(word, words[i].word)) {
            order->intent = words[i].intent;
            return true;
        }
    }
    return false;
}

/* "50mg/m2" */
static struct quantity read_dose(struct slice text)
{
    struct quantity out = { .is_stated = true };
    while (text.len > 0 && text.at[0] >= '0' && text.at[0] <= '9') {
        out.digits = out.digits * 10 + (text.at[0] - '0');
        text = slice_skip(text, 1);
    }
    out.unit = text;
    return out;
}

/* "supply:30" and its like; the value is what follows the colon. */
static bool read_value_word(struct story *story, struct event *order, struct slice word)
{
    struct slice value = word;
    struct slice name = slice_take_until(&value, ':');
    int number = value.len > 0 ? (int)strtol(value.at, NULL, 10) : 0;
    if (name.len == word.len)
        return false;
    if (slice_is(name, "plan"))
        order->protocol = value;
    else if (slice_is(name, "careplan"))
        order->based_on = one_reference(story, "CarePlan/", value), order->based_on_count = 1;
    else if (slice_is(name, "based"))
        order->based_on = one_reference(story, "MedicationRequest/", value),
        order->based_on_count = 1;
    else if (slice_is(name, "from"))
        order->based_on = one_reference(story, "MedicationDispense/", value),
        order->based_on_count = 1;
    else if (slice_is(name, "group"))
        order->group_identifier = value;
    else if (slice_is(name, "prior"))
        order->prior_prescription = *one_reference(story, "MedicationRequest/", value);
    else if (slice_is(name, "for"))
        order->reason_references = one_reference(story, "Condition/", value),
        order->reason_reference_count = 1;
    else if (slice_is(name, "code"))
        order->reason_code = code_concept(story, ICD10CM, value);
    else if (slice_is(name, "why"))
        order->status_reason = code_concept(story, WHO_HIV, value);
    else if (slice_is(name, "change"))
        order->reason_code = code_concept(story, WHO_HIV, value);
    else if (slice_is(name, "rxnorm")) { /* a code beside the words */
        struct slice words = order->medication.text;
        order->medication =
            code_concept(story, "http://www.nlm.nih.gov/research/umls/rxnorm", value);
        order->medication.text = words;
    } else if (slice_is(name, "doses"))
        order->doses_per_1000_days = number;
    else if (slice_is(name, "supply"))
        order->supply_days = number;
    else if (slice_is(name, "bounds"))
        order->bounds_days = number;
    else if (slice_is(name, "repeat"))
        order->repeat_days = number;
    else if (slice_is(name, "dose"))
        order->dose = read_dose(value);
    else if (slice_is(name, "validity"))
        order->validity_end = read_span(value);
    else if (slice_is(name, "authored"))
        order->authored_on = read_span(value);
    else if (slice_is(name, "changed"))
        order->status_changed = read_span(value);
    else
        return false;
    return true;
}

static bool read_plain_word(struct event *order, struct slice word)
{
    if (slice_is(word, "curative"))
        order->treatment_intent = TREATMENT_CURATIVE;
    else if (slice_is(word, "palliative"))
        order->treatment_intent = TREATMENT_PALLIATIVE;
    else if (slice_is(word, "reported"))
        order->reported = true;
    else if (slice_is(word, "bid"))
        order->doses_per_1000_days = 2000;
    else if (slice_is(word, "not-perform"))
        order->do_not_perform = true;
    else if (slice_is(word, "authored")) { /* only the day of writing is known */
        order->authored_on = order->bounds_start;
        order->bounds_start = order->bounds_end = (struct date_span){ .precision = DATE_ABSENT };
    } else if (slice_is(word, "timing")) {
        order->first_timing_event = order->bounds_start;
        order->last_timing_event = order->bounds_end;
        order->bounds_start = order->bounds_end = (struct date_span){ .precision = DATE_ABSENT };
    } else if (slice_is(word, "no-end"))
        order->bounds_end = (struct date_span){ .precision = DATE_ABSENT };
    else if (slice_is(word, "undated"))
        order->bounds_start = order->bounds_end = (struct date_span){ .precision = DATE_ABSENT };
    else
        return false;
    return true;
}

static void read_order_words(struct story *story, struct event *order, struct slice rest)
{
    while ((rest = trim(rest)).len > 0) {
        struct slice word = next_word(&rest);
        if (!read_status_word(order, word) && !read_reason_word(order, word) &&
            !read_intent_word(order, word) && !read_value_word(story, order, word) &&
            !read_plain_word(order, word))
            complain("unknown word behind an order", word);
    }
}

/* --- clauses --------------------------------------------------------------------------------- */

struct when {
    struct date_span start, end;
    bool is_open;
    int times, every;
};

/* "2021-01-04", "2021-01-04..2021-03-15", "2021-01-04..open", then perhaps "x4/21". */
static struct when read_when(struct slice *rest)
{
    struct slice word = next_word(rest);
    struct when when = { .times = 1 };
    const char *dots = memmem(word.at, word.len, "..", 2);
    struct slice start = { word.at, dots != NULL ? (size_t)(dots - word.at) : word.len };
    when.start = when.end = read_span(start);
    if (dots != NULL) {
        struct slice end = slice_skip(word, start.len + 2);
        when.is_open = slice_is(end, "open");
        if (!when.is_open)
            when.end = read_span(end);
    }
    struct slice ahead = *rest, times = next_word(&ahead);
    if (times.len > 2 && times.at[0] == 'x' && isdigit((unsigned char)times.at[1])) {
        sscanf(times.at, "x%d/%d", &when.times, &when.every);
        *rest = ahead;
    }
    return when;
}

/* An administration, a dispense or a statement: the same words, another way to say when. */
static void tell_given(struct story *story, enum fhir_type type, struct slice drug,
                       const struct when *when, struct slice words, int shift)
{
    struct event *event = add_event(story, type, 'g', &story->given);
    event->medication.text = arena_copy(&story->arena, drug);
    event->status = when->is_open ? STATUS_ACTIVE : STATUS_COMPLETED;
    event->bounds_start = when->start;
    if (!when->is_open && when->end.first.day != when->start.first.day)
        event->bounds_end = when->end;
    read_order_words(story, event, words);
    event->effective = event->bounds_start;
    event->effective_end = event->bounds_end;
    event->bounds_start = event->bounds_end = (struct date_span){ .precision = DATE_ABSENT };
    if (shift > 0)
        event->effective = span_of(date_add(event->effective.first, shift));
    mapping_resolve(story->mapping, event, &story->arena);
}

static void tell_order(struct story *story, enum fhir_type type, struct slice drug,
                       const struct when *when, struct slice words, int shift)
{
    if (type != FHIR_MEDICATION_REQUEST) {
        tell_given(story, type, drug, when, words, shift);
        return;
    }
    struct event *order = add_event(story, FHIR_MEDICATION_REQUEST, 'm', &story->orders);
    order->medication.text = arena_copy(&story->arena, drug);
    order->status = when->is_open ? STATUS_ACTIVE : STATUS_COMPLETED;
    order->intent = INTENT_ORDER;
    order->bounds_start = when->start;
    if (!when->is_open)
        order->bounds_end = when->end;
    if (shift > 0) {
        order->bounds_start = span_of(date_add(when->start.first, shift));
        order->bounds_end = span_of(date_add(when->end.first, shift));
    }
    read_order_words(story, order, words);
    mapping_resolve(story->mapping, order, &story->arena);
}

/* "given", "dispensed" or "told" before the drugs; else they are ordered. */
static enum fhir_type read_type(struct slice *clause)
{
    struct slice rest = *clause, word = next_word(&rest);
    enum fhir_type type = slice_is(word, "given")       ? FHIR_MEDICATION_ADMINISTRATION
                          : slice_is(word, "dispensed") ? FHIR_MEDICATION_DISPENSE
                          : slice_is(word, "told")      ? FHIR_MEDICATION_STATEMENT
                                                        : FHIR_MEDICATION_REQUEST;
    if (type != FHIR_MEDICATION_REQUEST)
        *clause = trim(rest);
    return type;
}

static void tell_orders(struct story *story, struct slice clause)
{
    enum fhir_type type = read_type(&clause);
    size_t at = 0;
    while (at + 4 < clause.len &&
           !((at == 0 || clause.at[at - 1] == ' ') && isdigit((unsigned char)clause.at[at]) &&
             isdigit((unsigned char)clause.at[at + 3]) &&
             (clause.at[at + 4] == '-' || clause.at[at + 4] == ' ' || clause.at[at + 4] == '.')))
        at++;
    struct slice names = { clause.at, at };
    struct slice rest = slice_skip(clause, at);
    struct when when = read_when(&rest);
    for (int i = 0; i < when.times; i++)
        for (struct slice left = names; left.len > 0;)
            tell_order(story, type, trim(slice_take_until(&left, '+')), &when, rest,
                       i * when.every);
}

static void tell_condition(struct story *story, struct slice clause)
{
    struct event *condition = add_event(story, FHIR_CONDITION, 'c', &story->conditions);
    struct slice rest = slice_skip(clause, 1);
    struct slice code = next_word(&rest);
    condition->code =
        code_concept(story, slice_starts(code, SLICE("HIV.D.")) ? WHO_HIV : ICD10CM, code);
    condition->clinical_status = CLINICAL_ACTIVE;
    condition->verification_status = VERIFICATION_CONFIRMED;
    while ((rest = trim(rest)).len > 0) {
        struct slice word = next_word(&rest), value = word;
        struct slice name = slice_take_until(&value, ':');
        if (slice_is(word, "relapse"))
            condition->clinical_status = CLINICAL_RELAPSE;
        else if (slice_is(word, "recurrence"))
            condition->clinical_status = CLINICAL_RECURRENCE;
        else if (slice_is(word, "remission"))
            condition->clinical_status = CLINICAL_REMISSION;
        else if (slice_is(word, "resolved"))
            condition->clinical_status = CLINICAL_RESOLVED;
        else if (slice_is(word, "refuted"))
            condition->verification_status = VERIFICATION_REFUTED;
        else if (slice_is(word, "error"))
            condition->verification_status = VERIFICATION_ENTERED_IN_ERROR;
        else if (slice_is(name, "recorded"))
            condition->recorded = read_span(value);
        else if (slice_is(name, "ended"))
            condition->abatement = read_span(value);
        else if (slice_is(name, "text")) {
            char *text = arena_alloc_raw(&story->arena, value.len + 1);
            CHECK(text != NULL);
            for (size_t i = 0; i < value.len; i++)
                text[i] = value.at[i] == '_' ? ' ' : value.at[i];
            condition->code.text = (struct slice){ text, value.len };
        } else
            condition->onset = read_span(word);
    }
    mapping_resolve(story->mapping, condition, &story->arena);
}

static void tell_procedure(struct story *story, struct slice clause)
{
    static const struct {
        const char *word;
        enum procedure_kind kind;
    } kinds[] = {
        { "sct", PROCEDURE_TRANSPLANT_AUTOLOGOUS }, { "allo", PROCEDURE_TRANSPLANT_ALLOGENEIC },
        { "apheresis", PROCEDURE_APHERESIS },       { "hd", PROCEDURE_HAEMODIALYSIS },
        { "pd", PROCEDURE_PERITONEAL_DIALYSIS },    { "dialysis", PROCEDURE_DIALYSIS },
        { "kidney", PROCEDURE_KIDNEY_TRANSPLANT },  { "surgery", PROCEDURE_SURGERY }
    };
    static const struct {
        const char *word;
        struct slice code; /* ICD-10-PCS */
    } codes[] = { { "cart", { "XW033C7", 7 } }, { "axi-cel", { "XW033H7", 7 } } };
    struct slice rest = slice_skip(clause, 1), kind = next_word(&rest);
    struct when when = read_when(&rest);
    struct slice words = rest;
    for (int i = 0; i < when.times; i++) {
        struct event *event = add_event(story, FHIR_PROCEDURE, 'p', &story->procedures);
        for (size_t k = 0; k < COUNT_OF(kinds); k++)
            if (slice_is(kind, kinds[k].word))
                event->procedure = kinds[k].kind;
        for (size_t k = 0; k < COUNT_OF(codes); k++)
            if (slice_is(kind, codes[k].word))
                event->code =
                    code_concept(story, "http://hl7.org/fhir/sid/icd-10-pcs", codes[k].code);
        if (event->code.count > 0)
            mapping_resolve(story->mapping, event, &story->arena);
        event->status = when.is_open ? STATUS_ACTIVE : STATUS_COMPLETED;
        event->effective = when.start;
        if (i > 0)
            event->effective = span_of(date_add(when.start.first, i * when.every));
        if (!when.is_open && when.end.first.day != when.start.first.day)
            event->effective_end = when.end;
        rest = words;
        struct slice word = next_word(&rest);
        if (slice_starts(word, SLICE("plan:")))
            event->protocol = slice_skip(word, 5);
        if (slice_is(word, "error"))
            event->status = STATUS_ENTERED_IN_ERROR;
        if (slice_is(word, "not-done"))
            event->status = STATUS_NOT_DONE;
    }
}

/* "#vl 2020-01-01 1500", "<50", "not-detected"; "#log 2020-01-01 3.5". */
static void tell_viral_load(struct story *story, struct slice clause)
{
    struct event *event = add_event(story, FHIR_OBSERVATION, 'o', &story->observations);
    struct slice rest = slice_skip(clause, 1), kind = next_word(&rest);
    event->status = STATUS_COMPLETED;
    event->observation =
        slice_is(kind, "log") ? OBSERVATION_HIV_VIRAL_LOAD_LOG : OBSERVATION_HIV_VIRAL_LOAD;
    event->effective = read_span(next_word(&rest));
    struct slice value = next_word(&rest);
    if (slice_is(kind, "failure")) { /* of antiretroviral therapy, as a code of WHO says */
        event->code = code_concept(story, WHO_HIV, slice_of("HIV.D.DE225"));
        event->value_concept = code_concept(story, WHO_HIV, value);
        mapping_resolve(story->mapping, event, &story->arena);
        return;
    }
    if (slice_is(value, "not-detected")) {
        event->finding = FINDING_NOT_DETECTED;
        return;
    }
    event->value.is_stated = true;
    if (value.len > 0 && (value.at[0] == '<' || value.at[0] == '>')) {
        event->value.comparator = value.at[0] == '<' ? COMPARATOR_LESS : COMPARATOR_GREATER;
        value = slice_skip(value, 1);
    }
    bool is_fraction = false;
    for (size_t i = 0; i < value.len; i++) {
        if (value.at[i] == '.') {
            is_fraction = true;
            continue;
        }
        event->value.digits = event->value.digits * 10 + (value.at[i] - '0');
        event->value.scale += is_fraction;
    }
    if (slice_is(next_word(&rest), "error"))
        event->status = STATUS_ENTERED_IN_ERROR;
}

/* The value in words, as mappings/observation_values.tsv knows them. */
static void tell_observation(struct story *story, struct slice clause)
{
    struct event *event = add_event(story, FHIR_OBSERVATION, 'o', &story->observations);
    struct slice rest = slice_skip(clause, 1), value = next_word(&rest);
    event->code = code_concept(story, "http://loinc.org", SLICE("97509-4"));
    event->value_concept.text = arena_copy(&story->arena, value);
    event->status = STATUS_COMPLETED;
    event->effective = read_span(next_word(&rest));
    while ((rest = trim(rest)).len > 0) {
        struct slice word = next_word(&rest);
        if (slice_starts(word, SLICE("focus:")))
            event->focus = one_reference(story, "Condition/", slice_skip(word, 6)),
            event->focus_count = 1;
        else if (!read_status_word(event, word))
            complain("unknown word behind an observation", word);
    }
    mapping_resolve(story->mapping, event, &story->arena);
}

void story_tell(struct story *story, const char *text)
{
    for (struct slice rest = arena_copy(&story->arena, slice_of(text)); rest.len > 0;) {
        struct slice clause = trim(slice_take_until(&rest, ';'));
        if (clause.len == 0)
            continue;
        if (clause.at[0] == '@')
            tell_condition(story, clause);
        else if (clause.at[0] == '!')
            tell_procedure(story, clause);
        else if (clause.at[0] == '#')
            tell_viral_load(story, clause);
        else if (clause.at[0] == '?')
            tell_observation(story, clause);
        else
            tell_orders(story, clause);
    }
}

/* --- deriving and reading the answer --------------------------------------------------------- */

const struct therapy *story_derive_with(struct story *story, const struct rules *rules,
                                        const char *day)
{
    struct err err;
    struct therapy *therapy = ARENA_NEW(&story->arena, struct therapy);
    CHECK(therapy != NULL);
    if (!therapy_derive(rules, story->events, story->count, story_day(day), &story->arena, therapy,
                        &err))
        complain("derivation failed", slice_of(err.what));
    return therapy;
}

const struct therapy *story_derive(struct story *story, const char *day)
{
    return story_derive_with(story, mapping_rules(story->mapping), day);
}

const struct history *story_history(const struct therapy *therapy, const char *disease)
{
    for (unsigned i = 0; i < therapy->history_count; i++)
        if (disease == NULL || slice_is(therapy->histories[i].disease->key, disease))
            return &therapy->histories[i];
    return NULL;
}

static const char *finish(struct story *story, struct buffer *out)
{
    struct slice text = arena_copy(&story->arena, buffer_slice(out));
    buffer_fini(out);
    return text.len > 0 ? text.at : "";
}

const char *story_lines(struct story *story, const struct therapy *therapy, const char *disease)
{
    struct buffer out;
    buffer_init(&out, 1 << 20);
    const struct history *history = story_history(therapy, disease);
    for (unsigned i = 0; history != NULL && i < history->line_count; i++) {
        const struct line *line = &history->lines[i];
        char start[DATE_TEXT_SIZE], end[DATE_TEXT_SIZE];
        buffer_format(&out, "%u %s..%s ", line->number, date_format(line->start, start),
                      line->is_open ? "open" : date_format(line->end, end));
        for (unsigned k = 0; k < line->drug_count; k++)
            buffer_format(&out, "%s%.*s", k > 0 ? "+" : "", SLICE_ARGS(line->drugs[k]->name));
        buffer_format(&out, " %s\n", line->opened_by.reason);
    }
    return finish(story, &out);
}

void story_add_verdict(const struct history *history, struct buffer *out)
{
    const struct verdict *verdict = &history->verdict;
    buffer_format(out, "%s %s line %u %s", verdict->salvage ? "salvage" : "no",
                  grade_name(verdict->grade), verdict->line, disease_status_name(verdict->status));
    for (unsigned i = 0; i < verdict->reason_count; i++)
        buffer_format(out, " %s", rule_id(verdict->reasons[i].rule));
    for (unsigned i = 0; i < verdict->veto_count; i++)
        buffer_format(out, " !%s", rule_id(verdict->vetoes[i].rule));
}

const char *story_verdict(struct story *story, const struct therapy *therapy)
{
    struct buffer out;
    buffer_init(&out, 1 << 16);
    const struct history *history = story_history(therapy, NULL);
    if (history != NULL)
        story_add_verdict(history, &out);
    return finish(story, &out);
}

const char *story_notes(struct story *story, const struct therapy *therapy)
{
    struct buffer out;
    buffer_init(&out, 1 << 16);
    const struct history *history = story_history(therapy, NULL);
    for (unsigned i = 0; history != NULL && i < history->line_count; i++)
        for (unsigned k = 0; k < history->lines[i].note_count; k++)
            buffer_format(&out, "%s%s", out.len > 0 ? " " : "",
                          rule_id(history->lines[i].notes[k].why.rule));
    return finish(story, &out);
}
