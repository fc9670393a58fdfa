#include "outbox/exchange.h"

#include <strings.h>

#include "base/date.h"
#include "base/text.h"

/* --- the answer as it comes ---------------------------------------------------------------- */

static void keep(char *out, size_t size, struct slice value)
{
    while (value.len > 0 && (value.at[0] == ' ' || value.at[0] == '\t'))
        value = slice_skip(value, 1);
    while (value.len > 0 && strchr(" \t\r\n", value.at[value.len - 1]) != NULL)
        value.len--;
    size_t len = value.len < size ? value.len : 0; /* what does not fit is as good as absent */
    memcpy(out, value.at, len);
    out[len] = '\0';
}

static void forget_headers(struct exchange *exchange)
{
    exchange->etag[0] = exchange->location[0] = '\0';
    exchange->retry_after[0] = exchange->date[0] = '\0';
}

static size_t on_header(char *bytes, size_t one, size_t count, void *arg)
{
    struct exchange *exchange = arg;
    const struct {
        const char *name;
        char *out;
        size_t size;
    } kept[] = {
        { "ETag", exchange->etag, sizeof exchange->etag },
        { "Location", exchange->location, sizeof exchange->location },
        { "Content-Location", exchange->location, sizeof exchange->location },
        { "Retry-After", exchange->retry_after, sizeof exchange->retry_after },
        { "Date", exchange->date, sizeof exchange->date },
    };
    struct slice rest = { bytes, one * count };
    if (slice_starts(rest, SLICE("HTTP/"))) /* a new answer: 100 Continue came before it */
        forget_headers(exchange);
    struct slice name = slice_take_until(&rest, ':');
    for (size_t i = 0; i < COUNT_OF(kept); i++)
        if (name.len == strlen(kept[i].name) && strncasecmp(name.at, kept[i].name, name.len) == 0)
            keep(kept[i].out, kept[i].size, rest);
    return one * count;
}

static size_t on_body(char *bytes, size_t one, size_t count, void *arg)
{
    struct exchange *exchange = arg;
    buffer_add(&exchange->body, (struct slice){ bytes, one * count });
    exchange->is_truncated = buffer_overflowed(&exchange->body);
    return exchange->is_truncated ? 0 : one * count; /* 0 breaks off */
}

/* curl repeats a request by itself when a kept connection turns out to be dead.  It cannot know
 * that the peer may have carried it out before it died, and neither the store nor the audit log
 * would know of the second copy.  So the body can be read once only: on_rewind() refuses. */
static size_t on_upload(char *out, size_t one, size_t count, void *arg)
{
    struct exchange *exchange = arg;
    size_t room = one * count;
    size_t len = exchange->upload.len < room ? exchange->upload.len : room;
    memcpy(out, exchange->upload.at, len);
    exchange->upload = slice_skip(exchange->upload, len);
    return len;
}

static int on_rewind(void *arg, curl_off_t offset, int origin)
{
    (void)arg;
    (void)offset;
    (void)origin;
    return CURL_SEEKFUNC_FAIL;
}

/* --- life ---------------------------------------------------------------------------------- */

static void set_tls(CURL *easy, const struct destination_settings *settings)
{
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    if (settings->ca_file != NULL) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, settings->ca_file);
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    }
    if (settings->certificate_file != NULL)
        curl_easy_setopt(easy, CURLOPT_SSLCERT, settings->certificate_file);
    if (settings->key_file != NULL)
        curl_easy_setopt(easy, CURLOPT_SSLKEY, settings->key_file);
}

bool exchange_open(struct exchange *exchange, const struct destination_settings *settings,
                   struct err *err)
{
    CURL *easy = curl_easy_init();
    if (easy == NULL)
        return err_fail(err, ERR_STORAGE, settings->name, "libcurl does not start");
    exchange->call.easy = easy;
    exchange->settings = settings;
    buffer_init(&exchange->body, OUTBOX_METADATA_MAX);
    unsigned connect_ms =
        settings->timeout_ms < OUTBOX_CONNECT_MS ? settings->timeout_ms : OUTBOX_CONNECT_MS;
    set_tls(easy, settings);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY,
                     ""); /* patient data takes no way that was not configured */
    curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)settings->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_upload);
    curl_easy_setopt(easy, CURLOPT_READDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_rewind);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
    return true;
}

