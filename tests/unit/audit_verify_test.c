/* Whatever is done to a chain of fifty records, at every place: verification names the kind of the
 * fault and the record. */
#include <stdio.h>

#include "audit_chain.h"

#define RECORDS 50

/* What somebody does to the chain at index `at`; returns the seq that must be named, 0 when the act
 * makes no sense there. */
typedef int64_t harm(struct chain *chain, unsigned at);

static int64_t edit_line(struct chain *chain, unsigned at)
{
    chain->rows[at].line[chain->rows[at].len - 3] ^= 1;
    return at + 1;
}

static int64_t edit_and_hash(struct chain *chain, unsigned at)
{
    if (at + 1 == chain->count)
        return 0; /* the head knows: see "the last record forged" */
    chain_forge(chain, at, false);
    return at + 1;
}

static int64_t edit_stored_hash(struct chain *chain, unsigned at)
{
    chain->rows[at].hash.bytes[at % SHA256_BYTES] ^= 0x40;
    return at + 1;
}

static int64_t make_unreadable(struct chain *chain, unsigned at)
{
    chain->rows[at].len = at;
    return at + 1;
}

static int64_t remove_one(struct chain *chain, unsigned at)
{
    chain_remove(chain, at);
    return at + 1 == RECORDS ? 0 : at + 1; /* the last one: truncated */
}

static int64_t remove_and_renumber(struct chain *chain, unsigned at)
{
    int64_t named = remove_one(chain, at);
    chain_renumber(chain);
    return named;
}

static int64_t remove_three(struct chain *chain, unsigned at)
{
    for (unsigned i = 0; i < 3 && at + 1 < chain->count; i++)
        chain_remove(chain, at);
    return at + 1 == RECORDS ? 0 : at + 1;
}

static int64_t insert_copy(struct chain *chain, unsigned at)
{
    chain_insert(chain, at, &chain->rows[(at + 17) % RECORDS]);
    chain_renumber(chain);
    return at + 1;
}

static int64_t insert_copy_of_neighbour(struct chain *chain, unsigned at)
{
    chain_insert(chain, at + 1, &chain->rows[at]);
    chain_renumber(chain);
    return at + 2;
}

static int64_t insert_same_place(struct chain *chain, unsigned at)
{
    chain_insert(chain, at + 1, &chain->rows[at]);
    return at + 1;
}

static int64_t insert_forged(struct chain *chain, unsigned at)
{
    struct chain forged = *chain;
    chain_forge(&forged, at, false);
    chain_insert(chain, at, &forged.rows[at]);
    chain_renumber(chain);
    return at + 1;
}

static int64_t insert_forged_unhashed(struct chain *chain, unsigned at)
{
    struct chain forged = *chain;
    chain_forge(&forged, at, false);
    forged.rows[at].hash.bytes[3] ^= 1;
    chain_insert(chain, at, &forged.rows[at]);
    chain_renumber(chain);
    return at + 1;
}

static int64_t swap_with(struct chain *chain, unsigned at, unsigned other)
{
    struct chain_row row = chain->rows[at];
    chain->rows[at] = chain->rows[other];
    chain->rows[other] = row;
    chain_renumber(chain);
    return at + 1;
}

static int64_t swap_neighbours(struct chain *chain, unsigned at)
{
    return at + 1 < RECORDS ? swap_with(chain, at, at + 1) : 0;
}

static int64_t swap_distant(struct chain *chain, unsigned at)
{
    return at + 9 < RECORDS ? swap_with(chain, at, at + 9) : 0;
}

static int64_t swap_lines_only(struct chain *chain, unsigned at)
{
    if (at + 1 >= RECORDS)
        return 0;
    struct chain before = *chain;
    swap_with(chain, at, at + 1);
    chain->rows[at].hash = before.rows[at].hash;
    chain->rows[at + 1].hash = before.rows[at + 1].hash;
    return at + 1;
}

