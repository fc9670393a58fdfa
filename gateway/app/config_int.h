/* app/config_int.h -- the table of keys and what reading a file leaves for the checks.
 *
 * What      a key is a row: its path, its kind, the struct it fills and where, its range.  Paths
 *           are those of base/json.h: "tenants[].name".
 */
#pragma once

#include "app/config.h"
#include "outbox/jose.h"

enum key_kind {
    KEY_SECTION, /* an object */
    KEY_LIST,    /* an array of objects */
    KEY_TEXTS,   /* an array of strings: struct slice items */
    KEY_TEXT,    /* const char * */
    KEY_FILE,    /* const char *, a file that must be readable */
    KEY_PATH,    /* const char *, a file that may be made; its folder must exist */
    KEY_FOLDER,  /* const char *, a folder that must exist */
    KEY_NUMBER,  /* unsigned integer of the member's size, from min to max */
    KEY_BOOL,    /* bool */
    KEY_WORD,    /* int-sized enum: index into words */
};

enum key_owner { OF_DRAFT, OF_TENANT, OF_DESTINATION };

struct config_key {
    const char *path;
    enum key_kind kind;
    enum key_owner owner;
    size_t offset, size;
    uint64_t min, max;
    const char *const *words; /* NULL-terminated */
};

extern const struct config_key config_keys[];
extern const unsigned config_key_count;

struct texts {
    struct slice *items; /* room for CONFIG_IDENTITIES_MAX */
    unsigned count;
};

struct draft_tenant {
    const char *name;
    struct texts identities, base_urls, message_events, destinations, channels;
    unsigned line;
};

/* Indices into the words of config_table.c. */
enum config_payload { PAYLOAD_ATTACHMENT, PAYLOAD_STRING };
enum config_priority { PRIORITY_ROUTINE, PRIORITY_URGENT };

struct draft_destination {
    struct destination_settings settings;
    struct texts channels, recipients;
    const char *sender, *author, *document_type, *night, *utc_offset;
    enum jose_algorithm algorithm;
    enum config_payload payload;
    enum config_priority priority;
    unsigned line;
};

/* What the file and the environment said, before the checks between keys. */
struct config_draft {
    struct config config;
    const char *default_tenant;
    uint64_t cache_mb;
    struct draft_tenant tenants[CONFIG_TENANTS_MAX];
    unsigned tenant_count;
    struct draft_destination destinations[CONFIG_DESTINATIONS_MAX];
    unsigned destination_count;

    unsigned *lines; /* by key: where it was set; 0 when it was not */
    const char *file;
    const struct config_options *options;
    struct arena *arena;
    struct table_errors *errors;
};

/* The checks between keys, then *out. */
void config_finish(struct config_draft *draft, struct config *out);
void config_complain(struct config_draft *draft, unsigned line, const char *key, const char *format,
                     ...) PRINTF_LIKE(4, 5);
/* The row of a path; NULL when there is none. */
const struct config_key *config_key_find(struct slice path);
/* Where a key was set, else 1. */
unsigned config_line(const struct config_draft *draft, const char *path);
bool config_is_set(const struct config_draft *draft, const char *path);
