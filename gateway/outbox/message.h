/* outbox/message.h -- a note of the planner as the Communication or DocumentReference of one site.
 *
 * What      the note says what (plan/note.c); the site says to whom, from whom, as what kind of
 *           document and in which form.  What is written stays within what every vendor of
 *           standards/writeback 2 takes: one payload, plain text in UTF-8, all dates with a time.
 *           Neither type can be searched by identifier everywhere, so the text ends with a mark by
 *           which our own record is known again.
 * Owns      results live in `arena`; empty when it is full (arena_overflowed()).
 * Errors    ERR_INVALID for a note that the planner did not write.
 * Thread    pure.
 * Rules     standards/writeback 2, 4.4, 4.5.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "domain/posting.h"

#define MESSAGE_RECIPIENTS_MAX 8
#define MESSAGE_MARK_SIZE 24 /* with the NUL */

struct message_site {
    struct slice sender; /* "Practitioner/1"; empty: none */
    struct slice recipients[MESSAGE_RECIPIENTS_MAX];
    unsigned recipient_count;
    struct slice author;               /* of documents; empty: our Device by name */
    struct slice document_type;        /* "system|code"; empty: LOINC 11506-3 */
    struct slice device;               /* "Lifeline/0.1.0" */
    bool is_urgent, is_string_payload; /* else a base64 attachment */
};

struct message {
    enum posting_kind kind;
    struct slice note, system, identity;
    struct slice replaces; /* id of the document that this one takes the place of; empty: none */
    int64_t now_ms;
};

/* The mark of an identity: "lifeline-0123456789abcd". */
void message_mark(struct slice identity, char out[MESSAGE_MARK_SIZE]);
bool message_write(const struct message *message, const struct message_site *site,
                   struct arena *arena, struct slice *out, struct err *err) MUST_USE;
/* The category or the type that a search may be narrowed by: "system|code". */
struct slice message_category(void);
struct slice message_document_type(const struct message_site *site);
