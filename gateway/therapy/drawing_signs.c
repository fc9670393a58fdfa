#include "therapy/drawing.h"

/* Shapes tell what happened without colour; around (0, 0), about 12 pixels wide. */
static const struct {
    const char *path;
    const char *style; /* class */
} signs[] = {
    { "M-6-5H6L0 6Z", "ll-bad" },                                      /* relapse */
    { "M-6 5H6L0-6Z", "ll-bad" },                                      /* progression */
    { "M-5-5L5 5M5-5L-5 5", "ll-cross" },                              /* refractory */
    { "M-5.5 0A5.5 5.5 0 1 0 5.5 0A5.5 5.5 0 1 0-5.5 0Z", "ll-good" }, /* remission */
    { "M0-7L6 0L0 7L-6 0Z", "ll-bad" },                                /* metastasis */
    { "M-5-5H5V5H-5Z", "ll-bad" },                                     /* castration resistance */
    { "M-2-6H2V-2H6V2H2V6H-2V2H-6V-2H-2Z", "ll-done" },                /* transplant */
    { "M-6 0L-3-5.2H3L6 0L3 5.2H-3Z", "ll-done" },                     /* cell therapy */
    { "M-4-4H4V4H-4Z", "ll-good" },                                    /* cell collection */
    { "M0-6V6M-5.2-3L5.2 3M-5.2 3L5.2-3", "ll-cross" },                /* radiotherapy */
    { "M0-6L5.2 0L0 6L-5.2 0Z", "ll-good" },                           /* surgery */
    { "M-5 0A5 5 0 0 1 5 0ZM-5 0A5 5 0 1 0 5 0", "ll-good" },          /* response */
    { "M-6 0H6", "ll-cross" },                                         /* stable */
    { "M-4 0A4 4 0 1 0 4 0A4 4 0 1 0-4 0Z", "ll-done" },               /* anything else */
};
#define SIGN_OTHER (COUNT_OF(signs) - 1)

unsigned sign_of_evidence(enum evidence_kind kind)
{
    static const unsigned of[] = { 0, 1, 2, 3, 4, 5, 11, 12, 1, 1 };
    _Static_assert(COUNT_OF(of) == EVIDENCE_GRAFT_FAILURE + 1, "every kind has a sign");
    return of[kind];
}

unsigned sign_of_load(void) { return SIGN_OTHER; }

/* Indexed by enum procedure_kind. */
static const struct {
    const char *name;
    unsigned sign;
} procedures[] = {
    [PROCEDURE_NONE] = { "procedure", SIGN_OTHER },
    [PROCEDURE_TRANSPLANT_AUTOLOGOUS] = { "autologous transplant", 6 },
    [PROCEDURE_TRANSPLANT_ALLOGENEIC] = { "allogeneic transplant", 6 },
    [PROCEDURE_TRANSPLANT_CELLS] = { "transplant", 6 },
    [PROCEDURE_APHERESIS] = { "cell collection", 8 },
    [PROCEDURE_CELL_THERAPY] = { "cell therapy", 7 },
    [PROCEDURE_RADIOTHERAPY] = { "radiotherapy", 9 },
    [PROCEDURE_CHEMORADIATION] = { "chemoradiation", 9 },
    [PROCEDURE_CHEMOTHERAPY] = { "chemotherapy", SIGN_OTHER },
    [PROCEDURE_SURGERY] = { "surgery", 10 },
    [PROCEDURE_HAEMODIALYSIS] = { "haemodialysis", SIGN_OTHER },
    [PROCEDURE_PERITONEAL_DIALYSIS] = { "peritoneal dialysis", SIGN_OTHER },
    [PROCEDURE_DIALYSIS] = { "dialysis", SIGN_OTHER },
    [PROCEDURE_KIDNEY_TRANSPLANT] = { "kidney transplant", 6 },
    [PROCEDURE_DIALYSIS_ACCESS] = { "dialysis access", SIGN_OTHER },
};
_Static_assert(COUNT_OF(procedures) == PROCEDURE_KIND_COUNT, "every kind has a sign and a name");

unsigned sign_of_procedure(enum procedure_kind kind)
{
    CHECK((size_t)kind < COUNT_OF(procedures));
    return procedures[kind].sign;
}

const char *procedure_name(enum procedure_kind kind)
{
    CHECK((size_t)kind < COUNT_OF(procedures));
    return procedures[kind].name;
}

void sign_put(unsigned sign, int x, int y, struct buffer *out)
{
    CHECK(sign < COUNT_OF(signs));
    buffer_format(out, "<path class=\"%s\" transform=\"translate(", signs[sign].style);
    drawing_length(out, x);
    buffer_add_char(out, ' ');
    drawing_length(out, y);
    buffer_format(out, ")\" d=\"%s\"/>", signs[sign].path);
}

