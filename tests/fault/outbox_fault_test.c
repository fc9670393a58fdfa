/* The outbox against an EHR that misbehaves: everything arrives, once, in order, and the audit log
 * says so. */
#include "fault/outbox_fixture.h"

static struct wish flag_of(const char *patient, const char *note)
{
    return (struct wish){ "ehr", patient, POSTING_FLAG, WISH_HOLD, "active", note, 0 };
}

static struct wish other_of(const struct wish *flag, enum posting_kind kind,
                            enum posting_kind target)
{
    struct wish wish = *flag;
    wish.kind = kind;
    wish.target = target;
    return wish;
}

static void want_all(struct gateway *gateway, const struct wish *flag)
{
    const struct wish wishes[] = { *flag, other_of(flag, POSTING_CARE_PLAN, 0),
                                   other_of(flag, POSTING_PROVENANCE, POSTING_FLAG),
                                   other_of(flag, POSTING_PROVENANCE, POSTING_CARE_PLAN) };
    for (size_t i = 0; i < COUNT_OF(wishes); i++)
        want(gateway, &wishes[i]);
}

static const char *patient_name(unsigned number)
{
    static char names[64][24];
    char *name = names[number % COUNT_OF(names)];
    snprintf(name, sizeof names[0], "Patient/p%u", number % 1000);
    return name;
}

/* --- one kind of misbehaviour each ------------------------------------------------------------ */

#define PATIENTS 4

static const struct fault_case {
    const char *name, *mode, *faults;
    bool may_update; /* a second version of what was carried out but not answered is no harm */
} fault_cases[] = {
    { "an EHR with conditional update", "hapi", "", false },
    { "an EHR with nothing conditional", "plain", "", false },
    { "an EHR where PUT creates", "upsert", "", false },
    { "an EHR without search", "minimal", "", false },
    { "answers lost after the commit, conditional", "hapi", "drop=5", false },
    { "answers lost after the commit, plain", "plain", "drop=5", false },
    { "answers lost after the commit, PUT creates", "upsert", "drop=5", true },
    { "... and the search lags behind", "plain", "drop=3,lag_ms=150", false },
    { "requests lost before the commit, conditional", "hapi", "lose=5", false },
    { "requests lost before the commit, plain", "plain", "lose=5", false },
    { "a proxy that gives up after the commit, conditional", "hapi", "gateway=5", true },
    { "a proxy that gives up after the commit, plain", "plain", "gateway=5", false },
    { "out of order for a while, conditional", "hapi", "fail=6", false },
    { "out of order for a while, plain", "plain", "fail=6", false },
    { "throttled, in seconds", "hapi", "throttle_seconds=1", false },
    { "throttled, until a date", "plain", "throttle_date=1", false },
    { "412 without a reason, conditional", "hapi", "conflict=2", false },
    { "412 without a reason, plain", "plain", "conflict=2", false },
    { "slow", "hapi", "slow_ms=100", false },
    { "401 once", "hapi", "unauthorized=1", false },
    { "401 for longer keeps its place", "plain", "unauthorized=3", false },
    { "chaos, conditional", "hapi", "chaos=40", true },
    { "chaos, plain", "plain", "chaos=40", true },
    { "chaos, PUT creates", "upsert", "chaos=40", true },
};

static void assert_once(const struct ehr *ehr, const struct wish *wish, bool may_update)
{
    char identity[SHA256_HEX_SIZE];
    name_wish(wish, identity);
    struct tally tally = ehr_count(ehr, fhir_type_name(posting_type(wish->kind)), identity);
    assert_int_equal(1, tally.stored);
    assert_int_equal(1, tally.creates);
    if (!may_update)
        assert_int_equal(0, tally.updates);
}

