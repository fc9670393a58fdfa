/* app/service_int.h -- what the files of the service share.
 *
 * What      service.c opens and closes; service_outbox.c is what the gateway is as a client.
 */
#pragma once

#include "app/service.h"

/* The keys of keys_folder and the JWK Set that is served. */
bool service_open_keys(struct service *service, struct err *err) MUST_USE;
/* Nothing without destinations. */
bool service_open_outbox(struct service *service, struct err *err) MUST_USE;
/* True when the request was for our JWK Set, and is answered. */
bool service_answers_jwks(struct service *service, struct exchange *exchange);
