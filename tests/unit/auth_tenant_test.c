/* Who is calling: certificates and URLs to tenants. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/auth.h"

#define PRINT "3f79bb7b435b05321651daefd374cdc681dc06faa65e374e38337b88ca046dea"
#define PRINT_CAPITALS "3F79BB7B435B05321651DAEFD374CDC681DC06FAA65E374E38337B88CA046DEA"

static const struct slice general[] = { { "san-dns:ehr.general.example", 27 },
                                        { "cn:general", 10 } };
static const struct slice childrens[] = { { "fingerprint:" PRINT, 12 + 64 },
                                          { "san-uri:urn:site:childrens", 26 } };
static const struct slice wildcard[] = { { "san-dns:*.wild.example", 22 } };
static const struct tenant tenants[] = {
    { .name = { "general", 7 }, .identities = general, .identity_count = 2 },
    { .name = { "childrens", 9 }, .identities = childrens, .identity_count = 2 },
    { .name = { "wild", 4 }, .identities = wildcard, .identity_count = 1 },
};

static const struct auth_case {
    const char *name;
    const char *fingerprint, *uri, *dns, *cn; /* all NULL: no certificate */
    const char *path;
    bool has_fallback;
    const char *tenant; /* NULL: refused */
    enum err_code code;
} cases[] = {
    { "a DNS name", "", "", "ehr.general.example", "", "", false, "general", ERR_OK },
    { "a DNS name in capitals", "", "", "EHR.General.Example", "", "", false, "general", ERR_OK },
    { "a common name", "", "", "", "general", "", false, "general", ERR_OK },
    { "a common name in capitals is another name", "", "", "", "General", "", false, NULL,
      ERR_FORBIDDEN },
    { "a fingerprint", PRINT, "", "", "", "", false, "childrens", ERR_OK },
    { "a fingerprint in capitals", PRINT_CAPITALS, "", "", "", "", false, "childrens", ERR_OK },
    { "a URI", "", "urn:site:childrens", "", "", "", false, "childrens", ERR_OK },
    { "the fingerprint outranks the common name", PRINT, "", "", "general", "", false, "childrens",
      ERR_OK },
    { "the URI outranks the DNS name", "", "urn:site:childrens", "ehr.general.example", "", "",
      false, "childrens", ERR_OK },
    { "the DNS name outranks the common name", "", "", "ehr.general.example", "childrens", "",
      false, "general", ERR_OK },
    { "an unknown certificate", "00", "urn:x", "x.example", "x", "", false, NULL, ERR_FORBIDDEN },
    { "an unknown certificate does not fall back", "00", "", "", "x", "", true, NULL,
      ERR_FORBIDDEN },
    { "a certificate without any name", "", "", "", "", "", false, NULL, ERR_FORBIDDEN },
    { "a name that only begins like an identity", "", "", "ehr.general.example.evil", "", "", false,
      NULL, ERR_FORBIDDEN },
    { "a wildcard is not expanded", "", "", "a.wild.example", "", "", false, NULL, ERR_FORBIDDEN },
    { "the value of one kind is no proof of another", "", "ehr.general.example", "", "", "", false,
      NULL, ERR_FORBIDDEN },
    { "the URL of the own tenant", "", "", "", "general", "general", false, "general", ERR_OK },
    { "the URL of another tenant", "", "", "", "general", "childrens", false, NULL, ERR_FORBIDDEN },
    { "the URL of a tenant that is not there", "", "", "", "general", "nobody", false, NULL,
      ERR_FORBIDDEN },
    { "no certificate where one is needed", NULL, NULL, NULL, NULL, "", false, NULL, ERR_LOGIN },
    { "no certificate, URL of a tenant", NULL, NULL, NULL, NULL, "general", false, NULL,
      ERR_LOGIN },
    { "no certificate where none is needed", NULL, NULL, NULL, NULL, "", true, "general", ERR_OK },
    { "no certificate, URL of the fallback", NULL, NULL, NULL, NULL, "general", true, "general",
      ERR_OK },
    { "no certificate, URL of another", NULL, NULL, NULL, NULL, "childrens", true, NULL,
      ERR_FORBIDDEN },
};

static void caller_is(void **state)
{
    const struct auth_case *c = *state;
    struct caller caller = { slice_of(c->fingerprint), slice_of(c->uri), slice_of(c->dns),
                             slice_of(c->cn), c->fingerprint != NULL };
    const struct tenant untouched = { .name = { "untouched", 9 } }, *tenant = &untouched;
    struct err err = { .code = ERR_OK };

    bool is_in = auth_tenant(tenants, COUNT_OF(tenants), &caller, slice_of(c->path),
                             c->has_fallback ? &tenants[0] : NULL, &tenant, &err);

    assert_int_equal(is_in, c->tenant != NULL);
    if (is_in) {
        assert_true(slice_is(tenant->name, c->tenant));
    } else {
        assert_int_equal(err.code, c->code);
        assert_ptr_equal(tenant, &untouched);
        assert_null(strstr(err.what, "childrens")); /* names of tenants are not told */
    }
}

static void a_refusal_does_not_tell_which_tenants_exist(void **state)
{
    (void)state;
    struct caller caller = { .common_name = { "general", 7 }, .has_certificate = true };
    const struct tenant *tenant;
    struct err known, unknown;
    assert_false(auth_tenant(tenants, COUNT_OF(tenants), &caller, SLICE("childrens"), NULL, &tenant,
                             &known));
    assert_false(
        auth_tenant(tenants, COUNT_OF(tenants), &caller, SLICE("nobody"), NULL, &tenant, &unknown));
    assert_string_equal(known.what, unknown.what);
    assert_string_equal(known.where, unknown.where);
}

int main(void)
{
    struct CMUnitTest tests[COUNT_OF(cases) + 1];
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        tests[i] = (struct CMUnitTest){ .name = cases[i].name,
                                        .test_func = caller_is,
                                        .initial_state = (void *)(uintptr_t)&cases[i] };
    tests[COUNT_OF(cases)] =
        (struct CMUnitTest)cmocka_unit_test(a_refusal_does_not_tell_which_tenants_exist);
    return _cmocka_run_group_tests("auth tenant", tests, COUNT_OF(tests), NULL, NULL);
}
