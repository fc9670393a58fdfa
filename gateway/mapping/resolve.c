#include <strings.h>

#include "base/text.h"
#include "mapping/mapping_int.h"

/* --- drugs ----------------------------------------------------------------------------------- */

static const struct drug_code *find_drug_code(const struct mapping *mapping,
                                              const struct coding *coding)
{
    char buffer[CODE_KEY_MAX];
    if (coding->system == CODE_OTHER || coding->code.len == 0)
        return NULL;
    if (coding->system == CODE_NDC)
        return ndc_find(&mapping->drug_codes, coding->code);
    struct slice key = code_key(coding->system, coding->code, buffer);
    return key.len > 0 ? index_find(&mapping->drug_codes, coding->system, key) : NULL;
}

static bool list_has(const struct drug_code *code, const struct drug *drug)
{
    for (unsigned i = 0; i < code->count; i++)
        if (code->drugs[i] == drug)
            return true;
    return false;
}

/* Whether every ingredient of `part` is in `whole`, or is what RxNorm rolls one of them up to. */
static bool is_part_of(const struct drug_code *part, const struct drug_code *whole)
{
    for (unsigned i = 0; i < part->count; i++) {
        bool is_in = list_has(whole, part->drugs[i]);
        for (unsigned k = 0; !is_in && k < whole->count; k++)
            is_in = ((const struct known_drug *)whole->drugs[k])->rolls_up_to == part->drugs[i];
        if (!is_in)
            return false;
    }
    return true;
}

/* The ingredients of several codes of the same coarse system: one code for each is how some senders
 * write a combination. */
static void unite(struct drug_code *united, const struct drug_code *other, struct arena *arena)
{
    const struct drug **drugs =
        ARENA_ARRAY(arena, const struct drug *, united->count + other->count);
    if (drugs == NULL)
        return;
    unsigned count = 0, a = 0, b = 0;
    while (a < united->count || b < other->count) {
        bool take_a = b == other->count ||
                      (a < united->count && united->drugs[a]->index <= other->drugs[b]->index);
        const struct drug *drug = take_a ? united->drugs[a++] : other->drugs[b++];
        if (count == 0 || drugs[count - 1] != drug)
            drugs[count++] = drug;
    }
    united->drugs = drugs;
    united->count = count;
}

struct known_codes {
    const struct drug_code *code[EVENT_CODINGS_MAX];
    enum code_system system[EVENT_CODINGS_MAX];
    unsigned count;
    enum code_rank best;
};

static struct known_codes find_known(const struct mapping *mapping, const struct concept *concept)
{
    struct known_codes known = { .count = 0, .best = RANK_INGREDIENT };
    for (unsigned i = 0; i < concept->count && i < EVENT_CODINGS_MAX; i++) {
        const struct drug_code *code = find_drug_code(mapping, &concept->codings[i]);
        if (code == NULL)
            continue;
        if (code->rank > known.best)
            known.best = code->rank;
        known.system[known.count] = concept->codings[i].system;
        known.code[known.count++] = code;
    }
    return known;
}

/* The codes of the best rank make the set; the others only agree or disagree with it. */
static struct drug_code weigh_codes(const struct known_codes *known, struct arena *arena,
                                    bool *is_conflicting)
{
    struct drug_code chosen = { .count = 0 };
    enum code_system system = CODE_OTHER;
    for (unsigned i = 0; i < known->count; i++) {
        const struct drug_code *code = known->code[i];
        if (code->rank != known->best)
            continue;
        if (chosen.count == 0) {
            chosen = *code;
            system = known->system[i];
        } else if (is_part_of(&chosen, code) || is_part_of(code, &chosen)) {
            /* The fuller or the more precise one.  A brand may be sold as capsule and as gel: the
             * code that says gel decides. */
            bool is_exposure = code->is_exposure && chosen.is_exposure;
            if (is_part_of(&chosen, code))
                chosen = *code;
            chosen.is_exposure = is_exposure;
        } else if (known->best == RANK_INGREDIENT && known->system[i] == system) {
            unite(&chosen, code, arena);
        } else {
            *is_conflicting = true;
        }
    }
    for (unsigned i = 0; i < known->count; i++)
        if (known->code[i]->rank < known->best && !is_part_of(known->code[i], &chosen))
            *is_conflicting = true;
    return chosen;
}

/* --- unknown drugs --------------------------------------------------------------------------- */

