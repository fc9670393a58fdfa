#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <glob.h>
#include <uv.h>
#include <zstd.h>

#include "base/buffer.h"
#include "base/pool.h"
#include "store/body.h"

#define ORDER                                                                               \
    "{\"resourceType\":\"MedicationRequest\",\"status\":\"active\",\"intent\":\"order\","   \
    "\"medicationCodeableConcept\":{\"coding\":[{\"system\":"                               \
    "\"http://www.nlm.nih.gov/research/umls/rxnorm\",\"code\":\"121191\",\"display\":"      \
    "\"rituximab\"}],\"text\":\"rituximab\"},\"subject\":{\"reference\":\"Patient/p1\"},"   \
    "\"authoredOn\":\"2024-01-09\",\"dosageInstruction\":[{\"text\":\"375 mg/m2, day 1 of " \
    "each 21-day cycle\"}]}"

/* --- there and back ----------------------------------------------------------------------- */

static const struct round_trip {
    const char *name;
    const char *text; /* repeated `times` times */
    unsigned times;
    unsigned codec; /* the first byte */
    unsigned at_most_percent;
} round_trips[] = {
    { "an empty body comes back empty", "", 1, 0, 100 },
    { "a short body is kept as it is", "{\"resourceType\":\"Flag\"}", 1, 0, 200 },
    { "an order packs to less than a half", ORDER, 1, 1, 50 },
    { "a long body packs to little", ORDER, 1000, 1, 5 },
    { "a body of megabytes comes back", ORDER, 10000, 1, 5 },
};

static void comes_back(void **state)
{
    const struct round_trip *row = *state;
    struct buffer body;
    struct arena arena;
    struct slice packed, unpacked;
    struct err err;
    buffer_init(&body, (size_t)32 << 20);
    arena_init(&arena, (size_t)64 << 20);
    for (unsigned i = 0; i < row->times; i++)
        buffer_add(&body, slice_of(row->text));
    assert_true(body_pack(buffer_slice(&body), &arena, &packed, &err));
    assert_int_equal((unsigned char)packed.at[0], row->codec);
    if (body.len > 0)
        assert_in_range(packed.len * 100 / body.len, 0, row->at_most_percent);
    assert_true(body_unpack(packed, &arena, &unpacked, &err));
    assert_true(slice_eq(unpacked, buffer_slice(&body)));
    arena_fini(&arena);
    buffer_fini(&body);
}

static void noise_is_kept_as_it_is(void **state)
{
    (void)state;
    char noise[4000];
    uint64_t chance = 7;
    struct arena arena;
    struct slice packed, unpacked;
    struct err err;
    for (size_t i = 0; i < sizeof noise; i++) {
        chance = chance * UINT64_C(6364136223846793005) + 1;
        noise[i] = (char)(chance >> 56);
    }
    arena_init(&arena, (size_t)1 << 20);
    assert_true(body_pack((struct slice){ noise, sizeof noise }, &arena, &packed, &err));
    assert_int_equal(packed.at[0], 0);
    assert_true(body_unpack(packed, &arena, &unpacked, &err));
    assert_true(slice_eq(unpacked, (struct slice){ noise, sizeof noise }));
    arena_fini(&arena);
}

/* A row of an earlier release must stay readable: this one was packed when dictionary 1 was made. */
static void old_rows_stay_readable(void **state)
{
    (void)state;
    static const unsigned char packed[] = {
#include "store_body_old.inc"
    };
    struct arena arena;
    struct slice unpacked;
    struct err err;
    arena_init(&arena, (size_t)1 << 20);
    assert_true(body_unpack((struct slice){ (const char *)packed, sizeof packed }, &arena,
                            &unpacked, &err));
    assert_true(slice_eq(unpacked, SLICE(ORDER)));
    arena_fini(&arena);
}

/* --- damage ------------------------------------------------------------------------------- */

static void damage_is_refused_or_harmless(void **state)
{
    (void)state;
    struct arena arena;
    struct slice packed, unpacked;
    struct err err = { .code = ERR_OK };
    char copy[1024];
    unsigned refused = 0;
    arena_init(&arena, (size_t)256 << 20);
    assert_true(body_pack(SLICE(ORDER), &arena, &packed, &err));
    assert_in_range(packed.len, 20, sizeof copy);
    for (size_t cut = 0; cut < packed.len; cut++) { /* every beginning of it */
        assert_false(body_unpack((struct slice){ packed.at, cut }, &arena, &unpacked, &err) &&
                     unpacked.len == sizeof ORDER - 1);
    }
    for (size_t i = 0; i < packed.len * 8; i++) { /* every bit of it */
        memcpy(copy, packed.at, packed.len);
        copy[i / 8] = (char)(copy[i / 8] ^ (1 << i % 8));
        if (!body_unpack((struct slice){ copy, packed.len }, &arena, &unpacked, &err)) {
            assert_true(err.code == ERR_CORRUPT || err.code == ERR_TOO_LARGE);
            refused++;
        }
        if (i % 64 == 0)
            arena_reset(&arena);
        if (i % 64 == 0)
            assert_true(body_pack(SLICE(ORDER), &arena, &packed, &err));
    }
    assert_true(refused > packed.len);
    arena_fini(&arena);
}

