#include "outbox/operate.h"

#include "base/json.h"
#include "outbox/delivery.h"
#include "store/ledger.h"

#define PAGE_ROWS 200

static const char *const names[] = { "replay", "edit", "drop", "pause", "resume" };

const char *operation_name(enum operation operation)
{
    CHECK((size_t)operation < COUNT_OF(names));
    return names[operation];
}

static bool has_word(struct slice text, struct slice word)
{
    while (text.len > 0)
        if (slice_eq(slice_take_until(&text, ' '), word))
            return true;
    return word.len == 0;
}

bool outbox_filter_fits(const struct outbox_filter *filter, const struct outbox_row *row)
{
    return (filter->state == 0 || filter->state == row->state) &&
           (filter->destination.len == 0 || slice_eq(filter->destination, row->destination)) &&
           (filter->patient.len == 0 || slice_eq(filter->patient, row->patient_name)) &&
           has_word(row->last_error, filter->word);
}

/* --- the record ---------------------------------------------------------------------------- */

static bool record(struct store_tx *tx, const struct operate *operate, const struct outbox_row *row,
                   struct err *err)
{
    struct buffer buffer;
    struct json_writer json;
    buffer_init(&buffer, 4096);
    json_writer_init(&json, &buffer, false);
    json_object(&json);
    json_put_text(&json, "operation", operation_name(operate->operation));
    json_put(&json, "reason", operate->reason);
    json_put(&json, "destination", row != NULL ? row->destination : operate->filter.destination);
    if (row != NULL) {
        json_put_integer(&json, "row", row->key);
        json_put_text(&json, "kind", posting_kind_name(row->kind));
        json_put(&json, "was", row->last_error);
        json_put_bool(&json, "bulk", operate->key == 0);
    }
    json_object_end(&json);
    struct audit_record entry = { .kind = AUDIT_ADMIN,
                                  .time_ms = operate->now_ms,
                                  .monotonic_ns = operate->monotonic_ns,
                                  .actor = operate->by,
                                  .address = operate->address,
                                  .outcome = "success",
                                  .patient = row != NULL ? row->patient_name : SLICE(""),
                                  .detail = buffer_slice(&buffer) };
    if (operate->operation == OPERATE_EDIT)
        entry.request_digest = sha256_of_one(operate->body);
    bool is_done = ledger_append(tx, &entry, err);
    buffer_fini(&buffer);
    return is_done;
}

/* --- rows ---------------------------------------------------------------------------------- */

/* What is settled may have been lost there since: it is read before anything is written.  Where the
 * destination cannot be asked, the operator has looked: who replays says that it is not there. */
static void replay(struct outbox_row *row, int64_t now_ms)
{
    static const struct sha256 nothing;
    if (has_word(row->last_error, SLICE("cannot-reconcile")))
        row->held = nothing;
    bool is_unknown = delivery_held_is_unknown(&row->held);
    if (row->state == OUTBOX_SETTLED && !is_unknown && !sha256_equal(&row->held, &nothing)) {
        row->held = delivery_held_mark(&(struct delivery_mark){
            .revision = row->revision, .searches = OUTBOX_SEARCHES_MAX - 1 });
        is_unknown = true;
    }
    row->state = is_unknown ? OUTBOX_UNKNOWN : OUTBOX_PENDING;
    row->attempts = 0;
    row->due_ms = now_ms;
}

/* ... and who drops, that it is. */
static void drop(struct outbox_row *row)
{
    if (has_word(row->last_error, SLICE("cannot-reconcile")))
        row->held = row->wanted;
    row->state = OUTBOX_SETTLED;
    row->attempts = 0;
    row->last_error = SLICE("dropped");
}

struct edit_reader {
    const struct outbox_row *row;
    bool type_fits, has_identity;
};

static bool on_edit_value(void *ctx, struct json_reader *reader, enum json_kind kind,
                          struct slice text)
{
    struct edit_reader *edit = ctx;
    (void)kind;
    if (slice_is(json_path(reader), "resourceType"))
        edit->type_fits = slice_is(text, fhir_type_name(posting_type(edit->row->kind)));
    else if (slice_is(json_path(reader), "identifier[].value"))
        edit->has_identity |= slice_eq(text, edit->row->identity);
    return true;
}

