/* command_audit.h -- what the files of 'lifeline audit' share. */
#pragma once

#include "audit/audit.h"
#include "base/arena.h"

/* The key of --key (public), else the signing key of the configuration, else NULL. */
bool audit_key_open(const char *public_file, const char *signing_file, struct arena *arena,
                    struct audit_key **out, struct err *err) MUST_USE;
/* Prints what a verification found; returns the exit status. */
int audit_print_verdict(const struct audit_verifier *verifier, bool has_key);

int audit_export(int argc, char **argv);
int audit_verify_export(const char *folder, const char *key_file);
