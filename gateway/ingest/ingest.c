/* ingest/ingest.c -- the context of all calls, and the work that no request asks for. */
#include "base/pool.h"
#include "ingest/ingest_int.h"
#include "store/ledger.h"

#define TENANT_ARENA_MAX ((size_t)16 * 1024 * 1024)
#define STATE_BYTES_MAX ((size_t)256 * 1024 * 1024)

/* Who reads from us refers to what it read by our own address. */
static void add_own_base(struct ingest *ingest, struct tenant *tenant)
{
    unsigned count = tenant->base_url_count;
    struct slice *urls = ARENA_ARRAY(&ingest->arena, struct slice, count + 1);
    CHECK(urls != NULL);
    for (unsigned i = 0; i < count; i++)
        urls[i] = tenant->base_urls[i];
    urls[count] = slice_of(ingest->settings.base_url);
    tenant->base_urls = urls;
    tenant->base_url_count = count + 1;
}

static bool register_tenants(struct ingest *ingest, struct store_tx *tx, struct err *err)
{
    const struct ingest_settings *settings = &ingest->settings;
    if (!store_begin(tx, err))
        return false;
    for (unsigned i = 0; i < settings->tenant_count; i++) {
        struct tenant *tenant = &ingest->tenants[i].tenant;
        if (!store_tenant(tx, tenant->name, &tenant->number, err)) {
            store_rollback(tx);
            return false;
        }
        add_own_base(ingest, tenant);
        ingest->auth_tenants[i] = *tenant;
        if (settings->fallback_tenant != NULL && slice_is(tenant->name, settings->fallback_tenant))
            ingest->fallback = &ingest->auth_tenants[i];
    }
    return store_commit(tx, err);
}

bool ingest_open(const struct ingest_settings *settings, struct ingest **out, struct err *err)
{
    struct ingest *ingest = pool_new(sizeof *ingest);
    struct store_tx *tx = NULL;
    ingest->settings = *settings;
    arena_init(&ingest->arena, TENANT_ARENA_MAX);
    arena_init(&ingest->lane_arena, INGEST_LANE_ARENA_MAX);
    buffer_init(&ingest->lane_buffer, STATE_BYTES_MAX);
    buffer_init(&ingest->lane_record, 1 << 22);
    ingest->salt = store_salt(settings->store);
    ingest->tenants = ARENA_ARRAY(&ingest->arena, struct ingest_tenant, settings->tenant_count + 1);
    ingest->auth_tenants = ARENA_ARRAY(&ingest->arena, struct tenant, settings->tenant_count + 1);
    CHECK(!arena_overflowed(&ingest->arena));
    memcpy(ingest->tenants, settings->tenants, sizeof *ingest->tenants * settings->tenant_count);
    bool is_open = store_tx_open(settings->store, &tx, err) && register_tenants(ingest, tx, err);
    if (tx != NULL)
        store_tx_close(tx);
    if (!is_open) {
        ingest_close(ingest);
        return false;
    }
    *out = ingest;
    return true;
}

void ingest_close(struct ingest *ingest)
{
    arena_fini(&ingest->arena);
    arena_fini(&ingest->lane_arena);
    buffer_fini(&ingest->lane_buffer);
    buffer_fini(&ingest->lane_record);
    pool_free(ingest);
}

void ingest_set_lane(struct ingest *ingest, struct lane *lane) { ingest->settings.lane = lane; }

/* --- the day turns ------------------------------------------------------------------------- */

static const struct ingest_tenant *tenant_numbered(const struct ingest *ingest, int32_t number)
{
    for (unsigned i = 0; i < ingest->settings.tenant_count; i++)
        if (ingest->tenants[i].tenant.number == number)
            return &ingest->tenants[i];
    return NULL;
}

