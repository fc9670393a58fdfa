#include "outbox/crowd.h"

#define HALF 50 /* answers; the usual time is the least of two halves */
#define LATE_US INT64_C(100000)

void crowd_init(struct crowd *crowd, unsigned most)
{
    *crowd = (struct crowd){ .most = most, .limit = most };
}

static int64_t usual_us(const struct crowd *crowd)
{
    bool is_first = crowd->before_us == 0 || crowd->least_us < crowd->before_us;
    return is_first && crowd->least_us != 0 ? crowd->least_us : crowd->before_us;
}

static void learn(struct crowd *crowd, int64_t took_us)
{
    if (crowd->seen == HALF) {
        crowd->before_us = crowd->least_us;
        crowd->least_us = 0;
        crowd->seen = 0;
    }
    crowd->seen++;
    if (crowd->least_us == 0 || took_us < crowd->least_us)
        crowd->least_us = took_us > 0 ? took_us : 1;
}

static void set(struct crowd *crowd, unsigned limit)
{
    crowd->limit = limit < 1 ? 1 : limit > crowd->most ? crowd->most : limit;
    crowd->good = 0;
}

void crowd_note(struct crowd *crowd, enum crowd_answer answer, int64_t took_us)
{
    if (answer == CROWD_REFUSED) {
        set(crowd, crowd->limit / 2);
        return;
    }
    int64_t usual = usual_us(crowd);
    bool is_late = usual != 0 && took_us > 2 * usual + LATE_US;
    learn(crowd, took_us);
    if (is_late)
        set(crowd, crowd->limit - 1);
    else if (++crowd->good >= crowd->limit)
        set(crowd, crowd->limit + 1);
}