static void all_arrives_once(void **state)
{
    const struct fault_case *c = *state;
    struct gateway gateway;
    struct ehr ehr;
    set_up_gateway(&gateway, false);
    ehr_start(&ehr, c->mode, c->faults, 11);
    add_destination(&gateway, "ehr", ehr.base_url);
    open_lane(&gateway);
    start_outbox(&gateway);
    for (unsigned i = 0; i < PATIENTS; i++) {
        struct wish flag = flag_of(patient_name(i), "salvage therapy ordered");
        want_all(&gateway, &flag);
    }
    wait_until_idle(&gateway);
    assert_int_equal(0, figures(&gateway).outbox_dead);
    for (unsigned i = 0; i < PATIENTS; i++) {
        struct wish flag = flag_of(patient_name(i), "salvage therapy ordered");
        struct wish care_plan = other_of(&flag, POSTING_CARE_PLAN, 0);
        assert_once(&ehr, &flag, c->may_update);
        assert_once(&ehr, &care_plan, c->may_update);
    }
    struct tally provenance = ehr_count(&ehr, "Provenance", NULL);
    assert_int_equal(2 * PATIENTS, provenance.stored);
    assert_int_equal(2 * PATIENTS, provenance.creates);
    assert_int_equal(ehr_count(&ehr, "Flag", NULL).requests, audited_deliveries(&gateway));
    close_gateway(&gateway, 1000);
    ehr_stop(&ehr);
    tear_down_gateway(&gateway);
}

/* --- stories ------------------------------------------------------------------------------------ */

struct stage {
    struct gateway gateway;
    struct ehr ehr;
};

static void open_stage(struct stage *stage, const char *mode, const char *faults, bool is_durable)
{
    set_up_gateway(&stage->gateway, is_durable);
    ehr_start(&stage->ehr, mode, faults, 1);
    add_destination(&stage->gateway, "ehr", stage->ehr.base_url);
    open_lane(&stage->gateway);
    start_outbox(&stage->gateway);
}

static void close_stage(struct stage *stage)
{
    close_gateway(&stage->gateway, 1000);
    ehr_stop(&stage->ehr);
    tear_down_gateway(&stage->gateway);
}

static void restart(struct gateway *gateway, unsigned grace_ms)
{
    close_gateway(gateway, grace_ms);
    open_lane(gateway);
    start_outbox(gateway);
}

static void a_patients_postings_keep_their_order(void **state)
{
    (void)state;
    struct stage stage;
    open_stage(&stage, "hapi", "slow_ms=15,fail=7", false);
    for (unsigned i = 0; i < 12; i++) {
        struct wish flag = flag_of(patient_name(i), "salvage therapy ordered");
        want_all(&stage.gateway, &flag);
    }
    wait_until_idle(&stage.gateway);
    for (unsigned i = 0; i < 12; i++) {
        char what[64];
        snprintf(what, sizeof what, "log?patient=%.23s", patient_name(i));
        const char *log = ehr_control(&stage.ehr, what, NULL);
        const char *flag = strstr(log, "Flag 201"), *plan = strstr(log, "CarePlan 201");
        assert_non_null(flag);
        assert_non_null(plan);
        assert_true(flag < plan || strstr(log, "Flag 500") != NULL);
    }
    close_stage(&stage);
}

static void a_provenance_names_what_it_speaks_of(void **state)
{
    (void)state;
    struct stage stage;
    struct wish flag = flag_of("Patient/p1", "salvage therapy ordered");
    open_stage(&stage, "plain", "", false);
    want_all(&stage.gateway, &flag);
    wait_until_idle(&stage.gateway);
    const char *all = ehr_control(&stage.ehr, "state", NULL);
    assert_non_null(strstr(all, "\"reference\": \"Flag/1"));
    assert_non_null(strstr(all, "\"reference\": \"CarePlan/1"));
    assert_non_null(strstr(all, "\"user_agent\": \"Lifeline/test\""));
    assert_null(strstr(all, "{{"));
    close_stage(&stage);
}