static uint64_t fnv(uint64_t hash, struct slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        hash = (hash ^ (unsigned char)bytes.at[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static struct slice coding_uri(const struct coding *coding)
{
    return coding->system == CODE_OTHER ? coding->system_uri
                                        : slice_of(code_system_uri(coding->system));
}

static uint64_t coding_hash(const struct coding *coding)
{
    uint64_t hash = fnv(UINT64_C(0xcbf29ce484222325), coding_uri(coding));
    return fnv(fnv(hash, SLICE("|")), coding->code);
}

/* The same drug must get the same name whatever the order of its codings, on every machine and for
 * ever: the least hash of its codes, or the hash of its words. */
static bool unknown_hash(const struct concept *concept, uint64_t *out)
{
    bool has_code = false;
    uint64_t least = 0;
    for (unsigned i = 0; i < concept->count && i < EVENT_CODINGS_MAX; i++) {
        if (concept->codings[i].code.len == 0)
            continue;
        uint64_t hash = coding_hash(&concept->codings[i]);
        least = !has_code || hash < least ? hash : least;
        has_code = true;
    }
    if (!has_code) {
        struct words words;
        words_split(concept->text, &words);
        if (words.count == 0)
            return false;
        least = fnv(UINT64_C(0xcbf29ce484222325), words_span(&words, 0, words.count));
    }
    *out = least;
    return true;
}

static struct slice unknown_name(uint64_t hash, struct arena *arena)
{
    char name[] = "unknown:0123456789abcdef";
    for (unsigned i = 0; i < 16; i++)
        name[sizeof name - 2 - i] = "0123456789abcdef"[hash >> 4 * i & 15];
    return arena_copy(arena, (struct slice){ name, sizeof name - 1 });
}

static void make_unknown(struct event *event, struct arena *arena)
{
    uint64_t hash;
    if (!unknown_hash(&event->medication, &hash))
        return;
    struct drug *drug = ARENA_NEW(arena, struct drug);
    const struct drug **drugs = ARENA_ARRAY(arena, const struct drug *, 1);
    if (drug == NULL || drugs == NULL)
        return;
    *drug = (struct drug){
        .index = DRUG_INDEX_UNKNOWN | (uint32_t)hash,
        .name = unknown_name(hash, arena),
        .group = DRUG_UNKNOWN,
        .drug_class = SLICE("unknown"),
        .tail_days = 28,
    };
    drugs[0] = drug;
    event->drugs = drugs;
    event->drug_count = 1;
}

static bool names_one(struct slice text, const struct drug_code *code)
{
    for (unsigned i = 0; i < code->count; i++) {
        struct slice name = code->drugs[i]->name;
        for (size_t at = 0; at + name.len <= text.len; at++)
            if ((text.at[at] | 0x20) == name.at[0] &&
                strncasecmp(text.at + at, name.at, name.len) == 0)
                return true;
    }
    return false;
}

/* The words beside a known code must not name another drug.  Mostly they repeat the ingredient;
 * only where they do not, they are read.  A text may say less than a code, or more. */
static bool text_disagrees(const struct mapping *mapping, struct slice text,
                           const struct drug_code *chosen, struct arena *arena)
{
    if (text.len == 0 || !chosen->is_exposure || chosen->count == 0 || names_one(text, chosen))
        return false;
    struct text_drugs found = resolve_drug_text(mapping, text, arena);
    struct drug_code told = { found.list.drugs, found.is_local ? 0 : found.list.count,
                              RANK_INGREDIENT, true };
    return told.count > 0 && !is_part_of(&told, chosen) && !is_part_of(chosen, &told);
}

static void resolve_drugs(const struct mapping *mapping, struct event *event, struct arena *arena)
{
    const struct concept *concept = &event->medication;
    struct known_codes known = find_known(mapping, concept);
    if (known.count > 0) {
        struct drug_code chosen = weigh_codes(&known, arena, &event->is_conflicting);
        event->drugs = chosen.drugs;
        *(chosen.is_exposure ? &event->drug_count : &event->local_count) =
            chosen.count > EVENT_DRUGS_MAX ? EVENT_DRUGS_MAX : chosen.count;
        event->is_conflicting =
            event->is_conflicting || text_disagrees(mapping, concept->text, &chosen, arena);
        return;
    }
    struct text_drugs found = resolve_drug_text(mapping, concept->text, arena);
    event->drugs = found.list.drugs;
    *(found.is_local ? &event->local_count : &event->drug_count) = found.list.count;
    event->is_unmapped = !found.is_known;
    if (event->is_unmapped)
        make_unknown(event, arena);
}

/* --- conditions ------------------------------------------------------------------------------ */

/* A row for the code itself, or for a shorter code that speaks for all below it. */
static const struct condition_row *find_below(const struct mapping *mapping, unsigned system,
                                              struct slice key)
{
    const struct condition_row *row = index_find(&mapping->condition_codes, system, key);
    if (row != NULL || system == CODE_SNOMED)
        return row;
    while (key.len > 3) {
        key.len--;
        row = index_find(&mapping->condition_codes, system, key);
        if (row != NULL && row->is_below)
            return row;
    }
    return NULL;
}

/* National editions that we have no name for share the codes of WHO's. */
static enum code_system condition_system(const struct coding *coding)
{
    if (coding->system == CODE_OTHER &&
        slice_starts(coding->system_uri, SLICE("http://hl7.org/fhir/sid/icd-10")))
        return CODE_ICD10;
    return coding->system == CODE_ICD10GM ? CODE_ICD10 : coding->system;
}

#define ICD10_WHO_LEN 4

static const struct condition_row *find_condition(const struct mapping *mapping,
                                                  const struct coding *coding)
{
    char buffer[CODE_KEY_MAX];
    enum code_system system = condition_system(coding);
    if (system == CODE_OTHER || coding->code.len == 0)
        return NULL;
    struct slice key = code_key(system, coding->code, buffer);
    if (key.len == 0)
        return NULL;
    /* Many senders put ICD-10-CM codes under the URI of WHO's ICD-10.  WHO has no code of five
     * characters here, so such a code can only be theirs. */
    if (coding->system == CODE_ICD10 && key.len > ICD10_WHO_LEN) {
        const struct condition_row *row = index_find(&mapping->condition_codes, CODE_ICD10CM, key);
        if (row != NULL)
            return row;
    }
    return find_below(mapping, system, key);
}

struct code_list {
    struct condition_code list[EVENT_CODINGS_MAX];
    unsigned count;
};

static void add_code(struct code_list *codes, struct condition_code code)
{
    unsigned at = codes->count;
    for (; at > 0; at--) {
        const struct condition_code *before = &codes->list[at - 1];
        if (before->disease == code.disease && before->meaning == code.meaning)
            return;
        if (before->disease->index < code.disease->index ||
            (before->disease == code.disease && before->meaning < code.meaning))
            break;
    }
    if (codes->count == EVENT_CODINGS_MAX)
        return;
    memmove(&codes->list[at + 1], &codes->list[at], (codes->count - at) * sizeof codes->list[0]);
    codes->list[at] = code;
    codes->count++;
}

/* Texts that deny, doubt or look back say nothing that the engine may build on. */
static const struct slice doubt_words[] = { WORD("no"),        WORD("not"),       WORD("without"),
                                            WORD("family"),    WORD("screening"), WORD("suspected"),
                                            WORD("suspicion"), WORD("rule"),      WORD("ruled"),
                                            WORD("possible"),  WORD("probable"),  WORD("risk"),
                                            WORD("benign"),    WORD("negative"),  WORD("history"),
                                            WORD("exclude"),   WORD("query") };

bool words_doubt(const struct words *words)
{
    return words_have(words, doubt_words, COUNT_OF(doubt_words));
}

static const struct {
    const char *word;
    enum condition_meaning meaning;
} state_words[] = {
    { "relapse", MEANS_IN_RELAPSE },    { "relapsed", MEANS_IN_RELAPSE },
    { "relapsing", MEANS_IN_RELAPSE },  { "remission", MEANS_IN_REMISSION },
    { "recurrent", MEANS_RECURRENT },   { "recurrence", MEANS_RECURRENT },
    { "refractory", MEANS_REFRACTORY }, { "metastatic", MEANS_METASTATIC },
    { "metastasis", MEANS_METASTATIC }, { "metastases", MEANS_METASTATIC },
    { "situ", MEANS_IN_SITU },
};

static enum condition_meaning meaning_of(const struct words *words)
{
    for (size_t i = 0; i < COUNT_OF(state_words); i++)
        for (unsigned k = 0; k < words->count; k++)
            if (slice_is(words_span(words, k, 1), state_words[i].word))
                return state_words[i].meaning;
    return MEANS_PRIMARY;
}

static void find_condition_words(const struct mapping *mapping, struct slice text,
                                 struct code_list *codes)
{
    struct words words;
    words_split(text, &words);
    if (words_doubt(&words))
        return;
    enum condition_meaning meaning = meaning_of(&words);
    for (unsigned at = 0, length = 1; at < words.count; at += length, length = 1) {
        const struct condition_row *row =
            words_match(&mapping->condition_words, &words, at, &length);
        if (row != NULL)
            add_code(codes, (struct condition_code){ row->code.disease, meaning });
    }
}

/* Fills *out with the distinct meanings, by disease, then meaning; returns how many. */
static unsigned resolve_concept(const struct mapping *mapping, const struct concept *concept,
                                struct arena *arena, const struct condition_code **out)
{
    struct code_list codes = { .count = 0 };
    for (unsigned i = 0; i < concept->count && i < EVENT_CODINGS_MAX; i++) {
        const struct condition_row *row = find_condition(mapping, &concept->codings[i]);
        if (row != NULL)
            add_code(&codes, row->code);
    }
    if (codes.count == 0 && concept->text.len > 0)
        find_condition_words(mapping, concept->text, &codes);
    if (codes.count == 0)
        return 0;
    struct condition_code *kept = ARENA_ARRAY(arena, struct condition_code, codes.count);
    if (kept == NULL)
        return 0;
    memcpy(kept, codes.list, codes.count * sizeof kept[0]);
    *out = kept;
    return codes.count;
}

/* --- why an order was stopped ---------------------------------------------------------------- */

static enum stop_reason stronger(enum stop_reason a, enum stop_reason b)
{
    if (a == STOP_NONE || b == STOP_NONE)
        return a == STOP_NONE ? b : a;
    return a < b ? a : b; /* the enum is in the order of weight */
}

static enum stop_reason stop_of_text(const struct mapping *mapping, struct slice text)
{
    struct words words;
    enum stop_reason reason = STOP_NONE;
    bool is_denied = false;
    words_split(text, &words);
    for (unsigned at = 0, length = 1; at < words.count; at += length, length = 1) {
        const enum stop_reason *found = words_match(&mapping->stop_words, &words, at, &length);
        if (found != NULL && !is_denied)
            reason = stronger(reason, *found);
        struct slice word = words_span(&words, at, 1);
        is_denied = found == NULL &&
                    (slice_is(word, "no") || slice_is(word, "without") || slice_is(word, "not"));
    }
    return reason;
}

static enum stop_reason stop_of_codes(const struct mapping *mapping, const struct concept *concept)
{
    enum stop_reason reason = STOP_NONE;
    for (unsigned i = 0; i < concept->count && i < EVENT_CODINGS_MAX; i++) {
        char buffer[STOP_KEY_MAX];
        const struct coding *coding = &concept->codings[i];
        struct slice key = stop_key(coding_uri(coding), coding->code, buffer);
        const enum stop_reason *found =
            key.len > 0 ? index_find(&mapping->stop_codes, 0, key) : NULL;
        if (found != NULL)
            reason = stronger(reason, *found);
    }
    return reason;
}

static enum stop_reason resolve_stop(const struct mapping *mapping, const struct concept *concept)
{
    enum stop_reason reason = stop_of_codes(mapping, concept);
    if ((reason == STOP_NONE || reason == STOP_OTHER) && concept->text.len > 0)
        reason = stronger(reason, stop_of_text(mapping, concept->text));
    bool is_told = concept->count > 0 || concept->text.len > 0;
    return reason == STOP_NONE && is_told ? STOP_OTHER : reason;
}

/* --- all of it ------------------------------------------------------------------------------- */

static bool is_told(const struct concept *concept)
{
    return concept->count > 0 || concept->text.len > 0;
}

/* What a Condition, Procedure or Observation is about.  Most Observations are of no interest here:
 * only a Condition that nobody knows is a gap of the tables. */
static void resolve_code(const struct mapping *mapping, struct event *event, struct arena *arena)
{
    const struct finding *found;
    if (event->type == FHIR_PROCEDURE) {
        found = finding_of(&mapping->procedures, &event->code);
        event->procedure = found != NULL ? (enum procedure_kind)found->meaning : PROCEDURE_NONE;
        if (found != NULL && found->drug != NULL) {
            event->drugs = &found->drug;
            event->drug_count = 1;
        }
        return;
    }
    if (event->type == FHIR_OBSERVATION) {
        found = finding_of(&mapping->observations, &event->code);
        event->observation =
            found != NULL ? (enum observation_kind)found->meaning : OBSERVATION_NONE;
        found = found != NULL && is_told(&event->value_concept)
                    ? finding_of(&mapping->values, &event->value_concept)
                    : NULL;
        event->finding = found != NULL ? (enum finding_value)found->meaning : FINDING_NONE;
        return;
    }
    event->meaning_count = resolve_concept(mapping, &event->code, arena, &event->meanings);
    event->is_unmapped = event->meaning_count == 0;
}

void mapping_resolve(const struct mapping *mapping, struct event *event, struct arena *arena)
{
    event->drugs = NULL;
    event->drug_count = event->local_count = 0;
    event->meanings = event->reasons = NULL;
    event->meaning_count = event->reason_count = 0;
    event->is_unmapped = event->is_conflicting = false;

    if (is_told(&event->medication))
        resolve_drugs(mapping, event, arena);
    if (is_told(&event->code))
        resolve_code(mapping, event, arena);
    if (is_told(&event->reason_code))
        event->reason_count = resolve_concept(mapping, &event->reason_code, arena, &event->reasons);
    event->stop_reason = resolve_stop(mapping, &event->status_reason);
    event->change_reason = stop_of_codes(mapping, &event->reason_code);
}
