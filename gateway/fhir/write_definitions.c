/* What our own operations take and give, for clients that look before they ask. */
#include "base/json.h"
#include "base/text.h"
#include "fhir/route_table.h"
#include "fhir/write.h"

static void write_parameter(struct json_writer *writer, const char *name, const char *use,
                            const char *type, const char *documentation)
{
    json_object(writer);
    json_put_text(writer, "name", name);
    json_put_text(writer, "use", use);
    json_put_integer(writer, "min", strcmp(use, "out") == 0);
    json_put_text(writer, "max", "1");
    json_put_text(writer, "documentation", documentation);
    json_put_text(writer, "type", type);
    json_object_end(writer);
}

bool fhir_write_operation_definition(struct slice name, struct slice base_url, struct buffer *out)
{
    char address[600];
    struct text url = TEXT(address);
    struct json_writer writer;
    if (!slice_is(name, &FHIR_LINES_OF_THERAPY[1]))
        return false;
    text_add(&url, "%.*s/OperationDefinition/%s", SLICE_ARGS(base_url), &FHIR_LINES_OF_THERAPY[1]);
    json_writer_init(&writer, out, false);
    json_object(&writer);
    json_put_text(&writer, "resourceType", "OperationDefinition");
    json_put(&writer, "id", name);
    json_put(&writer, "url", text_slice(&url));
    json_put_text(&writer, "name", "LinesOfTherapy");
    json_put_text(&writer, "title", "Lines of therapy of a patient");
    json_put_text(&writer, "status", "active");
    json_put_text(&writer, "kind", "operation");
    json_put_text(&writer, "description",
                  "The lines of therapy that follow from what is stored of the patient, with the "
                  "verdict, its grade and its evidence for each disease. Nothing is stored by it.");
    json_put_bool(&writer, "affectsState", false);
    json_put(&writer, "code", name);
    json_key(&writer, "resource");
    json_array(&writer);
    json_text(&writer, "Patient");
    json_array_end(&writer);
    json_put_bool(&writer, "system", false);
    json_put_bool(&writer, "type", false);
    json_put_bool(&writer, "instance", true);
    json_key(&writer, "parameter");
    json_array(&writer);
    write_parameter(&writer, "asOf", "in", "date", "The day to look from; today without it.");
    write_parameter(
        &writer, "lines", "out", "string",
        "Diseases, lines, verdicts and evidence as JSON, as `lifeline lines` writes it.");
    write_parameter(&writer, "timeline", "out", "string", "The same for people.");
    json_array_end(&writer);
    json_object_end(&writer);
    return true;
}
