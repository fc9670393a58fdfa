/* What reports write of names, numbers and words that came from outside, byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/text.h"
#include "support/therapy_fixture.h"
#include "therapy/drawing.h"
#include "therapy/markup.h"
#include "therapy/report.h"

static struct fixture fixture;

static void says(struct buffer *out, const char *wanted)
{
    buffer_add_char(out, '\0');
    assert_string_equal(out->at, wanted);
    buffer_reset(out);
}

static void contains(struct buffer *out, const char *wanted)
{
    buffer_add_char(out, '\0');
    if (strstr(out->at, wanted) == NULL)
        fail_msg("'%s' is missing in\n%s", wanted, out->at);
    buffer_reset(out);
}

static const struct text_case {
    const char *name, *text, *says;
} texts[] = {
    { "letters of markup become entities", "<a href=\"x\">&'",
      "&lt;a href=&quot;x&quot;&gt;&amp;"
      "&#39;" },
    { "line ends and tabs become spaces", "a\tb\nc\rd", "a b c d" },
    { "controls become U+FFFD", "a\x01\x7f", "a\xef\xbf\xbd\xef\xbf\xbd" },
    { "characters of other scripts stay", "\xe2\x82\xac \xc3\xa9", "\xe2\x82\xac \xc3\xa9" },
    { "each byte that is not UTF-8 becomes U+FFFD", "a\xed\xa0z", "a\xef\xbf\xbd\xef\xbf\xbdz" },
};

static void the_text_is_written_as(void **state)
{
    const struct text_case *row = *state;
    struct buffer out;
    buffer_init(&out, 1 << 12);
    markup_text(&out, slice_of(row->text));
    says(&out, row->says);
    buffer_fini(&out);
}

static void cut_texts_count_characters(void **state)
{
    (void)state;
    struct buffer out;
    buffer_init(&out, 1 << 12);
    assert_int_equal(markup_length(SLICE("\xe2\x82\xac\xed\xa0")), 3);
    assert_int_equal(markup_cut(&out, SLICE("\xe2\x82\xac\xe2\x82\xac\xed"), 3), 3);
    says(&out, "\xe2\x82\xac\xe2\x82\xac\xef\xbf\xbd");
    assert_int_equal(markup_cut(&out,
                                SLICE("\xe2\x82\xac\xe2\x82\xac"
                                      "abc"),
                                3),
                     3);
    says(&out, "\xe2\x82\xac\xe2\x82\xac\xe2\x80\xa6");
    buffer_fini(&out);
}

static void operands_and_reasons_are_words(void **state)
{
    (void)state;
    struct buffer out;
    buffer_init(&out, 1 << 12);
    markup_operand(&out, &(struct operand){ "gapDays", 61 });
    says(&out, "gap 61 days");
    markup_operand(&out, &(struct operand){ "gapDays", 1 });
    says(&out, "gap 1 day");
    markup_operand(&out, &(struct operand){ "line", 2 });
    says(&out, "line 2");
    markup_operand(&out, &(struct operand){ "hcv2Copies", 7 });
    says(&out, "hcv2 copies 7");
    markup_reason(&out, "NEW_AGENT_OF_LINE_2_AFTER_ART");
    says(&out, "new agent of line 2 after ART");
    markup_basis(&out, SLICE("any_line>=2"));
    says(&out, "any line from the second on");
    markup_basis(&out, SLICE("some_day>=3"));
    says(&out, "some_day&gt;=3");
    buffer_fini(&out);
}

/* --- reports ------------------------------------------------------------------------------------- */

static const struct sha256 digest = { { 0xab } };

