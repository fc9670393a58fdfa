/* therapy/markup.h -- text that stands in HTML and SVG, safely.
 *
 * What      everything that came from outside passes through markup_text(): the five characters of
 *           markup become entities, control characters and broken UTF-8 become U+FFFD, so that what
 *           is written is well-formed whatever was sent.
 * Thread    any; pure.
 */
#pragma once

#include "base/buffer.h"
#include "base/date.h"
#include "domain/line.h"

void markup_text(struct buffer *out, struct slice text);
/* The same, cut to `max` characters with an ellipsis; returns how many characters stand there. */
unsigned markup_cut(struct buffer *out, struct slice text, unsigned max);
/* How many characters a text has. */
unsigned markup_length(struct slice text);
void markup_day(struct buffer *out, struct date day);
/* "R-ICE", or the drugs with " + " between them. */
void markup_regimen(struct buffer *out, const struct line *line);
void markup_drugs(struct buffer *out, const struct drug *const *drugs, unsigned count);
/* "NEW_AGENT" as "new agent". */
void markup_reason(struct buffer *out, const char *reason);
/* "gapDays", 61 as "gap 61 days". */
void markup_operand(struct buffer *out, const struct operand *operand);
/* "2", "2 to 3", "2 or later". */
void markup_number(struct buffer *out, const struct line *line);
/* The line that the verdict rests on; NULL when there is none. */
const struct line *markup_verdict_line(const struct history *history);
/* "Salvage therapy ordered: line 3, grade HIGH", or "Not salvage therapy". */
void markup_verdict(struct buffer *out, const struct history *history);
/* "disease relapsed", "suppressed": of a virus and of kidneys another word is meant; or nothing. */
void markup_status(struct buffer *out, enum disease_status status);
/* "any_line>=2" as "any line from the second on"; what is not known stands as it is. */
void markup_basis(struct buffer *out, struct slice basis);
