/*
 * What a packet costs on its way through a worker, without sockets: ns of CPU time of each step.
 *
 *     parse        RTP header with extensions as Chromium sends them
 *     unprotect    SRTP of one packet, and parse
 *     rewrite      a subscriber's numbers and header; of one subscriber, and of 1,000 in turn
 *     receive.N    forwarder_receive() of one packet that N subscribe to: whose it is, unprotect,
 *                  parse, keep, and for each subscriber decide, write a header, queue
 *     decide.N     what each of N subscribers adds to that
 *     flush.N      forwarder_flush(), per packet that goes out: lay out, seal, hand over
 *     forward.N    everything, per packet that goes out
 *
 * Packets come in bursts of 8, as frames do. With a name, only lines that contain it; with a number
 * after it, one round of so many bursts, for bench/instructions.
 */
#include "bench/forward_world.h"
#include "bench/measure.h"
#include "media/base/attributes.h"
#include "media/base/clock.h"
#include "media/packet.h"
#include "media/rtp.h"
#include "media/seal.h"
#include "media/seq_rewriter.h"
#include "media/srtp.h"
#include "sfu/forwarder.h"
#include "sfu/head_template.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    BURST = 8,
    STEP_BURST = 64, /* of what is too short for the clock */
    ROUNDS = 40,
    ROUND_OUT = 4096, /* packets going out in a round, at least */
    STREAMS = 1000,
    WARM_BURSTS = 200, /* until the store is full and every packet was used */
};

/* Time of one round, and what it was for. Of many short times the parts of microseconds that the
 * clock leaves out cancel out. */
struct cost {
    int64_t receive_us, flush_us;
    uint64_t in, out;
};

/* What was asked for. */
struct request {
    const char *name; /* part of it; all of it when `bursts` is set */
    size_t bursts;    /* in the only round; 0: as many and as much as it takes */
};

static bool is_wanted(const struct request *r, const char *name)
{
    return r->bursts > 0 ? strcmp(name, r->name) == 0 : strstr(name, r->name) != NULL;
}

/* @return [ns] for each of `n` */
static double per(int64_t us, uint64_t n)
{
    return 1000.0 * (double)us / (double)(n ? n : 1);
}

/* ------------------------------------------------------------------ single steps */

/* What the steps work on. */
struct steps {
    uint8_t clear[STEP_BURST][FORWARD_WORLD_PACKET];
    uint8_t sealed[STEP_BURST][FORWARD_WORLD_PACKET + SRTP_TRAILER_MAX];
    struct seal_session *seal;
    struct srtp_session *open;
    struct packet packet; /* only its header */
    struct forward forward;
    struct plan_section section;
    struct head_template heads[STREAMS];
    struct seq_rewriter *rewriters[STREAMS];
    uint8_t out[HEAD_TEMPLATE_MAX];
    uint16_t seq;
};

static const struct extension_map slot_extensions = {.id = {
                                                         [EXTENSION_ABS_SEND_TIME] = 2,
                                                         [EXTENSION_TRANSPORT_CC] = 3,
                                                         [EXTENSION_MID] = 4,
                                                     }};

static bool make_steps(struct steps *s, struct forward_world *w)
{
    struct srtp_keys keys = {.profile = SRTP_AEAD_AES_128_GCM, .key_len = 16, .salt_len = 12};

    for (size_t i = 0; i < STEP_BURST; i++)
        forward_world_write(w, s->clear[i]);
    s->section = (struct plan_section){.mid = "0", .extensions = slot_extensions, .rtx_ssrc = 1};
    s->forward = (struct forward){.packet = &s->packet, .clock_rate = 90000, .now_us = w->now_us};
    for (size_t i = 0; i < STREAMS; i++) {
        head_template_init(&s->heads[i], &s->section, (uint32_t)i);
        s->rewriters[i] = malloc(sizeof(*s->rewriters[i]));
        if (!s->rewriters[i])
            return false;
        seq_rewriter_init(s->rewriters[i], (uint16_t)i, 0);
    }
    return seal_session_new(&s->seal, &keys) == 0 && srtp_session_new(&s->open, &keys) == 0;
}

static void free_steps(struct steps *s)
{
    for (size_t i = 0; i < STREAMS; i++)
        free(s->rewriters[i]);
    s->seal = seal_session_free(s->seal);
    s->open = srtp_session_free(s->open);
    free(s);
}

