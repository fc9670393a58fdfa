/* outbox/explain.h -- a row of the outbox in words: how it stands, what it waits for, what to do.
 *
 * Thread    pure.
 */
#pragma once

#include "base/json.h"
#include "base/text.h"
#include "store/store.h"

/* "pending", "settled", "dead", "unknown"; "any" for 0. */
const char *outbox_state_name(enum outbox_state state);
/* "hold", "inactive", "in-error" */
const char *outbox_wish_name(enum posting_wish wish);

/* `paused` is who paused its destination and why; empty: nobody.  Two to four sentences. */
void explain_row(const struct outbox_row *row, struct slice paused, int64_t now_ms,
                 struct text *out);
/* One object; the body only where it is asked for, since it is about a patient. */
void explain_json(const struct outbox_row *row, struct slice paused, int64_t now_ms, bool with_body,
                  struct json_writer *json);
