/* cds/cards.h -- what a clinician is shown at the moment of decision, and which services there are.
 *
 * What      one card for each disease in which the patient is on salvage therapy, or would be with
 *           the orders that are being written.  No card says what to do.
 * Owns      text is appended to the caller's buffer; test buffer_overflowed() at the end.
 * Thread    any; pure: the same call about the same record gives the same cards.
 * Rules     CDS Hooks 2.0; checklist K1 to K3, K8, K9; RULES_SPEC 8.
 */
#pragma once

#include "base/buffer.h"
#include "base/hash.h"
#include "cds/request.h"
#include "domain/line.h"

#define CDS_SERVICE_ID "lifeline"
#define CDS_SUMMARY_MAX 139 /* characters: CDS Hooks asks for fewer than 140 */

struct cds_card_settings {
    enum grade grade_min;          /* verdicts below it are not shown */
    const char *source_url;        /* absolute; NULL leaves it out */
    const struct sha256 *rule_set; /* the digest that verdicts carry */
};

/* `with_drafts` is the answer with the orders that are being written, or NULL without any. */
void cds_write_cards(const struct cds_card_settings *settings, const struct cds_request *request,
                     const struct therapy *now, const struct therapy *with_drafts,
                     struct buffer *out);
/* GET /cds-services. */
void cds_write_services(struct buffer *out);
