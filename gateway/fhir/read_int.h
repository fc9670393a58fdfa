/* fhir/read_int.h -- the reader's draft and its table of paths, shared by the read_*.c files.
 *
 * What      json events move a draft: rows of the table take values into it, the closing brace
 *           reduces it to an event.  resourceType may come last, so a value whose row belongs to
 *           some types only is taken at once and its faults wait until the type is known.
 */
#pragma once

#include "base/json.h"
#include "fhir/read.h"

#define ALL_TYPES UINT32_MAX
#define TYPE_BIT(type) (UINT32_C(1) << (type))
#define FAULTS_MAX 16 /* that wait for the type of one resource */

enum {
    HAS_STATUS = 1 << 0,
    HAS_INTENT = 1 << 1,
    HAS_SUBJECT = 1 << 2,
    HAS_MEDICATION_CONCEPT = 1 << 3,
    HAS_MEDICATION_REFERENCE = 1 << 4,
    HAS_CODE = 1 << 5,
};

struct waiting_fault {
    struct waiting_fault *next;
    uint32_t types; /* for which it is a fault */
    struct err err;
};

struct contained_medication {
    struct contained_medication *next;
    struct slice id;
    struct concept concept;
};

struct draft {
    struct fhir_resource *resource; /* in the arena, so targets of patches stay where they are */
    struct arena *arena;
    struct slice body;
    uint32_t type_bit; /* 0 until resourceType was read */
    uint32_t has;
    unsigned depth; /* json_depth() inside its braces */
    size_t start;   /* offset of its opening brace */
    bool is_skipped;
    struct waiting_fault *faults, **faults_end;
    unsigned fault_count;
    struct contained_medication *contained;
    unsigned patch_room;

    struct slice *target; /* where the row at hand keeps a reference */
    struct slice status, intent;
    struct concept code, ingredients;
    struct slice ingredient_text;
    struct slice contained_reference; /* "#m1" */

    /* The parts of the element at hand; taken together when it closes. */
    struct slice coding_system, coding_code, coding_display, concept_text, first_display;
    struct slice identifier_system, identifier_value;
    struct slice link_type, link_other;
    unsigned link_patch;
    struct slice extension_url, extension_code;
    struct slice quantity_value, quantity_unit, quantity_code, quantity_comparator;
    struct slice repeat_count, repeat_frequency, repeat_period, repeat_unit;
    unsigned repeat_times; /* items of when or timeOfDay */
    unsigned coding_count;
    struct coding codings[EVENT_CODINGS_MAX]; /* last: not cleared */
};

struct path_row;
typedef bool take_fn(struct draft *draft, struct json_reader *json, const struct path_row *row,
                     struct slice text);

/* Scalars are taken as they come; OBJECT and ARRAY rows at the closing bracket. */
struct path_row {
    const char *path;
    enum json_kind kind;
    uint32_t types; /* of resource, to which the row belongs */
    take_fn *take;  /* NULL: only the kind is checked */
    size_t offset;  /* of the member that is filled */
    uint32_t has;   /* bits that mere presence sets */
};

/* The paths of all rows, for the reader to follow inside a resource. */
const struct json_step *fhir_resource_paths(void);
extern const struct path_row *const fhir_path_rows; /* by json_mark() - 1 */
/* The row of the current path, or NULL. */
static inline const struct path_row *fhir_path_row(const struct json_reader *json)
{
    unsigned mark = json_mark(json);
    return mark != 0 ? &fhir_path_rows[mark - 1] : NULL;
}

/* Notes that something is wrong with the current element (or with its member `below`, when not
 * NULL) for resources of these types.  Always returns true: reading goes on, because JSON itself
 * may be broken further on, and because the other entries of a batch are read all the same. */
bool draft_fault(struct draft *draft, const struct json_reader *json, uint32_t types,
                 const char *below, enum err_code code, const char *what);
/* Text that outlives the callback: borrowed from the body where it stands there unescaped. */
struct slice draft_keep(struct draft *draft, struct slice text);
/* At most EVENT_TEXT_MAX bytes, and whole characters. */
struct slice draft_cut_text(struct slice text);
/* The concept gathered so far, and a fresh start. */
struct concept draft_take_concept(struct draft *draft);
struct slice draft_take_identifier(struct draft *draft);
/* False for nearly all strings, by the first letter or the length of the element's name:
 * "reference", "div", or a URL. */
static inline bool draft_may_note(const struct json_reader *json, struct slice text)
{
    size_t len = json_element(json).len;
    return len == 9 || len == 3 || (text.len > 0 && (text.at[0] == 'h' || text.at[0] == 'u'));
}
void draft_note_patches(struct draft *draft, const struct json_reader *json, struct slice text);

/* At the closing brace: required elements, codes of required bindings, contained Medications. */
void draft_reduce(struct draft *draft, const struct json_reader *json);
/* Days of a FHIR Duration; 0 when it is absent, not positive or of an unknown unit. */
int32_t fhir_duration_days(struct slice value, struct slice unit, struct slice code);
int32_t fhir_repeat_days(const struct draft *draft);
/* Doses in a thousand days by timing.repeat, or by a timing code such as BID; 0 when unknown. */
int32_t fhir_repeat_doses(const struct draft *draft);
int32_t fhir_code_doses(struct slice code);
/* A JSON number, exactly; false when it has more than 18 digits behind or before the point. */
bool fhir_decimal(struct slice text, int64_t *digits, int32_t *scale);
/* The status in the words of the resource's type; false when it is none of them. */
bool fhir_status_of(enum fhir_type type, struct slice word, enum order_status *out);

/* --- one document ----------------------------------------------------------------------------- */

struct bundle_draft {
    struct fhir_bundle *out;
    unsigned room, entries_max;
    unsigned entry_depth; /* json_depth() inside the entry at hand; 0 outside of entries */
    bool has_type;
    struct slice resource_type;
};

struct document {
    struct slice body;
    struct arena *arena;
    struct err *err;              /* the fault of a resource that stands alone */
    struct fhir_resource *single; /* the resource that stands alone */
    struct draft drafts[2];       /* a resource, and one contained in it */
    struct draft *now;            /* NULL outside of resources */
    struct bundle_draft *bundle;  /* NULL for a resource that stands alone */
};

void document_begin_resource(struct document *document, const struct json_reader *json,
                             struct fhir_resource *resource);
/* What the Bundle around the resources does with each event. */
bool bundle_value(struct document *document, struct json_reader *json, enum json_kind kind,
                  struct slice text);
bool bundle_open(struct document *document, struct json_reader *json, enum json_kind kind);
bool bundle_close(struct document *document, struct json_reader *json, enum json_kind kind);
/* A resource of the Bundle is complete; `fault` has code ERR_OK when it is sound. */
bool bundle_take_resource(struct document *document, const struct json_reader *json,
                          const struct err *fault);
extern const struct json_events fhir_document_events;
