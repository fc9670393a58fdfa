/* domain/posting.h -- what a destination should hold now about one patient and one disease.
 *
 * What      identity says which fact it is and never changes; digest says what it should look like.
 *           The outbox sends when the digest that a destination holds differs from the wanted one.
 */
#pragma once

#include "base/hash.h"
#include "base/text.h"
#include "domain/fhir_type.h"

/* The numbers are stored. */
enum posting_kind {
    POSTING_FLAG = 1,
    POSTING_CARE_PLAN = 2,
    POSTING_PROVENANCE = 3,
    POSTING_COMMUNICATION = 4, /* a message to clinicians */
    POSTING_DOCUMENT = 5,      /* a note in the chart */
};
#define POSTING_KINDS 6                  /* one more than the last: arrays by kind */
#define POSTING_BIT(kind) (1u << (kind)) /* of a set of kinds */

/* What is wanted of the destination. */
enum posting_wish {
    WISH_HOLD = 1,     /* the record as in `body` */
    WISH_INACTIVE = 2, /* it was true and has ended: status inactive / completed */
    WISH_IN_ERROR = 3, /* it rested on retracted data: status entered-in-error */
};

struct posting {
    enum posting_kind kind;
    enum fhir_type type; /* of the resource to send */
    enum posting_wish wish;
    struct slice disease;           /* key */
    char identity[SHA256_HEX_SIZE]; /* value of the identifier at the destination */
    /* of wish and meaning: the same for bodies that differ only in whom and what they name as their
     * source; a Provenance has that of what it speaks of */
    struct sha256 digest;
    /* The FHIR resource without id; a Provenance has tokens (plan/plan.h).  Of a Communication and
     * of a document a note instead (plan/note.c): whom it goes to, and in what form, is known to
     * the destination only. */
    struct slice body;
};

enum fhir_type posting_type(enum posting_kind kind);
const char *posting_kind_name(enum posting_kind kind);
/* A set of POSTING_BIT()s: "flag+careplan"; "nothing" for 0. */
void posting_kinds_write(unsigned set, struct text *out);
/* 0 when no kind is called so. */
enum posting_kind posting_kind_of(struct slice name);
/* The identity of what is said about a patient's disease.  The planner names postings with it, and
 * the outbox finds the Flag and the CarePlan that a Provenance speaks of with it. */
void posting_identity(struct slice tenant, struct slice patient, struct slice disease,
                      enum posting_kind kind, char out[SHA256_HEX_SIZE]);
