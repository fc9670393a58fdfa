/* outbox/probe.h -- asks a destination once what it can do, and says what it would be sent and why.
 *
 * What      for `lifeline check --probe`: GET /metadata with the destination's own TLS and token,
 *           the same reading and the same choice as a delivery makes.  Nothing is written there.
 * Errors    a destination that cannot be reached is an answer: probe.fault says what was wrong.
 * Thread    blocks the caller; no loop is needed.
 */
#pragma once

#include "outbox/delivery.h"
#include "outbox/outbox.h"

#define PROBE_CHOICES_MAX 50

/* Whom the destination lets a message be sent to, where it offers to tell (MEDITECH). */
struct probe_choices {
    char names[PROBE_CHOICES_MAX][80]; /* "Group/1" */
    unsigned count;
};

struct probe {
    char fault[160]; /* empty: the statement was read */
    int status;
    int64_t took_ms;
    struct capability capability;
    struct probe_choices choices;
    char us_core[16]; /* "STU6", of the path of a site that offers several; else empty */
    unsigned chosen;  /* POSTING_BIT() of the channels */
};

/* False when it could not even be tried. */
bool probe_run(const struct destination_settings *settings, const char *user_agent,
               struct probe *out, struct err *err) MUST_USE;
/* Why this kind is or is not sent, for people. */
void probe_explain(const struct probe *probe, const struct destination_settings *settings,
                   enum posting_kind kind, struct text *out);
/* A configured recipient that is not among the choices; NULL: none. */
const struct slice *probe_stranger(const struct probe *probe,
                                   const struct destination_settings *settings);
