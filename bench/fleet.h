/**
 * @file fleet.h  What all endpoints of a run have in common: looks of the streams, buffers, and
 * counts of what they see. One thread.
 */
#ifndef BENCH_FLEET_H
#define BENCH_FLEET_H

#include "bench/receiver.h"
#include "bench/sink.h"
#include "bench/source.h"
#include "media/base/attributes.h"
#include "media/srtp.h"

#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

struct dtls_identity;
struct endpoint;
struct frame_sender;
struct packet_pool;

struct fleet_config {
    struct source_shape audio, video;
    enum srtp_profile profile; /* SRTP_NONE: whatever the server prefers */
    bool gro;
    bool plain;                     /* no header extensions */
    bool reports;                   /* subscribers tell what they receive, every second */
    int64_t feedback_us;            /* and every so often when each packet came; 0: not */
    bool silent;                    /* offers media like others, and never sends any */
    struct sockaddr_storage server; /* where signaling goes; the port is of no meaning */
};

struct fleet {
    struct fleet_config config;
    char address[INET6_ADDRSTRLEN]; /* ours, as the server sees it */
    struct dtls_identity *identity; /* one certificate does for all */
    struct packet_pool *pool;
    struct receiver *receiver;
    struct frame_sender *sender;
    struct sink_findings findings;
    struct histogram late_us; /* frames, behind their time */
    uint64_t send_errors, key_requests, other_packets, bad_packets;
    uint64_t feedback_packets, feedback_received; /* transport-wide */
    int64_t received_wall_us;                     /* of the datagram that is being decrypted */
    /** The endpoint's state changed. */
    void (*on_state)(void *owner, struct endpoint *e);
    void *owner;
};

/** @param f  with on_state and owner. @return 0; -ENOMEM; -errno: no way to the server */
MUST_USE int fleet_init(struct fleet *f, const struct fleet_config *config);
void fleet_done(struct fleet *f);

#endif
