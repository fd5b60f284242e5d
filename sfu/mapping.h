/**
 * @file mapping.h  What STUN servers see of one worker's UDP socket: asks them when control says
 * so, and tells it what they answer (MAIL_MAPPED). Sans-I/O; thread: the worker's own.
 */
#ifndef SFU_MAPPING_H
#define SFU_MAPPING_H

#include "media/stun_probe.h"
#include "sfu/mail.h"

#include <stdbool.h>
#include <stdint.h>

struct core;
struct packet;

/** Embedded, zeroed at first; members are private. */
struct mapping {
    struct stun_probe probes[MAIL_MAX_PROBES];
};

/** Ask the servers of `mail`; what was under way is forgotten. */
void mapping_start(struct mapping *m, const struct mail_probe *mail, int64_t now_us);

/** Send what is due. */
void mapping_advance(struct mapping *m, struct core *core, int64_t now_us);

/** @return when to advance [us], or NEVER_US */
int64_t mapping_deadline(const struct mapping *m);

/** Take a datagram that is STUN and no check. @return false: it is no answer to us */
bool mapping_receive(struct mapping *m, struct core *core, const struct packet *packet);

#endif