/* --- style ----------------------------------------------------------------------------------- */

/* Dark on light with patterns, so that a grey print and every eye tell things apart; the hues are
 * those of Okabe and Ito. */
void drawing_put_style(struct buffer *out)
{
    buffer_add(
        out,
        SLICE(
            ".ll{font-family:\"DejaVu Sans\",Verdana,Arial,sans-serif;font-size:11px;fill:#111}\n"
            ".ll-title{font-size:13px;font-weight:bold}\n"
            ".ll-dim{fill:#555}.ll-small{font-size:9.5px}\n"
            ".ll-band{fill:#000;fill-opacity:.045}.ll-edge{stroke:#666;stroke-width:.8;"
            "stroke-dasharray:2 2}\n"
            ".ll-salvage{fill:url(#ll-salvage)}.ll-salvage-edge{stroke:#b34700;stroke-width:1.6}\n"
            ".ll-label{fill:#fff;stroke:#444;stroke-width:1}.ll-label-salvage{fill:#111;"
            "stroke:#111}\n"
            ".ll-white{fill:#fff;font-weight:bold}\n"
            ".ll-induction,.ll-regimen{fill:#3d3d3d}.ll-regimen-next{fill:#9a9a9a}.ll-"
            "consolidation{fill:url(#ll-consolidation)}"
            ".ll-maintenance{fill:url(#ll-maintenance)}.ll-conditioning{fill:url(#ll-conditioning)}"
            ".ll-bridging{fill:url(#ll-bridging)}\n"
            ".ll-segment{stroke:#222;stroke-width:.8}.ll-segment.ll-induction,.ll-segment.ll-"
            "regimen,"
            ".ll-segment.ll-regimen-next{stroke:#fff;stroke-width:1.4}.ll-edge-box{stroke:#b34700}"
            "\n"
            ".ll-row{stroke:#ccc;stroke-width:.6}.ll-tick{stroke:#bbb;stroke-width:.6}"
            ".ll-axis{stroke:#333;stroke-width:1}\n"
            ".ll-bar{fill:#56a5d8;stroke:#003a5c;stroke-width:.7}.ll-given{fill:#00263d;stroke:#"
            "00263d;"
            "stroke-width:.7}.ll-hollow{fill:#fff;stroke:#555;"
            "stroke-width:.9}.ll-reported{fill:url(#ll-reported);stroke:#003a5c;stroke-width:.8}\n"
            ".ll-unclear{stroke:#111;stroke-width:1.2;stroke-dasharray:2 1.5}\n"
            ".ll-bad{fill:#d55e00;stroke:#111;stroke-width:.8}.ll-good{fill:#fff;stroke:#00664b;"
            "stroke-width:2}.ll-done{fill:#111}.ll-cross{fill:none;stroke:#111;stroke-width:2.4}\n"
            ".ll-halo{paint-order:stroke;stroke:#fff;stroke-width:3px;stroke-linejoin:round}\n"
            ".ll-now{stroke:#111;stroke-width:1.2;stroke-dasharray:5 3}\n"));
}

void drawing_put_patterns(struct buffer *out)
{
    static const struct {
        const char *name, *ground, *size, *strokes, *stroke;
    } patterns[] = {
        { "salvage", "#fff0e0", "8", "M-2 2L2-2M0 8L8 0M6 10L10 6", "#e08a3c\" stroke-width=\"1" },
        { "consolidation", "#d8d8d8", "6", "M0 0L6 6M6 0L0 6", "#333\" stroke-width=\".9" },
        { "maintenance", "#fff", "5", "M-1 1L1-1M0 5L5 0M4 6L6 4", "#333\" stroke-width=\".9" },
        { "conditioning", "#fff", "4", "M2 1V3", "#111\" stroke-width=\"2" },
        { "bridging", "#fff", "4", "M2 0V4", "#333\" stroke-width=\"1" },
        { "reported", "#fff", "4", "M-1 1L1-1M0 4L4 0M3 5L5 3", "#0072b2\" stroke-width=\"1.4" },
    };
    buffer_add(out, SLICE("<defs>"));
    for (size_t i = 0; i < COUNT_OF(patterns); i++)
        buffer_format(out,
                      "<pattern id=\"ll-%s\" width=\"%s\" height=\"%s\" "
                      "patternUnits=\"userSpaceOnUse\"><rect width=\"%s\" height=\"%s\" "
                      "fill=\"%s\"/><path d=\"%s\" fill=\"none\" stroke=\"%s\"/></pattern>",
                      patterns[i].name, patterns[i].size, patterns[i].size, patterns[i].size,
                      patterns[i].size, patterns[i].ground, patterns[i].strokes,
                      patterns[i].stroke);
    buffer_add(out, SLICE("</defs>\n"));
}