/* One patient in a set of its own, because each may belong to another tenant. */
bool ingest_derive_again(struct again *again, struct store_tx *tx, int64_t key, struct err *err)
{
    struct ingest *ingest = again->ingest;
    struct patient_work *patient;
    int32_t number;
    struct slice name;
    bool found;
    arena_reset(&ingest->lane_arena);
    buffer_reset(&ingest->lane_record);
    if (!store_patient_name(tx, key, &ingest->lane_arena, &number, &name, &found, err))
        return false;
    const struct ingest_tenant *tenant = found ? tenant_numbered(ingest, number) : NULL;
    if (tenant == NULL)
        return true; /* of a tenant that is no longer configured */
    struct patient_set set = { .ingest = ingest,
                               .tenant = tenant,
                               .tx = tx,
                               .arena = &ingest->lane_arena,
                               .now_ms = again->now_ms,
                               .detail = &ingest->lane_record };
    if (!patient_set_init(&set, 1, err) || !patient_touch_key(&set, key, name, &patient, err))
        return false;
    struct slice before = patient->state.derived;
    patient->is_dirty = true;
    if (!patient_set_save(&set, err))
        return false;
    again->derived++;
    again->wrote_outbox = again->wrote_outbox || set.wrote_outbox;
    if (again->only_changes_are_noted && slice_eq(before, patient->state.derived))
        return true;
    struct audit_record record = { .kind = AUDIT_DERIVE,
                                   .time_ms = again->now_ms,
                                   .tenant = tenant->tenant.name,
                                   .actor = SLICE("lifeline"),
                                   .outcome = "success",
                                   .patient = name,
                                   .detail = buffer_slice(&ingest->lane_record) };
    return ledger_append(tx, &record, err);
}

static bool run_daily(struct job *job, struct store_tx *tx, struct err *err)
{
    struct ingest_daily *daily = CONTAINER_OF(job, struct ingest_daily, job);
    int64_t keys[1000];
    unsigned count;
    CHECK(daily->max <= COUNT_OF(keys));
    struct again again = { .ingest = daily->ingest, .now_ms = daily->now_ms };
    if (!store_patients_due(tx, date_of_ms(daily->now_ms).day, daily->max, keys, &count, err))
        return false;
    for (unsigned i = 0; i < count; i++)
        if (!ingest_derive_again(&again, tx, keys[i], err))
            return false;
    daily->derived = again.derived;
    return true;
}

static void done_daily(struct job *job, const struct err *err)
{
    struct ingest_daily *daily = CONTAINER_OF(job, struct ingest_daily, job);
    const struct ingest_settings *settings = &daily->ingest->settings;
    if (err->code == ERR_OK && daily->derived > 0 && settings->on_outbox != NULL)
        settings->on_outbox(settings->ctx);
    daily->done(daily, err);
}

bool ingest_daily_submit(struct ingest_daily *daily, struct loop *loop, struct err *err)
{
    daily->job = (struct job){ .run = run_daily, .done = done_daily };
    return lane_submit(daily->ingest->settings.lane, loop, &daily->job, err);
}

/* --- notes --------------------------------------------------------------------------------- */

static bool run_note(struct job *job, struct store_tx *tx, struct err *err)
{
    struct ingest_note *note = CONTAINER_OF(job, struct ingest_note, job);
    struct audit_record record = { .kind = note->kind,
                                   .time_ms = note->now_ms,
                                   .monotonic_ns = note->now_ns,
                                   .actor = note->actor,
                                   .address = note->address,
                                   .outcome = note->outcome,
                                   .detail = note->detail };
    return ledger_append(tx, &record, err) &&
           (note->sign == NULL || ledger_sign(tx, note->sign, note->now_ms, err));
}

static void done_note(struct job *job, const struct err *err)
{
    struct ingest_note *note = CONTAINER_OF(job, struct ingest_note, job);
    note->done(note, err);
}

bool ingest_note_submit(struct ingest_note *note, struct loop *loop, struct err *err)
{
    note->job = (struct job){ .run = run_note, .done = done_note };
    return lane_submit(note->ingest->settings.lane, loop, &note->job, err);
}
