/* ingest/pass.c -- all patients once more when the mappings have changed.
 *
 * Where it stands is a setting of the store, written in the transaction of each batch: a kill at
 * any moment repeats nothing and leaves nobody out.  A patient whose events arrive meanwhile is
 * derived with the new tables anyway; deriving twice gives the same answer and posts nothing. */
#include <inttypes.h>

#include "base/text.h"
#include "ingest/ingest_int.h"
#include "store/ledger.h"

#define SETTING_DONE "rule-set-done"   /* the digest with which all patients were derived */
#define SETTING_STANDS "rule-set-pass" /* digest, tenant, patient, derived, failed */

struct progress {
    char digest[SHA256_HEX_SIZE];
    int32_t tenant; /* its number; 0 before the first */
    int64_t after;  /* key of the last patient */
    int64_t derived, failed;
};

static bool read_setting(struct ingest *ingest, struct store_tx *tx, const char *name,
                         struct slice *out, struct err *err)
{
    arena_reset(&ingest->lane_arena);
    return store_setting_get(tx, slice_of(name), &ingest->lane_arena, out, err);
}

/* Another digest's progress is of no use: the pass begins again. */
static bool read_progress(struct ingest *ingest, struct store_tx *tx, const char *digest,
                          struct progress *out, struct err *err)
{
    struct slice text;
    *out = (struct progress){ .tenant = 0 };
    if (!read_setting(ingest, tx, SETTING_STANDS, &text, err))
        return false;
    struct progress found = { .tenant = 0 };
    char copy[200];
    snprintf(copy, sizeof copy, "%.*s", SLICE_ARGS(text));
    int fields = sscanf(copy, "%64s %" SCNd32 " %" SCNd64 " %" SCNd64 " %" SCNd64, found.digest,
                        &found.tenant, &found.after, &found.derived, &found.failed);
    if (fields == 5 && strcmp(found.digest, digest) == 0)
        *out = found;
    snprintf(out->digest, sizeof out->digest, "%s", digest);
    return true;
}

static bool write_progress(struct store_tx *tx, const struct progress *progress, struct err *err)
{
    char room[200];
    struct text text = TEXT(room);
    text_add(&text, "%s %" PRId32 " %" PRId64 " %" PRId64 " %" PRId64, progress->digest,
             progress->tenant, progress->after, progress->derived, progress->failed);
    return store_setting_put(tx, SLICE(SETTING_STANDS), text_slice(&text), err);
}

static bool note(const struct ingest_pass *pass, struct store_tx *tx, const char *what,
                 const struct progress *progress, struct err *err)
{
    char room[300];
    struct text text = TEXT(room);
    text_add(&text,
             "{\"ruleSet\":\"sha256:%s\",\"pass\":\"%s\",\"derived\":%" PRId64
             ",\"failed\":%" PRId64 "}",
             progress->digest, what, progress->derived, progress->failed);
    struct audit_record record = { .kind = AUDIT_CONFIG,
                                   .time_ms = pass->now_ms,
                                   .actor = SLICE("lifeline"),
                                   .outcome = progress->failed > 0 ? "minor" : "success",
                                   .detail = text_slice(&text) };
    return ledger_append(tx, &record, err);
}

/* A patient that cannot be derived must not hold up the others: told, and passed over. */
static bool note_failure(const struct ingest_pass *pass, struct store_tx *tx, int64_t key,
                         struct err *err)
{
    struct ingest *ingest = pass->ingest;
    struct slice name = SLICE("");
    char room[120];
    struct text text = TEXT(room);
    int32_t tenant;
    bool found;
    arena_reset(&ingest->lane_arena);
    if (!store_patient_name(tx, key, &ingest->lane_arena, &tenant, &name, &found, err))
        return false;
    text_add(&text, "{\"error\":\"%s\"}", err_name(pass->bad_code));
    struct audit_record record = { .kind = AUDIT_DERIVE,
                                   .time_ms = pass->now_ms,
                                   .actor = SLICE("lifeline"),
                                   .outcome = "serious",
                                   .patient = name,
                                   .detail = text_slice(&text) };
    return ledger_append(tx, &record, err);
}

