#include <stdio.h>

#include "base/date.h"
#include "base/json.h"
#include "base/text.h"
#include "fhir/route_table.h"
#include "fhir/search.h"
#include "fhir/write.h"

/* /metadata, from the table that requests are routed by: what is declared is what is done. */

static void write_texts(struct json_writer *writer, const char *key, const char *const *texts,
                        size_t count)
{
    json_key(writer, key);
    json_array(writer);
    for (size_t i = 0; i < count; i++)
        json_text(writer, texts[i]);
    json_array_end(writer);
}

static void write_code(struct json_writer *writer, const char *code)
{
    json_object(writer);
    json_put_text(writer, "code", code);
    json_object_end(writer);
}

static void write_interactions(struct json_writer *writer, const struct fhir_offer *offer)
{
    static const enum fhir_interaction listed[] = {
        FHIR_DO_READ,   FHIR_DO_VREAD, FHIR_DO_HISTORY, FHIR_DO_HISTORY_TYPE, FHIR_DO_CREATE,
        FHIR_DO_UPDATE, FHIR_DO_PATCH, FHIR_DO_DELETE,  FHIR_DO_SEARCH
    };
    json_key(writer, "interaction");
    json_array(writer);
    for (size_t i = 0; i < COUNT_OF(listed); i++)
        if ((offer->interactions & UINT32_C(1) << listed[i]) != 0)
            write_code(writer, fhir_interaction_code(listed[i]));
    json_array_end(writer);
}

static void write_searches(struct json_writer *writer, const struct fhir_offer *offer)
{
    if ((offer->interactions & DOES(SEARCH)) == 0)
        return;
    if (offer->type == FHIR_MEDICATION_REQUEST) {
        static const char *const includes[] = { "MedicationRequest:medication" };
        write_texts(writer, "searchInclude", includes, COUNT_OF(includes));
    }
    json_key(writer, "searchParam");
    json_array(writer);
    for (const struct fhir_search_row *row = NULL;
         (row = fhir_search_next(offer->type, row)) != NULL;) {
        json_object(writer);
        json_put_text(writer, "name", row->name);
        json_put_text(writer, "type", fhir_search_kind_name(row->kind));
        json_object_end(writer);
    }
    json_array_end(writer);
}

static void write_operations(struct json_writer *writer, const struct fhir_offer *offer,
                             struct slice base_url)
{
    bool is_first = true;
    for (unsigned i = 0; i < fhir_operation_count; i++) {
        const struct fhir_operation *row = &fhir_operations[i];
        const char *name = row->name + 1; /* behind the '$' */
        char url[512];
        if ((row->types >> offer->type & 1) == 0)
            continue;
        if (is_first) {
            json_key(writer, "operation");
            json_array(writer);
        }
        is_first = false;
        snprintf(url, sizeof url, "%.*s/OperationDefinition/%s", SLICE_ARGS(base_url), name);
        json_object(writer);
        json_put_text(writer, "name", name);
        json_put_text(writer, "definition", row->definition != NULL ? row->definition : url);
        json_put_text(writer, "documentation", row->documentation);
        json_object_end(writer);
    }
    if (!is_first)
        json_array_end(writer);
}

static void write_resource(struct json_writer *writer, const struct fhir_offer *offer,
                           const struct fhir_capability_settings *settings)
{
    bool can_update = (offer->interactions & DOES(UPDATE)) != 0;
    bool is_conditional = (offer->interactions & DOES(CONDITIONAL_UPDATE)) != 0;
    json_object(writer);
    json_put_text(writer, "type", fhir_type_name(offer->type));
    json_put_text(writer, "documentation", offer->documentation);
    write_interactions(writer, offer);
    bool has_versions = (offer->interactions & DOES(VREAD)) != 0;
    json_put_text(writer, "versioning", has_versions ? "versioned" : "no-version");
    json_put_bool(writer, "readHistory", (offer->interactions & DOES(HISTORY)) != 0);
    json_put_bool(writer, "updateCreate", can_update && settings->update_creates);
    json_put_bool(writer, "conditionalCreate", is_conditional);
    json_put_text(writer, "conditionalRead", has_versions ? "full-support" : "not-supported");
    json_put_bool(writer, "conditionalUpdate", is_conditional);
    json_put_text(writer, "conditionalDelete", is_conditional ? "single" : "not-supported");
    write_searches(writer, offer);
    write_operations(writer, offer, settings->base_url);
    json_object_end(writer);
}

