/* app/upload.h -- a body in lines that comes in parts: what is remembered between them.
 *
 * What      the results of each part are put aside in a file without a name, because a client that
 *           is still sending need not be reading; at the end they are the body of the reply.  So
 *           memory holds one part at a time, however long the upload.
 * Owns      everything, by the exchange: released when the exchange ends.
 * Errors    ERR_STORAGE: the results cannot be put aside; what was stored stays stored.
 * Thread    the exchange's loop.  The file is written there: into the page cache, as a rule.
 */
#pragma once

#include "base/err.h"
#include "ingest/ingest.h"
#include "net/server.h"

/* About as many bytes of lines are one transaction. */
#define UPLOAD_PART_BYTES ((size_t)1024 * 1024)

/* A part begins: how many lines were before it.  The first part of several makes the upload;
 * `folder` is where its file lies.  A whole body in one part needs none. */
uint64_t upload_begin_part(struct exchange *exchange, const char *folder);
/* The call is finished: the part's results are put aside and reply.status becomes 0, or the reply
 * becomes that of the whole upload.  A refusal stays as it is and ends the upload. */
void upload_end_part(struct exchange *exchange, const struct ingest_call *call);
