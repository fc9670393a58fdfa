/* What must hold of every patient, asked of a hundred thousand of them.
 *
 *   arrival      any order, split into any Bundles, delivered twice, with restarts in between: the
 *                report is the same to the byte, and what the running state says is what a cold
 *                rebuild says
 *   removal      a resource that was entered in error is as if it had never been there
 *   shift        all dates and the day of the answer moved by N days move the answer by N days
 *   identity     a line keeps its id when late data renumbers it
 *   supportive   an added supportive drug changes nothing
 *   waiting      until `next_change` the answer stays the same without news
 *   whole        every order is in one line of each disease it is for, or left out with a rule
 *   reports      every report of every answer is whole
 *   memory       an arena of any size gives the answer or an error, never another answer
 *
 * LIFELINE_PATIENTS=n asks n patients; LIFELINE_PATIENT=k asks that one and prints its events.
 * The engine is the one with counters: a rule that no patient reached fails the test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "domain/rule_on.h"
#include "ingest/state.h"
#include "property/reports.h"
#include "support/therapy/random_patient.h"
#include "therapy/derive.h"
#include "therapy/report.h"

#define REACHING_EVERY_RULE 100000 /* the rarest rule is decided some 40 times in ten thousand */
#ifdef ARENA_PER_ALLOC
#define PATIENTS 4000 /* under AddressSanitizer */
#else
#define PATIENTS REACHING_EVERY_RULE
#endif
#define PROCESSES_MAX 16

/* What the processes add up. */
struct tally {
    unsigned long decided[RULE_COUNT];
    unsigned long patients, events, lines, salvage, renumbered, removed, too_large, waited;
};

struct asked {
    uint64_t seed;
    struct story story;
    struct random_patient patient;
    const struct therapy *therapy;
    struct tally *tally;
    struct buffer expected, found;
};

/* --- saying what is the same ------------------------------------------------------------------ */

static void fault(struct asked *asked, const char *property)
{
    fprintf(stderr, "\n%s does not hold; repeat with LIFELINE_PATIENT=%lu\n", property,
            (unsigned long)asked->seed);
    struct slice a = buffer_slice(&asked->expected), b = buffer_slice(&asked->found);
    size_t at = 0;
    while (at < a.len && at < b.len && a.at[at] == b.at[at])
        at++;
    size_t from = at > 200 ? at - 200 : 0;
    fprintf(stderr, "expected: ...%.*s\nfound:    ...%.*s\n",
            (int)(a.len - from < 500 ? a.len - from : 500), a.at + from,
            (int)(b.len - from < 500 ? b.len - from : 500), b.at + from);
    exit(1);
}

static void must_equal(struct asked *asked, const char *property)
{
    if (!slice_eq(buffer_slice(&asked->expected), buffer_slice(&asked->found)))
        fault(asked, property);
}

/* --- the answer in words that do not name days ------------------------------------------------ */

struct wording {
    int32_t zero;    /* the day that is printed as 0 */
    bool with_ids;   /* of lines: hashes of the day */
    bool is_waiting; /* what is open goes on with the day of the answer: its end is not printed */
};

static void add_events(const struct event *const *events, unsigned count, struct buffer *out)
{
    char text[EVENT_REFERENCE_SIZE];
    for (unsigned i = 0; i < count; i++) {
        struct slice reference = event_reference(events[i], text);
        buffer_add_char(out, ' ');
        buffer_add(out, reference);
    }
}

static void add_boundary(const struct boundary *why, const struct wording *wording,
                         struct buffer *out)
{
    /* the days of a hemodialysis that goes on are those until today */
    bool hides_numbers = wording->is_waiting &&
                         (why->rule == RULE_RRT_TECHNIQUE_SHORT ||
                          why->rule == RULE_RRT_TECHNIQUE_LONG || why->rule == RULE_RRT_RESUMED);
    if (why->reason == NULL)
        return;
    buffer_format(out, " %s", rule_id(why->rule));
    for (unsigned i = 0; i < why->operand_count && !hides_numbers; i++)
        buffer_format(out, " %s=%d", why->operands[i].name, why->operands[i].value);
    add_events(why->evidence, why->evidence_count, out);
}

