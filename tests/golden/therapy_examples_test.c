/* The worked examples that come with the rules: every one whose rules are built must hold.  They
 * lie beside the repository (../shared/lot); without them this test says SKIPPED.  Each runs under
 * the rule set that it names, a file of mappings/. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/json.h"
#include "support/therapy/story.h"

#define EVENTS_MAX 400
#define LINES_MAX 16
#define DRUGS_MAX 16

struct example_event {
    struct slice date, end, drug, type, proc, reason, intent, dose;
    struct slice planned_sequence, planned_tandem;
};
struct example_condition {
    struct slice date, system, code, state, display;
};
struct example_line {
    struct slice n, start, end, maintenance, engine_reason, reason;
    struct slice drugs[DRUGS_MAX];
    unsigned drug_count;
};
struct example_order {
    struct slice id, drug, status, intent, authored, based_on, stop, supply, updated;
    struct slice not_perform, reported, prior;
    struct slice timing[8], bounds[2], validity[2];
    unsigned timing_count, bounds_count, validity_count;
};
struct example {
    struct slice id, disease, ruleset, salvage, grade, as_of, status;
    struct example_event events[EVENTS_MAX];
    struct example_condition conditions[32];
    struct example_line lines[LINES_MAX];
    struct example_order orders[32];
    unsigned event_count, condition_count, line_count, order_count;
};

/* --- reading --------------------------------------------------------------------------------- */

struct reading {
    struct example *example;
    struct arena *arena;
};

#define AT(type, member) offsetof(struct type, member)
static const struct {
    const char *path;
    size_t offset;
} event_fields[] = { { "events[].date", AT(example_event, date) },
                     { "events[].end", AT(example_event, end) },
                     { "events[].drug", AT(example_event, drug) },
                     { "events[].type", AT(example_event, type) },
                     { "events[].proc", AT(example_event, proc) },
                     { "events[].reason", AT(example_event, reason) },
                     { "events[].intent", AT(example_event, intent) },
                     { "events[].dose", AT(example_event, dose) },
                     { "events[].planned_sequence", AT(example_event, planned_sequence) },
                     { "events[].planned_tandem", AT(example_event, planned_tandem) } },
  condition_fields[] = { { "conditions[].date", AT(example_condition, date) },
                         { "conditions[].system", AT(example_condition, system) },
                         { "conditions[].code", AT(example_condition, code) },
                         { "conditions[].state", AT(example_condition, state) },
                         { "conditions[].display", AT(example_condition, display) } },
  line_fields[] = { { "expected_lines[].n", AT(example_line, n) },
                    { "expected_lines[].start", AT(example_line, start) },
                    { "expected_lines[].end", AT(example_line, end) },
                    { "expected_lines[].maintenance", AT(example_line, maintenance) },
                    { "expected_lines[].reason", AT(example_line, reason) },
                    { "expected_lines[].engine_reason", AT(example_line, engine_reason) } },
  order_fields[] = { { "fhir[].id", AT(example_order, id) },
                     { "fhir[].drug", AT(example_order, drug) },
                     { "fhir[].status", AT(example_order, status) },
                     { "fhir[].intent", AT(example_order, intent) },
                     { "fhir[].authoredOn", AT(example_order, authored) },
                     { "fhir[].basedOn", AT(example_order, based_on) },
                     { "fhir[].stopDate", AT(example_order, stop) },
                     { "fhir[].supplyDays", AT(example_order, supply) },
                     { "fhir[].doNotPerform", AT(example_order, not_perform) },
                     { "fhir[].reported", AT(example_order, reported) },
                     { "fhir[].priorPrescription", AT(example_order, prior) },
                     { "fhir[].lastUpdated", AT(example_order, updated) } },
  example_fields[] = { { "id", AT(example, id) },           { "disease", AT(example, disease) },
                       { "ruleset", AT(example, ruleset) }, { "salvage", AT(example, salvage) },
                       { "as_of", AT(example, as_of) },     { "extra.status", AT(example, status) },
                       { "grade", AT(example, grade) } };

#define TAKE(fields, base)                                                       \
    for (size_t i = 0; i < COUNT_OF(fields); i++)                                \
        if (slice_is(path, fields[i].path)) {                                    \
            *(struct slice *)(void *)((char *)(base) + fields[i].offset) = kept; \
            return true;                                                         \
        }