static void a_csv_cell_is_quoted_where_it_must_be(void **state)
{
    (void)state;
    struct buffer out;
    buffer_init(&out, 1 << 16);
    fixture_init(&fixture, "2025-01-01");
    struct history *history = fixture_disease(&fixture, "dlbcl", "lymphoma");
    fixture_line(&fixture, history,
                 &(struct fixture_line){ "the \"7, 3\"", "cytarabine", "2024-01-01", NULL });
    struct report_head head = { SLICE("Patient/p1"), &digest };
    report_csv(&head, &fixture.therapy, &out);
    contains(&out, ",cytarabine,\"the \"\"7, 3\"\"\",");
    buffer_fini(&out);
}

static const struct cumulative whole[] = {
    { .exposure = { "doxorubicin", 11 }, .orders = 2, .counted = 2, .total_thousandths = 100000 },
};

static void a_sum_of_all_orders_is_exact(void **state)
{
    (void)state;
    struct buffer out;
    buffer_init(&out, 1 << 16);
    fixture_patient(&fixture, FIXTURE_HODGKIN);
    fixture.histories[0].rules = SLICE("lifeline");
    fixture.therapy.cumulative = whole;
    fixture.therapy.cumulative_count = 1;
    struct report_head head = { SLICE("Patient/p1"), &digest };
    report_text(&head, &fixture.therapy, false, &out);
    contains(&out, "  cumulative doxorubicin ordered: 100 mg/m2\n");
    report_html(&head, &fixture.therapy, &(struct report_section){ 1, false }, &out);
    contains(&out, "ordered:</strong> 100 mg/m\xc2\xb2</p>");
    buffer_fini(&out);
}

/* What no mapping knows is shown as it was sent, also with a coding of nobody's. */
static void loose_ends_are_shown_as_they_were_sent(void **state)
{
    (void)state;
    static const struct coding local = { .system = CODE_OTHER,
                                         .system_uri = { "urn:of:the:ward", 15 },
                                         .code = { "K<7", 3 } };
    struct event order = { .type = FHIR_MEDICATION_REQUEST,
                           .id = SLICE("m1"),
                           .is_conflicting = true };
    order.medication = (struct concept){ .text = SLICE("ward mix"), .count = 1 };
    order.medication.codings = &local;
    struct event done = { .type = FHIR_PROCEDURE, .id = SLICE("p1") };
    done.code.text = SLICE("acute dialysis");
    const struct event *events[] = { &order };
    const struct left_out left_out = { &done, (enum rule)0, SLICE("of an acute injury") };
    struct buffer out;
    buffer_init(&out, 1 << 16);
    fixture_patient(&fixture, FIXTURE_HODGKIN);
    fixture.histories[0].rules = SLICE("merck21");
    fixture.therapy.unmapped = fixture.therapy.conflicting = events;
    fixture.therapy.unmapped_count = fixture.therapy.conflicting_count = 1;
    fixture.therapy.left_out = &left_out;
    fixture.therapy.left_out_count = 1;
    struct report_head head = { SLICE("Patient/p1"), &digest };
    report_json(&head, &fixture.therapy, &out);
    contains(&out, "\"system\":\"urn:of:the:ward\",\"code\":\"K<7\"");
    for (unsigned i = 0; i < 2; i++) {
        report_html(&head, &fixture.therapy, &(struct report_section){ 1, false }, &out);
        contains(&out, i == 0 ? "ward mix <code>urn:of:the:ward|K&lt;7</code> "
                              : "<li>acute dialysis: of an acute injury ");
    }
    report_html(&head, &fixture.therapy, &(struct report_section){ 1, false }, &out);
    contains(&out, ". Rules of merck21</span>");
    buffer_fini(&out);
}

/* --- drawings ------------------------------------------------------------------------------------ */

#define DRUGS 80

static struct exposure exposures[DRUGS];
static struct drug drugs[DRUGS];
static struct event orders[DRUGS];

static void draw(struct buffer *out)
{
    struct report_head head = { SLICE("Patient/p1"), &digest };
    assert_true(report_svg(&head, &fixture.therapy, 1, out) > 0);
}

