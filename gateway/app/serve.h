/* app/serve.h -- the gateway as a service: wires the modules, runs until it is told to stop.
 *
 * What      start: mappings, store, lane, I/O loops, outbox, listeners, a record that says so.
 *           Stop (SIGTERM, SIGINT): not ready, drain the listeners, let the outbox end, a record
 *           that says so, the lane last; nothing acknowledged is lost.  SIGHUP reads certificates
 *           anew.
 * Errors    start-up faults go to standard error, all of them; the exit status is then 1.
 * Thread    the main thread, before any other exists.
 */
#pragma once

#include "app/config.h"

int serve_run(const struct config *config, const char *version) MUST_USE;
