#include "support/therapy_fixture.h"

#include <stdio.h>

static const struct {
    const char *drug;
    uint32_t traits;
} traits[] = {
    { "doxorubicin", TRAIT_ANTHRACYCLINE },
    { "idarubicin", TRAIT_ANTHRACYCLINE },
    { "daunorubicin", TRAIT_ANTHRACYCLINE },
    { "carboplatin", TRAIT_PLATINUM },
    { "axicabtagene ciloleucel", TRAIT_CELL_THERAPY },
};

struct date fixture_date(const char *text)
{
    struct date_span span;
    struct err err;
    CHECK(date_parse(slice_of(text), &span, &err));
    return span.first;
}

static struct slice keep(struct fixture *fixture, struct slice text)
{
    CHECK(fixture->text_used + text.len < FIXTURE_TEXT_MAX);
    char *at = fixture->text + fixture->text_used;
    memcpy(at, text.at, text.len);
    fixture->text_used += text.len;
    return (struct slice){ at, text.len };
}

void fixture_as_of(struct fixture *fixture, const char *as_of)
{
    fixture->therapy.as_of = fixture_date(as_of);
}

void fixture_init(struct fixture *fixture, const char *as_of)
{
    *fixture = (struct fixture){ 0 };
    fixture_as_of(fixture, as_of);
    fixture->therapy.histories = fixture->histories;
    fixture->therapy.next_change = date_none();
}

static const struct drug *drug_named(struct fixture *fixture, struct slice name)
{
    for (unsigned i = 0; i < fixture->drug_count; i++)
        if (slice_eq(fixture->drugs[i].name, name))
            return &fixture->drugs[i];
    CHECK(fixture->drug_count < FIXTURE_DRUGS_MAX);
    struct drug *drug = &fixture->drugs[fixture->drug_count++];
    struct slice kept = keep(fixture, name);
    *drug = (struct drug){ .index = fixture->drug_count, .name = kept };
    for (size_t i = 0; i < COUNT_OF(traits); i++)
        if (slice_is(kept, traits[i].drug))
            drug->traits = traits[i].traits;
    return drug;
}

/* Reads "a b_c d" into `out`; returns how many. */
static unsigned drugs_named(struct fixture *fixture, const char *names, const struct drug **out)
{
    struct slice rest = slice_of(names);
    unsigned count = 0;
    while (rest.len > 0) {
        char name[64];
        struct slice word = slice_take_until(&rest, ' ');
        CHECK(word.len < sizeof name);
        for (size_t i = 0; i < word.len; i++)
            name[i] = word.at[i] == '_' ? ' ' : word.at[i];
        CHECK(count < FIXTURE_DRUGS_MAX);
        out[count++] = drug_named(fixture, (struct slice){ name, word.len });
    }
    return count;
}

static const struct event *event_new(struct fixture *fixture, enum fhir_type type)
{
    char id[16];
    CHECK(fixture->event_count < FIXTURE_EVENTS_MAX);
    struct event *event = &fixture->events[fixture->event_count++];
    snprintf(id, sizeof id, "%c%u", type == FHIR_CONDITION ? 'c' : 'm', fixture->event_count);
    *event = (struct event){ .type = type, .id = keep(fixture, slice_of(id)), .version = 1 };
    return event;
}

static struct fixture_disease *disease_of(struct fixture *fixture, const struct history *history)
{
    return &fixture->diseases[history - fixture->histories];
}

struct history *fixture_disease(struct fixture *fixture, const char *key, const char *name)
{
    CHECK(fixture->therapy.history_count < FIXTURE_DISEASES_MAX);
    struct history *history = &fixture->histories[fixture->therapy.history_count++];
    struct fixture_disease *own = disease_of(fixture, history);
    own->disease = (struct disease){ .key = slice_of(key), .name = slice_of(name) };
    *history = (struct history){ .disease = &own->disease,
                                 .condition = event_new(fixture, FHIR_CONDITION),
                                 .lines = own->lines,
                                 .classes = own->classes };
    history->verdict.basis = SLICE("any_line>=2");
    history->verdict.reasons = own->reasons;
    history->verdict.evidence = own->evidence;
    return history;
}

void fixture_line(struct fixture *fixture, struct history *history, const struct fixture_line *line)
{
    struct fixture_disease *own = disease_of(fixture, history);
    unsigned at = history->line_count++;
    CHECK(at < FIXTURE_LINES_MAX);
    struct line *out = &own->lines[at];
    *out =
        (struct line){ .number = at + 1,
                       .number_min = at + 1,
                       .number_max = at + 1,
                       .start = fixture_date(line->start),
                       .end = line->end != NULL ? fixture_date(line->end) : fixture->therapy.as_of,
                       .is_open = line->end == NULL,
                       .drugs = own->line_drugs[at],
                       .regimen = slice_of(line->regimen),
                       .sources = own->line_orders[at] };
    snprintf(out->id, sizeof out->id, "%s-%s", own->disease.key.at, line->start);
    out->drug_count = drugs_named(fixture, line->drugs, own->line_drugs[at]);
    out->source_count = out->drug_count;
    out->proof = PROOF_ORDERED;
    for (unsigned i = 0; i < out->source_count; i++)
        own->line_orders[at][i] = event_new(fixture, FHIR_MEDICATION_REQUEST);
}