static void one_dead_ehr_does_not_stop_the_other(void **state)
{
    (void)state;
    struct stage stage;
    set_up_gateway(&stage.gateway, false);
    ehr_start(&stage.ehr, "hapi", "", 1);
    add_destination(&stage.gateway, "dead", "https://127.0.0.1:1/fhir");
    add_destination(&stage.gateway, "ehr", stage.ehr.base_url);
    open_lane(&stage.gateway);
    start_outbox(&stage.gateway);
    for (unsigned i = 0; i < 20; i++) {
        struct wish flag = flag_of(patient_name(i), "salvage therapy ordered");
        struct wish lost = flag;
        lost.destination = "dead";
        want(&stage.gateway, &lost);
        want(&stage.gateway, &flag);
    }
    for (unsigned i = 0; i < 20; i++) {
        struct wish flag = flag_of(patient_name(i), "salvage therapy ordered");
        wait_for_row(&stage.gateway, &flag, "settled");
    }
    struct store_figures now = figures(&stage.gateway);
    assert_int_equal(20, now.outbox_pending);
    assert_int_equal(0, now.outbox_dead);
    struct wish lost = flag_of(patient_name(0), "salvage therapy ordered");
    lost.destination = "dead";
    wait_for_row(&stage.gateway, &lost, "pending transient unreachable");
    close_stage(&stage);
}

static void ten_changes_while_it_is_down_are_one_delivery(void **state)
{
    (void)state;
    struct stage stage;
    open_stage(&stage, "hapi", "", false);
    ehr_control(&stage.ehr, "pause", "{\"ms\":1500}");
    sleep_ms(200);
    for (unsigned i = 0; i < 10; i++) {
        char note[32];
        snprintf(note, sizeof note, "change number %u.", i);
        struct wish flag = flag_of("Patient/p1", note);
        want(&stage.gateway, &flag);
        sleep_ms(20);
    }
    wait_until_idle(&stage.gateway);
    struct wish flag = flag_of("Patient/p1", "");
    assert_once(&stage.ehr, &flag, false);
    assert_non_null(strstr(ehr_control(&stage.ehr, "state", NULL), "change number 9."));
    assert_int_equal(1, ehr_count(&stage.ehr, "Flag", NULL).creates);
    close_stage(&stage);
}

static void a_restart_goes_on_where_it_was(void **state)
{
    (void)state;
    struct stage stage;
    open_stage(&stage, "plain", "fail=30", true);
    for (unsigned i = 0; i < 10; i++) {
        struct wish flag = flag_of(patient_name(i), "salvage therapy ordered");
        want_all(&stage.gateway, &flag);
    }
    restart(&stage.gateway, 0);
    sleep_ms(100);
    restart(&stage.gateway, 0);
    ehr_control(&stage.ehr, "faults", "{\"fail\":0}");
    wait_until_idle(&stage.gateway);
    for (unsigned i = 0; i < 10; i++) {
        struct wish flag = flag_of(patient_name(i), "salvage therapy ordered");
        assert_once(&stage.ehr, &flag, true);
    }
    (void)audited_deliveries(&stage.gateway);
    close_stage(&stage);
}

static void what_is_under_way_at_the_end_is_unknown_and_then_reconciled(void **state)
{
    (void)state;
    struct stage stage;
    struct wish flag = flag_of("Patient/p1", "salvage therapy ordered");
    open_stage(&stage, "plain", "", true);
    want(&stage.gateway, &flag);
    wait_until_idle(&stage.gateway);
    struct wish changed = flag_of("Patient/p1", "changed");
    ehr_control(&stage.ehr, "faults", "{\"slow_ms\":1500}");
    want(&stage.gateway, &changed);
    sleep_ms(300); /* the PUT is on its way */
    close_gateway(&stage.gateway, 100);
    open_lane(&stage.gateway);
    assert_string_equal("unknown unknown stopped", row_line(&stage.gateway, &changed));
    sleep_ms(1800); /* by now it has been carried out */
    ehr_control(&stage.ehr, "faults", "{\"slow_ms\":0}");
    start_outbox(&stage.gateway);
    wait_until_idle(&stage.gateway);
    assert_string_equal("settled", row_line(&stage.gateway, &changed));
    char identity[SHA256_HEX_SIZE];
    name_wish(&flag, identity);
    assert_int_equal(1, ehr_count(&stage.ehr, "Flag", identity).updates);
    assert_int_equal(1, outbox_counts(stage.gateway.outbox).reconciled);
    close_stage(&stage);
}

