/* The narrative is all that many viewers show, so it says what matters in at most
 * PLAN_NARRATIVE_MAX bytes.  Each part has a budget of its own, in escaped bytes: the sum of the
 * budgets and the markup stays below the limit whatever the parts hold. */
#include "base/utf8.h"
#include "plan/plan_int.h"

#define BUDGET_TEXT 300
#define BUDGET_REGIMEN 120
#define BUDGET_INGREDIENTS 420
#define BUDGET_BASIS 60
#define BUDGET_REASONS 420
#define BUDGET_DEVICE 60
#define BUDGET_END 400

#define RULE_SET_DIGITS 12
#define MORE "\xe2\x80\xa6" /* an ellipsis */

/* The next character as XHTML: markup escaped, what XML cannot hold as a question mark. */
static struct slice take_escaped(struct slice *rest)
{
    struct slice c = { rest->at, utf8_len(rest->at, rest->len) };
    *rest = slice_skip(*rest, c.len > 0 ? c.len : 1);
    if (c.len == 0 || !utf8_is_printable(c))
        return SLICE("?");
    switch (c.at[0]) {
    case '<':
        return SLICE("&lt;");
    case '>':
        return SLICE("&gt;");
    case '&':
        return SLICE("&amp;");
    case '"':
        return SLICE("&quot;");
    default:
        return c;
    }
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7f && c != '<' && c != '>' && c != '&' && c != '"';
}

/* Ordinary characters, as many as there are in a row, or one that is not. */
static struct slice take_piece(struct slice *rest)
{
    size_t run = 0;
    while (run < rest->len && is_plain((unsigned char)rest->at[run]))
        run++;
    if (run == 0)
        return take_escaped(rest);
    struct slice piece = { rest->at, run };
    *rest = slice_skip(*rest, run);
    return piece;
}

static size_t escaped_len(struct slice text)
{
    size_t len = 0;
    while (text.len > 0)
        len += take_piece(&text).len;
    return len;
}

/* As much of the text as the budget (more than an ellipsis) allows, cut between characters; returns
 * what it used. */
static size_t add_text(struct buffer *out, struct slice text, size_t budget)
{
    size_t len = escaped_len(text), used = 0;
    if (len <= budget) {
        while (text.len > 0)
            buffer_add(out, take_piece(&text));
        return len;
    }
    for (;;) { /* ends before the text does: it is longer than the budget */
        struct slice piece = take_escaped(&text);
        if (used + piece.len > budget - (sizeof MORE - 1))
            break;
        buffer_add(out, piece);
        used += piece.len;
    }
    buffer_add(out, SLICE(MORE));
    return used + sizeof MORE - 1;
}

static void add_item(struct buffer *out, const char *label, struct slice text, size_t budget)
{
    if (text.len == 0)
        return;
    buffer_add(out, SLICE("<li>"));
    buffer_add(out, slice_of(label));
    (void)add_text(out, text, budget);
    buffer_add(out, SLICE("</li>"));
}

/* Whole names, and how many more there are. */
static void add_ingredients(struct buffer *out, const struct line *line)
{
    size_t left = BUDGET_INGREDIENTS - sizeof " and 4294967295 more";
    unsigned shown = 0;
    if (line->drug_count == 0) /* dialysis */
        return;
    buffer_add(out, SLICE("<li>Ingredients ordered: "));
    for (; shown < line->drug_count; shown++) {
        struct slice name = line->drugs[shown]->name;
        size_t needed = escaped_len(name) + (shown > 0 ? 2 : 0);
        if (needed > left)
            break;
        if (shown > 0)
            buffer_add(out, SLICE(", "));
        left -= needed;
        (void)add_text(out, name, needed);
    }
    if (shown < line->drug_count)
        buffer_format(out, " and %u more", line->drug_count - shown);
    buffer_add(out, SLICE("</li>"));
}

