/* mapping/mapping.h -- mappings/ loaded: codes and words to ingredients, diseases and meanings.
 *
 * What      reads every table of mappings/ into immutable look-up structures.  Look-up is by code
 *           first (product before ingredient), then by text alias; what is unknown is reported as
 *           such, never dropped.
 * Owns      the mapping owns all it hands out, until mapping_close().
 * Errors    mapping_load() collects all faults of all files: "file:line: column: what is wrong".
 * Thread    load on one thread; afterwards any number of readers.
 * Rules     RULES_SPEC 3.5 (normalising drugs), 6 (evidence codes).
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/hash.h"
#include "domain/event.h"
#include "domain/rules.h"
#include "mapping/table.h"

struct mapping;

/* The texts of the files of a mappings folder, read by the shell (app/mapping_files.c). */
struct mapping_file {
    const char *name; /* "drugs.tsv" */
    struct slice text;
    bool is_overlay; /* the site's changes to our table of that name: see mapping/table.h */
};

bool mapping_load(const struct mapping_file *files, unsigned count, struct mapping **out,
                  struct table_errors *errors) MUST_USE;
void mapping_close(struct mapping *mapping);

/* Digest over all files: the rule set that a verdict names. */
const struct sha256 *mapping_digest(const struct mapping *mapping);
const struct rules *mapping_rules(const struct mapping *mapping);
/* A rule set by its name ("lifeline", "merck21"); its digest names it.  NULL: there is none. */
const struct rules *mapping_ruleset(const struct mapping *mapping, struct slice name);
/* From 0 on, ours first, then the files rules_*.tsv by name; NULL at the end. */
const struct rules *mapping_ruleset_at(const struct mapping *mapping, unsigned index);
/* `rules` with one profile of it for every disease that has lines; made in `arena`.  NULL: it has
 * no profile of this key, or the arena is full. */
const struct rules *mapping_one_profile(const struct mapping *mapping, const struct rules *rules,
                                        struct slice key, struct arena *arena);

const struct drug *mapping_drug(const struct mapping *mapping, struct slice name); /* or alias */
const struct disease *mapping_disease(const struct mapping *mapping, struct slice key);

/* Fills the resolved members of an event (drugs, meanings, reasons, stop_reason, is_unmapped).
 * An unknown drug becomes a struct drug of group DRUG_UNKNOWN made in `arena`. */
void mapping_resolve(const struct mapping *mapping, struct event *event, struct arena *arena);