static void a_refusal_is_parked_with_its_reason(void **state)
{
    (void)state;
    struct stage stage;
    struct wish flag = flag_of("Patient/p1", "salvage therapy ordered");
    open_stage(&stage, "hapi", "invalid=1", false);
    want(&stage.gateway, &flag);
    wait_until_idle(&stage.gateway);
    assert_string_equal("dead permanent business-rule", row_line(&stage.gateway, &flag));
    struct wish changed = flag_of("Patient/p1", "better now"); /* what is wanted newly is tried */
    want(&stage.gateway, &changed);
    wait_until_idle(&stage.gateway);
    assert_string_equal("settled", row_line(&stage.gateway, &changed));
    close_stage(&stage);
}

static void what_ended_is_ended_there_and_nothing_is_created_for_it(void **state)
{
    (void)state;
    struct stage stage;
    struct wish flag = flag_of("Patient/p1", "salvage therapy ordered");
    open_stage(&stage, "hapi", "", false);
    want(&stage.gateway, &flag);
    wait_until_idle(&stage.gateway);
    flag.wish = WISH_INACTIVE;
    flag.status = "inactive";
    want(&stage.gateway, &flag);
    struct wish never = flag_of("Patient/p2", "never sent");
    never.wish = WISH_IN_ERROR;
    never.status = "entered-in-error";
    want(&stage.gateway, &never);
    wait_until_idle(&stage.gateway);
    assert_int_equal(1, ehr_count(&stage.ehr, "Flag", NULL).stored);
    assert_non_null(strstr(ehr_control(&stage.ehr, "state", NULL), "\"inactive\""));
    assert_string_equal("settled nothing-there", row_line(&stage.gateway, &never));
    close_stage(&stage);
}

static void an_edit_wins_until_there_is_new_evidence(void **state)
{
    (void)state;
    struct stage stage;
    char identity[SHA256_HEX_SIZE], body[256];
    struct wish flag = flag_of("Patient/p1", "salvage therapy ordered");
    open_stage(&stage, "plain", "", false);
    want(&stage.gateway, &flag);
    wait_until_idle(&stage.gateway);
    name_wish(&flag, identity);
    /* An edit that is newer than the next wish. */
    snprintf(body, sizeof body,
             "{\"type\":\"Flag\",\"identity\":\"%s\",\"set\":{\"status\":\"inactive\"},"
             "\"ahead_s\":3600}",
             identity);
    ehr_control(&stage.ehr, "edit", body);
    struct wish second = flag_of("Patient/p1", "second");
    want(&stage.gateway, &second);
    wait_until_idle(&stage.gateway);
    assert_string_equal("settled target-edited", row_line(&stage.gateway, &second));
    assert_null(strstr(ehr_control(&stage.ehr, "state", NULL), "\"text\": \"second\""));
    /* The next wish knows the record as it is and goes over it. */
    struct wish third = flag_of("Patient/p1", "third");
    want(&stage.gateway, &third);
    wait_until_idle(&stage.gateway);
    assert_non_null(strstr(ehr_control(&stage.ehr, "state", NULL), "\"text\": \"third\""));
    assert_int_equal(1, ehr_count(&stage.ehr, "Flag", identity).stored);
    close_stage(&stage);
}

