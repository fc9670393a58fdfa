/* audit/export.h -- the audit log as files that can be verified without a database.
 *
 * What      an export is one or more NDJSON files with the lines exactly as they are stored, in
 *           order of seq, and a manifest (JSON) with first and last seq, the hash before the first
 *           and of the last record, the SHA-256 of each file, the signed heads and the software's
 *           version.  Verification needs the files, the manifest and the public key; it names the
 *           first bad record, as the verification of the store does.
 * Owns      texts are borrowed; the caller reads and writes the files.
 * Errors    ERR_STRUCTURE, ERR_VALUE: the manifest is not one of ours.  What is wrong with the
 *           records is told by the verifier.
 * Thread    any; pure.
 * Rules     standards/checklists J5, J7.
 */
#pragma once

#include "audit/audit.h"

#define AUDIT_EXPORT_FORMAT "lifeline-audit-export/1"
#define AUDIT_EXPORT_FILES_MAX 4096
#define AUDIT_EXPORT_FILE_BYTES \
    ((size_t)64 * 1024 * 1024) /* advice: begin a new file behind this */
#define AUDIT_EXPORT_SIGNATURES_MAX 100000

struct audit_export_file {
    struct slice name; /* "audit-000001.ndjson" */
    struct slice text;
};

/* What the manifest says of a file. */
struct audit_export_entry {
    struct slice name;
    struct sha256 digest;
    uint64_t records, bytes;
};

struct audit_export {
    const char *software;  /* "Lifeline 0.1.0" */
    struct slice instance; /* URI of the gateway */
    int64_t created_ms;
    struct audit_head before;       /* seq 0 and zeros for an export from the first record */
    struct audit_head head;         /* the last record */
    const struct slice *signatures; /* statements by seq, those of records in the files */
    unsigned signature_count;
    const struct audit_export_entry *files;
    unsigned file_count;
};

/* A stored line as a line of a file. */
void audit_export_line(struct slice line, struct buffer *file);
/* A finished file, so that its text need not be kept. */
struct audit_export_entry audit_export_entry(const struct audit_export_file *file);
bool audit_export_manifest(const struct audit_export *export, struct buffer *out,
                           struct err *err) MUST_USE;

/* Names of the files that a manifest speaks of, in order, so that the caller can read them. */
bool audit_export_names(struct slice manifest, struct arena *arena, struct slice **names,
                        unsigned *count, struct err *err) MUST_USE;
/* `files` in any order.  True when everything holds; with a key, the last record must be covered by
 * a signed head.  False with err->code ERR_OK: out->fault and out->what name the fault. */
bool audit_export_verify(struct slice manifest, const struct audit_export_file *files,
                         unsigned file_count, const struct audit_key *key,
                         struct audit_verifier *out, struct err *err) MUST_USE;

/* One line for people, without a line break:
 * "2026-11-23T08:30:00.123Z  #12  request  POST /fhir  201  by ehr.example: read Flag/f1" */
bool audit_describe(struct slice line, struct arena *arena, struct buffer *out,
                    struct err *err) MUST_USE;
