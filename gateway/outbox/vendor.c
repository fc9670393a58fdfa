#include "outbox/vendor.h"

/* Names as the vendors' own statements have them, in software.name or publisher. */
static const struct {
    const char *begins;
    enum vendor vendor;
} names[] = {
    { "Epic", VENDOR_EPIC },
    { "Oracle Health", VENDOR_ORACLE },
    { "Cerner", VENDOR_ORACLE },
    { "Medical Information Technology", VENDOR_MEDITECH },
    { "Interoperability Services: US Core", VENDOR_MEDITECH },
};

static const struct {
    const char *begins;
    enum vendor vendor;
} systems[] = {
    { "urn:oid:1.2.840.114350.", VENDOR_EPIC }, /* the arc of Epic's object identifiers */
};

/* clang-format off */
#define CODE_TABLE(X)                                                          \
    /* vendor, number, class: what was wrong */                                \
    X(EPIC,  4100, PERMANENT)  /* content */                                   \
    X(EPIC,  4102, PERMANENT)                                                  \
    X(EPIC,  4111, PERMANENT)                                                  \
    X(EPIC,  4112, PERMANENT)                                                  \
    X(EPIC,  4115, PERMANENT)                                                  \
    X(EPIC,  4122, PERMANENT)                                                  \
    X(EPIC, 59100, PERMANENT)                                                  \
    X(EPIC, 59101, PERMANENT)                                                  \
    X(EPIC, 59102, PERMANENT)                                                  \
    X(EPIC, 59105, PERMANENT)                                                  \
    X(EPIC, 59108, PERMANENT)                                                  \
    X(EPIC, 59111, PERMANENT)                                                  \
    X(EPIC, 59144, PERMANENT)                                                  \
    X(EPIC, 59159, PERMANENT)                                                  \
    X(EPIC, 59141, CONFLICT)   /* a duplicate: look it up */                   \
    X(EPIC, 40000, SITE)       /* the site has not built what it needs */      \
    X(EPIC, 59187, SITE)                                                       \
    X(EPIC, 59188, SITE)                                                       \
    X(EPIC, 59189, SITE)                                                       \
    X(EPIC,  4118, POLICY)     /* not allowed; break-the-glass among them */   \
    X(EPIC,  4130, POLICY)                                                     \
    X(EPIC,  4131, POLICY)                                                     \
    X(EPIC,  4134, POLICY)                                                     \
    X(EPIC,  4135, QUOTA)      /* "try again tomorrow" */                      \
    X(EPIC,  4107, MERGED)     /* the patient was merged into another */       \
    X(EPIC, 59177, TRANSIENT)
/* clang-format on */

static const struct {
    enum vendor vendor;
    unsigned code;
    enum retry_class class;
} codes[] = {
#define X(vendor, code, class) { VENDOR_##vendor, code, RETRY_CLASS_##class },
    CODE_TABLE(X)
#undef X
};

const char *vendor_name(enum vendor vendor)
{
    static const char *const shown[] = { "", "Epic", "Oracle Health", "MEDITECH" };
    CHECK((size_t)vendor < COUNT_OF(shown));
    return shown[vendor];
}

enum vendor vendor_of(struct slice text, enum vendor before)
{
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (slice_starts(text, slice_of(names[i].begins)))
            return names[i].vendor;
    return before;
}

enum vendor vendor_of_system(struct slice system)
{
    for (size_t i = 0; i < COUNT_OF(systems); i++)
        if (slice_starts(system, slice_of(systems[i].begins)))
            return systems[i].vendor;
    return VENDOR_OTHER;
}

enum retry_class vendor_class(enum vendor vendor, unsigned code)
{
    for (size_t i = 0; i < COUNT_OF(codes); i++)
        if (codes[i].vendor == vendor && codes[i].code == code)
            return codes[i].class;
    return RETRY_CLASS_NONE;
}
