#include "outbox/probe.h"

#include "base/json.h"
#include "base/pool.h"
#include "outbox/token.h"

static void fault(struct probe *out, const char *text)
{
    snprintf(out->fault, sizeof out->fault, "%s", text);
}

static void read_statement(const struct delivery_answer *answer,
                           const struct destination_settings *settings, struct probe *out)
{
    struct arena scratch;
    struct err err;
    struct answer_issue issue;
    arena_init(&scratch, OUTBOX_SCRATCH_MAX);
    out->status = answer->status;
    if (answer->status < 200 || answer->status > 299) {
        answer_read_issue(answer->body, &scratch, &issue);
        snprintf(out->fault, sizeof out->fault, "GET metadata was answered with %d%s%s",
                 answer->status, issue.code[0] != '\0' ? " " : "", issue.code);
    } else if (!capability_read(answer->body, &scratch, &out->capability, &err)) {
        fault(out, "what it answers to GET metadata is no CapabilityStatement");
    } else {
        out->chosen = ladder_choose(&settings->ladder, &out->capability, &settings->message);
    }
    arena_fini(&scratch);
}

/* --- whom a message may be sent to --------------------------------------------------------- */

#define CHOICES_PATH "Communication/$get-recipient-choices"

struct choices_reader {
    struct probe_choices *out;
    struct slice type, id;
    struct arena *arena;
};

static bool on_choice_value(void *ctx, struct json_reader *reader, enum json_kind kind,
                            struct slice text)
{
    struct choices_reader *state = ctx;
    struct slice path = json_path(reader);
    (void)kind;
    if (slice_is(path, "entry[].resource.resourceType"))
        state->type = arena_copy(state->arena, text);
    else if (slice_is(path, "entry[].resource.id"))
        state->id = arena_copy(state->arena, text);
    return true;
}

static bool on_choice_open(void *ctx, struct json_reader *reader, enum json_kind kind)
{
    struct choices_reader *state = ctx;
    if (kind == JSON_OBJECT && slice_is(json_path(reader), "entry[].resource"))
        state->type = state->id = SLICE("");
    return true;
}

static bool on_choice_close(void *ctx, struct json_reader *reader, enum json_kind kind)
{
    struct choices_reader *state = ctx;
    struct probe_choices *out = state->out;
    bool is_resource = kind == JSON_OBJECT && slice_is(json_path(reader), "entry[].resource");
    if (is_resource && state->id.len > 0 && out->count < PROBE_CHOICES_MAX)
        snprintf(out->names[out->count++], sizeof out->names[0], "%.*s/%.*s",
                 SLICE_ARGS(state->type), SLICE_ARGS(state->id));
    return true;
}

static void read_choices(const struct delivery_answer *answer, struct probe *out)
{
    static const struct json_events events = { on_choice_value, on_choice_open, on_choice_close };
    struct arena scratch;
    struct err ignored;
    arena_init(&scratch, OUTBOX_SCRATCH_MAX);
    struct choices_reader state = { .out = &out->choices, .arena = &scratch };
    if (!json_read(answer->body, NULL, &events, &state, &scratch, &ignored))
        out->choices.count = 0;
    arena_fini(&scratch);
}

const struct slice *probe_stranger(const struct probe *probe,
                                   const struct destination_settings *settings)
{
    const struct message_site *site = &settings->message;
    for (unsigned i = 0; i < site->recipient_count && probe->choices.count > 0; i++) {
        unsigned at = 0;
        while (at < probe->choices.count &&
               !slice_is(site->recipients[i], probe->choices.names[at]))
            at++;
        if (at == probe->choices.count)
            return &site->recipients[i];
    }
    return NULL;
}

/* MEDITECH's servers have one base URL for each version of US Core: ".../v2/uscore/STU6". */
static void read_us_core(const char *base_url, struct probe *out)
{
    static const char word[] = "/uscore/";
    const char *at = strstr(base_url, word);
    if (at == NULL)
        return;
    at += sizeof word - 1;
    snprintf(out->us_core, sizeof out->us_core, "%.*s", (int)strcspn(at, "/"), at);
}

