/* tests/fault/outbox_fixture.h -- a gateway's back half (store, lane, outbox) against fake EHRs.
 *
 * The fake EHR is tests/support/fake_ehr.py, a child process on a real TLS socket.  Certificates are
 * made once per run.  The retry schedule runs twenty times as fast as in life.
 */
#pragma once

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <curl/curl.h>
#include <uv.h>

#include "base/date.h"
#include "base/text.h"
#include "outbox/outbox.h"
#include "store/ledger.h"

#define INSTANCE "urn:lifeline:test"
#define PACE_PERMILLE 50
#define WAIT_MAX_MS 60000

/* --- the fake EHR --------------------------------------------------------------------------- */

struct ehr {
    pid_t pid;
    int input; /* it ends when this closes */
    unsigned port;
    char base_url[160];
};

static char cert_folder[64]; /* made by the group's set-up */

static const char *cert_path(const char *name)
{
    static char paths[8][128];
    static unsigned next;
    char *path = paths[next++ % COUNT_OF(paths)];
    snprintf(path, sizeof paths[0], "%s/%s", cert_folder, name);
    return path;
}

static void ehr_start(struct ehr *ehr, const char *mode, const char *faults, unsigned seed)
{
    int in[2], out[2];
    char seed_text[16];
    snprintf(seed_text, sizeof seed_text, "%u", seed);
    assert_int_equal(0, pipe(in));
    assert_int_equal(0, pipe(out));
    ehr->pid = fork();
    if (ehr->pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        close(in[0]);
        close(in[1]); /* or it would keep its own input open */
        close(out[0]);
        close(out[1]);
        execlp("python3", "python3", SOURCE_DIR "/tests/support/fake_ehr.py", "--until-eof",
               "--make-certs", cert_folder, "--mode", mode, "--faults", faults, "--seed", seed_text,
               (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    ehr->input = in[1];
    char line[128] = "", base[96];
    FILE *lines = fdopen(out[0], "r");
    /* The whole line: a child whose pipe closes under its hands dies. */
    if (fgets(line, sizeof line, lines) == NULL ||
        sscanf(line, "PORT %u %95s", &ehr->port, base) != 2)
        fail_msg("the fake EHR does not start");
    fclose(lines);
    snprintf(ehr->base_url, sizeof ehr->base_url, "https://127.0.0.1:%u%s", ehr->port, base);
}

static void ehr_stop(struct ehr *ehr)
{
    close(ehr->input);
    kill(ehr->pid, SIGKILL);
    waitpid(ehr->pid, NULL, 0);
}

struct reply {
    char text[256 * 1024];
    size_t used;
};

static size_t on_reply(char *bytes, size_t one, size_t count, void *arg)
{
    struct reply *reply = arg;
    size_t len = one * count;
    if (reply->used + len >= sizeof reply->text)
        return 0;
    memcpy(reply->text + reply->used, bytes, len);
    reply->used += len;
    reply->text[reply->used] = '\0';
    return len;
}

/* GET, or POST when there is a body; the text lives until the next call. */
static const char *ehr_control(const struct ehr *ehr, const char *what, const char *body)
{
    static struct reply reply;
    char url[256];
    CURL *easy = curl_easy_init();
    reply.used = 0;
    reply.text[0] = '\0';
    snprintf(url, sizeof url, "https://127.0.0.1:%u/control/%s", ehr->port, what);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_CAINFO, cert_path("ca.pem"));
    curl_easy_setopt(easy, CURLOPT_SSLCERT, cert_path("client.pem"));
    curl_easy_setopt(easy, CURLOPT_SSLKEY, cert_path("client.key"));
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_reply);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &reply);
    if (body != NULL)
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
    CURLcode code = curl_easy_perform(easy);
    /* A storm may show its expired certificate to this connection too. */
    for (unsigned i = 0; i < 20 && code == CURLE_PEER_FAILED_VERIFICATION; i++)
        code = curl_easy_perform(easy);
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(easy);
    if (code != CURLE_OK || status != 200)
        fail_msg("control %s: %s, status %ld: %s", what, curl_easy_strerror(code), status,
                 reply.text);
    return reply.text;
}

struct tally {
    unsigned stored, creates, updates, requests;
};

