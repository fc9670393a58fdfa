/* mapping/mapping_int.h -- what the loaders of this folder share while a mapping is being built.
 *
 * What      mapping_load() (mapping.c) runs the loaders in this order: drugs, diseases, codes of
 *           products, aliases, conditions, stop reasons; then profiles_load() and regimens_load();
 *           then it ties each disease to its profile.  A loader reads its tables with
 *           mapping_table(), looks names up with build_one_drug() and build_one_disease(), and
 *           complains about every fault.
 * Owns      build->arena lives as long as the mapping.
 * Errors    a loader returns false when it complained; mapping_load() goes on with the next loader
 *           all the same, so that one run shows all faults of all files.  Only without drugs.tsv
 *           and diseases.tsv it stops: every name would be unknown.
 * Thread    one, at start.
 */
#pragma once

#include "mapping/index_int.h"
#include "mapping/mapping.h"
#include "mapping/words_int.h"

/* A drug and what only this folder asks of it. */
struct known_drug {
    struct drug drug; /* first: a struct drug of ours is a struct known_drug */
    const struct drug *rolls_up_to;
    /* Forms of it that are drugs of their own. */
    const struct drug *liposomal, *protein_bound, *oral_form;
    bool is_carrier; /* hyaluronidase: never counts beside another ingredient */
};

/* What a code of a drug means.  Precise codes win over coarse ones (RxNorm's ingredient code of
 * trastuzumab also stands for trastuzumab emtansine). */
enum code_rank { RANK_INGREDIENT, RANK_SUBSTANCE, RANK_PRODUCT };
struct drug_code {
    const struct drug *const *drugs; /* sorted by index */
    unsigned count;
    enum code_rank rank;
    bool is_exposure; /* false: eye and skin forms, contraception */
};

/* What a code of a condition means. */
struct condition_row {
    struct condition_code code;
    bool is_below; /* also for longer codes that begin with this one */
};

/* One small number, an enum of domain/event.h; of a Procedure also what it gave, where known. */
struct finding {
    uint8_t meaning;
    const struct drug *drug; /* NULL without one */
};

struct finding_index {
    struct code_index codes; /* "uri|code" */
    struct word_index words;
};

struct mapping {
    struct arena arena;
    struct rules rules;
    struct known_drug *drugs; /* by index */
    unsigned drug_count;
    struct disease *diseases;   /* by index */
    struct slice *profile_keys; /* of each disease, until the profiles are loaded */
    const unsigned *disease_lines;
    unsigned disease_count;
    struct profile *profiles; /* those of rules, until the rule sets are loaded */
    struct rules *rulesets;   /* by name */
    unsigned ruleset_count;
    struct code_index drug_names, disease_keys;
    struct code_index drug_codes;      /* space: enum code_system */
    struct code_index condition_codes; /* space: enum code_system */
    struct code_index stop_codes;      /* "uri|code" -> enum stop_reason */
    struct word_index drug_words;      /* -> struct drug_code */
    struct code_index drug_stems;      /* word_stem() of a name -> struct drug_code */
    struct word_index condition_words; /* -> struct condition_row */
    struct word_index stop_words;      /* -> enum stop_reason */
    struct finding_index procedures, observations, values;
    struct code_index lists; /* ';'-separated cells seen before -> struct drug_list */
};

struct mapping_build {
    struct mapping *mapping;
    struct arena *arena;
    struct rules *rules; /* profiles.c and regimens.c fill their members; diseases are there */
};

/* The folder's files; pass { files, count } on. */
struct mapping_files {
    const struct mapping_file *list;
    unsigned count;
};

struct drug_list {
    const struct drug *const *drugs;
    unsigned count;
};

/* --- look-up for loaders --------------------------------------------------------------------- */

/* An ingredient of drugs.tsv by its exact name; NULL when there is none. */
const struct drug *build_drug(const struct mapping_build *build, struct slice name);
/* A row of diseases.tsv by its key; NULL when there is none. */
const struct disease *build_disease(const struct mapping_build *build, struct slice key);

/* Where a cell stands, for complaints about what it names. */
struct cell_place {
    const char *file; /* "mappings/regimens.tsv" */
    unsigned line;
    const char *column;
};

/* Distinct drugs of the ';'-separated names in `cell`, sorted by index.  False, and a complaint
 * with the nearest name, for each unknown one.  An empty cell is an empty list. */
bool build_drug_list(const struct mapping_build *build, struct cell_place place, struct slice cell,
                     struct drug_list *out, struct table_errors *errors) MUST_USE;
/* The same for one name. */
bool build_one_drug(const struct mapping_build *build, struct cell_place place, struct slice cell,
                    const struct drug **out, struct table_errors *errors) MUST_USE;
bool build_one_disease(const struct mapping_build *build, struct cell_place place,
                       struct slice cell, const struct disease **out,
                       struct table_errors *errors) MUST_USE;

