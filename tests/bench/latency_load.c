/* From acknowledged ingest to accepted Flag: the sender and the destination, in one process and so by
 * one clock.  tests/bench/latency starts a gateway between the two.
 *
 *   latency_load FOLDER GATEWAY_URL RATE SECONDS NEWS SETUP RESOURCE PLAIN [PORT [FIRST]]
 *
 * FOLDER has the certificates of certs/make-dev-certs.sh.  SETUP, RESOURCE and PLAIN are files with FHIR in
 * which "{p}" stands for a patient: a Bundle, the resource that makes a Flag come up, and one that
 * does not.  Of NEWS resources one is the former.  PORT is that of the destination, FIRST the number of
 * the first patient.  NEWS 0: SETUP is posted for RATE x SECONDS patients and makes a Flag come up
 * itself, nothing is sent after that.  RATE 0: a destination only, for SECONDS.  It prints the port of the destination, waits for a
 * line on standard input, and then loads, sends and prints figures.
 */
#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/pool.h"
#include "base/text.h"
#include "net/server.h"

#define SENDERS 16
#define BUNDLE_MAX ((size_t)256 * 1024)
#define SETTLE_S 60
#define REST_NS INT64_C(3000000000) /* after the preparation, which fills the log */
#define PATH_MAX_BYTES 512

struct load {
    const char *folder, *url;
    char *setup, *resource, *plain;
    unsigned rate, news, total, first, port, seconds;
    atomic_uint puts;
    unsigned per_second[3600];
    int64_t opened_ns;
    int64_t start_ns;
    atomic_uint next, failed, known;
    _Atomic int64_t *acknowledged, *accepted, *took; /* ns, by number; 0: not yet */
    struct server *server;
    struct loop *loop;
};

static struct load load;

/* --- the destination ----------------------------------------------------------------------- */

#define OFFERS(type)                                                                     \
    "{\"type\":\"" type "\",\"interaction\":[{\"code\":\"read\"},{\"code\":\"create\"}," \
    "{\"code\":\"update\"},{\"code\":\"search-type\"}],\"conditionalUpdate\":true,"      \
    "\"conditionalCreate\":true,\"updateCreate\":true,\"searchParam\":[{\"name\":"       \
    "\"identifier\"},{\"name\":\"patient\"}]}"

static void note_flag(struct slice body)
{
    static const char words[] = "\"Patient/p";
    const char *at = body.len > 0 ? memmem(body.at, body.len, words, sizeof words - 1) : NULL;
    if (at == NULL)
        return;
    unsigned number = (unsigned)strtoul(at + sizeof words - 1, NULL, 10) - load.first;
    if (number < load.total && load.accepted[number] == 0) {
        load.accepted[number] = clock_monotonic_ns();
        load.known++;
    }
}

static void on_exchange(void *ctx, struct exchange *exchange)
{
    struct slice path = exchange->request.target;
    struct http_reply *reply = &exchange->reply;
    (void)ctx;
    reply->status = 201;
    http_reply_header(reply, "Content-Type", SLICE("application/fhir+json"));
    if (memmem(path.at, path.len, "metadata", 8) != NULL) {
        reply->status = 200;
        reply->body =
            SLICE("{\"resourceType\":\"CapabilityStatement\",\"rest\":[{\"mode\":\"server\","
                  "\"resource\":[" OFFERS("Flag") "," OFFERS("CarePlan") "]}]}");
        exchange_finish(exchange);
        return;
    }
    int64_t second = (clock_monotonic_ns() - load.opened_ns) / 1000000000;
    load.puts++;
    if (second >= 0 && second < (int64_t)COUNT_OF(load.per_second))
        load.per_second[second]++;
    if (memmem(path.at, path.len, "CarePlan", 8) != NULL) {
        http_reply_header(reply, "Location", SLICE("https://127.0.0.1/fhir/CarePlan/1/_history/1"));
        http_reply_header(reply, "ETag", SLICE("W/\"1\""));
    } else {
        note_flag(exchange->request.body);
        http_reply_header(reply, "Location", SLICE("https://127.0.0.1/fhir/Flag/1/_history/1"));
        http_reply_header(reply, "ETag", SLICE("W/\"1\""));
    }
    exchange_finish(exchange);
}

static bool open_destination(struct err *err)
{
    char certificate[PATH_MAX_BYTES], key[PATH_MAX_BYTES], ca[PATH_MAX_BYTES];
    snprintf(certificate, sizeof certificate, "%s/ehr.pem", load.folder);
    snprintf(key, sizeof key, "%s/ehr.key", load.folder);
    snprintf(ca, sizeof ca, "%s/ca.pem", load.folder);
    struct server_settings settings = {
        .address = "127.0.0.1",
        .port = (uint16_t)load.port,
        .tls = { .certificate_file = certificate,
                 .key_file = key,
                 .client_ca_file = ca,
                 .client_auth = CLIENT_AUTH_REQUIRE },
        .limits = { 1000, 16384, (size_t)1024 * 1024, 10000, 10000, 30000, 600000,
                    (size_t)4 * 1024 * 1024 },
        .handler = on_exchange,
    };
    return loop_open("destination", &load.loop, err) &&
           server_open(&settings, &load.loop, 1, &load.server, err) &&
           loop_start(load.loop, NULL, NULL, err);
}