static inline struct tally ehr_count(const struct ehr *ehr, const char *type, const char *identity)
{
    struct tally tally;
    char what[160];
    snprintf(what, sizeof what, "count?type=%s%s%s", type, identity != NULL ? "&identity=" : "",
             identity != NULL ? identity : "");
    assert_int_equal(4, sscanf(ehr_control(ehr, what, NULL),
                               "stored=%u creates=%u updates=%u requests=%u", &tally.stored,
                               &tally.creates, &tally.updates, &tally.requests));
    return tally;
}

/* --- the gateway's back half ------------------------------------------------------------------ */

struct gateway {
    char folder[64], path[96];
    bool is_durable;
    struct store *store;
    struct lane *lane;
    struct loop *loop; /* where jobs of the test come home to */
    struct outbox *outbox;
    struct destination_settings destinations[2];
    unsigned destination_count;
    struct arena texts; /* of the destinations */
};

struct wish {
    const char *destination, *patient;
    enum posting_kind kind;
    enum posting_wish wish;
    const char *status, *note; /* of the body */
    enum posting_kind target;  /* of a Provenance */
};

struct test_job {
    struct job job;
    uv_sem_t done;
    struct err err;
    bool (*act)(struct test_job *job, struct store_tx *tx, struct err *err);
    const struct wish *wish;
    char identity[SHA256_HEX_SIZE];
    struct arena arena;
    struct outbox_row row;
    bool found;
    struct store_figures figures;
    struct audit_verifier verifier;
    unsigned deliveries;
};

static bool test_job_run(struct job *job, struct store_tx *tx, struct err *err)
{
    struct test_job *self = CONTAINER_OF(job, struct test_job, job);
    return self->act(self, tx, err);
}

static void test_job_done(struct job *job, const struct err *err)
{
    struct test_job *self = CONTAINER_OF(job, struct test_job, job);
    self->err = *err;
    uv_sem_post(&self->done);
}

static void run_job(struct gateway *gateway, struct test_job *job)
{
    struct err err;
    job->job = (struct job){ .run = test_job_run, .done = test_job_done };
    arena_init(&job->arena, (size_t)64 << 20);
    uv_sem_init(&job->done, 0);
    if (!lane_submit(gateway->lane, gateway->loop, &job->job, &err))
        fail_msg("%s", err.what);
    uv_sem_wait(&job->done);
    uv_sem_destroy(&job->done);
    if (job->err.code != ERR_OK)
        fail_msg("%s: %s", job->err.where, job->err.what);
}

static void name_wish(const struct wish *wish, char out[SHA256_HEX_SIZE])
{
    char disease[32];
    snprintf(disease, sizeof disease, "dlbcl%s%s", wish->target != 0 ? "/" : "",
             wish->target != 0 ? posting_kind_name(wish->target) : "");
    posting_identity(SLICE("north"), slice_of(wish->patient), slice_of(disease), wish->kind, out);
}

static struct slice body_of(const struct wish *wish, const char *identity, struct arena *arena)
{
    if (wish->kind == POSTING_PROVENANCE)
        return arena_format(arena,
                            "{\"resourceType\":\"Provenance\",\"target\":[{\"reference\":\"%s\"}],"
                            "\"recorded\":\"{{recorded}}\",\"reason\":[{\"text\":\"%s\"}]}",
                            wish->target == POSTING_FLAG ? "{{flag}}" : "{{careplan}}", wish->note);
    if (wish->kind == POSTING_COMMUNICATION || wish->kind == POSTING_DOCUMENT)
        return arena_format(arena,
                            "{\"title\":\"%s\",\"subject\":\"%s\",\"wish\":\"hold\","
                            "\"text\":\"%s\\n\"}",
                            wish->note, wish->patient, wish->note);
    return arena_format(arena,
                        "{\"resourceType\":\"%s\",\"identifier\":[{\"system\":\"" INSTANCE "\","
                        "\"value\":\"%s\"}],\"status\":\"%s\",\"code\":{\"text\":\"%s\"},"
                        "\"subject\":{\"reference\":\"%s\"}}",
                        fhir_type_name(posting_type(wish->kind)), identity, wish->status,
                        wish->note, wish->patient);
}

static bool act_want(struct test_job *job, struct store_tx *tx, struct err *err)
{
    const struct wish *wish = job->wish;
    struct outbox_row row = { .patient_name = slice_of(wish->patient),
                              .destination = slice_of(wish->destination),
                              .kind = wish->kind,
                              .wish = wish->wish,
                              .disease = SLICE("dlbcl"),
                              .identity = slice_of(job->identity),
                              .due_ms = clock_wall_ms(),
                              .changed_ms = clock_wall_ms() };
    bool found;
    row.body = body_of(wish, job->identity, &job->arena);
    row.wanted = sha256_of_one(row.body);
    return store_tenant(tx, SLICE("north"), &row.tenant, err) &&
           store_patient_key(tx, row.tenant, row.patient_name, true, &row.patient, &found, err) &&
           store_outbox_want(tx, &row, err);
}

