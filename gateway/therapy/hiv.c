#include "base/text.h"
#include "therapy/hiv_int.h"

#include "therapy/attribute.h"
#include "therapy/left_out.h"
/* --- HIV-001: the diagnosis ------------------------------------------------------------------ */

/* Codes that say the patient has HIV: "history of" does not, a disease that comes with it does. */
static const struct disease *hiv_of(const struct condition_code *codes, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (codes[i].disease->family == DISEASE_HIV && codes[i].meaning != MEANS_HISTORY)
            return codes[i].disease;
    return NULL;
}

static void take_disease(struct chronic *hiv, const struct disease *disease,
                         const struct event *condition, int32_t day)
{
    bool is_earlier = hiv->known == DATE_NONE || (day != DATE_NONE && day < hiv->known);
    hiv->disease = hiv->disease != NULL ? hiv->disease : disease;
    if (condition != NULL && (hiv->condition == NULL || (is_earlier && day != DATE_NONE)))
        hiv->condition = condition;
    if (day != DATE_NONE && is_earlier)
        hiv->known = day;
}

void hiv_find(struct engine *engine)
{
    struct chronic *hiv = &engine->hiv;
    *hiv = (struct chronic){ .known = DATE_NONE, .bit = DISEASES_NONE };
    for (unsigned i = 0; i < engine->condition_count; i++) {
        const struct event *condition = engine->conditions[i];
        const struct disease *disease = hiv_of(condition->meanings, condition->meaning_count);
        if (disease != NULL && condition_counts(condition))
            take_disease(hiv, disease, condition, condition_known(condition));
    }
    for (unsigned i = 0; i < engine->order_count; i++) {
        const struct event *order = engine->orders[i];
        const struct disease *disease = hiv_of(order->reasons, order->reason_count);
        if (disease != NULL && order->status != STATUS_ENTERED_IN_ERROR)
            take_disease(hiv, disease, NULL,
                         order->authored_on.precision != DATE_ABSENT ? order->authored_on.first.day
                                                                     : DATE_NONE);
    }
}

/* --- the name of a regimen ------------------------------------------------------------------- */

static bool label_before(const struct arv *a, const struct arv *b)
{
    static const unsigned places[] = {
        [ARV_NRTI] = 0,   [ARV_NNRTI] = 1, [ARV_INSTI] = 2,  [ARV_ENTRY] = 3,
        [ARV_CAPSID] = 4, [ARV_PI] = 5,    [ARV_BOOSTER] = 6
    };
    if (a->kind != b->kind)
        return places[a->kind] < places[b->kind];
    int order = slice_cmp(a->label, b->label); /* TDF/3TC, ABC/3TC, AZT/3TC, TAF/FTC */
    return a->kind == ARV_NRTI ? order > 0 : order < 0;
}

