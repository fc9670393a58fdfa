/* therapy/report_html_int.h -- the parts of a patient's section that only state facts.
 *
 * Thread    any; pure.
 */
#pragma once

#include "base/buffer.h"
#include "domain/line.h"

/* <code>MedicationRequest/m4/_history/1</code> */
void html_reference(struct buffer *out, const struct event *event);
/* What was ordered by class, and which of it failed. */
void html_classes(const struct history *history, struct buffer *out);
/* For who is on salvage therapy: kinds of treatment of the disease, ordered or not so far. */
void html_options(const struct history *history, struct buffer *out);
/* Exposures that add up, such as anthracyclines. */
void html_cumulative(const struct therapy *therapy, struct buffer *out);
/* What is in no line, of no disease, contradictory, or known to no mapping. */
void html_loose_ends(const struct therapy *therapy, struct buffer *out);
