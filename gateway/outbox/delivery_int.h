/* outbox/delivery_int.h -- what the parts of the delivery machine share.
 *
 * What      delivery.c is the machine and what it does with answers, delivery_decide.c chooses the
 *           next request from what is known, delivery_judge.c compares what was found with what is
 *           wanted, delivery_search.c finds again, delivery_follow.c follows merged patients,
 *           delivery_check.c looks again at what is settled.
 */
#pragma once

#include "outbox/delivery.h"

const struct capability_type *delivery_offer(const struct delivery *delivery);
bool delivery_has_target(const struct delivery *delivery);
bool delivery_is_wanted(const struct delivery *delivery); /* WISH_HOLD */
struct slice delivery_own_id(const struct outbox_row *row);
/* A statement that is made once, and again only when there is something new to say: it is created
 * and never changed.  Needs the capability. */
bool delivery_is_message(const struct delivery *delivery);
/* Written by message.h from a note. */
bool delivery_is_note(const struct delivery *delivery);
/* The value of our identifier: of a message it stands for its content too. */
struct slice delivery_identity(const struct delivery *delivery);
enum delivery_search delivery_search_by(const struct delivery *delivery);
void delivery_request_search(const struct delivery *delivery, struct delivery_request *request);
/* What is looked for in answers. */
struct answer_want delivery_want(const struct delivery *delivery);
/* Before a search begins anew. */
void delivery_forget_search(struct delivery *delivery);
/* The body as it is sent: tokens replaced, without id. */
struct slice delivery_body(const struct delivery *delivery, int64_t now_ms);

/* Chooses: moves on from DECIDING. */
void delivery_decide(struct delivery *delivery, const struct delivery_moment *moment);
void delivery_request_write(const struct delivery *delivery, const struct delivery_moment *moment,
                            struct delivery_request *request);

/* Ends. */
void delivery_settle(struct delivery *delivery, const char *note); /* it holds what is wanted */
void delivery_settle_empty(struct delivery *delivery, const char *note); /* it holds nothing */
void delivery_die(struct delivery *delivery, const char *reason);
/* PENDING, or UNKNOWN while it is not known what the destination holds. */
void delivery_put_off(struct delivery *delivery, int64_t due_ms);
/* The same by the schedule, for a reason that no answer gave. */
void delivery_put_off_for(struct delivery *delivery, enum retry_class class, const char *why,
                          const struct delivery_moment *moment);
/* After a settled record: the next second copy, or the end. */
void delivery_repair_next(struct delivery *delivery);
void delivery_note(struct delivery *delivery, const char *class, const char *detail);

/* The patient as the destination knows it: "Patient/p1". */
struct slice delivery_patient(const struct delivery *delivery);
/* A body about the patient, as one about whom it was merged into. */
struct slice delivery_for_survivor(const struct delivery *delivery, struct slice body);
/* The destination says that the patient was merged into another. */
void delivery_on_merged(struct delivery *delivery);
void delivery_judge_survivor(struct delivery *delivery, const struct delivery_answer *answer);

/* A look at what is settled. */
void delivery_decide_check(struct delivery *delivery);
void delivery_end_check(struct delivery *delivery);
void delivery_judge_check(struct delivery *delivery, const struct delivery_answer *answer,
                          const struct delivery_moment *moment);

/* Takes in what READING or SEARCHING found; moves to DECIDING or ENDED. */
void delivery_judge_read(struct delivery *delivery, const struct delivery_answer *answer,
                         const struct delivery_moment *moment);
void delivery_judge_search(struct delivery *delivery, const struct delivery_answer *answer,
                           const struct delivery_moment *moment);