/* "cisplatin;etoposide (local)" for complaints about a code that has another row already. */
struct target_text {
    char text[100];
};
struct target_text target_of_drugs(const struct drug_code *code);

/* --- tables ---------------------------------------------------------------------------------- */

/* The file of `schema` among `files` ("mappings/drugs.tsv" is the file named "drugs.tsv"), read,
 * with the changes of the overlay.  A missing file is a complaint. */
bool mapping_table(const struct mapping_build *build, const struct table_schema *schema,
                   struct mapping_files files, struct table *out,
                   struct table_errors *errors) MUST_USE;

/* The file that `path` ("mappings/drugs.tsv") names, ours or the overlay's; NULL: there is none. */
const struct mapping_file *mapping_file_of(struct mapping_files files, const char *path,
                                           bool is_overlay);

extern const char *const drug_trait_words[]; /* NULL-terminated, in the order of the enum */
extern const char *const drug_group_words[];
extern const char *const condition_meaning_words[]; /* in the order of enum condition_meaning */

/* --- the loaders ----------------------------------------------------------------------------- */

bool drugs_load(struct mapping_build *build, struct mapping_files files,
                struct table_errors *errors) MUST_USE;
bool diseases_load(struct mapping_build *build, struct mapping_files files,
                   struct table_errors *errors) MUST_USE;
bool codes_load(struct mapping_build *build, struct mapping_files files,
                struct table_errors *errors) MUST_USE;
bool conditions_load(struct mapping_build *build, struct mapping_files files,
                     struct table_errors *errors) MUST_USE;
bool aliases_load(struct mapping_build *build, struct mapping_files files,
                  struct table_errors *errors) MUST_USE;
bool stop_reasons_load(struct mapping_build *build, struct mapping_files files,
                       struct table_errors *errors) MUST_USE;

bool findings_load(struct mapping_build *build, struct mapping_files files,
                   struct table_errors *errors) MUST_USE;

/* hiv.c: hiv.tsv, antiretrovirals.tsv -> rules->hiv; renal.c: renal.tsv, renal_drugs.tsv,
 * renal_states.tsv -> rules->renal. */
bool hiv_load(struct mapping_build *build, struct mapping_files files,
              struct table_errors *errors) MUST_USE;
bool renal_load(struct mapping_build *build, struct mapping_files files,
                struct table_errors *errors) MUST_USE;

/* --- what look-up and loaders must agree on -------------------------------------------------- */

#define CODE_KEY_MAX 48

/* The form in which a code is kept: NDC as 11 digits, ICD without dots in capitals, CIEL without
 * its padding.  Empty when it cannot be a code of the system. */
struct slice code_key(enum code_system system, struct slice code, char out[CODE_KEY_MAX]);
/* The three ways to read an NDC of 10 digits without hyphens, by which of them are known. */
const struct drug_code *ndc_find(const struct code_index *codes, struct slice code);

#define STOP_KEY_MAX 160
struct slice stop_key(struct slice system_uri, struct slice code, char out[STOP_KEY_MAX]);

/* What a concept says in one of the indexes of findings.c; NULL when it is unknown. */
const struct finding *finding_of(const struct finding_index *index, const struct concept *concept);

/* Without the carriers (hyaluronidase) when another ingredient remains. */
struct drug_list without_carriers(struct drug_list list, struct arena *arena);

/* Words that look-up takes for a denial or a doubt, for a form that is no exposure, or for a
 * blinded drug: a row that holds one would never be found as it is meant. */
bool words_doubt(const struct words *words);
bool words_are_local(const struct words *words);
bool words_are_blinded(const struct words *words);

/* resolve_text.c: an order that has no known code. */
struct text_drugs {
    struct drug_list list; /* in `arena` */
    bool is_known;         /* false: the list is empty */
    bool is_local;         /* a form that is no exposure */
};
struct text_drugs resolve_drug_text(const struct mapping *mapping, struct slice text,
                                    struct arena *arena);

/* profiles.c: profiles.tsv, substitutions.tsv, addons.tsv, maintenance.tsv -> rules->profiles,
 * rules->generic and the numbers of struct rules. */
bool profiles_load(struct mapping_build *build, const struct mapping_file *files, unsigned count,
                   struct table_errors *errors) MUST_USE;
/* verdict_tables.c: status_labels.tsv, cumulative.tsv, options.tsv -> what a verdict adds. */
bool verdict_tables_load(struct mapping_build *build, struct mapping_files files,
                         struct table_errors *errors) MUST_USE;
/* rulesets.c: rules_NAME.tsv -> mapping->rulesets and rules->contrast, once diseases have their
 * profiles. */
bool rulesets_load(struct mapping_build *build, struct mapping_files files,
                   struct table_errors *errors) MUST_USE;
bool ruleset_is_file(const struct mapping_file *file);
/* regimens.c: regimens.tsv -> rules->regimens. */
bool regimens_load(struct mapping_build *build, const struct mapping_file *files, unsigned count,
                   struct table_errors *errors) MUST_USE;