static bool on_value(void *ctx, struct json_reader *reader, enum json_kind kind, struct slice text)
{
    struct reading *reading = ctx;
    struct example *example = reading->example;
    struct slice path = json_path(reader), kept = arena_copy(reading->arena, text);
    (void)kind;
    struct example_event *event = &example->events[example->event_count];
    struct example_condition *condition = &example->conditions[example->condition_count];
    struct example_line *line = &example->lines[example->line_count];
    struct example_order *order = &example->orders[example->order_count];
    if (slice_is(path, "expected_lines[].drugs[]"))
        line->drugs[line->drug_count++] = kept;
    else if (slice_is(path, "fhir[].event[]"))
        order->timing[order->timing_count++] = kept;
    else if (slice_is(path, "fhir[].boundsPeriod[]"))
        order->bounds[order->bounds_count++] = kept;
    else if (slice_is(path, "fhir[].validityPeriod[]"))
        order->validity[order->validity_count++] = kept;
    TAKE(event_fields, event)
    TAKE(condition_fields, condition)
    TAKE(line_fields, line)
    TAKE(order_fields, order)
    TAKE(example_fields, example)
    return true;
}

static bool on_open(void *ctx, struct json_reader *reader, enum json_kind kind)
{
    (void)ctx, (void)reader, (void)kind;
    return true;
}

static bool on_close(void *ctx, struct json_reader *reader, enum json_kind kind)
{
    struct example *example = ((struct reading *)ctx)->example;
    struct slice path = json_path(reader);
    if (kind != JSON_OBJECT)
        return true;
    example->event_count += slice_is(path, "events[]");
    example->condition_count += slice_is(path, "conditions[]");
    example->line_count += slice_is(path, "expected_lines[]");
    example->order_count += slice_is(path, "fhir[]");
    CHECK(example->event_count < EVENTS_MAX && example->line_count < LINES_MAX);
    return true;
}

/* --- the patient ----------------------------------------------------------------------------- */

static struct date_span span(struct slice text)
{
    struct date_span out = { .precision = DATE_ABSENT };
    struct err err;
    if (text.len > 0)
        CHECK(date_parse(text, &out, &err));
    return out;
}

static struct event *new_event(struct story *story, enum fhir_type type)
{
    struct event *event = &story->events[story->count];
    event->type = type;
    event->version = 1;
    event->id = arena_format(&story->arena, "e%03zu", story->count++);
    return event;
}

static struct event *new_order(struct story *story, struct slice drug)
{
    struct event *order = new_event(story, FHIR_MEDICATION_REQUEST);
    order->medication.text = drug;
    order->intent = INTENT_ORDER;
    order->status = STATUS_COMPLETED;
    mapping_resolve(story_mapping(), order, &story->arena);
    if (order->drug_count == 0 || order->is_unmapped)
        print_message("  not in the mappings: %.*s\n", SLICE_ARGS(drug));
    return order;
}

/* HIV and the kidneys: an order without an end goes on, and codes say what they say. */
static bool is_chronic(const struct example *example)
{
    return slice_is(example->ruleset, "hiv") || slice_is(example->ruleset, "esrd");
}

