/* Arena, buffer, codec and ids: limits hold, and what was written is read. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/codec.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/pool.h"

/* --- arena ------------------------------------------------------------------------------------- */

static void an_arena_gives_zeroed_aligned_memory(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    for (size_t size = 1; size < 3000; size += 7) {
        unsigned char *memory = arena_alloc(&arena, size);
        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % sizeof(void *), 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(memory[i], 0);
        memset(memory, 0xee, size);
    }
    arena_fini(&arena);
}

static void an_arena_stays_overflowed_until_reset(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 100);
    assert_non_null(arena_alloc(&arena, 60));
    assert_null(arena_alloc(&arena, 60));
    assert_true(arena_overflowed(&arena));
    assert_non_null(arena_alloc(&arena, 10)); /* small things may still fit */
    assert_true(arena_overflowed(&arena));
    assert_null(arena_alloc(&arena, SIZE_MAX));
    arena_reset(&arena);
    assert_false(arena_overflowed(&arena));
    assert_non_null(arena_alloc(&arena, 100));
    arena_fini(&arena);
}

static void an_arena_copies_and_formats(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct slice copy = arena_copy(&arena, (struct slice){ "abcdef", 3 });
    assert_string_equal(copy.at, "abc");
    struct slice text = arena_format(&arena, "%s-%d", "x", 7);
    assert_true(slice_is(text, "x-7"));
    assert_true(
        slice_is(arena_format(&arena, "%.*s|%u|%d|%d%%|%04d", 2, "xyz", UINT_MAX, INT_MIN, 0, 7),
                 "xy|4294967295|-2147483648|0%|0007"));
    assert_true(slice_is(arena_format(&arena, "%.*s|%u|%d", 2, "xyz", UINT_MAX, INT_MIN),
                         "xy|4294967295|-2147483648"));
    assert_true(slice_is(arena_format(&arena, "%.*s%.*s", 0, "zz", 9, "abc"), "abc"));
    for (size_t len = 250; len < 260; len++) { /* about the longest that is formatted plainly */
        char word[300] = { 0 };
        memset(word, 'w', len);
        struct slice twice = arena_format(&arena, "%s", word);
        assert_string_equal(twice.at, word);
        assert_int_equal(twice.len, len);
    }
    char *large = arena_alloc(&arena, 300000); /* larger than a block */
    assert_non_null(large);
    large[299999] = 1;
    assert_non_null(arena_alloc(&arena, 50)); /* and the current block goes on */
    assert_string_equal(copy.at, "abc");
    arena_reset(&arena);
    arena.limit = 2;
    assert_int_equal(arena_copy(&arena, SLICE("abc")).len, 0);
    assert_int_equal(arena_format(&arena, "%d", 1000).len, 0);
    arena_fini(&arena);
    pool_drain();
}

/* --- buffer ------------------------------------------------------------------------------------- */

static void a_buffer_grows_to_its_maximum(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 1000);
    for (unsigned i = 0; i < 250; i++)
        buffer_add(&buffer, SLICE("abcd"));
    assert_int_equal(buffer.len, 1000);
    assert_false(buffer_overflowed(&buffer));
    buffer_add_char(&buffer, 'x');
    assert_true(buffer_overflowed(&buffer));
    assert_null(buffer_room(&buffer, 0));
    buffer_reset(&buffer);
    assert_int_equal(buffer.len, 0);
    buffer_format(&buffer, "%s=%d", "n", 5);
    assert_true(slice_is(buffer_slice(&buffer), "n=5"));
    assert_null(buffer_room(&buffer, SIZE_MAX));
    buffer_fini(&buffer);
}

/* --- codec -------------------------------------------------------------------------------------- */

static void numbers_and_slices_come_back(void **state)
{
    static const uint64_t numbers[] = { 0,     1,        127,        128,       16383,
                                        16384, 1u << 31, UINT64_MAX, INT64_MAX, 300 };
    static const int64_t signed_numbers[] = { 0, -1, 1, 63, -64, 64, INT64_MAX, INT64_MIN };
    (void)state;
    struct buffer out;
    buffer_init(&out, 4096);
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        encode_varint(&out, numbers[i]);
    for (size_t i = 0; i < COUNT_OF(signed_numbers); i++)
        encode_signed(&out, signed_numbers[i]);
    encode_slice(&out, SLICE("hello"));
    encode_slice(&out, SLICE(""));

    struct decoder in = decoder_of(buffer_slice(&out));
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        assert_true(decode_varint(&in) == numbers[i]);
    for (size_t i = 0; i < COUNT_OF(signed_numbers); i++)
        assert_true(decode_signed(&in) == signed_numbers[i]);
    assert_true(slice_is(decode_slice(&in), "hello"));
    assert_int_equal(decode_slice(&in).len, 0);
    assert_false(in.bad);
    assert_ptr_equal(in.at, in.end);
    decode_varint(&in);
    assert_true(in.bad);
    buffer_fini(&out);
}

