/* outbox/body.h -- what the outbox adds to a body at the last moment, and URLs.
 *
 * What      the planner writes bodies without id and cannot know the ids that a destination gave.
 * Owns      results live in `arena`; empty when it is full (arena_overflowed()).
 * Thread    pure.
 */
#pragma once

#include "base/arena.h"

#define BODY_TOKEN_FLAG "{{flag}}"
#define BODY_TOKEN_CARE_PLAN "{{careplan}}"
#define BODY_TOKEN_RECORDED "{{recorded}}"

bool body_has(struct slice body, const char *token);
struct slice body_replace(struct slice body, const char *token, struct slice text,
                          struct arena *arena);
/* The resource with this id; `body` must have none. */
struct slice body_with_id(struct slice body, struct slice id, struct arena *arena);
/* "system|value" as a query value. */
struct slice body_query_token(struct slice system, struct slice value, struct arena *arena);
