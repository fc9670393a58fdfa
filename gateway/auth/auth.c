#include "auth/auth.h"

static char small_letter(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

/* DNS names and hex digits mean the same in both cases (RFC 4343). */
static bool is_same_letters(struct slice a, struct slice b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (small_letter(a.at[i]) != small_letter(b.at[i]))
            return false;
    return true;
}

/* One way to be recognised: the word before the value in an identity, and the caller's value. */
struct proof {
    struct slice kind, value;
    bool ignores_case;
};

static bool proves(const struct proof *proof, struct slice identity)
{
    if (proof->value.len == 0 || !slice_starts(identity, proof->kind))
        return false;
    struct slice wanted = slice_skip(identity, proof->kind.len);
    return proof->ignores_case ? is_same_letters(wanted, proof->value)
                               : slice_eq(wanted, proof->value);
}

static const struct tenant *tenant_of(const struct tenant *tenants, unsigned count,
                                      const struct proof *proof)
{
    for (unsigned i = 0; i < count; i++)
        for (unsigned k = 0; k < tenants[i].identity_count; k++)
            if (proves(proof, tenants[i].identities[k]))
                return &tenants[i];
    return NULL;
}

/* From the most exact proof to the least.  Wildcards are not expanded: "*.ehr.example" in a
 * certificate matches only an identity that says just that. */
static const struct tenant *tenant_of_certificate(const struct tenant *tenants, unsigned count,
                                                  const struct caller *caller)
{
    const struct proof proofs[] = {
        { SLICE("fingerprint:"), caller->fingerprint, true },
        { SLICE("san-uri:"), caller->san_uri, false },
        { SLICE("san-dns:"), caller->san_dns, true },
        { SLICE("cn:"), caller->common_name, false },
    };
    for (size_t i = 0; i < COUNT_OF(proofs); i++) {
        const struct tenant *tenant = tenant_of(tenants, count, &proofs[i]);
        if (tenant != NULL)
            return tenant;
    }
    return NULL;
}

bool auth_tenant(const struct tenant *tenants, unsigned count, const struct caller *caller,
                 struct slice path_tenant, const struct tenant *fallback, const struct tenant **out,
                 struct err *err)
{
    const struct tenant *tenant = fallback;
    if (caller->has_certificate) {
        tenant = tenant_of_certificate(tenants, count, caller);
        if (tenant == NULL)
            return err_fail(err, ERR_FORBIDDEN, "certificate",
                            "no tenant has this client certificate among its identities");
    } else if (tenant == NULL) {
        return err_fail(err, ERR_LOGIN, "certificate", "a client certificate is required");
    }
    /* The same answer whether the other tenant exists or not: names are not to be guessed. */
    if (path_tenant.len > 0 && !slice_eq(path_tenant, tenant->name))
        return err_fail(err, ERR_FORBIDDEN, "url",
                        "the url is not one of the tenant that the client belongs to");
    *out = tenant;
    return true;
}