static void add_drugs(const struct drug *const *drugs, unsigned count, struct buffer *out)
{
    for (unsigned i = 0; i < count; i++)
        buffer_format(out, " %.*s", SLICE_ARGS(drugs[i]->name));
}

static void add_line(const struct line *line, const struct wording *wording, struct buffer *out)
{
    bool hides_end = wording->is_waiting && line->is_open;
    buffer_format(out, "%u [%u-%u] %d..%d%s%s %d %.*s:", line->number, line->number_min,
                  line->number_max, line->start.day - wording->zero,
                  hides_end ? 0 : line->end.day - wording->zero, line->is_open ? " open" : "",
                  line->is_short ? " short" : "", line->setting, SLICE_ARGS(line->regimen));
    if (wording->with_ids)
        buffer_format(out, " %s", line->id);
    add_drugs(line->drugs, line->drug_count, out);
    add_boundary(&line->opened_by, wording, out);
    add_boundary(&line->closed_by, wording, out);
    for (unsigned i = 0; i < line->segment_count; i++) {
        const struct segment *segment = &line->segments[i];
        bool hides = hides_end && i + 1 == line->segment_count;
        buffer_format(out, "\n  %s %d..%d", segment_kind_name(segment->kind),
                      segment->start.day - wording->zero,
                      hides ? 0 : segment->end.day - wording->zero);
        add_drugs(segment->drugs, segment->drug_count, out);
    }
    for (unsigned i = 0; i < line->note_count; i++) {
        buffer_format(out, "\n  %d", line->notes[i].day.day - wording->zero);
        add_boundary(&line->notes[i].why, wording, out);
    }
    add_events(line->sources, line->source_count, out);
    buffer_add_char(out, '\n');
}

static void add_verdict(const struct history *history, const struct wording *wording,
                        struct buffer *out)
{
    const struct verdict *verdict = &history->verdict;
    buffer_format(out, "%d %s %u %s %d %d", verdict->salvage, grade_name(verdict->grade),
                  verdict->line, disease_status_name(verdict->status), verdict->history_truncated,
                  history->is_ambiguous);
    for (unsigned i = 0; i < verdict->reason_count; i++)
        buffer_format(out, " %s", rule_id(verdict->reasons[i].rule));
    for (unsigned i = 0; i < verdict->veto_count; i++)
        buffer_format(out, " !%s", rule_id(verdict->vetoes[i].rule));
    add_events(verdict->evidence, verdict->evidence_count, out);
    for (unsigned i = 0; i < history->class_count; i++) {
        const struct class_exposure *found = &history->classes[i];
        buffer_format(out, "\n %.*s %d..%d %d", SLICE_ARGS(found->drug_class),
                      found->first.day - wording->zero,
                      wording->is_waiting ? 0 : found->last.day - wording->zero, found->failed);
        add_drugs(found->drugs, found->drug_count, out);
    }
    buffer_add_char(out, '\n');
}

static void word(const struct therapy *therapy, const struct wording *wording, struct buffer *out)
{
    buffer_reset(out);
    for (unsigned i = 0; i < therapy->history_count; i++) {
        const struct history *history = &therapy->histories[i];
        buffer_format(out, "%.*s by %.*s\n", SLICE_ARGS(history->disease->key),
                      SLICE_ARGS(history->rules));
        for (unsigned k = 0; k < history->line_count; k++)
            add_line(&history->lines[k], wording, out);
        add_verdict(history, wording, out);
    }
    add_events(therapy->unattributed, therapy->unattributed_count, out);
    CHECK(!buffer_overflowed(out));
}

/* --- asking ----------------------------------------------------------------------------------- */

