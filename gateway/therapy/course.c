#include "therapy/course.h"

#include "therapy/exposure.h"
#include "therapy/left_out.h"

/* --- slots ----------------------------------------------------------------------------------- */

/* Unmapped drugs are the same only when their names are: other texts never match. */
static bool is_same_drug(const struct drug *a, const struct drug *b)
{
    return a == b ||
           (a->group == DRUG_UNKNOWN && b->group == DRUG_UNKNOWN && slice_eq(a->name, b->name));
}

static unsigned slot_of(const struct course *course, const struct drug *drug)
{
    for (unsigned i = 0; i < course->drug_count; i++)
        if (is_same_drug(course->drugs[i], drug))
            return i;
    return SLOT_NONE;
}

/* LOT-022: what the disease's backbone is neither opens nor closes nor names a line. */
static bool is_ignored(const struct course *course, const struct drug *drug)
{
    return course->profile->ignore_backbone_for_lines &&
           drug_set_has(&course->profile->backbone, drug) && RULE_ON(BACKBONE);
}

/* LOT-027: what ended before the diagnosis was for something else. */
static bool is_before_diagnosis(const struct course *course, const struct exposure *exposure)
{
    int32_t diagnosed = course->cancer->diagnosed;
    int32_t lookback = course->engine->rules->diagnosis_lookback;
    return diagnosed != DATE_NONE && exposure->start.day < diagnosed - lookback &&
           exposure->stated_end.day < diagnosed + lookback && RULE_ON(DIAGNOSIS);
}

static bool add_use(struct course *course, const struct exposure *exposure, struct err *err)
{
    unsigned slot = slot_of(course, exposure->drug);
    if (slot == SLOT_NONE) {
        if (course->drug_count == LOT_DRUGS_MAX)
            return err_fail(err, ERR_TOO_LARGE, "therapy", "more than %d drugs for one disease",
                            LOT_DRUGS_MAX);
        slot = course->drug_count++;
        course->drugs[slot] = exposure->drug;
    }
    course->uses[course->use_count++] = (struct use){ .start = exposure->start.day,
                                                      .end = exposure->end.day,
                                                      .slot = (uint8_t)slot,
                                                      .exposure = exposure };
    course->is_ambiguous = course->is_ambiguous || exposure->is_ambiguous;
    return true;
}

static bool collect_uses(struct course *course, struct err *err)
{
    struct engine *engine = course->engine;
    size_t most = engine->exposure_count + 1;
    course->uses = arena_alloc_raw(engine->arena, most * sizeof(struct use));
    course->steroids = arena_alloc_raw(engine->arena, most * sizeof(struct exposure *));
    if (course->uses == NULL || course->steroids == NULL)
        return err_fail(err, ERR_TOO_LARGE, "therapy", "too many orders for one derivation");
    for (unsigned i = 0; i < engine->exposure_count; i++) {
        const struct exposure *exposure = &engine->exposures[i];
        if ((exposure->diseases & course->bit) == 0)
            continue;
        bool makes_lines = exposure_makes_lines(exposure->drug); /* LOT-030 */
        if (is_before_diagnosis(course, exposure)) {
            if (makes_lines)
                left_out_note(engine, exposure->order, RULE_DIAGNOSIS);
        } else if (!makes_lines) {
            course->steroids[course->steroid_count++] = exposure;
        } else if (is_ignored(course, exposure->drug)) {
            left_out_note(engine, exposure->order, RULE_BACKBONE);
        } else if (!add_use(course, exposure, err)) {
            return false;
        }
    }
    return true;
}

/* --- what the profile says about each slot --------------------------------------------------- */

static uint64_t slots_of_set(const struct course *course, const struct drug_set *set)
{
    uint64_t slots = 0;
    if (set->drug_count == 0 && set->traits == 0)
        return 0;
    for (unsigned i = 0; i < course->drug_count; i++)
        if (drug_set_has(set, course->drugs[i]))
            slots |= slot_bit(i);
    return slots;
}

