#include "therapy/stay.h"

#include "therapy/regimen.h"

static int32_t gap_limit(const struct profile *profile, const struct line_state *line)
{
    if (!profile_has(profile, RULE_GAP))
        return RULE_OFF;
    return line->number >= 3 && profile->gap_line3plus != RULE_OFF ? profile->gap_line3plus
                                                                   : profile->gap;
}

int32_t stay_gap_limit(const struct course *course, const struct line_state *line)
{
    return gap_limit(course->profile, line);
}

void stay_note_contrast(struct course *course, const struct line_state *line, int32_t gap)
{
    if (course->other == NULL)
        return;
    int32_t own = gap_limit(course->profile, line), other = gap_limit(course->other, line);
    bool is_own = own == RULE_OFF || gap <= own, is_other = other == RULE_OFF || gap <= other;
    if (is_own != is_other)
        course->contrasts |= DIFFERS_IN_GAP;
}

static bool is_within_gap(const struct course *course, const struct line_state *line, int32_t gap)
{
    int32_t limit = stay_gap_limit(course, line);
    return limit == RULE_OFF || gap <= limit;
}

/* --- add-ons --------------------------------------------------------------------------------- */

/* The backbone goes on: another drug of the line was running and is ordered well beyond the new
 * one's start, or again within the persistence of an era.  A drug of the same class is no backbone:
 * that is a swap.  While it is too early to know, it goes on. */
static bool backbone_goes_on(struct course *course, const struct line_state *line,
                             const struct batch *batch, unsigned added)
{
    const struct rules *rules = course->engine->rules;
    int32_t day = batch->day;
    uint64_t backbone = 0;
    for (unsigned s = 0; s < course->drug_count; s++) {
        bool is_running =
            (line->taken & slot_bit(s)) != 0 && course->seen_end[s] >= day - rules->era_persistence;
        if (s == added || !is_running || course_same_class(course, s, added))
            continue;
        if (course->stated_end[s] >= day + rules->short_line)
            return true;
        backbone |= slot_bit(s);
    }
    if (backbone == 0)
        return false;
    for (unsigned i = batch->first; i < course->use_count; i++) {
        if (course->uses[i].start > day + rules->era_persistence)
            return false;
        if ((backbone & slot_bit(course->uses[i].slot)) != 0)
            return true;
    }
    engine_changes_on(course->engine, day + rules->era_persistence);
    return course->engine->as_of < day + rules->era_persistence;
}

static bool has_class_already(const struct course *course, const struct line_state *line,
                              const struct addon_rule *rule, unsigned slot)
{
    uint32_t traits = course->drugs[slot]->traits & rule->set.traits;
    for (unsigned s = 0; s < course->drug_count; s++)
        if ((line->taken & slot_bit(s)) != 0 &&
            ((course->drugs[s]->traits & traits) != 0 || course_same_class(course, s, slot)))
            return true;
    return false;
}

/* LOT-009 */
static bool is_addon(struct course *course, const struct line_state *line,
                     const struct batch *batch, unsigned slot, struct finding *finding)
{
    int32_t age = batch->day - line->start;
    for (unsigned r = 0; r < course->profile->addon_count && r < PROFILE_RULES_MAX; r++) {
        const struct addon_rule *rule = &course->profile->addons[r];
        if ((course->addons[r] & slot_bit(slot)) == 0 ||
            (rule->max_days != RULE_OFF && age > rule->max_days) ||
            (rule->if_absent_class && has_class_already(course, line, rule, slot)) ||
            (rule->needs_continuing && !backbone_goes_on(course, line, batch, slot)))
            continue;
        course->contrasts |= DIFFERS_IN_ADDONS;
        finding->source = rule->source;
        finding_operand(finding, "ageDays", age);
        if (rule->max_days != RULE_OFF)
            finding_operand(finding, "maxDays", rule->max_days);
        return true;
    }
    return false;
}

/* LOT-010: chemotherapy that completes a lone fluoropyrimidine. */
static bool is_supplement(const struct course *course, const struct line_state *line,
                          const struct batch *batch, unsigned slot, struct finding *finding)
{
    int32_t age = batch->day - line->start, limit = course->profile->supplement_days;
    bool is_lone =
        (line->taken & (line->taken - 1)) == 0 && (line->taken & course->supplement) != 0;
    if (limit == RULE_OFF || age > limit || !is_lone || (course->cytotoxic & slot_bit(slot)) == 0)
        return false;
    finding_operand(finding, "ageDays", age);
    finding_operand(finding, "maxDays", limit);
    return true;
}