/* "TDF/3TC/DTG", "ABC/3TC/DTG/DRV/r": backbone, anchors, and the booster of what is boosted. */
static struct slice name_of(const struct hiv_course *course, const struct art *art)
{
    const struct arv *sorted[LOT_DRUGS_MAX];
    char bytes[200];
    struct text name = TEXT(bytes);
    unsigned count = 0;
    uint64_t drugs = hiv_drugs(course, art->slots);
    for (unsigned s = 0; s < course->slot_count; s++)
        if ((drugs & slot_bit(s)) != 0 && course->slots[s].arv->boosted != BOOSTED_NEVER)
            drugs |= art->boosters;
    for (unsigned s = 0; s < course->slot_count; s++) {
        if ((drugs & slot_bit(s)) == 0 || course->slots[s].is_dose)
            continue;
        unsigned at = count++;
        for (; at > 0 && label_before(course->slots[s].arv, sorted[at - 1]); at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = course->slots[s].arv;
    }
    for (unsigned i = 0; i < count; i++)
        text_add(&name, "%s%.*s", i > 0 ? "/" : "", SLICE_ARGS(sorted[i]->label));
    return arena_copy(course->engine->arena, text_slice(&name));
}

/* --- lines ----------------------------------------------------------------------------------- */

static int32_t clipped(const struct hiv_course *course, int32_t day)
{
    return day > course->engine->as_of ? course->engine->as_of : day;
}

/* Each regimen of the line is a segment; of very many the last ones. */
static void make_segments(const struct hiv_course *course, const struct hiv_line *line,
                          struct line *out)
{
    unsigned first = line->first;
    if (line->end - first > LOT_SEGMENTS_MAX)
        first = line->end - LOT_SEGMENTS_MAX;
    struct segment *segments =
        ARENA_ARRAY(course->engine->arena, struct segment, line->end - first);
    for (unsigned i = first; segments != NULL && i < line->end; i++) {
        const struct art *art = &course->regimens[i];
        int32_t end = clipped(course, art->end);
        if (i + 1 < course->regimen_count && end >= course->regimens[i + 1].start)
            end = course->regimens[i + 1].start - 1;
        struct segment *segment = &segments[out->segment_count++];
        segment->kind = SEGMENT_REGIMEN;
        segment->start.day = art->start;
        segment->end.day = end > art->start ? end : art->start;
        segment->drugs = hiv_drug_list(course, art->slots, &segment->drug_count);
    }
    out->segments = segments;
}

/* The orders of the line's drugs that started in it; of the first also what already went on. */
static void make_sources(const struct hiv_course *course, uint64_t slots, bool is_first,
                         int32_t from, int32_t until, struct line *out)
{
    const struct event **sources =
        arena_alloc_raw(course->engine->arena, (course->use_count + 1) * sizeof(*sources));
    for (unsigned i = 0; sources != NULL && i < course->use_count; i++) {
        const struct exposure *use = course->uses[i];
        bool is_there = use->start.day >= from || (is_first && use->end.day >= from);
        if ((slots & slot_bit(course->use_slots[i])) == 0 || !is_there || use->start.day >= until)
            continue;
        course->is_in_line[i] = true;
        out->proof |= use->proof;
        bool is_listed = false; /* the drugs of one order stand close together */
        unsigned count = out->source_count;
        for (unsigned k = count; k-- > 0 && count - k <= EVENT_DRUGS_MAX;)
            is_listed = is_listed || sources[k] == use->order;
        if (!is_listed)
            sources[out->source_count++] = use->order;
    }
    out->sources = sources;
}

static void make_identity(const struct hiv_course *course, const struct hiv_line *line,
                          struct line *out)
{
    struct slice words[LOT_DRUGS_MAX];
    unsigned count = 0, drug_count;
    const struct drug *const *drugs =
        hiv_drug_list(course, course->regimens[line->first].slots, &drug_count);
    for (unsigned i = 0; drugs != NULL && i < drug_count && count < LOT_DRUGS_MAX; i++)
        words[count++] = drugs[i]->name;
    for (unsigned i = 0; i < out->source_count && count < LOT_DRUGS_MAX; i++)
        words[count++] = out->sources[i]->id;
    identity_make(course->engine->hiv.disease->key, line->start, words, count, out->id);
}

static void finish_line(const struct hiv_course *course, unsigned at, struct line *out)
{
    const struct hiv_line *line = &course->lines[at];
    const struct art *last = &course->regimens[line->end - 1];
    const struct hiv_line *next = at + 1 < course->line_count ? &course->lines[at + 1] : NULL;
    uint64_t slots = 0;
    for (unsigned i = line->first; i < line->end; i++)
        slots |= course->regimens[i].slots;
    out->number = line->number;
    out->number_min = line->least;
    out->number_max = line->most;
    out->start.day = line->start;
    out->end.day = clipped(course, last->end);
    if (next != NULL && out->end.day >= next->start)
        out->end.day = next->start - 1;
    out->is_open = next == NULL && last->end > course->engine->as_of;
    if (out->is_open && last->end != FOREVER) /* what was injected works on */
        engine_changes_on(course->engine, last->end);
    out->drugs = hiv_drug_list(course, slots, &out->drug_count);
    out->regimen = name_of(course, last);
    make_segments(course, line, out);
    out->opened_by = line->opened_by;
    if (next != NULL)
        out->closed_by = next->opened_by;
    out->notes = line->notes;
    out->note_count = line->note_count;
    make_sources(course, hiv_drugs(course, slots) | course->kinds[ARV_BOOSTER], at == 0,
                 line->start, next != NULL ? next->start : FOREVER, out);
    make_identity(course, line, out);
}

/* --- classes --------------------------------------------------------------------------------- */

static bool has_failed(const struct hiv_course *course, uint64_t slots)
{
    for (unsigned i = 1; i < course->line_count; i++)
        for (unsigned k = course->lines[i - 1].first;
             course->lines[i].is_failure && k < course->lines[i - 1].end; k++)
            if ((course->regimens[k].slots & slots) != 0)
                return true;
    return false;
}

/* Prior exposure by kind; a kind has failed when a line with it was followed by failure. */
static void make_classes(const struct hiv_course *course, struct history *out)
{
    struct class_exposure *classes =
        ARENA_ARRAY(course->engine->arena, struct class_exposure, ARV_BOOSTER);
    unsigned count = 0;
    for (unsigned kind = 0; classes != NULL && kind < ARV_BOOSTER; kind++) {
        if (course->kinds[kind] == 0)
            continue;
        struct class_exposure made = { .first = date_none(), .last = date_none() };
        uint64_t slots = course->kinds[kind];
        made.drugs = hiv_drug_list(course, slots, &made.drug_count);
        made.drug_class =
            course->slots[__builtin_ctzll(slots)].arv->drug->drug_class; /* NRTI, INSTI ... */
        for (unsigned i = 0; i < course->use_count; i++) {
            const struct exposure *use = course->uses[i];
            if ((slots & slot_bit(course->use_slots[i])) == 0)
                continue;
            if (date_is_none(made.first))
                made.first = use->start;
            if (date_is_none(made.last) || date_is_before(made.last, use->end))
                made.last = use->end;
        }
        made.failed = has_failed(course, slots);
        unsigned at = count++;
        for (; at > 0 && slice_cmp(made.drug_class, classes[at - 1].drug_class) < 0; at--)
            classes[at] = classes[at - 1];
        classes[at] = made;
    }
    out->classes = classes;
    out->class_count = count;
}

/* --- orders that are in no line -------------------------------------------------------------- */

/* Antiretrovirals without a pause, with what they may have been for. */
struct episode {
    int32_t start, end;
    uint64_t slots;
    unsigned first, past; /* uses */
};

static enum rule purpose_of(const struct hiv_course *course, const struct episode *episode,
                            struct slice *text)
{
    uint64_t drugs = hiv_drugs(course, episode->slots) & ~course->kinds[ARV_BOOSTER];
    const struct hiv_slot *only =
        drugs != 0 && (drugs & (drugs - 1)) == 0 ? &course->slots[__builtin_ctzll(drugs)] : NULL;
    enum arv_alone alone = only != NULL ? only->arv->alone : ALONE_NOTHING;
    bool is_short = episode->end != FOREVER && episode->end - episode->start <= course->rules->pep;
    if (alone == ALONE_HEPATITIS_B && RULE_ON(HIV_HEPATITIS_B)) {
        *text = SLICE("ordered alone and without HIV on record: it may be for hepatitis B");
        return RULE_HIV_HEPATITIS_B;
    }
    if (is_short && alone != ALONE_PREP && RULE_ON(HIV_PEP)) {
        *text = arena_format(course->engine->arena,
                             "ordered for %d days without HIV on record: prophylaxis after "
                             "exposure (at most %d days)",
                             episode->end - episode->start, course->rules->pep);
        return RULE_HIV_PEP;
    }
    bool is_backbone = (drugs & course->anchors) == 0;
    if ((alone == ALONE_PREP || is_backbone) && drugs != 0 && RULE_ON(HIV_PREP)) {
        *text = SLICE("ordered without HIV on record, and no regimen against HIV: prophylaxis "
                      "before exposure");
        return RULE_HIV_PREP;
    }
    *text = SLICE("antiretrovirals were ordered, and no HIV is on record");
    return RULE_HIV_DIAGNOSIS;
}

static void set_aside_episode(struct hiv_course *course, const struct episode *episode)
{
    struct slice text;
    enum rule rule = purpose_of(course, episode, &text);
    if (rule == RULE_HIV_DIAGNOSIS && !RULE_ON(HIV_DIAGNOSIS))
        return;
    for (unsigned i = episode->first; i < episode->past; i++)
        left_out_tell(course->engine, course->uses[i]->order, rule, text);
}

/* The uses from `first` on, up to `past`, by episodes. */
static void set_aside_uses(struct hiv_course *course, unsigned first, unsigned past)
{
    struct episode episode = { .past = first };
    for (unsigned i = first; i < past; i++) {
        const struct exposure *use = course->uses[i];
        int32_t end = use->is_open ? FOREVER : use->end.day;
        bool is_new = episode.past == episode.first ||
                      (episode.end != FOREVER &&
                       use->start.day - episode.end > course->engine->rules->era_persistence);
        if (is_new && episode.past > episode.first)
            set_aside_episode(course, &episode);
        if (is_new)
            episode = (struct episode){ use->start.day, end, 0, i, i };
        episode.slots |= slot_bit(course->use_slots[i]);
        episode.end = end > episode.end ? end : episode.end;
        episode.past = i + 1;
    }
    if (episode.past > episode.first)
        set_aside_episode(course, &episode);
}

static bool has_antiretrovirals(const struct engine *engine)
{
    for (unsigned i = 0; i < engine->exposure_count; i++)
        if (engine->exposures[i].drug->group == DRUG_ANTIRETROVIRAL)
            return true;
    return false;
}

void hiv_set_aside(struct engine *engine)
{
    if (engine->hiv.disease != NULL || !has_antiretrovirals(engine))
        return;
    struct hiv_course course = { .engine = engine, .rules = &engine->rules->hiv };
    struct err ignored;
    if (hiv_collect(&course, &ignored))
        set_aside_uses(&course, 0, course.use_count);
}

/* What was ordered before the first line, and ended before HIV was known, was prophylaxis; what
 * else is in no line was no regimen. */
static void set_aside_rest(struct hiv_course *course)
{
    int32_t known = course->engine->hiv.known;
    unsigned before = 0;
    while (before < course->use_count && known != DATE_NONE && !course->is_in_line[before] &&
           !course->uses[before]->is_open && course->uses[before]->end.day < known)
        before++;
    set_aside_uses(course, 0, before);
    for (unsigned i = before; i < course->use_count; i++)
        if (!course->is_in_line[i])
            left_out_tell(course->engine, course->uses[i]->order, RULE_HIV_REGIMEN,
                          SLICE("ordered without an anchor, alone, or for too short a time: no "
                                "regimen against HIV"));
}

/* --- the history ----------------------------------------------------------------------------- */

bool hiv_derive(struct engine *engine, struct history *out, struct err *err)
{
    struct hiv_course course = { .engine = engine, .rules = &engine->rules->hiv };
    if (!hiv_collect(&course, err) || !hiv_make_regimens(&course, err) ||
        !hiv_collect_failures(&course, err) || !hiv_make_lines(&course, err))
        return false;
    for (unsigned i = 0; i < course.failure_count; i++)
        hiv_tell_failure(&course, &course.failures[i]);
    struct line *lines = ARENA_ARRAY(engine->arena, struct line, course.line_count + 1);
    for (unsigned i = 0; lines != NULL && i < course.line_count; i++)
        finish_line(&course, i, &lines[i]);
    out->disease = engine->hiv.disease;
    out->rules = SLICE("lifeline"); /* no rule set of others speaks of it */
    out->condition = engine->hiv.condition;
    out->lines = lines;
    out->line_count = lines != NULL ? course.line_count : 0;
    hiv_reach_verdict(&course, &out->verdict);
    make_classes(&course, out);
    set_aside_rest(&course);
    return true;
}
