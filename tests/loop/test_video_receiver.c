/* VP8 frames over a simulated network: what arrives whole, and what is asked for again. */
#include "client/video_receiver.h"

#include "bench/netem.h"
#include "client/vp8.h"
#include "media/base/clock.h"
#include "media/packet.h"
#include "tests/tap.h"

enum { FRAMES = 900, MAX_PACKETS = 16384, MAX_NACKS = 64, SOURCE = 5, KEY_EVERY = 300 };

static const int64_t FRAME_US = 33 * MS;
static const int64_t STEP_US = 5 * MS;

/* One frame of the file: its bytes come from its number. */
static size_t make_frame(uint8_t *out, uint32_t number, bool key)
{
    size_t len = key ? 9000 : 500 + number * 37 % 3000;

    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)(number * 31 + i);
    out[0] = key ? 0 : 1;
    out[1] = (uint8_t)(number >> 8);
    out[2] = (uint8_t)number;
    return len;
}

struct run {
    struct video_receiver *receiver;
    struct packet_pool *pool;
    struct netem *link;
    struct packet *sent[MAX_PACKETS]; /* by number; kept to be sent again */
    uint32_t n_sent, n_frames;
    bool repair; /* what is asked for is sent again */
    bool key_wanted;
    uint32_t arrived, expected; /* frames; number of the one that must come next */
    uint32_t broken;            /* frames that cannot be decoded: one before is missing */
};

static void on_frame(void *owner, const struct video_frame *frame)
{
    static uint8_t expected[20000];
    struct run *run = owner;
    uint32_t number = (uint32_t)(frame->data[1] << 8 | frame->data[2]);
    size_t len = make_frame(expected, number, frame->key_frame);

    CHECK_EQ(frame->len, len);
    CHECK_MEM(frame->data, expected, len);
    CHECK_EQ(frame->ts, number * 3000);
    CHECK_EQ(frame->source, SOURCE);
    run->broken += !frame->key_frame && number != run->expected;
    run->expected = number + 1;
    run->arrived++;
}

