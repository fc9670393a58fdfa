/* What mapping_review() finds: the real tables are clean, and each row here, given by an overlay,
 * makes one finding. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "mapping/review.h"
#include "support/mapping_folder.h"

#define ADDONS                                                                          \
    "profile\tingredients\ttraits\texcept\tmax_days\tneeds_continuing\tif_absent_class" \
    "\tsource\tchange\n"
#define MAINTENANCE                                                                  \
    "profile\tingredients\ttraits\tkind\tlines\tmax_gap\tneeds_platinum\tneeds_poly" \
    "\tmin_prior\tmin_length\tsource\n"
#define REGIMENS "name\tdisease\tcomponents\tuses\texclusive\tsource\n"
#define DISEASES "key\tname\tfamily\twithin\tprofile\tsource\n"
#define SUBSTITUTIONS "ingredients\tprofiles\tsource\n"

/* `from` and `to`: in our profiles.tsv; otherwise `overlay` is the text of the overlay's `file`. */
static const struct finding_case {
    const char *name, *file, *overlay, *says;
} cases[] = {
    { "our own tables hold nothing that never decides", NULL, NULL, "" },

    { "an add-on that a wider row allows already", "addons.tsv",
      ADDONS "nsclc\tramucirumab\t\t-\t90\tyes\tno\thouse\n",
      "overlay/addons.tsv:2 ingredients: never decides: line N allows all that it allows" },
    { "an add-on that the row before it allows with one condition less is needed", "addons.tsv",
      ADDONS "nsclc\tramucirumab\t\t-\t-\tno\tno\thouse\n", "" },
    { "an add-on of a supportive drug", "addons.tsv",
      ADDONS "nsclc\tfilgrastim\t\t-\t-\tno\tno\thouse\n",
      "overlay/addons.tsv:2 ingredients: never applies: none of its drugs makes a line of "
      "'nsclc'" },
    { "an add-on of the backbone, which makes no line", "addons.tsv",
      ADDONS "prostate\tleuprorelin\t\t-\t-\tno\tno\thouse\n",
      "overlay/addons.tsv:2 ingredients: never applies: none of its drugs makes a line of "
      "'prostate'" },
    { "an add-on that ends with the window", "addons.tsv",
      ADDONS "dlbcl\trituximab\t\t-\t28\tno\tno\thouse\n",
      "overlay/addons.tsv:2 max_days: never applies: 28 days are within the window of 'dlbcl' "
      "(28)" },

    { "maintenance that a wider row allows already", "maintenance.tsv",
      MAINTENANCE "mm\tlenalidomide\t\tswitch\t1\t90\tno\tyes\t30\t60\thouse\n",
      "overlay/maintenance.tsv:2 ingredients: never decides: line N allows all that it allows" },
    { "maintenance of another line than the row before it is needed", "maintenance.tsv",
      MAINTENANCE "nsclc\tpemetrexed\t\tcontinuation\t2\t90\tno\tno\t0\t0\thouse\n", "" },
    { "maintenance of a supportive drug", "maintenance.tsv",
      MAINTENANCE "mm\tfilgrastim\t\teither\t-\t90\tno\tno\t0\t0\thouse\n",
      "overlay/maintenance.tsv:2 ingredients: never applies: none of its drugs makes a line of "
      "'mm'" },
    { "maintenance after a transplant that any drug may be", "maintenance.tsv",
      MAINTENANCE "mm\tcarfilzomib\t\tpost_transplant\t-\t90\tno\tno\t0\t0\thouse\n",
      "overlay/maintenance.tsv:2 max_gap: never decides: 'mm' allows 365 days for any drug" },
    { "maintenance after a transplant where transplants are unknown", "maintenance.tsv",
      MAINTENANCE "nsclc\tdocetaxel\t\tpost_transplant\t-\t90\tno\tno\t0\t0\thouse\n",
      "overlay/maintenance.tsv:2 kind: never applies: 'nsclc' has no rule for transplants" },

    { "a substitution of which only one drug makes lines", "substitutions.tsv",
      SUBSTITUTIONS "filgrastim;pegfilgrastim\tdlbcl\thouse\n",
      "overlay/substitutions.tsv:2 ingredients: never applies in 'dlbcl': fewer than two of its "
      "drugs make lines there" },
    { "a substitution that another one holds", "substitutions.tsv",
      SUBSTITUTIONS "capecitabine;fluorouracil;trifluridine\tcrc\thouse\n",
      "mappings/substitutions.tsv:N ingredients: says nothing new in 'crc': line overlay 2 holds "
      "all its drugs" },

    { "a cancer without a profile", "diseases.tsv", DISEASES "newone\tnew\tsolid\t-\t-\thouse\n",
      "overlay/diseases.tsv:2 profile: 'newone' is a cancer without a profile: it gets the generic "
      "rules" },
    { "a drug that identifies two neighbours", "disease_drugs.tsv",
      "disease\tuse\tingredients\tsource\nlbl\tidentifies\tmogamulizumab\thouse\n"
      "ctcl\tidentifies\tmogamulizumab\thouse\n",
      "mappings/diseases.tsv:N key: 'ctcl' and 'lbl' are both identified by mogamulizumab: it "
      "tells nothing" },

    { "a regimen of supportive drugs", "regimens.tsv",
      REGIMENS "Support\tdlbcl\tdexamethasone;filgrastim\tfirst_line\tno\thouse\n",
      "overlay/regimens.tsv:2 components: 'Support' can never be found: its drugs make no line of "
      "its disease" },
    { "a regimen with the backbone of its disease", "regimens.tsv",
      REGIMENS "ADT and docetaxel\tprostate\tdocetaxel;leuprorelin\tfirst_line\tno\thouse\n",
      "overlay/regimens.tsv:2 components: 'ADT and docetaxel' can never be found: its drugs make "
      "no line of its disease" },
    { "a regimen of a disease that has no lines", "regimens.tsv",
      REGIMENS "For MGUS\tmgus\tlenalidomide\tfirst_line\tno\thouse\n",
      "overlay/regimens.tsv:2 components: 'For MGUS' can never be found: its drugs make no line of "
      "its disease" },
    { "two regimens of the same drugs, with other uses", "regimens.tsv",
      REGIMENS "Our ABVD\thodgkin\tbleomycin;dacarbazine;doxorubicin;vinblastine\tsalvage\tno"
               "\thouse\n",
      "overlay/regimens.tsv:2 components: 'Our ABVD' is never found: 'ABVD' (line N) has the same "
      "drugs, and other uses" },
    { "the same drugs in the disease below are another regimen", "regimens.tsv",
      REGIMENS "Old R-CHOP\tpmbcl\tcyclophosphamide;doxorubicin;prednisone;rituximab;vincristine"
               "\tfirst_line\tno\thouse\n",
      "" },
};

