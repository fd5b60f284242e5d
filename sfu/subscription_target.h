/**
 * @file subscription_target.h  Which packets of its track a subscription takes: the side of
 * subscription.c that knows of layers. Thread: the worker's own.
 */
#ifndef SFU_SUBSCRIPTION_TARGET_H
#define SFU_SUBSCRIPTION_TARGET_H

#include "sfu/forward.h"

#include <stdbool.h>

struct subscription;

/** A packet of another layer than what is forwarded: @return true if the stream goes over to it,
 *  beginning with this packet */
bool subscription_begin(struct subscription *s, const struct forward *f);

/** There is something to attend to. @return true if this packet of the layer shall go out */
bool subscription_admit(struct subscription *s, const struct forward *f);

#endif