static uint64_t slots_of_trait(const struct course *course, uint32_t traits)
{
    uint64_t slots = 0;
    for (unsigned i = 0; i < course->drug_count; i++)
        if ((course->drugs[i]->traits & traits) != 0)
            slots |= slot_bit(i);
    return slots;
}

static void read_profile(struct course *course)
{
    const struct profile *profile = course->profile;
    course->exempt = slots_of_set(course, &profile->gap_exempt);
    course->supplement = slots_of_set(course, &profile->supplement_base);
    course->rechallenge = slots_of_set(course, &profile->rechallenge);
    course->cell = slots_of_trait(course, TRAIT_CELL_THERAPY);
    course->depletion = slots_of_trait(course, TRAIT_LYMPHODEPLETION);
    course->conditioning = slots_of_trait(course, TRAIT_CONDITIONING);
    course->platinum = slots_of_trait(course, TRAIT_PLATINUM);
    course->cytotoxic = slots_of_trait(course, TRAIT_CYTOTOXIC | TRAIT_PLATINUM);
    for (unsigned i = 0; i < course->drug_count; i++) {
        course->seen_end[i] = course->stated_end[i] = DATE_NONE;
        if (course->drugs[i]->group == DRUG_UNKNOWN)
            course->unknown |= slot_bit(i);
    }
    for (unsigned i = 0; i < profile->addon_count && i < PROFILE_RULES_MAX; i++)
        course->addons[i] = slots_of_set(course, &profile->addons[i].set);
    for (unsigned i = 0; i < profile->maintenance_count && i < PROFILE_RULES_MAX; i++)
        course->maintenance[i] = slots_of_set(course, &profile->maintenance[i].set);
    for (unsigned i = 0; i < profile->substitution_count; i++) {
        uint64_t group = slots_of_set(course, &profile->substitutions[i].set);
        if ((group & (group - 1)) == 0)
            continue;
        for (unsigned slot = 0; slot < course->drug_count; slot++)
            if ((group & slot_bit(slot)) != 0)
                course->substitutes[slot] |= group & ~slot_bit(slot);
    }
}

/* --- evidence -------------------------------------------------------------------------------- */

static bool collect_evidence(struct course *course, struct err *err)
{
    struct engine *engine = course->engine;
    size_t bytes = ((size_t)engine->atom_count + 1) * sizeof(struct atom *);
    course->relapses = arena_alloc_raw(engine->arena, bytes);
    course->stops = arena_alloc_raw(engine->arena, bytes);
    course->others = arena_alloc_raw(engine->arena, bytes);
    if (arena_overflowed(engine->arena))
        return err_fail(err, ERR_TOO_LARGE, "therapy", "too much evidence for one derivation");
    for (unsigned i = 0; i < engine->atom_count; i++) {
        const struct atom *atom = &engine->atoms[i];
        if ((atom->diseases & course->bit) == 0)
            continue;
        if (atom->strength == STRENGTH_STOP)
            course->stops[course->stop_count++] = atom;
        else if (atom->kind == EVIDENCE_RELAPSE || atom->kind == EVIDENCE_PROGRESSION ||
                 atom->kind == EVIDENCE_REFRACTORY)
            course->relapses[course->relapse_count++] = atom;
        else
            course->others[course->other_count++] = atom;
    }
    return true;
}

static void insert_transplant(struct course *course, struct transplant transplant)
{
    unsigned at = course->transplant_count++;
    for (; at > 0 && transplant.day < course->transplants[at - 1].day; at--)
        course->transplants[at] = course->transplants[at - 1];
    course->transplants[at] = transplant;
}

static void insert_apheresis(struct course *course, int32_t day)
{
    unsigned at = course->apheresis_count++;
    for (; at > 0 && day < course->aphereses[at - 1]; at--)
        course->aphereses[at] = course->aphereses[at - 1];
    course->aphereses[at] = day;
}

