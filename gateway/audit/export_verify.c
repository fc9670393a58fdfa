/* An exported line has no hash beside it, but the line behind it names its hash (`prev`), and the
 * manifest names that of the last.  Such a name is taken as the hash beside the line when the line
 * that names it is whole itself: otherwise a change of one line's `prev` would put the blame on the
 * line before it.  Where nobody names it, a line counts as what it says it is; the chain tells. */
#include "audit/audit_int.h"
#include "audit/export_int.h"

/* A line with what it says of itself. */
struct exported {
    struct slice text;
    bool is_there, is_readable;
    struct audit_line line;
    struct sha256 by_own_account;
};

struct lines {
    const struct manifest *manifest;
    const struct audit_export_file *files;
    unsigned file_count;
    unsigned next_file;
    struct slice rest;
};

static const struct audit_export_file *file_by_name(const struct lines *lines, struct slice name)
{
    for (unsigned i = 0; i < lines->file_count; i++)
        if (slice_eq(lines->files[i].name, name))
            return &lines->files[i];
    return NULL;
}

/* True when `text` is one JSON object and nothing else, by its brackets and strings: a line that
 * was cut or glued must not pass because its beginning can be read. */
static bool is_one_object(struct slice text)
{
    size_t depth = 0;
    bool is_string = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        if (is_string && c == '\\')
            i++;
        else if (c == '"')
            is_string = !is_string;
        else if (!is_string && (c == '{' || c == '['))
            depth++;
        else if (!is_string && (c == '}' || c == ']') && (depth == 0 || --depth == 0))
            return i + 1 == text.len;
    }
    return false;
}

static struct exported line_next(struct lines *lines)
{
    while (lines->rest.len == 0 && lines->next_file < lines->manifest->file_count) {
        struct slice name = lines->manifest->files[lines->next_file++].name;
        const struct audit_export_file *file = file_by_name(lines, name);
        if (file != NULL)
            lines->rest = file->text;
    }
    struct exported next = { .is_there = lines->rest.len > 0 };
    next.text = slice_take_until(&lines->rest, '\n');
    next.is_readable = is_one_object(next.text) && audit_line_parse(next.text, &next.line);
    if (next.is_readable)
        next.by_own_account = audit_hash(&next.line.prev, next.text);
    return next;
}

/* The hash that `behind` (or the manifest) names for `line`; NULL when nobody speaks of it. */
static const struct sha256 *hash_named(const struct manifest *manifest, const struct exported *line,
                                       const struct exported *behind)
{
    if (!line->is_readable)
        return NULL;
    if (!behind->is_there && line->line.seq == manifest->head.seq)
        return &manifest->head.hash;
    if (behind->is_readable && behind->line.seq == line->line.seq + 1)
        return &behind->line.prev;
    return NULL;
}

static bool row_verify(struct audit_verifier *verifier, const struct manifest *manifest,
                       int64_t place, const struct exported window[3])
{
    const struct exported *line = &window[0], *behind = &window[1];
    const struct sha256 *hash = &line->by_own_account;
    const struct sha256 *named = hash_named(manifest, line, behind);
    if (named != NULL && behind->is_there) {
        const struct sha256 *of_behind = hash_named(manifest, behind, &window[2]);
        if (of_behind != NULL && !sha256_equal(of_behind, &behind->by_own_account))
            named = NULL;
    }
    if (named != NULL)
        hash = named;
    /* what cannot be read is handed on as what cannot be read */
    struct slice text = line->is_readable ? line->text : SLICE("");
    return audit_verify_row(verifier, place, text, hash);
}

struct statements {
    const struct manifest *manifest;
    const struct audit_key *key;
    unsigned next;
};

/* Those of the records up to `seq`. */
static bool statements_verify(struct statements *statements, struct audit_verifier *verifier,
                              int64_t up_to)
{
    for (; statements->next < statements->manifest->signature_count; statements->next++) {
        struct slice text = statements->manifest->signatures[statements->next];
        int64_t seq;
        struct err err;
        if (audit_statement_seq(text, &seq, &err) && seq > up_to)
            return true;
        if (!audit_verify_statement(verifier, statements->key, text))
            return false;
    }
    return true;
}

static bool chain_verify(struct lines *lines, struct statements *statements,
                         struct audit_verifier *verifier)
{
    const struct manifest *manifest = lines->manifest;
    struct exported window[3] = { line_next(lines), line_next(lines), line_next(lines) };
    int64_t place = manifest->before.seq;
    audit_verify_start_at(verifier, &manifest->before);
    if (!statements_verify(statements, verifier, place))
        return false;
    while (window[0].is_there) {
        if (!row_verify(verifier, manifest, ++place, window) ||
            !statements_verify(statements, verifier, verifier->head.seq))
            return false;
        window[0] = window[1];
        window[1] = window[2];
        window[2] = line_next(lines);
    }
    return statements_verify(statements, verifier, INT64_MAX);
}

/* With the chain whole, what is left: every file as the manifest says, and a signed end. */
static bool rest_verify(const struct lines *lines, const struct audit_key *key,
                        struct audit_verifier *verifier)
{
    const struct manifest *manifest = lines->manifest;
    int64_t first = manifest->before.seq + 1;
    for (unsigned i = 0; i < manifest->file_count; i++) {
        const struct audit_export_entry *entry = &manifest->files[i];
        const struct audit_export_file *file = file_by_name(lines, entry->name);
        if (file == NULL)
            return audit_set_fault(verifier, AUDIT_REMOVED, first,
                                   "file %u of the export is missing", i + 1);
        struct sha256 digest = sha256_of_one(file->text);
        if (!sha256_equal(&digest, &entry->digest) || file->text.len != entry->bytes)
            return audit_set_fault(verifier, AUDIT_EDITED, first,
                                   "file %u of the export is not what the manifest says", i + 1);
        first += (int64_t)entry->records;
    }
    if (key != NULL && verifier->head.seq == manifest->head.seq &&
        verifier->signed_seq < verifier->head.seq)
        return audit_set_fault(verifier, AUDIT_BAD_SIGNATURE, verifier->signed_seq + 1,
                               "no signed head covers the records from %lld on",
                               (long long)verifier->signed_seq + 1);
    return true;
}

bool audit_export_verify(struct slice manifest, const struct audit_export_file *files,
                         unsigned file_count, const struct audit_key *key,
                         struct audit_verifier *out, struct err *err)
{
    struct arena arena;
    struct manifest read;
    *err = (struct err){ .code = ERR_OK };
    audit_verify_start(out);
    arena_init(&arena, (size_t)4 * 1024 * 1024 + 16 * manifest.len);
    bool is_read = manifest_read(manifest, &arena, &read, err);
    bool is_good = false;
    if (is_read) {
        struct lines lines = { &read, files, file_count, 0, SLICE("") };
        struct statements statements = { &read, key, 0 };
        is_good = chain_verify(&lines, &statements, out);
        /* a cut tail or a foreign head is told by audit_verify_end() */
        if (is_good && !out->suspect.is_open && out->rewritten_seq == 0 &&
            out->head.seq == read.head.seq && sha256_equal(&out->head.hash, &read.head.hash))
            is_good = rest_verify(&lines, key, out);
        is_good = audit_verify_end(out, &read.head) && is_good;
    }
    arena_fini(&arena);
    return is_read && is_good;
}
