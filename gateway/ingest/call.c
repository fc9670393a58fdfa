/* ingest/call.c -- the life of a call.
 *
 *   ingest_handle -> prepare (loop) -> lane: run, record -> commit -> done (loop) -> reply
 *         |              |                  |
 *         |              |                  +-- a transaction fails: everything it wrote is undone,
 *         |              |                      a second job records the refusal, then the reply
 *         |              +-- refused: a job that only records, then the reply
 *         +-- the queue is full: 503 at once; the only answer without a record, because a record
 *             would need the queue.
 */
#include "ingest/ingest_int.h"

static void finish(struct ingest_call *call)
{
    struct ingest *ingest = call->ingest;
    if (call->work->wrote_outbox && ingest->settings.on_outbox != NULL)
        ingest->settings.on_outbox(ingest->settings.ctx);
    call->finish(call);
}

static struct ingest_call *call_of(struct job *job)
{
    return CONTAINER_OF(job, struct ingest_call, job);
}

/* --- a refusal: recorded, then answered ---------------------------------------------------- */

static bool run_refusal(struct job *job, struct store_tx *tx, struct err *err)
{
    struct ingest_call *call = call_of(job);
    bool is_final = call->work->message != NULL && call->reply->status < 500;
    return (!is_final || message_settle_refusal(call, tx, err)) &&
           record_call(call, tx, SLICE(""), SLICE(""), err);
}

static void done_refusal(struct job *job, const struct err *err)
{
    struct ingest_call *call = call_of(job);
    if (err->code != ERR_OK) /* what cannot be recorded is not answered as if it had been */
        reply_refuse(call, err);
    finish(call);
}

static void refuse(struct ingest_call *call, const struct err *why)
{
    struct err err;
    call->work->refusal = *why;
    reply_refuse(call, why);
    call->job = (struct job){ .run = run_refusal, .done = done_refusal };
    if (lane_submit(call->ingest->settings.lane, call->loop, &call->job, &err))
        return;
    reply_refuse(call, &err);
    finish(call);
}

/* --- on the lane --------------------------------------------------------------------------- */

static bool is_write(enum fhir_interaction interaction)
{
    return interaction == FHIR_DO_CREATE || interaction == FHIR_DO_UPDATE ||
           interaction == FHIR_DO_CONDITIONAL_UPDATE || interaction == FHIR_DO_DELETE ||
           interaction == FHIR_DO_CONDITIONAL_DELETE || interaction == FHIR_DO_PATCH;
}

static bool run_op(struct ingest_call *call, struct ingest_op *op, struct patient_set *set,
                   struct err *err)
{
    if (op->answer.err.code != ERR_OK)
        return true; /* found out on the loop; a batch goes on */
    if (is_write(op->route.interaction))
        return op_write(call, op, set, err);
    switch (op->route.interaction) {
    case FHIR_DO_SEARCH:
        return op_search(call, op, set, err);
    case FHIR_DO_OPERATION:
        if (slice_is(op->route.operation, FHIR_EVERYTHING))
            return op_everything(call, op, set, err);
        if (slice_is(op->route.operation, FHIR_VALIDATE))
            return op_validate(call, op, set->tx, err);
        return op_lines(call, op, set->tx, err);
    case FHIR_DO_HISTORY_TYPE:
    case FHIR_DO_HISTORY_SYSTEM:
        return op_changes(call, op, set->tx, err);
    case FHIR_DO_HISTORY:
        return op_history(call, op, set->tx, err);
    case FHIR_DO_READ:
    case FHIR_DO_VREAD:
    case FHIR_DO_CAPABILITIES:
    case FHIR_DO_OPTIONS:
    case FHIR_DO_BUNDLE:
    case FHIR_DO_CREATE:
    case FHIR_DO_UPDATE:
    case FHIR_DO_PATCH:
    case FHIR_DO_CONDITIONAL_UPDATE:
    case FHIR_DO_DELETE:
    case FHIR_DO_CONDITIONAL_DELETE:
        break;
    }
    return op_read(call, op, set->tx, err);
}

/* All operations, then the patients that they touched. */
static bool run_ops(struct ingest_call *call, struct patient_set *set, struct err *err)
{
    struct ingest_work *work = call->work;
    if (work->is_deferred && !bundle_resolve(call, set, err))
        return false;
    for (unsigned i = 0; i < work->op_count; i++) {
        if (!run_op(call, &work->ops[i], set, err))
            return false;
        if (work->is_transaction && work->ops[i].answer.err.code != ERR_OK)
            return op_fail_bundle(&work->ops[i], err);
    }
    return patient_set_save(set, err) && reply_prepare_body(call, err);
}

static bool run_message(struct ingest_call *call, struct patient_set *set, struct err *err)
{
    bool is_answered;
    return message_recall(call, set->tx, &is_answered, err) &&
           (is_answered || (run_ops(call, set, err) && message_keep(call, set->tx, err)));
}

static bool run_call(struct job *job, struct store_tx *tx, struct err *err)
{
    struct ingest_call *call = call_of(job);
    struct ingest_work *work = call->work;
    struct ingest *ingest = call->ingest;
    arena_reset(&ingest->lane_arena);
    buffer_reset(&ingest->lane_record);
    struct patient_set set = { .ingest = ingest,
                               .tenant = work->tenant,
                               .tx = tx,
                               .arena = &ingest->lane_arena,
                               .now_ms = call->now_ms,
                               .detail = &ingest->lane_record };
    if (!patient_set_init(&set, work->op_count, err))
        return false;
    bool is_done = work->cds != NULL ? cds_run(call, &set, err) && reply_prepare_body(call, err)
                   : work->message != NULL ? run_message(call, &set, err)
                                           : run_ops(call, &set, err);
    work->wrote_outbox = set.wrote_outbox;
    struct slice patient = set.count == 1 ? set.first->name : SLICE("");
    struct slice detail = buffer_slice(&ingest->lane_record);
    if (work->is_lines)
        detail = lines_detail(call, detail);
    return is_done && record_call(call, tx, detail, patient, err);
}

static void done_call(struct job *job, const struct err *err)
{
    struct ingest_call *call = call_of(job);
    if (err->code != ERR_OK) {
        struct err why = *err;
        call->work->wrote_outbox = false;
        refuse(call, &why);
        return;
    }
    reply_build(call);
    finish(call);
}

/* --- entry --------------------------------------------------------------------------------- */

void ingest_handle(struct ingest *ingest, struct ingest_call *call)
{
    struct err err;
    call->ingest = ingest;
    call->work = ARENA_NEW(call->arena, struct ingest_work);
    CHECK(call->work != NULL); /* the arena of a fresh request holds more than this */
    call->work->as_of = date_of_ms(call->now_ms);
    if (!request_prepare(call, &err)) {
        refuse(call, &err);
        return;
    }
    call->job = (struct job){ .run = run_call, .done = done_call };
    if (lane_submit(ingest->settings.lane, call->loop, &call->job, &err))
        return;
    reply_refuse(call, &err);
    finish(call);
}
