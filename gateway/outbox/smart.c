#include "outbox/smart.h"

#include <strings.h>

#include "base/json.h"
#include "outbox/body.h"

struct reader {
    struct arena *arena;
    struct slice token_url, token, type;
    int64_t seconds;
};

static int64_t seconds_of(struct slice text)
{
    int64_t number = 0;
    for (size_t i = 0; i < text.len && text.at[i] >= '0' && text.at[i] <= '9'; i++)
        if (number < SMART_TOKEN_SECONDS_MAX)
            number = number * 10 + (text.at[i] - '0');
    return number < SMART_TOKEN_SECONDS_MAX ? number : SMART_TOKEN_SECONDS_MAX;
}

/* Some servers write expires_in as a text. */
static bool on_value(void *ctx, struct json_reader *reader, enum json_kind kind, struct slice text)
{
    struct reader *state = ctx;
    struct slice path = json_path(reader);
    if (slice_is(path, "expires_in"))
        state->seconds = seconds_of(text);
    else if (kind == JSON_STRING && slice_is(path, "token_endpoint"))
        state->token_url = arena_copy(state->arena, text);
    else if (kind == JSON_STRING && slice_is(path, "access_token"))
        state->token = arena_copy(state->arena, text);
    else if (kind == JSON_STRING && slice_is(path, "token_type"))
        state->type = arena_copy(state->arena, text);
    return true;
}

static bool on_container(void *ctx, struct json_reader *reader, enum json_kind kind)
{
    (void)ctx;
    (void)reader;
    (void)kind;
    return true;
}

static bool read(struct slice body, struct arena *arena, struct reader *out, struct err *err)
{
    static const struct json_events events = { on_value, on_container, on_container };
    *out = (struct reader){ .arena = arena };
    return json_read(body, NULL, &events, out, arena, err);
}

bool smart_read_configuration(struct slice body, struct arena *arena, struct slice *token_url,
                              struct err *err)
{
    struct reader state;
    if (!read(body, arena, &state, err))
        return false;
    if (state.token_url.len == 0)
        return err_fail(err, ERR_INVALID, "smart-configuration", "there is no token_endpoint");
    if (!slice_starts(state.token_url, SLICE("https://")))
        return err_fail(err, ERR_UNSUPPORTED, "smart-configuration", "token_endpoint is not https");
    *token_url = state.token_url;
    return true;
}

static struct slice form_value(struct slice text, struct arena *arena)
{
    struct slice token = body_query_token(SLICE(""), text, arena);
    return slice_skip(token, 3); /* "%7C": the bar between system and value */
}

struct slice smart_write_request(struct slice scope, struct slice client_id, struct slice assertion,
                                 struct arena *arena)
{
    struct slice words = form_value(scope, arena);
    if (client_id.len > 0)
        return arena_format(arena, "grant_type=client_credentials&scope=%.*s&client_id=%.*s",
                            SLICE_ARGS(words), SLICE_ARGS(form_value(client_id, arena)));
    if (assertion.len == 0)
        return arena_format(arena, "grant_type=client_credentials&scope=%.*s", SLICE_ARGS(words));
    return arena_format(arena,
                        "grant_type=client_credentials&scope=%.*s&client_assertion_type="
                        "urn%%3Aietf%%3Aparams%%3Aoauth%%3Aclient-assertion-type%%3Ajwt-bearer"
                        "&client_assertion=%.*s",
                        SLICE_ARGS(words), SLICE_ARGS(assertion));
}

static bool is_word(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.at[i] <= ' ' || (unsigned char)text.at[i] >= 0x7f)
            return false;
    return text.len > 0;
}

bool smart_read_token(struct slice body, struct arena *arena, struct smart_token *out,
                      struct err *err)
{
    struct reader state;
    if (!read(body, arena, &state, err))
        return false;
    bool is_bearer = state.type.len == 0 ||
                     (state.type.len == 6 && strncasecmp(state.type.at, "bearer", 6) == 0);
    if (!is_word(state.token) || !is_bearer)
        return err_fail(err, ERR_INVALID, "token", "the answer holds no bearer token");
    out->token = state.token;
    out->seconds = state.seconds > 0 ? state.seconds : SMART_TOKEN_SECONDS;
    return true;
}

int64_t smart_renew_at_ms(int64_t got_ms, int64_t seconds) { return got_ms + seconds * 800; }

int64_t smart_expires_ms(int64_t got_ms, int64_t seconds)
{
    int64_t margin_ms = seconds > 60 ? 10000 : seconds * 100;
    return got_ms + seconds * 1000 - margin_ms;
}
