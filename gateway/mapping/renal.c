/* renal.tsv, renal_drugs.tsv and renal_states.tsv: the rules of renal replacement. */
#include <stdlib.h>

#include "domain/line.h"
#include "mapping/numbers.h"

#define RENAL_FILE "mappings/renal.tsv"
#define DRUGS_FILE "mappings/renal_drugs.tsv"
#define STATES_FILE "mappings/renal_states.tsv"

#define IN_RENAL(member) offsetof(struct renal_rules, member)
static const struct number_name renal_numbers[] = {
    { "technique_short", "days", IN_RENAL(technique_short) },
    { "technique_long", "days", IN_RENAL(technique_long) },
    { "same_transplant", "days", IN_RENAL(same_transplant) },
    { "delayed_function", "days", IN_RENAL(delayed_function) },
    { "dialysis_again", "days", IN_RENAL(dialysis_again) },
    { "induction_near", "days", IN_RENAL(induction_near) },
};

/* --- drugs ----------------------------------------------------------------------------------- */

static const char *const role_words[] = { "induction", "induction_only", "maintenance",
                                          "peritoneal_fluid", NULL };

struct drug_row {
    struct slice ingredient, source;
    uint8_t role;
};

static const struct column drug_columns[] = {
    { "ingredient", CELL_TEXT, offsetof(struct drug_row, ingredient), NULL },
    { "role", CELL_WORD, offsetof(struct drug_row, role), role_words },
    { "source", CELL_TEXT, offsetof(struct drug_row, source), NULL },
};

static const struct table_schema drug_schema = { DRUGS_FILE, sizeof(struct drug_row), drug_columns,
                                                 COUNT_OF(drug_columns), 1 };

static int by_drug(const void *a, const void *b)
{
    uint32_t left = ((const struct renal_drug *)a)->drug->index;
    uint32_t right = ((const struct renal_drug *)b)->drug->index;
    return left < right ? -1 : left > right;
}

static bool load_drugs(struct mapping_build *build, struct mapping_files files,
                       struct table_errors *errors)
{
    struct renal_rules *rules = &build->rules->renal;
    struct table table;
    if (!mapping_table(build, &drug_schema, files, &table, errors))
        return false;
    const struct drug_row *rows = table.rows;
    struct renal_drug *drugs = ARENA_ARRAY(build->arena, struct renal_drug, table.count + 1);
    if (drugs == NULL)
        return false; /* mapping_load() tells of a full arena */
    unsigned count = 0;
    bool ok = true;
    for (size_t i = 0; i < table.count; i++) {
        struct cell_place place = { DRUGS_FILE, table.lines[i], "ingredient" };
        drugs[count].role = (enum renal_role)rows[i].role;
        if (build_one_drug(build, place, rows[i].ingredient, &drugs[count].drug, errors))
            count++;
        else
            ok = false;
    }
    qsort(drugs, count, sizeof drugs[0], by_drug);
    for (unsigned i = 1; i < count; i++) {
        if (drugs[i].drug != drugs[i - 1].drug)
            continue;
        table_complain(errors, DRUGS_FILE, 0, "ingredient", "'%.*s' has two rows",
                       SLICE_ARGS(drugs[i].drug->name));
        ok = false;
    }
    rules->drugs = drugs;
    rules->drug_count = count;
    return ok;
}

/* --- states ---------------------------------------------------------------------------------- */

static const char *const state_words[] = {
#define X(name, word) word,
    RENAL_STATE_TABLE(X)
#undef X
        NULL
};
static const char *const grade_words[] = { "-", "LOW", "MEDIUM", "HIGH", NULL }; /* enum grade */

struct state_row {
    struct slice name, source;
    uint8_t state, grade;
};

static const struct column state_columns[] = {
    { "state", CELL_WORD, offsetof(struct state_row, state), state_words },
    { "salvage", CELL_WORD, offsetof(struct state_row, grade), grade_words },
    { "name", CELL_TEXT, offsetof(struct state_row, name), NULL },
    { "source", CELL_TEXT, offsetof(struct state_row, source), NULL },
};

static const struct table_schema state_schema = { STATES_FILE, sizeof(struct state_row),
                                                  state_columns, COUNT_OF(state_columns), 1 };

_Static_assert(GRADE_NONE == 0 && GRADE_HIGH == 3, "grade_words[] is in the order of the enum");

static bool load_states(struct mapping_build *build, struct mapping_files files,
                        struct table_errors *errors)
{
    struct renal_rules *rules = &build->rules->renal;
    struct table table;
    bool is_given[RENAL_STATE_COUNT] = { false }, ok = true;
    if (!mapping_table(build, &state_schema, files, &table, errors))
        return false;
    const struct state_row *rows = table.rows;
    for (size_t i = 0; i < table.count; i++) {
        if (is_given[rows[i].state]) {
            table_complain(errors, STATES_FILE, table.lines[i], "state",
                           "'%s' is in an earlier row already", state_words[rows[i].state]);
            ok = false;
        }
        is_given[rows[i].state] = true;
        rules->states[rows[i].state] =
            (struct renal_state_rule){ .grade = rows[i].grade, .name = rows[i].name };
    }
    for (unsigned i = 0; i < RENAL_STATE_COUNT; i++) {
        if (is_given[i])
            continue;
        table_complain(errors, STATES_FILE, 0, "state", "'%s' is missing", state_words[i]);
        ok = false;
    }
    return ok;
}

bool renal_load(struct mapping_build *build, struct mapping_files files,
                struct table_errors *errors)
{
    bool ok = numbers_load(build, files, RENAL_FILE, renal_numbers, COUNT_OF(renal_numbers),
                           &build->rules->renal, errors);
    ok = load_drugs(build, files, errors) && ok;
    return load_states(build, files, errors) && ok;
}
