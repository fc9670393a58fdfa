/* Patients, their states, and who depends on whose resources, in SQLite.
 *
 * A state is rewritten with every order of its patient, and nearly every rewrite moves next_day a
 * little later.  An index on next_day would be written as often and would double what a commit
 * writes.  So the index is on due_day, which is never later than next_day but may lag behind: a
 * save touches it only to move it earlier, and store_patients_due() catches up on the few rows
 * that it meets. */
#include <stdlib.h>

#include "base/date.h"
#include "store/sqlite_int.h"

#define CATCH_UP_MAX 1024 /* lagging rows put right in one call */

/* --- names -------------------------------------------------------------------------------- */

bool sqlite_patient_find(struct store_tx *base, int32_t tenant, struct slice name, int64_t *key,
                         bool *found, struct err *err)
{
    struct sqlite_tx *tx = sqlite_of(base);
    sqlite3_stmt *statement = sqlite_use(tx, SQL_PATIENT_FIND, err);
    if (statement == NULL)
        return false;
    sqlite_put_integer(statement, 1, tenant);
    sqlite_put_text(statement, 2, name);
    int64_t first = 0;
    unsigned count = 0;
    if (!sqlite_keys(tx, SQL_PATIENT_FIND, &first, 1, &count, err))
        return false;
    *found = count == 1;
    if (*found)
        *key = first;
    return true;
}

bool sqlite_patient_create(struct store_tx *base, int32_t tenant, struct slice name, int64_t *key,
                           struct err *err)
{
    struct sqlite_tx *tx = sqlite_of(base);
    sqlite3_stmt *row = sqlite_use(tx, SQL_PATIENT_CREATE, err);
    if (row == NULL)
        return false;
    sqlite_put_integer(row, 1, tenant);
    sqlite_put_text(row, 2, name);
    if (!sqlite_run(tx, SQL_PATIENT_CREATE, err))
        return false;
    int64_t created = sqlite3_last_insert_rowid(tx->db);

    sqlite3_stmt *entry = sqlite_use(tx, SQL_PATIENT_CREATE_NAME, err);
    if (entry == NULL)
        return false;
    sqlite_put_integer(entry, 1, tenant);
    sqlite_put_text(entry, 2, name);
    sqlite_put_integer(entry, 3, created);
    if (!sqlite_run(tx, SQL_PATIENT_CREATE_NAME, err))
        return false;
    *key = created;
    return true;
}

bool sqlite_patient_name(struct store_tx *base, int64_t key, struct arena *arena, int32_t *tenant,
                         struct slice *name, bool *found, struct err *err)
{
    struct sqlite_tx *tx = sqlite_of(base);
    sqlite3_stmt *statement = sqlite_use(tx, SQL_PATIENT_NAME, err);
    bool has_row = false;
    if (statement == NULL)
        return false;
    sqlite_put_integer(statement, 1, key);
    if (!sqlite_next(tx, SQL_PATIENT_NAME, &has_row, err))
        return false;
    struct slice copy = SLICE("");
    bool is_read = !has_row || store_copy(arena, sqlite_slice(statement, 1), &copy, err);
    int32_t number = has_row ? sqlite3_column_int(statement, 0) : 0;
    sqlite_end(tx, SQL_PATIENT_NAME);
    if (!is_read)
        return false;
    *found = has_row;
    if (has_row) {
        *tenant = number;
        *name = copy;
    }
    return true;
}

/* --- states ------------------------------------------------------------------------------- */

static struct sqlite_due *due_of(struct sqlite_tx *tx, int64_t patient)
{
    return &tx->due[(uint64_t)patient % SQLITE_DUE_COUNT];
}

static int32_t column_day(sqlite3_stmt *statement, int column)
{
    return sqlite3_column_type(statement, column) == SQLITE_NULL
               ? DATE_NONE
               : sqlite3_column_int(statement, column);
}

static void put_day(sqlite3_stmt *statement, int at, int32_t day)
{
    if (day == DATE_NONE)
        sqlite3_bind_null(statement, at);
    else
        sqlite_put_integer(statement, at, day);
}

bool sqlite_patient_load(struct store_tx *base, int64_t key, struct arena *arena,
                         struct slice *state, struct err *err)
{
    struct sqlite_tx *tx = sqlite_of(base);
    sqlite3_stmt *statement = sqlite_use(tx, SQL_PATIENT_LOAD, err);
    bool has_row = false;
    if (statement == NULL)
        return false;
    sqlite_put_integer(statement, 1, key);
    if (!sqlite_next(tx, SQL_PATIENT_LOAD, &has_row, err))
        return false;
    struct slice copy = SLICE("");
    bool is_read = !has_row || store_copy(arena, sqlite_slice(statement, 0), &copy, err);
    if (has_row)
        *due_of(tx, key) = (struct sqlite_due){ key, column_day(statement, 1) };
    sqlite_end(tx, SQL_PATIENT_LOAD);
    if (is_read)
        *state = copy;
    return is_read;
}

static bool read_due_day(struct sqlite_tx *tx, int64_t key, int32_t *out, struct err *err)
{
    struct sqlite_due *due = due_of(tx, key);
    bool has_row = false;
    if (due->patient == key) {
        *out = due->due_day;
        return true;
    }
    sqlite3_stmt *statement = sqlite_use(tx, SQL_PATIENT_DUE_DAY, err);
    if (statement == NULL)
        return false;
    sqlite_put_integer(statement, 1, key);
    if (!sqlite_next(tx, SQL_PATIENT_DUE_DAY, &has_row, err))
        return false;
    *out = has_row ? column_day(statement, 0) : DATE_NONE;
    sqlite_end(tx, SQL_PATIENT_DUE_DAY);
    return true;
}

