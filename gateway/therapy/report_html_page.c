/* The page around the sections of the HTML report.  Nothing is fetched: style and drawings are
 * inside, there is no script. */
#include "therapy/drawing.h"
#include "therapy/markup.h"
#include "therapy/report.h"

static const char style[] =
    ":root{color-scheme:light;font-size:15px}\n"
    "*{box-sizing:border-box}\n"
    "body{font:1rem/1.45 \"DejaVu Sans\",Verdana,Arial,sans-serif;color:#111;background:#fff;"
    "max-width:1180px;margin:0 auto;padding:1.5rem}\n"
    "h1{font-size:1.7rem;margin:0 0 .3rem}h2{font-size:1.3rem;margin:0 0 .4rem}"
    "h3{font-size:1.05rem;margin:.9rem 0 .4rem}h4{font-size:.92rem;margin:.6rem 0 .2rem}\n"
    "p{margin:.35rem 0}ul{margin:.2rem 0 .5rem;padding-left:1.3rem}\n"
    "a{color:#00507d}a:focus-visible,summary:focus-visible,input:focus-visible{outline:3px solid "
    "#d55e00;outline-offset:2px}\n"
    ".dim{color:#555}.rule{font-size:.78em;color:#444;border:1px solid #999;border-radius:3px;"
    "padding:0 .25em;white-space:nowrap}\n"
    "table{border-collapse:collapse;width:100%;margin:.7rem 0;font-size:.88rem}\n"
    "caption{text-align:left;font-weight:bold;padding:.2rem 0}\n"
    "th,td{text-align:left;vertical-align:top;padding:.3rem .5rem;border-bottom:1px solid #ccc}\n"
    "thead th{border-bottom:2px solid #333;background:#f3f3f3}tbody th{font-weight:600}\n"
    "td.n,th.n{text-align:right}td.d{white-space:nowrap}\n"
    "tr.salvage>*{background:#fff0e0}tr.salvage>th:first-child{box-shadow:inset 5px 0 #111;"
    "padding-left:.8rem}\n"
    ".badge{background:#111;color:#fff;padding:.05em .45em;border-radius:3px;white-space:nowrap;"
    "font-size:.88em;letter-spacing:.03em}\n"
    ".sums{display:flex;flex-wrap:wrap;gap:.6rem;margin:1rem 0;padding:0;list-style:none}\n"
    ".sums li{border:1px solid #999;border-radius:4px;padding:.35rem .8rem}"
    ".sums b{font-size:1.25rem;margin-right:.35rem}\n"
    ".patient{border-top:3px solid #111;margin-top:2.2rem;padding-top:.8rem}\n"
    ".verdict{border:1px solid #777;border-left-width:6px;padding:.5rem .9rem;border-radius:3px}\n"
    ".verdict.salvage{border:2px solid #111;border-left-width:10px;background:#fff8f1}"
    ".call{font-size:1.05rem}\n"
    "figure{margin:.8rem 0;overflow-x:auto}figure svg{width:100%;min-width:720px;height:auto;"
    "display:block}\n"
    "code{font-family:\"DejaVu Sans Mono\",monospace;font-size:.82em;overflow-wrap:anywhere}\n"
    ".refs code{display:block}details{margin:.6rem 0}summary{cursor:pointer;color:#00507d}\n"
    ".legend svg{width:100%;min-width:720px;height:auto}\n"
    ".only{display:inline-block;margin:.3rem 0}\n"
    "body:has(#only:checked) #overview tbody tr:not(.salvage),"
    "body:has(#only:checked) .patient:not(.salvage){display:none}\n"
    ".defs{position:absolute;width:0;height:0}\n";

static const char print_style[] =
    "@page{size:A4;margin:11mm}\n"
    "@media print{:root{font-size:8.2pt}body{line-height:1.3;max-width:none;padding:0}"
    "table{margin:.4rem 0}th,td{padding:.15rem .35rem}h3{margin:"
    ".3rem 0}figure{margin:.4rem 0}ul{margin:.1rem 0 .2rem}p{margin:.15rem 0}"
    ".sums{gap:.3rem;margin:.5rem 0}.sums li{padding:.1rem .4rem}"
    "*{-webkit-print-color-adjust:exact;print-color-adjust:exact}\n"
    ".patient{break-before:page;border-top:0;margin-top:0}"
    "figure,.verdict,tr{break-inside:avoid}h2,h3,h4,caption{break-after:avoid}thead{display:"
    "table-header-group}\n"
    "figure svg{min-width:0}figure{overflow:visible}.only,.back,details:not([open]){display:none}"
    "summary{color:#111;list-style:none}a{color:#111;text-decoration:none}}\n";