static const struct therapy *derive(struct asked *asked, const struct event *events, size_t count,
                                    struct date as_of)
{
    struct err err;
    struct therapy *therapy = ARENA_NEW(&asked->story.arena, struct therapy);
    CHECK(therapy != NULL);
    if (!therapy_derive(asked->patient.rules, events, count, as_of, &asked->story.arena, therapy,
                        &err)) {
        fprintf(stderr, "patient %lu: %s\n", (unsigned long)asked->seed, err.what);
        exit(1);
    }
    return therapy;
}

static void report(const struct therapy *therapy, struct buffer *out)
{
    struct sha256 digest = { { 0 } };
    struct report_head head = { SLICE("Patient/p"), &digest };
    buffer_reset(out);
    report_json(&head, therapy, out);
    CHECK(!buffer_overflowed(out));
}

static struct event *copy_events(struct asked *asked, size_t more)
{
    struct story *story = &asked->story;
    struct event *events =
        arena_alloc_raw(&story->arena, (story->count + more + 1) * sizeof *events);
    CHECK(events != NULL);
    memcpy(events, story->events, story->count * sizeof *events);
    return events;
}

/* --- arrival ---------------------------------------------------------------------------------- */

/* A gateway: what the store keeps of the patient, packed. */
static void receive(struct asked *asked, struct state *state, const struct event *event)
{
    struct err err;
    struct buffer packed;
    buffer_init(&packed, 1 << 16);
    event_pack(event, &packed);
    struct state_entry entry = { event->resource_key, event->type,
                                 arena_copy(&asked->story.arena, buffer_slice(&packed)) };
    struct state_entry *old = state_find(state, event->resource_key);
    if (old != NULL)
        *old = entry;
    else
        CHECK(state_add(state, &entry, &asked->story.arena, &err));
    buffer_fini(&packed);
}

static void restart(struct asked *asked, struct state *state)
{
    struct err err;
    struct buffer row;
    buffer_init(&row, 1 << 22);
    state_write(state, &row);
    struct slice kept = arena_copy(&asked->story.arena, buffer_slice(&row));
    CHECK(state_read(kept, &asked->story.arena, state, &err));
    buffer_fini(&row);
}

/* Stories name what a Procedure or an Observation is, where a sender would have coded it. */
static void keep_kind(const struct event *told, struct event *event)
{
    if (told->code.count > 0)
        return;
    event->procedure = told->procedure;
    event->observation = told->observation;
    event->finding = told->finding;
}

static const struct therapy *ask_state(struct asked *asked, const struct state *state)
{
    struct err err;
    struct arena *arena = &asked->story.arena;
    struct event *events = arena_alloc_raw(arena, (state->count + 1) * sizeof *events);
    CHECK(events != NULL);
    for (unsigned i = 0; i < state->count; i++) {
        CHECK(event_unpack(state->entries[i].packed, arena, &events[i], &err));
        events[i].resource_key = state->entries[i].resource_key;
        mapping_resolve(asked->story.mapping, &events[i], arena);
        keep_kind(&asked->story.events[events[i].resource_key - 1], &events[i]);
    }
    return derive(asked, events, state->count, asked->patient.as_of);
}

static void arrival_does_not_matter(struct asked *asked)
{
    size_t count = asked->story.count;
    struct state state = { 0 };
    struct event *events = copy_events(asked, 0);
    for (size_t i = 0; i < count; i++)
        events[i].resource_key = (int64_t)i + 1;
    for (size_t i = count; i-- > 1;) {
        size_t k = random_below((unsigned)i + 1);
        struct event swap = events[i];
        events[i] = events[k];
        events[k] = swap;
    }
    for (size_t i = 0; i < count; i++) {
        receive(asked, &state, &events[i]);
        if (random_below(6) == 0) /* the same Bundle once more, in full or in part */
            receive(asked, &state, &events[random_below((unsigned)i + 1)]);
        if (random_below(20) == 0)
            restart(asked, &state);
        if (random_below(20) == 0)
            ask_state(asked, &state); /* an answer in between leaves nothing behind */
    }
    restart(asked, &state);
    report(asked->therapy, &asked->expected);
    report(ask_state(asked, &state), &asked->found);
    must_equal(asked, "arrival");
}