static void add_event(struct story *story, const struct example *example,
                      const struct example_event *told)
{
    bool has_plan = false;
    for (unsigned i = 0; i < example->event_count; i++)
        has_plan = has_plan || example->events[i].planned_sequence.len > 0;
    if (told->proc.len > 0) {
        struct event *event = new_event(story, FHIR_PROCEDURE);
        event->effective = span(told->date);
        event->procedure = slice_is(told->proc, "sct")         ? PROCEDURE_TRANSPLANT_AUTOLOGOUS
                           : slice_is(told->proc, "allo-sct")  ? PROCEDURE_TRANSPLANT_ALLOGENEIC
                           : slice_is(told->proc, "apheresis") ? PROCEDURE_APHERESIS
                           : slice_is(told->proc, "hd")        ? PROCEDURE_HAEMODIALYSIS
                           : slice_is(told->proc, "pd")        ? PROCEDURE_PERITONEAL_DIALYSIS
                           : slice_is(told->proc, "kidney-transplant") ? PROCEDURE_KIDNEY_TRANSPLANT
                                                                       : PROCEDURE_NONE;
        event->status = STATUS_COMPLETED;
        event->effective_end = span(told->end);
        return;
    }
    struct event *order = new_order(story, told->drug);
    order->bounds_start = span(told->date);
    order->bounds_end = span(told->end.len > 0 ? told->end : told->date);
    if (is_chronic(example) && told->end.len == 0) {
        order->bounds_end = span(told->end);
        order->status = STATUS_ACTIVE;
    }
    if (slice_is(told->dose, "BID-high"))
        order->doses_per_1000_days = 2000;
    order->status_reason.text = told->reason;
    if (slice_is(told->intent, "curative"))
        order->treatment_intent = TREATMENT_CURATIVE;
    if (slice_is(told->intent, "palliative"))
        order->treatment_intent = TREATMENT_PALLIATIVE;
    bool is_first = slice_eq(told->date, example->events[0].date);
    if (has_plan && (is_first || told->planned_sequence.len > 0))
        order->protocol = SLICE("plan");
    mapping_resolve(story_mapping(), order, &story->arena);
}

static void add_fhir(struct story *story, const struct example_order *told)
{
    static const struct {
        const char *word;
        int value;
    } statuses[] = { { "active", STATUS_ACTIVE },
                     { "completed", STATUS_COMPLETED },
                     { "stopped", STATUS_STOPPED },
                     { "on-hold", STATUS_ON_HOLD },
                     { "cancelled", STATUS_CANCELLED },
                     { "draft", STATUS_DRAFT },
                     { "unknown", STATUS_UNKNOWN },
                     { "entered-in-error", STATUS_ENTERED_IN_ERROR } },
      intents[] = { { "order", INTENT_ORDER },
                    { "original-order", INTENT_ORIGINAL_ORDER },
                    { "filler-order", INTENT_FILLER_ORDER },
                    { "instance-order", INTENT_INSTANCE_ORDER },
                    { "reflex-order", INTENT_REFLEX_ORDER },
                    { "plan", INTENT_PLAN },
                    { "proposal", INTENT_PROPOSAL },
                    { "option", INTENT_OPTION } };
    struct event *order = new_order(story, told->drug);
    order->id = told->id;
    for (size_t i = 0; i < COUNT_OF(statuses); i++)
        if (slice_is(told->status, statuses[i].word))
            order->status = (enum order_status)statuses[i].value;
    for (size_t i = 0; i < COUNT_OF(intents); i++)
        if (slice_is(told->intent, intents[i].word))
            order->intent = (enum order_intent)intents[i].value;
    order->authored_on = span(told->authored);
    order->do_not_perform = slice_is(told->not_perform, "true");
    order->reported = slice_is(told->reported, "true");
    if (told->bounds_count == 2) {
        order->bounds_start = span(told->bounds[0]);
        order->bounds_end = span(told->bounds[1]);
    }
    if (told->timing_count > 0) {
        order->first_timing_event = span(told->timing[0]);
        order->last_timing_event = span(told->timing[told->timing_count - 1]);
    }
    if (told->validity_count == 2)
        order->validity_end = span(told->validity[1]);
    if (told->supply.len > 0)
        order->supply_days = (int32_t)strtol(told->supply.at, NULL, 10);
    order->status_changed = span(told->stop.len > 0 ? told->stop : told->updated);
    struct slice *reference = ARENA_NEW(&story->arena, struct slice);
    *reference = arena_format(&story->arena, "MedicationRequest/%.*s", SLICE_ARGS(told->based_on));
    order->based_on = reference;
    order->based_on_count = told->based_on.len > 0;
    if (told->prior.len > 0)
        order->prior_prescription =
            arena_format(&story->arena, "MedicationRequest/%.*s", SLICE_ARGS(told->prior));
}

/* The example says which disease it is about; its codes need not tell (C34.90 is both lung
 * cancers). FHIR's clinicalStatus has no word for progression: a sender writes relapse. */
