#include "support/therapy/ndjson.h"

#include <stdio.h>
#include <stdlib.h>

#define NAME_SIZE 48

enum template { PATIENT, CONDITION, ORDER_SHORT, ORDER_MIDDLE, ORDER_LONG, TEMPLATE_COUNT };

static const char *const template_names[] = {
    [PATIENT] = "patient",           [CONDITION] = "condition",   [ORDER_SHORT] = "order_short",
    [ORDER_MIDDLE] = "order_middle", [ORDER_LONG] = "order_long",
};

static struct {
    struct slice templates[TEMPLATE_COUNT], drugs; /* drugs: mappings/drugs.tsv */
} files;

static void load_files(void)
{
    static struct arena arena; /* for as long as the program runs */
    if (files.drugs.len > 0)
        return;
    arena_init(&arena, (size_t)16 << 20);
    for (size_t i = 0; i < TEMPLATE_COUNT; i++) {
        char path[128];
        snprintf(path, sizeof path, "tests/bench/ndjson/%s.json", template_names[i]);
        CHECK(story_file(path, &arena, &files.templates[i]));
    }
    CHECK(story_file("mappings/drugs.tsv", &arena, &files.drugs));
}

/* Column 6 of the drug's row; "0", which no table knows, where the drug has no code of its own. */
static struct slice rxcui_of(struct slice drug)
{
    for (struct slice rest = files.drugs; rest.len > 0;) {
        struct slice row = slice_take_until(&rest, '\n'), cell = slice_take_until(&row, '\t');
        if (!slice_eq(cell, drug))
            continue;
        for (unsigned i = 0; i < 5; i++)
            cell = slice_take_until(&row, '\t');
        return slice_is(cell, "-") ? SLICE("0") : cell;
    }
    return SLICE("0");
}

/* What stands for "${name}" in a template. */
struct value {
    const char *name;
    struct slice text;
};

static void fill(struct slice template, const struct value *values, size_t count,
                 struct buffer *out)
{
    while (template.len > 0) {
        buffer_add(out, slice_take_until(&template, '$'));
        if (template.len == 0)
            break;
        template = slice_skip(template, 1);
        struct slice name = slice_take_until(&template, '}');
        size_t i = 0;
        while (i < count && !slice_is(name, values[i].name))
            i++;
        CHECK(i < count);
        buffer_add(out, values[i].text);
    }
}

static struct slice day_text(struct date_span span, char *text)
{
    bool is_absent = span.precision == DATE_ABSENT;
    return slice_of(date_format(is_absent ? story_day("2018-01-01") : span.last, text));
}

static void write_condition(const struct event *event, struct slice id, struct slice patient,
                            struct buffer *out)
{
    char start[DATE_TEXT_SIZE];
    bool is_relapse = event->clinical_status == CLINICAL_RELAPSE;
    const struct value values[] = {
        { "id", id },
        { "patient", patient },
        { "status", is_relapse ? SLICE("relapse") : SLICE("active") },
        { "code", event->code.codings[0].code },
        { "start", day_text(event->onset, start) },
    };
    fill(files.templates[CONDITION], values, COUNT_OF(values), out);
}

static void write_order(const struct event *event, enum template size, struct slice id,
                        struct slice patient, struct buffer *out)
{
    char start[DATE_TEXT_SIZE], end[DATE_TEXT_SIZE];
    bool is_open = event->status == STATUS_ACTIVE;
    const struct value values[] = {
        { "id", id },
        { "patient", patient },
        { "status", is_open ? SLICE("active") : SLICE("completed") },
        { "drug", event->medication.text },
        { "rxcui", rxcui_of(event->medication.text) },
        { "start", day_text(event->bounds_start, start) },
        { "end", day_text(event->bounds_end, end) },
    };
    fill(files.templates[size], values, COUNT_OF(values), out);
}

void ndjson_write(const struct story *story, unsigned number, struct buffer *out)
{
    char name[NAME_SIZE], id[NAME_SIZE];
    load_files();
    snprintf(name, sizeof name, "p%u", number);
    const struct value patient[] = { { "patient", slice_of(name) } };
    fill(files.templates[PATIENT], patient, 1, out);
    for (size_t i = 0; i < story->count; i++) {
        const struct event *event = &story->events[i];
        snprintf(id, sizeof id, "p%u-%.*s", number, SLICE_ARGS(event->id));
        if (event->type == FHIR_CONDITION)
            write_condition(event, slice_of(id), slice_of(name), out);
        else if (event->type == FHIR_MEDICATION_REQUEST)
            write_order(event, (enum template)(ORDER_SHORT + i % 3), slice_of(id), slice_of(name),
                        out);
    }
}
