#include "therapy/markup.h"

#include "base/utf8.h"

/* What is no letter of markup and can be seen stands as itself. */
static void put_character(struct buffer *out, struct slice one)
{
    static const struct {
        char c;
        const char *entity;
    } entities[] = { { '&', "&amp;" },  { '<', "&lt;" }, { '>', "&gt;" }, { '"', "&quot;" },
                     { '\'', "&#39;" }, { '\t', " " },   { '\n', " " },   { '\r', " " } };
    for (size_t i = 0; i < COUNT_OF(entities); i++)
        if (one.at[0] == entities[i].c) {
            buffer_add(out, slice_of(entities[i].entity));
            return;
        }
    buffer_add(out, utf8_is_printable(one) ? one : SLICE("\xef\xbf\xbd"));
}

/* The next character; empty bytes where they are not UTF-8, of which one is skipped. */
static struct slice take_character(struct slice *text)
{
    struct slice one = { text->at, utf8_len(text->at, text->len) };
    *text = slice_skip(*text, one.len > 0 ? one.len : 1);
    return one;
}

/* Puts at most `max` characters. */
static void put_characters(struct buffer *out, struct slice text, unsigned max)
{
    for (unsigned i = 0; i < max && text.len > 0; i++) {
        struct slice one = take_character(&text);
        if (one.len == 0)
            buffer_add(out, SLICE("\xef\xbf\xbd"));
        else
            put_character(out, one);
    }
}

void markup_text(struct buffer *out, struct slice text) { put_characters(out, text, UINT32_MAX); }

unsigned markup_length(struct slice text)
{
    unsigned count = 0;
    for (; text.len > 0; count++)
        (void)take_character(&text);
    return count;
}

unsigned markup_cut(struct buffer *out, struct slice text, unsigned max)
{
    unsigned length = markup_length(text);
    if (length <= max) {
        markup_text(out, text);
        return length;
    }
    put_characters(out, text, max - 1);
    buffer_add(out, SLICE("\xe2\x80\xa6"));
    return max;
}

void markup_day(struct buffer *out, struct date day)
{
    char text[DATE_TEXT_SIZE];
    buffer_add(out, slice_of(date_format(day, text)));
}

void markup_drugs(struct buffer *out, const struct drug *const *drugs, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (i > 0)
            buffer_add(out, SLICE(" + "));
        markup_text(out, drugs[i]->name);
    }
}

void markup_regimen(struct buffer *out, const struct line *line)
{
    if (line->regimen.len > 0)
        markup_text(out, line->regimen);
    else
        markup_drugs(out, line->drugs, line->drug_count);
}

/* Words that stay capitals. */
static bool is_acronym(struct slice word)
{
    static const char *const acronyms[] = { "ART", "WHO", "DHHS", "PI", "NNRTI", "INSTI", "HIV" };
    for (size_t i = 0; i < COUNT_OF(acronyms); i++)
        if (slice_is(word, acronyms[i]))
            return true;
    return false;
}

void markup_reason(struct buffer *out, const char *reason)
{
    for (struct slice rest = slice_of(reason); rest.len > 0;) {
        struct slice word = slice_take_until(&rest, '_');
        bool keeps = is_acronym(word);
        for (size_t i = 0; i < word.len; i++) {
            char c = word.at[i]; /* a capital or a digit, of which the second has the bit */
            buffer_add_char(out, keeps ? c : (char)(c | 0x20));
        }
        if (rest.len > 0)
            buffer_add_char(out, ' ');
    }
}

void markup_operand(struct buffer *out, const struct operand *operand)
{
    struct slice name = slice_of(operand->name);
    bool is_days = name.len > 4 && memcmp(name.at + name.len - 4, "Days", 4) == 0;
    if (is_days)
        name.len -= 4;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        if (c >= 'A' && c <= 'Z') {
            buffer_add_char(out, ' ');
            c = (char)(c - 'A' + 'a');
        }
        buffer_add_char(out, c);
    }
    buffer_format(out, " %d%s", operand->value,
                  !is_days              ? ""
                  : operand->value == 1 ? " day"
                                        : " days");
}

void markup_number(struct buffer *out, const struct line *line)
{
    if (line->number_max == 0)
        buffer_format(out, "%u or later", line->number_min);
    else if (line->number_min == line->number_max)
        buffer_format(out, "%u", line->number);
    else
        buffer_format(out, "%u to %u", line->number_min, line->number_max);
}

void markup_basis(struct buffer *out, struct slice basis)
{
    static const struct {
        const char *basis, *words;
    } rows[] = {
        { "any_line>=2", "any line from the second on" },
        { "advanced_line>=2", "lines for advanced disease from the second on" },
        { "advanced_line>=2_or_early_recurrence",
          "lines for advanced disease from the second on, or an early recurrence" },
        { "castration_resistant_line>=2", "lines after castration resistance from the second on" },
        { "art_line>=2", "antiretroviral lines from the second on" },
        { "art_line>=3", "antiretroviral lines from the third on" },
        { "renal_state", "what follows a failed graft or technique" },
        { "none", "nothing: lines of this disease are not called salvage" },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (slice_is(basis, rows[i].basis)) {
            buffer_add(out, slice_of(rows[i].words));
            return;
        }
    }
    markup_text(out, basis);
}

const struct line *markup_verdict_line(const struct history *history)
{
    for (unsigned i = 0; i < history->line_count; i++)
        if (history->lines[i].number == history->verdict.line)
            return &history->lines[i];
    return NULL;
}

void markup_verdict(struct buffer *out, const struct history *history)
{
    const struct verdict *verdict = &history->verdict;
    const struct line *line = markup_verdict_line(history);
    if (!verdict->salvage) {
        buffer_add(out, SLICE("Not salvage therapy"));
        return;
    }
    CHECK(line != NULL); /* it is a line that is salvage therapy */
    buffer_format(out, "Salvage therapy %s: line ", proof_words(line->proof));
    markup_number(out, line);
    buffer_format(out, ", grade %s", grade_name(verdict->grade));
}

void markup_status(struct buffer *out, enum disease_status status)
{
    if (status == DISEASE_STATUS_UNKNOWN)
        return;
    if (status < DISEASE_STATUS_SUPPRESSED)
        buffer_add(out, SLICE("disease "));
    for (const char *at = disease_status_name(status); *at != '\0'; at++)
        buffer_add_char(out, *at == '-' ? ' ' : *at);
}
