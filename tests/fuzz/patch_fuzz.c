/* JSON Patch: any bytes are a document, a line feed and a patch.  What a patch makes of accepted JSON
 * is accepted JSON, laid out it is the same value, and a document is the same as itself. */
#include <stddef.h>
#include <stdint.h>

#include "base/json_text.h"
#include "fhir/json_patch.h"
#include "fhir/parameters.h"

#define ARENA_MAX ((size_t)16 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct arena arena;

static bool is_json(struct slice text)
{
    struct err err;
    return fhir_check_json(text, &arena, &err);
}

static void check_result(struct slice result)
{
    struct buffer laid_out;
    /* Copies may nest deeper, and additions hold more members, than a reader takes. */
    if (result.len == 0 || !is_json(result))
        return;
    buffer_init(&laid_out, 1 << 24);
    json_indent(result, &laid_out);
    if (!buffer_overflowed(&laid_out)) {
        struct slice pretty = buffer_slice(&laid_out);
        CHECK(is_json(pretty));
        CHECK(json_is_same(result, (struct slice){ pretty.at, pretty.len - 1 }, &arena) ||
              arena_overflowed(&arena));
    }
    buffer_fini(&laid_out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice patch = { (const char *)data, size }, result;
    struct slice document = slice_take_until(&patch, '\n');
    struct err err;
    arena_init(&arena, ARENA_MAX);
    if (document.len > 0 && document.at[0] == '{' && is_json(document)) {
        if (json_patch_apply(document, patch, &arena, &result, &err))
            check_result(result);
        else
            CHECK(err.code != ERR_OK);
    }
    arena_fini(&arena);
    return 0;
}
