/* command_outbox.h -- what the files of `lifeline outbox` share.
 *
 * What      command_outbox.c reads the store beside a gateway that may be running;
 *           command_outbox_operate.c asks the running gateway, which alone writes.
 */
#pragma once

#include "command.h"

extern const char *const outbox_state_words[]; /* NULL-terminated, by enum outbox_state */

/* A key from the command line; false when it is no number above 0, which is then told. */
bool outbox_key_read(const char *text, int64_t *out);

int outbox_replay(int argc, char **argv);
int outbox_drop(int argc, char **argv);
int outbox_pause(int argc, char **argv);
int outbox_resume(int argc, char **argv);
