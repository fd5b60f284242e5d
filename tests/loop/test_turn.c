/* A worker's turn that brings much. */

#include "bench/forward_world.h"
#include "media/egress.h"
#include "media/udp_socket.h"
#include "sfu/forwarder.h"
#include "tests/tap.h"

static void more_than_a_queue_takes_in_one_turn_is_sent_in_between(void)
{
    enum { BATCHES = 2 * EGRESS_QUEUE_MAX / UDP_BATCH };
    struct forward_world *w = forward_world_new(1);
    struct forwarder_stats stats;

    CHECK(w != NULL);
    for (int i = 0; i < BATCHES; i++) {
        struct packet *packets[UDP_BATCH];

        CHECK_EQ(forward_world_make(w, packets, UDP_BATCH), UDP_BATCH);
        forwarder_receive(w->forwarder, packets, UDP_BATCH, w->now_us);
    }
    forwarder_flush(w->forwarder);
    forwarder_stats(w->forwarder, &stats);
    CHECK_EQ(stats.drop_queue, 0);
    CHECK_EQ(w->sent - stats.probe_out, BATCHES * UDP_BATCH);
    (void)forward_world_free(w);
}

TAP_CASES(CASE(more_than_a_queue_takes_in_one_turn_is_sent_in_between))