/* --- removal ---------------------------------------------------------------------------------- */

static void removed_is_never_been(struct asked *asked)
{
    static const struct wording plain = { .with_ids = true };
    size_t count = asked->story.count;
    if (count < 2)
        return;
    size_t at = random_below((unsigned)count);
    struct event *events = copy_events(asked, 0);
    if (events[at].type == FHIR_CONDITION)
        events[at].verification_status = VERIFICATION_ENTERED_IN_ERROR;
    else
        events[at].status = STATUS_ENTERED_IN_ERROR;
    word(derive(asked, events, count, asked->patient.as_of), &plain, &asked->expected);
    memmove(&events[at], &events[at + 1], (count - at - 1) * sizeof *events);
    word(derive(asked, events, count - 1, asked->patient.as_of), &plain, &asked->found);
    must_equal(asked, "removal");
    asked->tally->removed++;
}

/* --- shift ------------------------------------------------------------------------------------ */

static void shift_span(struct date_span *span, int32_t days)
{
    if (span->precision == DATE_ABSENT)
        return;
    span->first.day += days;
    span->last.day += days;
}

static void shifted_dates_shift_the_answer(struct asked *asked)
{
    int32_t days = (int32_t)random_below(4000) - 2000;
    struct event *events = copy_events(asked, 0);
    for (size_t i = 0; i < asked->story.count; i++) {
        struct date_span *spans[] = { &events[i].authored_on,       &events[i].bounds_start,
                                      &events[i].bounds_end,        &events[i].first_timing_event,
                                      &events[i].last_timing_event, &events[i].validity_end,
                                      &events[i].status_changed,    &events[i].onset,
                                      &events[i].abatement,         &events[i].recorded,
                                      &events[i].effective,         &events[i].effective_end,
                                      &events[i].deceased };
        for (size_t k = 0; k < COUNT_OF(spans); k++)
            shift_span(spans[k], days);
    }
    struct date as_of = { asked->patient.as_of.day + days };
    const struct therapy *shifted = derive(asked, events, asked->story.count, as_of);
    word(asked->therapy, &(struct wording){ .zero = asked->patient.as_of.day }, &asked->expected);
    word(shifted, &(struct wording){ .zero = as_of.day }, &asked->found);
    must_equal(asked, "shift");
    bool changes = !date_is_none(asked->therapy->next_change);
    if (changes != !date_is_none(shifted->next_change) ||
        (changes && asked->therapy->next_change.day + days != shifted->next_change.day))
        fault(asked, "shift of the next change");
}

/* --- identity --------------------------------------------------------------------------------- */

static const struct history *history_of(const struct therapy *therapy, struct slice key)
{
    for (unsigned i = 0; i < therapy->history_count; i++)
        if (slice_eq(therapy->histories[i].disease->key, key))
            return &therapy->histories[i];
    return NULL;
}

