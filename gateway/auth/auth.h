/* auth/auth.h -- who is calling: client certificate names to tenants.
 *
 * What      a tenant is one EHR site; nothing crosses tenants.  A certificate is matched by
 *           fingerprint, SAN URI, SAN DNS name or subject CN, in this order; trust was checked
 *           before by TLS.
 * Thread    any; pure.
 */
#pragma once

#include "base/err.h"
#include "base/slice.h"

struct tenant {
    struct slice name; /* "general-hospital" */
    int32_t number;    /* the store's; filled at start */
    /* "san-dns:ehr.example", "san-uri:..", "cn:ehr", "fingerprint:<hex>" */
    const struct slice *identities;
    unsigned identity_count;
    const struct slice *base_urls; /* "https://ehr.example/fhir": references under it are local */
    unsigned base_url_count;
    const struct slice *message_events; /* "system|code" or a URI: messages that are taken */
    unsigned message_event_count;
};

struct caller {
    struct slice fingerprint, san_uri, san_dns, common_name; /* empty when there is none */
    bool has_certificate;
};

/* `path_tenant` is the {tenant} of the URL, or empty.  `fallback` serves callers without a
 * certificate when client authentication is off; NULL refuses them (ERR_LOGIN).  A certificate that
 * no tenant names, or a URL of another tenant, is ERR_FORBIDDEN. */
bool auth_tenant(const struct tenant *tenants, unsigned count, const struct caller *caller,
                 struct slice path_tenant, const struct tenant *fallback, const struct tenant **out,
                 struct err *err) MUST_USE;
