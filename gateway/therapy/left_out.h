/* therapy/left_out.h -- orders of a drug that makes lines which are in no line, and why.
 *
 * What      the steps that turn orders into lines name the rule that kept one out when they do;
 *           at the end what is in a line after all (by another drug of the order, or for another
 *           cancer) is taken off.
 * Owns      the arena of the derivation.
 */
#pragma once

#include "therapy/engine.h"

void left_out_note(struct engine *engine, const struct event *order, enum rule rule);
/* The same with words for people. */
void left_out_tell(struct engine *engine, const struct event *order, enum rule rule,
                   struct slice text);
/* Fills out->left_out; `events` are those of therapy_derive(). */
void left_out_finish(struct engine *engine, const struct event *events, size_t count,
                     struct therapy *out);
