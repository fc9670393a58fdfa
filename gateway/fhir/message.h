/* fhir/message.h -- FHIR messaging: the header of a message in, the reply to it out.
 *
 * What      the first entry of a Bundle of type "message" is a MessageHeader: what happened, and
 *           who tells it.  The reply is such a Bundle too: its header answers the one that came.
 * Owns      slices live in `arena` or borrow from the body.
 * Errors    ERR_INVALID, ERR_REQUIRED, with the element's path; never a value of the message.
 * Thread    any; pure.
 * Source    R4, messaging and MessageHeader; checklist B1, B2.
 */
#pragma once

#include "base/buffer.h"
#include "fhir/read.h"

struct fhir_message {
    struct slice bundle_identifier; /* "system|value"; empty when the Bundle has none */
    struct slice id;                /* MessageHeader.id */
    struct slice event;             /* "system|code" of eventCoding, or eventUri */
    struct slice event_key;         /* "eventCoding" or "eventUri" */
    struct slice raw_event;         /* its value as sent */
    struct slice endpoint;          /* source.endpoint: whom the reply is for */
};

/* `bundle` was read from `body` and is of type "message". */
bool fhir_message_read(struct slice body, const struct fhir_bundle *bundle, struct arena *arena,
                       struct fhir_message *out, struct err *err) MUST_USE;

enum fhir_response { RESPONSE_OK, RESPONSE_TRANSIENT_ERROR, RESPONSE_FATAL_ERROR };

struct fhir_message_reply {
    const struct fhir_message *to;
    enum fhir_response response;
    struct slice id;       /* of the reply's MessageHeader */
    struct slice base_url; /* "https://gateway.example/fhir" */
    int64_t now_ms;
    struct slice outcome; /* an OperationOutcome: the details */
};
void fhir_write_message_reply(const struct fhir_message_reply *reply, struct buffer *out);
