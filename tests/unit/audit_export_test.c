/* An export in three files: verified with the public key alone, and every harm is named. */
#include "audit_keys.h"

#define RECORDS 50
#define PER_FILE 20

/* An export in memory; the chain that its lines come from stays beside it. */
struct exported {
    struct chain chain;
    unsigned per_file;
    struct buffer files[3], manifest, signatures[2];
    struct audit_export_file parts[3];
};

static void files_write(struct exported *exported)
{
    static const struct slice names[] = { SLICE("audit-1.ndjson"), SLICE("audit-2.ndjson"),
                                          SLICE("audit-3.ndjson") };
    for (unsigned i = 0; i < 3; i++) {
        buffer_reset(&exported->files[i]);
        unsigned per_file = exported->per_file;
        unsigned end = i == 2 ? exported->chain.count : (i + 1) * per_file;
        for (unsigned n = i * per_file; n < exported->chain.count && n < end; n++)
            audit_export_line(chain_line(&exported->chain.rows[n]), &exported->files[i]);
        exported->parts[i] =
            (struct audit_export_file){ names[i], buffer_slice(&exported->files[i]) };
    }
}

static void manifest_write(struct exported *exported)
{
    struct audit_export_entry entries[3];
    struct slice signatures[2];
    struct err err;
    for (unsigned i = 0; i < 3; i++)
        entries[i] = audit_export_entry(&exported->parts[i]);
    for (unsigned i = 0; i < 2; i++)
        signatures[i] = buffer_slice(&exported->signatures[i]);
    struct audit_export export = { .software = "Lifeline 0.1.0",
                                   .instance = SLICE("urn:uuid:0"),
                                   .created_ms = CHAIN_START_MS,
                                   .head = exported->chain.head,
                                   .signatures = signatures,
                                   .signature_count = 2,
                                   .files = entries,
                                   .file_count = 3 };
    buffer_reset(&exported->manifest);
    if (!audit_export_manifest(&export, &exported->manifest, &err))
        fail_msg("%s: %s", err.where, err.what);
}

static void export_build_of(struct exported *exported, unsigned records, unsigned per_file)
{
    chain_build(&exported->chain, records);
    exported->per_file = per_file;
    for (unsigned i = 0; i < 3; i++)
        buffer_init(&exported->files[i], 1 << 20);
    buffer_init(&exported->manifest, 1 << 20);
    for (unsigned i = 0; i < 2; i++) {
        buffer_init(&exported->signatures[i], 4096);
        test_sign(&exported->chain, i == 0 ? per_file : records, 0, &exported->signatures[i]);
    }
    files_write(exported);
    manifest_write(exported);
}

static void export_build(struct exported *exported)
{
    export_build_of(exported, RECORDS, PER_FILE);
}

static void export_free(struct exported *exported)
{
    for (unsigned i = 0; i < 3; i++)
        buffer_fini(&exported->files[i]);
    buffer_fini(&exported->manifest);
    for (unsigned i = 0; i < 2; i++)
        buffer_fini(&exported->signatures[i]);
}

static struct audit_verifier export_verify(const struct exported *exported)
{
    struct audit_verifier verifier;
    struct audit_key *key = test_key(0, false);
    struct err err;
    bool is_good = audit_export_verify(buffer_slice(&exported->manifest), exported->parts, 3, key,
                                       &verifier, &err);
    if (err.code != ERR_OK)
        fail_msg("%s: %s", err.where, err.what);
    assert_int_equal(is_good, audit_is_whole(&verifier));
    audit_key_free(key);
    return verifier;
}

typedef int64_t harm(struct chain *chain, unsigned at);

static int64_t remove_one(struct chain *chain, unsigned at)
{
    chain_remove(chain, at);
    return at + 1;
}

static int64_t insert_copy(struct chain *chain, unsigned at)
{
    chain_insert(chain, at, &chain->rows[(at + 17) % RECORDS]);
    return at + 1;
}

static int64_t insert_forged(struct chain *chain, unsigned at)
{
    struct chain forged = *chain;
    chain_forge(&forged, at, false);
    chain_insert(chain, at, &forged.rows[at]);
    return at + 1;
}

