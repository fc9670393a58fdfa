#include "app/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/pool.h"
#include "base/text.h"
#include "loop/loop.h"

#define BAR_WIDTH 24
#define SILENT_MS 1000
#define EVERY_MS 100

struct progress {
    bool is_terminal, is_shown;
    int64_t begun_ms, shown_ms;
    const char *what;
    int64_t what_ms;
};

/* --- the line -------------------------------------------------------------------------------- */

static void add_bar(struct text *text, uint64_t done, uint64_t total)
{
    unsigned filled = (unsigned)(done * BAR_WIDTH / total);

    text_add(text, " %3u %% [", (unsigned)(done * 100 / total));
    for (unsigned i = 0; i < BAR_WIDTH; i++)
        text_add_slice(text, i < filled ? SLICE("=") : i == filled ? SLICE(">") : SLICE(" "));
    text_add_slice(text, SLICE("]"));
}

static void add_count(struct text *text, uint64_t count)
{
    if (count >= 10000000)
        text_add(text, "%u million", (unsigned)(count / 1000000));
    else if (count >= 1000)
        text_add(text, "%u,%03u", (unsigned)(count / 1000), (unsigned)(count % 1000));
    else
        text_add(text, "%u", (unsigned)count);
}

static void add_rate(struct text *text, const struct progress_numbers *numbers)
{
    uint64_t per_second = numbers->done * 1000 / (uint64_t)numbers->elapsed_ms;

    if (numbers->is_bytes) {
        text_add(text, "  %u.%u MB/s", (unsigned)(per_second / 1000000),
                 (unsigned)(per_second / 100000 % 10));
    } else {
        text_add_slice(text, SLICE("  "));
        add_count(text, per_second);
        text_add_slice(text, SLICE(" patients/s"));
    }
}

static void add_time_left(struct text *text, const struct progress_numbers *numbers)
{
    uint64_t left = numbers->total - numbers->done;
    uint64_t seconds =
        (uint64_t)((double)left * (double)numbers->elapsed_ms / (double)numbers->done / 1000) + 1;

    if (seconds < 90)
        text_add(text, "  %u s left", (unsigned)seconds);
    else if (seconds < 90 * 60)
        text_add(text, "  %u min left", (unsigned)((seconds + 59) / 60));
    else
        text_add(text, "  %u h left", (unsigned)((seconds + 3599) / 3600));
}

const char *progress_text(const struct progress_numbers *numbers, char out[PROGRESS_TEXT_SIZE])
{
    struct text text = { out, PROGRESS_TEXT_SIZE, 0 };
    bool has_total = numbers->total > 0 && numbers->done <= numbers->total;

    text_add(&text, "%-9s", numbers->what);
    if (has_total)
        add_bar(&text, numbers->done, numbers->total);
    else if (numbers->is_bytes)
        text_add(&text, " %u MB", (unsigned)(numbers->done / 1000000));
    if (numbers->elapsed_ms > 0 && numbers->done > 0) {
        add_rate(&text, numbers);
        if (numbers->patients > 0) {
            text_add_slice(&text, SLICE("  "));
            add_count(&text, numbers->patients);
            text_add_slice(&text, SLICE(" patients"));
        }
        if (has_total)
            add_time_left(&text, numbers);
    }
    return out;
}

/* --- the terminal ---------------------------------------------------------------------------- */

static int64_t now_ms(void) { return clock_monotonic_ns() / 1000000; }

struct progress *progress_open(void)
{
    struct progress *progress = pool_new(sizeof *progress);
    const char *terminal = getenv("TERM");

    progress->is_terminal =
        isatty(STDERR_FILENO) != 0 && (terminal == NULL || strcmp(terminal, "dumb") != 0);
    progress->begun_ms = now_ms();
    return progress;
}

void progress_hide(struct progress *progress)
{
    if (progress->is_shown)
        fputs("\r\x1b[K", stderr);
    progress->is_shown = false;
}

void progress_close(struct progress *progress)
{
    progress_hide(progress);
    pool_free(progress);
}

void progress_show(struct progress *progress, const struct progress_numbers *numbers)
{
    char line[PROGRESS_TEXT_SIZE];

    if (!progress->is_terminal)
        return;
    int64_t now = now_ms();
    if (progress->what != numbers->what) {
        progress->what = numbers->what;
        progress->what_ms = now;
    }
    if (now - progress->begun_ms < SILENT_MS || now - progress->shown_ms < EVERY_MS)
        return;
    struct progress_numbers timed = *numbers;
    timed.elapsed_ms = now - progress->what_ms;
    fprintf(stderr, "\r\x1b[K%s", progress_text(&timed, line));
    fflush(stderr);
    progress->shown_ms = now;
    progress->is_shown = true;
}