static void a_second_copy_is_reported_and_the_oldest_is_kept(void **state)
{
    (void)state;
    struct stage stage;
    char identity[SHA256_HEX_SIZE], body[160];
    struct wish flag = flag_of("Patient/p1", "salvage therapy ordered");
    open_stage(&stage, "plain", "", false);
    want(&stage.gateway, &flag);
    wait_until_idle(&stage.gateway);
    name_wish(&flag, identity);
    snprintf(body, sizeof body, "{\"type\":\"Flag\",\"identity\":\"%s\"}", identity);
    ehr_control(&stage.ehr, "copy", body);
    ehr_control(&stage.ehr, "delete", body); /* the first, which the outbox knows */
    ehr_control(&stage.ehr, "copy", body);
    struct wish second = flag_of("Patient/p1", "second");
    want(&stage.gateway, &second);
    wait_until_idle(&stage.gateway);
    assert_string_equal("settled repaired 1", row_line(&stage.gateway, &second));
    assert_int_equal(1, outbox_counts(stage.gateway.outbox).duplicates);
    close_stage(&stage);
}

static void without_trust_nothing_is_sent(void **state)
{
    (void)state;
    struct stage stage;
    set_up_gateway(&stage.gateway, false);
    ehr_start(&stage.ehr, "hapi", "", 1);
    add_destination(&stage.gateway, "ehr", stage.ehr.base_url);
    add_destination(&stage.gateway, "untrusted", stage.ehr.base_url);
    stage.gateway.destinations[0].certificate_file = NULL; /* who are we? */
    stage.gateway.destinations[0].key_file = NULL;
    stage.gateway.destinations[1].ca_file =
        keep_text(&stage.gateway, cert_path("client.pem")); /* who are they? */
    open_lane(&stage.gateway);
    start_outbox(&stage.gateway);
    struct wish flag = flag_of("Patient/p1", "salvage therapy ordered");
    struct wish other = flag;
    other.destination = "untrusted";
    want(&stage.gateway, &flag);
    want(&stage.gateway, &other);
    wait_for_row(&stage.gateway, &other, "pending transient tls");
    wait_for_row(&stage.gateway, &flag, "pending transient ");
    assert_int_equal(0, ehr_count(&stage.ehr, "Flag", NULL).requests);
    close_stage(&stage);
}

static void what_cannot_be_written_is_not_tried(void **state)
{
    (void)state;
    struct stage stage;
    struct wish flag = flag_of("Patient/p1", "salvage therapy ordered");
    open_stage(&stage, "read-only", "", false);
    want_all(&stage.gateway, &flag);
    wait_for_row(&stage.gateway, &flag, "dead permanent not-offered");
    assert_string_equal("", ehr_control(&stage.ehr, "log", NULL));
    close_stage(&stage);
}

/* --- kill -9 ------------------------------------------------------------------------------------ */

#define KILL_ROUNDS 12
#define KILL_PATIENTS 12

/* In a child: the whole back half, until it is killed. */
static void run_until_killed(struct gateway *gateway)
{
    open_lane(gateway);
    start_outbox(gateway);
    sleep_ms(60000);
    _exit(1);
}

