#include "outbox/bucket.h"

#define MINUTE_MS INT64_C(60000)
#define DAY_MS (INT64_C(24) * 60 * MINUTE_MS)

static int64_t local_ms(const struct bucket_plan *plan, int64_t now_ms)
{
    return now_ms + plan->utc_offset_minutes * MINUTE_MS;
}

static bool is_night(const struct bucket_plan *plan, int64_t now_ms)
{
    unsigned minute = (unsigned)(local_ms(plan, now_ms) % DAY_MS / MINUTE_MS);
    if (plan->night_from <= plan->night_to)
        return minute >= plan->night_from && minute < plan->night_to;
    return minute >= plan->night_from || minute < plan->night_to;
}

static int64_t rate_of(const struct bucket_plan *plan, int64_t now_ms)
{
    bool has_night = plan->night_per_minute > 0 && plan->night_from != plan->night_to;
    return has_night && is_night(plan, now_ms) ? plan->night_per_minute : plan->per_minute;
}

static int64_t capacity_of(int64_t per_minute)
{
    int64_t milli = per_minute * 1000 / 6;
    return milli > 1000 ? milli : 1000;
}

static void fill(struct bucket *bucket, int64_t now_ms)
{
    int64_t rate = rate_of(&bucket->plan, now_ms), passed_ms = now_ms - bucket->at_ms;
    bucket->at_ms = now_ms;
    if (passed_ms > 0) /* a clock that was set back gives nothing */
        bucket->milli += passed_ms < DAY_MS ? passed_ms * rate / 60 : capacity_of(rate);
    if (bucket->milli > capacity_of(rate))
        bucket->milli = capacity_of(rate);
}

void bucket_init(struct bucket *bucket, const struct bucket_plan *plan, int64_t now_ms)
{
    *bucket = (struct bucket){ .plan = *plan, .milli = INT64_MAX };
    bucket_empty(bucket, now_ms);
}

void bucket_empty(struct bucket *bucket, int64_t now_ms)
{
    int64_t second = rate_of(&bucket->plan, now_ms) * 1000 / 60;
    int64_t most = second > 1000 ? second : 1000;
    bucket->at_ms = now_ms;
    if (bucket->milli > most) /* a debt stays one */
        bucket->milli = most;
}

int64_t bucket_wait_until(struct bucket *bucket, int64_t now_ms)
{
    int64_t rate = rate_of(&bucket->plan, now_ms);
    if (bucket->plan.per_minute == 0)
        return 0;
    if (now_ms - bucket->at_ms >= 60 || now_ms < bucket->at_ms)
        fill(bucket, now_ms);
    if (bucket->milli >= 1000)
        return 0;
    return now_ms + (1000 - bucket->milli) * 60 / rate + 60;
}

void bucket_charge(struct bucket *bucket, int64_t now_ms)
{
    if (bucket->plan.per_minute == 0)
        return;
    if (now_ms - bucket->at_ms >= 60)
        fill(bucket, now_ms);
    bucket->milli -= 1000;
}

int64_t bucket_next_day_ms(const struct bucket_plan *plan, int64_t now_ms)
{
    int64_t local = local_ms(plan, now_ms);
    return now_ms + DAY_MS - local % DAY_MS;
}