/* 200 MB of zeros pack into some kilobytes. */
static void bomb_is_refused(void **state)
{
    (void)state;
    const size_t size = (size_t)200 << 20;
    char *zeros = pool_new(size), *frame = pool_new(1 << 20);
    struct arena arena;
    struct slice unpacked;
    struct err err;
    size_t len = ZSTD_compress(frame + 1, (1 << 20) - 1, zeros, size, 1);
    assert_false(ZSTD_isError(len));
    frame[0] = 1;
    arena_init(&arena, SIZE_MAX);
    assert_false(body_unpack((struct slice){ frame, len + 1 }, &arena, &unpacked, &err));
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_int_equal(arena.used, 0); /* refused before memory is taken */
    arena_fini(&arena);
    pool_free(zeros);
    pool_free(frame);
}

static void unknown_codec_is_refused(void **state)
{
    (void)state;
    struct arena arena;
    struct slice unpacked;
    struct err err;
    arena_init(&arena, 1000);
    assert_false(body_unpack(SLICE("\x07{}"), &arena, &unpacked, &err));
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_false(body_unpack(SLICE(""), &arena, &unpacked, &err));
    assert_int_equal(err.code, ERR_CORRUPT);
    arena_fini(&arena);
}

static void full_arena_is_an_error(void **state)
{
    (void)state;
    struct arena arena, small;
    struct slice packed, unpacked;
    struct err err;
    arena_init(&arena, (size_t)1 << 20);
    arena_init(&small, 100);
    assert_true(body_pack(SLICE(ORDER), &arena, &packed, &err));
    assert_false(body_unpack(packed, &small, &unpacked, &err));
    assert_int_equal(err.code, ERR_TOO_LARGE);
    assert_false(body_pack(SLICE(ORDER), &small, &unpacked, &err));
    assert_int_equal(err.code, ERR_TOO_LARGE);
    arena_fini(&arena);
    arena_fini(&small);
}

/* --- threads ------------------------------------------------------------------------------ */

static void pack_often(void *arg)
{
    unsigned *good = arg;
    struct arena arena;
    struct err err;
    arena_init(&arena, (size_t)1 << 20);
    for (unsigned i = 0; i < 500; i++) {
        struct slice packed, unpacked;
        *good += body_pack(SLICE(ORDER), &arena, &packed, &err) &&
                 body_unpack(packed, &arena, &unpacked, &err) && slice_eq(unpacked, SLICE(ORDER));
        arena_reset(&arena);
    }
    arena_fini(&arena);
    pool_drain();
}

static void threads_pack_at_once(void **state)
{
    (void)state;
    uv_thread_t threads[4];
    unsigned good[4] = { 0 };
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(uv_thread_create(&threads[i], pack_often, &good[i]), 0);
    for (unsigned i = 0; i < 4; i++) {
        uv_thread_join(&threads[i]);
        assert_int_equal(good[i], 500);
    }
}

/* --- real resources ----------------------------------------------------------------------- */

static bool read_file(const char *path, struct buffer *out)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return false;
    buffer_reset(out);
    for (char *room; (room = buffer_room(out, 4096)) != NULL;) {
        size_t got = fread(room, 1, 4096, file);
        buffer_grew(out, got);
        if (got == 0)
            break;
    }
    fclose(file);
    return !buffer_overflowed(out);
}

static void real_resources_pack_well(void **state)
{
    (void)state;
    glob_t found;
    struct buffer body;
    struct arena arena;
    struct err err;
    size_t before = 0, after = 0;
    if (glob(SOURCE_DIR "/../shared/corpora/*/*.json", 0, NULL, &found) != 0) {
        print_message("  SKIPPED: ../shared/corpora is not there\n");
        skip();
    }
    buffer_init(&body, (size_t)64 << 20);
    arena_init(&arena, (size_t)256 << 20);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct slice packed, unpacked;
        if (!read_file(found.gl_pathv[i], &body))
            continue;
        assert_true(body_pack(buffer_slice(&body), &arena, &packed, &err));
        assert_true(body_unpack(packed, &arena, &unpacked, &err));
        assert_true(slice_eq(unpacked, buffer_slice(&body)));
        before += body.len;
        after += packed.len;
        arena_reset(&arena);
    }
    print_message("  %zu files, %zu KB to %zu KB: a factor of %.1f\n", found.gl_pathc,
                  before / 1024, after / 1024, (double)before / (double)after);
    assert_true(before > after * 2);
    globfree(&found);
    buffer_fini(&body);
    arena_fini(&arena);
}

int main(void)
{
    static const struct CMUnitTest others[] = {
        { .name = "noise is kept as it is", .test_func = noise_is_kept_as_it_is },
        { .name = "a row packed long ago stays readable", .test_func = old_rows_stay_readable },
        { .name = "damage never crashes", .test_func = damage_is_refused_or_harmless },
        { .name = "a bomb is refused before memory is taken", .test_func = bomb_is_refused },
        { .name = "an unknown way of packing is refused", .test_func = unknown_codec_is_refused },
        { .name = "a full arena is an error", .test_func = full_arena_is_an_error },
        { .name = "four threads pack at once", .test_func = threads_pack_at_once },
        { .name = "real resources pack well", .test_func = real_resources_pack_well },
    };
    struct CMUnitTest tests[COUNT_OF(round_trips) + COUNT_OF(others)];
    for (size_t i = 0; i < COUNT_OF(round_trips); i++)
        tests[i] = (struct CMUnitTest){ .name = round_trips[i].name,
                                        .test_func = comes_back,
                                        .initial_state = (void *)(uintptr_t)&round_trips[i] };
    memcpy(tests + COUNT_OF(round_trips), others, sizeof others);
    return cmocka_run_group_tests_name("store body", tests, NULL, NULL);
}