/* Edits of our tables move their rows: their line numbers become N. */
static void hide_lines(char *text)
{
    static const char *const before[] = { " line ", "(line ", ".tsv:" };
    for (size_t i = 0; i < COUNT_OF(before); i++)
        for (char *at = text; (at = strstr(at, before[i])) != NULL;) {
            const char *folder = at;
            at += strlen(before[i]);
            while (folder > text && folder[-1] != ' ')
                folder--;
            size_t digits = strspn(at, "0123456789");
            if (digits == 0 || (i == 2 && strncmp(folder, "mappings/", 9) != 0))
                continue;
            *at = 'N';
            memmove(at + 1, at + digits, strlen(at + digits) + 1);
        }
}

static void add_findings(const struct mapping_folder *folder, struct text *seen)
{
    struct mapping *mapping = NULL;
    struct table_errors errors = { .count = 0 }, findings = { .count = 0 };
    if (!mapping_load(folder->files, folder->count, &mapping, &errors))
        fail_msg("%s %s", errors.list[0].where, errors.list[0].what);
    mapping_review(mapping, &findings);
    for (unsigned i = 0; i < findings.count; i++)
        text_add(seen, "%s%s %s", i > 0 ? "; " : "", findings.list[i].where, findings.list[i].what);
    mapping_close(mapping);
    hide_lines(seen->at);
}

static void finding_is_told(void **state)
{
    const struct finding_case *c = *state;
    struct mapping_folder folder;
    char buffer[4000];
    struct text seen = TEXT(buffer);
    buffer[0] = '\0';
    mapping_folder_read(&folder, SOURCE_DIR "/mappings");
    if (c->file != NULL)
        mapping_folder_overlay(&folder, c->file, slice_of(c->overlay));
    add_findings(&folder, &seen);
    assert_string_equal(buffer, c->says);
    mapping_folder_fini(&folder);
}

/* --- numbers of a profile --------------------------------------------------------------------- */

