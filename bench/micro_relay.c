/*
 * What it costs to send a packet to another worker: ns of CPU time and, with valgrind,
 * instructions.
 *
 *     out     the publisher's worker: into the batch, and posted with the others of its burst
 *     in      the other worker: out of the batch into a packet of its own pool
 *     both    the two
 *
 * Packets of 1,150 bytes in bursts of 8; one thread, so the bytes are in its cache, as they are in
 * one that cores share.
 */
#include "bench/measure.h"
#include "media/base/clock.h"
#include "media/packet.h"
#include "sfu/core.h"
#include "sfu/mail.h"
#include "sfu/relay_batch.h"
#include "sfu/relay_out.h"

#include <stdlib.h>
#include <string.h>

enum { BURST = 8, PACKET = 1150, BURSTS = 200000, STORE = 1024 };

struct world {
    struct core core;
    struct relay_batch *batch; /* on its way */
    struct packet *packets[BURST];
    struct packet *store[STORE]; /* what the other worker keeps */
    size_t stored;
};

static void take_batch(void *owner, uint32_t worker, struct mail *mail)
{
    struct world *w = owner;

    (void)worker;
    w->batch = CONTAINER_OF(mail, struct relay_batch, mail);
}

static bool make(struct world *w)
{
    w->core.handler.send_to_worker = take_batch;
    w->core.owner = w;
    w->core.pool = packet_pool_new(2 * STORE);
    w->core.relay_out = relay_out_new(&w->core);
    if (!w->core.pool || !w->core.relay_out)
        return false;
    for (size_t i = 0; i < BURST; i++) {
        w->packets[i] = packet_new(w->core.pool);
        if (!w->packets[i])
            return false;
        memset(w->packets[i]->data, (int)i, PACKET);
        w->packets[i]->len = PACKET;
    }
    return true;
}

__attribute__((noinline)) static void measured_out(struct world *w)
{
    struct relay_source source = {.workers = 2, .participant = 7, .track = 9};

    for (size_t i = 0; i < BURST; i++)
        relay_out_packet(w->core.relay_out, &source, w->packets[i], false);
    relay_out_flush(w->core.relay_out);
}

__attribute__((noinline)) static void measured_in(struct world *w)
{
    const struct relay_record *record;
    size_t cursor = 0;

    while ((record = relay_batch_next(w->batch, &cursor))) {
        struct packet *packet = packet_new(w->core.pool);
        struct packet **place = &w->store[w->stored++ % STORE];

        if (!packet)
            abort(); /* there are twice as many */
        packet->len = record->len;
        packet->arrival_us = record->arrival_us;
        packet->rtp = record->rtp;
        memcpy(packet->data, relay_record_content(record), record->len);
        packet_unref(*place);
        *place = packet;
    }
    mail_free(&w->batch->mail);
}

static void run(struct world *w, size_t bursts)
{
    int64_t out_us = 0;
    struct cpu_time start = measure_cpu(RUSAGE_THREAD);
    int64_t both_us;

    for (size_t i = 0; i < bursts; i++) {
        measured_out(w);
        measured_in(w);
    }
    both_us = measure_cpu_us_since(RUSAGE_THREAD, start);
    start = measure_cpu(RUSAGE_THREAD);
    for (size_t i = 0; i < bursts; i++) {
        measured_out(w);
        mail_free(&w->batch->mail);
    }
    out_us = measure_cpu_us_since(RUSAGE_THREAD, start);
    measure_print("out", 1000.0 * (double)out_us / (double)(bursts * BURST), "ns/packet");
    measure_print("in", 1000.0 * (double)(both_us - out_us) / (double)(bursts * BURST),
                  "ns/packet");
    measure_print("both", 1000.0 * (double)both_us / (double)(bursts * BURST), "ns/packet");
}

static void free_world(struct world *w)
{
    for (size_t i = 0; i < BURST; i++)
        packet_unref(w->packets[i]);
    for (size_t i = 0; i < STORE; i++)
        packet_unref(w->store[i]);
    w->core.relay_out = relay_out_free(w->core.relay_out);
    w->core.pool = packet_pool_free(w->core.pool);
}

int main(int argc, char **argv)
{
    static struct world w;

    if (!make(&w)) {
        (void)fputs("micro_relay: out of memory\n", stderr);
        return EXIT_FAILURE;
    }
    run(&w, argc > 1 ? strtoul(argv[1], NULL, 10) : BURSTS);
    free_world(&w);
    return EXIT_SUCCESS;
}
