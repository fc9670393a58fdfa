/* plan/texts.h -- the sentences of mappings/outputs.tsv: prompts to clinicians, and theirs to edit.
 *
 * What      four columns: kind, key, text, source.  A `prompt` goes into every salvage CarePlan of
 *           a cancer, a `hiv` and a `renal` into those of HIV and of the kidneys, in the order of
 *           the file.  A `class` goes in when a drug with the trait `key` was ordered
 *           (domain/drug.h).  Texts are questions for a tumour board, never advice to treat.
 * Owns      texts live in the arena, as long as the loaded mapping.
 * Errors    every fault of the file at once, a line each: "mappings/outputs.tsv:4: key: what".
 * Thread    any; immutable once read.
 */
#pragma once

#include "base/arena.h"
#include "base/buffer.h"

#define PLAN_TEXTS_MAX 32
#define PLAN_TEXT_MAX 400 /* bytes of one text */
#define PLAN_TEXT_MARK_BYTES 16

enum plan_text_kind { PLAN_TEXT_PROMPT, PLAN_TEXT_CLASS, PLAN_TEXT_HIV, PLAN_TEXT_RENAL };

struct plan_text {
    enum plan_text_kind kind;
    struct slice key, text;
    uint32_t trait;                  /* of PLAN_TEXT_CLASS: enum drug_trait */
    char mark[PLAN_TEXT_MARK_BYTES]; /* a digest of kind, key and text */
};

struct plan_texts {
    struct plan_text list[PLAN_TEXTS_MAX];
    unsigned count;
};

/* `file` is the name that faults carry.  False when there was a fault; *out is then untouched. */
bool plan_texts_read(struct slice tsv, const char *file, struct arena *arena,
                     struct plan_texts *out, struct buffer *faults) MUST_USE;