void exchange_close(struct exchange *exchange)
{
    if (exchange->call.easy == NULL)
        return;
    curl_easy_cleanup(exchange->call.easy);
    curl_slist_free_all(exchange->headers);
    buffer_fini(&exchange->body);
    exchange->call.easy = NULL;
}

/* --- the request --------------------------------------------------------------------------- */

static void add_header(struct exchange *exchange, const char *name, struct slice value)
{
    char line[OUTBOX_TOKEN_MAX + 64];
    struct text text = TEXT(line);
    text_add(&text, "%s: %.*s", name, SLICE_ARGS(value));
    struct curl_slist *longer = curl_slist_append(exchange->headers, line);
    CHECK(longer != NULL);
    exchange->headers = longer;
}

static void set_headers(struct exchange *exchange, const struct delivery_request *request,
                        const struct exchange_extra *extra)
{
    curl_slist_free_all(exchange->headers);
    exchange->headers = curl_slist_append(NULL, "Expect:"); /* no waiting for 100 Continue */
    add_header(exchange, "Accept", SLICE("application/fhir+json"));
    add_header(exchange, "X-Request-Id", slice_of(extra->request_id));
    if (request->body.len > 0) {
        add_header(exchange, "Content-Type", SLICE("application/fhir+json; charset=utf-8"));
        add_header(exchange, "Prefer", SLICE("return=minimal"));
    }
    if (request->if_match.len > 0)
        add_header(exchange, "If-Match", request->if_match);
    if (request->if_none_match.len > 0)
        add_header(exchange, "If-None-Match", request->if_none_match);
    if (request->if_none_exist.len > 0)
        add_header(exchange, "If-None-Exist", request->if_none_exist);
    if (extra->bearer != NULL) {
        char value[OUTBOX_TOKEN_MAX + 16];
        struct text text = TEXT(value);
        text_add(&text, "Bearer %s", extra->bearer);
        add_header(exchange, "Authorization", text_slice(&text));
    }
    curl_easy_setopt(exchange->call.easy, CURLOPT_HTTPHEADER, exchange->headers);
    curl_easy_setopt(exchange->call.easy, CURLOPT_USERAGENT, extra->user_agent);
}

static void set_method(struct exchange *exchange, const struct delivery_request *request)
{
    CURL *easy = exchange->call.easy;
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, NULL);
    if (request->body.len == 0)
        return;
    exchange->upload = request->body;
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, NULL);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
}

bool exchange_prepare(struct exchange *exchange, const struct delivery_request *request,
                      const struct exchange_extra *extra, struct err *err)
{
    char url[OUTBOX_URL_MAX];
    struct text text = TEXT(url);
    struct slice base = slice_of(exchange->settings->base_url);
    while (base.len > 0 && base.at[base.len - 1] == '/')
        base.len--;
    if (base.len + request->path.len + 2 > sizeof url)
        return err_fail(err, ERR_TOO_LARGE, exchange->settings->name, "the URL is too long");
    text_add(&text, "%.*s/%.*s", SLICE_ARGS(base), SLICE_ARGS(request->path));
    forget_headers(exchange);
    buffer_reset(&exchange->body);
    exchange->body.max = request->ask == RETRY_PROBE ? OUTBOX_METADATA_MAX : OUTBOX_ANSWER_MAX;
    exchange->is_truncated = false;
    curl_easy_setopt(exchange->call.easy, CURLOPT_URL, url); /* curl keeps a copy */
    set_method(exchange, request);
    set_headers(exchange, request, extra);
    return true;
}

