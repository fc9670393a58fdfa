#include "ingest/derived.h"

#include "base/codec.h"

#define FORMAT 1

static void pack_line(const struct line *line, struct buffer *out)
{
    encode_varint(out, line->number);
    encode_slice(out, slice_of(line->id));
    encode_signed(out, line->start.day);
    encode_varint(out, line->is_open);
    encode_signed(out, line->is_open ? 0 : line->end.day);
    encode_varint(out, (uint64_t)line->setting);
    encode_slice(out, line->regimen);
    encode_slice(out, slice_of(rule_id(line->opened_by.rule)));
    encode_varint(out, line->drug_count);
    for (unsigned i = 0; i < line->drug_count; i++)
        encode_slice(out, line->drugs[i]->name);
}

static void pack_verdict(const struct verdict *verdict, struct buffer *out)
{
    encode_varint(out, verdict->salvage);
    encode_varint(out, (uint64_t)verdict->grade);
    encode_varint(out, verdict->line);
    encode_varint(out, (uint64_t)verdict->status);
    encode_varint(out, verdict->history_truncated);
    encode_varint(out, verdict->reason_count);
    for (unsigned i = 0; i < verdict->reason_count; i++)
        encode_slice(out, slice_of(rule_id(verdict->reasons[i].rule)));
    encode_varint(out, verdict->veto_count);
    for (unsigned i = 0; i < verdict->veto_count; i++)
        encode_slice(out, slice_of(rule_id(verdict->vetoes[i].rule)));
}

void derived_pack(const struct therapy *therapy, struct buffer *out)
{
    encode_varint(out, FORMAT);
    encode_varint(out, therapy->history_count);
    for (unsigned i = 0; i < therapy->history_count; i++) {
        const struct history *history = &therapy->histories[i];
        encode_slice(out, history->disease->key);
        encode_varint(out, history->line_count);
        for (unsigned k = 0; k < history->line_count; k++)
            pack_line(&history->lines[k], out);
        pack_verdict(&history->verdict, out);
    }
}