/* Years before everything a drug was ordered that nobody ordered since. */
static void late_data_renumbers_but_keeps_who_a_line_is(struct asked *asked)
{
    struct event *events = copy_events(asked, 8);
    size_t count = asked->story.count;
    struct story *story = &asked->story;
    int32_t first = INT32_MAX;
    for (unsigned i = 0; i < asked->therapy->history_count; i++)
        if (asked->therapy->histories[i].line_count > 0 &&
            asked->therapy->histories[i].lines[0].start.day < first)
            first = asked->therapy->histories[i].lines[0].start.day;
    if (first == INT32_MAX || asked->therapy->history_count != 1)
        return;
    char text[120], day[DATE_TEXT_SIZE];
    snprintf(text, sizeof text, "trabectedin %s x3/21",
             date_format((struct date){ first - 700 - (int32_t)random_below(300) }, day));
    story_tell(story, text);
    memcpy(&events[count], &story->events[count], (story->count - count) * sizeof *events);
    size_t with = story->count;
    story->count = count;
    const struct therapy *later = derive(asked, events, with, asked->patient.as_of);
    const struct history *before = &asked->therapy->histories[0];
    const struct history *after = history_of(later, before->disease->key);
    for (unsigned i = 0; after != NULL && i < before->line_count; i++) {
        for (unsigned k = 0; k < after->line_count; k++) {
            const struct line *old = &before->lines[i], *now = &after->lines[k];
            bool is_same_id = strcmp(old->id, now->id) == 0;
            if (is_same_id && old->start.day != now->start.day)
                fault(asked, "identity: two lines of one id");
            if (is_same_id && old->number != now->number)
                asked->tally->renumbered++;
        }
    }
    /* The first line was opened by drugs that the new one does not know: it is still there. */
    bool is_found = after == NULL || before->line_count == 0;
    for (unsigned k = 0; !is_found && k < after->line_count; k++)
        is_found = strcmp(before->lines[0].id, after->lines[k].id) == 0 ||
                   after->lines[k].start.day < before->lines[0].start.day;
    if (!is_found)
        fault(asked, "identity: the first line is lost");
}

/* --- supportive ------------------------------------------------------------------------------- */

static void a_supportive_drug_changes_nothing(struct asked *asked)
{
    static const char *const drugs[] = { "ondansetron", "pegfilgrastim", "zoledronic acid",
                                         "aprepitant",  "folic acid",    "filgrastim",
                                         "denosumab" };
    struct story *story = &asked->story;
    size_t count = story->count;
    char text[120], day[DATE_TEXT_SIZE];
    int32_t before = (int32_t)random_below(1500);
    snprintf(text, sizeof text, "%s %s x3/21", drugs[random_below(COUNT_OF(drugs))],
             date_format((struct date){ asked->patient.as_of.day - before }, day));
    story_tell(story, text);
    size_t with = story->count;
    story->count = count;
    report(asked->therapy, &asked->expected);
    report(derive(asked, story->events, with, asked->patient.as_of), &asked->found);
    must_equal(asked, "supportive");
}

/* --- waiting ---------------------------------------------------------------------------------- */

static void nothing_changes_before_the_next_change(struct asked *asked)
{
    static const struct wording waiting = { .with_ids = true, .is_waiting = true };
    int32_t until = asked->therapy->next_change.day, today = asked->patient.as_of.day;
    int32_t most = date_is_none(asked->therapy->next_change) ? 800 : until - today - 1;
    if (most <= 0)
        return;
    struct date day = { today + 1 + (int32_t)random_below((unsigned)most) };
    const struct therapy *later = derive(asked, asked->story.events, asked->story.count, day);
    word(asked->therapy, &waiting, &asked->expected);
    word(later, &waiting, &asked->found);
    must_equal(asked, "waiting");
    asked->tally->waited++;
}

/* --- reports ---------------------------------------------------------------------------------- */

/* Of every eighth patient: they take longer than the answer. */
static void every_report_is_whole(struct asked *asked)
{
    if (asked->seed % 8 != 0)
        return;
    struct date earlier = { asked->patient.as_of.day - (int32_t)random_below(600) };
    const struct therapy *before = derive(asked, asked->story.events, asked->story.count, earlier);
    const char *what = reports_fault(asked->therapy, before, &asked->story.arena);
    if (what != NULL)
        fault(asked, what);
}

/* --- memory ----------------------------------------------------------------------------------- */

static void any_memory_gives_the_answer_or_an_error(struct asked *asked)
{
    struct arena small;
    struct therapy therapy;
    struct err err;
    arena_init(&small, 1 + random_below(60000));
    bool is_done = therapy_derive(asked->patient.rules, asked->story.events, asked->story.count,
                                  asked->patient.as_of, &small, &therapy, &err);
    if (is_done) {
        report(asked->therapy, &asked->expected);
        report(&therapy, &asked->found);
        must_equal(asked, "memory");
    } else {
        asked->tally->too_large++;
        if (err.code != ERR_TOO_LARGE)
            fault(asked, "memory: another error");
    }
    arena_fini(&small);
}