bool exchange_prepare_form(struct exchange *exchange, const struct exchange_form *form,
                           struct err *err)
{
    CURL *easy = exchange->call.easy;
    if (!slice_starts(slice_of(form->url), SLICE("https://")))
        return err_fail(err, ERR_UNSUPPORTED, exchange->settings->name,
                        "the token endpoint must be https");
    forget_headers(exchange);
    buffer_reset(&exchange->body);
    exchange->body.max = OUTBOX_ANSWER_MAX;
    exchange->is_truncated = false;
    curl_slist_free_all(exchange->headers);
    exchange->headers = curl_slist_append(NULL, "Expect:");
    add_header(exchange, "Accept", SLICE("application/json"));
    if (form->body.len > 0)
        add_header(exchange, "Content-Type", SLICE("application/x-www-form-urlencoded"));
    set_method(exchange, &(struct delivery_request){ .method = "POST", .body = form->body });
    curl_easy_setopt(easy, CURLOPT_URL, form->url);
    curl_easy_setopt(easy, CURLOPT_USERNAME, form->user);
    curl_easy_setopt(easy, CURLOPT_PASSWORD, form->password);
    curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, exchange->headers);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, form->user_agent);
    return true;
}

bool exchange_start(struct exchange *exchange, struct transport *transport,
                    const struct delivery_request *request, const struct exchange_extra *extra,
                    struct err *err)
{
    return exchange_prepare(exchange, request, extra, err) &&
           transport_add(transport, &exchange->call, err);
}

bool token_file_read(const char *path, char *out, struct err *err)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return err_fail(err, ERR_INVALID, path, "the file of the bearer token cannot be read");
    size_t len = fread(out, 1, OUTBOX_TOKEN_MAX - 1, file);
    fclose(file);
    while (len > 0 && (unsigned char)out[len - 1] <= ' ')
        len--;
    out[len] = '\0';
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)out[i] <= ' ' || out[i] == 0x7f)
            return err_fail(err, ERR_INVALID, path, "the bearer token must be one word");
    if (len == 0)
        return err_fail(err, ERR_INVALID, path, "the file of the bearer token is empty");
    return true;
}

/* --- the answer ---------------------------------------------------------------------------- */

static enum transport_error transport_of(const struct exchange *exchange, CURLcode code)
{
    long status = 0, sent = 0;
    curl_easy_getinfo(exchange->call.easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(exchange->call.easy, CURLINFO_REQUEST_SIZE, &sent);
    if (code == CURLE_OK || (code == CURLE_WRITE_ERROR && exchange->is_truncated && status > 0))
        return TRANSPORT_ANSWERED;
    /* In TLS 1.3 a refused client certificate comes to light after we have sent the request, which
     * the peer has not read then. */
    if (code == CURLE_SSL_CLIENTCERT || code == CURLE_SSL_CERTPROBLEM)
        return TRANSPORT_TLS;
    if (sent > 0)
        return TRANSPORT_LOST;
    if (code == CURLE_OPERATION_TIMEDOUT)
        return TRANSPORT_LATE;
    bool is_plain = code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST;
    long verified = 0;
    curl_easy_getinfo(exchange->call.easy, CURLINFO_SSL_VERIFYRESULT, &verified);
    bool is_tls = code == CURLE_SSL_CONNECT_ERROR || code == CURLE_PEER_FAILED_VERIFICATION ||
                  code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_ISSUER_ERROR;
    return !is_plain && (is_tls || verified != 0) ? TRANSPORT_TLS : TRANSPORT_UNREACHABLE;
}

struct delivery_answer exchange_answer(const struct exchange *exchange, CURLcode code)
{
    struct delivery_answer answer = { .transport = transport_of(exchange, code) };
    if (answer.transport != TRANSPORT_ANSWERED)
        return answer;
    long status = 0;
    curl_easy_getinfo(exchange->call.easy, CURLINFO_RESPONSE_CODE, &status);
    answer.status = (int)status;
    answer.body = exchange->is_truncated ? SLICE("") : buffer_slice(&exchange->body);
    answer.location = slice_of(exchange->location);
    answer.etag = slice_of(exchange->etag);
    answer.retry_after = slice_of(exchange->retry_after);
    if (!http_date_parse(slice_of(exchange->date), &answer.date_ms))
        answer.date_ms = 0;
    return answer;
}

const char *exchange_address(const struct exchange *exchange)
{
    const char *address = NULL;
    curl_easy_getinfo(exchange->call.easy, CURLINFO_PRIMARY_IP, &address);
    return address != NULL ? address : "";
}
