/* What was posted before and what the engine says today, side by side, per disease:
 *
 *   said before   the verdict today             wanted
 *   nothing       salvage of sufficient grade   hold
 *   hold          the same, or another line     hold; sent when its content differs
 *   hold          salvage, but the patient died inactive from the day of death
 *   hold          none, on withdrawn evidence   entered in error
 *   hold          none, for other reasons       inactive
 *   ended         salvage again                 hold, under the same identity
 *   ended         none                          as it is: nothing is sent twice
 */
#include "plan/plan_int.h"

static const struct {
    enum posting_kind kind, target;
} wanted_kinds[] = {
    { POSTING_FLAG, POSTING_FLAG },
    { POSTING_PROVENANCE, POSTING_FLAG },
    { POSTING_CARE_PLAN, POSTING_CARE_PLAN },
    { POSTING_PROVENANCE, POSTING_CARE_PLAN },
    { POSTING_COMMUNICATION, POSTING_COMMUNICATION },
    { POSTING_DOCUMENT, POSTING_DOCUMENT },
};

/* Where most destinations take Flags, nobody need write messages. */
static bool is_asked(const struct plan_input *input, enum posting_kind kind)
{
    bool is_extra = kind == POSTING_COMMUNICATION || kind == POSTING_DOCUMENT;
    return !is_extra || (input->extra_kinds & POSTING_BIT(kind)) != 0;
}

struct planner {
    const struct plan_input *input;
    struct arena *arena;
    struct plan *out;
    struct body body; /* of one posting after the other */
};

static const struct posted *find(const struct posted *list, unsigned count, struct slice disease,
                                 enum posting_kind kind, enum posting_kind target)
{
    for (unsigned i = 0; i < count; i++)
        if (list[i].kind == kind && list[i].target == target && slice_eq(list[i].disease, disease))
            return &list[i];
    return NULL;
}

/* The line that a verdict of sufficient grade rests on; NULL when there is none to speak of. */
static const struct line *salvage_line(const struct plan_input *input,
                                       const struct history *history)
{
    enum grade least = input->grade_min == GRADE_NONE ? GRADE_MEDIUM : input->grade_min;
    const struct verdict *verdict = &history->verdict;
    if (!verdict->salvage || verdict->grade < least)
        return NULL;
    for (unsigned i = 0; i < history->line_count; i++)
        if (history->lines[i].number == verdict->line)
            return &history->lines[i];
    return NULL;
}

/* --- evidence -------------------------------------------------------------------------------- */

static int compare_events(const struct event *left, const struct event *right)
{
    int order = left->type == right->type
                    ? 0
                    : strcmp(fhir_type_name(left->type), fhir_type_name(right->type));
    return order != 0 ? order : slice_cmp(left->id, right->id);
}

/* Adds one to the evidence, which is sorted and holds each once. */
static void gather_one(struct subject *subject, const struct event *event)
{
    const struct event **list = subject->evidence;
    unsigned low = 0, high = subject->evidence_count;
    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        int order = compare_events(list[middle], event);
        if (order == 0)
            return;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (subject->evidence_count == PLAN_EVIDENCE_MAX)
        return;
    memmove(&list[low + 1], &list[low], (subject->evidence_count - low) * sizeof(list[0]));
    list[low] = event;
    subject->evidence_count++;
}

static void gather(struct subject *subject, const struct event *const *events, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        gather_one(subject, events[i]);
}

/* "Condition/c9 MedicationRequest/m7" */
static struct slice name_evidence(const struct subject *subject, struct arena *arena)
{
    size_t room = 0;
    for (unsigned i = 0; i < subject->evidence_count; i++)
        room +=
            strlen(fhir_type_name(subject->evidence[i]->type)) + subject->evidence[i]->id.len + 2;
    char *bytes = arena_alloc_raw(arena, room + 1);
    if (bytes == NULL)
        return SLICE("");
    struct text ids = { bytes, room + 1, 0 };
    for (unsigned i = 0; i < subject->evidence_count; i++) {
        text_add_slice(&ids, i > 0 ? SLICE(" ") : SLICE(""));
        text_add_slice(&ids, slice_of(fhir_type_name(subject->evidence[i]->type)));
        text_add_slice(&ids, SLICE("/"));
        text_add_slice(&ids, subject->evidence[i]->id);
    }
    return text_slice(&ids);
}

/* What the verdict names comes first and the orders of earlier lines last, so that a very long
 * history cuts those.  They belong to it: without its predecessors a line is not a later line. */
static void gather_evidence(struct subject *subject, struct arena *arena)
{
    const struct history *history = subject->history;
    const struct line *line = subject->line;
    if (history->condition != NULL)
        gather(subject, &history->condition, 1);
    gather(subject, history->verdict.evidence, history->verdict.evidence_count);
    gather(subject, line->opened_by.evidence, line->opened_by.evidence_count);
    gather(subject, line->sources, line->source_count);
    for (size_t i = (size_t)(line - history->lines); i > 0; i--)
        gather(subject, history->lines[i - 1].sources, history->lines[i - 1].source_count);
    subject->evidence_ids = name_evidence(subject, arena);
}

