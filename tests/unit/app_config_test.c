/* Configurations as stories: what is written, and every complaint that must come out of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/config.h"
#include "app/config_int.h"
#include "app/files.h"

/* Enough of everything; a row adds or replaces one thing in it. */
#define TLS                                                                 \
    "\"tls\": { \"certificate_file\": \"s.pem\", \"key_file\": \"s.key\", " \
    "\"client_ca_file\": \"ca.pem\" }"
#define REST "\"store\": { \"path\": \"x.db\" }, \"mappings_folder\": \"mappings\""
#define TENANTS "\"tenants\": [ { \"name\": \"a\", \"identities\": [\"cn:a\"] } ]"
#define WITH(more) "{ " TLS ", " REST ", " TENANTS ", " more " }"
#define DEST(more) "\"destinations\": [ { \"name\": \"ehr\", " more " } ]"

struct story {
    const char *name, *text, *environment;
    const char *complaints; /* "where: what" lines; "" when the configuration is fine */
};

static const struct story stories[] = {
    { "the least that can be said is enough", "{ " TLS ", " REST ", " TENANTS " }", NULL, "" },
    { "an unknown key is named with its line and the key that was meant",
      "{ " TLS ", " REST ",\n" TENANTS ",\n\"listen\": { \"prot\": 1 } }", NULL,
      "f.json:3: listen.prot: no such key; did you mean 'listen.port'?\n" },
    { "all mistakes of a file come at once",
      WITH("\n\"loops\": \"two\",\n\"update_creates\": 1,\n\"log\": { \"level\": \"loud\" },\n"
           "\"listen\": { \"port\": 70000 }"),
      NULL,
      "f.json:2: loops: must be a whole number, without quotes\n"
      "f.json:3: update_creates: must be true or false, without quotes\n"
      "f.json:4: log.level: 'loud' is not one of: error, warning, info, debug\n"
      "f.json:5: listen.port: '70000' is not a whole number from 0 to 65535\n" },
    { "what is missing is said", "{}", NULL,
      "f.json:1: tls.certificate_file: is missing\n"
      "f.json:1: tls.key_file: is missing\n"
      "f.json:1: tls.client_ca_file: is needed to check client certificates (client_auth is not "
      "\"off\")\n"
      "f.json:1: mappings_folder: is missing\n"
      "f.json:1: store.path: is missing\n"
      "f.json:1: tenants: at least one tenant is needed: who pushes data here?\n" },
    { "an unknown object is one complaint, whatever is inside", WITH("\"cors\": { \"a\": [1,{}] }"),
      NULL, "f.json:1: cors: no such key\n" },
    { "a negative or broken number is out of range",
      WITH("\"loops\": -1, \"shutdown_grace_ms\": 1.5"), NULL,
      "f.json:1: loops: '-1' is not a whole number from 0 to 256\n"
      "f.json:1: shutdown_grace_ms: '1.5' is not a whole number from 0 to 600000\n" },
    { "two tenants of one name cannot be told apart",
      "{ " TLS ", " REST ",\n\"tenants\": [ { \"name\": \"a\", \"identities\": [\"cn:a\"] },\n"
      "{ \"name\": \"a\", \"identities\": [\"cn:b\"] } ] }",
      NULL, "f.json:3: name: tenant 'a' is there twice\n" },
    { "one certificate cannot speak for two tenants",
      "{ " TLS ", " REST ", \"tenants\": [ { \"name\": \"a\", \"identities\": [\"cn:x\"] },\n"
      "{ \"name\": \"b\", \"identities\": [\"cn:x\"] } ] }",
      NULL, "f.json:2: identities: 'cn:x' is there twice: a certificate speaks for one tenant\n" },
    { "a tenant that nobody can speak for is a mistake while certificates are required",
      "{ " TLS ", " REST ", \"tenants\": [ { \"name\": \"a\" } ] }", NULL,
      "f.json:1: identities: tenant 'a' has none, so no client certificate can speak for it\n" },
    { "an identity says what kind it is",
      "{ " TLS ", " REST
      ", \"tenants\": [ { \"name\": \"a\", \"identities\": [\"a.example\"] } ] }",
      NULL,
      "f.json:1: identities: 'a.example' is not san-dns:..., san-uri:..., cn:... or fingerprint: "
      "and 64 lower-case hex digits\n" },
    { "a fingerprint is 64 hex digits",
      "{ " TLS ", " REST
      ", \"tenants\": [ { \"name\": \"a\", \"identities\": [\"fingerprint:00\"] } ] }",
      NULL,
      "f.json:1: identities: 'fingerprint:00' is not san-dns:..., san-uri:..., cn:... or "
      "fingerprint: and 64 lower-case hex digits\n" },
    { "a tenant's destination must exist; a near name is offered",
      "{ " TLS ", " REST ", \"posting\": { \"instance_uri\": \"urn:x\" }, "
      "\"tenants\": [ { \"name\": \"a\", \"identities\": [\"cn:a\"], \"destinations\": [\"erh\"] } "
      "], " DEST("\"base_url\": \"https://e/fhir\"") " }",
      NULL,
      "f.json:1: destinations: no destination is called 'erh'; did you mean 'ehr'?\n"
      "f.json:1: name: no tenant sends to destination 'ehr'\n" },
    { "a destination belongs to one tenant: nothing crosses tenants",
      "{ " TLS ", " REST ", \"posting\": { \"instance_uri\": \"urn:x\" }, \"tenants\": [ "
      "{ \"name\": \"a\", \"identities\": [\"cn:a\"], \"destinations\": [\"ehr\"] },\n"
      "{ \"name\": \"b\", \"identities\": [\"cn:b\"], \"destinations\": [\"ehr\"] } ], " DEST(
          "\"base_url\": \"https://e/fhir\"") " }",
      NULL,
      "f.json:2: destinations: 'ehr' is named twice: postings of one tenant must not reach "
      "another's EHR\n" },
    { "destinations are reached over TLS, with a key for every certificate",
      "{ " TLS ", " REST ", \"tenants\": [ { \"name\": \"a\", \"identities\": [\"cn:a\"], "
      "\"destinations\": [\"ehr\"] } ],\n" DEST(
          "\"base_url\": \"http://e/fhir\", \"certificate_file\": \"c.pem\"") " }",
      NULL,
      "f.json:2: base_url: 'http://e/fhir' must begin with https:// (http:// is for loopback "
      "only)\n"
      "f.json:2: certificate_file: certificate_file and key_file belong together\n"
      "f.json:1: posting.instance_uri: is needed: postings carry it as the system of their "
      "identifier\n" },
    { "plain HTTP to this machine is allowed, for tests",
      "{ " TLS ", " REST
      ", \"posting\": { \"instance_uri\": \"urn:x\" }, \"tenants\": [ { \"name\": "
      "\"a\", \"identities\": [\"cn:a\"], \"destinations\": [\"ehr\"] } ], " DEST(
          "\"base_url\": \"http://127.0.0.1:9/fhir\"") " }",
      NULL, "" },
    { "without certificates somebody must own the data",
      "{ \"tls\": { \"certificate_file\": \"s\", \"key_file\": \"k\", \"client_auth\": \"off\" "
      "}, " REST ", " TENANTS " }",
      NULL,
      "f.json:1: default_tenant: is needed while client_auth is \"off\": whose data is it?\n" },
    { "the default tenant must exist", WITH("\"default_tenant\": \"z\""), NULL,
      "f.json:1: default_tenant: no tenant is called 'z'\n" },
    { "a memory store writes no file",
      "{ " TLS ", " TENANTS
      ", \"mappings_folder\": \"m\",\n\"store\": { \"kind\": \"memory\",\n\"path\": \"x\" } }",
      NULL,
      "f.json:3: store.path: is set, but store.kind is \"memory\": nothing would be written "
      "there\n" },
    { "both listeners cannot have one port", WITH("\"admin\": { \"port\": 8443 }"), NULL,
      "f.json:1: admin.port: 8443 is the port of the FHIR listener; the admin listener needs its "
      "own\n" },
    { "a transaction cannot be larger than the queue", WITH("\"limits\": { \"queue\": 10 }"), NULL,
      "f.json:1: limits.batch: 512 is more than limits.queue (10) can hold\n" },
    { "a request needs memory for its body",
      WITH("\"limits\": { \"arena_bytes\": 1048576, \"body_bytes\": 1048576 }"), NULL,
      "f.json:1: limits.arena_bytes: must be at least twice limits.body_bytes\n" },
    { "the environment wins over the file", WITH("\"listen\": { \"port\": 1 }"),
      "LIFELINE_LISTEN__PORT=8999", "" },
    { "a mistyped variable is told, with the one that was meant",
      "{ " TLS ", " REST ", " TENANTS " }", "LIFELINE_LISTEN__PROT=1",
      "environment: LIFELINE_LISTEN__PROT: sets no key; did you mean LIFELINE_LISTEN__PORT?\n" },
    { "a variable's value is checked like the file's", "{ " TLS ", " REST ", " TENANTS " }",
      "LIFELINE_LOOPS=many",
      "environment: LIFELINE_LOOPS: 'many' is not a whole number from 0 to 256\n" },
    { "variables that orchestrators set are not ours", "{ " TLS ", " REST ", " TENANTS " }",
      "LIFELINE_SERVICE_HOST=10.0.0.1", "" },
    { "comments are allowed", "{ // one\n /* two */ " TLS ", " REST ", " TENANTS " }", NULL, "" },
    { "a list where texts are wanted",
      "{ " TLS ", " REST ", \"tenants\": [ { \"name\": \"a\", \"identities\": [1, \"cn:a\"] } ] }",
      NULL, "f.json:1: tenants[0].identities[0]: must be a text in quotes\n" },
    { "the whole file must be one object", "[]", NULL, NULL },
    { "broken JSON is told alone, with its line", "{\n\"loops\": 1,\n oops }", NULL,
      "f.json:3: file: column 2: expected a key in double quotes\n" },
    { "a key twice is told with its place", WITH("\n\"loops\": 1,\n\"loops\": 2"), NULL, NULL },
};

