#include "support/therapy/golden.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

static void complain(const char *file, const char *what, struct slice text)
{
    fprintf(stderr, "%s/%s: %s: %.*s\n", GOLDEN_FOLDER, file, what,
            (int)(text.len < 80 ? text.len : 80), text.at);
    exit(2);
}

/* --- reading --------------------------------------------------------------------------------- */

static struct slice find(struct slice text, const char *word)
{
    const char *at = memmem(text.at, text.len, word, strlen(word));
    return at != NULL ? slice_skip(text, (size_t)(at - text.at)) : (struct slice){ NULL, 0 };
}

/* What stands between "```name" and the next "```". */
static struct slice block(struct slice text, const char *name)
{
    char fence[32];
    snprintf(fence, sizeof fence, "```%s\n", name);
    struct slice from = find(text, fence);
    if (from.at == NULL)
        return from;
    from = slice_skip(from, strlen(fence));
    from.len -= find(from, "```").len;
    return from;
}

/* The rule ids in `text`, up to the end of its paragraph. */
static void read_rules(const char *file, struct slice text, uint64_t *out)
{
    text.len -= find(text, "\n\n").len;
    for (size_t i = 0; i + 7 <= text.len; i++) {
        struct slice id = { text.at + i, 7 };
        if (id.at[3] != '-' || id.at[0] < 'A' || id.at[0] > 'Z' || id.at[4] < '0' || id.at[4] > '9')
            continue;
        unsigned rule = 1;
        while (rule < RULE_COUNT && !slice_is(id, rule_id((enum rule)rule)))
            rule++;
        if (rule == RULE_COUNT)
            complain(file, "there is no rule", id);
        out[rule / 64] |= UINT64_C(1) << rule % 64;
    }
}

static void read_claims(struct golden *golden, struct slice text)
{
    struct slice shows = find(text, "**Shows**"), denies = find(text, "**Not**");
    if (denies.at != NULL && shows.at != NULL && denies.at > shows.at)
        shows.len = (size_t)(denies.at - shows.at);
    if (shows.at != NULL)
        read_rules(golden->file, shows, golden->shows);
    if (denies.at != NULL)
        read_rules(golden->file, denies, golden->denies);
}

static struct golden read_story(struct arena *arena, const char *file, struct slice title,
                                struct slice text)
{
    struct golden golden = { .file = file };
    golden.name = arena_format(arena, "%s: %.*s", file, SLICE_ARGS(title)).at;
    golden.exposures = block(text, "exposures");
    golden.lines = block(text, "lines");
    if (golden.exposures.len == 0 || golden.lines.len == 0)
        complain(file, "a block is missing", title);
    read_claims(&golden, text);
    return golden;
}

/* A file without "## " is one story under its "# ". */
static unsigned read_file(struct arena *arena, const char *file, struct golden *out, unsigned count)
{
    char path[300];
    struct slice text;
    snprintf(path, sizeof path, GOLDEN_FOLDER "/%s", file);
    CHECK(story_file(path, arena, &text));
    struct slice next = find(text, "\n## ");
    size_t mark = 4;
    if (next.at == NULL)
        next = text, mark = 2;
    while (next.at != NULL) {
        struct slice story = slice_skip(next, mark);
        next = find(story, "\n## ");
        story.len -= next.len;
        struct slice title = slice_take_until(&story, '\n');
        CHECK(count < GOLDEN_STORIES_MAX);
        out[count++] = read_story(arena, file, title, story);
    }
    return count;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

const struct golden *golden_load(unsigned *count)
{
    static struct golden stories[GOLDEN_STORIES_MAX];
    static unsigned loaded;
    static struct arena arena;
    const char *files[256];
    unsigned file_count = 0;
    *count = loaded;
    if (loaded > 0)
        return stories;
    arena_init(&arena, (size_t)64 << 20);
    DIR *folder = opendir(SOURCE_DIR "/" GOLDEN_FOLDER);
    CHECK(folder != NULL);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        size_t len = strlen(entry->d_name);
        if (len < 4 || strcmp(entry->d_name + len - 3, ".md") != 0 ||
            strcmp(entry->d_name, "README.md") == 0)
            continue;
        CHECK(file_count < COUNT_OF(files));
        files[file_count++] = arena_copy(&arena, slice_of(entry->d_name)).at;
    }
    closedir(folder);
    qsort(files, file_count, sizeof files[0], by_name);
    for (unsigned i = 0; i < file_count; i++)
        loaded = read_file(&arena, files[i], stories, loaded);
    *count = loaded;
    return stories;
}

/* --- answering ------------------------------------------------------------------------------- */