/* --- the sender ---------------------------------------------------------------------------- */

static char *file_text(const char *path)
{
    FILE *file = fopen(path, "re");
    char *text = pool_new(BUNDLE_MAX);
    if (file == NULL || fread(text, 1, BUNDLE_MAX - 1, file) == 0) {
        fprintf(stderr, "latency_load: %s cannot be read\n", path);
        exit(1);
    }
    fclose(file);
    return text;
}

/* The text with "{p}" as the patient's number; returns its length. */
static size_t fill(const char *text, unsigned number, char *out, size_t size)
{
    struct text to = { out, size, 0 };
    for (const char *at; (at = strstr(text, "{p}")) != NULL; text = at + 3)
        text_add(&to, "%.*sp%u-", (int)(at - text), text, number);
    text_add(&to, "%s", text);
    CHECK(to.used + 1 < size);
    return to.used;
}

static size_t ignore(char *data, size_t size, size_t count, void *arg)
{
    (void)data;
    (void)arg;
    return size * count;
}

static CURL *open_sender(struct curl_slist **headers)
{
    char file[PATH_MAX_BYTES];
    CURL *easy = curl_easy_init();
    CHECK(easy != NULL);
    *headers = curl_slist_append(NULL, "Content-Type: application/fhir+json");
    *headers = curl_slist_append(*headers, "Expect:");
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, *headers);
    snprintf(file, sizeof file, "%s/ca.pem", load.folder);
    curl_easy_setopt(easy, CURLOPT_CAINFO, file);
    snprintf(file, sizeof file, "%s/general-hospital.pem", load.folder);
    curl_easy_setopt(easy, CURLOPT_SSLCERT, file);
    snprintf(file, sizeof file, "%s/general-hospital.key", load.folder);
    curl_easy_setopt(easy, CURLOPT_SSLKEY, file);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore);
    curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    return easy;
}

static bool post(CURL *easy, const char *path, const char *body, size_t len, long wanted)
{
    char url[PATH_MAX_BYTES];
    long status = 0;
    snprintf(url, sizeof url, "%s%s", load.url, path);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)len);
    CURLcode code = curl_easy_perform(easy);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_OK && status == wanted)
        return true;
    fprintf(stderr, "latency_load: %s: HTTP %ld, %s\n", path, status, curl_easy_strerror(code));
    load.failed++;
    return false;
}

static void sleep_until(int64_t at_ns)
{
    int64_t wait_ns = at_ns - clock_monotonic_ns();
    if (wait_ns <= 0)
        return;
    struct timespec time = { wait_ns / 1000000000, wait_ns % 1000000000 };
    nanosleep(&time, NULL);
}

static void *prepare(void *arg)
{
    struct curl_slist *headers;
    CURL *easy = open_sender(&headers);
    char *body = pool_new(BUNDLE_MAX);
    (void)arg;
    for (unsigned number; (number = load.next++) < load.total;)
        if (load.news == 0 || number % load.news == 0)
            post(easy, "", body, fill(load.setup, load.first + number, body, BUNDLE_MAX), 200);
    pool_free(body);
    curl_easy_cleanup(easy);
    curl_slist_free_all(headers);
    return NULL;
}

/* Each has its instant, whatever became of those before: a sender that is late shows. */
static void *send_resources(void *arg)
{
    struct curl_slist *headers;
    CURL *easy = open_sender(&headers);
    char *body = pool_new(BUNDLE_MAX);
    (void)arg;
    for (unsigned number; (number = load.next++) < load.total;) {
        bool is_news = number % load.news == 0;
        size_t len =
            fill(is_news ? load.resource : load.plain, load.first + number, body, BUNDLE_MAX);
        sleep_until(load.start_ns + (int64_t)number * 1000000000 / load.rate);
        int64_t sent_ns = clock_monotonic_ns();
        if (!post(easy, "/MedicationRequest", body, len, 201))
            continue;
        load.acknowledged[number] = clock_monotonic_ns();
        load.took[number] = load.acknowledged[number] - sent_ns;
    }
    pool_free(body);
    curl_easy_cleanup(easy);
    curl_slist_free_all(headers);
    return NULL;
}

