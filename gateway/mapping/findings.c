/* mapping/findings.c -- what Procedures and Observations say: procedures.tsv, observations.tsv and
 * observation_values.tsv. */
#include "mapping/mapping_int.h"

static const char *const procedure_words[] = {
#define X(name, word) word,
    PROCEDURE_TABLE(X)
#undef X
        NULL
};

static const char *const observation_words[] = {
#define X(name, word) word,
    OBSERVATION_TABLE(X)
#undef X
        NULL
};

static const char *const finding_words[] = {
#define X(name, word) word,
    FINDING_TABLE(X)
#undef X
        NULL
};

struct finding_row {
    struct slice system, code, ingredient, source;
    uint8_t meaning;
};

#define SYSTEM                                                          \
    {                                                                   \
        "system", CELL_TEXT, offsetof(struct finding_row, system), NULL \
    }
#define CODE                                                        \
    {                                                               \
        "code", CELL_TEXT, offsetof(struct finding_row, code), NULL \
    }
#define SOURCE                                                          \
    {                                                                   \
        "source", CELL_TEXT, offsetof(struct finding_row, source), NULL \
    }
/* The first word of each list is the empty one of NONE. */
#define MEANING(name, words)                                                \
    {                                                                       \
        name, CELL_WORD, offsetof(struct finding_row, meaning), (words) + 1 \
    }

static const struct column procedure_columns[] = {
    SYSTEM,
    CODE,
    MEANING("kind", procedure_words),
    { "ingredient", CELL_TEXT, offsetof(struct finding_row, ingredient), NULL },
    SOURCE,
};
static const struct column observation_columns[] = { SYSTEM, CODE,
                                                     MEANING("kind", observation_words), SOURCE };
static const struct column value_columns[] = { SYSTEM, CODE, MEANING("meaning", finding_words),
                                               SOURCE };

#define SCHEMA(file, columns)                                                       \
    {                                                                               \
        "mappings/" file, sizeof(struct finding_row), columns, COUNT_OF(columns), 2 \
    }

static const struct table_schema procedure_schema = SCHEMA("procedures.tsv", procedure_columns);
static const struct table_schema observation_schema =
    SCHEMA("observations.tsv", observation_columns);
static const struct table_schema value_schema = SCHEMA("observation_values.tsv", value_columns);

static bool put_row(struct mapping_build *build, struct finding_index *index,
                    const struct table_schema *schema, const struct finding_row *row, unsigned line,
                    struct table_errors *errors)
{
    struct finding *meaning = ARENA_NEW(build->arena, struct finding);
    if (meaning == NULL)
        return true; /* mapping_load() looks at the arena at its end */
    meaning->meaning = (uint8_t)(row->meaning + 1);
    bool has_drug = row->ingredient.len > 0 && !slice_is(row->ingredient, "-");
    struct cell_place place = { schema->file, line, "ingredient" };
    if (has_drug && !build_one_drug(build, place, row->ingredient, &meaning->drug, errors))
        return false;
    bool is_new;
    if (slice_is(row->system, "text")) {
        is_new = words_put(&index->words, build->arena, row->code, meaning);
    } else {
        char buffer[STOP_KEY_MAX];
        struct slice key = stop_key(row->system, row->code, buffer);
        is_new = key.len > 0 && index_put(&index->codes, 0, arena_copy(build->arena, key), meaning);
    }
    if (!is_new)
        table_complain(errors, schema->file, line, "code",
                       "'%.*s' has another row already, or is too long", SLICE_ARGS(row->code));
    return is_new;
}

static bool load_one(struct mapping_build *build, struct mapping_files files,
                     struct finding_index *index, const struct table_schema *schema,
                     struct table_errors *errors)
{
    struct table table;
    if (!mapping_table(build, schema, files, &table, errors))
        return false;
    const struct finding_row *rows = table.rows;
    bool ok = true;
    for (size_t i = 0; i < table.count; i++)
        ok = put_row(build, index, schema, &rows[i], table.lines[i], errors) && ok;
    return ok;
}

bool findings_load(struct mapping_build *build, struct mapping_files files,
                   struct table_errors *errors)
{
    struct mapping *mapping = build->mapping;
    bool ok = load_one(build, files, &mapping->procedures, &procedure_schema, errors);
    ok = load_one(build, files, &mapping->observations, &observation_schema, errors) && ok;
    return load_one(build, files, &mapping->values, &value_schema, errors) && ok;
}

/* --- look-up --------------------------------------------------------------------------------- */

static const struct finding *code_finding(const struct finding_index *index,
                                          const struct coding *coding)
{
    char buffer[STOP_KEY_MAX];
    struct slice uri = coding->system == CODE_OTHER ? coding->system_uri
                                                    : slice_of(code_system_uri(coding->system));
    struct slice key = stop_key(uri, coding->code, buffer);
    return key.len > 0 ? index_find(&index->codes, 0, key) : NULL;
}

/* Words behind a "no" say nothing, unless the phrase itself begins with it; nor does a text about
 * what was not done, or long ago. */
static const struct finding *text_finding(const struct finding_index *index, struct slice text)
{
    static const struct slice elsewhere[] = { WORD("declined"), WORD("planned"), WORD("history"),
                                              WORD("cancelled") };
    struct words words;
    words_split(text, &words);
    if (words_have(&words, elsewhere, COUNT_OF(elsewhere)))
        return NULL;
    for (unsigned at = 0, length = 1; at < words.count; at++) {
        const struct finding *found = words_match(&index->words, &words, at, &length);
        if (found != NULL)
            return found;
        struct slice word = words_span(&words, at, 1);
        if (slice_is(word, "no") || slice_is(word, "not") || slice_is(word, "without"))
            return NULL;
    }
    return NULL;
}

/* The first code that is known, else the words. */
const struct finding *finding_of(const struct finding_index *index, const struct concept *concept)
{
    const struct finding *found = NULL;
    for (unsigned i = 0; found == NULL && i < concept->count && i < EVENT_CODINGS_MAX; i++)
        found = code_finding(index, &concept->codings[i]);
    return found == NULL && concept->text.len > 0 ? text_finding(index, concept->text) : found;
}