static void add_condition(struct story *story, const struct example *example,
                          const struct disease *disease, const struct example_condition *told)
{
    struct event *condition = new_event(story, FHIR_CONDITION);
    struct coding *coding = ARENA_NEW(&story->arena, struct coding);
    coding->system =
        slice_starts(told->system, SLICE("http")) ? code_system_of(told->system) : CODE_ICD10CM;
    coding->code = told->code;
    condition->code = (struct concept){ .codings = coding, .count = 1, .text = told->display };
    condition->onset = span(told->date);
    condition->clinical_status = CLINICAL_ACTIVE;
    if (slice_is(told->state, "relapse") || slice_is(told->state, "progression"))
        condition->clinical_status = CLINICAL_RELAPSE;
    if (slice_is(told->state, "recurrence"))
        condition->clinical_status = CLINICAL_RECURRENCE;
    if (slice_is(told->state, "remission"))
        condition->clinical_status = CLINICAL_REMISSION;
    mapping_resolve(story_mapping(), condition, &story->arena);
    if (is_chronic(example))
        return;
    struct condition_code *codes =
        ARENA_ARRAY(&story->arena, struct condition_code, condition->meaning_count + 2);
    unsigned count = 0;
    bool is_named = false;
    for (unsigned i = 0; i < condition->meaning_count; i++) {
        codes[count] = condition->meanings[i];
        bool is_cancer = codes[count].disease->family == DISEASE_SOLID ||
                         codes[count].disease->family == DISEASE_HEMATOLOGIC;
        if (is_cancer)
            codes[count].disease = disease;
        is_named = is_named || is_cancer;
        count++;
    }
    if (!is_named && condition->meaning_count == 0)
        codes[count++] = (struct condition_code){ disease, MEANS_PRIMARY };
    if (slice_is(told->state, "refractory"))
        codes[count++] = (struct condition_code){ disease, MEANS_REFRACTORY };
    condition->meanings = codes;
    condition->meaning_count = count;
}

static void tell(struct story *story, const struct example *example, const struct disease *disease)
{
    for (unsigned i = 0; example->order_count == 0 && i < example->event_count; i++)
        add_event(story, example, &example->events[i]);
    for (unsigned i = 0; i < example->order_count; i++)
        add_fhir(story, &example->orders[i]);
    for (unsigned i = 0; i < example->condition_count; i++)
        add_condition(story, example, disease, &example->conditions[i]);
    if (is_chronic(example))
        return;
    struct event *named = new_event(story, FHIR_CONDITION);
    struct condition_code *code = ARENA_NEW(&story->arena, struct condition_code);
    *code = (struct condition_code){ disease, MEANS_PRIMARY };
    named->meanings = code;
    named->meaning_count = 1;
}

/* --- published rule sets --------------------------------------------------------------------- */

/* The rule set of mappings/ that an example names: "merck19_nsclc" is merck19; house rules and
 * those about FHIR are ours. */
static const struct rules *rules_of(const struct example *example)
{
    static const struct {
        const char *ruleset, *file;
    } names[] = { { "merck19_nsclc", "merck19" }, { "merck21_nsclc", "merck21" },
                  { "hess21_nsclc", "hess21" },   { "hess21_crc", "hess21" },
                  { "hess21_gastric", "hess21" }, { "merckmcc", "merckmcc" },
                  { "raj15", "raj15" },           { "omop_mm", "omop_mm" },
                  { "ovarian", "ovarian" },       { "ironer", "ironer" },
                  { "house", "lifeline" },        { "fhir", "lifeline" },
                  { "hiv", "lifeline" },          { "esrd", "lifeline" } };
    if (slice_is(example->id, "ironer-prostate-1-noADT")) /* "the stated preparation" */
        return mapping_ruleset(story_mapping(), SLICE("ironer_prepared"));
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (slice_is(example->ruleset, names[i].ruleset))
            return mapping_ruleset(story_mapping(), slice_of(names[i].file));
    return NULL;
}

/* --- comparing ------------------------------------------------------------------------------- */

static bool is_same_drug(struct slice expected, const struct drug *drug)
{
    const struct drug *known = mapping_drug(story_mapping(), expected);
    return known == drug || (known != NULL && slice_eq(known->name, drug->name));
}

/* What an example says that the rules deny, with the reason why the rules are right. */
static const struct {
    const char *id;
    unsigned line;
    const char *drug, *why;
} denied[] = {
    { "esrd-graft-failure-retransplant", 2, "antithymocyte globulin",
      "it was ordered for the second transplant, in 2021: the line of the first ended in 2020" },
};

