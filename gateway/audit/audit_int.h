/* audit/audit_int.h -- the fixed beginning of a record's line, and hex: shared in this folder. */
#pragma once

#include "audit/audit.h"

/* {"seq":12,"prev":"<64 hex>","time":"2026-11-23T08:30:00.123Z","mono":123, */
struct audit_line {
    int64_t seq;
    struct sha256 prev;
    int64_t time_ms, monotonic_ns;
};

/* False when the line does not begin as every line that audit_write() makes. */
bool audit_line_parse(struct slice line, struct audit_line *out) MUST_USE;
/* Strict decimal: no sign, no leading zero, at most INT64_MAX. */
bool audit_take_number(struct slice *rest, int64_t *out) MUST_USE;
bool audit_take(struct slice *rest, struct slice what) MUST_USE;
/* 64 lower-case hex digits. */
bool audit_take_hash(struct slice *rest, struct sha256 *out) MUST_USE;
/* The first fault stays. */
bool audit_set_fault(struct audit_verifier *verifier, enum audit_fault fault, int64_t seq,
                     const char *format, ...) PRINTF_LIKE(4, 5);