static void ask(struct exchange *exchange, const struct destination_settings *settings,
                struct probe *out)
{
    int64_t started_ns = clock_monotonic_ns();
    CURLcode code = curl_easy_perform(exchange->call.easy);
    struct delivery_answer answer = exchange_answer(exchange, code);
    out->took_ms = (clock_monotonic_ns() - started_ns) / 1000000;
    if (answer.transport == TRANSPORT_ANSWERED)
        read_statement(&answer, settings, out);
    else
        snprintf(out->fault, sizeof out->fault, "%s: %s", transport_error_name(answer.transport),
                 curl_easy_strerror(code));
}

static bool ask_choices(struct exchange *exchange, struct probe *out)
{
    CURLcode code = curl_easy_perform(exchange->call.easy);
    struct delivery_answer answer = exchange_answer(exchange, code);
    if (answer.transport == TRANSPORT_ANSWERED && answer.status == 200)
        read_choices(&answer, out);
    return true; /* one that does not tell it can still be written to */
}

bool probe_run(const struct destination_settings *settings, const char *user_agent,
               struct probe *out, struct err *err)
{
    struct exchange exchange = { .settings = NULL };
    struct delivery_request request = { .method = "GET",
                                        .path = SLICE("metadata"),
                                        .ask = RETRY_PROBE };
    char *token = pool_new(OUTBOX_TOKEN_MAX);
    struct token_source tokens = { .token = NULL };
    bool is_smart = settings->smart.client_id != NULL;
    *out = (struct probe){ .status = 0 };
    read_us_core(settings->base_url, out);
    struct exchange_extra extra = { .user_agent = user_agent,
                                    .request_id = "lifeline-check",
                                    .bearer = settings->bearer_file != NULL ? token : NULL };
    bool is_done = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    if (!is_done)
        err_fail(err, ERR_STORAGE, settings->name, "libcurl does not start");
    if (is_done) {
        is_done =
            (settings->bearer_file == NULL || token_file_read(settings->bearer_file, token, err)) &&
            exchange_open(&exchange, settings, err) &&
            (!is_smart || token_source_open(&tokens, settings, user_agent, err));
        if (is_done && is_smart && !token_fetch_now(&tokens))
            snprintf(out->fault, sizeof out->fault, "%s", tokens.fault);
        if (is_smart)
            extra.bearer = tokens.token;
        is_done = is_done && exchange_prepare(&exchange, &request, &extra, err);
        if (is_done && out->fault[0] == '\0')
            ask(&exchange, settings, out);
        request.path = SLICE(CHOICES_PATH);
        if (is_done && out->capability.types[POSTING_COMMUNICATION].recipient_choices)
            is_done =
                exchange_prepare(&exchange, &request, &extra, err) && ask_choices(&exchange, out);
        exchange_close(&exchange);
        token_source_close(&tokens);
        curl_global_cleanup();
    }
    pool_free(token);
    return is_done;
}

static const char *found_again(const struct capability_type *offer)
{
    if (offer->conditional_update)
        return "conditional update";
    if (offer->update_create)
        return "PUT under our own id";
    if (offer->conditional_create)
        return "conditional create";
    if (offer->search_identifier || offer->search_patient || offer->search_recipient)
        return "search, then create; a lost answer is looked for";
    return "create; a lost answer cannot be looked for and is parked";
}

void probe_explain(const struct probe *probe, const struct destination_settings *settings,
                   enum posting_kind kind, struct text *out)
{
    const char *obstacle = ladder_obstacle(kind, &probe->capability, &settings->message);
    bool is_on_ladder = (ladder_kinds(&settings->ladder) & POSTING_BIT(kind)) != 0;
    if ((probe->chosen & POSTING_BIT(kind)) != 0)
        text_add(out, "sent, by %s", found_again(&probe->capability.types[kind]));
    else if (!is_on_ladder)
        text_add(out, "not sent: not among its channels");
    else if (obstacle != NULL)
        text_add(out, "not sent: %s", obstacle);
    else
        text_add(out, "not sent: a rung above it is");
}