/* The drawing says how many it leaves out; the lines themselves are never left out. */
static void more_drugs_than_lanes_are_counted(void **state)
{
    (void)state;
    static char names[DRUGS][12];
    struct buffer out;
    buffer_init(&out, 1 << 20);
    fixture_patient(&fixture, FIXTURE_HODGKIN);
    fixture.diseases[0].disease.family = DISEASE_HEMATOLOGIC;
    for (unsigned i = 0; i < DRUGS; i++) {
        snprintf(names[i], sizeof names[i], "agent%02u", i);
        drugs[i] = (struct drug){ .name = slice_of(names[i]) };
        orders[i] = (struct event){ .type = FHIR_MEDICATION_REQUEST };
        exposures[i] = (struct exposure){ .drug = &drugs[i],
                                          .order = &orders[i],
                                          .start = fixture_date("2024-02-01"),
                                          .end = fixture_date("2024-02-08"),
                                          .diseases = 1 };
    }
    fixture.therapy.exposures = exposures;
    fixture.therapy.exposure_count = DRUGS;
    draw(&out);
    contains(&out, "8 more orders not drawn");
    buffer_fini(&out);
}

/* Viral loads as they were sent, and what says nothing is not drawn. */
static void viral_loads_are_drawn_as_they_were_sent(void **state)
{
    (void)state;
    static const struct quantity log = { .is_stated = true, .digits = 42, .scale = 1 },
                                 whole_log = { .is_stated = true, .digits = 40, .scale = 1 },
                                 copies = { .is_stated = true, .digits = 8700 };
    struct event loads[] = {
        { .observation = OBSERVATION_HIV_VIRAL_LOAD_LOG, .value = log },
        { .observation = OBSERVATION_HIV_VIRAL_LOAD_LOG, .value = whole_log },
        { .observation = OBSERVATION_HIV_VIRAL_LOAD, .value = copies },
        { .observation = OBSERVATION_HIV_VIRAL_LOAD, .finding = FINDING_NOT_DETECTED },
        { .observation = OBSERVATION_HIV_VIRAL_LOAD },                  /* no value */
        { .observation = OBSERVATION_HIV_VIRAL_LOAD, .value = copies }, /* no date */
    };
    static const char *const wanted[] = { "viral load log10 4.2 ", "viral load log10 4 ",
                                          "viral load 8700 ", "viral load not detected " };
    const struct event *list[COUNT_OF(loads)];
    struct buffer out;
    fixture_patient(&fixture, FIXTURE_HIV);
    fixture.diseases[0].disease.family = DISEASE_HIV;
    for (unsigned i = 0; i < COUNT_OF(loads); i++) {
        loads[i].type = FHIR_OBSERVATION;
        loads[i].status = STATUS_COMPLETED;
        if (i < 5)
            loads[i].effective =
                (struct date_span){ .precision = DATE_DAY,
                                    .first = date_add(fixture.histories[0].lines[0].start,
                                                      (int32_t)(40 * i)) };
        loads[i].effective.last = loads[i].effective.first;
        list[i] = &loads[i];
    }
    fixture.therapy.observations = list;
    fixture.therapy.observation_count = COUNT_OF(loads);
    buffer_init(&out, 1 << 20);
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        draw(&out);
        contains(&out, wanted[i]);
    }
    draw(&out);
    buffer_add_char(&out, '\0');
    unsigned count = 0;
    for (const char *at = out.at; (at = strstr(at, "viral load ")) != NULL; at++)
        count++;
    assert_int_equal(count % 4, 0); /* the four, wherever a mark is named */
    buffer_fini(&out);
}

static struct date_span day_of(const char *text)
{
    struct date day = fixture_date(text);
    return (struct date_span){ .precision = DATE_DAY, .first = day, .last = day };
}

