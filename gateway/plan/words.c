#include "base/utf8.h"
#include "plan/plan_int.h"

void words_number(const struct subject *subject, struct text *out)
{
    const struct line *line = subject->line;
    if (subject->history->verdict.history_truncated || line->number_max == 0) {
        text_add_number(out, line->number_min);
        text_add_slice(out, SLICE(" or later"));
    } else if (line->number_min == line->number_max) {
        text_add_number(out, line->number);
    } else {
        text_add(out, "%u (%u to %u)", line->number, line->number_min, line->number_max);
    }
}

void words_regimen(const struct line *line, struct text *out)
{
    enum { SHOWN = 4 };
    if (line->regimen.len > 0) {
        text_add_slice(out, line->regimen);
        return;
    }
    for (unsigned i = 0; i < line->drug_count && i < SHOWN; i++) {
        text_add_slice(out, i > 0 ? SLICE(" + ") : SLICE(""));
        text_add_slice(out, line->drugs[i]->name);
    }
    if (line->drug_count > SHOWN)
        text_add(out, " and %u more", line->drug_count - SHOWN);
}

void words_disease(const struct subject *subject, struct text *out)
{
    enum disease_status status = subject->history->verdict.status;
    const struct disease *disease = subject->history->disease;
    if (status == DISEASE_STATUS_RELAPSED || status == DISEASE_STATUS_REFRACTORY) {
        text_add_slice(out, slice_of(disease_status_name(status)));
        text_add_slice(out, SLICE(" "));
    }
    text_add_slice(out, disease->name);
}

void words_flag(const struct subject *subject, struct text *out)
{
    static const char *const beginnings[] = {
        [FIELD_CANCER] = "Salvage therapy ",
        [FIELD_HIV] = "Salvage antiretroviral therapy ",
        [FIELD_RENAL] = "Renal replacement ",
    };
    bool is_renal = subject_field(subject) == FIELD_RENAL;
    text_add_slice(out, slice_of(beginnings[subject_field(subject)]));
    text_add_slice(out,
                   is_renal ? SLICE("on record") : slice_of(proof_words(subject->line->proof)));
    text_add_slice(out, is_renal ? SLICE(": step ") : SLICE(": line "));
    words_number(subject, out);
    text_add_slice(out, SLICE(", "));
    words_regimen(subject->line, out);
    text_add_slice(out, SLICE(" ("));
    words_disease(subject, out);
    text_add_slice(out, SLICE("), grade "));
    text_add_slice(out, slice_of(grade_name(subject->history->verdict.grade)));
}

void words_care_plan(const struct subject *subject, struct text *out)
{
    static const char *const beginnings[] = {
        [FIELD_CANCER] = "Line ",
        [FIELD_HIV] = "Antiretroviral line ",
        [FIELD_RENAL] = "Renal replacement, step ",
    };
    bool is_renal = subject_field(subject) == FIELD_RENAL; /* a transplant salvages nothing */
    text_add_slice(out, slice_of(beginnings[subject_field(subject)]));
    words_number(subject, out);
    text_add_slice(out, is_renal ? SLICE(": ") : SLICE(" (salvage): "));
    words_regimen(subject->line, out);
}

struct slice words_slice(const struct text *text) { return utf8_whole(text_slice(text)); }

bool is_retracted(const struct plan_input *input, struct slice id)
{
    for (unsigned i = 0; i < input->retracted_count; i++)
        if (slice_eq(input->retracted[i], id))
            return true;
    return false;
}

void words_end(const struct subject *subject, struct text *out)
{
    char day[DATE_TEXT_SIZE];
    if (subject->wish == WISH_IN_ERROR) {
        text_add(out, "Entered in error: data that it rested on was withdrawn (");
        struct slice ids = subject->before->evidence_ids;
        bool is_first = true;
        while (ids.len > 0) {
            struct slice id = slice_take_until(&ids, ' ');
            if (!is_retracted(subject->input, id))
                continue;
            text_add(out, "%s%.*s", is_first ? "" : ", ", SLICE_ARGS(id));
            is_first = false;
        }
        text_add(out, ")");
    } else if (subject->is_death) {
        text_add(out, "Ended on %s: the patient has died", date_format(subject->end, day));
    } else {
        text_add(out, "Ended on %s: the orders and conditions no longer say so",
                 date_format(subject->end, day));
    }
}

struct date words_end_day(const struct subject *subject, struct date end, bool is_open)
{
    bool is_over =
        !is_open && !date_is_none(end) && date_is_before(end, subject->input->therapy->as_of);
    return is_over ? end : date_none();
}

void words_days(const struct subject *subject, struct date start, struct date end, struct text *out)
{
    char day[DATE_TEXT_SIZE];
    struct date over = words_end_day(subject, end, false);
    bool goes_on = date_is_none(over);
    text_add_slice(out, goes_on ? SLICE("from ") : SLICE(""));
    text_add_slice(out, slice_of(date_format(start, day)));
    text_add_slice(out, goes_on ? SLICE(" on") : SLICE(" to "));
    text_add_slice(out, goes_on ? SLICE("") : slice_of(date_format(over, day)));
}
