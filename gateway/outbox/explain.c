#include "outbox/explain.h"

#include "base/date.h"

const char *outbox_state_name(enum outbox_state state)
{
    static const char *const names[] = { "any", "pending", "settled", "dead", "unknown" };
    CHECK((size_t)state < COUNT_OF(names));
    return names[state];
}

const char *outbox_wish_name(enum posting_wish wish)
{
    static const char *const names[] = { "", "hold", "inactive", "in-error" };
    CHECK((size_t)wish < COUNT_OF(names));
    return names[wish];
}

/* The first row whose word is among those of last_error; the most particular come first. */
static const struct {
    const char *word, *means, *advice;
} words[] = {
    { "no-channel", "The destination offers no way in which it could be told.",
      "lifeline check --probe says what it offers; configure recipients, an author or other "
      "channels, then replay." },
    { "cannot-reconcile",
      "A request was sent, its answer was lost, and the destination cannot be asked whether it "
      "was carried out.",
      "Look there by hand: drop the row when it has the record, replay it when it has not." },
    { "search-ignored", "The destination ignores the search by which our record is found again.",
      "Tell its integration engineer; another channel may serve." },
    { "not-offered", "The destination no longer offers to write this.",
      "Ask its integration engineer, then replay." },
    { "body-unreadable", "What is to be sent cannot be read.", "Replay with another body." },
    { "followed-merge",
      "The patient was merged into another at the destination; it holds it for that one.",
      "Send the Patient with its replaced-by link to this gateway." },
    { "not-kept",
      "The destination holds it, without some of its parts; their names follow in the "
      "row.",
      "" },
    { "repaired", "There were second copies of it; they are marked as entered in error.", "" },
    { "duplicates", "There are second copies of it at the destination that could not be marked.",
      "Tell its integration engineer, then replay." },
    { "told-by", "It is told by another channel.", "" },
    { "dropped", "An operator gave it up; something new will be sent.", "" },
    { "policy", "The destination refuses it by policy (consent, break-the-glass).",
      "It is never tried again by itself, and not to be passed by: ask the site's privacy "
      "officer." },
    { "site-build", "The site has not built what it needs (a note type, a mapping).",
      "For the site's integration engineer; replay when it is built." },
    { "merged", "The patient was merged into another at the destination.",
      "Send the Patient with its replaced-by link to this gateway." },
    { "quota", "The destination's quota of today is used up.", "It is tried again tomorrow." },
    { "permanent", "The destination refuses it, and would again.",
      "Correct the cause, then replay; or replay with another body." },
    { "horizon", "It could not be delivered within the horizon of this destination.",
      "Replay when the destination is well." },
    { "credential", "The destination does not accept our credential.",
      "Renew it; the row keeps its place." },
    { "not-found-yet", "A request was sent and its answer was lost; it has not shown up yet.",
      "It is looked for a few times before it is sent again." },
    { "for-more", "A message waits for what else may change.", "" },
    { "waiting", "It speaks of a record that is not there yet.", "" },
    { "conflict", "The record there changes under our hands.", "It is read and written again." },
    { "unknown", "A request was sent and its answer was lost.",
      "The destination is asked before anything is sent again." },
    { "transient", "The destination was out of reach or out of order.",
      "It is tried again by itself." },
    { "moved", "The patient was merged into another, and the record is that one's now.", "" },
    { "target-deleted",
      "Somebody deleted the record there; it comes back when there is new evidence.",
      "Replay it when it should be there." },
    { "target-edited",
      "Somebody edited the record there, and the edit stays until there is new "
      "evidence.",
      "" },
};

static bool has_word(struct slice text, const char *word)
{
    while (text.len > 0)
        if (slice_is(slice_take_until(&text, ' '), word))
            return true;
    return false;
}

static void add_state(const struct outbox_row *row, struct text *out)
{
    switch (row->state) {
    case OUTBOX_PENDING:
        text_add(out, "It is to be sent.");
        break;
    case OUTBOX_SETTLED:
        text_add(out, "Nothing is left to do.");
        break;
    case OUTBOX_DEAD:
        text_add(out, "It was given up after %u attempt%s.", row->attempts,
                 row->attempts == 1 ? "" : "s");
        break;
    case OUTBOX_UNKNOWN:
        text_add(out, "It may be there already.");
        break;
    }
}

static void add_when(const struct outbox_row *row, struct slice paused, int64_t now_ms,
                     struct text *out)
{
    char due[INSTANT_TEXT_SIZE];
    if (row->state != OUTBOX_PENDING && row->state != OUTBOX_UNKNOWN)
        return;
    if (paused.len > 0)
        text_add(out, " Its destination is paused by %.*s.", SLICE_ARGS(paused));
    else if (row->due_ms > now_ms)
        text_add(out, " Next at %.19sZ.", instant_format(row->due_ms, due));
    else
        text_add(out, " Next as soon as its destination and the patient's earlier rows allow.");
}

void explain_row(const struct outbox_row *row, struct slice paused, int64_t now_ms,
                 struct text *out)
{
    add_state(row, out);
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (!has_word(row->last_error, words[i].word))
            continue;
        text_add(out, " %s", words[i].means);
        if (words[i].advice[0] != '\0')
            text_add(out, " %s", words[i].advice);
        break;
    }
    if (row->last_status != 0 && row->state != OUTBOX_SETTLED)
        text_add(out, " It last answered with HTTP %d.", row->last_status);
    add_when(row, paused, now_ms, out);
}

void explain_json(const struct outbox_row *row, struct slice paused, int64_t now_ms, bool with_body,
                  struct json_writer *json)
{
    char time[INSTANT_TEXT_SIZE], bytes[800];
    struct text why = TEXT(bytes);
    bool is_due = row->state == OUTBOX_PENDING || row->state == OUTBOX_UNKNOWN;
    explain_row(row, paused, now_ms, &why);
    json_object(json);
    json_put_integer(json, "key", row->key);
    json_put_text(json, "state", outbox_state_name(row->state));
    json_put(json, "destination", row->destination);
    json_put(json, "patient", row->patient_name);
    json_put(json, "disease", row->disease);
    json_put_text(json, "kind", posting_kind_name(row->kind));
    json_put_text(json, "wish", outbox_wish_name(row->wish));
    json_put(json, "identity", row->identity);
    json_put_integer(json, "attempts", row->attempts);
    json_put_text(json, "created", instant_format(row->created_ms, time));
    json_put_text(json, "changed", instant_format(row->changed_ms, time));
    if (is_due)
        json_put_text(json, "due", instant_format(row->due_ms, time));
    json_put(json, "target", row->target_id);
    json_put_integer(json, "lastStatus", row->last_status);
    json_put(json, "lastError", row->last_error);
    json_put(json, "explanation", text_slice(&why));
    if (with_body && row->body.len > 0) {
        json_key(json, "body");
        json_raw(json, row->body);
    }
    json_object_end(json);
}
