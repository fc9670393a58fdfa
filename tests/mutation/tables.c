/* Every number, word and name in the tables of rules changed in turn: does a story notice?
 *
 *     tables                  all changes; prints those that nobody noticed, and counts them
 *     tables --every 12       every twelfth change, for a short look
 *     tables profiles.tsv     of some files only
 *
 * First the stories are asked, then the days on both sides of each window and gap, then the signed
 * list of numbers (PINNED=1 prints what only that list notices: stories to be written).
 * What the loader refuses is noticed.  A change that cannot matter stands in tests/mutation/
 * equivalent.txt with the reason; a line there that did matter is a fault too. */
#include <stdio.h>
#include <stdlib.h>

#include <dirent.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/therapy/golden.h"
#include "support/therapy/limits.h"

#define FILES_MAX 80
#define COLUMNS_MAX 48
#define PROCESSES_MAX 16

static const char *const tables[] = {
    "profiles.tsv", "parameters.tsv", "addons.tsv",       "maintenance.tsv",   "substitutions.tsv",
    "hiv.tsv",      "renal.tsv",      "renal_states.tsv", "rules_contrast.tsv"
};

/* What the stories do not ask, so that loading is quick. */
static const char *const left_out[] = { "ndc.tsv", "snomed_conditions.tsv", "snomed_drugs.tsv" };

struct counts {
    unsigned changes, refused, noticed, pinned, excused, survived, useless;
};

struct campaign {
    struct arena arena;
    struct mapping_file files[FILES_MAX];
    unsigned file_count;
    struct slice excuses, parameters;
    const struct golden *stories;
    unsigned story_count, killer; /* the story that noticed the change before comes first */
    unsigned every, at, share, of;
    struct counts counts;
};

/* --- the mapping with one change -------------------------------------------------------------- */