static int64_t replace_by_forged(struct chain *chain, unsigned at)
{
    chain_forge(chain, at, false);
    return at + 1;
}

static int64_t swap_neighbours(struct chain *chain, unsigned at)
{
    if (at + 1 >= RECORDS)
        return 0;
    struct chain_row row = chain->rows[at];
    chain->rows[at] = chain->rows[at + 1];
    chain->rows[at + 1] = row;
    return at + 1;
}

static int64_t cut_tail(struct chain *chain, unsigned at)
{
    chain->count = at;
    return at + 1;
}

static int64_t append_forged(struct chain *chain, unsigned at)
{
    (void)at;
    struct audit_head head = chain->head;
    chain_append(chain, 3);
    chain->head = head;
    return RECORDS + 1;
}

static const struct harm_case {
    const char *name;
    harm *act;
    enum audit_fault fault, fault_of_last; /* of the last record, where it differs */
} cases[] = {
    { "a removed line", remove_one, AUDIT_REMOVED, AUDIT_TRUNCATED },
    { "a copied line", insert_copy, AUDIT_INSERTED, AUDIT_INSERTED },
    { "a forged line between two", insert_forged, AUDIT_INSERTED, AUDIT_INSERTED },
    { "a forged line in the place of another", replace_by_forged, AUDIT_EDITED, AUDIT_EDITED },
    { "two lines swapped", swap_neighbours, AUDIT_REORDERED, AUDIT_REORDERED },
    { "a cut tail", cut_tail, AUDIT_TRUNCATED, AUDIT_TRUNCATED },
    { "a forged line behind the last", append_forged, AUDIT_INSERTED, AUDIT_INSERTED },
};

static void harm_is_named_at_every_place(void **state)
{
    const struct harm_case *row = *state;
    static struct exported exported;
    static struct chain whole;
    export_build(&exported);
    whole = exported.chain;
    for (unsigned at = 0; at < RECORDS; at++) {
        exported.chain = whole;
        int64_t named = row->act(&exported.chain, at);
        if (named == 0)
            continue;
        files_write(&exported);
        struct audit_verifier verifier = export_verify(&exported);
        assert_fault(&verifier, at + 1 == RECORDS ? row->fault_of_last : row->fault, named, at);
    }
    export_free(&exported);
}

static void a_whole_export_is_whole(void **state)
{
    (void)state;
    static struct exported exported;
    export_build(&exported);
    struct audit_verifier verifier = export_verify(&exported);
    assert_fault(&verifier, AUDIT_OK, 0, 0);
    assert_int_equal(verifier.records, RECORDS);
    assert_int_equal(verifier.signatures, 2);
    assert_int_equal(verifier.signed_seq, RECORDS);
    export_free(&exported);
}

static void every_byte_of_every_line_is_guarded(void **state)
{
    (void)state;
    enum { SHORT = 8 };
    static struct exported exported;
    export_build_of(&exported, SHORT, 3);
    unsigned record = 0, flips = 0;
    for (unsigned file = 0; file < 3; file++)
        for (size_t i = 0; i < exported.files[file].len; i++) {
            char *byte = &exported.files[file].at[i], kept = *byte;
            bool is_line_end = kept == '\n';
            *byte = (char)(kept ^ (char)(1 << i % 8));
            struct audit_verifier verifier = export_verify(&exported);
            assert_fault(&verifier, AUDIT_EDITED, record + 1, (unsigned)i);
            *byte = '\n'; /* a line cut in two */
            verifier = export_verify(&exported);
            if (!is_line_end)
                assert_fault(&verifier, AUDIT_EDITED, record + 1, (unsigned)i);
            *byte = kept;
            record += is_line_end;
            flips++;
        }
    assert_int_equal(record, SHORT);
    print_message("%u single bytes changed, each found and named\n", flips);
    export_free(&exported);
}

