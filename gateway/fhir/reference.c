#include "fhir/read.h"

bool fhir_id_is_valid(struct slice id)
{
    if (id.len == 0 || id.len > 64)
        return false;
    for (size_t i = 0; i < id.len; i++) {
        char c = id.at[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_letter && !(c >= '0' && c <= '9') && c != '-' && c != '.')
            return false;
    }
    return true;
}

static bool is_type_name(struct slice name)
{
    if (name.len == 0 || name.len > 64 || name.at[0] < 'A' || name.at[0] > 'Z')
        return false;
    for (size_t i = 1; i < name.len; i++)
        if (!(name.at[i] >= 'a' && name.at[i] <= 'z') && !(name.at[i] >= 'A' && name.at[i] <= 'Z'))
            return false;
    return true;
}

/* "Type/id" of "Type/id" or "Type/id/_history/2"; else empty. */
static struct slice relative(struct slice reference)
{
    struct slice rest = reference;
    struct slice type = slice_take_until(&rest, '/');
    struct slice id = slice_take_until(&rest, '/');
    if (!is_type_name(type) || !fhir_id_is_valid(id))
        return SLICE("");
    if (rest.len > 0) {
        struct slice history = slice_take_until(&rest, '/');
        if (!slice_is(history, "_history") || !fhir_id_is_valid(rest))
            return SLICE("");
    }
    return (struct slice){ reference.at, type.len + 1 + id.len };
}

struct slice fhir_local_reference(struct slice reference, const struct slice *bases,
                                  unsigned base_count)
{
    for (unsigned i = 0; i < base_count; i++) {
        struct slice base = bases[i];
        while (base.len > 0 && base.at[base.len - 1] == '/')
            base.len--;
        if (base.len == 0 || reference.len <= base.len || !slice_starts(reference, base) ||
            reference.at[base.len] != '/')
            continue;
        struct slice local = relative(slice_skip(reference, base.len + 1));
        if (local.len > 0)
            return local;
    }
    return relative(reference);
}
