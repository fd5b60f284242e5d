/**
 * @file endpoint.h  One peer connection of the load: a socket, ICE, DTLS-SRTP, what is published
 * and what is received. How it gets to the server's answer is a target's business.
 *
 * One thread. Members are read by all and written by endpoint.c, but those of the target.
 */
#ifndef BENCH_ENDPOINT_H
#define BENCH_ENDPOINT_H

#include "bench/fleet.h"
#include "bench/ice_client.h"
#include "bench/sink.h"
#include "bench/source.h"
#include "media/base/attributes.h"
#include "media/base/deadline_heap.h"
#include "signaling/negotiation.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Moves down this list only; FAILED and LEFT are final. */
enum endpoint_state {
    ENDPOINT_NEW,
    ENDPOINT_JOINING,    /* the server was asked */
    ENDPOINT_CONNECTING, /* it answered: ICE, then DTLS */
    ENDPOINT_CONNECTED,
    ENDPOINT_FAILED, /* `error` says why */
    ENDPOINT_LEFT,
};
const char *endpoint_state_name(enum endpoint_state state);

/** What it does in its room. */
struct endpoint_role {
    uint32_t room;
    bool audio, video;                 /* published */
    uint32_t audio_slots, video_slots; /* received at most */
};

enum { ENDPOINT_SOURCES = 2, ENDPOINT_ERROR_MAX = 200 };

struct feedback_recorder;

struct endpoint {
    struct fleet *fleet;
    uint32_t id; /* 0.. in the run */
    struct endpoint_role role;
    enum endpoint_state state;
    char error[ENDPOINT_ERROR_MAX];
    void *signaling; /* the target's */
    /* media */
    int fd;
    uint16_t port;
    struct sockaddr_storage remote; /* ss_family 0: not known */
    enum receive_mode mode;
    bool verified; /* everything is decrypted and looked at */
    struct ice_client ice;
    struct transport *transport;
    uint8_t audio_pt, video_pt; /* received; 0: none */
    uint16_t transport_seq;     /* number of the next packet we send */
    uint32_t n_sources;
    struct source sources[ENDPOINT_SOURCES];
    uint32_t n_sinks, max_sinks, last_sink;
    struct sink *sinks;
    int64_t report_us;                      /* when the next RTCP report is due */
    uint8_t transport_cc_id;                /* of what we receive; 0: not negotiated */
    struct feedback_recorder *feedback;     /* NULL: none is sent */
    int64_t feedback_us;                    /* when it is due */
    uint64_t window_sent[ENDPOINT_SOURCES]; /* packets of each source when measuring began */
    struct deadline_node deadline;
    /* times of setting up [us], 0: not yet */
    int64_t begun_us, joined_us, connected_us, media_us;
};

/** Make the socket. @param ret  freed by endpoint_free(). @return 0; -ENOMEM; -errno of socket(2),
 *  bind(2) */
MUST_USE int endpoint_new(struct endpoint **ret, struct fleet *fleet, uint32_t id,
                          const struct endpoint_role *role);
/** Sends nothing. NULL is fine. @return NULL */
struct endpoint *endpoint_free(struct endpoint *e);

/** What an offer or answer says of us. */
void endpoint_describe(const struct endpoint *e, struct negotiation_local *ret);

/** The m-lines to offer; room for PLAN_MAX_SECTIONS. @return how many */
uint32_t endpoint_sections(const struct endpoint *e, struct offer_section *ret);

/** The target has asked the server to let us in: setting up begins here. */
void endpoint_joining(struct endpoint *e, int64_t now_us);

/** The server is described by `plan`, read from its answer to endpoint_sections(), or, when
 *  `answered`, from its offer: connect. Fails the endpoint if it cannot be. */
void endpoint_connect(struct endpoint *e, const struct media_plan *plan, bool answered,
                      int64_t now_us);

/** Give up; nothing happens if it has failed or left already. */
void endpoint_fail(struct endpoint *e, const char *format, ...) PRINTF_LIKE(2, 3);

/** Say goodbye on the media connection. */
void endpoint_leave(struct endpoint *e);

/** Its socket is readable. */
void endpoint_receive(struct endpoint *e, int64_t now_us);

/** Do what is due. @return when to call again [us], or NEVER_US */
MUST_USE int64_t endpoint_advance(struct endpoint *e, int64_t now_us);

/** Send no more frames. */
void endpoint_mute(struct endpoint *e);

/** @return datagrams that the kernel had no room for in our receive buffer */
uint64_t endpoint_drops(const struct endpoint *e);

#endif