static const struct damage {
    const char *name;
    struct slice bytes;
} damages[] = {
    { "no bytes", { "", 0 } },
    { "a number that does not end", { "\x80\x80\x80", 3 } },
    { "a number of eleven bytes", { "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11 } },
    { "a slice longer than the rest",
      { "\x05"
        "abc",
        4 } },
    { "a slice longer than memory",
      { "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
        "a",
        11 } },
};

static void damaged_bytes_are_bad(void **state)
{
    const struct damage *row = *state;
    struct decoder in = decoder_of(row->bytes);
    assert_int_equal(decode_slice(&in).len, 0);
    assert_true(in.bad);
}

/* --- ids ------------------------------------------------------------------------------------------ */

static void an_id_is_read_back_and_nothing_else_is(void **state)
{
    static const int64_t keys[] = { 1, 2, 31, 32, 1000000, (INT64_C(1) << 55) - 1 };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        char id[ID_TEXT_LEN + 1];
        int64_t key = 0;
        id_format(keys[i], 42, id);
        assert_int_equal(strlen(id), ID_TEXT_LEN);
        assert_true(id_parse(slice_of(id), 42, &key));
        assert_true(key == keys[i]);
        assert_false(id_parse(slice_of(id), 43, &key)); /* made elsewhere */
        for (size_t at = 0; at < ID_TEXT_LEN; at++) {   /* one character changed */
            char changed[ID_TEXT_LEN + 1];
            memcpy(changed, id, sizeof changed);
            changed[at] = changed[at] == '7' ? '8' : '7';
            assert_false(id_parse(slice_of(changed), 42, &key));
        }
        assert_false(id_parse((struct slice){ id, ID_TEXT_LEN - 1 }, 42, &key));
    }
}

static void ids_sort_like_their_keys(void **state)
{
    (void)state;
    char before[ID_TEXT_LEN + 1], after[ID_TEXT_LEN + 1];
    for (int64_t key = 1; key < 5000; key += 7) {
        id_format(key, 1, before);
        id_format(key + 1, 1, after);
        assert_true(strncmp(before, after, 12) < 0);
    }
}

/* --- hashes and errors --------------------------------------------------------------------------- */

static void digests_are_what_the_standard_says(void **state)
{
    (void)state;
    char hex[SHA256_HEX_SIZE];
    const struct slice parts[] = { SLICE("a"), SLICE(""), SLICE("bc") };
    struct sha256 whole = sha256_of_one(SLICE("abc")), pieces = sha256_of(parts, 3);
    assert_string_equal(sha256_hex(&whole, hex),
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_true(sha256_equal(&whole, &pieces));
    assert_true(table_hash(SLICE("abcdefgh1")) != table_hash(SLICE("abcdefgh2")));
    assert_true(table_hash(SLICE("a")) != table_hash((struct slice){ "a\0", 2 }));
}

static void every_error_has_a_status_and_an_issue_type(void **state)
{
    (void)state;
    for (int code = ERR_OK; code <= ERR_DRAINING; code++) {
        int status = err_http_status((enum err_code)code);
        assert_in_range(status, 200, 503);
        assert_true(strlen(err_fhir_issue((enum err_code)code)) > 0);
        assert_true(strlen(err_name((enum err_code)code)) > 0);
        if (err_is_retryable((enum err_code)code))
            assert_true(status == 408 || status == 409 || status >= 500);
    }
    struct err err;
    char long_place[400];
    memset(long_place, 'p', sizeof long_place);
    long_place[399] = '\0';
    assert_false(err_fail(&err, ERR_VALUE, long_place, "%s", long_place));
    assert_int_equal(strlen(err.where), sizeof err.where - 1);
    assert_int_equal(strlen(err.what), sizeof err.what - 1);
}

int main(void)
{
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(an_arena_gives_zeroed_aligned_memory),
        cmocka_unit_test(an_arena_stays_overflowed_until_reset),
        cmocka_unit_test(an_arena_copies_and_formats),
        cmocka_unit_test(a_buffer_grows_to_its_maximum),
        cmocka_unit_test(numbers_and_slices_come_back),
        cmocka_unit_test(an_id_is_read_back_and_nothing_else_is),
        cmocka_unit_test(ids_sort_like_their_keys),
        cmocka_unit_test(digests_are_what_the_standard_says),
        cmocka_unit_test(every_error_has_a_status_and_an_issue_type),
    };
    struct CMUnitTest tests[COUNT_OF(others) + COUNT_OF(damages)];
    size_t count = 0;
    for (size_t i = 0; i < COUNT_OF(others); i++)
        tests[count++] = others[i];
    for (size_t i = 0; i < COUNT_OF(damages); i++)
        tests[count++] = (struct CMUnitTest){ .name = damages[i].name,
                                              .test_func = damaged_bytes_are_bad,
                                              .initial_state = (void *)(uintptr_t)&damages[i] };
    return cmocka_run_group_tests_name("base_memory", tests, NULL, NULL);
}
