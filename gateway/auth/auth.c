#include "auth/auth.h"

/* The ways a certificate can name itself, the strongest first. */
struct claim {
    const char *prefix;
    struct slice value;
};

static bool tenant_names(const struct tenant *tenant, const struct claim *claim)
{
    struct slice prefix = slice_of(claim->prefix);
    for (unsigned i = 0; claim->value.len > 0 && i < tenant->identity_count; i++)
        if (slice_starts(tenant->identities[i], prefix) &&
            slice_eq(slice_skip(tenant->identities[i], prefix.len), claim->value))
            return true;
    return false;
}

static const struct tenant *tenant_of(const struct tenant *tenants, unsigned count,
                                      const struct caller *caller)
{
    const struct claim claims[] = {
        { "fingerprint:", caller->fingerprint },
        { "san-uri:", caller->san_uri },
        { "san-dns:", caller->san_dns },
        { "cn:", caller->common_name },
    };
    for (size_t k = 0; k < COUNT_OF(claims); k++)
        for (unsigned i = 0; i < count; i++)
            if (tenant_names(&tenants[i], &claims[k]))
                return &tenants[i];
    return NULL;
}

bool auth_tenant(const struct tenant *tenants, unsigned count, const struct caller *caller,
                 struct slice path_tenant, const struct tenant *fallback,
                 const struct tenant **out, struct err *err)
{
    const struct tenant *tenant =
        caller->has_certificate ? tenant_of(tenants, count, caller) : fallback;
    if (tenant == NULL && caller->has_certificate)
        return err_fail(err, ERR_FORBIDDEN, "",
                        "no tenant is configured for this client certificate");
    if (tenant == NULL)
        return err_fail(err, ERR_LOGIN, "", "a client certificate is needed here");
    if (path_tenant.len > 0 && !slice_eq(path_tenant, tenant->name))
        return err_fail(err, ERR_FORBIDDEN, "", "the URL names another tenant than the caller's");
    *out = tenant;
    return true;
}
