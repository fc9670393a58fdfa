/* audit/export_int.h -- a manifest as read: shared by export_read.c and export_verify.c. */
#pragma once

#include "audit/export.h"

struct manifest {
    struct audit_head before, head;
    struct audit_export_entry *files;
    unsigned file_count;
    struct slice *signatures;
    unsigned signature_count;
};

/* Borrows from `text`; the rest lives in `arena`. */
bool manifest_read(struct slice text, struct arena *arena, struct manifest *out,
                   struct err *err) MUST_USE;