static void want(struct gateway *gateway, const struct wish *wish)
{
    struct test_job job = { .act = act_want, .wish = wish };
    name_wish(wish, job.identity);
    run_job(gateway, &job);
    arena_fini(&job.arena);
    if (gateway->outbox != NULL)
        outbox_wake(gateway->outbox);
}

static bool act_figures(struct test_job *job, struct store_tx *tx, struct err *err)
{
    return store_figures(tx, &job->figures, err);
}

static struct store_figures figures(struct gateway *gateway)
{
    struct test_job job = { .act = act_figures };
    run_job(gateway, &job);
    arena_fini(&job.arena);
    return job.figures;
}

static bool act_find(struct test_job *job, struct store_tx *tx, struct err *err)
{
    int32_t tenant;
    return store_tenant(tx, SLICE("north"), &tenant, err) &&
           store_outbox_find(tx, tenant, slice_of(job->wish->destination), slice_of(job->identity),
                             &job->arena, &job->row, &job->found, err);
}

static const char *const row_states[] = { "none", "pending", "settled", "dead", "unknown" };

/* The row of a wish as one line: "settled 0 target-edited". */
static const char *row_line(struct gateway *gateway, const struct wish *wish)
{
    static char line[256];
    struct test_job job = { .act = act_find, .wish = wish };
    name_wish(wish, job.identity);
    run_job(gateway, &job);
    snprintf(line, sizeof line, "%s%s%.*s", row_states[job.found ? job.row.state : 0],
             job.found && job.row.last_error.len > 0 ? " " : "",
             job.found ? (int)job.row.last_error.len : 0, job.found ? job.row.last_error.at : "");
    arena_fini(&job.arena);
    return line;
}

/* --- opening and closing ------------------------------------------------------------------------ */

static const char *keep_text(struct gateway *gateway, const char *text)
{
    return arena_copy(&gateway->texts, slice_of(text)).at;
}

static void add_destination(struct gateway *gateway, const char *name, const char *base_url)
{
    gateway->destinations[gateway->destination_count++] = (struct destination_settings){
        .name = name,
        .tenant = "north",
        .base_url = keep_text(gateway, base_url),
        .ca_file = keep_text(gateway, cert_path("ca.pem")),
        .certificate_file = keep_text(gateway, cert_path("client.pem")),
        .key_file = keep_text(gateway, cert_path("client.key")),
        .timeout_ms = 5000,
        .wants_provenance = true,
        .message = { .sender = SLICE("Practitioner/pool-doctor"),
                     .author = SLICE("Practitioner/pool-doctor"),
                     .recipients = { SLICE("Group/oncology-pool") },
                     .recipient_count = 1 },
    };
}

static void open_lane(struct gateway *gateway)
{
    struct err err;
    struct store_settings settings = { .path = gateway->is_durable ? gateway->path : NULL,
                                       .cache_bytes = (size_t)4 << 20 };
    struct lane_settings lane = { .queue_max = 64, .batch_max = 32 };
    bool is_open = store_open(&settings, &gateway->store, &err) &&
                   lane_start(gateway->store, &lane, &gateway->lane, &err) &&
                   loop_open("test", &gateway->loop, &err) &&
                   loop_start(gateway->loop, NULL, NULL, &err);
    if (!is_open)
        fail_msg("%s: %s", err.where, err.what);
}

static void start_outbox(struct gateway *gateway)
{
    struct err err;
    struct outbox_settings settings = { .destinations = gateway->destinations,
                                        .destination_count = gateway->destination_count,
                                        .lane = gateway->lane,
                                        .instance = INSTANCE,
                                        .user_agent = "Lifeline/test",
                                        .jitter_seed = 7,
                                        .pace_permille = PACE_PERMILLE };
    if (!outbox_start(&settings, &gateway->outbox, &err))
        fail_msg("%s: %s", err.where, err.what);
}

static void close_gateway(struct gateway *gateway, unsigned grace_ms)
{
    if (gateway->outbox != NULL)
        outbox_stop(gateway->outbox, grace_ms);
    gateway->outbox = NULL;
    lane_stop(gateway->lane);
    loop_stop(gateway->loop);
    loop_join(gateway->loop);
    loop_close(gateway->loop);
    store_close(gateway->store);
}

