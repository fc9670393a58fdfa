#include "plan/texts.h"

#include "base/hash.h"
#include "base/utf8.h"
#include "domain/drug.h"

#define COLUMNS 4

struct texts_reader {
    const char *file;
    unsigned line;
    struct arena *arena;
    struct buffer *faults;
    bool is_good;
    struct plan_texts out;
};

static void complain(struct texts_reader *reader, const char *column, const char *what)
{
    reader->is_good = false;
    buffer_format(reader->faults, "%s:%u: %s: %s\n", reader->file, reader->line, column, what);
}

static uint32_t trait_of(struct slice word)
{
    static const struct {
        const char *word;
        uint32_t trait;
    } traits[] = {
#define X(name, text) { text, TRAIT_##name },
        DRUG_TRAIT_TABLE(X)
#undef X
    };
    for (size_t i = 0; i < COUNT_OF(traits); i++)
        if (slice_is(word, traits[i].word))
            return traits[i].trait;
    return 0;
}

/* A text goes into JSON and before clinicians: printable UTF-8 of a bounded length. */
static const char *fault_of_text(struct slice text)
{
    if (text.len == 0)
        return "the text is missing";
    if (text.len > PLAN_TEXT_MAX)
        return "the text is longer than 400 bytes";
    for (size_t len; text.len > 0; text = slice_skip(text, len)) {
        len = utf8_len(text.at, text.len);
        if (len == 0 || !utf8_is_printable((struct slice){ text.at, len }))
            return "the text has a character that is not printable UTF-8";
    }
    return NULL;
}

static bool is_known(const struct texts_reader *reader, enum plan_text_kind kind, struct slice key)
{
    for (unsigned i = 0; i < reader->out.count; i++)
        if (reader->out.list[i].kind == kind && slice_eq(reader->out.list[i].key, key))
            return true;
    return false;
}

static void read_row(struct texts_reader *reader, const struct slice cells[COLUMNS])
{
    struct slice kind = cells[0], key = cells[1], text = cells[2], source = cells[3];
    bool is_class = slice_is(kind, "class");
    enum plan_text_kind of = is_class                  ? PLAN_TEXT_CLASS
                             : slice_is(kind, "hiv")   ? PLAN_TEXT_HIV
                             : slice_is(kind, "renal") ? PLAN_TEXT_RENAL
                                                       : PLAN_TEXT_PROMPT;
    const char *text_fault = fault_of_text(text);
    uint32_t trait = is_class ? trait_of(key) : 0;

    if (of == PLAN_TEXT_PROMPT && !slice_is(kind, "prompt"))
        complain(reader, "kind", "expected prompt, hiv, renal or class");
    if (key.len == 0)
        complain(reader, "key", "the key is missing");
    else if (is_class && trait == 0)
        complain(reader, "key", "expected a trait of mappings/drugs.tsv");
    else if (is_known(reader, of, key))
        complain(reader, "key", "the key is there twice");
    if (text_fault != NULL)
        complain(reader, "text", text_fault);
    if (source.len == 0)
        complain(reader, "source", "the source is missing");
    if (reader->out.count == PLAN_TEXTS_MAX) {
        complain(reader, "kind", "more than 32 texts");
        return;
    }
    struct plan_text *out = &reader->out.list[reader->out.count++];
    *out = (struct plan_text){ .kind = of,
                               .key = arena_copy(reader->arena, key),
                               .text = arena_copy(reader->arena, text),
                               .trait = trait };
    struct sha256 digest =
        sha256_of((const struct slice[]){ kind, SLICE("\n"), key, SLICE("\n"), text }, 5);
    memcpy(out->mark, digest.bytes, sizeof out->mark);
}

/* False when the row does not have exactly COLUMNS cells. */
static bool split(struct slice row, struct slice cells[COLUMNS])
{
    for (unsigned i = 0; i < COLUMNS; i++) {
        bool is_last = i + 1 == COLUMNS;
        if (is_last != (memchr(row.at, '\t', row.len) == NULL))
            return false;
        cells[i] = slice_take_until(&row, '\t');
    }
    return true;
}

static void read_line(struct texts_reader *reader, struct slice row, bool *has_header)
{
    static const char *const header[COLUMNS] = { "kind", "key", "text", "source" };
    struct slice cells[COLUMNS];
    if (row.len > 0 && row.at[row.len - 1] == '\r')
        row.len--;
    if (row.len == 0 || row.at[0] == '#')
        return;
    if (!split(row, cells)) {
        complain(reader, "kind", "expected four columns: kind, key, text, source");
        *has_header = true;
        return;
    }
    if (*has_header) {
        read_row(reader, cells);
        return;
    }
    *has_header = true;
    for (unsigned i = 0; i < COLUMNS; i++)
        if (!slice_is(cells[i], header[i]))
            complain(reader, header[i], "the first line must be: kind, key, text, source");
}

bool plan_texts_read(struct slice tsv, const char *file, struct arena *arena,
                     struct plan_texts *out, struct buffer *faults)
{
    struct texts_reader reader = {
        .file = file, .arena = arena, .faults = faults, .is_good = true
    };
    bool has_header = false;
    while (tsv.len > 0) {
        reader.line++;
        struct slice row = slice_take_until(&tsv, '\n');
        read_line(&reader, row, &has_header);
    }
    if (!has_header)
        complain(&reader, "kind", "the first line must be: kind, key, text, source");
    if (arena_overflowed(arena))
        complain(&reader, "text", "the texts do not fit into memory");
    if (reader.is_good)
        *out = reader.out;
    return reader.is_good;
}