static bool is_in(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* Only the lines up to the names of the columns. */
static struct slice head_of(struct slice text)
{
    struct slice rest = text;
    while (rest.len > 0) {
        struct slice line = slice_take_until(&rest, '\n');
        if (line.len > 0 && line.at[0] != '#')
            break;
    }
    return (struct slice){ text.at, (size_t)(rest.at - text.at) };
}

static void read_files(struct campaign *campaign)
{
    DIR *folder = opendir(SOURCE_DIR "/mappings");
    CHECK(folder != NULL);
    for (const struct dirent *entry;
         (entry = readdir(folder)) != NULL && campaign->file_count < FILES_MAX;) {
        char path[400];
        size_t len = strlen(entry->d_name);
        if (len < 5 || strcmp(entry->d_name + len - 4, ".tsv") != 0)
            continue;
        struct mapping_file *file = &campaign->files[campaign->file_count++];
        snprintf(path, sizeof path, "mappings/%.300s", entry->d_name);
        file->name = arena_copy(&campaign->arena, slice_of(entry->d_name)).at;
        CHECK(story_file(path, &campaign->arena, &file->text));
        if (is_in(left_out, COUNT_OF(left_out), file->name))
            file->text = head_of(file->text);
    }
    closedir(folder);
    if (!story_file("tests/mutation/equivalent.txt", &campaign->arena, &campaign->excuses))
        campaign->excuses = SLICE("");
    CHECK(
        story_file("tests/golden/therapy_parameters.txt", &campaign->arena, &campaign->parameters));
}

static bool holds(const struct golden *golden, const struct mapping *mapping)
{
    struct buffer out;
    buffer_init(&out, 1 << 16);
    golden_answer_with(golden, mapping, &out);
    bool is_equal = slice_eq(buffer_slice(&out), golden->lines);
    buffer_fini(&out);
    return is_equal;
}

static bool is_noticed(struct campaign *campaign, const struct mapping *mapping)
{
    for (unsigned i = 0; i < campaign->story_count; i++) {
        unsigned at = (campaign->killer + i) % campaign->story_count;
        if (holds(&campaign->stories[at], mapping))
            continue;
        campaign->killer = at;
        return true;
    }
    return false;
}

/* By the days on both sides of a limit. */
static bool breaks_a_limit(const struct mapping *mapping)
{
    struct buffer faults;
    buffer_init(&faults, 1 << 16);
    bool holds = limits_probe(mapping, &faults);
    buffer_fini(&faults);
    return !holds;
}

/* By nothing but the list of the numbers. */
static bool is_pinned(const struct campaign *campaign, const struct mapping *mapping)
{
    struct buffer text;
    buffer_init(&text, 1 << 20);
    limits_text(mapping, &text);
    bool is_same = slice_eq(buffer_slice(&text), campaign->parameters);
    buffer_fini(&text);
    return !is_same;
}

static bool is_excused(const struct campaign *campaign, const char *change)
{
    char line[600];
    int len = snprintf(line, sizeof line, "%s: ", change);
    for (struct slice rest = campaign->excuses; rest.len > 0;) {
        struct slice excuse = slice_take_until(&rest, '\n');
        if (slice_starts(excuse, (struct slice){ line, (size_t)len }))
            return true;
    }
    return false;
}

/* `from` is a cell in the text of `file`. */
static void try_change(struct campaign *campaign, struct mapping_file *file, struct slice from,
                       const char *to, const char *where)
{
    static struct table_errors errors;
    char change[500];
    unsigned number = campaign->at++;
    if (number % campaign->every != 0 || number / campaign->every % campaign->of != campaign->share)
        return;
    snprintf(change, sizeof change, "%s %s %.*s -> %s", file->name, where, SLICE_ARGS(from), to);
    struct slice whole = file->text;
    struct mapping *mapping = NULL;
    struct buffer text;
    buffer_init(&text, whole.len + 1000);
    buffer_add(&text, (struct slice){ whole.at, (size_t)(from.at - whole.at) });
    buffer_add(&text, slice_of(to));
    buffer_add(&text, (struct slice){ from.at + from.len,
                                      (size_t)(whole.at + whole.len - from.at - (long)from.len) });
    file->text = buffer_slice(&text);
    campaign->counts.changes++;
    bool is_loaded = mapping_load(campaign->files, campaign->file_count, &mapping, &errors);
    file->text = whole;
    bool excused = is_excused(campaign, change);
    if (!is_loaded) {
        campaign->counts.refused++;
    } else if (is_noticed(campaign, mapping) || breaks_a_limit(mapping)) {
        campaign->counts.noticed++;
        campaign->counts.useless += excused;
        if (excused)
            printf("USELESS EXCUSE  %s\n", change);
    } else if (excused) {
        campaign->counts.excused++;
    } else if (is_pinned(campaign, mapping)) {
        campaign->counts.pinned++;
        if (getenv("PINNED") != NULL)
            printf("pinned only  %s\n", change);
    } else {
        campaign->counts.survived++;
        printf("SURVIVED  %s\n", change);
        fflush(stdout);
    }
    mapping_close(mapping);
    buffer_fini(&text);
}

/* --- what is changed -------------------------------------------------------------------------- */

static bool is_number(struct slice cell)
{
    for (size_t i = 0; i < cell.len; i++)
        if (cell.at[i] < '0' || cell.at[i] > '9')
            return false;
    return cell.len > 0;
}

/* A list of names or words loses each of its members. */
static void shorten(struct campaign *campaign, struct mapping_file *file, struct slice cell,
                    char separator, const char *where)
{
    for (size_t at = 0; at <= cell.len;) {
        size_t end = at;
        while (end < cell.len && cell.at[end] != separator)
            end++;
        char to[2000];
        if (end - at == cell.len)
            snprintf(to, sizeof to, "-");
        else if (end == cell.len)
            snprintf(to, sizeof to, "%.*s", (int)(at - 1), cell.at);
        else
            snprintf(to, sizeof to, "%.*s%.*s", (int)at, cell.at, (int)(cell.len - end - 1),
                     cell.at + end + 1);
        try_change(campaign, file, cell, to, where);
        at = end + 1;
    }
}

static void change_cell(struct campaign *campaign, struct mapping_file *file, struct slice cell,
                        const char *where)
{
    static const char *const words[][2] = {
        { "yes", "no" },
        { "no", "yes" },
        { "any_line", "advanced_line" },
        { "advanced_line", "any_line" },
        { "advanced_line_or_early_recurrence", "advanced_line" },
        { "castration_resistant_line", "any_line" },
        { "continuation", "switch" },
        { "switch", "continuation" },
        { "either", "continuation" },
        { "post_transplant", "continuation" },
        { "HIGH", "MEDIUM" },
        { "MEDIUM", "HIGH" },
    };
    char to[24];
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (!slice_is(cell, words[i][0]))
            continue;
        try_change(campaign, file, cell, words[i][1], where);
        return;
    }
    if (is_number(cell)) {
        long number = strtol(cell.at, NULL, 10);
        snprintf(to, sizeof to, "%ld", number + 1);
        try_change(campaign, file, cell, to, where);
        if (number > 0) {
            snprintf(to, sizeof to, "%ld", number - 1);
            try_change(campaign, file, cell, to, where);
        }
    } else if (slice_is(cell, "-")) {
        try_change(campaign, file, cell, "30", where);
    } else if (memchr(cell.at, ',', cell.len) != NULL) {
        shorten(campaign, file, cell, ',', where);
    } else if (cell.len > 0) {
        shorten(campaign, file, cell, ';', where);
    }
}