struct reading {
    struct arena arena;
    struct config config;
    struct table_errors errors;
    bool ok;
};

static struct reading *read_story(const struct story *story)
{
    static struct reading reading;
    char variable[128] = "";
    char *environment[] = { variable, NULL };
    const struct config_options options = { .is_example = true, .environment = environment };

    if (story->environment != NULL)
        snprintf(variable, sizeof variable, "%s", story->environment);
    memset(&reading, 0, sizeof reading);
    arena_init(&reading.arena, CONFIG_ARENA_BYTES);
    reading.ok = config_read(slice_of(story->text), "f.json", &options, &reading.arena,
                             &reading.config, &reading.errors);
    return &reading;
}

static void config_reads_as(void **state)
{
    const struct story *story = *state;
    struct reading *reading = read_story(story);
    char all[4096] = "";
    size_t used = 0;

    for (unsigned i = 0; i < reading->errors.count; i++)
        used += (size_t)snprintf(all + used, sizeof all - used, "%s: %s\n",
                                 reading->errors.list[i].where, reading->errors.list[i].what);
    if (story->complaints != NULL)
        assert_string_equal(all, story->complaints);
    else
        assert_true(reading->errors.count > 0);
    assert_int_equal(reading->ok, reading->errors.count == 0);
    arena_fini(&reading->arena);
}

