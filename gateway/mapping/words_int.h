/* mapping/words_int.h -- texts as words, and the longest known phrase at a place.
 *
 * What      a word is a run of letters and digits, in small letters; everything else separates:
 *           "5-FU" and "5 fu" are the same two words.  Bytes above 0x7f count as letters.
 * Thread    any; a filled index is immutable.
 */
#pragma once

#include "mapping/index_int.h"

#define WORDS_MAX 40
#define WORDS_BYTES_MAX 256

struct words {
    char text[WORDS_BYTES_MAX]; /* the words, one space between them */
    uint16_t start[WORDS_MAX], end[WORDS_MAX];
    unsigned count;
};

/* What does not fit is left out: look-up needs the beginning of a text only. */
void words_split(struct slice text, struct words *out);
/* `count` words from `first` on, with one space between them; borrowed from `words`. */
struct slice words_span(const struct words *words, unsigned first, unsigned count);
bool words_have(const struct words *words, const struct slice *any, size_t count);
bool word_is_among(struct slice word, const struct slice *list, size_t count);
/* A word of such a list; its length is known before the program runs. */
#define WORD(text)            \
    {                         \
        text, sizeof text - 1 \
    }

/* What a drug's international name has in common over languages that spell it with Latin letters:
 * etoposide, Etoposid, etoposido.  Accents and one vowel at the end are left out; empty for a word
 * that is too short to tell. */
#define WORD_STEM_MAX 48
struct slice word_stem(struct slice word, char out[WORD_STEM_MAX]);

struct word_index {
    struct code_index phrases; /* "trastuzumab emtansine" -> value */
    struct code_index first;   /* "trastuzumab" -> words of the longest phrase that begins so */
};

/* False when the phrase is there already, has no word, or is too long. */
bool words_put(struct word_index *index, struct arena *arena, struct slice text,
               const void *value) MUST_USE;
/* The value of the longest phrase that begins at word `at`, and its length; NULL without one. */
const void *words_match(const struct word_index *index, const struct words *words, unsigned at,
                        unsigned *length);
/* The value of the whole text. */
const void *words_find(const struct word_index *index, struct slice text);