static void set_up_gateway(struct gateway *gateway, bool is_durable)
{
    memset(gateway, 0, sizeof *gateway);
    arena_init(&gateway->texts, 64 * 1024);
    gateway->is_durable = is_durable;
    snprintf(gateway->folder, sizeof gateway->folder, "/tmp/lifeline-outbox-XXXXXX");
    assert_non_null(mkdtemp(gateway->folder));
    snprintf(gateway->path, sizeof gateway->path, "%s/store.db", gateway->folder);
}

static void tear_down_gateway(struct gateway *gateway)
{
    static const char *const suffixes[] = { "", "-wal", "-shm" };
    for (size_t i = 0; i < COUNT_OF(suffixes); i++) {
        char name[112];
        snprintf(name, sizeof name, "%s%s", gateway->path, suffixes[i]);
        unlink(name);
    }
    rmdir(gateway->folder);
    arena_fini(&gateway->texts);
}

/* --- waiting ---------------------------------------------------------------------------------- */

static void sleep_ms(unsigned ms)
{
    struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };
    nanosleep(&time, NULL);
}

static bool act_print(struct test_job *job, struct store_tx *tx, struct err *err)
{
    struct outbox_row *rows;
    unsigned count;
    int64_t now_ms = clock_wall_ms();
    if (!store_outbox_list(tx, 0, 0, 1000, &job->arena, &rows, &count, err))
        return false;
    for (unsigned i = 0; i < count; i++) {
        const struct outbox_row *row = &rows[i];
        print_message("row %lld of %.*s: %s, %s, attempts %u, due in %lld ms, \"%.*s\"\n",
                      (long long)row->key, SLICE_ARGS(row->patient_name),
                      posting_kind_name(row->kind), row_states[row->state], row->attempts,
                      (long long)(row->due_ms - now_ms), SLICE_ARGS(row->last_error));
    }
    return true;
}

/* What the outbox was doing, for whoever reads that a test has failed. */
static void print_rows(struct gateway *gateway)
{
    struct test_job job = { .act = act_print };
    run_job(gateway, &job);
    arena_fini(&job.arena);
}

/* Until nothing is pending or unknown any more. */
static void wait_until_idle(struct gateway *gateway)
{
    int64_t end_ms = clock_monotonic_ns() / 1000000 + WAIT_MAX_MS;
    while (clock_monotonic_ns() / 1000000 < end_ms) {
        struct store_figures now = figures(gateway);
        if (now.outbox_pending == 0 && now.outbox_unknown == 0)
            return;
        sleep_ms(20);
    }
    print_rows(gateway);
    fail_msg("the outbox does not come to rest");
}

static inline void wait_for_row(struct gateway *gateway, const struct wish *wish, const char *start)
{
    int64_t end_ms = clock_monotonic_ns() / 1000000 + WAIT_MAX_MS;
    while (clock_monotonic_ns() / 1000000 < end_ms) {
        if (strncmp(row_line(gateway, wish), start, strlen(start)) == 0)
            return;
        sleep_ms(20);
    }
    fail_msg("the row is \"%s\", not \"%s\"", row_line(gateway, wish), start);
}

/* --- the audit log ---------------------------------------------------------------------------- */

static bool act_audit(struct test_job *job, struct store_tx *tx, struct err *err)
{
    struct audit_row *rows;
    unsigned count;
    if (!ledger_verify(tx, NULL, &job->verifier, err) ||
        !store_audit_scan(tx, 0, 10000, &job->arena, &rows, &count, err))
        return false;
    for (unsigned i = 0; i < count; i++) {
        struct slice line = rows[i].record;
        job->deliveries += memmem(line.at, line.len, "\"delivery\"", 10) != NULL;
        /* Neither contents nor the values of queries are in the log. */
        assert_null(memmem(line.at, line.len, "identifier=", 11));
        assert_null(memmem(line.at, line.len, "salvage therapy", 15));
    }
    return true;
}

/* Verifies the chain; how many exchanges are in it. */
static unsigned audited_deliveries(struct gateway *gateway)
{
    struct test_job job = { .act = act_audit };
    run_job(gateway, &job);
    arena_fini(&job.arena);
    assert_true(audit_is_whole(&job.verifier));
    return job.deliveries;
}