void report_sums_add(struct report_sums *sums, const struct therapy *therapy)
{
    sums->patients++;
    sums->histories += therapy->history_count;
    for (unsigned i = 0; i < therapy->history_count; i++) {
        sums->lines += therapy->histories[i].line_count;
        sums->salvage += therapy->histories[i].verdict.salvage ? 1 : 0;
    }
    sums->unmapped += therapy->unmapped_count;
    sums->unattributed += therapy->unattributed_count;
}

static void put_sums(const struct report_sums *sums, struct buffer *out)
{
    const struct {
        unsigned count;
        const char *one, *many;
    } rows[] = {
        { sums->patients, "patient", "patients" },
        { sums->histories, "disease history", "disease histories" },
        { sums->lines, "line of therapy", "lines of therapy" },
        { sums->salvage, "on salvage therapy", "on salvage therapy" },
        { sums->unattributed, "order without a disease", "orders without a disease" },
        { sums->unmapped, "resource not in the mappings", "resources not in the mappings" },
    };
    buffer_add(out, SLICE("<ul class=\"sums\">"));
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        buffer_format(out, "<li><b>%u</b>%s</li>", rows[i].count,
                      rows[i].count == 1 ? rows[i].one : rows[i].many);
    buffer_add(out, SLICE("</ul>\n"));
}

void report_html_begin(const struct report_page *page, struct buffer *out)
{
    char hex[SHA256_HEX_SIZE];
    buffer_add(out,
               SLICE("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                     "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                     "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                     "style-src 'unsafe-inline'\">\n<title>Lines of therapy</title>\n<style>\n"));
    buffer_add(out, slice_of(style));
    buffer_add(out, slice_of(print_style));
    drawing_put_style(out);
    buffer_add(out, SLICE("</style>\n</head>\n<body>\n<svg class=\"defs\" aria-hidden=\"true\">"));
    drawing_put_patterns(out);
    buffer_add(out, SLICE("</svg>\n<header><h1>Lines of therapy</h1>\n<p>As of <strong>"));
    markup_day(out, page->as_of);
    buffer_format(out,
                  "</strong>. <span class=\"dim\">Rule set <code>sha256:%s</code></span></p>\n",
                  sha256_hex(page->rule_set, hex));
    buffer_add(
        out,
        SLICE("<p>Everything here rests on what was <em>ordered</em>, unless it says administered, "
              "dispensed or reported; an order does not prove that a drug was taken. It "
              "informs clinicians and is no advice to treat.</p></header>\n"));
    put_sums(&page->sums, out);
    buffer_format(out,
                  "<figure class=\"legend\"><svg role=\"img\" aria-label=\"What the signs mean\" "
                  "viewBox=\"0 0 1000 %d\">",
                  DRAWING_LEGEND_HEIGHT / 10);
    drawing_put_legend(0, out);
    buffer_add(
        out,
        SLICE("</svg></figure>\n<main>\n<section id=\"overview\"><h2>Overview</h2>\n"
              "<p class=\"only\"><label><input type=\"checkbox\" id=\"only\"> only patients on "
              "salvage therapy</label></p>\n<table><thead><tr><th scope=\"col\">Patient</th>"
              "<th scope=\"col\">Disease</th><th scope=\"col\" class=\"n\">Lines</th>"
              "<th scope=\"col\">Latest line</th><th scope=\"col\">Ordered</th>"
              "<th scope=\"col\">Salvage</th><th scope=\"col\">Disease status</th>"
              "<th scope=\"col\">Remarks</th></tr></thead><tbody>\n"));
}

void report_html_middle(struct buffer *out)
{
    buffer_add(out, SLICE("</tbody></table></section>\n"));
}

void report_html_end(struct buffer *out) { buffer_add(out, SLICE("</main>\n</body>\n</html>\n")); }
