/* Search queries: any bytes are a type, a query, a line feed and a resource.  A query is read the same
 * way twice, and what was used of it means the same when it comes back in a link. */
#include <stddef.h>
#include <stdint.h>

#include "fhir/search.h"
#include "fhir/shape.h"

#define ARENA_MAX ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct arena arena;
static const struct slice base = { "https://ehr.example/fhir", 24 };
static const struct fhir_search_bases bases = { &base, 1 };

static int judge(const struct fhir_search *search, struct slice body)
{
    struct fhir_candidate candidate = { SLICE("m1"), 1717200000000, body };
    struct err err;
    bool is_match = false;
    if (!fhir_search_matches(search, &candidate, &bases, &arena, &is_match, &err))
        return -1;
    return is_match;
}

static void try_query(enum fhir_type type, struct slice query, struct slice body)
{
    struct fhir_search *search = ARENA_NEW(&arena, struct fhir_search);
    struct fhir_search *again = ARENA_NEW(&arena, struct fhir_search);
    const struct fhir_criterion *by;
    struct err err;
    if (!fhir_search_parse(type, query, false, &bases, &arena, search, &err)) {
        CHECK(err.code != ERR_OK);
        return;
    }
    enum fhir_anchor anchor = fhir_search_anchor(search, &by);
    CHECK((anchor == ANCHOR_NONE) == (by == NULL));
    int verdict = judge(search, body);
    if (!fhir_search_parse(type, search->used, true, &bases, &arena, again, &err)) {
        CHECK(err.code == ERR_TOO_LARGE);
        return;
    }
    CHECK(again->criterion_count == search->criterion_count);
    CHECK(judge(again, body) == verdict || arena_overflowed(&arena));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fhir_shape shape;
    struct err err;
    if (size == 0)
        return 0;
    struct slice body = { (const char *)data + 1, size - 1 };
    struct slice query = slice_take_until(&body, '\n');
    arena_init(&arena, ARENA_MAX);
    try_query((enum fhir_type)(data[0] % FHIR_TYPE_COUNT), query, body);
    if (fhir_shape_read(query, &arena, &shape, &err))
        CHECK(fhir_shape_is_whole(&shape) || shape.summary != SUMMARY_FALSE ||
              shape.elements.len > 0);
    arena_fini(&arena);
    return 0;
}