static bool is_denied(const struct example *example, unsigned number, struct slice drug)
{
    for (size_t i = 0; i < COUNT_OF(denied); i++)
        if (slice_is(example->id, denied[i].id) && number == denied[i].line &&
            slice_is(drug, denied[i].drug)) {
            print_message("  %s, line %u: not %s, %s\n", denied[i].id, number, denied[i].drug,
                          denied[i].why);
            return true;
        }
    return false;
}

/* Rows of one number are one line: induction and its maintenance. */
static bool line_holds(const struct example *example, unsigned number, const struct line *line,
                       char *why)
{
    struct slice start = { NULL, 0 }, end = { NULL, 0 }, reason = { NULL, 0 };
    unsigned expected = 0;
    uint64_t found = 0;
    for (unsigned i = 0; i < example->line_count; i++) {
        const struct example_line *row = &example->lines[i];
        if (strtoul(row->n.at, NULL, 10) != number)
            continue;
        if (start.len == 0 || slice_cmp(row->start, start) < 0)
            start = row->start;
        if (row->end.len > 0 && (end.len == 0 || slice_cmp(row->end, end) > 0))
            end = row->end;
        if (row->engine_reason.len > 0)
            reason = row->engine_reason;
        else if (slice_is(example->ruleset, "hiv")) /* its reasons are codes of the rules */
            reason = row->reason;
        for (unsigned k = 0; k < row->drug_count; k++) {
            unsigned at = 0;
            if (is_denied(example, number, row->drugs[k]))
                continue;
            while (at < line->drug_count && !is_same_drug(row->drugs[k], line->drugs[at]))
                at++;
            if (at == line->drug_count) {
                sprintf(why, "line %u lacks %.*s", number, SLICE_ARGS(row->drugs[k]));
                return false;
            }
            expected += (found >> at & 1) == 0;
            found |= UINT64_C(1) << at;
        }
    }
    char text[DATE_TEXT_SIZE];
    if (expected != line->drug_count)
        return sprintf(why, "line %u has too many drugs", number), false;
    if (!slice_is(start, date_format(line->start, text)))
        return sprintf(why, "line %u starts %s", number, text), false;
    if (end.len > 0 && !slice_is(end, date_format(line->end, text)))
        return sprintf(why, "line %u ends %s", number, text), false;
    if (reason.len == 0)
        return true;
    char name[64];
    struct slice wanted = slice_take_until(&reason, '>');
    snprintf(name, sizeof name, "%.*s", SLICE_ARGS(wanted));
    if (strcmp(name, "NEW_AGENT_AFTER_WINDOW") == 0)
        strcpy(name, "NEW_AGENT");
    if (strcmp(name, line->opened_by.reason) != 0)
        return sprintf(why, "line %u opened by %s", number, line->opened_by.reason), false;
    if (reason.len > 0) { /* GAP>180: the limit is an operand */
        long limit = strtol(reason.at, NULL, 10);
        bool is_there = false;
        for (unsigned i = 0; i < line->opened_by.operand_count; i++)
            is_there = is_there || line->opened_by.operands[i].value == limit;
        if (!is_there)
            return sprintf(why, "line %u without limit %ld", number, limit), false;
    }
    return true;
}

static bool status_holds(const struct example *example, const struct verdict *verdict)
{
    static const struct {
        const char *word;
        enum disease_status status;
    } words[] = { { "primary-refractory", DISEASE_STATUS_REFRACTORY },
                  { "refractory", DISEASE_STATUS_REFRACTORY },
                  { "early-relapse", DISEASE_STATUS_RELAPSED },
                  { "platinum-resistant", DISEASE_STATUS_RESISTANT },
                  { "platinum-sensitive", DISEASE_STATUS_SENSITIVE } };
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (slice_is(example->status, words[i].word))
            return verdict->status == words[i].status;
    return true;
}

/* The numbers of the expected lines, ascending and distinct; returns how many. */
static unsigned line_numbers(const struct example *example, unsigned numbers[LINES_MAX])
{
    unsigned count = 0;
    for (unsigned i = 0; i < example->line_count; i++) {
        unsigned n = (unsigned)strtoul(example->lines[i].n.at, NULL, 10);
        if (count == 0 || numbers[count - 1] < n)
            numbers[count++] = n;
    }
    return count;
}