static bool set_due_day(struct sqlite_tx *tx, int64_t key, int32_t day, struct err *err)
{
    sqlite3_stmt *statement = sqlite_use(tx, SQL_PATIENT_SET_DUE, err);
    if (statement == NULL)
        return false;
    sqlite_put_integer(statement, 1, key);
    put_day(statement, 2, day);
    if (!sqlite_run(tx, SQL_PATIENT_SET_DUE, err))
        return false;
    *due_of(tx, key) = (struct sqlite_due){ key, day };
    return true;
}

bool sqlite_patient_save(struct store_tx *base, int64_t key, struct slice state, int32_t next_day,
                         struct err *err)
{
    struct sqlite_tx *tx = sqlite_of(base);
    int32_t due_day = DATE_NONE;
    sqlite3_stmt *statement = sqlite_use(tx, SQL_PATIENT_SAVE, err);
    if (statement == NULL || !read_due_day(tx, key, &due_day, err))
        return false;
    sqlite_put_integer(statement, 1, key);
    put_day(statement, 2, next_day);
    sqlite_put_blob(statement, 3, state);
    if (!sqlite_run(tx, SQL_PATIENT_SAVE, err))
        return false;
    if (sqlite3_changes(tx->db) != 1)
        return err_fail(err, ERR_NOT_FOUND, "store.patient", "there is no such patient");
    bool is_too_late = next_day != DATE_NONE && (due_day == DATE_NONE || next_day < due_day);
    return !is_too_late || set_due_day(tx, key, next_day, err);
}

/* --- who is due --------------------------------------------------------------------------- */

struct lagging {
    int64_t key;
    int32_t next_day;
};

static int by_key(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* Rows whose due_day has come: those that are due, and those whose due_day only lags. */
static bool find_due(struct sqlite_tx *tx, int32_t day, unsigned max, int64_t *keys,
                     unsigned *count, struct lagging *lagging, unsigned *lagging_count,
                     struct err *err)
{
    sqlite3_stmt *statement = sqlite_use(tx, SQL_PATIENTS_DUE, err);
    if (statement == NULL)
        return false;
    sqlite_put_integer(statement, 1, day);
    while (*count < max) {
        bool has_row = false;
        if (!sqlite_next(tx, SQL_PATIENTS_DUE, &has_row, err))
            return false;
        if (!has_row)
            return true;
        int64_t key = sqlite3_column_int64(statement, 0);
        int32_t next_day = column_day(statement, 1);
        if (next_day != DATE_NONE && next_day <= day)
            keys[(*count)++] = key;
        else if (*lagging_count < CATCH_UP_MAX)
            lagging[(*lagging_count)++] = (struct lagging){ key, next_day };
    }
    sqlite_end(tx, SQL_PATIENTS_DUE);
    return true;
}

bool sqlite_patients_due(struct store_tx *base, int32_t day, unsigned max, int64_t *keys,
                         unsigned *count, struct err *err)
{
    struct sqlite_tx *tx = sqlite_of(base);
    struct lagging lagging[CATCH_UP_MAX];
    unsigned lagging_count = 0, got = 0;
    if (!find_due(tx, day, max, keys, &got, lagging, &lagging_count, err))
        return false;
    for (unsigned i = 0; i < lagging_count && !base->store->is_read_only; i++)
        if (!set_due_day(tx, lagging[i].key, lagging[i].next_day, err))
            return false;
    qsort(keys, got, sizeof keys[0], by_key);
    *count = got;
    return true;
}

bool sqlite_patients(struct store_tx *base, int32_t tenant, int64_t after, unsigned max,
                     int64_t *keys, unsigned *count, struct err *err)
{
    struct sqlite_tx *tx = sqlite_of(base);
    sqlite3_stmt *statement = sqlite_use(tx, SQL_PATIENTS, err);
    if (statement == NULL)
        return false;
    sqlite_put_integer(statement, 1, after);
    sqlite_put_integer(statement, 2, tenant);
    sqlite_put_integer(statement, 3, max);
    return sqlite_keys(tx, SQL_PATIENTS, keys, max, count, err);
}

/* --- links -------------------------------------------------------------------------------- */

bool sqlite_link_put(struct store_tx *base, int32_t tenant, struct slice target, int64_t patient,
                     struct err *err)
{
    struct sqlite_tx *tx = sqlite_of(base);
    sqlite3_stmt *statement = sqlite_use(tx, SQL_LINK_PUT, err);
    if (statement == NULL)
        return false;
    sqlite_put_integer(statement, 1, tenant);
    sqlite_put_text(statement, 2, target);
    sqlite_put_integer(statement, 3, patient);
    return sqlite_run(tx, SQL_LINK_PUT, err);
}

bool sqlite_link_scan(struct store_tx *base, int32_t tenant, struct slice target, int64_t after,
                      unsigned max, int64_t *patients, unsigned *count, struct err *err)
{
    struct sqlite_tx *tx = sqlite_of(base);
    sqlite3_stmt *statement = sqlite_use(tx, SQL_LINK_SCAN, err);
    if (statement == NULL)
        return false;
    sqlite_put_integer(statement, 1, tenant);
    sqlite_put_text(statement, 2, target);
    sqlite_put_integer(statement, 3, after);
    sqlite_put_integer(statement, 4, max);
    return sqlite_keys(tx, SQL_LINK_SCAN, patients, max, count, err);
}
