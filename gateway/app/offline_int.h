/* app/offline_int.h -- private to offline*.c: what a chunk holds once it is read.
 *
 * Owns      an item lives in its chunk's arena, or, once gathered, in the gatherer's or a batch's.
 */
#pragma once

#include "app/offline.h"
#include "base/hash.h"
#include "fhir/read.h"

/* A resource, packed. */
struct offline_item {
    enum fhir_type type;
    uint32_t document; /* within the chunk: entries of one Bundle share it */
    struct slice id;
    struct slice packed;   /* event_pack() */
    struct slice patient;  /* "Patient/p1", or what stands for it as sent; empty for a Medication */
    struct slice *aliases; /* of a Patient: its full URL and identifiers */
    unsigned alias_count;
    unsigned line;
    struct event *event; /* until the document is whole; then NULL */
};

struct offline_refusal {
    unsigned line;
    struct err err;
    struct offline_refusal *next;
};

struct offline_chunk {
    struct offline_source source;
    struct slice text;
    struct buffer own;
    struct arena arena;
    struct buffer packed; /* scratch */
    struct offline_item *items;
    unsigned count, room;
    uint32_t documents;
    struct offline_refusal *refusals, **last_refusal;
};

/* Texts to numbers, open addressing. */
struct offline_names {
    struct offline_slot {
        struct slice text;
        unsigned number; /* + 1; 0 is free */
    } * slots;
    unsigned room, used;
};

void names_free(struct offline_names *names);
/* The number kept under `text`; it becomes `number` when the text is new or `replaces` is true. */
unsigned names_put(struct offline_names *names, struct slice text, unsigned number, bool replaces);
bool names_find(const struct offline_names *names, struct slice text, unsigned *number);

/* "https://ehr/fhir/Patient/1/_history/2" -> "Patient/1"; empty when it does not look like it. */
struct slice offline_tail_of_url(struct slice url);

/* --- gathering -------------------------------------------------------------------------------- */

struct batch {
    struct offline_batch public;
    struct arena arena;
    struct offline_item *items; /* of all its patients, one after another */
    unsigned item_count, item_room, patient_room;
};
#define BATCH_PATIENTS_MAX 64
#define BATCH_ITEMS_MAX 2048

struct batch *batch_new(void);
/* The items that follow are this patient's; the name and the items are borrowed. */
void batch_add_patient(struct batch *batch, struct slice name);
void batch_add_item(struct batch *batch, const struct offline_item *item);
bool batch_is_full(const struct batch *batch);
void batch_free(struct batch *batch);

/* The item with what it needs to be derived, in `arena`. */
struct offline_item item_keep(const struct offline_item *item, struct arena *arena);
/* Room for one more in an array of `count`, which may move. */
void *array_grow(void *array, unsigned count, unsigned *room, size_t size);

/* What both ways of gathering share. */
struct gatherer {
    struct offline_options options;
    struct arena arena; /* lives as long as the gatherer */
    unsigned refused_count, handed_out;
    struct offline_names medications; /* "Medication/m1" and full URLs to medication_items */
    struct offline_item *medication_items;
    unsigned medication_count, medication_room;
};
void gatherer_refuse(struct gatherer *gatherer, const char *source, unsigned line,
                     const struct err *err);
/* Keeps a Medication for all patients. */
void gatherer_add_medication(struct gatherer *gatherer, const struct offline_item *item);

struct rows; /* in any order: offline_rows.c */
struct rows *rows_open(struct gatherer *gatherer);
void rows_close(struct rows *rows);
void rows_take(struct rows *rows, const struct offline_chunk *chunk);
void rows_finish(struct rows *rows);
struct batch *rows_next(struct rows *rows);
unsigned rows_patient_count(const struct rows *rows);

struct groups; /* grouped: offline_groups.c */
struct groups *groups_open(struct gatherer *gatherer);
void groups_close(struct groups *groups);
void groups_take(struct groups *groups, const struct offline_chunk *chunk);
void groups_finish(struct groups *groups);
struct batch *groups_next(struct groups *groups);