/* LOT-011: the phases of one leukaemia protocol, unless the drugs speak of salvage. */
static bool is_phase(const struct course *course, const struct line_state *line,
                     const struct batch *batch, unsigned slot, struct finding *finding)
{
    int32_t gap = batch->day - line->last;
    if (!course->profile->phases_same_line || !is_within_gap(course, line, gap) ||
        (course->cell & slot_bit(slot)) != 0 || regimen_is_salvage_batch(course, batch))
        return false;
    finding_gap(finding, gap);
    finding_operand(finding, "limitDays", stay_gap_limit(course, line));
    return true;
}

/* --- maintenance ----------------------------------------------------------------------------- */

static bool is_allowed_line(const struct maintenance_rule *rule, unsigned number)
{
    return rule->lines == 0 || (number < 32 && (rule->lines >> number & 1) != 0);
}

const struct maintenance_rule *stay_continuation_rule(const struct course *course,
                                                      const struct line_state *line, unsigned slot)
{
    if (!profile_has(course->profile, RULE_MAINTENANCE))
        return NULL;
    for (unsigned r = 0; r < course->profile->maintenance_count && r < PROFILE_RULES_MAX; r++) {
        const struct maintenance_rule *rule = &course->profile->maintenance[r];
        bool is_kind = rule->kind == MAINTENANCE_CONTINUATION || rule->kind == MAINTENANCE_EITHER;
        if (is_kind && (course->maintenance[r] & slot_bit(slot)) != 0 &&
            is_allowed_line(rule, line->number))
            return rule;
    }
    return NULL;
}

uint64_t stay_continuation_slots(const struct course *course, const struct line_state *line)
{
    uint64_t slots = 0;
    for (unsigned s = 0; s < course->drug_count; s++)
        if ((line->taken & slot_bit(s)) != 0 && stay_continuation_rule(course, line, s) != NULL)
            slots |= slot_bit(s);
    return slots;
}

bool stay_continues_maintenance(const struct course *course, const struct line_state *line,
                                uint64_t slots, int32_t gap)
{
    for (unsigned s = 0; s < course->drug_count; s++) {
        if ((slots & slot_bit(s)) == 0)
            continue;
        const struct maintenance_rule *rule = stay_continuation_rule(course, line, s);
        if (rule == NULL || gap > rule->max_gap)
            return false;
    }
    return true;
}

/* How long the drug goes on from `batch`; INT32_MAX while nobody can know yet. */
static int32_t length_from(struct course *course, const struct batch *batch, unsigned slot,
                           int32_t needed)
{
    int32_t last = batch->day;
    for (unsigned i = batch->first; i < course->use_count; i++) {
        const struct use *use = &course->uses[i];
        if (use->slot == slot && use->end > last)
            last = use->end;
        if (last - batch->day >= needed)
            return last - batch->day;
    }
    engine_changes_on(course->engine, batch->day + needed);
    return course->engine->as_of - batch->day < needed ? INT32_MAX : last - batch->day;
}

/* The line already continues on a maintenance drug of its induction alone. */
static bool is_on_continuation(const struct course *course, const struct line_state *line,
                               uint64_t allowed)
{
    uint64_t continued = stay_continuation_slots(course, line) & ~allowed;
    uint64_t rest = line->taken & ~continued & ~line->switched;
    int32_t last_rest = DATE_NONE, last_continued = DATE_NONE;
    for (unsigned s = 0; s < course->drug_count; s++) {
        int32_t end = course->seen_end[s];
        if ((rest & slot_bit(s)) != 0 && end > last_rest)
            last_rest = end;
        if ((continued & slot_bit(s)) != 0 && end > last_continued)
            last_continued = end;
    }
    return rest != 0 && last_continued != DATE_NONE &&
           last_continued > last_rest + course->profile->cycle_gap;
}