static void defaults_are_filled(void **state)
{
    (void)state;
    struct reading *reading = read_story(&stories[0]);
    const struct config *config = &reading->config;

    assert_true(reading->ok);
    assert_int_equal(config->listen.port, 8443);
    assert_int_equal(config->tls.client_auth, CLIENT_AUTH_REQUIRE);
    assert_string_equal(config->base_url, "https://localhost:8443/fhir");
    assert_true(config->loops >= 1);
    assert_true(config->limits.connections_max * config->loops >= config->connections);
    assert_true(config->limits.arena_bytes_max >= 2 * config->limits.body_bytes_max);
    assert_int_equal(config->store.cache_bytes, (size_t)256 * 1024 * 1024);
    assert_int_equal(config->grade_min, GRADE_MEDIUM);
    arena_fini(&reading->arena);
}

static void environment_overrides(void **state)
{
    static const struct story story = { "", WITH("\"listen\": { \"port\": 1 }"),
                                        "LIFELINE_LISTEN__PORT=8999", "" };
    (void)state;
    struct reading *reading = read_story(&story);
    assert_true(reading->ok);
    assert_int_equal(reading->config.listen.port, 8999);
    arena_fini(&reading->arena);
}

static void paths_are_beside_the_file(void **state)
{
    (void)state;
    const struct config_options options = { .is_example = true };
    struct table_errors errors = { .count = 0 };
    struct config config;
    struct arena arena;

    arena_init(&arena, CONFIG_ARENA_BYTES);
    assert_true(config_read(slice_of(stories[0].text), "/etc/lifeline/l.json", &options, &arena,
                            &config, &errors));
    assert_string_equal(config.tls.key_file, "/etc/lifeline/s.key");
    assert_string_equal(config.store.path, "/etc/lifeline/x.db");
    arena_fini(&arena);
}