static void in_parallel(void *(*work)(void *))
{
    pthread_t threads[SENDERS];
    load.next = 0;
    for (unsigned i = 0; i < SENDERS; i++)
        CHECK(pthread_create(&threads[i], NULL, work, NULL) == 0);
    for (unsigned i = 0; i < SENDERS; i++)
        pthread_join(threads[i], NULL);
}

/* --- figures ------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return left < right ? -1 : left > right;
}

static void show(const char *name, int64_t *list, size_t count)
{
    if (count == 0)
        return;
    qsort(list, count, sizeof *list, compare);
    printf("%s n=%zu p50_us=%lld p90_us=%lld p99_us=%lld max_us=%lld\n", name, count,
           (long long)list[count / 2] / 1000, (long long)list[count * 9 / 10] / 1000,
           (long long)list[count * 99 / 100] / 1000, (long long)list[count - 1] / 1000);
}

static void report(int64_t took_ns)
{
    int64_t *flags = pool_new(sizeof *flags * load.total),
            *posts = pool_new(sizeof *posts * load.total);
    size_t flag_count = 0, post_count = 0, lost = 0;
    for (unsigned i = 0; i < load.total; i++) {
        if (load.acknowledged[i] == 0)
            continue;
        posts[post_count++] = load.took[i];
        if (i % load.news != 0)
            continue;
        if (load.accepted[i] == 0)
            lost++;
        else /* the Flag may be there before the sender has read its answer */
            flags[flag_count++] = load.accepted[i] > load.acknowledged[i]
                                      ? load.accepted[i] - load.acknowledged[i]
                                      : 0;
    }
    printf("sent rate=%.0f failed=%u without_flag=%zu\n",
           (double)post_count * 1e9 / (double)took_ns, load.failed, lost);
    show("post", posts, post_count);
    show("flag", flags, flag_count);
    pool_free(flags);
    pool_free(posts);
}

static bool start(int count, char **arguments)
{
    struct err err;
    load.folder = arguments[1];
    load.url = arguments[2];
    load.rate = (unsigned)strtoul(arguments[3], NULL, 10);
    load.news = (unsigned)strtoul(arguments[5], NULL, 10);
    load.seconds = (unsigned)strtoul(arguments[4], NULL, 10);
    load.total = load.rate * load.seconds;
    load.setup = file_text(arguments[6]);
    load.resource = file_text(arguments[7]);
    load.plain = file_text(arguments[8]);
    load.port = count > 9 ? (unsigned)strtoul(arguments[9], NULL, 10) : 0;
    load.first = count > 10 ? (unsigned)strtoul(arguments[10], NULL, 10) : 0;
    load.acknowledged = pool_new(sizeof *load.acknowledged * (load.total + 1));
    load.accepted = pool_new(sizeof *load.accepted * (load.total + 1));
    load.took = pool_new(sizeof *load.took * (load.total + 1));
    curl_global_init(CURL_GLOBAL_DEFAULT);
    if (open_destination(&err))
        return true;
    fprintf(stderr, "latency_load: %s: %s\n", err.where, err.what);
    return false;
}

/* As long as they go on coming. */
static void wait_for_flags(unsigned wanted)
{
    unsigned known = load.known;
    for (unsigned i = 0; i < SETTLE_S * 20 && load.known < wanted; i++) {
        sleep_until(clock_monotonic_ns() + 50000000);
        i = load.known != known ? 0 : i;
        known = load.known;
    }
}

static void sink(void)
{
    sleep_until(clock_monotonic_ns() + (int64_t)load.seconds * 1000000000);
    printf("sink puts=%u\nper_second", load.puts);
    for (unsigned i = 0; i < load.seconds && i < COUNT_OF(load.per_second); i++)
        printf(" %u", load.per_second[i]);
    printf("\n");
    fflush(stdout);
}

int main(int count, char **arguments)
{
    char line[16];
    if (count < 9 || !start(count, arguments))
        return 2;
    printf("PORT %u\n", server_port(load.server));
    fflush(stdout);
    if (fgets(line, sizeof line, stdin) == NULL)
        return 2;
    load.opened_ns = clock_monotonic_ns();
    if (load.rate == 0) {
        sink();
        _Exit(0);
    }
    in_parallel(prepare);
    if (load.news == 0) {
        wait_for_flags(load.total);
        printf("filled patients=%u failed=%u flags=%u\n", load.total, load.failed, load.known);
        fflush(stdout);
        _Exit(load.failed > 0 || load.known < load.total ? 1 : 0);
    }
    load.start_ns = clock_monotonic_ns() + REST_NS;
    printf("prepared\n");
    fflush(stdout);
    in_parallel(send_resources);
    int64_t took_ns = clock_monotonic_ns() - load.start_ns;
    unsigned wanted = (load.total + load.news - 1) / load.news;
    wait_for_flags(wanted);
    report(took_ns);
    fflush(stdout);
    _Exit(load.failed > 0 ? 1 : 0); /* its threads need no farewell */
}