/* Conditions, Procedures and Observations; what was ordered or given is told above. */
static void add_evidence(const struct boundary *why, struct buffer *out)
{
    const char *before = " (";
    for (unsigned i = 0; i < why->evidence_count; i++) {
        enum fhir_type type = why->evidence[i]->type;
        if (type != FHIR_CONDITION && type != FHIR_PROCEDURE && type != FHIR_OBSERVATION)
            continue;
        buffer_format(out, "%s%.*s", before, SLICE_ARGS(why->evidence[i]->id));
        before = " ";
    }
    if (before[1] == '\0')
        buffer_add_char(out, ')');
}

static void add_line(const struct line *line, const struct history *before, struct buffer *out)
{
    char start[DATE_TEXT_SIZE], end[DATE_TEXT_SIZE];
    buffer_format(out, "%u  %s to %s  ", line->number, date_format(line->start, start),
                  line->is_open ? "open" : date_format(line->end, end));
    if (line->regimen.len > 0)
        buffer_format(out, "%.*s: ", SLICE_ARGS(line->regimen));
    for (unsigned k = 0; k < line->drug_count; k++)
        buffer_format(out, "%s%.*s", k > 0 ? " + " : "", SLICE_ARGS(line->drugs[k]->name));
    buffer_format(out, "  %s %s", rule_id(line->opened_by.rule), line->opened_by.reason);
    add_evidence(&line->opened_by, out);
    if (line->setting != SETTING_UNKNOWN)
        buffer_format(out, ", %s", line_setting_name(line->setting));
    if (line->is_short)
        buffer_add_char(out, ','), buffer_add(out, SLICE(" short"));
    if (line->number_max == 0)
        buffer_format(out, ", at least %u", line->number_min);
    else if (line->number_min < line->number_max)
        buffer_format(out, ", %u to %u", line->number_min, line->number_max);
    for (unsigned i = 0; before != NULL && i < before->line_count; i++)
        if (line->id[0] != '\0' && strcmp(before->lines[i].id, line->id) == 0 &&
            before->lines[i].number != line->number)
            buffer_format(out, ", was line %u", before->lines[i].number);
    buffer_add_char(out, '\n');
    for (unsigned k = 0; line->segment_count > 1 && k < line->segment_count; k++)
        buffer_format(out, "   %s from %s\n", segment_kind_name(line->segments[k].kind),
                      date_format(line->segments[k].start, start));
    for (unsigned k = 0; k < line->note_count; k++) {
        const struct line_note *note = &line->notes[k];
        if (k > 0 && line->notes[k - 1].why.rule == note->why.rule)
            continue; /* the days of one conditioning are one decision to the reader */
        buffer_format(out, "   %s %s on %s", rule_id(note->why.rule), note->why.reason,
                      date_format(note->day, start));
        add_evidence(&note->why, out);
        buffer_add_char(out, '\n');
    }
}

/* Lines that were there before the later news and are not there any more. */
static void add_gone(const struct history *history, const struct history *before,
                     struct buffer *out)
{
    for (unsigned i = 0; before != NULL && i < before->line_count; i++) {
        unsigned k = 0;
        while (k < history->line_count && strcmp(before->lines[i].id, history->lines[k].id) != 0)
            k++;
        if (k == history->line_count)
            buffer_format(out, "gone: line %u\n", before->lines[i].number);
    }
}

/* Rows of a story that ask for more. */
enum { TELL_CLASSES = 1, TELL_OPTIONS = 2, TELL_CUMULATIVE = 4 };

static void add_history(const struct history *history, const struct history *before, unsigned tells,
                        struct buffer *out)
{
    for (unsigned i = 0; i < history->line_count; i++)
        add_line(&history->lines[i], before, out);
    add_gone(history, before, out);
    buffer_add(out, SLICE("verdict: "));
    story_add_verdict(history, out);
    buffer_add_char(out, '\n');
    if (history->is_ambiguous)
        buffer_add(out, SLICE("ambiguous\n"));
    for (unsigned i = 0; (tells & TELL_OPTIONS) != 0 && i < history->option_count; i++) {
        const struct option_use *use = &history->options[i];
        buffer_format(out, "%.*s: %s%s\n", SLICE_ARGS(use->option->name),
                      use->is_used ? "ordered" : "not ordered", use->failed ? ", failed" : "");
    }
    const char *join = "failed: ";
    for (unsigned i = 0; (tells & TELL_CLASSES) != 0 && i < history->class_count; i++) {
        if (!history->classes[i].failed)
            continue;
        buffer_format(out, "%s%.*s", join, SLICE_ARGS(history->classes[i].drug_class));
        join = ", ";
    }
    if (join[0] == ',')
        buffer_add_char(out, '\n');
}