static void missing_files_are_told(void **state)
{
    (void)state;
    const struct config_options options = { .is_example = false };
    struct table_errors errors = { .count = 0 };
    struct config config;
    struct arena arena;

    arena_init(&arena, CONFIG_ARENA_BYTES);
    assert_false(config_read(slice_of(stories[0].text), "/nonexistent/l.json", &options, &arena,
                             &config, &errors));
    assert_int_equal(errors.count, 5); /* three of TLS, the folder of the store, the mappings */
    assert_string_equal(errors.list[0].what,
                        "tls.certificate_file: '/nonexistent/s.pem' does not exist");
    arena_fini(&arena);
}

/* The commented example names every key and is right but for the files it names. */
static void example_loads(void **state)
{
    (void)state;
    const char *path = SOURCE_DIR "/docker/lifeline.example.json";
    const struct config_options options = { .is_example = true };
    struct table_errors errors = { .count = 0 };
    struct config config;
    struct arena arena;
    struct slice text;
    struct err err;

    arena_init(&arena, CONFIG_ARENA_BYTES);
    assert_true(file_read(path, CONFIG_BYTES_MAX, &arena, &text, &err));
    for (unsigned i = 0; i < config_key_count; i++) {
        char key[64];
        const char *dot = strrchr(config_keys[i].path, '.');
        snprintf(key, sizeof key, "\"%s\":", dot != NULL ? dot + 1 : config_keys[i].path);
        if (strstr(text.at, key) == NULL)
            fail_msg("%s is not in the example", config_keys[i].path);
    }
    bool ok = config_read(text, path, &options, &arena, &config, &errors);
    for (unsigned i = 0; i < errors.count; i++)
        print_error("%s: %s\n", errors.list[i].where, errors.list[i].what);
    assert_true(ok);
    assert_int_equal(config.tenant_count, 1);
    assert_int_equal(config.destination_count, 1);
    assert_string_equal(config.destinations[0].tenant, "general-hospital");
    assert_int_equal(config.destinations[0].horizon_ms, INT64_C(604800000));
    arena_fini(&arena);
}

int main(void)
{
    struct CMUnitTest tests[COUNT_OF(stories) + 5];
    size_t count = 0;

    for (; count < COUNT_OF(stories); count++)
        tests[count] = (struct CMUnitTest){ .name = stories[count].name,
                                            .test_func = config_reads_as,
                                            .initial_state = (void *)(uintptr_t)&stories[count] };
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(defaults_are_filled);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(environment_overrides);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(paths_are_beside_the_file);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(missing_files_are_told);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(example_loads);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
