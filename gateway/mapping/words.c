#include "mapping/words_int.h"

static char small_letter(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

static bool is_letter(char c)
{
    c = small_letter(c);
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (unsigned char)c >= 0x80;
}

void words_split(struct slice text, struct words *out)
{
    size_t used = 0;
    out->count = 0;
    for (size_t i = 0; i < text.len && out->count < WORDS_MAX;) {
        if (!is_letter(text.at[i])) {
            i++;
            continue;
        }
        size_t end = i;
        while (end < text.len && is_letter(text.at[end]))
            end++;
        if (used + 1 + (end - i) > WORDS_BYTES_MAX)
            return;
        if (used > 0)
            out->text[used++] = ' ';
        out->start[out->count] = (uint16_t)used;
        for (; i < end; i++)
            out->text[used++] = small_letter(text.at[i]);
        out->end[out->count++] = (uint16_t)used;
    }
}

/* The Latin-1 letters of UTF-8, from 0xc3 0x80 on, without their accents; '.' is none of them. */
static const char plain_letters[] = "aaaaaaaceeeeiiii.nooooo.ouuuuy.."
                                    "aaaaaaaceeeeiiii.nooooo.ouuuuy.y";

struct slice word_stem(struct slice word, char out[WORD_STEM_MAX])
{
    size_t used = 0;
    for (size_t i = 0; i < word.len && used < WORD_STEM_MAX; i++) {
        unsigned char c = (unsigned char)word.at[i];
        bool is_accented = c == 0xc3 && i + 1 < word.len;
        out[used++] = is_accented ? plain_letters[(unsigned char)word.at[++i] & 0x3f] : (char)c;
    }
    if (used > 0 && (out[used - 1] == 'a' || out[used - 1] == 'e' || out[used - 1] == 'o'))
        used--;
    return (struct slice){ out, used >= 6 && used < WORD_STEM_MAX ? used : 0 };
}

struct slice words_span(const struct words *words, unsigned first, unsigned count)
{
    CHECK(count > 0);
    CHECK(first + count <= words->count);
    return (struct slice){ words->text + words->start[first],
                           (size_t)(words->end[first + count - 1] - words->start[first]) };
}

bool word_is_among(struct slice word, const struct slice *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (list[i].len == word.len && memcmp(list[i].at, word.at, word.len) == 0)
            return true;
    return false;
}

bool words_have(const struct words *words, const struct slice *any, size_t count)
{
    for (unsigned i = 0; i < words->count; i++)
        if (word_is_among(words_span(words, i, 1), any, count))
            return true;
    return false;
}

bool words_put(struct word_index *index, struct arena *arena, struct slice text, const void *value)
{
    struct words words;
    words_split(text, &words);
    if (words.count == 0 || words.count == WORDS_MAX)
        return false;
    struct slice phrase = arena_copy(arena, words_span(&words, 0, words.count));
    struct slice first = { phrase.at, (size_t)(words.end[0] - words.start[0]) };
    index->phrases.arena = index->first.arena = arena;
    if (phrase.len == 0 || !index_put(&index->phrases, 0, phrase, value))
        return false;
    const unsigned *longest = index_find(&index->first, 0, first);
    if (longest == NULL || *longest < words.count) {
        unsigned *count = ARENA_NEW(arena, unsigned);
        if (count == NULL)
            return false;
        *count = words.count;
        index_set(&index->first, 0, first, count);
    }
    return true;
}

const void *words_match(const struct word_index *index, const struct words *words, unsigned at,
                        unsigned *length)
{
    const unsigned *longest = index_find(&index->first, 0, words_span(words, at, 1));
    if (longest == NULL)
        return NULL;
    unsigned count = *longest < words->count - at ? *longest : words->count - at;
    for (; count > 0; count--) {
        const void *value = index_find(&index->phrases, 0, words_span(words, at, count));
        if (value != NULL) {
            *length = count;
            return value;
        }
    }
    return NULL;
}

const void *words_find(const struct word_index *index, struct slice text)
{
    struct words words;
    words_split(text, &words);
    return words.count > 0 ? index_find(&index->phrases, 0, words_span(&words, 0, words.count))
                           : NULL;
}