/* --- whole ------------------------------------------------------------------------------------ */

static bool is_left_out(const struct therapy *therapy, const struct event *event)
{
    for (unsigned i = 0; i < therapy->left_out_count; i++)
        if (therapy->left_out[i].order == event)
            return true;
    return false;
}

static void every_order_is_somewhere(struct asked *asked)
{
    for (size_t i = 0; i < asked->story.count; i++) {
        const struct event *event = &asked->story.events[i];
        bool makes_lines = false;
        for (unsigned k = 0; k < event->drug_count; k++)
            makes_lines = makes_lines || event->drugs[k]->group == DRUG_ANTINEOPLASTIC;
        if (event->type != FHIR_MEDICATION_REQUEST || !makes_lines)
            continue;
        unsigned lines = 0;
        for (unsigned h = 0; h < asked->therapy->history_count; h++) {
            const struct history *history = &asked->therapy->histories[h];
            unsigned here = 0;
            for (unsigned l = 0; l < history->line_count; l++)
                for (unsigned s = 0; s < history->lines[l].source_count; s++)
                    here += history->lines[l].sources[s] == event;
            if (here > 1 && event->drug_count == 1)
                fault(asked, "whole: an order in two lines");
            lines += here;
        }
        if (lines == 0 && !is_left_out(asked->therapy, event)) {
            fprintf(stderr, "order %.*s\n", SLICE_ARGS(event->id));
            fault(asked, "whole: an order that is nowhere");
        }
    }
}

/* --- a crash names its patient ------------------------------------------------------------------ */

static volatile uint64_t current;

static void on_crash(int signal)
{
    char text[80];
    int len = snprintf(text, sizeof text, "\nsignal %d; repeat with LIFELINE_PATIENT=%lu\n", signal,
                       (unsigned long)current);
    if (write(STDERR_FILENO, text, (size_t)len) < 0)
        _exit(3);
    _exit(2);
}

/* cmocka catches signals; a process that is not its own says which patient it was. */
static void tell_crashes(void)
{
    static const int signals[] = { SIGSEGV, SIGABRT, SIGFPE, SIGBUS, SIGILL };
    for (size_t i = 0; i < COUNT_OF(signals); i++)
        signal(signals[i], on_crash);
}

/* --- one patient ------------------------------------------------------------------------------ */

static void ask(uint64_t seed, struct tally *tally, struct buffer *expected, struct buffer *found)
{
    struct asked asked = { .seed = seed, .tally = tally, .expected = *expected, .found = *found };
    current = seed;
    story_begin_long(&asked.story, RANDOM_EVENTS_MAX + 16);
    random_patient(seed, &asked.story, &asked.patient);
    asked.therapy = derive(&asked, asked.story.events, asked.story.count, asked.patient.as_of);
    if (getenv("LIFELINE_PATIENT") != NULL) {
        word(asked.therapy, &(struct wording){ .zero = asked.patient.as_of.day }, &asked.found);
        printf("as of %d, rules %.*s\n%.*s", asked.patient.as_of.day,
               SLICE_ARGS(asked.patient.rules->name), SLICE_ARGS(buffer_slice(&asked.found)));
    }
    tally->patients++;
    tally->events += asked.story.count;
    for (unsigned i = 0; i < asked.therapy->history_count; i++) {
        tally->lines += asked.therapy->histories[i].line_count;
        tally->salvage += asked.therapy->histories[i].verdict.salvage;
    }
    every_order_is_somewhere(&asked);
    removed_is_never_been(&asked);
    shifted_dates_shift_the_answer(&asked);
    a_supportive_drug_changes_nothing(&asked);
    nothing_changes_before_the_next_change(&asked);
    any_memory_gives_the_answer_or_an_error(&asked);
    late_data_renumbers_but_keeps_who_a_line_is(&asked);
    every_report_is_whole(&asked);
    arrival_does_not_matter(&asked);
    *expected = asked.expected;
    *found = asked.found;
    story_end(&asked.story);
}

