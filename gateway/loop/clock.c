#include <time.h>

#include "loop/loop.h"

static int64_t clock_read_ns(clockid_t clock)
{
    struct timespec now;
    CHECK(clock_gettime(clock, &now) == 0);
    return (int64_t)now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

int64_t clock_wall_ms(void) { return clock_read_ns(CLOCK_REALTIME) / 1000000; }

int64_t clock_monotonic_ns(void) { return clock_read_ns(CLOCK_MONOTONIC); }