__attribute__((noinline)) static void measured_parse(struct steps *s)
{
    for (size_t i = 0; i < STEP_BURST; i++)
        (void)!rtp_parse(&s->packet.rtp, s->clear[i], sizeof(s->clear[i]));
}

__attribute__((noinline)) static void measured_unprotect(struct steps *s)
{
    for (size_t i = 0; i < STEP_BURST; i++) {
        size_t len = FORWARD_WORLD_PACKET + 16;

        (void)!srtp_session_unprotect_rtp(s->open, s->sealed[i], &len);
        (void)!rtp_parse(&s->packet.rtp, s->sealed[i], len);
    }
}

__attribute__((noinline)) static void measured_rewrite(struct steps *s, size_t streams)
{
    struct head_fields fields = {.pt = 96, .ssrc = 1};

    for (size_t i = 0; i < STREAMS; i++) {
        size_t at = i % streams;

        (void)!seq_rewriter_map(s->rewriters[at], s->seq, 0, 90000, 0, &fields.seq, &fields.ts);
        (void)head_template_write(&s->heads[at], &fields, &s->forward, s->out);
        s->seq = (uint16_t)(s->seq + (at == streams - 1));
    }
}

static void seal_burst(struct steps *s)
{
    for (size_t i = 0; i < STEP_BURST; i++) {
        struct seal_packet packet = {
            .session = s->seal,
            .head = s->clear[i],
            .head_len = FORWARD_WORLD_HEAD,
            .payload = s->clear[i] + FORWARD_WORLD_HEAD,
            .payload_len = FORWARD_WORLD_PACKET - FORWARD_WORLD_HEAD,
            .out = s->sealed[i],
        };

        s->clear[i][2] = (uint8_t)(s->seq >> 8);
        s->clear[i][3] = (uint8_t)s->seq++;
        (void)seal_batch(&packet, 1);
    }
}

enum step { PARSE, UNPROTECT, REWRITE_1, REWRITE_1000, STEPS };

/* Do it once. @return how many times it was done thereby */
static size_t do_step(struct steps *s, enum step step)
{
    switch (step) {
    case PARSE:
        measured_parse(s);
        return STEP_BURST;
    case UNPROTECT:
        measured_unprotect(s);
        return STEP_BURST;
    case REWRITE_1:
        measured_rewrite(s, 1);
        return STREAMS;
    case REWRITE_1000:
        measured_rewrite(s, STREAMS);
        return STREAMS;
    case STEPS:
        break;
    }
    return 0;
}

/* One round. @return ns per packet */
static double time_step(struct steps *s, enum step step, size_t bursts, uint64_t *n)
{
    int64_t spent_us = 0;

    *n = 0;
    for (size_t i = 0; i < bursts; i++) {
        int64_t start_us;

        if (step == UNPROTECT)
            seal_burst(s);
        start_us = clock_now_us();
        *n += do_step(s, step);
        spent_us += clock_now_us() - start_us;
    }
    return per(spent_us, *n);
}

static void run_step(struct steps *s, enum step step, const struct request *request)
{
    static const char *const names[STEPS] = {"parse", "unprotect", "rewrite", "rewrite.1000"};
    double best_ns = 1e9;
    uint64_t n;

    if (!is_wanted(request, names[step]))
        return;
    if (request->bursts > 0) {
        (void)time_step(s, step, request->bursts, &n);
        measure_print(names[step], (double)n, "packets");
        return;
    }
    for (size_t i = 0; i < ROUNDS; i++) {
        double ns = time_step(s, step, 50, &n);

        best_ns = ns < best_ns ? ns : best_ns;
    }
    measure_print(names[step], best_ns, "ns/packet");
}

static bool run_steps(const struct request *request)
{
    struct forward_world *w = forward_world_new(0);
    struct steps *s = calloc(1, sizeof(*s));
    bool made = w && s && make_steps(s, w);

    for (enum step step = 0; made && step < STEPS; step++)
        run_step(s, step, request);
    if (s)
        free_steps(s);
    forward_world_free(w);
    return made;
}

/* ------------------------------------------------------------------ all of it */

__attribute__((noinline)) static void measured_receive(struct forward_world *w,
                                                       struct packet **packets, size_t n)
{
    forwarder_receive(w->forwarder, packets, n, w->now_us);
}

__attribute__((noinline)) static void measured_flush(struct forward_world *w)
{
    forwarder_flush(w->forwarder);
}

static struct cost time_forward(struct forward_world *w, size_t bursts)
{
    struct cost cost = {0};

