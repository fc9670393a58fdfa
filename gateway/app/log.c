#include "app/log.h"

#include <inttypes.h>
#include <poll.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

static const char *const level_names[] = { "error", "warning", "info", "debug" };

/* The one thing in the process that is global by nature: where its log goes. */
static int log_fd = STDOUT_FILENO;
static const char *log_version = "";
static _Atomic int level_max = LOG_INFO;
static _Atomic uint64_t dropped, dropped_told;

void log_open(int fd, enum log_level level, const char *version)
{
    log_fd = fd;
    log_version = version;
    atomic_store(&level_max, (int)level);
}

void log_set_level(enum log_level level) { atomic_store(&level_max, (int)level); }

bool log_is_on(enum log_level level)
{
    return (int)level <= atomic_load_explicit(&level_max, memory_order_relaxed);
}

uint64_t log_dropped(void) { return atomic_load(&dropped); }

/* Quoted and escaped; what is not printable ASCII becomes \u00xx, so that no byte of a log line can
 * move a cursor, end the line or break its JSON. */
static void add_string(struct text *line, struct slice word)
{
    text_add(line, "\"");
    for (size_t i = 0; i < word.len && i < 256; i++) {
        unsigned char c = (unsigned char)word.at[i];
        if (c == '"' || c == '\\')
            text_add(line, "\\%c", c);
        else if (c < 0x20 || c >= 0x7f)
            text_add(line, "\\u%04x", c);
        else
            text_add(line, "%c", c);
    }
    text_add(line, "\"");
}

static void add_time(struct text *line)
{
    struct timespec now;
    struct tm utc;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    text_add(line, "\"%04d-%02d-%02dT%02d:%02d:%02d.%06ldZ\"", utc.tm_year + 1900, utc.tm_mon + 1,
             utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, now.tv_nsec / 1000);
}

static void add_field(struct text *line, const struct log_field *field)
{
    text_add(line, ",\"%s\":", field->name);
    switch (field->kind) {
    case LOG_FIELD_NUMBER:
        text_add(line, "%" PRId64, field->number);
        break;
    case LOG_FIELD_WORD:
        add_string(line, field->word);
        break;
    case LOG_FIELD_ERROR:
        add_string(line, slice_of(err_name(field->err->code)));
        text_add(line, ",\"where\":");
        add_string(line, slice_of(field->err->where));
        text_add(line, ",\"what\":");
        add_string(line, slice_of(field->err->what));
        break;
    }
}

static bool write_line(const struct text *line)
{
    struct pollfd ready = { .fd = log_fd, .events = POLLOUT };

    if (poll(&ready, 1, 0) != 1 || (ready.revents & POLLOUT) == 0)
        return false;
    return write(log_fd, line->at, line->used) == (ssize_t)line->used;
}

void log_event(enum log_level level, const char *event, const struct log_field *fields,
               unsigned count)
{
    char buffer[LOG_LINE_MAX];
    struct text line = { buffer, sizeof buffer - 4, 0 }; /* the end of the line always fits */

    if (!log_is_on(level))
        return;
    text_add(&line, "{\"ts\":");
    add_time(&line);
    text_add(&line, ",\"level\":\"%s\",\"event\":\"%s\",\"version\":\"%s\"", level_names[level],
             event, log_version);
    uint64_t lost = atomic_load(&dropped) - atomic_load(&dropped_told);
    if (lost > 0)
        text_add(&line, ",\"dropped\":%" PRIu64, lost);
    for (unsigned i = 0; i < count; i++) {
        size_t before = line.used;
        add_field(&line, &fields[i]);
        if (line.used >= line.size - 1) { /* a cut field would break the JSON: leave it out */
            line.used = before;
            break;
        }
    }
    line.size += 4;
    text_add(&line, "}\n");
    if (write_line(&line))
        atomic_fetch_add(&dropped_told, lost);
    else
        atomic_fetch_add(&dropped, 1);
}