/* Procedures name no disease here: they concern every cancer that has a rule for them. */
static bool collect_procedures(struct course *course, struct err *err)
{
    struct engine *engine = course->engine;
    if (engine->procedure_count == 0)
        return true;
    course->transplants =
        arena_alloc_raw(engine->arena, engine->procedure_count * sizeof(struct transplant));
    course->aphereses = arena_alloc_raw(engine->arena, engine->procedure_count * sizeof(int32_t));
    if (arena_overflowed(engine->arena))
        return err_fail(err, ERR_TOO_LARGE, "therapy", "too many procedures for one derivation");
    for (unsigned i = 0; i < engine->procedure_count; i++) {
        const struct event *event = engine->procedures[i];
        int32_t day = event->effective.first.day;
        if (event->effective.precision == DATE_ABSENT || !event_was_done(event))
            continue;
        if (day > engine->as_of)
            engine_changes_on(engine, day);
        else if (event->procedure == PROCEDURE_TRANSPLANT_AUTOLOGOUS ||
                 event->procedure == PROCEDURE_TRANSPLANT_ALLOGENEIC ||
                 event->procedure == PROCEDURE_TRANSPLANT_CELLS)
            insert_transplant(course, (struct transplant){ day, event });
        else if (event->procedure == PROCEDURE_APHERESIS)
            insert_apheresis(course, day);
    }
    return true;
}

static bool collect_infusions(struct course *course, struct err *err)
{
    if (course->cell == 0)
        return true;
    course->infusions = arena_alloc_raw(course->engine->arena, course->use_count * sizeof(int32_t));
    if (course->infusions == NULL)
        return err_fail(err, ERR_TOO_LARGE, "therapy", "too many orders for one derivation");
    for (unsigned i = 0; i < course->use_count; i++)
        if ((course->cell & slot_bit(course->uses[i].slot)) != 0)
            course->infusions[course->infusion_count++] = course->uses[i].start;
    return true;
}

/* Codes that name only "lung": the drugs may tell which of the diseases within it is meant. */
static const struct disease *refine_disease(const struct course *course)
{
    const struct rules *rules = course->engine->rules;
    const struct disease *found = NULL;
    for (unsigned d = 0; d < rules->disease_count; d++) {
        const struct disease *disease = rules->diseases[d];
        if (disease->within != course->disease)
            continue;
        bool is_identified = false;
        for (unsigned i = 0; i < course->drug_count && !is_identified; i++)
            is_identified = disease_identified_by(disease, course->drugs[i]);
        if (is_identified && found != NULL)
            return course->disease; /* two of them: nobody can tell */
        if (is_identified)
            found = disease;
    }
    return found != NULL ? found : course->disease;
}

bool course_init(struct course *course, struct engine *engine, unsigned cancer, struct err *err)
{
    memset(course, 0, offsetof(struct course, drugs));
    memset(&course->uses, 0, sizeof *course - offsetof(struct course, uses));
    course->drug_count = 0;
    course->engine = engine;
    course->cancer = &engine->cancers[cancer];
    course->disease = course->cancer->disease;
    course->bit = UINT32_C(1) << cancer;
    const struct profile *profile = rules_profile(engine->rules, course->disease);
    course->profile = profile != NULL ? profile : engine->rules->generic;
    if (!collect_uses(course, err))
        return false;
    const struct disease *refined = refine_disease(course);
    const struct profile *refined_profile = rules_profile(engine->rules, refined);
    if (refined != course->disease && refined_profile != NULL) {
        course->disease = refined;
        course->profile = refined_profile;
    }
    read_profile(course);
    return collect_evidence(course, err) && collect_procedures(course, err) &&
           collect_infusions(course, err);
}

/* --- questions ------------------------------------------------------------------------------- */

