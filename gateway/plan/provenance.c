#include "plan/plan_int.h"

#define OPERATION "http://terminology.hl7.org/CodeSystem/v3-DataOperation"

static void write_source(struct body *body, struct slice reference, const struct event *event)
{
    json_object(&body->json);
    json_put_text(&body->json, "role", "source");
    json_key(&body->json, "what");
    if (event != NULL) {
        body_reference(body, event, true);
    } else {
        json_object(&body->json);
        json_put(&body->json, "reference", reference);
        json_object_end(&body->json);
    }
    json_object_end(&body->json);
}

/* No part of the meaning: a Provenance is sent when what it speaks of is sent, not whenever one of
 * its sources has a new version.  While it holds, the exact versions it rests on.  When it has
 * ended, what is remembered: all of it, or, when it was an error, the resources withdrawn. */
static void write_sources(struct body *body, const struct subject *subject)
{
    struct slice ids = subject->before != NULL ? subject->before->evidence_ids : SLICE("");
    bool holds = subject->wish == WISH_HOLD;
    if (holds ? subject->evidence_count == 0 : ids.len == 0)
        return;
    json_key(&body->json, "entity");
    json_array(&body->json);
    for (unsigned i = 0; holds && i < subject->evidence_count; i++)
        write_source(body, SLICE(""), subject->evidence[i]);
    while (!holds && ids.len > 0) {
        struct slice id = slice_take_until(&ids, ' ');
        if (subject->wish == WISH_INACTIVE || is_retracted(subject->input, id))
            write_source(body, id, NULL);
    }
    json_array_end(&body->json);
}

static void write_why(struct body *body, const struct subject *subject)
{
    char bytes[512];
    struct text why = TEXT(bytes);
    if (subject->wish == WISH_HOLD)
        text_add_slice(&why, SLICE("Line of therapy and salvage verdict derived from orders and "
                                   "conditions"));
    else
        words_end(subject, &why);
    json_key(&body->json, "reason");
    json_array(&body->json);
    json_object(&body->json);
    json_put(&body->json, "text", words_slice(&why));
    json_object_end(&body->json);
    json_array_end(&body->json);
}

static void write_activity(struct body *body, const struct subject *subject)
{
    static const struct {
        const char *system, *code, *display, *text;
    } activities[] = {
        [WISH_HOLD] = { "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle", "transform",
                        "Transform/Translate Record Lifecycle Event", "derive" },
        [WISH_INACTIVE] = { OPERATION, "UPDATE", "revise", "derive: no longer so" },
        [WISH_IN_ERROR] = { OPERATION, "NULLIFY", "nullify",
                            "derive: it rested on withdrawn data" },
    };
    json_key(&body->json, "activity");
    body_concept(body, activities[subject->wish].system, activities[subject->wish].code,
                 activities[subject->wish].display, activities[subject->wish].text);
}

static void write_agent(struct body *body, const struct subject *subject)
{
    json_key(&body->json, "agent");
    json_array(&body->json);
    json_object(&body->json);
    json_key(&body->json, "type");
    body_concept(body, "http://terminology.hl7.org/CodeSystem/provenance-participant-type",
                 "assembler", "Assembler", NULL);
    json_key(&body->json, "who");
    body_device(body, subject);
    json_object_end(&body->json);
    json_array_end(&body->json);
}

void provenance_write(struct body *body, const struct subject *subject, enum posting_kind target)
{
    char hex[SHA256_HEX_SIZE], bytes[SHA256_HEX_SIZE + 16];
    struct text policy = TEXT(bytes);
    const char *token = target == POSTING_FLAG ? PLAN_TOKEN_FLAG : PLAN_TOKEN_CARE_PLAN;
    body_open(body, subject, "Provenance");
    json_key(&body->json, "target");
    json_array(&body->json);
    json_object(&body->json);
    json_put_text(&body->json, "reference", token);
    json_object_end(&body->json);
    json_array_end(&body->json);
    json_put_text(&body->json, "recorded", PLAN_TOKEN_RECORDED);
    text_add_slice(&policy, SLICE("urn:sha256:"));
    text_add_slice(&policy, slice_of(sha256_hex(subject->input->rule_set, hex)));
    json_key(&body->json, "policy");
    json_array(&body->json);
    json_string(&body->json, text_slice(&policy));
    json_array_end(&body->json);
    write_why(body, subject);
    write_activity(body, subject);
    write_agent(body, subject);
    write_sources(body, subject);
    json_object_end(&body->json);
}
