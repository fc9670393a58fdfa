/* tests/support/therapy_fixture.h -- answers of the engine, made by hand.
 *
 * What      for tests of what comes behind the engine: the postings, the reports.  The patients are
 *           of the style of the sample patients, their therapies written from published regimens.
 * Owns      everything lives in the fixture; a therapy borrows from it.
 */
#pragma once

#include "domain/line.h"

#define FIXTURE_DISEASES_MAX 4
#define FIXTURE_LINES_MAX 8
#define FIXTURE_DRUGS_MAX 64
#define FIXTURE_EVENTS_MAX 128
#define FIXTURE_TEXT_MAX 4096

struct fixture_disease {
    struct disease disease;
    struct line lines[FIXTURE_LINES_MAX];
    const struct drug *line_drugs[FIXTURE_LINES_MAX][FIXTURE_DRUGS_MAX];
    const struct event *line_orders[FIXTURE_LINES_MAX][FIXTURE_DRUGS_MAX];
    struct class_exposure classes[8];
    const struct drug *class_drugs[8][FIXTURE_DRUGS_MAX];
    struct verdict_reason reasons[LOT_REASONS_MAX];
    const struct event *evidence[LOT_EVIDENCE_MAX];
};

struct fixture {
    struct therapy therapy;
    struct history histories[FIXTURE_DISEASES_MAX];
    struct fixture_disease diseases[FIXTURE_DISEASES_MAX];
    struct drug drugs[FIXTURE_DRUGS_MAX];
    unsigned drug_count;
    struct event events[FIXTURE_EVENTS_MAX];
    unsigned event_count;
    char text[FIXTURE_TEXT_MAX]; /* names and ids */
    size_t text_used;
};

struct fixture_line {
    const char *regimen; /* "" when it has no name */
    const char *drugs;   /* "carboplatin etoposide", sorted; '_' stands for a space */
    const char *start;   /* "2024-09-02" */
    const char *end;     /* NULL: open */
};

/* `fixture` is large: keep it static. */
void fixture_init(struct fixture *fixture, const char *as_of);
void fixture_as_of(struct fixture *fixture, const char *as_of);
/* A history with a Condition; in order of key. */
struct history *fixture_disease(struct fixture *fixture, const char *key, const char *name);
void fixture_line(struct fixture *fixture, struct history *history,
                  const struct fixture_line *line);
/* Salvage on the last line, resting on the Condition and the line's orders. */
void fixture_salvage(struct fixture *fixture, struct history *history, enum grade grade,
                     enum disease_status status);
void fixture_reason(struct fixture *fixture, struct history *history, const char *text);
void fixture_class(struct fixture *fixture, struct history *history, const char *drug_class,
                   const char *drugs, bool failed);
struct date fixture_date(const char *text);

/* A kind of treatment that was not ordered, and doxorubicin-equivalents of two orders of three. */
void fixture_extras(struct fixture *fixture, struct history *history);

/* The sample patients; the one with lung cancer is not on salvage therapy. */
enum fixture_patient {
    FIXTURE_DLBCL,
    FIXTURE_HODGKIN,
    FIXTURE_AML,
    FIXTURE_OVARIAN,
    FIXTURE_MYELOMA,
    FIXTURE_NSCLC,
    FIXTURE_HIV,
    FIXTURE_ESRD,
    FIXTURE_PATIENT_COUNT
};
const char *fixture_patient_name(enum fixture_patient patient); /* "dlbcl-refractory" */
void fixture_patient(struct fixture *fixture, enum fixture_patient patient);
