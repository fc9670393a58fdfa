/* How a chain is judged.
 *
 * Each row brings four witnesses: its place (the seq column), the seq and the `prev` inside its
 * line, and the hash stored beside it.  A row continues the chain when all four agree with the head
 * so far.  A row is whole when SHA-256(its own prev || line) is its hash: then it is a record that
 * was really written, wherever it stands now, and the seq inside tells where it belongs.  The first
 * row that does not continue the chain becomes the suspect; what it means is told by two facts:
 *
 *   is it whole?   does the record that belongs here come later?   then it is
 *   no             no                                              edited
 *   no             yes                                             inserted, or as below
 *   yes, later one no                                              removed: what belongs here
 *   yes, later one yes; the suspect comes again: inserted, a copy; else reordered
 *   yes, old one   -                                               inserted: a copy
 *   yes, right seq but another prev, and no: the record before it was edited and hashed anew
 */
#include <stdarg.h>
#include <stdio.h>

#include "audit/audit_int.h"

static const char *const fault_names[] = {
    [AUDIT_OK] = "ok",
    [AUDIT_EDITED] = "edited",
    [AUDIT_REMOVED] = "removed",
    [AUDIT_INSERTED] = "inserted",
    [AUDIT_REORDERED] = "reordered",
    [AUDIT_TRUNCATED] = "truncated",
    [AUDIT_REWRITTEN] = "rewritten",
    [AUDIT_BAD_SIGNATURE] = "bad signature",
    [AUDIT_CLOCK_BACK] = "clock back",
};

const char *audit_fault_name(enum audit_fault fault)
{
    CHECK((size_t)fault < COUNT_OF(fault_names));
    return fault_names[fault];
}

bool audit_is_whole(const struct audit_verifier *verifier)
{
    return !verifier->suspect.is_open && verifier->rewritten_seq == 0 &&
           (verifier->fault == AUDIT_OK || verifier->fault == AUDIT_CLOCK_BACK);
}

static bool set_rewritten(struct audit_verifier *verifier)
{
    verifier->fault = AUDIT_REWRITTEN;
    verifier->fault_seq = verifier->rewritten_seq;
    snprintf(verifier->what, sizeof verifier->what,
             "record %lld has another hash than was signed: rewritten after record %lld",
             (long long)verifier->rewritten_seq, (long long)verifier->rewritten_after);
    return false;
}

bool audit_set_fault(struct audit_verifier *verifier, enum audit_fault fault, int64_t seq,
                     const char *format, ...)
{
    if (verifier->fault != AUDIT_OK)
        return false;
    verifier->suspect.is_open = false;
    if (verifier->rewritten_seq > 0 && (seq > verifier->rewritten_seq))
        return set_rewritten(verifier);
    va_list args;
    va_start(args, format);
    int wrote = vsnprintf(verifier->what, sizeof verifier->what, format, args);
    va_end(args);
    CHECK(wrote >= 0);
    verifier->fault = fault;
    verifier->fault_seq = seq;
    return false;
}

void audit_verify_start(struct audit_verifier *verifier)
{
    audit_verify_start_at(verifier, &(struct audit_head){ 0 });
}

void audit_verify_start_at(struct audit_verifier *verifier, const struct audit_head *before)
{
    *verifier = (struct audit_verifier){ .head = *before, .last_time_ms = INT64_MIN };
}

/* A row as the rules above see it. */
struct row {
    int64_t place;
    const struct sha256 *hash;
    bool is_readable;
    struct audit_line line;
    struct sha256 by_own_account; /* SHA-256(its own prev || line) */
    bool is_whole;
    bool fits; /* its prev is the head's hash */
};

static void clock_watch(struct audit_verifier *verifier, const struct audit_line *line)
{
    if (verifier->last_time_ms != INT64_MIN &&
        line->time_ms < verifier->last_time_ms - AUDIT_CLOCK_TOLERANCE_MS) {
        if (verifier->clock_steps_back++ == 0)
            verifier->clock_back_seq = line->seq;
    }
    verifier->last_time_ms = line->time_ms;
    verifier->last_monotonic_ns = line->monotonic_ns;
}

static bool suspect_open(struct audit_verifier *verifier, const struct row *row)
{
    verifier->suspect = (struct audit_suspect){
        .is_open = true,
        /* a record that continues the chain under a wrong number was made to fit */
        .is_whole = row->is_whole && !row->fits,
        .place = row->place,
        .seq = row->is_readable && !row->fits ? row->line.seq : 0,
        .hash = *row->hash,
    };
    return true;
}

