#include "plan/plan_int.h"

#define FLAG_DETAIL_URL "http://hl7.org/fhir/StructureDefinition/flag-detail"

static const char *const statuses[] = {
    [WISH_HOLD] = "active", [WISH_INACTIVE] = "inactive", [WISH_IN_ERROR] = "entered-in-error"
};

/* The standard extension that points from a Flag to what it is about. */
static void write_details(struct body *body, const struct subject *subject)
{
    if (!subject->input->with_extensions || subject->evidence_count == 0)
        return;
    json_key(&body->json, "extension");
    json_array(&body->json);
    for (unsigned i = 0; i < subject->evidence_count; i++) {
        json_object(&body->json);
        json_put_text(&body->json, "url", FLAG_DETAIL_URL);
        json_key(&body->json, "valueReference");
        body_reference(body, subject->evidence[i], false);
        json_object_end(&body->json);
    }
    json_array_end(&body->json);
}

static void write_code(struct body *body, const struct subject *subject, struct slice text)
{
    json_key(&body->json, "code");
    json_object(&body->json);
    json_key(&body->json, "coding");
    json_array(&body->json);
    json_object(&body->json);
    body_instance(body, subject, "system", "/CodeSystem/salvage-therapy");
    json_put_text(&body->json, "code", "salvage-therapy");
    json_put_text(&body->json, "display", "Salvage therapy");
    json_object_end(&body->json);
    json_array_end(&body->json);
    json_put(&body->json, "text", text);
    json_object_end(&body->json);
}

void flag_write(struct body *body, const struct subject *subject, const char *identity,
                struct slice text)
{
    bool holds = subject->wish == WISH_HOLD;
    body_open(body, subject, "Flag");
    narrative_write(body, subject, text);
    if (holds)
        write_details(body, subject);
    body_identifier(body, subject, identity);
    json_put_text(&body->json, "status", statuses[subject->wish]);
    json_key(&body->json, "category");
    json_array(&body->json);
    body_concept(body, "http://terminology.hl7.org/CodeSystem/flag-category", "clinical",
                 "Clinical", NULL);
    json_array_end(&body->json);
    write_code(body, subject, text);
    body_subject(body, subject);
    if (holds) /* a Flag stays until the verdict falls, also when the line's orders have ended */
        body_period(body, subject->line->start, date_none());
    else
        body_period(body, subject->before->start, subject->end);
    json_key(&body->json, "author");
    body_device(body, subject);
    json_object_end(&body->json);
}
