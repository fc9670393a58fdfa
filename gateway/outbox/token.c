#include "outbox/token.h"

#include "base/pool.h"
#include "base/text.h"
#include "loop/loop.h"

#define ARENA_MAX ((size_t)1024 * 1024)

/* clang-format off */
static const struct sm_row token_rows[] = {
    [TOKEN_IDLE]        = { "idle",        SM_TO(TOKEN_DISCOVERING) | SM_TO(TOKEN_FETCHING) },
    [TOKEN_DISCOVERING] = { "discovering", SM_TO(TOKEN_FETCHING) | SM_TO(TOKEN_IDLE) },
    [TOKEN_FETCHING]    = { "fetching",    SM_TO(TOKEN_IDLE) },
};
/* clang-format on */

static void token_check(const struct sm *sm)
{
    const struct token_source *source = CONTAINER_OF(sm, struct token_source, sm);
    if (sm->state == TOKEN_FETCHING)
        CHECK(source->token_url[0] != '\0');
}

static void fault(struct token_source *source, const char *where, const char *what)
{
    struct text text = TEXT(source->fault);
    text_add(&text, "%s%s%s", where, where[0] != '\0' ? ": " : "", what);
}

/* --- requests ------------------------------------------------------------------------------ */

static bool ask_where(struct token_source *source, struct err *err)
{
    struct slice base = slice_of(source->settings->base_url);
    while (base.len > 0 && base.at[base.len - 1] == '/')
        base.len--;
    struct slice url =
        arena_format(&source->arena, "%.*s/.well-known/smart-configuration", SLICE_ARGS(base));
    return exchange_prepare_form(
        &source->exchange,
        &(struct exchange_form){ .url = url.at, .user_agent = source->user_agent }, err);
}

static bool write_assertion(struct token_source *source, struct slice *out, struct err *err)
{
    const struct smart_settings *smart = &source->settings->smart;
    unsigned char random[16];
    char hex[2 * sizeof random + 1];
    if (uv_random(NULL, NULL, random, sizeof random, 0, NULL) != 0)
        return err_fail(err, ERR_STORAGE, source->settings->name, "there is no randomness");
    for (size_t i = 0; i < sizeof random; i++)
        snprintf(hex + 2 * i, 3, "%02x", random[i]);
    const struct jose_claims claims = { .client_id = slice_of(smart->client_id),
                                        .audience = slice_of(source->token_url),
                                        .id = slice_of(hex),
                                        .now_s = clock_wall_ms() / 1000 };
    if (smart->key == NULL)
        return err_fail(err, ERR_INVALID, source->settings->name, "there is no key to sign with");
    return jose_sign_assertion(smart->key, &claims, &source->arena, out, err);
}

/* The file is read each time, so that a new secret needs no restart. */
static bool read_secret(struct token_source *source, char *out, struct err *err)
{
    const char *path = source->settings->smart.secret_file;
    return path == NULL || token_file_read(path, out, err);
}

static bool ask_token(struct token_source *source, struct err *err)
{
    const struct smart_settings *smart = &source->settings->smart;
    bool has_secret = smart->secret_file != NULL;
    struct slice assertion = SLICE("");
    char *secret = pool_new(OUTBOX_TOKEN_MAX);
    bool is_ready = read_secret(source, secret, err) && (has_secret || smart->is_by_certificate ||
                                                         write_assertion(source, &assertion, err));
    struct exchange_form form = {
        .url = source->token_url,
        .body =
            smart_write_request(slice_of(smart->scope),
                                smart->is_by_certificate ? slice_of(smart->client_id) : SLICE(""),
                                assertion, &source->arena),
        .user_agent = source->user_agent,
        .user = has_secret ? smart->client_id : NULL,
        .password = has_secret ? secret : NULL,
    };
    is_ready = is_ready && exchange_prepare_form(&source->exchange, &form, err);
    memset(secret, 0, OUTBOX_TOKEN_MAX);
    pool_free(secret);
    return is_ready;
}

/* --- answers ------------------------------------------------------------------------------- */

static bool complain(struct token_source *source, const char *what,
                     const struct delivery_answer *answer)
{
    if (answer->transport != TRANSPORT_ANSWERED)
        snprintf(source->fault, sizeof source->fault, "%s: %s", what,
                 transport_error_name(answer->transport));
    else
        snprintf(source->fault, sizeof source->fault, "%s: HTTP %d", what, answer->status);
    return false;
}

static bool is_good(const struct delivery_answer *answer)
{
    return answer->transport == TRANSPORT_ANSWERED && answer->status >= 200 && answer->status < 300;
}

static bool take_where(struct token_source *source, const struct delivery_answer *answer)
{
    struct slice url;
    struct err err = { .what = "the endpoint is too long" };
    if (!is_good(answer))
        return complain(source, "smart-configuration", answer);
    if (!smart_read_configuration(answer->body, &source->arena, &url, &err) ||
        url.len >= sizeof source->token_url) {
        fault(source, "smart-configuration", err.what);
        return false;
    }
    memcpy(source->token_url, url.at, url.len);
    source->token_url[url.len] = '\0';
    return true;
}

