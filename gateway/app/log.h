/* app/log.h -- the operational log: one JSON object per line on standard output.
 *
 * What      events have fixed names (app/README.md lists them) and typed fields: numbers, fixed
 *           words of our code, settings of the configuration, the request id, and struct err, which
 *           never quotes a resource.  There is deliberately no way to log free text or an id of a
 *           resource or patient.  This is not the audit log (audit/audit.h).
 * Errors    a line that cannot be written at once (full pipe, full disk) is dropped and counted;
 *           the next one that passes carries "dropped".  A loop never waits for a log reader.
 * Thread    any.
 */
#pragma once

#include "base/err.h"
#include "base/slice.h"

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

#define LOG_LINE_MAX 2048 /* below PIPE_BUF, so that lines of several threads never mix */

enum log_field_kind { LOG_FIELD_NUMBER, LOG_FIELD_WORD, LOG_FIELD_ERROR };

struct log_field {
    const char *name;
    enum log_field_kind kind;
    int64_t number;
    struct slice word;
    const struct err *err;
};

/* Before the first line; `fd` is 1 for the service. */
void log_open(int fd, enum log_level level, const char *version);
void log_set_level(enum log_level level);
bool log_is_on(enum log_level level);
uint64_t log_dropped(void);

void log_event(enum log_level level, const char *event, const struct log_field *fields,
               unsigned count);

static inline struct log_field log_number(const char *name, int64_t number)
{
    return (struct log_field){ name, LOG_FIELD_NUMBER, number, SLICE(""), NULL };
}
/* A word of our own code: a state, an interaction, a method. */
static inline struct log_field log_word(const char *name, const char *word)
{
    return (struct log_field){ name, LOG_FIELD_WORD, 0, slice_of(word), NULL };
}
/* A value of the configuration: address, file, tenant, destination. */
static inline struct log_field log_setting(const char *name, const char *setting)
{
    return (struct log_field){ name, LOG_FIELD_WORD, 0, slice_of(setting), NULL };
}
static inline struct log_field log_request_id(struct slice id)
{
    return (struct log_field){ "request_id", LOG_FIELD_WORD, 0, id, NULL };
}
/* Becomes "error", "where" and "what". */
static inline struct log_field log_err(const struct err *err)
{
    return (struct log_field){ "error", LOG_FIELD_ERROR, 0, SLICE(""), err };
}

/* LOG(LOG_INFO, "server.ready", log_setting("address", "..."), log_number("port", 8443)); */
#define LOG(level, event, ...)                                             \
    log_event((level), (event), (const struct log_field[]){ __VA_ARGS__ }, \
              (unsigned)COUNT_OF(((const struct log_field[]){ __VA_ARGS__ })))
