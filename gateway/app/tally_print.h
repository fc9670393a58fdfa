/* app/tally_print.h -- counted codes (mapping/tally.h) as a table.
 *
 * What      text is tab-separated with a head row, safe for a terminal; JSON is an object per row;
 *           CSV has the same columns.
 */
#pragma once

#include "base/buffer.h"
#include "mapping/tally.h"

enum tally_format { TALLY_TEXT, TALLY_JSON, TALLY_CSV };

/* Sorts the tally: nothing can be added to it afterwards. */
void tally_print(struct tally *tally, enum tally_format format, struct buffer *out);
