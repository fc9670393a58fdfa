/* store/sqlite_sql.h -- every statement of the SQLite backend in one table.
 *
 * What      names for the kept statements; the name also says in an error where it happened.
 */
#pragma once

/* Columns of a resource version and of a row of the outbox, in the order in which they are read. */
#define SQL_RESOURCE_ROW "key, tenant, type, version, patient, updated_ms, deleted"
#define SQL_OUTBOX_ROW                                                                          \
    "key, tenant, patient, kind, wish, state, attempts, due_ms, created_ms, changed_ms, "       \
    "last_status, revision, wanted, held, patient_name, destination, disease, identity, body, " \
    "target_id, target_etag, last_error"

/* clang-format off */
#define SQL_TABLE(X) \
    X(BEGIN, "BEGIN IMMEDIATE") \
    X(BEGIN_READ, "BEGIN") \
    X(COMMIT, "COMMIT") \
    X(ROLLBACK, "ROLLBACK") \
    X(SAVEPOINT, "SAVEPOINT job") \
    X(SAVEPOINT_KEEP, "RELEASE job") \
    X(SAVEPOINT_UNDO, "ROLLBACK TO job") \
    \
    X(TENANT_FIND, "SELECT tenant FROM tenant WHERE name = ?1") \
    X(TENANT_CREATE, "INSERT INTO tenant(name) VALUES(?1)") \
    \
    X(RESOURCE_INSERT, \
      "INSERT INTO resource(" SQL_RESOURCE_ROW ", id, body) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9)") \
    X(RESOURCE_NAME, "INSERT INTO resource_id(tenant, type, id, key) VALUES(?1,?2,?3,?4)") \
    X(RESOURCE_ARCHIVE, \
      "INSERT INTO history(" SQL_RESOURCE_ROW ", id, body) " \
      "SELECT " SQL_RESOURCE_ROW ", id, body FROM resource WHERE key = ?1 AND version = ?2") \
    X(RESOURCE_UPDATE, \
      "UPDATE resource SET version = ?2, patient = ?3, updated_ms = ?4, deleted = ?5, body = ?6 " \
      "WHERE key = ?1") \
    X(RESOURCE_GET, "SELECT " SQL_RESOURCE_ROW ", id, body FROM resource WHERE key = ?1") \
    X(RESOURCE_HEAD, "SELECT " SQL_RESOURCE_ROW ", id FROM resource WHERE key = ?1") \
    X(RESOURCE_FIND, "SELECT key FROM resource_id WHERE tenant = ?1 AND type = ?2 AND id = ?3") \
    X(RESOURCE_VERSION, \
      "SELECT " SQL_RESOURCE_ROW ", id, body FROM history WHERE key = ?1 AND version = ?2") \
    X(RESOURCE_SCAN, \
      "SELECT " SQL_RESOURCE_ROW ", id, body FROM resource " \
      "WHERE key > ?1 AND tenant = ?2 AND type = ?3 ORDER BY key LIMIT ?4") \
    X(RESOURCE_CREATIONS, \
      "SELECT key, key, 1 FROM resource WHERE key < ?1 AND tenant = ?2 AND (?3 = 0 OR type = ?3) " \
      "ORDER BY key DESC LIMIT ?4") \
    X(RESOURCE_REPLACEMENTS, \
      "SELECT row, key, version + 1 FROM history " \
      "WHERE row < ?1 AND tenant = ?2 AND (?3 = 0 OR type = ?3) ORDER BY row DESC LIMIT ?4") \
    \
    X(IDENTIFIER_PUT, \
      "INSERT OR IGNORE INTO identifier(tenant, type, value, key) VALUES(?1,?2,?3,?4)") \
    X(IDENTIFIER_CLEAR, "DELETE FROM identifier WHERE key = ?1 AND tenant = ?2 AND type = ?3") \
    X(IDENTIFIER_FIND, \
      "SELECT key FROM identifier WHERE tenant = ?1 AND type = ?2 AND value = ?3 " \
      "ORDER BY key LIMIT ?4") \
    \
    X(MENTION_APPEND, "INSERT INTO mention(key, hashes) VALUES(0, ?1)") \
    X(MENTION_SCAN, "SELECT key, hashes FROM mention") \
    \
    X(PATIENT_FIND, "SELECT key FROM patient_name WHERE tenant = ?1 AND name = ?2") \
    X(PATIENT_CREATE, "INSERT INTO patient(tenant, name) VALUES(?1,?2)") \
    X(PATIENT_CREATE_NAME, "INSERT INTO patient_name(tenant, name, key) VALUES(?1,?2,?3)") \
    X(PATIENT_LOAD, "SELECT state, due_day FROM patient WHERE key = ?1") \
    X(PATIENT_DUE_DAY, "SELECT due_day FROM patient WHERE key = ?1") \
    X(PATIENT_SAVE, "UPDATE patient SET next_day = ?2, state = ?3 WHERE key = ?1") \
    X(PATIENT_SET_DUE, "UPDATE patient SET due_day = ?2 WHERE key = ?1") \
    X(PATIENT_NAME, "SELECT tenant, name FROM patient WHERE key = ?1") \
    X(PATIENTS_DUE, \
      "SELECT key, next_day FROM patient WHERE due_day <= ?1 ORDER BY due_day, key") \
    X(PATIENTS, "SELECT key FROM patient WHERE key > ?1 AND tenant = ?2 ORDER BY key LIMIT ?3") \
    \
    X(SETTING_GET, "SELECT value FROM meta WHERE name = 'setting:' || ?1") \
    X(SETTING_PUT, "INSERT OR REPLACE INTO meta VALUES('setting:' || ?1, ?2)") \
    X(SETTING_DROP, "DELETE FROM meta WHERE name = 'setting:' || ?1") \
    \
    X(LINK_PUT, "INSERT OR IGNORE INTO link(tenant, target, patient) VALUES(?1,?2,?3)") \
    X(LINK_SCAN, \
      "SELECT patient FROM link WHERE tenant = ?1 AND target = ?2 AND patient > ?3 " \
      "ORDER BY patient LIMIT ?4") \
    \
    X(OUTBOX_INSERT, \
      "INSERT INTO outbox(" SQL_OUTBOX_ROW ") " \
      "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21,?22)") \
    X(OUTBOX_WRITE, \
      "UPDATE outbox SET patient = ?3, kind = ?4, wish = ?5, state = ?6, attempts = ?7, " \
      "due_ms = ?8, changed_ms = ?10, last_status = ?11, revision = ?12, wanted = ?13, " \
      "held = ?14, patient_name = ?15, disease = ?17, body = ?19, target_id = ?20, " \
      "target_etag = ?21, last_error = ?22 WHERE key = ?1") \
    X(OUTBOX_GET, "SELECT " SQL_OUTBOX_ROW " FROM outbox WHERE key = ?1") \
    X(OUTBOX_FIND, \
      "SELECT key FROM outbox WHERE tenant = ?1 AND destination = ?2 AND identity = ?3") \
    X(OUTBOX_DUE, \
      "SELECT key, patient FROM outbox " \
      "WHERE destination = ?1 AND due_ms <= ?2 AND state IN (1, 4) ORDER BY due_ms") \
    X(OUTBOX_LIST, \
      "SELECT " SQL_OUTBOX_ROW " FROM outbox WHERE key > ?1 ORDER BY key LIMIT ?2") \
    X(OUTBOX_LIST_STATE, \
      "SELECT " SQL_OUTBOX_ROW " FROM outbox WHERE key > ?1 AND state = ?3 " \
      "ORDER BY key LIMIT ?2") \
    X(OUTBOX_NEXT_DUE, \
      "SELECT due_ms FROM outbox WHERE destination = ?1 AND state IN (1, 4) " \
      "ORDER BY due_ms LIMIT 1") \
    X(OUTBOX_COUNT, \
      "SELECT count(*) FILTER (WHERE state = 1), count(*) FILTER (WHERE state = 4) " \
      "FROM outbox WHERE state IN (1, 4)") \
    X(OUTBOX_COUNT_DEAD, "SELECT count(*) FROM outbox WHERE state = 3") \
    \
    X(AUDIT_APPEND, "INSERT INTO audit(seq, record, hash) VALUES(?1,?2,?3)") \
    X(AUDIT_HEAD, "SELECT audit_seq, audit_hash FROM head") \
    X(AUDIT_SET_HEAD, "UPDATE head SET audit_seq = ?1, audit_hash = ?2") \
    X(AUDIT_SCAN, "SELECT seq, record, hash FROM audit WHERE seq > ?1 ORDER BY seq LIMIT ?2") \
    X(AUDIT_SIGN, "INSERT OR REPLACE INTO audit_signature(seq, statement) VALUES(?1,?2)") \
    X(AUDIT_SIGNATURES, \
      "SELECT seq, statement FROM audit_signature WHERE seq > ?1 ORDER BY seq LIMIT ?2") \
    \
    X(UNMAPPED_COUNT, \
      "INSERT INTO unmapped(tenant, type, system, code, text, count, first_ms, last_ms) " \
      "VALUES(?1,?2,?3,?4,?5,1,?6,?7) ON CONFLICT DO UPDATE SET count = count + 1, " \
      "first_ms = min(first_ms, excluded.first_ms), last_ms = max(last_ms, excluded.last_ms)") \
    X(UNMAPPED_LIST, \
      "SELECT tenant, type, system, code, text, count, first_ms, last_ms FROM unmapped " \
      "ORDER BY count DESC, tenant, type, system, code, text LIMIT ?1") \
    \
    X(FIGURES, "SELECT resources, patients, audit_seq FROM head") \
    X(FIGURES_ADD, "UPDATE head SET resources = resources + ?1, patients = patients + ?2")
/* clang-format on */

enum sqlite_sql {
#define X(name, text) SQL_##name,
    SQL_TABLE(X)
#undef X
        SQL_COUNT
};