/* The same disease in the answer before: drugs may have refined it since. */
static const struct history *same_history(const struct therapy *before,
                                          const struct history *history)
{
    for (unsigned i = 0; before != NULL && i < before->history_count; i++)
        if (before->histories[i].condition == history->condition)
            return &before->histories[i];
    return NULL;
}

static void add_events(const char *title, const struct event *const *events, unsigned count,
                       struct buffer *out)
{
    for (unsigned i = 0; i < count; i++)
        buffer_format(out, "%s%.*s", i == 0 ? title : " ", SLICE_ARGS(events[i]->id));
    if (count > 0)
        buffer_add_char(out, '\n');
}

/* Those of which people are told why. */
static void add_left_out(const struct therapy *therapy, struct buffer *out)
{
    for (unsigned i = 0; i < therapy->left_out_count; i++) {
        const struct left_out *left_out = &therapy->left_out[i];
        if (left_out->text.len > 0)
            buffer_format(out, "in no line: %.*s %s %s\n", SLICE_ARGS(left_out->order->id),
                          rule_id(left_out->rule), rule_reason(left_out->rule));
    }
}

/* What a story asks of the engine. */
struct question {
    const struct rules *rules;
    const struct therapy *before; /* the answer before the later news; NULL */
    char day[16];
    unsigned tells;
};

static void tell(const struct golden *golden, struct story *story, struct question *out)
{
    *out = (struct question){ .rules = mapping_rules(story->mapping), .day = "2026-01-01" };
    for (struct slice told = golden->exposures; told.len > 0;) {
        struct slice row = slice_take_until(&told, '\n');
        if (slice_starts(row, SLICE("as of ")))
            snprintf(out->day, sizeof out->day, "%.*s", SLICE_ARGS(slice_skip(row, 6)));
        else if (slice_starts(row, SLICE("rules ")))
            out->rules = mapping_ruleset(story->mapping, slice_skip(row, 6));
        else if (slice_is(row, "tell failed classes"))
            out->tells |= TELL_CLASSES;
        else if (slice_is(row, "tell options"))
            out->tells |= TELL_OPTIONS;
        else if (slice_is(row, "tell cumulative"))
            out->tells |= TELL_CUMULATIVE;
        else if (slice_is(row, "later:"))
            out->before = story_derive_with(story, out->rules, out->day);
        else
            story_tell(story, arena_copy(&story->arena, row).at);
    }
    CHECK(out->rules != NULL);
}

const struct rules *golden_tell(const struct golden *golden, struct story *story,
                                struct date *as_of)
{
    struct question question;
    tell(golden, story, &question);
    *as_of = story_day(question.day);
    return question.rules;
}

static void answer(const struct golden *golden, const struct mapping *mapping, bool is_alone,
                   struct buffer *out)
{
    struct story story;
    struct question question;
    story_begin(&story);
    story.mapping = mapping;
    tell(golden, &story, &question);
    struct rules alone = *question.rules;
    if (is_alone)
        alone.contrast = NULL;
    const struct therapy *therapy = story_derive_with(&story, &alone, question.day);
    for (unsigned i = 0; i < therapy->history_count; i++) {
        const struct history *history = &therapy->histories[i];
        if (therapy->history_count > 1)
            buffer_format(out, "%.*s:\n", SLICE_ARGS(history->disease->key));
        add_history(history, same_history(question.before, history), question.tells, out);
    }
    for (unsigned i = 0; (question.tells & TELL_CUMULATIVE) != 0 && i < therapy->cumulative_count;
         i++) {
        const struct cumulative *sum = &therapy->cumulative[i];
        buffer_format(out, "%.*s: %lld mg/m2 by %u of %u orders%s%.*s\n", SLICE_ARGS(sum->exposure),
                      (long long)((sum->total_thousandths + 500) / 1000), sum->counted, sum->orders,
                      sum->why_not.len > 0 ? ", " : "", SLICE_ARGS(sum->why_not));
    }
    add_events("unattributed: ", therapy->unattributed, therapy->unattributed_count, out);
    add_left_out(therapy, out);
    add_events("unmapped: ", therapy->unmapped, therapy->unmapped_count, out);
    add_events("conflicting: ", therapy->conflicting, therapy->conflicting_count, out);
    if (therapy->history_count == 0)
        buffer_add(out, SLICE("no cancer\n"));
    story_end(&story);
}

void golden_answer(const struct golden *golden, struct buffer *out)
{
    answer(golden, story_mapping(), false, out);
}

void golden_answer_with(const struct golden *golden, const struct mapping *mapping,
                        struct buffer *out)
{
    answer(golden, mapping, false, out);
}

void golden_answer_alone(const struct golden *golden, struct buffer *out)
{
    answer(golden, story_mapping(), true, out);
}
