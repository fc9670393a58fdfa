/* Each rule switched off in turn: the stories that show it must fail, those that it must leave alone
 * must hold.  A rule that nobody would miss is not tested.
 *
 * Every rule runs in a process of its own: an engine without a rule may well break. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <sys/wait.h>
#include <unistd.h>

#include "domain/rule_on.h"
#include "support/therapy/golden.h"

static bool holds(const struct golden *golden)
{
    struct buffer out;
    buffer_init(&out, 1 << 16);
    golden_answer(golden, &out);
    bool is_equal = slice_eq(buffer_slice(&out), golden->lines);
    buffer_fini(&out);
    return is_equal;
}

/* Whether the rule changes the answer.  The second opinion (SAL-023) asks other numbers of the same
 * rules: it is left out, unless it is what is asked about. */
static bool decides(enum rule rule, const struct golden *golden)
{
    void (*answer)(const struct golden *, struct buffer *) =
        rule == RULE_SAL_CONTRAST ? golden_answer : golden_answer_alone;
    struct buffer with, without;
    buffer_init(&with, 1 << 16);
    buffer_init(&without, 1 << 16);
    answer(golden, &with);
    rule_switches[rule].is_off = true;
    answer(golden, &without);
    rule_switches[rule].is_off = false;
    bool is_same = slice_eq(buffer_slice(&with), buffer_slice(&without));
    buffer_fini(&with);
    buffer_fini(&without);
    return !is_same;
}

/* Rules that only say what never happens have no place where they decide. */
static bool is_an_absence(unsigned rule)
{
    return rule == RULE_DROP; /* dropping a drug, a dose, a route: nobody ever asks */
}

/* In the child: how many claims of the stories about this rule are not so. */
static int count_lies(unsigned rule)
{
    unsigned count;
    int lies = 0;
    const struct golden *stories = golden_load(&count);
    for (unsigned i = 0; i < count; i++) {
        bool shows = golden_has(stories[i].shows, rule),
             denies = golden_has(stories[i].denies, rule);
        if (!shows && !denies)
            continue;
        bool is_decided = decides(rule, &stories[i]);
        if (shows && !is_decided && !is_an_absence(rule))
            lies++, print_message("%s off, and nobody notices in %s\n", rule_id((enum rule)rule),
                                  stories[i].name);
        if (denies && is_decided)
            lies++, print_message("%s decides in %s, which denies it\n", rule_id((enum rule)rule),
                                  stories[i].name);
    }
    return lies;
}

static void rule_is_missed_where_it_is_shown(void **state)
{
    unsigned rule = (unsigned)(uintptr_t)*state;
    fflush(stdout);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int lies = count_lies(rule);
        fflush(stdout);
        _exit(lies < 100 ? lies : 100);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status))
        print_message("without %s the engine stops: that is noticed\n", rule_id((enum rule)rule));
    else
        assert_int_equal(WEXITSTATUS(status), 0);
}

/* A rule of which no story tells both a case that it decides and one that it must leave alone. */
static void every_rule_is_told_both_ways(void **state)
{
    unsigned count, missing = 0;
    const struct golden *stories = golden_load(&count);
    (void)state;
    for (unsigned rule = RULE_NONE + 1; rule < RULE_COUNT; rule++) {
        unsigned shows = 0, denies = 0;
        for (unsigned i = 0; i < count; i++) {
            shows += golden_has(stories[i].shows, rule);
            denies += golden_has(stories[i].denies, rule);
        }
        if ((shows > 0 && denies > 0))
            continue;
        print_message("%s %s: shown by %u stories, denied by %u\n", rule_id((enum rule)rule),
                      rule_reason((enum rule)rule), shows, denies);
        missing++;
    }
    print_message("%u stories, %u of %u rules told both ways\n", count, RULE_COUNT - 1 - missing,
                  RULE_COUNT - 1);
    assert_int_equal(missing, 0);
}

/* Every rule has its RULE_ON: no story made one of them decide anything. */
static void every_rule_decides_somewhere(void **state)
{
    unsigned count, never = 0;
    const struct golden *stories = golden_load(&count);
    (void)state;
    for (unsigned i = 0; i < count; i++)
        assert_true(holds(&stories[i]));
    for (unsigned rule = RULE_NONE + 1; rule < RULE_COUNT; rule++) {
        print_message("%s %-28s decided %lu times\n", rule_id((enum rule)rule),
                      rule_reason((enum rule)rule), rule_switches[rule].decided);
        never += rule_switches[rule].decided == 0 && !is_an_absence(rule);
    }
    assert_int_equal(never, 0);
}

int main(void)
{
    static struct CMUnitTest tests[RULE_COUNT + 1];
    unsigned count = 0;
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(every_rule_is_told_both_ways);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(every_rule_decides_somewhere);
    for (unsigned rule = RULE_NONE + 1; rule < RULE_COUNT; rule++)
        tests[count++] = (struct CMUnitTest){ .name = rule_id((enum rule)rule),
                                              .test_func = rule_is_missed_where_it_is_shown,
                                              .initial_state = (void *)(uintptr_t)rule };
    return _cmocka_run_group_tests("therapy_rules", tests, count, NULL, NULL);
}