/* One maintenance drug after another needs the chain of the profile. */
static bool is_chain_allowed(const struct course *course, const struct line_state *line,
                             unsigned rule, unsigned slot)
{
    uint64_t allowed = course->maintenance[rule];
    bool is_second = (line->switched & ~allowed) != 0 || is_on_continuation(course, line, allowed);
    return !is_second ||
           (course->profile->parpi_after_bevacizumab && drug_has(course->drugs[slot], TRAIT_PARPI));
}

/* A kind of drug does not maintain itself: a hormone after a hormone is the next treatment. */
static bool has_needed_induction(const struct course *course, const struct line_state *line,
                                 unsigned at)
{
    const struct maintenance_rule *rule = &course->profile->maintenance[at];
    uint64_t induction = line->taken & ~line->switched;
    return !(rule->set.traits != 0 && (induction & ~course->maintenance[at]) == 0) &&
           !(rule->needs_platinum && (induction & course->platinum) == 0) &&
           !(rule->needs_poly && (induction & (induction - 1)) == 0) &&
           line->last - line->start >= rule->min_prior;
}

/* What made up the induction is still being ordered: maintenance begins when it has stopped. */
static bool induction_goes_on(const struct course *course, const struct line_state *line,
                              const struct batch *batch, uint64_t allowed)
{
    const struct rules *rules = course->engine->rules;
    uint64_t induction =
        line->taken & ~line->switched & ~allowed & ~stay_continuation_slots(course, line);
    for (unsigned s = 0; s < course->drug_count; s++)
        if ((induction & slot_bit(s)) != 0 &&
            course->stated_end[s] >= batch->day + rules->short_line)
            return true;
    for (unsigned i = batch->first; i < course->use_count; i++) {
        if (course->uses[i].start > batch->day + rules->era_persistence)
            return false;
        if ((induction & slot_bit(course->uses[i].slot)) != 0)
            return true;
    }
    return false;
}

/* LOT-012: switch maintenance. */
static bool is_maintenance(struct course *course, const struct line_state *line,
                           const struct batch *batch, unsigned slot, struct finding *finding)
{
    int32_t gap = batch->day - line->last;
    bool is_single = (batch->slots & ~line->taken) == slot_bit(slot);
    if (!is_single || (line->earlier & slot_bit(slot)) != 0)
        return false;
    for (unsigned r = 0; r < course->profile->maintenance_count && r < PROFILE_RULES_MAX; r++) {
        const struct maintenance_rule *rule = &course->profile->maintenance[r];
        bool is_switch = rule->kind == MAINTENANCE_SWITCH || rule->kind == MAINTENANCE_EITHER;
        if (!is_switch || (course->maintenance[r] & slot_bit(slot)) == 0 ||
            !is_allowed_line(rule, line->number) || gap > rule->max_gap ||
            !has_needed_induction(course, line, r) || !is_chain_allowed(course, line, r, slot) ||
            induction_goes_on(course, line, batch, course->maintenance[r]) ||
            length_from(course, batch, slot, rule->min_length) < rule->min_length)
            continue;
        finding_gap(finding, gap);
        finding_operand(finding, "maxGapDays", rule->max_gap);
        finding->source = rule->source;
        return true;
    }
    return false;
}

/* LOT-013: one agent after the transplant of this line. */
static bool is_post_transplant(const struct course *course, const struct line_state *line,
                               const struct batch *batch, unsigned slot, struct finding *finding)
{
    int32_t transplant = line->transplant != DATE_NONE ? line->transplant : line->conditioning;
    if (transplant == DATE_NONE || batch->slots != slot_bit(slot))
        return false;
    int32_t since = batch->day - transplant;
    int32_t limit = course->profile->post_transplant_maintenance;
    for (unsigned r = 0; r < course->profile->maintenance_count && r < PROFILE_RULES_MAX; r++) {
        const struct maintenance_rule *rule = &course->profile->maintenance[r];
        if (rule->kind == MAINTENANCE_POST_TRANSPLANT &&
            (course->maintenance[r] & slot_bit(slot)) != 0 && rule->max_gap > limit)
            limit = rule->max_gap;
    }
    if (limit == RULE_OFF || since < 0 || since > limit)
        return false;
    finding_operand(finding, "sinceTransplantDays", since);
    finding_operand(finding, "maxDays", limit);
    return true;
}

/* --- swaps and plans ------------------------------------------------------------------------- */

static bool is_benign(enum stop_reason reason)
{
    return is_one_of(reason, ONE(STOP_TOXICITY) | ONE(STOP_SHORTAGE) | ONE(STOP_SIMPLIFICATION));
}

