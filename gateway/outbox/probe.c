#include "outbox/probe.h"

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
    if (offer->search_identifier || offer->search_patient)
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