/* A profile that is right, with these cells written over. */
static const struct number_case {
    const char *name, *columns[2], *cells[2], *says;
} numbers[] = {
    { "a profile of its own is clean when a disease has it", { NULL }, { NULL }, "" },
    { "a later gap where there is none",
      { "gap", "gap_line3plus" },
      { "-", "90" },
      "gap_line3plus: is never read: gap is off ('ours')" },
    { "drugs exempt from a gap that is off",
      { "gap", "gap_exempt" },
      { "-", "erlotinib" },
      "gap_exempt: is never read: gap is off ('ours')" },
    { "a supplement without its days",
      { "supplement_base" },
      { "capecitabine" },
      "supplement_base: is never read: supplement_days is off ('ours')" },
    { "days of a supplement without drugs",
      { "supplement_days" },
      { "60" },
      "supplement_days: is never read: supplement_base names no drug ('ours')" },
    { "re-challenge without its days",
      { "rechallenge" },
      { "cisplatin" },
      "rechallenge: is never read: rechallenge_after is off ('ours')" },
    { "days of a re-challenge without drugs",
      { "rechallenge_after" },
      { "90" },
      "rechallenge_after: is never read: rechallenge names no drug ('ours')" },
    { "a second transplant that is no line has no limit",
      { "second_transplant_same_line" },
      { "180" },
      "second_transplant_same_line: is never read: second_transplant_is_line is no ('ours')" },
    { "a tandem where a second transplant is no line",
      { "planned_tandem" },
      { "90" },
      "planned_tandem: is never read: second_transplant_is_line is no ('ours')" },
    { "perioperative failure that the basis does not ask for",
      { "perioperative_failure_days" },
      { "180" },
      "perioperative_failure_days: is never read: basis knows no early recurrence ('ours')" },
    { "platinum resistance shorter than refractoriness",
      { "platinum_refractory", "platinum_resistant" },
      { "90", "28" },
      "platinum_resistant: can never be found: platinum_refractory is longer ('ours')" },
    { "a profile that no disease has",
      { "key" },
      { "nobody" },
      "key: no disease has the profile 'nobody'" },
};

static struct slice text_of(const struct mapping_folder *folder, const char *name)
{
    for (unsigned i = 0; i < folder->count; i++)
        if (strcmp(folder->files[i].name, name) == 0)
            return folder->files[i].text;
    return SLICE("");
}

/* The row that begins with `key`, without its newline. */
static struct slice row_of(struct slice text, const char *key)
{
    while (text.len > 0) {
        struct slice line = slice_take_until(&text, '\n'), rest = line;
        if (slice_is(slice_take_until(&rest, '\t'), key))
            return line;
    }
    return SLICE("");
}

static const char *cell_of(const struct number_case *c, struct slice column, struct slice own,
                           char room[64])
{
    for (unsigned i = 0; i < COUNT_OF(c->columns); i++)
        if (c->columns[i] != NULL && slice_is(column, c->columns[i]))
            return c->cells[i];
    snprintf(room, 64, "%.*s", SLICE_ARGS(own));
    return slice_is(column, "key") ? "ours" : room;
}

static void number_is_told(void **state)
{
    const struct number_case *c = *state;
    struct mapping_folder folder;
    char profiles[4000], buffer[2000], expected[300], room[64];
    struct text text = TEXT(profiles), seen = TEXT(buffer);
    mapping_folder_read(&folder, SOURCE_DIR "/mappings");
    struct slice header = row_of(text_of(&folder, "profiles.tsv"), "key");
    struct slice own = row_of(text_of(&folder, "profiles.tsv"), "hnscc");
    text_add(&text, "%.*s\n", SLICE_ARGS(header));
    while (header.len > 0) {
        struct slice column = slice_take_until(&header, '\t');
        text_add(&text, "%s%s", cell_of(c, column, slice_take_until(&own, '\t'), room),
                 header.len > 0 ? "\t" : "\n");
    }
    mapping_folder_overlay(&folder, "profiles.tsv", text_slice(&text));
    if (c->columns[0] == NULL || strcmp(c->columns[0], "key") != 0)
        mapping_folder_overlay(&folder, "diseases.tsv",
                               SLICE(DISEASES "newone\tnew\tsolid\t-\tours\thouse\n"));
    buffer[0] = '\0';
    add_findings(&folder, &seen);
    snprintf(expected, sizeof expected, "%s%s", c->says[0] != '\0' ? "overlay/profiles.tsv:2 " : "",
             c->says);
    assert_string_equal(buffer, expected);
    mapping_folder_fini(&folder);
}

int main(void)
{
    static struct CMUnitTest tests[COUNT_OF(cases) + COUNT_OF(numbers)];
    size_t n = 0;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        tests[n++] = (struct CMUnitTest){ .name = cases[i].name,
                                          .test_func = finding_is_told,
                                          .initial_state = (void *)(uintptr_t)&cases[i] };
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        tests[n++] = (struct CMUnitTest){ .name = numbers[i].name,
                                          .test_func = number_is_told,
                                          .initial_state = (void *)(uintptr_t)&numbers[i] };
    return _cmocka_run_group_tests("mapping review", tests, n, NULL, NULL);
}