static const struct about_case {
    const char *name;
    enum disease_family family;
    bool shows_radiotherapy, shows_transplant;
} abouts[] = {
    { "a cancer shows its radiotherapy", DISEASE_SOLID, true, false },
    { "a cancer of the blood shows its radiotherapy", DISEASE_HEMATOLOGIC, true, false },
    { "a cancer of unknown kind shows its radiotherapy", DISEASE_ANY_CANCER, true, false },
    { "failing kidneys show their transplants", DISEASE_RENAL, false, true },
    { "a transplanted kidney shows its transplant", DISEASE_TRANSPLANT, false, true },
    { "HIV shows no procedures", DISEASE_HIV, false, false },
};

/* Only what was done about the disease, and on a known day, stands in its drawing. */
static void the_procedures_drawn_are(void **state)
{
    const struct about_case *row = *state;
    struct event events[] = {
        { .procedure = PROCEDURE_RADIOTHERAPY, .effective = day_of("2024-06-01") },
        { .procedure = PROCEDURE_RADIOTHERAPY, .effective = day_of("2024-01-10") },
        { .procedure = PROCEDURE_KIDNEY_TRANSPLANT, .effective = day_of("2024-03-01") },
        { .procedure = PROCEDURE_DIALYSIS_ACCESS, .effective = day_of("2024-04-01") },
        { .procedure = PROCEDURE_CHEMOTHERAPY, .effective = day_of("2024-02-01") },
        { .procedure = PROCEDURE_SURGERY }, /* nobody says when */
        { .procedure = PROCEDURE_NONE, .effective = day_of("2024-02-01") },
    };
    const struct event *list[COUNT_OF(events)];
    struct buffer out;
    buffer_init(&out, 1 << 20);
    fixture_init(&fixture, "2025-01-01");
    struct history *history = fixture_disease(&fixture, "some", "some disease");
    fixture.diseases[0].disease.family = row->family;
    fixture_line(&fixture, history,
                 &(struct fixture_line){ "", "cytarabine", "2024-01-01", "2024-12-01" });
    for (unsigned i = 0; i < COUNT_OF(events); i++) {
        events[i].type = FHIR_PROCEDURE;
        events[i].status = STATUS_COMPLETED;
        list[i] = &events[i];
    }
    fixture.therapy.procedures = list;
    fixture.therapy.procedure_count = COUNT_OF(events);
    draw(&out);
    buffer_add_char(&out, '\0');
    assert_int_equal(strstr(out.at, "radiotherapy 2024-01-10") != NULL, row->shows_radiotherapy);
    assert_int_equal(strstr(out.at, "radiotherapy 2024-06-01") != NULL, row->shows_radiotherapy);
    assert_int_equal(strstr(out.at, "kidney transplant 2024-03-01") != NULL, row->shows_transplant);
    assert_null(strstr(out.at, "surgery"));
    assert_null(strstr(out.at, "2024-02-01"));
    buffer_fini(&out);
}

static void more_marks_than_fit_are_left_out(void **state)
{
    (void)state;
    static struct event loads[DRAWING_MARKS_MAX + 5];
    static const struct event *list[COUNT_OF(loads)];
    static struct drawing drawing;
    struct report_head head = { SLICE("Patient/p1"), &digest };
    fixture_patient(&fixture, FIXTURE_HIV);
    fixture.diseases[0].disease.family = DISEASE_HIV;
    for (unsigned i = 0; i < COUNT_OF(loads); i++) {
        struct date day = date_add(fixture.histories[0].lines[0].start, (int32_t)i);
        loads[i] = (struct event){ .type = FHIR_OBSERVATION,
                                   .status = STATUS_COMPLETED,
                                   .observation = OBSERVATION_HIV_VIRAL_LOAD,
                                   .finding = FINDING_NOT_DETECTED };
        loads[i].effective = (struct date_span){ .precision = DATE_DAY, .first = day, .last = day };
        list[i] = &loads[i];
    }
    fixture.therapy.observations = list;
    fixture.therapy.observation_count = COUNT_OF(loads);
    assert_true(drawing_lay_out(&drawing, &head, &fixture.therapy, 0));
    assert_int_equal(drawing.mark_count, DRAWING_MARKS_MAX);
    assert_int_equal(drawing.marks_left_out, 5);
}

