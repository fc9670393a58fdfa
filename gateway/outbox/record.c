/* outbox/record.c -- what the audit log says about one exchange in which we are the client.
 *
 * Paths without values, bodies as digests, the patient by the reference that our own log knows: who
 * may read the log learns that something was sent about whom, not what it said.
 */
#include "base/json.h"
#include "outbox/outbox_int.h"

#define DETAIL_MAX ((size_t)1024)

static const char *outcome_of(const struct delivery_answer *answer)
{
    if (answer->transport != TRANSPORT_ANSWERED)
        return "major";
    if (answer->status >= 500)
        return "serious";
    return answer->status >= 400 ? "minor" : "success";
}

static struct slice detail_of(struct run *run, const struct delivery_answer *answer)
{
    const struct delivery *delivery = &run->delivery;
    struct buffer buffer;
    struct json_writer writer;
    buffer_init(&buffer, DETAIL_MAX);
    json_writer_init(&writer, &buffer, false);
    json_object(&writer);
    json_put_text(&writer, "destination", run->destination->settings.name);
    json_put_text(&writer, "kind", posting_kind_name(delivery->row.kind));
    json_put_integer(&writer, "attempt", (int64_t)delivery->row.attempts);
    json_put_text(&writer, "class", retry_class_name(delivery->class));
    json_put_integer(&writer, "revision", (int64_t)delivery->row.revision);
    if (answer->transport != TRANSPORT_ANSWERED)
        json_put_text(&writer, "transport", transport_error_name(answer->transport));
    if (delivery->issue[0] != '\0')
        json_put_text(&writer, "issue", delivery->issue);
    if (delivery->is_checking)
        json_put_text(&writer, "drift", delivery_drift_name(delivery->drift));
    if (delivery->duplicates > 0)
        json_put_integer(&writer, "duplicates", (int64_t)delivery->duplicates);
    json_object_end(&writer);
    struct slice detail = arena_copy(&run->arena, buffer_slice(&buffer));
    buffer_fini(&buffer);
    return detail;
}

static struct sha256 digest_of(struct slice body)
{
    return body.len > 0 ? sha256_of_one(body) : (struct sha256){ { 0 } };
}

void record_exchange(struct run *run, const struct delivery_answer *answer)
{
    const struct destination_settings *settings = &run->destination->settings;
    const struct outbox_row *row = &run->delivery.row;
    bool is_about_patient = run->request.is_about_patient;
    bool is_answered = answer->transport == TRANSPORT_ANSWERED;
    run->entry = (struct audit_entry){
        .action = run->request.action,
        .type = posting_type(row->kind),
        .id = row->target_id,
        .version = answer_etag_version(row->target_etag),
        .status = answer->status,
    };
    run->record = (struct audit_record){
        .kind = AUDIT_DELIVERY,
        .time_ms = clock_wall_ms(),
        .monotonic_ns = clock_monotonic_ns(),
        .tenant = slice_of(settings->tenant),
        .actor = slice_of(settings->name),
        .address = slice_of(run->address),
        .request_id = slice_of(run->request_id),
        .method = slice_of(run->request.method),
        .path = run->request.audit_path,
        .status = answer->status,
        .outcome = outcome_of(answer),
        .entries = &run->entry,
        .entry_count = is_about_patient && row->target_id.len > 0 ? 1 : 0,
        .patient = is_about_patient ? row->patient_name : SLICE(""),
        .request_digest = digest_of(run->request.body),
        .response_digest = digest_of(is_answered ? answer->body : SLICE("")),
        .detail = detail_of(run, answer),
    };
    run->has_record = true;
}
