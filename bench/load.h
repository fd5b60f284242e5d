/**
 * @file load.h  One run: everybody joins, media flows, the server is measured, everybody leaves.
 * Thread: the one that calls load_run(), which takes SIGINT and SIGTERM.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include "bench/bench_options.h"
#include "bench/histogram.h"
#include "bench/server_probe.h"
#include "bench/sink.h"
#include "media/base/attributes.h"

#include <stdbool.h>
#include <stdint.h>

enum { LOAD_REASON_MAX = 511 };

struct load_result {
    uint32_t endpoints, connected;
    uint32_t failed; /* could not join: of a join storm, or else there is no result */
    char error[256]; /* of the first that failed */
    int64_t window_us;
    uint64_t sent;            /* packets of all publishers in the window */
    uint64_t packets, bytes;  /* received in the window */
    uint64_t expected, lost;  /* packets until the last one came */
    uint64_t generator_drops; /* datagrams our own sockets had no room for */
    bool probed;              /* the server's process was looked at */
    struct server_cpu server; /* in the window */
    uint64_t memory_before_kib, memory_after_kib;
    int64_t generator_us;    /* our CPU time in the window, polling in vain left out */
    double calls_per_packet; /* of the server; below 0: not known */
    bool calls_traced;       /* by a tracer, which slowed the server down */
    uint64_t send_errors, key_requests, bad_packets;
    uint64_t feedback_packets, feedback_received; /* transport-wide, by us and by the server */
    struct histogram late_us;                     /* frames sent, behind their time */
    struct histogram connected_us;                /* from asking to the end of the DTLS handshake */
    struct histogram media_us;                    /* from asking to the first packet */
    int64_t join_us;                              /* from the first asking to the last connected */
    struct sink_findings findings;
};

/** @param reason  one line for people if it fails; room for LOAD_REASON_MAX + 1
 *  @return 0; -ECONNREFUSED: not everybody could join, or no media came; -EINTR; -ENOMEM; -errno */
MUST_USE int load_run(const struct bench_options *options, struct load_result *ret, char *reason);

#endif
