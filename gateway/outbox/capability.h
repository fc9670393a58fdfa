/* outbox/capability.h -- what a destination says it can do with what we send.
 *
 * What      the few statements of a CapabilityStatement that the safe-create algorithm turns on.
 *           What is not declared is not offered: an unadvertised write is never tried.
 * Errors    ERR_STRUCTURE or ERR_INVALID when it is not a CapabilityStatement; treat a failure to
 *           read it as transient.
 * Thread    pure; cached by the destination, read again hourly and after 404 or 405.
 * Rules     standards/writeback 2, 5.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "domain/posting.h"
#include "outbox/vendor.h"

struct capability_type {
    bool can_create, can_read, can_update;
    bool conditional_create, conditional_update;
    bool update_create;                /* PUT of an id that is not there creates it */
    bool search_identifier;            /* GET Flag?identifier= */
    bool search_target;                /* GET Provenance?target= */
    bool search_patient;               /* GET Communication?patient= */
    bool search_recipient;             /* GET Communication?recipient= */
    bool search_category, search_type; /* ... which these narrow */
    bool search_received;
    bool recipient_choices; /* GET Communication/$get-recipient-choices (MEDITECH) */
};

struct capability {
    struct capability_type types[POSTING_KINDS]; /* by enum posting_kind */
    enum vendor vendor;
};

bool capability_read(struct slice text, struct arena *arena, struct capability *out,
                     struct err *err) MUST_USE;