static bool take_token(struct token_source *source, const struct delivery_answer *answer)
{
    struct smart_token token;
    struct err err = { .what = "the token is too long" };
    int64_t now_ms = clock_wall_ms();
    if (!is_good(answer))
        return complain(source, "token endpoint", answer);
    if (!smart_read_token(answer->body, &source->arena, &token, &err) ||
        token.token.len >= OUTBOX_TOKEN_MAX) {
        fault(source, "token endpoint", err.what);
        return false;
    }
    memcpy(source->token, token.token.at, token.token.len);
    source->token[token.token.len] = '\0';
    source->renew_ms = smart_renew_at_ms(now_ms, token.seconds);
    source->expires_ms = smart_expires_ms(now_ms, token.seconds);
    source->generation++;
    source->attempts = 0;
    source->fetched++;
    source->fault[0] = '\0';
    return true;
}

/* --- one fetch ----------------------------------------------------------------------------- */

static void end(struct token_source *source, bool is_there)
{
    int64_t now_ms = clock_wall_ms();
    if (!is_there) {
        source->attempts++;
        source->failed++;
        source->next_try_ms = now_ms + retry_wait_ms(source->attempts, UINT32_MAX, 1000);
        if (source->settings->smart.token_url == NULL)
            source->token_url[0] = '\0'; /* it may have moved */
    }
    arena_reset(&source->arena);
    sm_move(&source->sm, TOKEN_IDLE);
    source->on_done(source);
}

static void start(struct token_source *source, enum token_state state)
{
    struct err err;
    sm_move(&source->sm, (uint8_t)state);
    bool is_prepared =
        state == TOKEN_DISCOVERING ? ask_where(source, &err) : ask_token(source, &err);
    if (is_prepared && transport_add(source->transport, &source->exchange.call, &err))
        return;
    fault(source, "", err.what);
    end(source, false);
}

static void on_answer(struct transport_call *call, CURLcode code)
{
    struct exchange *exchange = CONTAINER_OF(call, struct exchange, call);
    struct token_source *source = CONTAINER_OF(exchange, struct token_source, exchange);
    struct delivery_answer answer = exchange_answer(exchange, code);
    if (source->sm.state == TOKEN_FETCHING)
        end(source, take_token(source, &answer));
    else if (take_where(source, &answer))
        start(source, TOKEN_FETCHING);
    else
        end(source, false);
}

bool token_is_good(const struct token_source *source, int64_t now_ms)
{
    return source->token[0] != '\0' && now_ms < source->expires_ms;
}

void token_refresh(struct token_source *source, int64_t now_ms)
{
    bool is_early = token_is_good(source, now_ms) && now_ms < source->renew_ms;
    if (source->sm.state != TOKEN_IDLE || is_early || now_ms < source->next_try_ms)
        return;
    start(source, source->token_url[0] != '\0' ? TOKEN_FETCHING : TOKEN_DISCOVERING);
}

void token_forget(struct token_source *source)
{
    memset(source->token, 0, OUTBOX_TOKEN_MAX);
    source->expires_ms = source->renew_ms = 0;
}

void token_abort(struct token_source *source)
{
    if (source->sm.state == TOKEN_IDLE)
        return;
    transport_remove(source->transport, &source->exchange.call);
    sm_move(&source->sm, TOKEN_IDLE);
}

bool token_fetch_now(struct token_source *source)
{
    struct err err = { .what = "" };
    bool is_there = true;
    if (source->token_url[0] == '\0') {
        is_there = ask_where(source, &err);
        CURLcode code = is_there ? curl_easy_perform(source->exchange.call.easy) : CURLE_OK;
        struct delivery_answer answer = exchange_answer(&source->exchange, code);
        is_there = is_there && take_where(source, &answer);
    }
    if (is_there && ask_token(source, &err)) {
        CURLcode code = curl_easy_perform(source->exchange.call.easy);
        struct delivery_answer answer = exchange_answer(&source->exchange, code);
        return take_token(source, &answer);
    }
    if (source->fault[0] == '\0')
        fault(source, "", err.what);
    return false;
}

/* --- life ---------------------------------------------------------------------------------- */

bool token_source_open(struct token_source *source, const struct destination_settings *settings,
                       const char *user_agent, struct err *err)
{
    source->sm = (struct sm){ "token", token_rows, token_check, TOKEN_IDLE };
    source->settings = settings;
    source->user_agent = user_agent;
    source->exchange.call.done = on_answer;
    source->token = pool_new(OUTBOX_TOKEN_MAX);
    source->token[0] = '\0';
    arena_init(&source->arena, ARENA_MAX);
    if (settings->smart.token_url != NULL)
        snprintf(source->token_url, sizeof source->token_url, "%s", settings->smart.token_url);
    return exchange_open(&source->exchange, settings, err);
}

void token_source_close(struct token_source *source)
{
    if (source->token == NULL)
        return;
    memset(source->token, 0, OUTBOX_TOKEN_MAX);
    pool_free(source->token);
    exchange_close(&source->exchange);
    arena_fini(&source->arena);
    source->token = NULL;
}
