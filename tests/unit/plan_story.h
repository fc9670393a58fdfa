/* What the tests of plan/ share: an input with the usual answers, and the real texts. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/text.h"
#include "plan/plan.h"
#include "plan/posted_pack.h"
#include "support/therapy_fixture.h"

static inline struct plan_input story_input(const struct fixture *fixture)
{
    static const struct sha256 rule_set = { { 0xab, 0xcd, 0xef } };
    return (struct plan_input){ .tenant = SLICE("north"),
                                .patient = SLICE("Patient/p1"),
                                .therapy = &fixture->therapy,
                                .rule_set = &rule_set,
                                .instance = SLICE("https://gateway.example/lifeline"),
                                .device = SLICE("Lifeline 0.1.0"),
                                .today = fixture->therapy.as_of };
}

static inline void story_make(const struct plan_input *input, struct arena *arena,
                              struct plan *plan)
{
    struct err err;
    if (!plan_make(input, arena, plan, &err))
        fail_msg("%s: %s", err.where, err.what);
}

static inline const struct posting *story_posting(const struct plan *plan, enum posting_kind kind)
{
    for (unsigned i = 0; i < plan->posting_count; i++)
        if (plan->postings[i].kind == kind)
            return &plan->postings[i];
    fail_msg("no posting of kind %s", posting_kind_name(kind));
    return NULL;
}

static inline bool story_has(struct slice body, const char *text)
{
    return memmem(body.at, body.len, text, strlen(text)) != NULL;
}

static inline void story_read_texts(struct arena *arena, struct plan_texts *texts)
{
    static char bytes[1 << 16];
    struct buffer faults;
    FILE *file = fopen(SOURCE_DIR "/mappings/outputs.tsv", "rb");
    assert_non_null(file);
    size_t len = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    buffer_init(&faults, 1 << 16);
    if (!plan_texts_read((struct slice){ bytes, len }, "mappings/outputs.tsv", arena, texts,
                         &faults))
        fail_msg("%.*s", (int)faults.len, faults.at);
    buffer_fini(&faults);
}
