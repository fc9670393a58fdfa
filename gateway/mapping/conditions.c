#include "mapping/mapping_int.h"

const char *const condition_meaning_words[] = { "primary",
                                                "in_relapse",
                                                "in_remission",
                                                "recurrent",
                                                "refractory",
                                                "metastatic",
                                                "castration_resistant",
                                                "in_situ",
                                                "history",
                                                "associated",
                                                "dialysis",
                                                "transplant",
                                                "transplant_failure",
                                                "treatment_encounter",
                                                "in_pregnancy",
                                                "access_failure",
                                                "virological_failure",
                                                "clinical_failure",
                                                "immunological_failure",
                                                NULL };
static const char *const match_words[] = { "exact", "below", NULL };

struct code_row {
    struct slice code, disease, display, source;
    uint8_t match, meaning;
};

#define HEAD_COLUMNS                                                                      \
    { "code", CELL_TEXT, offsetof(struct code_row, code), NULL },                         \
        { "match", CELL_WORD, offsetof(struct code_row, match), match_words },            \
        { "disease", CELL_TEXT, offsetof(struct code_row, disease), NULL },               \
    {                                                                                     \
        "meaning", CELL_WORD, offsetof(struct code_row, meaning), condition_meaning_words \
    }
#define SOURCE_COLUMN                                                \
    {                                                                \
        "source", CELL_TEXT, offsetof(struct code_row, source), NULL \
    }

static const struct column plain_columns[] = { HEAD_COLUMNS, SOURCE_COLUMN };
static const struct column display_columns[] = {
    HEAD_COLUMNS,
    { "display", CELL_OPTIONAL_TEXT, offsetof(struct code_row, display), NULL },
    SOURCE_COLUMN,
};

static const struct condition_file {
    struct table_schema schema;
    enum code_system system;
} condition_files[] = {
    { { "mappings/icd10cm.tsv", sizeof(struct code_row), display_columns, COUNT_OF(display_columns),
        1 },
      CODE_ICD10CM },
    { { "mappings/icd10who.tsv", sizeof(struct code_row), plain_columns, COUNT_OF(plain_columns),
        1 },
      CODE_ICD10 },
    { { "mappings/icdo3.tsv", sizeof(struct code_row), plain_columns, COUNT_OF(plain_columns), 1 },
      CODE_ICDO3 },
    { { "mappings/snomed_conditions.tsv", sizeof(struct code_row), plain_columns,
        COUNT_OF(plain_columns), 1 },
      CODE_SNOMED },
    { { "mappings/who_hiv.tsv", sizeof(struct code_row), plain_columns, COUNT_OF(plain_columns),
        1 },
      CODE_WHO_HIV },
};

static bool put_row(struct mapping_build *build, const struct condition_file *file,
                    const struct code_row *row, unsigned line, struct table_errors *errors)
{
    char buffer[CODE_KEY_MAX];
    struct slice key = code_key(file->system, row->code, buffer);
    const struct disease *disease;
    struct cell_place place = { file->schema.file, line, "disease" };
    if (!build_one_disease(build, place, row->disease, &disease, errors))
        return false;
    if (key.len == 0) {
        table_complain(errors, place.file, line, "code", "'%.*s' is not a code of this system",
                       SLICE_ARGS(row->code));
        return false;
    }
    struct condition_row *kept = ARENA_NEW(build->arena, struct condition_row);
    if (kept == NULL)
        return true; /* mapping_load() looks at the arena at its end */
    *kept = (struct condition_row){ { disease, (enum condition_meaning)row->meaning },
                                    row->match == 1 };
    key = arena_copy(build->arena, key);
    if (index_put(&build->mapping->condition_codes, file->system, key, kept))
        return true;
    const struct condition_row *other =
        index_find(&build->mapping->condition_codes, file->system, key);
    if (other != NULL)
        table_complain(errors, place.file, line, "code",
                       "'%.*s' maps twice: an earlier row says %.*s, %s", SLICE_ARGS(row->code),
                       SLICE_ARGS(other->code.disease->key),
                       condition_meaning_words[other->code.meaning]);
    return false;
}

/* --- words ----------------------------------------------------------------------------------- */

#define WORDS_FILE "mappings/condition_words.tsv"

struct word_row {
    struct slice text, disease, source;
};

static const struct column word_columns[] = {
    { "text", CELL_TEXT, offsetof(struct word_row, text), NULL },
    { "disease", CELL_TEXT, offsetof(struct word_row, disease), NULL },
    { "source", CELL_TEXT, offsetof(struct word_row, source), NULL },
};

static const struct table_schema word_schema = { WORDS_FILE, sizeof(struct word_row), word_columns,
                                                 COUNT_OF(word_columns), 1 };

static bool put_words(struct mapping_build *build, const struct word_row *row, unsigned line,
                      struct table_errors *errors)
{
    const struct disease *disease;
    struct cell_place place = { WORDS_FILE, line, "disease" };
    if (!build_one_disease(build, place, row->disease, &disease, errors))
        return false;
    struct condition_row *kept = ARENA_NEW(build->arena, struct condition_row);
    if (kept == NULL)
        return true; /* mapping_load() looks at the arena at its end */
    struct words words;
    words_split(row->text, &words);
    if (words_doubt(&words)) {
        table_complain(errors, WORDS_FILE, line, "text",
                       "'%.*s' can never be found: it holds a word of denial or doubt",
                       SLICE_ARGS(row->text));
        return false;
    }
    *kept = (struct condition_row){ { disease, MEANS_PRIMARY }, false };
    if (words_put(&build->mapping->condition_words, build->arena, row->text, kept))
        return true;
    table_complain(errors, WORDS_FILE, line, "text",
                   "'%.*s' has another row already or has no word", SLICE_ARGS(row->text));
    return false;
}

static bool words_load(struct mapping_build *build, struct mapping_files files,
                       struct table_errors *errors)
{
    struct table table;
    if (!mapping_table(build, &word_schema, files, &table, errors))
        return false;
    const struct word_row *rows = table.rows;
    bool ok = true;
    for (size_t i = 0; i < table.count; i++)
        ok = put_words(build, &rows[i], table.lines[i], errors) && ok;
    return ok;
}

bool conditions_load(struct mapping_build *build, struct mapping_files files,
                     struct table_errors *errors)
{
    bool ok = words_load(build, files, errors);
    for (size_t i = 0; i < COUNT_OF(condition_files); i++) {
        const struct condition_file *file = &condition_files[i];
        struct table table;
        if (!mapping_table(build, &file->schema, files, &table, errors)) {
            ok = false;
            continue;
        }
        const struct code_row *rows = table.rows;
        for (size_t k = 0; k < table.count; k++)
            ok = put_row(build, file, &rows[k], table.lines[k], errors) && ok;
    }
    return ok;
}