static bool on_edit_container(void *ctx, struct json_reader *reader, enum json_kind kind)
{
    (void)ctx;
    (void)reader;
    (void)kind;
    return true;
}

/* Without our identifier a second copy could never be told from the first. */
static bool edit_holds(const struct outbox_row *row, struct slice body, struct arena *arena,
                       struct err *err)
{
    static const struct json_events events = { on_edit_value, on_edit_container,
                                               on_edit_container };
    struct edit_reader edit = { .row = row };
    bool has_note = row->kind == POSTING_COMMUNICATION || row->kind == POSTING_DOCUMENT;
    if (!json_read(body, NULL, &events, &edit, arena, err))
        return false;
    if (has_note || row->kind == POSTING_PROVENANCE)
        return true;
    if (!edit.type_fits)
        return err_fail(err, ERR_INVALID, "body", "the body must be a %s",
                        fhir_type_name(posting_type(row->kind)));
    return edit.has_identity ||
           err_fail(err, ERR_INVALID, "body", "the body must keep the identifier of the row");
}

static bool apply_to(struct store_tx *tx, const struct operate *operate, struct outbox_row *row,
                     struct arena *arena, struct err *err)
{
    if (operate->operation == OPERATE_EDIT) {
        struct outbox_row wish = *row;
        if (!edit_holds(row, operate->body, arena, err) || !record(tx, operate, row, err))
            return false;
        wish.body = operate->body;
        wish.state = OUTBOX_PENDING;
        wish.wanted = sha256_of_one(operate->body);
        wish.due_ms = wish.changed_ms = operate->now_ms;
        return store_outbox_want(tx, &wish, err);
    }
    if (!record(tx, operate, row, err))
        return false;
    if (operate->operation == OPERATE_REPLAY)
        replay(row, operate->now_ms);
    else
        drop(row);
    return store_outbox_settle(tx, row, err);
}

static bool apply_to_one(struct store_tx *tx, const struct operate *operate, struct arena *arena,
                         struct err *err)
{
    struct outbox_row row;
    bool found = false;
    if (!store_outbox_get(tx, operate->key, arena, &row, &found, err))
        return false;
    if (!found)
        return err_fail(err, ERR_NOT_FOUND, "outbox", "there is no row %lld",
                        (long long)operate->key);
    return apply_to(tx, operate, &row, arena, err);
}

static bool apply_to_all(struct store_tx *tx, const struct operate *operate, struct arena *arena,
                         unsigned *changed, struct err *err)
{
    int64_t after = 0;
    for (unsigned count = PAGE_ROWS; count == PAGE_ROWS;) {
        struct outbox_row *rows;
        arena_reset(arena);
        if (!store_outbox_list(tx, operate->filter.state, after, PAGE_ROWS, arena, &rows, &count,
                               err))
            return false;
        for (unsigned i = 0; i < count; i++) {
            after = rows[i].key;
            if (*changed == OPERATE_ROWS_MAX || !outbox_filter_fits(&operate->filter, &rows[i]))
                continue;
            if (!apply_to(tx, operate, &rows[i], arena, err))
                return false;
            ++*changed;
        }
    }
    return true;
}

/* --- destinations -------------------------------------------------------------------------- */

static struct slice pause_name(struct slice destination, struct arena *arena)
{
    return arena_format(arena, "outbox.paused.%.*s", SLICE_ARGS(destination));
}

bool operate_paused(struct store_tx *tx, struct slice destination, struct arena *arena,
                    struct slice *out, struct err *err)
{
    return store_setting_get(tx, pause_name(destination, arena), arena, out, err);
}

static bool set_paused(struct store_tx *tx, const struct operate *operate, struct arena *arena,
                       struct err *err)
{
    struct slice destination = operate->filter.destination;
    struct slice text = SLICE("");
    if (destination.len == 0)
        return err_fail(err, ERR_INVALID, "destination", "which destination?");
    if (operate->operation == OPERATE_PAUSE)
        text =
            arena_format(arena, "%.*s: %.*s", SLICE_ARGS(operate->by), SLICE_ARGS(operate->reason));
    return record(tx, operate, NULL, err) &&
           store_setting_put(tx, pause_name(destination, arena), text, err);
}

