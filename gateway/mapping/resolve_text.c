#include "mapping/mapping_int.h"

/* An order without a known code, by its text.  What is written behind "for", "after" or "instead
 * of" is not what is ordered; an eye drop is no exposure; an unknown conjugate of a known antibody
 * is an unknown drug; a placebo may be anything. */

static const struct slice cut_words[] = { WORD("for"), WORD("before"), WORD("after"), WORD("prior"),
                                          WORD("failure"), WORD("allergy"), WORD("allergic"),
                                          WORD("without"), WORD("instead"), WORD("following"),
                                          WORD("until"), WORD("versus"), WORD("vs"), WORD("not"),
                                          WORD("no"), WORD("avoid"), WORD("except"), WORD("post"),
                                          WORD("history"),
                                          /* German, French */
                                          WORD("nach"), WORD("vor"), WORD("ohne"), WORD("statt"),
                                          WORD("f\xc3\xbcr"), WORD("pour"), WORD("sans") };

static const struct slice local_words[] = {
    WORD("topical"), WORD("ophthalmic"), WORD("eye"), WORD("eyes"), WORD("cream"), WORD("ointment"),
    WORD("lotion"), WORD("gel"), WORD("otic"), WORD("ear"), WORD("nasal"), WORD("vaginal"),
    WORD("drops"), WORD("shampoo"), WORD("mouthwash"), WORD("intravitreal"), WORD("intraocular"),
    WORD("intravesical"), WORD("intrathecal"), WORD("intralesional"), WORD("intracameral"),
    WORD("dental"), WORD("foam"), WORD("inhaler"), WORD("inhalation"),
    /* German, French, Spanish */
    WORD("creme"), WORD("salbe"), WORD("augensalbe"), WORD("augentropfen"), WORD("nasenspray"),
    WORD("cr\xc3\xa8me"), WORD("pommade"), WORD("collyre"), WORD("crema"), WORD("pomada"),
    WORD("colirio")
};

static const struct slice blinded_words[] = { WORD("placebo"), WORD("blinded") };

static const struct slice conjugate_words[] = {
    WORD("vedotin"),      WORD("deruxtecan"),  WORD("emtansine"),    WORD("mafodotin"),
    WORD("ozogamicin"),   WORD("tesirine"),    WORD("govitecan"),    WORD("tirumotecan"),
    WORD("soravtansine"), WORD("ravtansine"),  WORD("duocarmazine"), WORD("tiuxetan"),
    WORD("rezetecan"),    WORD("pasudotox"),   WORD("talirine"),     WORD("pelidotin"),
    WORD("samrotecan"),   WORD("brengitecan"), WORD("botidotin"),    WORD("sesutecan")
};

bool words_are_local(const struct words *words)
{
    return words_have(words, local_words, COUNT_OF(local_words));
}

bool words_are_blinded(const struct words *words)
{
    return words_have(words, blinded_words, COUNT_OF(blinded_words));
}

/* What the words beside a drug say about its form. */
struct form_hints {
    bool liposomal, protein_bound, oral;
};

static struct form_hints read_hints(const struct words *words)
{
    struct form_hints hints = { false, false, false };
    for (unsigned i = 0; i < words->count; i++) {
        struct slice word = words_span(words, i, 1);
        hints.liposomal = hints.liposomal || slice_starts(word, SLICE("liposom"));
        hints.oral = hints.oral || slice_is(word, "oral") || slice_starts(word, SLICE("tablet"));
        hints.protein_bound = hints.protein_bound || slice_is(word, "nab") ||
                              slice_starts(word, SLICE("albumin")) ||
                              (slice_is(word, "protein") && i + 1 < words->count &&
                               slice_is(words_span(words, i + 1, 1), "bound"));
    }
    return hints;
}

static const struct drug *in_form(const struct drug *drug, struct form_hints hints)
{
    const struct known_drug *known = (const struct known_drug *)drug;
    if (hints.liposomal && known->liposomal != NULL)
        return known->liposomal;
    if (hints.protein_bound && known->protein_bound != NULL)
        return known->protein_bound;
    if (hints.oral && known->oral_form != NULL)
        return known->oral_form;
    return drug;
}

struct found {
    const struct drug *drugs[EVENT_DRUGS_MAX];
    unsigned count;
    bool is_known, is_unsafe;
};

static void add_drug(struct found *found, const struct drug *drug)
{
    unsigned at = found->count;
    for (; at > 0 && found->drugs[at - 1]->index > drug->index; at--)
        continue;
    if ((at > 0 && found->drugs[at - 1] == drug) || found->count == EVENT_DRUGS_MAX)
        return;
    memmove(&found->drugs[at + 1], &found->drugs[at], (found->count - at) * sizeof found->drugs[0]);
    found->drugs[at] = drug;
    found->count++;
}

static bool has_cut(const struct words *words, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++)
        if (word_is_among(words_span(words, i, 1), cut_words, COUNT_OF(cut_words)))
            return true;
    return false;
}

static void take_match(const struct words *words, unsigned next, const struct drug_code *code,
                       struct found *found)
{
    struct form_hints hints = read_hints(words);
    if (next < words->count &&
        word_is_among(words_span(words, next, 1), conjugate_words, COUNT_OF(conjugate_words)))
        found->is_unsafe = true;
    found->is_known = true;
    for (unsigned i = 0; code->is_exposure && i < code->count; i++)
        add_drug(found, in_form(code->drugs[i], hints));
}

/* The name in another language.  Names and aliases as they are come first. */
static const struct drug_code *find_stem(const struct mapping *mapping, struct slice word)
{
    char room[WORD_STEM_MAX];
    struct slice stem = word_stem(word, room);
    const struct drug_code *code = stem.len > 0 ? index_find(&mapping->drug_stems, 0, stem) : NULL;
    return code != NULL && code->count > 0 ? code : NULL;
}

/* Most orders of a hospital are no drug of ours: the words that make a text unsafe are looked for
 * only once a drug was found. */
static void search(const struct mapping *mapping, const struct words *words, struct found *found)
{
    unsigned checked = 0;
    for (unsigned at = 0, length = 1; at < words->count; at += length, length = 1) {
        const struct drug_code *code = words_match(&mapping->drug_words, words, at, &length);
        if (code == NULL)
            code = find_stem(mapping, words_span(words, at, 1));
        if (code == NULL)
            continue;
        if (has_cut(words, checked, at))
            return;
        checked = at + length;
        take_match(words, checked, code, found);
    }
}

struct text_drugs resolve_drug_text(const struct mapping *mapping, struct slice text,
                                    struct arena *arena)
{
    struct text_drugs none = { { NULL, 0 }, false, false };
    struct words words;
    struct found found = { .count = 0 };
    words_split(text, &words);
    search(mapping, &words, &found);
    if (!found.is_known || found.is_unsafe || words_are_blinded(&words))
        return none;
    struct text_drugs out = { { NULL, 0 }, true, words_are_local(&words) || found.count == 0 };
    if (found.count == 0)
        return out;
    const struct drug **kept = ARENA_ARRAY(arena, const struct drug *, found.count);
    if (kept == NULL)
        return none;
    memcpy(kept, found.drugs, found.count * sizeof kept[0]);
    out.list = without_carriers((struct drug_list){ kept, found.count }, arena);
    return out;
}