void fixture_salvage(struct fixture *fixture, struct history *history, enum grade grade,
                     enum disease_status status)
{
    struct fixture_disease *own = disease_of(fixture, history);
    const struct line *line = &own->lines[history->line_count - 1];
    struct verdict *verdict = &history->verdict;
    verdict->salvage = true;
    verdict->grade = grade;
    verdict->status = status;
    verdict->line = line->number;
    own->evidence[0] = history->condition;
    own->evidence[1] = line->sources[0];
    verdict->evidence_count = 2;
}

void fixture_reason(struct fixture *fixture, struct history *history, const char *text)
{
    CHECK(history->verdict.reason_count < LOT_REASONS_MAX);
    disease_of(fixture, history)->reasons[history->verdict.reason_count++] =
        (struct verdict_reason){ .text = slice_of(text) };
}

void fixture_class(struct fixture *fixture, struct history *history, const char *drug_class,
                   const char *drugs, bool failed)
{
    struct fixture_disease *own = disease_of(fixture, history);
    unsigned at = history->class_count++;
    CHECK(at < COUNT_OF(own->classes));
    struct class_exposure *out = &own->classes[at];
    *out = (struct class_exposure){ .drug_class = slice_of(drug_class),
                                    .drugs = own->class_drugs[at],
                                    .failed = failed };
    out->drug_count = drugs_named(fixture, drugs, own->class_drugs[at]);
    out->first = out->last = date_none();
    for (unsigned i = 0; i < history->line_count; i++) /* the lines that hold its first drug */
        for (unsigned k = 0; k < history->lines[i].drug_count; k++) {
            if (history->lines[i].drugs[k] != out->drugs[0])
                continue;
            if (date_is_none(out->first))
                out->first = history->lines[i].start;
            out->last = history->lines[i].end;
        }
}

void fixture_extras(struct fixture *fixture, struct history *history)
{
    static const struct treatment_option option = { .key = { "cell_therapy", 12 },
                                                    .name = { "cell therapy", 12 } };
    static const struct option_use use = { .option = &option };
    static const struct cumulative sum = { .exposure = { "doxorubicin-equivalent", 22 },
                                           .orders = 3,
                                           .counted = 2,
                                           .total_thousandths = 100000,
                                           .why_not = { "no dose is stated", 17 } };
    history->options = &use;
    history->option_count = 1;
    fixture->therapy.cumulative = &sum;
    fixture->therapy.cumulative_count = 1;
}

/* --- the sample patients --------------------------------------------------------------------- */

struct sample {
    const char *name, *key, *disease;
    struct fixture_line lines[FIXTURE_LINES_MAX];
    struct {
        const char *name, *drugs;
        bool failed;
    } classes[8];
    const char *reasons[4];
    enum grade grade; /* GRADE_NONE: not on salvage therapy */
    enum disease_status status;
    bool is_truncated;
    enum disease_family family;
};

