/**
 * @file ice_client.h  As much of ICE as a load generator needs: one path, which is checked and
 * nominated, and answers for peers that check, too. For a thousand at a time, where
 * media/ice_agent would cost more than what is measured. Sans-I/O. One thread.
 */
#ifndef BENCH_ICE_CLIENT_H
#define BENCH_ICE_CLIENT_H

#include "media/ice_lite.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum { ICE_CLIENT_MAX = 1024 }; /* bytes of the longest datagram written */

struct ice_client {
    struct ice_credentials local, remote;
    bool controlling; /* we nominate */
    bool connected;   /* a check of ours was answered */
    bool waiting;     /* for an answer to `check` */
    uint32_t tries;
    int64_t due_us; /* when to check (again) */
    size_t check_len;
    uint8_t check[ICE_CLIENT_MAX];
};

/** Make up our credentials. */
void ice_client_init(struct ice_client *c);

/** Check the path from `now_us` on. @param controlling  we are the one that nominates */
void ice_client_start(struct ice_client *c, const struct ice_credentials *remote, bool controlling,
                      int64_t now_us);

/** Write the check that is due, if any. Once connected they go on as signs of life.
 *  @param ret  the datagram to send, of `c`. @return its length; 0: nothing is due */
size_t ice_client_advance(struct ice_client *c, int64_t now_us, const uint8_t **ret);

/**
 * Feed a STUN datagram. The answer to a check is known by its transaction id alone.
 *
 * @param reply  room for ICE_CLIENT_MAX
 * @return length of the reply to send; 0: none
 */
size_t ice_client_receive(struct ice_client *c, const uint8_t *data, size_t len,
                          const struct sockaddr_storage *from, int64_t now_us, uint8_t *reply);

#endif
