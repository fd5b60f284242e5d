/**
 * @file session_access.h  What the token of a session lets it do. Thread: control.
 */
#ifndef SFU_SESSION_ACCESS_H
#define SFU_SESSION_ACCESS_H

#include "media/base/attributes.h"

#include <stdbool.h>
#include <stdint.h>

struct message;
struct plan_section;
struct session;

/**
 * Before it enters a room: judge its token, and take its grants, its name and whether it is seen
 * from it.
 *
 * @param token  of the request; NULL or "": the one of its connection
 * @return 0; -EACCES, -EBUSY (too often): `error` says why
 */
MUST_USE int session_admit(struct session *s, const char *token, const char *room, int64_t now_us,
                           struct message *error);

/** negotiation_local.may_publish, with struct session_caps: is the source of this m-line granted?
 */
bool session_may_publish(void *owner, const struct plan_section *section);

#endif