static const struct sample samples[] = {
    [FIXTURE_DLBCL] = { "dlbcl-refractory",
                        "dlbcl",
                        "diffuse large B-cell lymphoma",
                        { { "R-CHOP", "cyclophosphamide doxorubicin rituximab vincristine",
                            "2025-01-06", "2025-05-12" },
                          { "R-ICE", "carboplatin etoposide ifosfamide rituximab", "2025-06-16",
                            "2025-08-11" },
                          { "", "axicabtagene_ciloleucel", "2025-09-29", "2025-09-29" } },
                        { { "CAR-T, anti-CD19", "axicabtagene_ciloleucel", false },
                          { "anthracycline", "doxorubicin", true },
                          { "platinum", "carboplatin", true } },
                        { "a cell therapy was ordered after a switch of all agents",
                          "refractory disease was recorded before the line" },
                        GRADE_HIGH,
                        DISEASE_STATUS_REFRACTORY,
                        false,
                        DISEASE_HEMATOLOGIC },
    [FIXTURE_HODGKIN] = { "hodgkin-relapsed",
                          "hodgkin",
                          "Hodgkin lymphoma",
                          { { "ABVD", "bleomycin dacarbazine doxorubicin vinblastine", "2023-02-06",
                              "2023-07-24" },
                            { "ICE", "carboplatin etoposide ifosfamide", "2024-10-07", NULL } },
                          { { "anthracycline", "doxorubicin", true },
                            { "platinum", "carboplatin", false } },
                          { "new agents were ordered after a relapse" },
                          GRADE_HIGH,
                          DISEASE_STATUS_RELAPSED,
                          false,
                          DISEASE_HEMATOLOGIC },
    [FIXTURE_AML] = { "aml-relapse",
                      "aml",
                      "acute myeloid leukaemia",
                      { { "7+3", "cytarabine daunorubicin", "2024-01-08", "2024-05-20" },
                        { "FLAG-IDA", "cytarabine fludarabine idarubicin", "2025-02-03",
                          "2025-03-10" } },
                      { { "anthracycline", "daunorubicin idarubicin", true } },
                      { "a code in relapse was recorded before new agents were ordered" },
                      GRADE_HIGH,
                      DISEASE_STATUS_RELAPSED,
                      false,
                      DISEASE_HEMATOLOGIC },
    [FIXTURE_OVARIAN] = { "ovarian-platinum-resistant",
                          "ovarian",
                          "ovarian cancer",
                          { { "", "carboplatin paclitaxel", "2024-03-04", "2024-07-15" },
                            { "", "doxorubicin_liposomal", "2024-10-21", "2025-02-10" } },
                          { { "platinum", "carboplatin", true } },
                          { "98 days from the last platinum order to the next line, limit 180" },
                          GRADE_MEDIUM,
                          DISEASE_STATUS_RESISTANT,
                          false,
                          DISEASE_SOLID },
    [FIXTURE_MYELOMA] = { "myeloma-truncated",
                          "myeloma",
                          "multiple myeloma",
                          { { "DPd", "daratumumab dexamethasone pomalidomide", "2025-03-03",
                              NULL } },
                          { { "anti-CD38", "daratumumab", false } },
                          { "the first known order is of a regimen of later lines" },
                          GRADE_MEDIUM,
                          DISEASE_STATUS_UNKNOWN,
                          true,
                          DISEASE_HEMATOLOGIC },
    [FIXTURE_NSCLC] = { "nsclc-maintenance",
                        "nsclc",
                        "non-small cell lung cancer",
                        { { "", "carboplatin pembrolizumab pemetrexed", "2025-01-13", NULL } },
                        { { "platinum", "carboplatin", false } },
                        { NULL },
                        GRADE_NONE,
                        DISEASE_STATUS_UNKNOWN,
                        false,
                        DISEASE_SOLID },
    [FIXTURE_HIV] = { "hiv-third-line",
                      "hiv",
                      "HIV infection",
                      { { "TDF/3TC/EFV", "efavirenz lamivudine tenofovir_disoproxil", "2011-04-04",
                          "2015-10-04" },
                        { "AZT/3TC/LPV/r", "lamivudine lopinavir zidovudine", "2015-10-05",
                          "2025-09-30" },
                        { "TDF/3TC/DTG/DRV/r",
                          "darunavir dolutegravir lamivudine tenofovir_disoproxil", "2025-10-01",
                          NULL } },
                      { { "INSTI", "dolutegravir", false },
                        { "NNRTI", "efavirenz", true },
                        { "PI", "darunavir lopinavir", true } },
                      { "line 3 meets the basis art_line>=3",
                        "line 3, ordered on 2025-10-01, has a dose against resistance, after "
                        "failure on record" },
                      GRADE_HIGH,
                      DISEASE_STATUS_VIRAEMIC,
                      false,
                      DISEASE_HIV },
    [FIXTURE_ESRD] = { "esrd-transplant",
                       "esrd",
                       "end-stage renal disease",
                       { { "dialysis", "", "2019-03-01", "2021-05-31" },
                         { "kidney transplant after dialysis",
                           "basiliximab mycophenolate_mofetil tacrolimus", "2021-06-01", NULL } },
                       { { NULL, NULL, false } },
                       { "kidney transplant after dialysis, since 2021-06-01",
                         "a transplant is often planned from the start: nothing on record says "
                         "that "
                         "dialysis has failed" },
                       GRADE_MEDIUM,
                       DISEASE_STATUS_GRAFT,
                       false,
                       DISEASE_RENAL },
};

const char *fixture_patient_name(enum fixture_patient patient) { return samples[patient].name; }

void fixture_patient(struct fixture *fixture, enum fixture_patient patient)
{
    const struct sample *sample = &samples[patient];
    fixture_init(fixture, "2026-03-01");
    struct history *history = fixture_disease(fixture, sample->key, sample->disease);
    disease_of(fixture, history)->disease.family = sample->family;
    for (size_t i = 0; i < COUNT_OF(sample->lines) && sample->lines[i].drugs != NULL; i++)
        fixture_line(fixture, history, &sample->lines[i]);
    for (size_t i = 0; i < COUNT_OF(sample->classes) && sample->classes[i].name != NULL; i++)
        fixture_class(fixture, history, sample->classes[i].name, sample->classes[i].drugs,
                      sample->classes[i].failed);
    for (size_t i = 0; i < COUNT_OF(sample->reasons) && sample->reasons[i] != NULL; i++)
        fixture_reason(fixture, history, sample->reasons[i]);
    if (sample->grade != GRADE_NONE)
        fixture_salvage(fixture, history, sample->grade, sample->status);
    if (sample->family == DISEASE_HIV)
        history->verdict.basis = SLICE("art_line>=3");
    if (sample->family == DISEASE_RENAL)
        history->verdict.basis = SLICE("renal_state");
    history->verdict.history_truncated = sample->is_truncated;
    if (sample->is_truncated) {
        struct line *last = &disease_of(fixture, history)->lines[history->line_count - 1];
        last->number_min = 2;
        last->number_max = 0;
    }
}