static void push(struct run *run, uint32_t n, int64_t now_us)
{
    uint8_t datagram[4] = {(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};

    netem_push(run->link, n, datagram, sizeof(datagram), now_us);
}

static void send_frame(struct run *run, int64_t now_us)
{
    static uint8_t frame[20000];
    bool key = run->n_frames % KEY_EVERY == 0 || run->key_wanted;
    size_t len = make_frame(frame, run->n_frames, key);
    struct vp8_packetizer packetizer;
    bool last = false;

    run->key_wanted = false;
    vp8_packetizer_init(&packetizer, frame, len, (uint16_t)run->n_frames);
    while (!last) {
        struct packet *packet = packet_new(run->pool);

        CHECK(packet && run->n_sent < MAX_PACKETS);
        packet->len = (uint16_t)vp8_packetizer_next(&packetizer, packet->data, &last);
        packet->rtp = (struct rtp_header){.seq = (uint16_t)(65000 + run->n_sent),
                                          .ts = run->n_frames * 3000,
                                          .marker = last,
                                          .payload_len = packet->len};
        run->sent[run->n_sent] = packet;
        push(run, run->n_sent++, now_us);
    }
    run->n_frames++;
}

static void receive(struct run *run, int64_t now_us)
{
    uint8_t datagram[NETEM_DATAGRAM_MAX];
    uint64_t n;
    size_t len;

    while (netem_pop(run->link, now_us, &n, datagram, &len))
        video_receiver_put(run->receiver, run->sent[n], SOURCE, now_us);
    CHECK(video_receiver_advance(run->receiver, now_us) >= 0);
}

static void answer(struct run *run, int64_t now_us)
{
    uint16_t seqs[MAX_NACKS];
    size_t n = video_receiver_poll_nacks(run->receiver, now_us, seqs, MAX_NACKS);

    for (size_t i = 0; i < n && run->repair; i++) {
        uint32_t newest = run->n_sent - 1;
        uint32_t back = (uint16_t)(65000 + newest - seqs[i]);

        if (back <= newest)
            push(run, newest - back, now_us);
    }
    run->key_wanted = video_receiver_poll_key_frame(run->receiver, now_us) || run->key_wanted;
}

static void simulate(struct run *run, const struct netem_config *config, bool repair)
{
    *run = (struct run){.repair = repair};
    run->pool = packet_pool_new(MAX_PACKETS);
    run->link = netem_new(config);
    CHECK(run->pool && run->link);
    CHECK_EQ(video_receiver_new(&run->receiver, on_frame, run), 0);
    for (int64_t now_us = 0; run->n_frames < FRAMES; now_us += STEP_US) {
        if (now_us >= run->n_frames * FRAME_US)
            send_frame(run, now_us);
        receive(run, now_us);
        answer(run, now_us);
    }
    receive(run, FRAMES * FRAME_US + SECOND);
}

static void done(struct run *run)
{
    run->receiver = video_receiver_free(run->receiver);
    for (uint32_t i = 0; i < run->n_sent; i++)
        packet_unref(run->sent[i]);
    netem_free(run->link);
    CHECK_EQ(packet_pool_used(run->pool), 0);
    packet_pool_free(run->pool);
}

static struct run run;

static void every_frame_arrives_whole(void)
{
    struct netem_config config = {.seed = 1, .delay_us = 20 * MS};

    simulate(&run, &config, true);
    CHECK_EQ(run.arrived, FRAMES);
    CHECK_EQ(run.broken, 0);
    CHECK_EQ(video_receiver_stats(run.receiver)->recovered, 0);
    done(&run);
}

static void what_is_lost_is_asked_for_and_put_in_its_place(void)
{
    struct netem_config config = {.seed = 2, .delay_us = 20 * MS, .loss = 0.05};

    simulate(&run, &config, true);
    CHECK(run.arrived >= FRAMES - 5);
    CHECK_EQ(run.broken, 0);
    CHECK(video_receiver_stats(run.receiver)->recovered > run.n_sent / 40);
    done(&run);
}

static void reordering_and_duplicates_change_nothing(void)
{
    struct netem_config config = {
        .seed = 3, .delay_us = 20 * MS, .reorder = 0.1, .reorder_us = 15 * MS, .duplicate = 0.1};

    simulate(&run, &config, true);
    CHECK(run.arrived >= FRAMES - 1);
    CHECK_EQ(run.broken, 0);
    done(&run);
}

static void without_repair_it_goes_on_with_key_frames(void)
{
    struct netem_config config = {.seed = 4, .delay_us = 20 * MS, .loss = 0.01};

    simulate(&run, &config, false);
    CHECK_EQ(run.broken, 0);
    CHECK(run.arrived > FRAMES / 5);
    CHECK(video_receiver_stats(run.receiver)->key_frames > FRAMES / KEY_EVERY);
    done(&run);
}

static void one_who_comes_late_asks_for_a_key_frame(void)
{
    struct netem_config dead = {.seed = 5, .loss = 1};
    struct netem_config good = {.seed = 5};

    simulate(&run, &dead, false);
    CHECK_EQ(run.arrived, 0);
    netem_change(run.link, &good);
    for (int i = 0; i < 20; i++) {
        int64_t now_us = FRAMES * FRAME_US + 2 * SECOND + i * FRAME_US;

        send_frame(&run, now_us);
        receive(&run, now_us);
        answer(&run, now_us);
    }
    CHECK(run.arrived >= 17);
    CHECK_EQ(run.broken, 0);
    CHECK_EQ(video_receiver_stats(run.receiver)->key_frames, 1);
    done(&run);
}

TAP_CASES(CASE(every_frame_arrives_whole), CASE(what_is_lost_is_asked_for_and_put_in_its_place),
          CASE(reordering_and_duplicates_change_nothing),
          CASE(without_repair_it_goes_on_with_key_frames),
          CASE(one_who_comes_late_asks_for_a_key_frame))