/* Columns that only name, unit or cite. */
static bool is_name(struct slice column)
{
    static const char *const names[] = { "key",    "profile", "name",     "unit",
                                         "source", "state",   "parameter" };
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (slice_is(column, names[i]))
            return true;
    return false;
}

static void change_file(struct campaign *campaign, struct mapping_file *file)
{
    struct slice columns[COLUMNS_MAX];
    unsigned column_count = 0, row = 0;
    for (struct slice rest = file->text; rest.len > 0;) {
        struct slice line = slice_take_until(&rest, '\n');
        if (line.len == 0 || line.at[0] == '#')
            continue;
        if (column_count == 0) {
            while (line.len > 0 && column_count < COLUMNS_MAX)
                columns[column_count++] = slice_take_until(&line, '\t');
            continue;
        }
        row++;
        char name[120] = "";
        for (unsigned i = 0; i < column_count; i++) {
            struct slice cell = { line.at, 0 };
            while (cell.len < line.len && line.at[cell.len] != '\t')
                cell.len++;
            line = slice_skip(line, cell.len < line.len ? cell.len + 1 : cell.len);
            if (is_name(columns[i]) && i < 2 && !slice_is(columns[i], "source")) {
                size_t used = strlen(name);
                snprintf(name + used, sizeof name - used, "%s%.*s", used > 0 ? "/" : "",
                         SLICE_ARGS(cell));
            }
            char where[240];
            snprintf(where, sizeof where, "%s#%u.%.*s", name, row, SLICE_ARGS(columns[i]));
            bool is_title = strstr(name, "/title") != NULL; /* for people only */
            if (!is_name(columns[i]) && !is_title)
                change_cell(campaign, file, cell, where);
        }
    }
}

/* --- all of it -------------------------------------------------------------------------------- */

static void work(struct campaign *campaign, int argc, char **argv, int first)
{
    for (size_t t = 0; t < COUNT_OF(tables); t++) {
        bool is_wanted = first == argc;
        for (int i = first; i < argc; i++)
            is_wanted = is_wanted || strcmp(argv[i], tables[t]) == 0;
        for (unsigned f = 0; is_wanted && f < campaign->file_count; f++)
            if (strcmp(campaign->files[f].name, tables[t]) == 0)
                change_file(campaign, &campaign->files[f]);
    }
}

int main(int argc, char **argv)
{
    static struct campaign campaign = { .every = 1, .of = 1 };
    int first = 1;
    if (argc > 2 && strcmp(argv[1], "--every") == 0) {
        campaign.every = (unsigned)strtoul(argv[2], NULL, 10);
        first = 3;
    }
    arena_init(&campaign.arena, (size_t)256 << 20);
    read_files(&campaign);
    campaign.stories = golden_load(&campaign.story_count);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    campaign.of = cores < 1 ? 1 : cores > PROCESSES_MAX ? PROCESSES_MAX : (unsigned)cores;
    struct counts *counts = mmap(NULL, sizeof *counts * PROCESSES_MAX, PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(counts != MAP_FAILED);
    for (unsigned p = 0; p < campaign.of; p++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            campaign.share = p;
            work(&campaign, argc, argv, first);
            counts[p] = campaign.counts;
            fflush(stdout);
            _exit(0);
        }
    }
    bool is_broken = false;
    struct counts sum = { 0 };
    for (unsigned p = 0; p < campaign.of; p++) {
        int status;
        wait(&status);
        is_broken = is_broken || status != 0;
    }
    for (unsigned p = 0; p < campaign.of; p++) {
        sum.changes += counts[p].changes;
        sum.refused += counts[p].refused;
        sum.noticed += counts[p].noticed;
        sum.pinned += counts[p].pinned;
        sum.excused += counts[p].excused;
        sum.survived += counts[p].survived;
        sum.useless += counts[p].useless;
    }
    printf(
        "%u changes: %u noticed by a story or at a limit, %u refused by the loader, %u noticed by "
        "the signed list alone, %u that cannot matter, %u survived, %u excused in vain\n",
        sum.changes, sum.noticed, sum.refused, sum.pinned, sum.excused, sum.survived, sum.useless);
    return is_broken || sum.survived > 0 || sum.useless > 0 || sum.changes == 0;
}
