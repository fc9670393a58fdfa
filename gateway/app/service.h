/* app/service.h -- what a running gateway consists of; shared by the files of serve.
 *
 * Owns      every module it opened; service_close() gives them back in the reverse order.
 * Thread    opened and closed on the main thread; handlers run on the I/O loops.
 */
#pragma once

#include <uv.h>

#include "app/admin.h"
#include "app/config.h"
#include "app/keys.h"
#include "app/mapping_files.h"
#include "audit/audit.h"
#include "ingest/ingest.h"
#include "plan/texts.h"

#define SERVICE_LOOPS_MAX 256
/* Records of peers turned away that may be under way at once; beyond it they are counted only. */
#define SERVICE_NOTES_MAX 256

struct service {
    _Atomic unsigned channels[CONFIG_DESTINATIONS_MAX]; /* by which each destination is told now */
    const struct config *config;
    const char *version;
    struct arena arena;
    struct mapping *mapping;
    struct plan_texts texts;
    struct audit_key *signing_key; /* NULL: heads are not signed */
    struct keys keys;              /* for authorization servers */
    struct slice jwks;             /* their public halves */
    struct store *store;
    struct lane *lane;
    struct ingest *ingest;
    struct loop *loops[SERVICE_LOOPS_MAX];
    struct loop *admin_loop;
    unsigned loop_count, started_count;
    bool server_is_running, admin_is_running; /* their loops run and they are not drained */
    struct server *server, *admin_server;
    struct outbox *outbox;
    struct metrics metrics;
    struct admin admin;
    struct ingest_pass pass; /* after a change of the mappings */
    struct err pass_err;     /* of its last batch */
    int64_t started_ms;
    const char *upload_folder; /* of files without a name */
    _Atomic unsigned peer_notes;
    uv_sem_t done; /* the main thread waits here for what runs on other threads */
    bool has_semaphore;
    /* What the admin page shows of the store, refreshed by a job now and then. */
    uv_mutex_t figures_lock;
    struct store_figures figures;
};

bool service_open(struct service *service, struct err *err) MUST_USE;
void service_close(struct service *service);

/* An audit record that must be on disk before the next step. */
bool service_note(struct service *service, enum audit_kind kind, const char *detail, bool is_signed,
                  struct err *err) MUST_USE;
/* Derives the patients whose answer changes with the day; returns how many there were. */
unsigned service_daily(struct service *service);
/* The next patients of the pass over all of them that a change of the mappings asks for. */
enum service_pass { SERVICE_PASS_DONE, SERVICE_PASS_MORE, SERVICE_PASS_LATER };
enum service_pass service_pass(struct service *service);
void service_refresh_figures(struct service *service);
/* Stops accepting, answers what is open, ends deliveries. */
void service_drain(struct service *service);