/* "salvage ... is the verdict at the last event" (RULES_SPEC 14): years later, an open order that
 * nobody renewed grades lower. */
static const char *day_of(const struct example *example)
{
    struct slice last = SLICE("");
    if (example->as_of.len > 0)
        return example->as_of.at;
    for (unsigned i = 0; is_chronic(example) && i < example->event_count; i++)
        if (slice_cmp(example->events[i].date, last) > 0)
            last = example->events[i].date;
    return last.len > 0 ? last.at : "2026-01-01";
}

static bool example_holds(const struct example *example, char *why)
{
    struct story story;
    story_begin(&story);
    const struct disease *disease = mapping_disease(story_mapping(), example->disease);
    const struct rules *rules = rules_of(example);
    bool holds = false;
    if (disease == NULL || rules == NULL) {
        sprintf(why, "disease %.*s or rule set %.*s is not in the mappings",
                SLICE_ARGS(example->disease), SLICE_ARGS(example->ruleset));
    } else {
        tell(&story, example, disease);
        const struct therapy *therapy = story_derive_with(&story, rules, day_of(example));
        const struct history *history = therapy->history_count == 1 ? &therapy->histories[0] : NULL;
        unsigned numbers[LINES_MAX], lines = line_numbers(example, numbers);
        unsigned found = history != NULL ? history->line_count : 0;
        if (found != lines || therapy->history_count > 1) {
            sprintf(why, "%u lines, expected %u:\n%s", found, lines,
                    story_lines(&story, therapy, NULL));
        } else if (history == NULL) {
            holds = slice_is(example->salvage, "false");
        } else {
            holds = true;
            for (unsigned i = 0; holds && i < lines; i++) {
                holds = line_holds(example, numbers[i], &history->lines[i], why);
                if (holds && is_chronic(example) && history->lines[i].number != numbers[i])
                    holds = false,
                    sprintf(why, "line %u has number %u", numbers[i], history->lines[i].number);
            }
            bool is_salvage = slice_is(example->salvage, "true");
            if (holds && history->verdict.salvage != is_salvage)
                holds = false, sprintf(why, "verdict: %s", story_verdict(&story, therapy));
            if (holds && is_chronic(example) && is_salvage &&
                !slice_is(example->grade, grade_name(history->verdict.grade)))
                holds = false, sprintf(why, "grade: %s", story_verdict(&story, therapy));
            if (holds && !status_holds(example, &history->verdict))
                holds = false, sprintf(why, "status: %s", story_verdict(&story, therapy));
        }
    }
    story_end(&story);
    return holds;
}

/* --- the suite ------------------------------------------------------------------------------- */

static void run_file(const char *path, unsigned *held, unsigned *failed)
{
    static struct example example;
    static const struct json_events handlers = { on_value, on_open, on_close };
    struct arena arena;
    struct slice text;
    char why[4096];
    arena_init(&arena, (size_t)64 << 20);
    if (!story_file(path, &arena, &text)) {
        print_message("SKIPPED: %s is not there\n", path);
        arena_fini(&arena);
        skip();
        return;
    }
    while (text.len > 0) {
        struct slice line = slice_take_until(&text, '\n');
        struct err err;
        if (line.len == 0)
            continue;
        memset(&example, 0, sizeof example);
        struct reading reading = { &example, &arena };
        assert_true(json_read(line, NULL, &handlers, &reading, &arena, &err));
        if (example_holds(&example, why)) {
            ++*held;
        } else {
            print_message("  FAILS %.*s: %s\n", SLICE_ARGS(example.id), why);
            ++*failed;
        }
    }
    arena_fini(&arena);
}

static void examples_hold(const char *path)
{
    unsigned held = 0, failed = 0;
    run_file(path, &held, &failed);
    print_message("%s: %u of %u hold\n", path, held, held + failed);
    assert_int_equal(failed, 0);
}

static void worked_examples_hold(void **state)
{
    (void)state;
    examples_hold("../shared/lot/worked_examples.jsonl");
}

static void house_examples_hold(void **state)
{
    (void)state;
    examples_hold("../shared/lot/house_examples.jsonl");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(worked_examples_hold),
                                        cmocka_unit_test(house_examples_hold) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