/* A reason on an order that goes on or was completed is the reason why it was made. */
static enum stop_reason made_because(const struct event *order)
{
    return is_one_of(order->status, IS_HALTED) ? STOP_NONE : order->stop_reason;
}

enum stop_reason stay_change_reason(const struct course *course, const struct line_state *line,
                                    const struct batch *batch)
{
    for (unsigned i = batch->first; i < batch->end; i++)
        if (is_benign(made_because(course->uses[i].exposure->order)))
            return made_because(course->uses[i].exposure->order);
    const struct use *latest = NULL;
    for (unsigned s = 0; s < course->drug_count; s++) {
        const struct use *use = course->seen_last[s];
        bool is_dropped = (line->taken & slot_bit(s)) != 0 && (batch->slots & slot_bit(s)) == 0;
        if (is_dropped && use != NULL && use->exposure->order->stop_reason != STOP_NONE &&
            (latest == NULL || use->end > latest->end))
            latest = use;
    }
    return latest != NULL ? latest->exposure->order->stop_reason : STOP_NONE;
}

/* LOT-014: another drug of the class because of toxicity, supply or formulary. */
static bool is_tolerated_swap(const struct course *course, const struct line_state *line,
                              const struct batch *batch, unsigned slot, struct finding *finding)
{
    int32_t gap = batch->day - line->last;
    if (course->profile->any_change_advances || !is_within_gap(course, line, gap))
        return false;
    enum stop_reason made = STOP_NONE;
    for (unsigned i = batch->first; i < batch->end; i++)
        if (course->uses[i].slot == slot)
            made = made_because(course->uses[i].exposure->order);
    for (unsigned s = 0; s < course->drug_count; s++) {
        const struct use *use = course->seen_last[s];
        bool is_dropped = (line->taken & slot_bit(s)) != 0 && (batch->slots & slot_bit(s)) == 0;
        if (!is_dropped || use == NULL || !course_same_class(course, s, slot))
            continue;
        if (!is_benign(made) && !is_benign(use->exposure->order->stop_reason))
            continue;
        finding_gap(finding, gap);
        finding_evidence(finding, use->exposure->order);
        return true;
    }
    return false;
}

static bool is_care_plan(struct slice reference)
{
    for (size_t i = 0; i + 9 <= reference.len; i++)
        if (memcmp(reference.at + i, "CarePlan/", 9) == 0)
            return true;
    return false;
}

bool stay_same_plan(const struct event *a, const struct event *b)
{
    if (a->protocol.len > 0 && slice_eq(a->protocol, b->protocol))
        return true;
    for (unsigned i = 0; i < a->based_on_count; i++)
        for (unsigned k = 0; is_care_plan(a->based_on[i]) && k < b->based_on_count; k++)
            if (slice_eq(a->based_on[i], b->based_on[k]))
                return true;
    return false;
}

/* LOT-015: one plan, or the later drug was planned before the earlier ones ended. */
bool stay_is_planned(const struct course *course, const struct line_state *line,
                     const struct batch *batch, unsigned slot)
{
    const struct engine *engine = course->engine;
    for (unsigned i = 0; i < engine->plan_count; i++)
        if (engine->plans[i].drug == course->drugs[slot] &&
            engine->plans[i].start.day >= line->start && engine->plans[i].start.day <= line->last)
            return true;
    for (unsigned n = batch->first; n < batch->end; n++) {
        const struct event *order = course->uses[n].exposure->order;
        bool has_plan = order->protocol.len > 0 || order->based_on_count > 0;
        for (unsigned i = line->first_use;
             has_plan && course->uses[n].slot == slot && i < line->use_end; i++)
            if (stay_same_plan(order, course->uses[i].exposure->order))
                return true;
    }
    return false;
}

/* --- perioperative courses ------------------------------------------------------------------- */

/* Surgery of a cancer after the line began, up to the batch; NULL when there was none. */
static const struct event *surgery_between(const struct course *course, int32_t after,
                                           int32_t until)
{
    const struct engine *engine = course->engine;
    for (unsigned i = 0; i < engine->procedure_count; i++) {
        const struct event *event = engine->procedures[i];
        bool is_surgery = event->procedure == PROCEDURE_SURGERY && event_was_done(event) &&
                          event->effective.precision != DATE_ABSENT;
        if (is_surgery && event->effective.first.day > after && event->effective.first.day <= until)
            return event;
    }
    return NULL;
}

