#include "ingest/state.h"

#include "base/codec.h"

#define FORMAT 1
#define FORMAT_MERGED 2 /* the same, and the keys of merged patients */

bool state_read(struct slice row, struct arena *arena, struct state *out, struct err *err)
{
    *out = (struct state){ 0 };
    if (row.len == 0)
        return true;
    struct decoder from = decoder_of(row);
    uint64_t format = decode_varint(&from), count = decode_varint(&from);
    bool is_known = format == FORMAT || format == FORMAT_MERGED;
    if (from.bad || !is_known || count > STATE_ENTRIES_MAX)
        return err_fail(err, ERR_CORRUPT, "patient", "a stored timeline cannot be read");
    unsigned room = (unsigned)count + 8;
    struct state_entry *entries = arena_alloc_raw(arena, sizeof *entries * room);
    if (entries == NULL)
        return err_fail(err, ERR_TOO_LARGE, "patient", "the timeline needs too much memory");
    for (uint64_t i = 0; i < count; i++) {
        entries[i].resource_key = (int64_t)decode_varint(&from);
        uint64_t type = decode_varint(&from);
        entries[i].type = type < FHIR_TYPE_COUNT ? (enum fhir_type)type : FHIR_NONE;
        entries[i].packed = decode_slice(&from);
    }
    struct slice derived = decode_slice(&from), posted = decode_slice(&from);
    *out = (struct state){ .entries = entries,
                           .count = (unsigned)count,
                           .room = room,
                           .derived = derived,
                           .posted = posted };
    if (format == FORMAT_MERGED)
        out->merged_count = (unsigned)decode_varint(&from);
    if (out->merged_count > STATE_MERGED_MAX)
        from.bad = true;
    for (unsigned i = 0; i < out->merged_count && !from.bad; i++)
        out->merged[i] = (int64_t)decode_varint(&from);
    if (from.bad)
        return err_fail(err, ERR_CORRUPT, "patient", "a stored timeline cannot be read");
    return true;
}

void state_write(const struct state *state, struct buffer *out)
{
    encode_varint(out, state->merged_count > 0 ? FORMAT_MERGED : FORMAT);
    encode_varint(out, state->count);
    for (unsigned i = 0; i < state->count; i++) {
        encode_varint(out, (uint64_t)state->entries[i].resource_key);
        encode_varint(out, (uint64_t)state->entries[i].type);
        encode_slice(out, state->entries[i].packed);
    }
    encode_slice(out, state->derived);
    encode_slice(out, state->posted);
    if (state->merged_count == 0)
        return;
    encode_varint(out, state->merged_count);
    for (unsigned i = 0; i < state->merged_count; i++)
        encode_varint(out, (uint64_t)state->merged[i]);
}

struct state_entry *state_find(const struct state *state, int64_t resource_key)
{
    for (unsigned i = state->count; i > 0; i--) /* what changes is mostly recent */
        if (state->entries[i - 1].resource_key == resource_key)
            return &state->entries[i - 1];
    return NULL;
}

bool state_add(struct state *state, const struct state_entry *entry, struct arena *arena,
               struct err *err)
{
    if (state->count == STATE_ENTRIES_MAX)
        return err_fail(err, ERR_TOO_LARGE, "patient", "a patient has more than %d resources",
                        STATE_ENTRIES_MAX);
    if (state->count == state->room) {
        unsigned room = state->room > 0 ? state->room * 2 : 8;
        struct state_entry *entries = arena_alloc_raw(arena, sizeof *entries * room);
        if (entries == NULL)
            return err_fail(err, ERR_TOO_LARGE, "patient", "the timeline needs too much memory");
        if (state->count > 0)
            memcpy(entries, state->entries, sizeof *entries * state->count);
        state->entries = entries;
        state->room = room;
    }
    state->entries[state->count++] = *entry;
    return true;
}
