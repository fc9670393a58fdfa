/* outbox/limits.h -- every bound of the outbox in one place. */
#pragma once

#define OUTBOX_ANSWER_MAX ((size_t)1024 * 1024) /* bytes of one answer; the rest is not read */
#define OUTBOX_METADATA_MAX ((size_t)8 * 1024 * 1024) /* ... of a CapabilityStatement */
#define OUTBOX_ARENA_MAX ((size_t)16 * 1024 * 1024)   /* one delivery, all its exchanges */
#define OUTBOX_SCRATCH_MAX ((size_t)64 * 1024 * 1024) /* one claim; one CapabilityStatement */
#define OUTBOX_IN_FLIGHT_MAX 64                       /* deliveries of one destination at once */
#define OUTBOX_RUNS_PER_IN_FLIGHT 4                   /* of which most are only being saved */
#define OUTBOX_RUNS_MAX 128
#define OUTBOX_CLAIMED_MS \
    100                    /* how long a claimed row may wait for its turn before it is put back */
#define OUTBOX_IN_FLIGHT 4 /* ... by default */
#define OUTBOX_TIMEOUT_MS 30000 /* a whole exchange, by default */
#define OUTBOX_CONNECT_MS 10000 /* of it, to reach the peer */
#define OUTBOX_HORIZON_MS (INT64_C(7) * 24 * 3600 * 1000)
#define OUTBOX_EXCHANGES_MAX 24 /* of one delivery; then it is put off */
#define OUTBOX_PAGES_MAX 10     /* of one search */
#define OUTBOX_CONFLICTS_MAX 5  /* 409 and 412 of one delivery; then it is put off */
#define OUTBOX_MERGES_MAX 3     /* of one patient that are followed in one delivery */
#define OUTBOX_SEARCHES_MAX 3   /* searches that find nothing before a lost POST is repeated */
#define OUTBOX_RECORDS_MAX 32   /* records read from one search */
#define OUTBOX_TOKEN_MAX 16384  /* bytes of a bearer token */
#define OUTBOX_URL_MAX 2048
#define OUTBOX_EDIT_MARGIN_MS 60000        /* an edit counts as one when it is this much newer */
#define OUTBOX_CAPABILITY_FRESH_MS 3600000 /* how long a CapabilityStatement is believed */
#define OUTBOX_RETRY_AFTER_MAX_MS (INT64_C(24) * 3600 * 1000)
#define OUTBOX_SIBLING_WAIT_MS 3600000 /* a Provenance whose Flag is given up looks again */
#define OUTBOX_LANE_RETRY_MS 20        /* the lane's queue was full */
#define OUTBOX_LOOK_AGAIN_MS 1000      /* while rows under way hide what falls due next */
#define OUTBOX_SLEEP_MAX_MS 60000      /* the wall clock may jump; look at least this often */
#define OUTBOX_CHECKS_PER_MINUTE 10    /* settled records that are looked at again, by default */
#define BREAKER_FAILURES_MAX 5
#define BREAKER_WINDOW_MS INT64_C(30000)
#define BREAKER_WINDOW_LEAST 10 /* exchanges of a window before their share of failures counts */