static bool rests_on_retracted(const struct plan_input *input, const struct posted *posted)
{
    struct slice ids = posted->evidence_ids;
    while (ids.len > 0) {
        struct slice id = slice_take_until(&ids, ' ');
        if (is_retracted(input, id))
            return true;
    }
    return false;
}

/* --- one posting ----------------------------------------------------------------------------- */

/* A Provenance has the identity of what it speaks of, below that of its kind. */
static void identify(const struct subject *subject, enum posting_kind kind,
                     enum posting_kind target, char out[SHA256_HEX_SIZE])
{
    char bytes[256];
    struct text name = TEXT(bytes);
    text_add(&name, "%.*s", SLICE_ARGS(subject->disease));
    if (kind == POSTING_PROVENANCE)
        text_add(&name, "/%s", posting_kind_name(target));
    posting_identity(subject->input->tenant, subject->input->patient, text_slice(&name), kind, out);
}

static struct slice words_of(const struct subject *subject, enum posting_kind target,
                             struct arena *arena)
{
    char bytes[PLAN_TEXT_BYTES];
    struct text text = TEXT(bytes);
    if (subject->wish != WISH_HOLD)
        return subject->before->text;
    if (target == POSTING_CARE_PLAN)
        words_care_plan(subject, &text);
    else
        words_flag(subject, &text);
    return arena_copy(arena, words_slice(&text));
}

static void write_body(struct body *body, const struct subject *subject,
                       const struct posted *posted, const char *identity)
{
    if (posted->kind == POSTING_FLAG)
        flag_write(body, subject, identity, posted->text);
    else if (posted->kind == POSTING_CARE_PLAN)
        care_plan_write(body, subject, identity, posted->text);
    else if (posted->kind == POSTING_PROVENANCE)
        provenance_write(body, subject, posted->target);
    else
        note_write(body, subject, posted->text);
}

static bool remember(struct plan *out, const struct posted *posted)
{
    if (out->after_count == PLAN_POSTINGS_MAX)
        return false;
    out->after[out->after_count++] = *posted;
    return true;
}

/* Of what is remembered: never more than there is room for. */
static void emit(struct planner *planner, const struct subject *subject,
                 const struct posted *posted, const char *identity)
{
    struct plan *out = planner->out;
    struct posting *posting = &out->postings[out->posting_count++];
    *posting = (struct posting){ .kind = posted->kind,
                                 .type = posting_type(posted->kind),
                                 .wish = posted->wish,
                                 .disease = subject->disease,
                                 .digest = posted->digest };
    memcpy(posting->identity, identity, sizeof posting->identity);
    posting->body = arena_copy(planner->arena, buffer_slice(&planner->body.out));
}

static bool is_news(const struct posted *posted, const struct posted *before)
{
    return before == NULL || before->wish != posted->wish ||
           !sha256_equal(&before->digest, &posted->digest);
}

/* Remembers the posting and, when a destination holds another, has it written and sent. */
static bool put(struct planner *planner, const struct subject *subject, struct posted *posted,
                const struct posted *before)
{
    struct plan *out = planner->out;
    struct body *body = &planner->body;
    char identity[SHA256_HEX_SIZE];
    if (!is_news(posted, before)) {
        posted->text = before->text; /* the same meaning, so the same words */
        return remember(out, posted);
    }
    posted->text = words_of(subject, posted->target, planner->arena);
    if ((planner->input->idle_kinds & POSTING_BIT(posted->kind)) != 0)
        return remember(out, posted);
    identify(subject, posted->kind, posted->target, identity);
    body_start(body);
    write_body(body, subject, posted, identity);
    unsigned overflows = 0;
    overflows += buffer_overflowed(&body->out);
    overflows += buffer_overflowed(&body->scratch);
    overflows += buffer_overflowed(&body->note);
    if (overflows > 0)
        return false;
    if (!remember(out, posted))
        return false;
    emit(planner, subject, posted, identity);
    return true;
}

/* A Provenance says nothing new while what it speaks of is the same.  A message is only written
 * when the Flag would change: an order that is renewed must not fill anybody's inbox. */
static struct sha256 digest_of(const struct meaning *meaning, enum posting_kind target)
{
    return target == POSTING_CARE_PLAN ? meaning->care_plan : meaning->flag;
}

