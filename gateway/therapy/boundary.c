#include "therapy/boundary.h"

void finding_operand(struct finding *finding, const char *name, int32_t value)
{
    if (finding->operand_count < LOT_OPERANDS_MAX)
        finding->operands[finding->operand_count++] = (struct operand){ name, value };
}

void finding_gap(struct finding *finding, int32_t days)
{
    finding_operand(finding, "gapDays", days > 0 ? days : 0);
}

void finding_evidence(struct finding *finding, const struct event *event)
{
    for (unsigned i = 0; i < finding->evidence_count; i++)
        if (finding->evidence[i] == event)
            return;
    if (finding->evidence_count < LOT_EVIDENCE_MAX)
        finding->evidence[finding->evidence_count++] = event;
}

void finding_batch(struct finding *finding, const struct course *course, const struct batch *batch)
{
    for (unsigned i = batch->first; i < batch->end; i++)
        finding_evidence(finding, course->uses[i].exposure->order);
}

static void add_atoms(struct finding *finding, const struct atom *const *atoms, unsigned count,
                      int32_t after, int32_t until)
{
    for (unsigned i = 0; i < count; i++)
        if (atoms[i]->day > after && atoms[i]->day <= until &&
            (atoms[i]->kind <= EVIDENCE_REFRACTORY || atoms[i]->kind == EVIDENCE_METASTASIS))
            finding_evidence(finding, atoms[i]->event);
}

void finding_atoms(struct finding *finding, const struct course *course, int32_t after,
                   int32_t until)
{
    add_atoms(finding, course->stops, course->stop_count, after, until);
    for (int strength = STRENGTH_STATUS; strength >= STRENGTH_INFERRED; strength--)
        for (unsigned i = 0; i < course->relapse_count; i++)
            if ((int)course->relapses[i]->strength == strength)
                add_atoms(finding, &course->relapses[i], 1, after, until);
    add_atoms(finding, course->others, course->other_count, after, until);
}

struct boundary finding_boundary(const struct finding *finding, struct arena *arena)
{
    struct boundary out = { .rule = finding->rule,
                            .reason = rule_reason(finding->rule),
                            .source = finding->source,
                            .also = finding->also };
    size_t operand_bytes = finding->operand_count * sizeof(struct operand);
    size_t evidence_bytes = finding->evidence_count * sizeof(struct event *);
    char *memory = arena_alloc_raw(arena, operand_bytes + evidence_bytes + 1);
    if (memory == NULL)
        return out;
    struct operand *operands = (struct operand *)(void *)memory;
    const struct event **evidence = (const struct event **)(void *)(memory + operand_bytes);
    memcpy(operands, finding->operands, operand_bytes);
    memcpy(evidence, finding->evidence, evidence_bytes);
    out.operands = operands;
    out.operand_count = finding->operand_count;
    out.evidence = evidence;
    out.evidence_count = finding->evidence_count;
    return out;
}

void line_note(struct course *course, struct line_state *line, const struct finding *finding,
               int32_t day)
{
    struct arena *arena = course->engine->arena;
    if (line->notes == NULL)
        line->notes = arena_alloc_raw(arena, LOT_REASONS_MAX * sizeof(struct line_note));
    if (line->notes == NULL || line->note_count == LOT_REASONS_MAX)
        return;
    struct boundary why = finding_boundary(finding, arena);
    if (why.source.len == 0)
        why.source = course->profile->source;
    line->notes[line->note_count++] = (struct line_note){ .why = why, .day = { day } };
}

void line_mark(struct line_state *line, enum segment_kind kind, int32_t day)
{
    struct mark *last = line->mark_count > 0 ? &line->marks[line->mark_count - 1] : NULL;
    if (last != NULL && last->kind == kind)
        return;
    if (last != NULL && last->start == day)
        last->kind = kind;
    else if (line->mark_count < LOT_SEGMENTS_MAX)
        line->marks[line->mark_count++] = (struct mark){ kind, day };
}