static int64_t move_to_end(struct chain *chain, unsigned at)
{
    if (at + 1 == RECORDS)
        return 0;
    struct chain_row row = chain->rows[at];
    chain_remove(chain, at);
    row.seq = 1000;
    chain_insert(chain, chain->count, &row);
    return at + 1;
}

static int64_t move_forward(struct chain *chain, unsigned at)
{
    if (at + 5 >= RECORDS)
        return 0;
    struct chain_row row = chain->rows[at + 5];
    chain_remove(chain, at + 5);
    chain_insert(chain, at, &row);
    chain_renumber(chain);
    return at + 1;
}

static int64_t cut_tail(struct chain *chain, unsigned at)
{
    chain->count = at;
    return at + 1;
}

static int64_t append_forged(struct chain *chain, unsigned at)
{
    struct audit_head head = chain->head;
    chain->count = RECORDS;
    for (unsigned i = 0; i <= at % 3; i++)
        chain_append(chain, 3);
    chain->head = head;
    return RECORDS + 1;
}

static int64_t rewrite_under_old_head(struct chain *chain, unsigned at)
{
    struct audit_head head = chain->head;
    chain_forge(chain, at, true);
    chain->head = head;
    return RECORDS;
}

static int64_t shift_numbers(struct chain *chain, unsigned at)
{
    for (unsigned i = at; i < chain->count; i++)
        chain->rows[i].seq++;
    return at + 1;
}

static const struct harm_case {
    const char *name;
    harm *act;
    enum audit_fault fault;
} cases[] = {
    { "a changed line is an edit", edit_line, AUDIT_EDITED },
    { "a changed line with its hash made anew is an edit", edit_and_hash, AUDIT_EDITED },
    { "a changed stored hash is an edit", edit_stored_hash, AUDIT_EDITED },
    { "a line that cannot be read is an edit", make_unreadable, AUDIT_EDITED },
    { "a missing record is a removal", remove_one, AUDIT_REMOVED },
    { "a missing record is a removal, also when the places are numbered anew", remove_and_renumber,
      AUDIT_REMOVED },
    { "three missing records are a removal of the first", remove_three, AUDIT_REMOVED },
    { "places numbered past a gap are a removal", shift_numbers, AUDIT_REMOVED },
    { "a copy of another record is an insertion", insert_copy, AUDIT_INSERTED },
    { "a copy behind its original is an insertion", insert_copy_of_neighbour, AUDIT_INSERTED },
    { "a number given twice is an insertion", insert_same_place, AUDIT_INSERTED },
    { "a forged record with a right hash is an insertion", insert_forged, AUDIT_INSERTED },
    { "a forged record with a wrong hash is an insertion", insert_forged_unhashed, AUDIT_INSERTED },
    { "forged records behind the head are an insertion", append_forged, AUDIT_INSERTED },
    { "two neighbours swapped are a reordering", swap_neighbours, AUDIT_REORDERED },
    { "two distant records swapped are a reordering", swap_distant, AUDIT_REORDERED },
    { "two lines swapped under their hashes are a reordering", swap_lines_only, AUDIT_REORDERED },
    { "a record moved to the end is a reordering", move_to_end, AUDIT_REORDERED },
    { "a record moved forward is a reordering", move_forward, AUDIT_REORDERED },
    { "a cut tail is a truncation", cut_tail, AUDIT_TRUNCATED },
    { "a chain written anew does not match the head", rewrite_under_old_head, AUDIT_REWRITTEN },
};

static void harm_is_named_at_every_place(void **state)
{
    const struct harm_case *row = *state;
    static struct chain whole, chain;
    chain_build(&whole, RECORDS);
    unsigned tried = 0;
    for (unsigned at = 0; at < RECORDS; at++) {
        chain = whole;
        int64_t named = row->act(&chain, at);
        if (named == 0)
            continue;
        struct audit_verifier verifier = chain_verify(&chain);
        assert_fault(&verifier, row->fault, named, at);
        assert_true(strlen(verifier.what) > 0);
        tried++;
    }
    assert_true(tried >= 40);
}