/* The next tenant by number; false behind the last. */
static bool next_tenant(const struct ingest *ingest, int32_t *number)
{
    int32_t next = INT32_MAX;
    for (unsigned i = 0; i < ingest->settings.tenant_count; i++) {
        int32_t candidate = ingest->tenants[i].tenant.number;
        if (candidate > *number && candidate < next)
            next = candidate;
    }
    *number = next;
    return next != INT32_MAX;
}

static bool finish(struct ingest_pass *pass, struct store_tx *tx, const struct progress *progress,
                   struct err *err)
{
    pass->is_done = true;
    if (progress->derived + progress->failed > 0 && !note(pass, tx, "end", progress, err))
        return false;
    return store_setting_put(tx, SLICE(SETTING_STANDS), SLICE(""), err) &&
           store_setting_put(tx, SLICE(SETTING_DONE), slice_of(progress->digest), err);
}

static bool derive_patient(struct ingest_pass *pass, struct store_tx *tx, int64_t key,
                           struct progress *progress, struct err *err)
{
    struct again again = { .ingest = pass->ingest,
                           .now_ms = pass->now_ms,
                           .only_changes_are_noted = true };
    progress->after = key;
    if (key == pass->bad_key) {
        pass->bad_key = 0;
        progress->failed++;
        return note_failure(pass, tx, key, err);
    }
    if (!ingest_derive_again(&again, tx, key, err)) {
        pass->bad_key = key;
        return false;
    }
    pass->wrote_outbox = pass->wrote_outbox || again.wrote_outbox;
    progress->derived += again.derived;
    return true;
}

/* The next patients of the tenant at hand, or of the next one that has any. */
static bool next_patients(struct ingest_pass *pass, struct store_tx *tx, struct progress *progress,
                          int64_t *keys, unsigned *count, struct err *err)
{
    unsigned max = pass->bad_key != 0 ? 1 : pass->max;
    *count = 0;
    for (;;) {
        if (progress->tenant > 0 &&
            !store_patients(tx, progress->tenant, progress->after, max, keys, count, err))
            return false;
        if (*count > 0 || !next_tenant(pass->ingest, &progress->tenant))
            return true;
        progress->after = 0;
    }
}

static bool run_pass(struct job *job, struct store_tx *tx, struct err *err)
{
    struct ingest_pass *pass = CONTAINER_OF(job, struct ingest_pass, job);
    int64_t keys[INGEST_PASS_MAX];
    char digest[SHA256_HEX_SIZE];
    struct progress progress;
    struct slice done;
    unsigned count = 0;
    CHECK(pass->max > 0 && pass->max <= COUNT_OF(keys));
    pass->is_done = false;
    pass->wrote_outbox = false;
    sha256_hex(mapping_digest(pass->ingest->settings.mapping), digest);
    if (!read_setting(pass->ingest, tx, SETTING_DONE, &done, err))
        return false;
    if (slice_is(done, digest)) {
        pass->is_done = true;
        return true;
    }
    if (!read_progress(pass->ingest, tx, digest, &progress, err))
        return false;
    bool is_first = progress.tenant == 0;
    if (!next_patients(pass, tx, &progress, keys, &count, err))
        return false;
    if (is_first && count > 0 && !note(pass, tx, "begin", &progress, err))
        return false;
    for (unsigned i = 0; i < count; i++)
        if (!derive_patient(pass, tx, keys[i], &progress, err))
            return false;
    pass->derived = progress.derived;
    pass->failed = progress.failed;
    return count > 0 ? write_progress(tx, &progress, err) : finish(pass, tx, &progress, err);
}

static void done_pass(struct job *job, const struct err *err)
{
    struct ingest_pass *pass = CONTAINER_OF(job, struct ingest_pass, job);
    const struct ingest_settings *settings = &pass->ingest->settings;
    /* The medium failed, not the patient: it is tried again. */
    if (err->code == ERR_STORAGE)
        pass->bad_key = 0;
    if (err->code != ERR_OK)
        pass->bad_code = err->code;
    if (err->code == ERR_OK && pass->wrote_outbox && settings->on_outbox != NULL)
        settings->on_outbox(settings->ctx);
    pass->done(pass, err);
}

bool ingest_pass_submit(struct ingest_pass *pass, struct loop *loop, struct err *err)
{
    pass->job = (struct job){ .run = run_pass, .done = done_pass };
    return lane_submit(pass->ingest->settings.lane, loop, &pass->job, err);
}
