/* ingest/derived.h -- the lines and verdicts of a patient as a compact row.
 *
 * What      stored with the patient and digested in the audit record, so that an auditor can see
 *           that an answer given on a day is the answer that was derived.  The whole explanation is
 *           derived again from the timeline when it is asked for.  Days that only move because
 *           time passes (the end of an open line) are not part of it.
 */
#pragma once

#include "base/buffer.h"
#include "domain/line.h"

void derived_pack(const struct therapy *therapy, struct buffer *out);
