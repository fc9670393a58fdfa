/* therapy/report.h -- what the engine found, as text for people and JSON for programs.
 *
 * What      the JSON is one object per patient (DESIGN section 7), also the payload of
 *           $lines-of-therapy.  The text is a timeline a clinician can read.
 * Thread    any; pure.
 */
#pragma once

#include "base/buffer.h"
#include "base/hash.h"
#include "domain/line.h"

struct report_head {
    struct slice patient; /* "Patient/p1" */
    const struct sha256 *rule_set;
};

void report_json(const struct report_head *head, const struct therapy *therapy, struct buffer *out);
/* `explain` adds rule ids, operands and evidence of each boundary. */
void report_text(const struct report_head *head, const struct therapy *therapy, bool explain,
                 struct buffer *out);