static void a_whole_chain_is_whole(void **state)
{
    (void)state;
    static struct chain chain;
    for (unsigned count = 0; count <= RECORDS; count++) {
        chain_build(&chain, count);
        struct audit_verifier verifier = chain_verify(&chain);
        assert_fault(&verifier, AUDIT_OK, 0, count);
        assert_int_equal(verifier.records, count);
        assert_int_equal(verifier.head.seq, count);
    }
}

/* The property behind "edit": no byte of any line can change unseen, and the record is named. */
static void every_byte_is_guarded(void **state)
{
    (void)state;
    static struct chain chain;
    chain_build(&chain, RECORDS);
    unsigned flips = 0;
    for (unsigned at = 0; at < RECORDS; at++)
        for (size_t i = 0; i < chain.rows[at].len; i++) {
            char *byte = &chain.rows[at].line[i], kept = *byte;
            *byte = (char)(kept ^ (char)(1 << (i + at) % 8));
            struct audit_verifier verifier = chain_verify(&chain);
            assert_fault(&verifier, AUDIT_EDITED, at + 1, at);
            *byte = kept;
            flips++;
        }
    assert_true(flips > 10000);
    print_message("%u single bytes changed, each found and named\n", flips);
}

static void the_last_record_forged_does_not_match_the_head(void **state)
{
    (void)state;
    static struct chain chain;
    chain_build(&chain, RECORDS);
    chain_forge(&chain, RECORDS - 1, false);
    struct audit_verifier verifier = chain_verify(&chain);
    assert_fault(&verifier, AUDIT_REWRITTEN, RECORDS, 0);
}

static void an_emptied_log_is_truncated(void **state)
{
    (void)state;
    static struct chain chain;
    chain_build(&chain, RECORDS);
    chain.count = 0;
    struct audit_verifier verifier = chain_verify(&chain);
    assert_fault(&verifier, AUDIT_TRUNCATED, 1, 0);
}

static void clock_steps_back_are_counted_but_not_fatal(void **state)
{
    (void)state;
    static const int64_t times[] = { 0, 5000, 4001, 3999, 2998, 2999, 900000, 0, 1 };
    static struct chain chain;
    chain = (struct chain){ 0 };
    for (size_t i = 0; i < COUNT_OF(times); i++) {
        struct audit_record record = { .kind = AUDIT_ADMIN,
                                       .time_ms = CHAIN_START_MS + times[i],
                                       .outcome = "success" };
        struct buffer out;
        buffer_init(&out, CHAIN_LINE_MAX);
        audit_write(&record, &chain.head, &out);
        struct chain_row *row = &chain.rows[chain.count++];
        *row = (struct chain_row){ .seq = chain.head.seq, .len = out.len, .hash = chain.head.hash };
        memcpy(row->line, out.at, out.len);
        buffer_fini(&out);
    }
    struct audit_verifier verifier = chain_verify(&chain);
    assert_true(audit_is_whole(&verifier));
    assert_fault(&verifier, AUDIT_CLOCK_BACK, 5, 0); /* 3999 -> 2998 is the first beyond 1 s */
    assert_int_equal(verifier.clock_steps_back, 2);
}

int main(void)
{
    struct CMUnitTest tests[COUNT_OF(cases) + 5] = {
        cmocka_unit_test(a_whole_chain_is_whole),
        cmocka_unit_test(every_byte_is_guarded),
        cmocka_unit_test(the_last_record_forged_does_not_match_the_head),
        cmocka_unit_test(an_emptied_log_is_truncated),
        cmocka_unit_test(clock_steps_back_are_counted_but_not_fatal),
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) /* one reported test per row */
        tests[5 + i] = (struct CMUnitTest){ .name = cases[i].name,
                                            .test_func = harm_is_named_at_every_place,
                                            .initial_state = (void *)(uintptr_t)&cases[i] };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