/* The first row that does not continue the chain. */
static bool row_judge(struct audit_verifier *verifier, const struct row *row)
{
    int64_t last = verifier->head.seq;
    long long place = row->place, seq = row->line.seq;

    if (row->place <= last)
        return audit_set_fault(verifier, AUDIT_INSERTED, row->place, "record %lld is there twice",
                               place);
    if (!row->is_whole || row->fits)
        return suspect_open(verifier, row);
    if (row->line.seq == last && !sha256_equal(row->hash, &verifier->head.hash))
        return audit_set_fault(verifier, AUDIT_INSERTED, last,
                               "two records say that they are record %lld", seq);
    if (row->line.seq <= last)
        return audit_set_fault(verifier, AUDIT_INSERTED, row->place,
                               "a copy of record %lld stands at place %lld", seq, place);
    return suspect_open(verifier, row);
}

/* What a row behind the suspect tells about it. */
static void suspect_watch(struct audit_verifier *verifier, const struct row *row)
{
    struct audit_suspect *suspect = &verifier->suspect;
    if (!row->is_readable)
        return;
    if (row->is_whole && sha256_equal(row->hash, &suspect->hash))
        suspect->came_again = true;
    /* the second comparison: two lines changed places while their hashes stayed */
    if (row->fits && row->line.seq == verifier->head.seq + 1 &&
        (row->is_whole || sha256_equal(&row->by_own_account, &suspect->hash)))
        suspect->has_successor = true;
}

static void suspect_settle(struct audit_verifier *verifier)
{
    const struct audit_suspect suspect = verifier->suspect;
    int64_t missing = verifier->head.seq + 1;
    bool is_gap = suspect.place > missing;
    long long place = suspect.place, seq = suspect.seq, wanted = missing;

    if (suspect.has_successor && suspect.seq > missing && !suspect.came_again)
        audit_set_fault(verifier, AUDIT_REORDERED, missing,
                        "record %lld stands at place %lld, and record %lld comes later", seq, place,
                        wanted);
    else if (suspect.has_successor && is_gap)
        audit_set_fault(verifier, AUDIT_REORDERED, missing, "record %lld stands behind place %lld",
                        wanted, place);
    else if (suspect.has_successor)
        audit_set_fault(verifier, AUDIT_INSERTED, suspect.place,
                        "what stands at place %lld was not written between its neighbours", place);
    else if (!is_gap && suspect.is_whole && suspect.seq == missing)
        audit_set_fault(verifier, AUDIT_EDITED, missing > 1 ? missing - 1 : 1,
                        "record %lld was written behind another record than stands before it",
                        wanted);
    else if (is_gap || suspect.is_whole)
        audit_set_fault(verifier, AUDIT_REMOVED, missing,
                        "record %lld is missing; record %lld follows", wanted,
                        seq > 0 ? seq : place);
    else
        audit_set_fault(verifier, AUDIT_EDITED, suspect.place,
                        "record %lld does not match its hash", place);
}

bool audit_verify_row(struct audit_verifier *verifier, int64_t seq, struct slice line,
                      const struct sha256 *hash)
{
    if (verifier->fault != AUDIT_OK)
        return false;
    verifier->records++;
    struct row row = { .place = seq, .hash = hash };
    row.is_readable = audit_line_parse(line, &row.line);
    if (row.is_readable) {
        row.by_own_account = audit_hash(&row.line.prev, line);
        row.is_whole = sha256_equal(&row.by_own_account, hash);
        row.fits = sha256_equal(&row.line.prev, &verifier->head.hash);
    }
    if (verifier->suspect.is_open) {
        suspect_watch(verifier, &row);
        return true;
    }
    int64_t next = verifier->head.seq + 1;
    if (!row.is_whole || !row.fits || row.line.seq != next || row.place != next)
        return row_judge(verifier, &row);
    clock_watch(verifier, &row.line);
    verifier->head = (struct audit_head){ next, *hash };
    return true;
}

bool audit_verify_end(struct audit_verifier *verifier, const struct audit_head *stored)
{
    if (verifier->suspect.is_open)
        suspect_settle(verifier);
    if (verifier->fault != AUDIT_OK)
        return audit_is_whole(verifier);
    long long last = verifier->head.seq;
    if (stored != NULL && stored->seq > verifier->head.seq)
        return audit_set_fault(verifier, AUDIT_TRUNCATED, verifier->head.seq + 1,
                               "the head speaks of record %lld, the last one is %lld",
                               (long long)stored->seq, last);
    if (stored != NULL && stored->seq < verifier->head.seq)
        return audit_set_fault(verifier, AUDIT_INSERTED, stored->seq + 1,
                               "the head ends at record %lld, the last one is %lld",
                               (long long)stored->seq, last);
    if (stored != NULL && !sha256_equal(&stored->hash, &verifier->head.hash))
        return audit_set_fault(verifier, AUDIT_REWRITTEN, verifier->head.seq,
                               "the head names another hash for record %lld", last);
    if (verifier->rewritten_seq > 0)
        return set_rewritten(verifier);
    if (verifier->clock_steps_back > 0)
        audit_set_fault(verifier, AUDIT_CLOCK_BACK, verifier->clock_back_seq,
                        "the clock ran backwards %u times, first at record %lld",
                        verifier->clock_steps_back, (long long)verifier->clock_back_seq);
    return true;
}
