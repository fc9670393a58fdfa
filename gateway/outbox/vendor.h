/* outbox/vendor.h -- what is particular to the software of a destination, as tables.
 *
 * What      whose software it is, by its own CapabilityStatement; and what a vendor's error numbers
 *           mean beyond the HTTP status.  The names and numbers are data (vendor.c): a new one is a
 *           row there.
 * Thread    pure.
 * Rules     standards/writeback 2.
 */
#pragma once

#include "base/slice.h"
#include "outbox/retry.h"

enum vendor { VENDOR_OTHER, VENDOR_EPIC, VENDOR_ORACLE, VENDOR_MEDITECH };

/* "Epic"; "" for others. */
const char *vendor_name(enum vendor vendor);
/* By software.name or publisher of the statement; `before` when the text says nothing. */
enum vendor vendor_of(struct slice text, enum vendor before);
/* Whose numbers a coding of OperationOutcome.issue.details holds; VENDOR_OTHER: nobody's. */
enum vendor vendor_of_system(struct slice system);
/* RETRY_CLASS_NONE when the number says nothing: then the status decides. */
enum retry_class vendor_class(enum vendor vendor, unsigned code);
