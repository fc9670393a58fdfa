#include "mapping/tally.h"

#include <stdlib.h>

#include "base/text.h"
#include "mapping/mapping_int.h"

#define READ_AS_SIZE 400
#define KEY_SIZE 600 /* longer codes are told apart by their beginning */

void tally_init(struct tally *tally, struct arena *arena)
{
    *tally = (struct tally){ .arena = arena, .index = { .arena = arena } };
}

static void add_meanings(const struct event *event, struct text *text)
{
    for (unsigned i = 0; i < event->meaning_count; i++)
        text_add(text, "%s%.*s %s", i > 0 ? "; " : "", SLICE_ARGS(event->meanings[i].disease->key),
                 condition_meaning_words[event->meanings[i].meaning]);
}

static void add_drugs(const struct event *event, struct text *text)
{
    for (unsigned i = 0; i < event->drug_count; i++)
        text_add(text, "%s%.*s", i > 0 ? ";" : "", SLICE_ARGS(event->drugs[i]->name));
    if (event->drug_count == 0)
        text_add(text, "no exposure");
}

struct slice tally_read_as(const struct event *event, struct arena *arena)
{
    char room[READ_AS_SIZE];
    struct text text = TEXT(room);
    room[0] = '\0';
    if (event->is_unmapped)
        return SLICE("");
    if (event->type == FHIR_CONDITION)
        add_meanings(event, &text);
    else
        add_drugs(event, &text);
    return arena_copy(arena, text_slice(&text));
}

/* --- rows ------------------------------------------------------------------------------------ */

/* The first coding that has a code, or NULL. */
static const struct coding *coding_of(const struct concept *concept)
{
    for (unsigned i = 0; i < concept->count; i++)
        if (concept->codings[i].code.len > 0)
    return &concept->codings[i];
    return NULL;
}

static bool comes_first(struct slice a, struct slice b)
{
    return a.len > 0 && (b.len == 0 || slice_cmp(a, b) < 0);
}

static struct slice key_of(const struct tally_row *row, char room[KEY_SIZE])
{
    struct text key = { room, KEY_SIZE, 0 };
    bool has_code = row->code.len > 0;
    text_add_slice(&key, row->system);
    text_add_slice(&key, has_code ? SLICE("|") : SLICE("||"));
    text_add_slice(&key, has_code ? row->code : row->text);
    return text_slice(&key);
}

static struct tally_row *find_row(const struct tally *tally, const struct tally_row *like)
{
    char room[KEY_SIZE];
    const unsigned *number = index_find(&tally->index, like->is_condition, key_of(like, room));
    return number != NULL ? tally->rows[*number] : NULL;
}

static bool make_room(struct tally *tally)
{
    if (tally->count < tally->room)
        return true;
    unsigned room = tally->room > 0 ? 2 * tally->room : 64;
    struct tally_row **larger = ARENA_ARRAY(tally->arena, struct tally_row *, room);
    if (larger == NULL)
        return false;
    if (tally->count > 0)
        memcpy(larger, tally->rows, tally->count * sizeof(*larger));
    tally->rows = larger;
    tally->room = room;
    return true;
}

/* A row of its own, counting nothing yet; NULL past the arena's limit. */
static struct tally_row *put_row(struct tally *tally, const struct tally_row *like)
{
    char room[KEY_SIZE];
    struct arena *arena = tally->arena;
    struct tally_row *row = ARENA_NEW(arena, struct tally_row);
    unsigned *number = ARENA_NEW(arena, unsigned);
    struct slice key = arena_copy(arena, key_of(like, room));
    if (row == NULL || number == NULL || !make_room(tally) ||
        !index_put(&tally->index, like->is_condition, key, number))
        return NULL;
    *row = *like;
    row->count = 0;
    row->system = arena_copy(arena, like->system);
    row->code = arena_copy(arena, like->code);
    row->text = arena_copy(arena, like->text);
    row->read_as = arena_copy(arena, like->read_as);
    *number = tally->count++;
    tally->rows[*number] = row;
    return row;
}

static void add_row(struct tally *tally, const struct tally_row *like)
{
    struct tally_row *row = find_row(tally, like);
    if (row == NULL)
        row = put_row(tally, like);
    if (row == NULL)
        return;
    row->count += like->count;
    if (comes_first(like->text, row->text))
        row->text = arena_copy(tally->arena, like->text);
}

void tally_add(struct tally *tally, const struct event *event)
{
    bool is_condition = event->type == FHIR_CONDITION;
    const struct concept *concept = is_condition ? &event->code : &event->medication;
    const struct coding *coding = coding_of(concept);
    if (coding == NULL && concept->text.len == 0)
        return;
    struct tally_row like = { .is_condition = is_condition,
                              .text = concept->text,
                              .is_unmapped = event->is_unmapped,
                              .count = 1 };
    if (coding != NULL) {
        like.code = coding->code;
        like.system = coding->system == CODE_OTHER ? coding->system_uri
                                                   : slice_of(code_system_uri(coding->system));
    }
    if (find_row(tally, &like) == NULL) /* made once per row, not once per event */
        like.read_as = tally_read_as(event, tally->arena);
    add_row(tally, &like);
}

void tally_merge(struct tally *to, const struct tally *from)
{
    for (unsigned i = 0; i < from->count; i++)
        add_row(to, from->rows[i]);
}

/* --- order ----------------------------------------------------------------------------------- */

static int by_count(const void *a, const void *b)
{
    const struct tally_row *first = *(const struct tally_row *const *)a;
    const struct tally_row *second = *(const struct tally_row *const *)b;
    if (first->count != second->count)
        return first->count > second->count ? -1 : 1;
    if (first->is_condition != second->is_condition)
        return first->is_condition ? 1 : -1;
    int order = slice_cmp(first->system, second->system);
    if (order == 0)
        order = slice_cmp(first->code, second->code);
    return order != 0 ? order : slice_cmp(first->text, second->text);
}

/* The index holds numbers of rows: after this, only rows are read. */
void tally_sort(struct tally *tally)
{
    if (tally->count > 0)
        qsort(tally->rows, tally->count, sizeof(*tally->rows), by_count);
}