/* All of the uses say curative, none of the line's says palliative. */
static bool is_curative_course(const struct course *course, const struct line_state *line,
                               const struct batch *batch)
{
    bool is_curative = false;
    for (unsigned i = batch->first; i < batch->end; i++)
        if (course->uses[i].exposure->order->treatment_intent != TREATMENT_CURATIVE)
            return false;
    for (unsigned i = line->first_use; i < line->use_end; i++) {
        enum treatment_intent intent = course->uses[i].exposure->order->treatment_intent;
        if (intent == TREATMENT_PALLIATIVE)
            return false;
        is_curative = is_curative || intent == TREATMENT_CURATIVE;
    }
    return is_curative;
}

/* LOT-037: what is ordered for cure before and after surgery of a solid tumour is one course. */
bool stay_is_perioperative(const struct course *course, const struct line_state *line,
                           const struct batch *batch, struct finding *finding)
{
    int32_t gap = batch->day - line->last, limit = course->engine->rules->perioperative_gap;
    if (course->disease->family != DISEASE_SOLID || gap > limit ||
        !is_curative_course(course, line, batch))
        return false;
    const struct event *surgery = surgery_between(course, line->start, batch->day);
    if (surgery == NULL)
        return false;
    finding_gap(finding, gap);
    finding_operand(finding, "limitDays", limit);
    finding_evidence(finding, surgery);
    finding->source = SLICE("house");
    return true;
}

/* --- asking them in order -------------------------------------------------------------------- */

/* RULES_SPEC 4.3d */
static const enum rule in_order[] = { RULE_ADD_EXEMPT,  RULE_SUPPLEMENT,      RULE_PHASE,
                                      RULE_MAINTENANCE, RULE_POST_TRANSPLANT, RULE_TOXICITY,
                                      RULE_PLANNED,     RULE_PERIOPERATIVE };

static bool holds(enum rule rule, struct course *course, const struct line_state *line,
                  const struct batch *batch, unsigned slot, struct finding *finding)
{
    int32_t gap = batch->day - line->last;
    if (!profile_has(course->profile, rule))
        return false;
    if (rule == RULE_ADD_EXEMPT)
        return is_addon(course, line, batch, slot, finding) && RULE_ON(ADD_EXEMPT);
    if (rule == RULE_SUPPLEMENT)
        return is_supplement(course, line, batch, slot, finding) && RULE_ON(SUPPLEMENT);
    if (rule == RULE_PHASE)
        return is_phase(course, line, batch, slot, finding) && RULE_ON(PHASE);
    if (rule == RULE_MAINTENANCE)
        return is_maintenance(course, line, batch, slot, finding) && RULE_ON(MAINTENANCE);
    if (rule == RULE_POST_TRANSPLANT)
        return is_post_transplant(course, line, batch, slot, finding) && RULE_ON(POST_TRANSPLANT);
    if (rule == RULE_TOXICITY)
        return is_tolerated_swap(course, line, batch, slot, finding) && RULE_ON(TOXICITY);
    if (rule == RULE_PERIOPERATIVE)
        return stay_is_perioperative(course, line, batch, finding) && RULE_ON(PERIOPERATIVE);
    CHECK(rule == RULE_PLANNED);
    if (!is_within_gap(course, line, gap) || !stay_is_planned(course, line, batch, slot) ||
        !RULE_ON(PLANNED))
        return false;
    finding_gap(finding, gap);
    return true;
}

enum rule stay_rule(struct course *course, const struct line_state *line, const struct batch *batch,
                    unsigned slot, struct finding *finding)
{
    enum rule first = RULE_NONE;
    for (size_t i = 0; i < COUNT_OF(in_order); i++) {
        struct finding found = { .rule = in_order[i] };
        if (!holds(in_order[i], course, line, batch, slot, &found))
            continue;
        if (first != RULE_NONE) { /* RULES_SPEC 4.1.2: later matches are listed as secondary */
            finding->also |= UINT64_C(1) << in_order[i];
            continue;
        }
        first = in_order[i];
        *finding = found;
    }
    return first;
}
