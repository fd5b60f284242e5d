/** @file refuse.h  Fill in why a request is refused; shared by what serves sessions. */
#ifndef SFU_REFUSE_H
#define SFU_REFUSE_H

#include "media/base/attributes.h"
#include "signaling/message.h"

/** Set code (a stable word of docs/PROTOCOL.md) and text of `error`. @return -EINVAL */
int refuse(struct message *error, const char *code, const char *format, ...) PRINTF_LIKE(3, 4);

/** The one refusal that has nothing to do with the request. @return -EINVAL */
int refuse_no_memory(struct message *error);

#endif
