/* Storms from seeds against every played EHR: whatever happens on the wire and whenever the gateway is
 * killed, each destination ends with what is wanted, once, in an order that a serial sender could
 * have produced.
 *
 *   OUTBOX_SEEDS=100 OUTBOX_SEED=1 build/tests/outbox_campaign_test    a hundred seeds for each EHR
 *
 * In the test list it is one seed each.  A seed that fails is named, and repeats by itself.
 */
#include "fault/outbox_fixture.h"

#define PATIENTS 4
#define ROUNDS 4 /* of wishes, each with a gateway that is killed */

#define BIT(kind) POSTING_BIT(POSTING_##kind)

static const struct campaign {
    const char *name, *mode;
    unsigned kinds;
} campaigns[] = {
    { "HAPI: Flags and CarePlans by conditional update", "hapi-like", BIT(FLAG) | BIT(CARE_PLAN) },
    { "nothing conditional", "plain", BIT(FLAG) | BIT(CARE_PLAN) },
    { "PUT creates", "upsert", BIT(FLAG) },
    { "Epic: messages, and notes that are changed in their place", "epic-like",
      BIT(COMMUNICATION) | BIT(DOCUMENT) },
    { "Oracle Health: notes", "oracle-like", BIT(DOCUMENT) },
    { "MEDITECH: messages", "meditech-like", BIT(COMMUNICATION) },
};

static uint64_t dice(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static const char *patient_name(unsigned number)
{
    static char names[PATIENTS][24];
    snprintf(names[number], sizeof names[0], "Patient/p%u", number);
    return names[number];
}

/* Each round something new is wanted of some patients; of the last one, of all. */
static void want_round(struct gateway *gateway, const struct campaign *campaign, unsigned round,
                       uint64_t *random)
{
    char note[32];
    snprintf(note, sizeof note, "change %03u", round);
    for (unsigned i = 0; i < PATIENTS; i++) {
        if (round + 1 < ROUNDS && dice(random) % 3 == 0)
            continue;
        for (enum posting_kind kind = POSTING_FLAG; kind < POSTING_KINDS; kind++) {
            struct wish wish = { "ehr", patient_name(i), kind, WISH_HOLD, "active", note, 0 };
            if ((campaign->kinds & POSTING_BIT(kind)) != 0)
                want(gateway, &wish);
        }
    }
}

/* In a child: the back half, until it is killed. */
static void deliver_and_die(struct gateway *gateway, unsigned after_ms)
{
    pid_t child = fork();
    if (child == 0) {
        open_lane(gateway);
        start_outbox(gateway);
        sleep_ms(60000);
        _exit(1);
    }
    sleep_ms(after_ms);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static void assert_all_hold(const struct ehr *ehr, const struct campaign *campaign, unsigned seed)
{
    const char *verdict = ehr_control(ehr, "verify", NULL);
    if (strcmp(verdict, "ok\n") != 0)
        fail_msg("%s, seed %u: %s", campaign->mode, seed, verdict);
    for (enum posting_kind kind = POSTING_FLAG; kind < POSTING_KINDS; kind++) {
        char what[64], line[128];
        if ((campaign->kinds & POSTING_BIT(kind)) == 0)
            continue;
        snprintf(what, sizeof what, "words?type=%s", fhir_type_name(posting_type(kind)));
        const char *words = ehr_control(ehr, what, NULL);
        for (unsigned i = 0; i < PATIENTS; i++) {
            snprintf(line, sizeof line, "%s change %03u\n", patient_name(i), ROUNDS - 1);
            if (strstr(words, line) == NULL)
                fail_msg("%s, seed %u: %s is not the last of\n%s", campaign->mode, seed, line,
                         words);
        }
    }
}

static void run_seed(const struct campaign *campaign, unsigned seed)
{
    struct gateway gateway;
    struct ehr ehr;
    uint64_t random = seed * UINT64_C(7919) + 1;
    set_up_gateway(&gateway, true);
    ehr_start(&ehr, campaign->mode, "storm=25", seed);
    add_destination(&gateway, "ehr", ehr.base_url);
    for (unsigned round = 0; round < ROUNDS; round++) {
        open_lane(&gateway);
        want_round(&gateway, campaign, round, &random);
        close_gateway(&gateway, 0);
        if (round + 1 < ROUNDS)
            deliver_and_die(&gateway, 50 + (unsigned)(dice(&random) % 400));
    }
    open_lane(&gateway);
    start_outbox(&gateway);
    sleep_ms(300);
    ehr_control(&ehr, "faults", "{\"storm\":0}");
    wait_until_idle(&gateway);
    assert_int_equal(0, figures(&gateway).outbox_dead);
    assert_all_hold(&ehr, campaign, seed);
    (void)audited_deliveries(&gateway);
    close_gateway(&gateway, 1000);
    ehr_stop(&ehr);
    tear_down_gateway(&gateway);
}

static unsigned number_from(const char *name, unsigned usual)
{
    const char *text = getenv(name);
    return text != NULL ? (unsigned)strtoul(text, NULL, 10) : usual;
}

static void campaign_holds(void **state)
{
    const struct campaign *campaign = *state;
    unsigned first = number_from("OUTBOX_SEED", 1), count = number_from("OUTBOX_SEEDS", 1);
    for (unsigned seed = first; seed < first + count; seed++)
        run_seed(campaign, seed);
    print_message("%u seed%s hold\n", count, count == 1 ? "" : "s");
}

static int make_certificates(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    snprintf(cert_folder, sizeof cert_folder, "/tmp/lifeline-certs-XXXXXX");
    return mkdtemp(cert_folder) != NULL ? 0 : -1;
}

static int remove_certificates(void **state)
{
    (void)state;
    char command[96];
    snprintf(command, sizeof command, "rm -r %s", cert_folder);
    return system(command);
}

int main(int count, char **arguments)
{
    struct CMUnitTest tests[COUNT_OF(campaigns)];
    if (system("python3 -c 'import ssl' >/dev/null 2>&1 && openssl version >/dev/null 2>&1") != 0) {
        printf("SKIPPED: python3 with ssl, and openssl, are needed to play the EHR\n");
        return 0;
    }
    for (size_t i = 0; i < COUNT_OF(campaigns); i++)
        tests[i] = (struct CMUnitTest){ .name = campaigns[i].name,
                                        .test_func = campaign_holds,
                                        .initial_state = (void *)(uintptr_t)&campaigns[i] };
    if (count > 1)
        cmocka_set_test_filter(arguments[1]);
    return cmocka_run_group_tests_name("outbox_campaign", tests, make_certificates,
                                       remove_certificates);
}