static void add_reasons(struct buffer *out, const struct verdict *verdict)
{
    size_t left = BUDGET_REASONS;
    for (unsigned i = 0; i < verdict->reason_count && left > 40; i++) {
        buffer_add(out, SLICE("<li>Reason: "));
        size_t markup = sizeof "<li>Reason: </li>" - 1;
        size_t used = add_text(out, verdict->reasons[i].text, left - markup) + markup;
        buffer_add(out, SLICE("</li>"));
        left -= used;
    }
}

static void add_holding(struct buffer *out, const struct subject *subject)
{
    const struct verdict *verdict = &subject->history->verdict;
    char numbers[48], day[DATE_TEXT_SIZE], bytes[PLAN_TEXT_BYTES];
    struct text number = TEXT(numbers), regimen = TEXT(bytes);
    words_number(subject, &number);
    words_regimen(subject->line, &regimen);
    buffer_add(out, SLICE("<ul>"));
    bool is_renal = subject_field(subject) == FIELD_RENAL;
    add_item(out, is_renal ? "Step: " : "Line: ", text_slice(&number), 32);
    add_item(out, is_renal ? "Renal replacement: " : "Regimen: ", words_slice(&regimen),
             BUDGET_REGIMEN);
    add_ingredients(out, subject->line);
    add_item(out, "Start: ", slice_of(date_format(subject->line->start, day)), 16);
    add_item(out, "Grade: ", slice_of(grade_name(verdict->grade)), 16);
    add_item(out, "Basis: ", verdict->basis, BUDGET_BASIS);
    add_item(out, "Status: ", slice_of(disease_status_name(verdict->status)), 16);
    add_reasons(out, verdict);
    buffer_add(out, is_renal
                        ? SLICE("</ul><p>Inferred from procedures, orders and conditions; no "
                                "publication defines salvage in renal replacement.</p>")
                        : SLICE("</ul><p>Inferred from orders and conditions; an order does not "
                                "say that a drug reached the patient.</p>"));
}

/* Who says so and on how much: the end of the narrative, which is no part of the meaning.  An order
 * that is renewed adds to the evidence and changes nothing of what is said. */
static void add_tail(struct buffer *out, const struct subject *subject)
{
    char hex[SHA256_HEX_SIZE], digits[12];
    struct text count = TEXT(digits);
    sha256_hex(subject->input->rule_set, hex);
    buffer_add(out, SLICE("<p>"));
    if (subject->wish == WISH_HOLD) {
        text_add_number(&count, subject->evidence_count);
        buffer_add(out, SLICE("Evidence: "));
        buffer_add(out, text_slice(&count));
        buffer_add(out, SLICE(" resources. "));
    }
    (void)add_text(out, subject->input->device, BUDGET_DEVICE);
    buffer_add(out, SLICE(", rule set "));
    buffer_add(out, (struct slice){ hex, RULE_SET_DIGITS });
    buffer_add(out, SLICE("</p></div>"));
}

void narrative_write(struct body *body, const struct subject *subject, struct slice text)
{
    struct buffer *div = &body->scratch;
    buffer_reset(div);
    buffer_add(div, SLICE("<div xmlns=\"http://www.w3.org/1999/xhtml\"><p><b>"));
    (void)add_text(div, text, BUDGET_TEXT);
    buffer_add(div, SLICE("</b></p>"));
    if (subject->wish == WISH_HOLD) {
        add_holding(div, subject);
    } else {
        char bytes[512];
        struct text why = TEXT(bytes);
        words_end(subject, &why);
        buffer_add(div, SLICE("<p>"));
        (void)add_text(div, words_slice(&why), BUDGET_END);
        buffer_add(div, SLICE("</p>"));
    }
    add_tail(div, subject);
    CHECK(buffer_overflowed(div) || div->len <= PLAN_NARRATIVE_MAX);

    json_key(&body->json, "text");
    json_object(&body->json);
    json_put_text(&body->json, "status", "generated");
    json_put(&body->json, "div", buffer_slice(div));
    json_object_end(&body->json);
}