    for (size_t i = 0; i < bursts; i++) {
        struct packet *packets[BURST];
        size_t n = forward_world_make(w, packets, BURST);
        uint64_t sent = w->sent;
        int64_t start_us = clock_now_us();
        int64_t received_us;

        measured_receive(w, packets, n);
        received_us = clock_now_us();
        measured_flush(w);
        cost.flush_us += clock_now_us() - received_us;
        cost.receive_us += received_us - start_us;
        cost.in += n;
        cost.out += w->sent - sent;
        forward_world_pass(w, 1 * MS);
    }
    return cost;
}

/* The best of each part, for others may disturb. */
static struct cost best_of(const struct cost *a, const struct cost *b)
{
    struct cost best = *a;

    best.receive_us = a->receive_us < b->receive_us ? a->receive_us : b->receive_us;
    best.flush_us = a->flush_us < b->flush_us ? a->flush_us : b->flush_us;
    return best;
}

/* @return false: it could not be measured */
static bool measure(struct cost *ret, uint32_t subscribers, const struct request *request)
{
    struct forward_world *w = forward_world_new(subscribers);
    size_t rounds = request->bursts > 0 ? 1 : ROUNDS;
    size_t bursts = ROUND_OUT / BURST / (subscribers + 1) + 1;

    if (!w)
        return false;
    if (request->bursts > 0)
        bursts = request->bursts;
    (void)time_forward(w, request->bursts > 0 ? 1 : WARM_BURSTS);
    *ret = time_forward(w, bursts);
    for (size_t i = 1; i < rounds; i++) {
        struct cost cost = time_forward(w, bursts);

        *ret = best_of(ret, &cost);
    }
    forward_world_free(w);
    /* Some probes of paths are sent besides. */
    return ret->out >= ret->in * subscribers && ret->out <= ret->in * subscribers * 11 / 10;
}

enum line { RECEIVE, DECIDE, FLUSH, FORWARD, LINES };
enum { NAME_MAX_LEN = 32 };

static void name_lines(char names[LINES][NAME_MAX_LEN], uint32_t subscribers)
{
    static const char *const what[LINES] = {"receive", "decide", "flush", "forward"};

    for (enum line line = 0; line < LINES; line++)
        (void)snprintf(names[line], NAME_MAX_LEN, "%s.%" PRIu32, what[line], subscribers);
}

/* @param alone_ns  of a packet that nobody subscribes to; set when `subscribers` is 0 */
static bool run_forward(uint32_t subscribers, const struct request *request, double *alone_ns)
{
    char names[LINES][NAME_MAX_LEN];
    double ns[LINES];
    struct cost cost;
    bool wanted = subscribers == 0 && request->bursts == 0;

    name_lines(names, subscribers);
    for (enum line line = 0; line < LINES; line++)
        wanted = wanted || is_wanted(request, names[line]);
    if (!wanted)
        return true;
    if (!measure(&cost, subscribers, request))
        return false;
    ns[RECEIVE] = per(cost.receive_us, cost.in);
    *alone_ns = subscribers == 0 ? ns[RECEIVE] : *alone_ns;
    ns[DECIDE] = (ns[RECEIVE] - *alone_ns) / (subscribers ? subscribers : 1);
    ns[FLUSH] = per(cost.flush_us, cost.out);
    ns[FORWARD] = per(cost.receive_us + cost.flush_us, cost.out);
    for (enum line line = 0; line < (subscribers ? LINES : DECIDE); line++) {
        if (is_wanted(request, names[line]) && request->bursts > 0)
            measure_print(names[line], (double)(line == RECEIVE ? cost.in : cost.out), "packets");
        else if (is_wanted(request, names[line]))
            measure_print(names[line], ns[line], "ns/packet");
    }
    return true;
}

int main(int argc, char **argv)
{
    static const uint32_t counts[] = {0, 1, 5, 50, 200, 1000};
    struct request request = {
        .name = argc > 1 ? argv[1] : "",
        .bursts = argc > 2 ? strtoul(argv[2], NULL, 10) : 0,
    };
    double alone_ns = 0;
    bool done = srtp_global_init() == 0 && run_steps(&request);

    for (size_t i = 0; done && i < ARRAY_LEN(counts); i++)
        done = run_forward(counts[i], &request, &alone_ns);
    if (!done)
        (void)fputs("micro_forward: could not be measured\n", stderr);
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