static bool hold(struct planner *planner, const struct history *history, const struct line *line)
{
    const struct plan_input *input = planner->input;
    struct meaning meaning;
    struct subject subject = { .input = input,
                               .disease = history->disease->key,
                               .wish = WISH_HOLD,
                               .history = history,
                               .line = line };
    gather_evidence(&subject, planner->arena);
    if (!meaning_read(&subject, &planner->body.scratch, &meaning))
        return false;
    for (size_t i = 0; i < COUNT_OF(wanted_kinds); i++) {
        if (!is_asked(input, wanted_kinds[i].kind))
            continue;
        struct posted posted = { .kind = wanted_kinds[i].kind,
                                 .target = wanted_kinds[i].target,
                                 .wish = WISH_HOLD,
                                 .disease = subject.disease,
                                 .line_id = slice_of(line->id),
                                 .digest = digest_of(&meaning, wanted_kinds[i].target),
                                 .evidence_ids = subject.evidence_ids,
                                 .start = line->start,
                                 .end = date_none() };
        if (!put(planner, &subject, &posted,
                 find(input->before, input->before_count, subject.disease, posted.kind,
                      posted.target)))
            return false;
    }
    return true;
}

/* --- what ends ------------------------------------------------------------------------------- */

static const struct history *history_of(const struct plan_input *input, struct slice disease)
{
    for (unsigned i = 0; i < input->therapy->history_count; i++)
        if (slice_eq(input->therapy->histories[i].disease->key, disease))
            return &input->therapy->histories[i];
    return NULL;
}

/* The day from the data: of death, or the end of the line that was spoken of.  Where the data names
 * none, today, which is read here only and remembered. */
static struct date end_of(const struct subject *subject, const struct history *history)
{
    const struct plan_input *input = subject->input;
    struct date end = date_none();
    if (subject->is_death)
        end = input->deceased;
    for (unsigned i = 0; !subject->is_death && history != NULL && i < history->line_count; i++)
        if (slice_is(subject->before->line_id, history->lines[i].id))
            end = words_end_day(subject, history->lines[i].end, history->lines[i].is_open);
    if (date_is_none(end))
        end = input->today;
    return date_is_before(end, subject->before->start) ? subject->before->start : end;
}

static bool end(struct planner *planner, const struct posted *before)
{
    const struct plan_input *input = planner->input;
    const struct history *history = history_of(input, before->disease);
    bool still_holds = history != NULL && salvage_line(input, history) != NULL;
    struct subject subject = {
        .input = input, .disease = before->disease, .before = before, .is_death = input->is_deceased
    };
    subject.wish =
        !still_holds && rests_on_retracted(input, before) ? WISH_IN_ERROR : WISH_INACTIVE;
    struct posted posted = *before;
    struct meaning meaning;
    subject.end = subject.wish == WISH_INACTIVE ? end_of(&subject, history) : date_none();
    if (!meaning_read(&subject, &planner->body.scratch, &meaning))
        return false;
    posted.wish = subject.wish;
    posted.end = subject.end;
    posted.digest = digest_of(&meaning, before->target);
    return put(planner, &subject, &posted, before);
}

static bool is_held(const struct plan *plan, const struct posted *posted)
{
    for (unsigned i = 0; i < plan->after_count; i++)
        if (plan->after[i].wish == WISH_HOLD && slice_eq(plan->after[i].disease, posted->disease))
            return true;
    return false;
}

/* First what comes to its end now, which must be sent; then what ended earlier, as far as there is
 * room: forgetting it costs nothing, since identities are always the same. */
static bool end_the_rest(struct planner *planner)
{
    const struct plan_input *input = planner->input;
    for (unsigned i = 0; i < input->before_count; i++) {
        const struct posted *before = &input->before[i];
        if (before->wish == WISH_HOLD && !is_held(planner->out, before) && !end(planner, before))
            return false;
    }
    for (unsigned i = 0; i < input->before_count; i++) {
        const struct posted *before = &input->before[i];
        if (before->wish != WISH_HOLD && !is_held(planner->out, before) &&
            planner->out->after_count < PLAN_POSTINGS_MAX)
            planner->out->after[planner->out->after_count++] = *before;
    }
    return true;
}

static bool plan_all(struct planner *planner)
{
    const struct plan_input *input = planner->input;
    for (unsigned i = 0; i < input->therapy->history_count && !input->is_deceased; i++) {
        const struct history *history = &input->therapy->histories[i];
        const struct line *line = salvage_line(input, history);
        if (line != NULL && !hold(planner, history, line))
            return false;
    }
    return end_the_rest(planner);
}

bool plan_make(const struct plan_input *input, struct arena *arena, struct plan *out,
               struct err *err)
{
    struct planner planner = { .input = input, .arena = arena, .out = out };
    CHECK(input->before_count <= PLAN_POSTINGS_MAX);
    out->posting_count = 0;
    out->after_count = 0;
    body_init(&planner.body);
    bool is_done = plan_all(&planner);
    body_fini(&planner.body);
    if (!is_done || arena_overflowed(arena))
        return err_fail(err, ERR_TOO_LARGE, "postings", "what is to be posted is too large");
    return true;
}
