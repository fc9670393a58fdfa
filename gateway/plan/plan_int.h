/* plan/plan_int.h -- what the files of plan/ share: one subject, four bodies. */
#pragma once

#include "base/json.h"
#include "base/text.h"
#include "plan/plan.h"

#define PLAN_TEXT_BYTES 240 /* of the words a posting is known by */

/* One disease of one patient, about which something is said. */
struct subject {
    const struct plan_input *input;
    struct slice disease; /* key */
    enum posting_wish wish;
    /* while it holds */
    const struct history *history;
    const struct line *line;
    const struct event *evidence[PLAN_EVIDENCE_MAX]; /* by id, distinct */
    unsigned evidence_count;
    struct slice evidence_ids;
    /* when it has ended */
    const struct posted *before;
    bool is_death;
    struct date end;
};

/* What it is about decides the words: a line against cancer or against HIV, or a step of renal
 * replacement. */
enum subject_field { FIELD_CANCER, FIELD_HIV, FIELD_RENAL };
static inline enum subject_field subject_field(const struct subject *subject)
{
    enum disease_family family = subject->history->disease->family;
    return family == DISEASE_HIV ? FIELD_HIV : family == DISEASE_RENAL ? FIELD_RENAL : FIELD_CANCER;
}

/* The digests of what the two kinds say; see meaning.c. */
struct meaning {
    struct sha256 flag, care_plan;
};

/* False when it does not fit into `scratch`. */
bool meaning_read(const struct subject *subject, struct buffer *scratch,
                  struct meaning *out) MUST_USE;

/* A body being written. */
struct body {
    struct json_writer json;
    struct buffer out;
    struct buffer scratch; /* of meanings, narratives and notes: one user at a time */
    struct buffer note;    /* of a message being written */
    unsigned notes;        /* of a CarePlan, written so far */
};

void body_init(struct body *body);
void body_fini(struct body *body);
/* A new one in the memory of the last. */
void body_start(struct body *body);

/* `"key":"<instance><tail>"`; the instance is a URI and may end with a slash. */
void body_instance(struct body *body, const struct subject *subject, const char *key,
                   const char *tail);
/* resourceType, meta: the beginning of every body. */
void body_open(struct body *body, const struct subject *subject, const char *type);
/* {"system":..,"code":..,"display":..} */
void body_coding(struct body *body, const char *system, const char *code, const char *display);
/* {"coding":[..],"text":..}; `text` may be NULL */
void body_concept(struct body *body, const char *system, const char *code, const char *display,
                  const char *text);
/* {"display": our Device} */
void body_device(struct body *body, const struct subject *subject);
void body_identifier(struct body *body, const struct subject *subject, const char *identity);
void body_subject(struct body *body, const struct subject *subject);
/* {"reference":"Type/id"} or "Type/id/_history/n" */
void body_reference(struct body *body, const struct event *event, bool is_versioned);
/* "period":{..}; nothing without a start */
void body_period(struct body *body, struct date start, struct date end);

void flag_write(struct body *body, const struct subject *subject, const char *identity,
                struct slice text);
void care_plan_write(struct body *body, const struct subject *subject, const char *identity,
                     struct slice title);
/* Whether the CarePlan asks this: a prompt always, a class when a drug of it was ordered. */
bool care_plan_has_text(const struct subject *subject, const struct plan_text *text);
/* The notes of a CarePlan, one after the other; each lives for the call. */
void care_plan_each_note(struct body *body, const struct subject *subject,
                         void (*put)(struct body *body, struct slice text));
/* The note of a message or document:
 * {"title":..,"subject":..,"wish":..,"text":..[,"encounter":..]} */
void note_write(struct body *body, const struct subject *subject, struct slice title);
void provenance_write(struct body *body, const struct subject *subject, enum posting_kind target);
/* "text":{"status":"generated","div":..} */
void narrative_write(struct body *body, const struct subject *subject, struct slice text);

/* --- words (words.c) ----------------------------------------------------------------------- */

/* "3", "3 (2 to 4)" or "2 or later". */
void words_number(const struct subject *subject, struct text *out);
/* "R-ICE", or the ingredients when no regimen is known by name. */
void words_regimen(const struct line *line, struct text *out);
/* "relapsed diffuse large B-cell lymphoma" */
void words_disease(const struct subject *subject, struct text *out);
void words_flag(const struct subject *subject, struct text *out);
void words_care_plan(const struct subject *subject, struct text *out);
/* Why it has ended, as a sentence. */
void words_end(const struct subject *subject, struct text *out);
/* The day a stretch of orders ended, or none while it goes on (and its end moves with today). */
struct date words_end_day(const struct subject *subject, struct date end, bool is_open);
/* "2024-01-05 to 2024-04-20", "from 2024-01-05 on" */
void words_days(const struct subject *subject, struct date start, struct date end,
                struct text *out);
/* What was built, without half a character where it was cut. */
struct slice words_slice(const struct text *text);
/* True when `id` ("Type/id") is in the list of retracted events. */
bool is_retracted(const struct plan_input *input, struct slice id);