/* Eight lines within a month of twenty years: their labels do not fit, their bands do. */
static void a_label_without_room_is_left_out_and_its_band_is_not(void **state)
{
    (void)state;
    static const char *const starts[] = { "2004-01-01", "2004-01-05", "2004-01-09", "2004-01-13",
                                          "2004-01-17", "2004-01-21", "2004-01-25", "2004-01-29" };
    struct buffer out;
    unsigned labels = 0, bands = 0;
    buffer_init(&out, 1 << 20);
    fixture_init(&fixture, "2025-01-01");
    struct history *history = fixture_disease(&fixture, "dlbcl", "lymphoma");
    for (unsigned i = 0; i < COUNT_OF(starts); i++)
        fixture_line(&fixture, history,
                     &(struct fixture_line){ "", "cytarabine", starts[i],
                                             i == 7 ? "2024-12-01" : starts[i] });
    draw(&out);
    buffer_add_char(&out, '\0');
    for (const char *at = out.at; (at = strstr(at, "<rect class=\"ll-label\"")) != NULL; at++)
        labels++;
    for (const char *at = out.at; (at = strstr(at, "<rect class=\"ll-band\"")) != NULL; at++)
        bands++;
    assert_int_equal(labels, DRAWING_STAGGER_MAX);
    assert_int_equal(bands, COUNT_OF(starts));
    buffer_fini(&out);
}

/* Bands stay inside the drawing whatever the years. */
static void a_line_of_seventy_years_has_few_ticks(void **state)
{
    (void)state;
    struct buffer out;
    unsigned ticks = 0;
    buffer_init(&out, 1 << 20);
    fixture_init(&fixture, "2025-01-01");
    struct history *history = fixture_disease(&fixture, "dlbcl", "lymphoma");
    fixture_line(&fixture, history,
                 &(struct fixture_line){ "", "cytarabine", "1901-01-01", "2024-12-01" });
    draw(&out);
    buffer_add_char(&out, '\0');
    for (const char *at = out.at; (at = strstr(at, "ll-tick")) != NULL; at++)
        ticks++;
    assert_in_range(ticks, 2, 11);
    assert_non_null(strstr(out.at, "ll-segment ll-induction")); /* a line without segments */
    buffer_fini(&out);
}

int main(void)
{
    struct CMUnitTest tests[COUNT_OF(texts) + COUNT_OF(abouts) + 10] = {
        cmocka_unit_test(cut_texts_count_characters),
        cmocka_unit_test(operands_and_reasons_are_words),
        cmocka_unit_test(a_csv_cell_is_quoted_where_it_must_be),
        cmocka_unit_test(a_sum_of_all_orders_is_exact),
        cmocka_unit_test(loose_ends_are_shown_as_they_were_sent),
        cmocka_unit_test(more_drugs_than_lanes_are_counted),
        cmocka_unit_test(viral_loads_are_drawn_as_they_were_sent),
        cmocka_unit_test(more_marks_than_fit_are_left_out),
        cmocka_unit_test(a_label_without_room_is_left_out_and_its_band_is_not),
        cmocka_unit_test(a_line_of_seventy_years_has_few_ticks),
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        tests[10 + i] = (struct CMUnitTest){ .name = texts[i].name,
                                             .test_func = the_text_is_written_as,
                                             .initial_state = (void *)(uintptr_t)&texts[i] };
    for (size_t i = 0; i < COUNT_OF(abouts); i++)
        tests[10 + COUNT_OF(texts) + i] =
            (struct CMUnitTest){ .name = abouts[i].name,
                                 .test_func = the_procedures_drawn_are,
                                 .initial_state = (void *)(uintptr_t)&abouts[i] };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