/* --- channels ------------------------------------------------------------------------------ */

static bool was_left_out(const struct outbox_row *row)
{
    static const struct sha256 nothing;
    bool is_empty = row->state == OUTBOX_SETTLED && sha256_equal(&row->held, &nothing) &&
                    has_word(row->last_error, SLICE("told-by"));
    return is_empty ||
           (row->state == OUTBOX_DEAD && has_word(row->last_error, SLICE("no-channel")));
}

static bool reopen(struct store_tx *tx, struct slice destination, int64_t now_ms,
                   struct arena *arena, unsigned *count, struct err *err)
{
    const struct outbox_filter filter = { .destination = destination };
    int64_t after = 0;
    for (unsigned got = PAGE_ROWS; got == PAGE_ROWS;) {
        struct outbox_row *rows;
        arena_reset(arena);
        if (!store_outbox_list(tx, (enum outbox_state)0, after, PAGE_ROWS, arena, &rows, &got, err))
            return false;
        for (unsigned i = 0; i < got; i++) {
            after = rows[i].key;
            if (!outbox_filter_fits(&filter, &rows[i]) || !was_left_out(&rows[i]))
                continue;
            replay(&rows[i], now_ms);
            if (!store_outbox_settle(tx, &rows[i], err))
                return false;
            ++*count;
        }
    }
    return true;
}

bool operate_channels(struct store_tx *tx, struct slice destination, unsigned channels,
                      int64_t now_ms, struct arena *arena, unsigned *count, struct err *err)
{
    char name[128], bytes[96];
    struct text key = TEXT(name), now = TEXT(bytes);
    struct slice before;
    *count = 0;
    text_add(&key, "outbox.channels.%.*s", SLICE_ARGS(destination));
    posting_kinds_write(channels, &now);
    if (!store_setting_get(tx, text_slice(&key), arena, &before, err))
        return false;
    if (slice_eq(before, text_slice(&now)))
        return true;
    bool is_first = before.len == 0;
    if (!store_setting_put(tx, text_slice(&key), text_slice(&now), err))
        return false;
    return is_first || reopen(tx, destination, now_ms, arena, count, err);
}

/* --- all ----------------------------------------------------------------------------------- */

static bool is_sentence(struct slice text, size_t max)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.at[i] < 0x20 || text.at[i] == 0x7f)
            return false;
    return text.len > 0 && text.len <= max;
}

static bool request_holds(const struct operate *operate, struct err *err)
{
    const struct outbox_filter *filter = &operate->filter;
    bool is_open = filter->state == 0 && filter->destination.len == 0 && filter->word.len == 0 &&
                   filter->patient.len == 0;
    if (!is_sentence(operate->by, OPERATE_NAME_MAX))
        return err_fail(err, ERR_INVALID, "by", "who does it? a name of at most %d bytes",
                        OPERATE_NAME_MAX);
    if (!is_sentence(operate->reason, OPERATE_REASON_MAX))
        return err_fail(err, ERR_INVALID, "reason", "why? a sentence of at most %d bytes",
                        OPERATE_REASON_MAX);
    if (operate->key == 0 && is_open)
        return err_fail(err, ERR_INVALID, "outbox", "which rows? a key, or a filter");
    if (operate->operation == OPERATE_EDIT && (operate->key == 0 || operate->body.len == 0))
        return err_fail(err, ERR_INVALID, "body", "an edit is of one row, and needs a body");
    return true;
}

bool operate_apply(struct store_tx *tx, const struct operate *operate, struct arena *arena,
                   unsigned *count, struct err *err)
{
    bool is_destination =
        operate->operation == OPERATE_PAUSE || operate->operation == OPERATE_RESUME;
    *count = 0;
    if (!request_holds(operate, err))
        return false;
    if (is_destination)
        return set_paused(tx, operate, arena, err);
    if (operate->key == 0)
        return apply_to_all(tx, operate, arena, count, err);
    *count = 1;
    return apply_to_one(tx, operate, arena, err);
}
