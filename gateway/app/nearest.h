/* app/nearest.h -- "did you mean ...?": the known name that a mistyped one is closest to.
 *
 * What      edit distance where a swap of neighbours counts one; a name that is too far off is no
 *           hint at all.
 * Thread    any; pure.
 */
#pragma once

#include "base/check.h"
#include "base/slice.h"

#define NEAREST_NAME_MAX 64 /* longer names are not compared */

/* Changes, insertions, removals and swaps of neighbours that turn one into the other. */
unsigned nearest_distance(struct slice a, struct slice b);

/* Keeps the best of many candidates: start with { .wanted = ... }, offer each name, read `name`. */
struct nearest {
    struct slice wanted;
    const char *name; /* NULL while nothing is near enough */
    unsigned distance;
};

void nearest_offer(struct nearest *nearest, const char *candidate);
