/* base/check.h -- programmer errors stop the process, in every build.
 *
 * What      CHECK is for what must hold if our own code is right.  Input, peers, disks and clocks
 *           are never CHECKed: they fail through struct err (base/err.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

/* Stops the process when `condition` is false.  State one condition per CHECK. */
#define CHECK(condition) \
    ((condition) ? (void)0 : check_failed(#condition, __FILE__, __LINE__, __func__))

_Noreturn void check_failed(const char *condition, const char *file, int line,
                            const char *function);

#define CONTAINER_OF(pointer, type, member) ((type *)((uintptr_t)(pointer)-offsetof(type, member)))
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