static void write_security(struct json_writer *writer, const char *security)
{
    if (security == NULL)
        return;
    json_key(writer, "security");
    json_object(writer);
    json_put_bool(writer, "cors", false);
    if (strstr(security, "certificate") != NULL) {
        json_key(writer, "service");
        json_array(writer);
        json_object(writer);
        json_key(writer, "coding");
        json_array(writer);
        json_object(writer);
        json_put_text(writer, "system",
                      "http://terminology.hl7.org/CodeSystem/restful-security-service");
        json_put_text(writer, "code", "Certificates");
        json_object_end(writer);
        json_array_end(writer);
        json_object_end(writer);
        json_array_end(writer);
    }
    json_put_text(writer, "description", security);
    json_object_end(writer);
}

/* The cache of messages is the store, so minutes are a promise of the least. */
#define RELIABLE_CACHE_MINUTES (30 * 24 * 60)

static void write_messaging(struct json_writer *writer, struct slice base_url)
{
    char address[600];
    struct text text = TEXT(address);
    text_add(&text, "%.*s/" FHIR_PROCESS_MESSAGE, SLICE_ARGS(base_url));
    json_key(writer, "messaging");
    json_array(writer);
    json_object(writer);
    json_key(writer, "endpoint");
    json_array(writer);
    json_object(writer);
    json_key(writer, "protocol");
    json_object(writer);
    json_put_text(writer, "system", "http://terminology.hl7.org/CodeSystem/message-transport");
    json_put_text(writer, "code", "http");
    json_object_end(writer);
    json_put(writer, "address", text_slice(&text));
    json_object_end(writer);
    json_array_end(writer);
    json_put_integer(writer, "reliableCache", RELIABLE_CACHE_MINUTES);
    json_put_text(writer, "documentation",
                  "Synchronous; a message is taken as a whole. Which events are taken is agreed "
                  "with each sender.");
    json_object_end(writer);
    json_array_end(writer);
}

static void write_rest(struct json_writer *writer, const struct fhir_capability_settings *settings)
{
    json_key(writer, "rest");
    json_array(writer);
    json_object(writer);
    json_put_text(writer, "mode", "server");
    json_put_text(writer, "documentation",
                  "References by urn:uuid inside a transaction are resolved. Resources with "
                  "modifierExtension or implicitRules are refused.");
    write_security(writer, settings->security);
    json_key(writer, "resource");
    json_array(writer);
    for (unsigned i = 0; i < fhir_offer_count; i++)
        write_resource(writer, &fhir_offers[i], settings);
    json_array_end(writer);
    json_key(writer, "interaction");
    json_array(writer);
    write_code(writer, "transaction");
    write_code(writer, "batch");
    write_code(writer, "history-system");
    json_array_end(writer);
    json_key(writer, "operation");
    json_array(writer);
    json_object(writer);
    json_put_text(writer, "name", &FHIR_PROCESS_MESSAGE[1]);
    json_put_text(writer, "definition",
                  "http://hl7.org/fhir/OperationDefinition/MessageHeader-process-message");
    json_object_end(writer);
    json_array_end(writer);
    json_object_end(writer);
    json_array_end(writer);
}

void fhir_write_capability(const struct fhir_capability_settings *settings, struct buffer *out)
{
    static const char *const formats[] = { "application/fhir+json", "json" };
    static const char *const patch_formats[] = { "application/json-patch+json" };
    char date[INSTANT_TEXT_SIZE];
    struct json_writer writer;
    json_writer_init(&writer, out, false);
    json_object(&writer);
    json_put_text(&writer, "resourceType", "CapabilityStatement");
    json_put_text(&writer, "status", "active");
    json_put_text(&writer, "date", instant_format(settings->date_ms, date));
    json_put_text(&writer, "kind", "instance");
    json_key(&writer, "software");
    json_object(&writer);
    json_put_text(&writer, "name", "Lifeline");
    json_put_text(&writer, "version", settings->version);
    json_object_end(&writer);
    json_key(&writer, "implementation");
    json_object(&writer);
    json_put_text(&writer, "description", "Lines of therapy from ordered medication");
    json_put(&writer, "url", settings->base_url);
    json_object_end(&writer);
    json_put_text(&writer, "fhirVersion", "4.0.1");
    write_texts(&writer, "format", formats, COUNT_OF(formats));
    write_texts(&writer, "patchFormat", patch_formats, COUNT_OF(patch_formats));
    write_rest(&writer, settings);
    write_messaging(&writer, settings->base_url);
    json_object_end(&writer);
}
