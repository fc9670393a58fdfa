/* outbox/bucket.h -- how many requests a destination is asked to bear, by day and by night.
 *
 * What      EHRs publish no rate and ask clients to throttle themselves.  A bucket fills at the
 *           rate of the hour (in the destination's own time) and holds ten seconds' worth; at the
 *           start, and when the destination is back after an outage, one second's.  What was
 *           begun is finished: a delivery may need several requests, charged as debt.
 * Thread    pure.
 * Rules     standards/writeback 2 (Epic 3).
 */
#pragma once

#include "base/check.h"

struct bucket_plan {
    unsigned per_minute;           /* 0: as many as there are */
    unsigned night_per_minute;     /* 0: as by day */
    unsigned night_from, night_to; /* minutes of the destination's day; equal: no night */
    int utc_offset_minutes;
};

struct bucket {
    struct bucket_plan plan;
    int64_t milli; /* thousandths of a request that may be made; below 0: debt */
    int64_t at_ms;
};

void bucket_init(struct bucket *bucket, const struct bucket_plan *plan, int64_t now_ms);
/* What has gathered while nothing could be sent is no claim to a flood. */
void bucket_empty(struct bucket *bucket, int64_t now_ms);
/* 0 when a request may be made now, else when to ask again. */
int64_t bucket_wait_until(struct bucket *bucket, int64_t now_ms);
/* One request was made. */
void bucket_charge(struct bucket *bucket, int64_t now_ms);
/* The beginning of the destination's next day: where a daily quota is over. */
int64_t bucket_next_day_ms(const struct bucket_plan *plan, int64_t now_ms);
