#include "plan/plan_int.h"

#define BODY_MAX ((size_t)256 * 1024)
#define BODY_USUAL ((size_t)8 * 1024)

void body_init(struct body *body)
{
    buffer_init(&body->out, BODY_MAX);
    buffer_init(&body->scratch, BODY_MAX);
    buffer_init(&body->note, BODY_MAX);
}

void body_fini(struct body *body)
{
    buffer_fini(&body->out);
    buffer_fini(&body->scratch);
    buffer_fini(&body->note);
}

void body_start(struct body *body)
{
    buffer_reset(&body->out);
    CHECK(buffer_room(&body->out, BODY_USUAL) != NULL); /* at once, not doubling from little */
    json_writer_init(&body->json, &body->out, false);
}

void body_instance(struct body *body, const struct subject *subject, const char *key,
                   const char *tail)
{
    char uri[512];
    struct text text = TEXT(uri);
    struct slice instance = subject->input->instance;
    while (instance.len > 0 && instance.at[instance.len - 1] == '/')
        instance.len--;
    text_add_slice(&text, instance);
    text_add_slice(&text, slice_of(tail));
    json_put(&body->json, key, text_slice(&text));
}

void body_open(struct body *body, const struct subject *subject, const char *type)
{
    char hex[SHA256_HEX_SIZE];
    json_object(&body->json);
    json_put_text(&body->json, "resourceType", type);
    json_key(&body->json, "meta");
    json_object(&body->json);
    json_put(&body->json, "source", subject->input->instance);
    json_key(&body->json, "tag");
    json_array(&body->json);
    json_object(&body->json);
    body_instance(body, subject, "system", "/CodeSystem/rule-set");
    json_put_text(&body->json, "code", sha256_hex(subject->input->rule_set, hex));
    json_object_end(&body->json);
    json_array_end(&body->json);
    json_object_end(&body->json);
}

void body_coding(struct body *body, const char *system, const char *code, const char *display)
{
    json_object(&body->json);
    json_put_text(&body->json, "system", system);
    json_put_text(&body->json, "code", code);
    json_put_text(&body->json, "display", display);
    json_object_end(&body->json);
}

void body_concept(struct body *body, const char *system, const char *code, const char *display,
                  const char *text)
{
    json_object(&body->json);
    json_key(&body->json, "coding");
    json_array(&body->json);
    body_coding(body, system, code, display);
    json_array_end(&body->json);
    if (text != NULL)
        json_put_text(&body->json, "text", text);
    json_object_end(&body->json);
}

void body_device(struct body *body, const struct subject *subject)
{
    json_object(&body->json);
    json_put(&body->json, "display", subject->input->device);
    json_object_end(&body->json);
}

void body_identifier(struct body *body, const struct subject *subject, const char *identity)
{
    json_key(&body->json, "identifier");
    json_array(&body->json);
    json_object(&body->json);
    json_put(&body->json, "system", subject->input->instance);
    json_put_text(&body->json, "value", identity);
    json_object_end(&body->json);
    json_array_end(&body->json);
}

void body_subject(struct body *body, const struct subject *subject)
{
    json_key(&body->json, "subject");
    json_object(&body->json);
    json_put(&body->json, "reference", subject->input->patient);
    json_object_end(&body->json);
}

void body_reference(struct body *body, const struct event *event, bool is_versioned)
{
    char reference[EVENT_REFERENCE_SIZE];
    struct text text = TEXT(reference);
    text_add_slice(&text, slice_of(fhir_type_name(event->type)));
    text_add_slice(&text, SLICE("/"));
    text_add_slice(&text, event->id);
    if (is_versioned && event->version > 0) {
        text_add_slice(&text, SLICE("/_history/"));
        text_add_number(&text, event->version);
    }
    json_object(&body->json);
    json_put(&body->json, "reference", text_slice(&text));
    json_object_end(&body->json);
}

void body_period(struct body *body, struct date start, struct date end)
{
    char day[DATE_TEXT_SIZE];
    if (date_is_none(start))
        return;
    json_key(&body->json, "period");
    json_object(&body->json);
    json_put_text(&body->json, "start", date_format(start, day));
    if (!date_is_none(end))
        json_put_text(&body->json, "end", date_format(end, day));
    json_object_end(&body->json);
}