/* The first atom later than `after`. */
static unsigned first_after(const struct atom *const *atoms, unsigned count, int32_t after)
{
    unsigned low = 0, high = count;
    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        if (atoms[middle]->day <= after)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct atom *course_relapse_between(const struct course *course, int32_t after, int32_t until)
{
    unsigned at = first_after(course->relapses, course->relapse_count, after);
    return at < course->relapse_count && course->relapses[at]->day <= until ? course->relapses[at]
                                                                            : NULL;
}

static const struct atom *stop_between(const struct course *course, const struct line_state *line,
                                       int32_t until)
{
    for (unsigned i = first_after(course->stops, course->stop_count, line->start);
         i < course->stop_count && course->stops[i]->day <= until; i++)
        if (course->stops[i]->order_start >= line->start ||
            course->stops[i]->order_start == INT32_MIN)
            return course->stops[i];
    return NULL;
}

/* EVD-009: what is recorded soon after the start of a later line explains that start and is not
 * asked again; the stop of one of its own orders always is. */
const struct atom *course_relapse(const struct course *course, const struct line_state *line,
                                  int32_t until)
{
    const struct atom *stop = stop_between(course, line, until);
    const struct atom *relapse = course_relapse_between(course, line->answered, until);
    if (stop != NULL && (relapse == NULL || stop->day <= relapse->day))
        return stop;
    return relapse;
}

const struct atom *course_late_evidence(const struct course *course, const struct line_state *line,
                                        const struct batch *batch)
{
    int32_t lookahead = course->engine->rules->relapse_lookahead;
    int32_t after = batch->day > line->start ? batch->day : line->start;
    const struct atom *late = course_relapse_between(course, after, batch->day + lookahead);
    if (late == NULL || !RULE_ON(EVD_LATE))
        return NULL;
    for (unsigned i = batch->end; i < course->use_count; i++) {
        const struct use *use = &course->uses[i];
        if (use->start > late->day + lookahead)
            break;
        if ((slot_bit(use->slot) & (line->taken | batch->slots)) == 0)
            return NULL; /* a later new agent is nearer */
    }
    return late;
}

bool course_is_castration_resistant(const struct course *course, int32_t day)
{
    for (unsigned i = 0; i < course->other_count; i++)
        if (course->others[i]->kind == EVIDENCE_CASTRATION && course->others[i]->day <= day)
            return true;
    return false;
}

const struct atom *course_remission(const struct course *course, int32_t after, int32_t until)
{
    for (unsigned i = first_after(course->others, course->other_count, after);
         i < course->other_count && course->others[i]->day <= until; i++)
        if (course->others[i]->kind == EVIDENCE_REMISSION)
            return course->others[i];
    return NULL;
}

const struct atom *course_control(const struct course *course, int32_t after, int32_t until)
{
    const struct atom *found = NULL;
    for (unsigned i = first_after(course->others, course->other_count, after);
         i < course->other_count && course->others[i]->day <= until; i++)
        if (course->others[i]->kind == EVIDENCE_RESPONSE ||
            course->others[i]->kind == EVIDENCE_STABLE)
            found = course->others[i];
    return found;
}

bool course_same_class(const struct course *course, unsigned a, unsigned b)
{
    const struct drug *first = course->drugs[a], *second = course->drugs[b];
    return first->group != DRUG_UNKNOWN && first->drug_class.len > 0 &&
           slice_eq(first->drug_class, second->drug_class);
}

const struct drug *const *course_drugs(const struct course *course, uint64_t slots, unsigned *count)
{
    *count = (unsigned)__builtin_popcountll(slots);
    const struct drug **drugs =
        arena_alloc_raw(course->engine->arena, (*count + 1) * sizeof(struct drug *));
    unsigned filled = 0;
    for (unsigned i = 0; drugs != NULL && i < course->drug_count; i++) {
        if ((slots & slot_bit(i)) == 0)
            continue;
        unsigned at = filled++;
        for (; at > 0 && slice_cmp(course->drugs[i]->name, drugs[at - 1]->name) < 0; at--)
            drugs[at] = drugs[at - 1];
        drugs[at] = course->drugs[i];
    }
    if (drugs == NULL)
        *count = 0;
    return drugs;
}
