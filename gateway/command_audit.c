#include <inttypes.h>

#include "audit/export.h"
#include "base/date.h"
#include "command.h"
#include "command_audit.h"
#include "store/ledger.h"

#define PAGE_ROWS 500
#define LIST_ARENA_BYTES ((size_t)256 * 1024 * 1024)

/* --- list ------------------------------------------------------------------------------------- */

static bool print_record(const struct audit_row *row, bool as_json, struct arena *arena,
                         struct buffer *line, struct err *err)
{
    if (as_json) {
        printf("%.*s\n", SLICE_ARGS(row->record));
        return true;
    }
    buffer_reset(line);
    if (!audit_describe(row->record, arena, line, err))
        return false;
    printf("%.*s\n", SLICE_ARGS(buffer_slice(line)));
    return true;
}

static bool list_records(struct store_tx *tx, int64_t after, unsigned limit, bool as_json,
                         struct err *err)
{
    struct arena arena;
    struct buffer line;
    unsigned count = PAGE_ROWS;
    bool ok = true;

    arena_init(&arena, LIST_ARENA_BYTES);
    buffer_init(&line, (size_t)1024 * 1024);
    while (ok && limit > 0 && count == PAGE_ROWS) {
        struct audit_row *rows = NULL;
        ok = store_audit_scan(tx, after, PAGE_ROWS, &arena, &rows, &count, err);
        for (unsigned i = 0; ok && i < count && limit > 0; i++, limit--) {
            ok = print_record(&rows[i], as_json, &arena, &line, err);
            after = rows[i].seq;
        }
        arena_reset(&arena);
    }
    buffer_fini(&line);
    arena_fini(&arena);
    return ok;
}

static int audit_list(int argc, char **argv)
{
    const char *file = NULL;
    unsigned after = 0, last = 0, limit = UINT32_MAX;
    bool as_json = false;
    const struct option_row rows[] = {
        COMMAND_CONFIG_OPTION(&file),
        { "--after", "SEQ", OPTION_NUMBER, &after, NULL, "records behind this one" },
        { "--last", "N", OPTION_NUMBER, &last, NULL, "the last N records" },
        { "--limit", "N", OPTION_NUMBER, &limit, NULL, "at most so many" },
        { "--json", NULL, OPTION_FLAG, &as_json, NULL, "the records as they are stored" },
    };
    const struct command_page page = {
        .name = "lifeline audit list",
        .about =
            "Lists the audit log, the oldest record first: when, who, what, with which outcome.",
        .options = rows,
        .option_count = COUNT_OF(rows),
        .examples = "  lifeline audit list --last 20\n"
                    "  lifeline audit list --json | grep '\"kind\":\"delivery\"'",
    };
    struct command_store from;
    struct operands operands;
    struct audit_head head;
    struct err err;
    int status = EXIT_DONE;

    if (!options_read(&page, argc, argv, &operands, &status))
        return status;
    if (!command_store_open(file, &from))
        return EXIT_REFUSED;
    bool ok = store_audit_head(from.tx, &head.seq, &head.hash, &err);
    int64_t start = ok && last > 0 && head.seq > last ? head.seq - last : (int64_t)after;
    if (!ok || !list_records(from.tx, start, limit, as_json, &err)) {
        command_print_err(&err);
        status = EXIT_REFUSED;
    }
    command_store_close(&from);
    return status;
}

/* --- verify ----------------------------------------------------------------------------------- */

static void print_whole(const struct audit_verifier *verifier, bool has_key)
{
    char hash[SHA256_HEX_SIZE];

    printf("The audit chain is whole: %" PRIu64 " records, the last is #%" PRId64 " sha256:%s\n",
           verifier->records, verifier->head.seq, sha256_hex(&verifier->head.hash, hash));
    if (has_key && verifier->signed_seq > 0)
        printf("Signed heads are good: %u, covering records up to #%" PRId64 "\n",
               verifier->signatures, verifier->signed_seq);
    else if (has_key)
        printf("No head has been signed yet\n");
    else
        printf("Signatures were not checked (no key): who can write the store could rewrite it\n");
    if (verifier->clock_steps_back > 0)
        printf("The clock went backwards %u time%s, the first time at #%" PRId64 "\n",
               verifier->clock_steps_back, verifier->clock_steps_back == 1 ? "" : "s",
               verifier->clock_back_seq);
}

int audit_print_verdict(const struct audit_verifier *verifier, bool has_key)
{
    if (audit_is_whole(verifier)) {
        print_whole(verifier, has_key);
        return EXIT_DONE;
    }
    printf("The audit chain is BROKEN at #%" PRId64 ": %s: %s\n", verifier->fault_seq,
           audit_fault_name(verifier->fault), verifier->what);
    return EXIT_REFUSED;
}

static int verify_store(const char *config_file, const char *key_file)
{
    struct audit_verifier verifier;
    struct audit_key *key = NULL;
    struct command_store from;
    struct err err;
    int status = EXIT_REFUSED;

    if (!command_store_open(config_file, &from))
        return EXIT_REFUSED;
    bool ok = audit_key_open(key_file, from.config.signing_key_file, &from.arena, &key, &err);
    if (ok && ledger_verify(from.tx, key, &verifier, &err))
        status = audit_print_verdict(&verifier, key != NULL);
    else
        command_print_err(&err);
    if (key != NULL)
        audit_key_free(key);
    command_store_close(&from);
    return status;
}

static int audit_verify(int argc, char **argv)
{
    const char *file = NULL, *key = NULL, *folder = NULL;
    const struct option_row rows[] = {
        COMMAND_CONFIG_OPTION(&file),
        { "--key", "FILE", OPTION_TEXT, &key, NULL,
          "public key(s) that signed the heads, PEM; without it the\n"
          "signing key of the configuration" },
        { "--export", "FOLDER", OPTION_TEXT, &folder, NULL,
          "verify an export instead: no database and no\nconfiguration needed" },
    };
    const struct command_page page = {
        .name = "lifeline audit verify",
        .about =
            "Recomputes the chain of the audit log from its first record and compares it with\n"
            "the head and the signed heads.  Names the first record that was edited, removed,\n"
            "inserted or moved, and a tail that was cut.  Exit status: 0 whole, 1 not.",
        .options = rows,
        .option_count = COUNT_OF(rows),
        .examples = "  lifeline audit verify\n"
                    "  lifeline audit verify --export audit-2026 --key audit-public.pem",
    };
    struct operands operands;
    int status = EXIT_DONE;

    if (!options_read(&page, argc, argv, &operands, &status))
        return status;
    return folder != NULL ? audit_verify_export(folder, key) : verify_store(file, key);
}

int command_audit(int argc, char **argv)
{
    static const struct command commands[] = {
        { "list", "who did what, when, with which outcome", audit_list },
        { "verify", "whether the log is as it was written", audit_verify },
        { "export", "files that can be verified without this database", audit_export },
    };

    return command_choose(
        "lifeline audit",
        "The audit log is a chain of hashes over every exchange, derivation and administrative\n"
        "act.  It is read here, never changed, beside a gateway that may be running.",
        commands, COUNT_OF(commands), argc, argv);
}