static void kill_while_it_delivers(struct gateway *gateway, unsigned after_ms)
{
    pid_t child = fork();
    if (child == 0)
        run_until_killed(gateway);
    sleep_ms(after_ms);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static void killed_at_any_moment_nothing_is_sent_twice(void **state)
{
    const char *mode = *state;
    struct gateway gateway;
    struct ehr ehr;
    set_up_gateway(&gateway, true);
    ehr_start(&ehr, mode, "slow_ms=4", 1);
    add_destination(&gateway, "ehr", ehr.base_url);
    open_lane(&gateway);
    for (unsigned i = 0; i < KILL_PATIENTS; i++) {
        struct wish flag = flag_of(patient_name(i), "salvage therapy ordered");
        want_all(&gateway, &flag);
    }
    close_gateway(&gateway, 0);
    for (unsigned round = 0; round < KILL_ROUNDS; round++)
        kill_while_it_delivers(&gateway, 40 + round * 13 % 90);
    open_lane(&gateway);
    start_outbox(&gateway);
    wait_until_idle(&gateway);
    for (unsigned i = 0; i < KILL_PATIENTS; i++) {
        struct wish flag = flag_of(patient_name(i), "salvage therapy ordered");
        struct wish care_plan = other_of(&flag, POSTING_CARE_PLAN, 0);
        assert_once(&ehr, &flag, true);
        assert_once(&ehr, &care_plan, true);
    }
    struct tally provenance = ehr_count(&ehr, "Provenance", NULL);
    assert_int_equal(2 * KILL_PATIENTS, provenance.stored);
    (void)audited_deliveries(&gateway);
    close_gateway(&gateway, 1000);
    ehr_stop(&ehr);
    tear_down_gateway(&gateway);
}

/* --- the group ----------------------------------------------------------------------------------- */

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

static bool has_tools(void)
{
    return system("python3 -c 'import ssl' >/dev/null 2>&1 && openssl version >/dev/null 2>&1") ==
           0;
}

/* An argument is the name of the only case that is to run; * and ? stand for anything. */
int main(int count, char **arguments)
{
    static const struct CMUnitTest stories[] = {
        cmocka_unit_test(a_patients_postings_keep_their_order),
        cmocka_unit_test(a_provenance_names_what_it_speaks_of),
        cmocka_unit_test(one_dead_ehr_does_not_stop_the_other),
        cmocka_unit_test(ten_changes_while_it_is_down_are_one_delivery),
        cmocka_unit_test(a_restart_goes_on_where_it_was),
        cmocka_unit_test(what_is_under_way_at_the_end_is_unknown_and_then_reconciled),
        cmocka_unit_test(a_refusal_is_parked_with_its_reason),
        cmocka_unit_test(what_ended_is_ended_there_and_nothing_is_created_for_it),
        cmocka_unit_test(an_edit_wins_until_there_is_new_evidence),
        cmocka_unit_test(a_second_copy_is_reported_and_the_oldest_is_kept),
        cmocka_unit_test(without_trust_nothing_is_sent),
        cmocka_unit_test(what_cannot_be_written_is_not_tried),
    };
    static const struct {
        const char *name, *mode;
    } kill_cases[] = {
        { "killed at any moment, nothing is sent twice: plain", "plain" },
        { "killed at any moment, nothing is sent twice: conditional", "hapi" },
        { "killed at any moment, nothing is sent twice: PUT creates", "upsert" },
    };
    struct CMUnitTest tests[COUNT_OF(fault_cases) + COUNT_OF(stories) + COUNT_OF(kill_cases)];
    size_t n = 0;
    if (!has_tools()) {
        printf("SKIPPED: python3 with ssl, and openssl, are needed to play the EHR\n");
        return 0;
    }
    for (size_t i = 0; i < COUNT_OF(fault_cases); i++) /* one reported test per row */
        tests[n++] = (struct CMUnitTest){ .name = fault_cases[i].name,
                                          .test_func = all_arrives_once,
                                          .initial_state = (void *)(uintptr_t)&fault_cases[i] };
    for (size_t i = 0; i < COUNT_OF(stories); i++)
        tests[n++] = stories[i];
    for (size_t i = 0; i < COUNT_OF(kill_cases); i++)
        tests[n++] = (struct CMUnitTest){ .name = kill_cases[i].name,
                                          .test_func = killed_at_any_moment_nothing_is_sent_twice,
                                          .initial_state = (void *)(uintptr_t)kill_cases[i].mode };
    if (count > 1)
        cmocka_set_test_filter(arguments[1]);
    return cmocka_run_group_tests_name("outbox_fault", tests, make_certificates,
                                       remove_certificates);
}
