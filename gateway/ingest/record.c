/* ingest/record.c -- the audit record of an exchange in which we are the server. */
#include "ingest/ingest_int.h"
#include "store/ledger.h"

#define ENTRIES_MAX 10000

static const char *outcome_of(int status)
{
    if (status < 400)
        return "success";
    return status < 500 ? "minor" : "serious";
}

/* The strongest identity that the caller proved. */
static struct slice actor_of(const struct caller *caller)
{
    const struct slice names[] = { caller->san_uri, caller->san_dns, caller->common_name,
                                   caller->fingerprint };
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (names[i].len > 0)
            return names[i];
    return SLICE("anonymous");
}

static bool fill_entries(struct ingest_call *call, struct audit_record *record, struct err *err)
{
    const struct ingest_work *work = call->work;
    struct audit_entry *entries =
        arena_alloc_raw(call->arena, sizeof *entries * (work->op_count + 1));
    if (entries == NULL)
        return err_fail(err, ERR_TOO_LARGE, "", "the request needs too much memory");
    unsigned used = 0;
    for (unsigned i = 0; i < work->op_count; i++) {
        const struct ingest_op *op = &work->ops[i];
        if (op->action == NULL)
            continue;
        bool is_fault = op->answer.err.code != ERR_OK;
        entries[used++] = (struct audit_entry){
            .action = op->action,
            .type = op->route.type,
            .id = op->answer_id,
            .version = op->answer.version,
            .status = is_fault ? err_http_status(op->answer.err.code) : op->answer.status,
        };
    }
    record->entries = entries;
    record->entry_count = used;
    return true;
}

static int status_of(const struct ingest_work *work)
{
    if (work->refusal.code != ERR_OK)
        return reply_refusal_status(work, &work->refusal);
    if (work->is_bundle || work->op_count == 0)
        return 200;
    const struct ingest_op *op = work->ops;
    return op->answer.err.code != ERR_OK ? err_http_status(op->answer.err.code) : op->answer.status;
}

bool record_call(struct ingest_call *call, struct store_tx *tx, struct slice detail,
                 struct slice patient, struct err *err)
{
    struct ingest_work *work = call->work;
    bool is_security = work->refusal.code == ERR_LOGIN || work->refusal.code == ERR_FORBIDDEN;
    struct audit_record record = {
        .kind = is_security ? AUDIT_SECURITY : AUDIT_REQUEST,
        .time_ms = call->now_ms,
        .monotonic_ns = call->now_ns,
        .tenant = work->tenant != NULL ? work->tenant->tenant.name : SLICE(""),
        .actor = actor_of(&call->caller),
        .address = call->address,
        .request_id = work->request_id,
        .method = slice_of(http_verb_name(call->request->verb)),
        .path = call->request->path,
        .status = status_of(work),
        .patient = patient,
        .request_digest = work->request_digest,
        .detail = detail,
    };
    record.outcome = outcome_of(record.status);
    if (work->refusal.code != ERR_OK) {
        record.response_digest = sha256_of_one(call->reply->body);
    } else {
        if (work->has_body_digest)
            record.response_digest = work->body_digest;
        if (!fill_entries(call, &record, err))
            return false;
    }
    return ledger_append(tx, &record, err);
}
