#include "therapy/telling.h"

#include "base/hash.h"

static void add(struct verdict_reason *list, unsigned *count, enum rule rule, struct slice text)
{
    if (*count < LOT_REASONS_MAX)
        list[(*count)++] = (struct verdict_reason){ rule, text };
}

void telling_reason(struct telling *telling, enum rule rule, struct slice text)
{
    add(telling->reasons, &telling->reason_count, rule, text);
}

void telling_veto(struct telling *telling, enum rule rule, struct slice text)
{
    add(telling->vetoes, &telling->veto_count, rule, text);
}

static const struct verdict_reason *keep(struct arena *arena, const struct verdict_reason *list,
                                         unsigned count)
{
    struct verdict_reason *kept = arena_alloc_raw(arena, (count + 1) * sizeof(*kept));
    if (kept != NULL)
        memcpy(kept, list, count * sizeof(*kept));
    return kept;
}

void telling_keep(const struct telling *telling, struct verdict *out)
{
    out->reasons = keep(telling->arena, telling->reasons, telling->reason_count);
    out->reason_count = out->reasons != NULL ? telling->reason_count : 0;
    out->vetoes = keep(telling->arena, telling->vetoes, telling->veto_count);
    out->veto_count = out->vetoes != NULL ? telling->veto_count : 0;
}

void note_add(struct line_note *notes, unsigned *count, const struct finding *finding, int32_t day,
              struct arena *arena)
{
    if (notes != NULL && *count < LOT_REASONS_MAX)
        notes[(*count)++] =
            (struct line_note){ .why = finding_boundary(finding, arena), .day = { day } };
}

void identity_make(struct slice disease, int32_t day, const struct slice *words, unsigned count,
                   char out[33])
{
    struct slice parts[3 + 2 * LOT_DRUGS_MAX];
    char text[DATE_TEXT_SIZE], hex[SHA256_HEX_SIZE];
    size_t used = 0;
    parts[used++] = disease;
    parts[used++] = SLICE("\n");
    parts[used++] = slice_of(date_format((struct date){ day }, text));
    for (unsigned i = 0; i < count && used + 2 <= COUNT_OF(parts); i++) {
        parts[used++] = SLICE("\n");
        parts[used++] = words[i];
    }
    struct sha256 digest = sha256_of(parts, used);
    sha256_hex(&digest, hex);
    memcpy(out, hex, 32);
    out[32] = '\0';
}

int32_t condition_known(const struct event *condition)
{
    if (condition->onset.precision != DATE_ABSENT)
        return condition->onset.first.day;
    return condition->recorded.precision != DATE_ABSENT ? condition->recorded.first.day : DATE_NONE;
}

bool condition_means(const struct event *condition, enum disease_family family,
                     enum condition_meaning meaning)
{
    for (unsigned i = 0; i < condition->meaning_count; i++)
        if (condition->meanings[i].meaning == meaning &&
            condition->meanings[i].disease->family == family)
            return true;
    return false;
}
