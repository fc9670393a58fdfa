/* support/therapy/random_patient.h -- patients that no clinician would invent, from a seed.
 *
 * What      every disease profile, its own regimens and rule lists, gaps on both sides of every limit,
 *           evidence of every kind, transplants, cell therapies, HIV, renal replacement, and all the
 *           ways in which records are messy.  One seed is one patient, on every machine.
 * Owns      the events are the story's.
 */
#pragma once

#include "support/therapy/story.h"

#define RANDOM_EVENTS_MAX 600

struct random_patient {
    const struct rules *rules; /* that the answer is asked under */
    struct date as_of;
};

/* `story` was begun with RANDOM_EVENTS_MAX events. */
void random_patient(uint64_t seed, struct story *story, struct random_patient *out);

/* The same generator, for what a test wants to vary. */
void random_seed(uint64_t seed);
unsigned random_below(unsigned limit);