/* --- all of them ------------------------------------------------------------------------------ */

static void ask_many(unsigned from, unsigned step, unsigned count, struct tally *tally)
{
    struct buffer expected, found;
    buffer_init(&expected, 1 << 22);
    buffer_init(&found, 1 << 22);
    for (unsigned i = from; i < count; i += step)
        ask(i + 1, tally, &expected, &found);
    for (unsigned rule = 0; rule < RULE_COUNT; rule++)
        tally->decided[rule] = rule_switches[rule].decided;
    buffer_fini(&expected);
    buffer_fini(&found);
}

static unsigned patients(void)
{
    const char *many = getenv("LIFELINE_PATIENTS");
    return many != NULL ? (unsigned)strtoul(many, NULL, 10) : PATIENTS;
}

static struct tally *shared_tallies(void)
{
    struct tally *tallies = mmap(NULL, sizeof(struct tally) * PROCESSES_MAX, PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(tallies != MAP_FAILED);
    return tallies;
}

static void add_up(const struct tally *tallies, unsigned processes, struct tally *sum)
{
    for (unsigned p = 0; p < processes; p++) {
        const unsigned long *from = (const unsigned long *)&tallies[p];
        unsigned long *to = (unsigned long *)sum;
        for (size_t i = 0; i < sizeof *sum / sizeof *to; i++)
            to[i] += from[i];
    }
}

static unsigned print_rules(const struct tally *sum)
{
    unsigned never = 0;
    for (unsigned rule = RULE_NONE + 1; rule < RULE_COUNT; rule++) {
        bool is_absence = rule == RULE_DROP; /* what never happens is decided nowhere */
        print_message("%s %-32s decided %lu times\n", rule_id((enum rule)rule),
                      rule_reason((enum rule)rule), sum->decided[rule]);
        never += sum->decided[rule] == 0 && !is_absence;
    }
    return never;
}

static void what_must_hold_holds_of_everybody(void **state)
{
    (void)state;
    static struct tally sum;
    unsigned count = patients();
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned processes = cores < 1 ? 1 : cores > PROCESSES_MAX ? PROCESSES_MAX : (unsigned)cores;
    struct tally *tallies = shared_tallies();
    const char *only = getenv("LIFELINE_PATIENT");
    story_mapping(); /* before the processes part */
    fflush(stdout);
    if (only != NULL) {
        struct buffer expected, found;
        buffer_init(&expected, 1 << 22);
        buffer_init(&found, 1 << 22);
        ask(strtoul(only, NULL, 10), &tallies[0], &expected, &found);
        buffer_fini(&expected);
        buffer_fini(&found);
        return;
    }
    for (unsigned p = 0; p < processes; p++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            tell_crashes();
            ask_many(p, processes, count, &tallies[p]);
            fflush(stdout);
            exit(0); /* what it covered is counted */
        }
    }
    unsigned bad = 0;
    for (unsigned p = 0; p < processes; p++) {
        int status;
        wait(&status);
        bad += status != 0;
    }
    add_up(tallies, processes, &sum);
    unsigned never = print_rules(&sum);
    print_message(
        "%lu patients, %lu events, %lu lines, %lu in salvage therapy; %lu lines renumbered, "
        "%lu resources removed, %lu times too little memory, %lu waits\n",
        sum.patients, sum.events, sum.lines, sum.salvage, sum.renumbered, sum.removed,
        sum.too_large, sum.waited);
    munmap(tallies, sizeof(struct tally) * PROCESSES_MAX);
    assert_int_equal(bad, 0);
    assert_int_equal(sum.patients, count);
    if (count < PATIENTS)
        return;
    assert_true(count < REACHING_EVERY_RULE || never == 0);
    assert_true(sum.renumbered > count / 20 && sum.removed > count / 2);
    assert_true(sum.too_large > 0 && sum.waited > count / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(what_must_hold_holds_of_everybody) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