static void a_chain_and_manifest_written_anew_lack_the_signature(void **state)
{
    (void)state;
    static struct exported exported;
    static struct chain whole;
    export_build(&exported);
    whole = exported.chain;
    for (unsigned at = 0; at < RECORDS; at += 7) {
        exported.chain = whole;
        chain_forge(&exported.chain, at, true);
        files_write(&exported);
        manifest_write(&exported);
        struct audit_verifier verifier = export_verify(&exported);
        assert_fault(&verifier, AUDIT_REWRITTEN, at < 20 ? 20 : RECORDS, at);
    }
    export_free(&exported);
}

static void an_export_whose_end_is_not_signed_is_refused(void **state)
{
    (void)state;
    static struct exported exported;
    export_build(&exported);
    chain_append(&exported.chain, 0);
    files_write(&exported);
    manifest_write(&exported);
    struct audit_verifier verifier = export_verify(&exported);
    assert_fault(&verifier, AUDIT_BAD_SIGNATURE, RECORDS + 1, 0);
    export_free(&exported);
}

static void a_missing_file_is_a_removal_and_the_last_a_truncation(void **state)
{
    (void)state;
    static struct exported exported;
    for (unsigned missing = 0; missing < 3; missing++) {
        export_build(&exported);
        exported.parts[missing].name = SLICE("somewhere else");
        struct audit_verifier verifier = export_verify(&exported);
        assert_fault(&verifier, missing == 2 ? AUDIT_TRUNCATED : AUDIT_REMOVED,
                     missing * PER_FILE + 1, missing);
        export_free(&exported);
    }
}

static void bytes_that_are_no_record_do_not_match_the_manifest(void **state)
{
    (void)state;
    static struct exported exported;
    export_build(&exported);
    exported.parts[2].text.len--; /* the last line break */
    struct audit_verifier verifier = export_verify(&exported);
    assert_fault(&verifier, AUDIT_EDITED, 2 * PER_FILE + 1, 0);
    export_free(&exported);
}

static void a_broken_manifest_is_an_error_and_never_a_crash(void **state)
{
    (void)state;
    static struct exported exported;
    struct audit_verifier verifier;
    struct err err;
    export_build(&exported);
    struct slice manifest = buffer_slice(&exported.manifest);
    for (size_t len = 0; len + 2 < manifest.len; len++)
        assert_false(audit_export_verify((struct slice){ manifest.at, len }, exported.parts, 3,
                                         NULL, &verifier, &err));
    struct slice other = SLICE("{\"format\":\"tar\"}");
    assert_false(audit_export_verify(other, exported.parts, 3, NULL, &verifier, &err));
    assert_int_equal(err.code, ERR_VALUE);
    export_free(&exported);
}

static void a_manifest_names_its_files(void **state)
{
    (void)state;
    static struct exported exported;
    struct arena arena;
    struct slice *names;
    unsigned count;
    struct err err;
    export_build(&exported);
    arena_init(&arena, 1 << 20);
    assert_true(audit_export_names(buffer_slice(&exported.manifest), &arena, &names, &count, &err));
    assert_int_equal(count, 3);
    assert_true(slice_is(names[1], "audit-2.ndjson"));
    arena_fini(&arena);
    export_free(&exported);
}

int main(void)
{
    struct CMUnitTest tests[COUNT_OF(cases) + 8] = {
        cmocka_unit_test(a_whole_export_is_whole),
        cmocka_unit_test(every_byte_of_every_line_is_guarded),
        cmocka_unit_test(a_chain_and_manifest_written_anew_lack_the_signature),
        cmocka_unit_test(an_export_whose_end_is_not_signed_is_refused),
        cmocka_unit_test(a_missing_file_is_a_removal_and_the_last_a_truncation),
        cmocka_unit_test(bytes_that_are_no_record_do_not_match_the_manifest),
        cmocka_unit_test(a_broken_manifest_is_an_error_and_never_a_crash),
        cmocka_unit_test(a_manifest_names_its_files),
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) /* one reported test per row */
        tests[8 + i] = (struct CMUnitTest){ .name = cases[i].name,
                                            .test_func = harm_is_named_at_every_place,
                                            .initial_state = (void *)(uintptr_t)&cases[i] };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
