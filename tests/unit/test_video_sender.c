#include "client/video_sender.h"

#include "client/ivf.h"
#include "media/base/clock.h"
#include "media/egress.h"
#include "media/packet.h"
#include "media/seal.h"
#include "media/srtp.h"
#include "tests/tap.h"

#include <unistd.h>

enum { FRAMES = 10, FRAME_LEN = 100, MAX_SENT = 64 }; /* a key frame, and nine that need it */

/* Frames of 100 ms each, and the packets that they became. */
static struct packet_pool *pool;
static struct egress *egress;
static struct egress_peer peer;
static struct seal_session *seal;
static struct srtp_session *srtp;
static struct rtp_path path;
static struct video_sender *sender;
static int64_t now_us;
static size_t n_sent;
static struct {
    bool key_frame;
    uint32_t ts;
} sent[MAX_SENT];

static void on_send(void *owner, const struct datagram *datagrams, size_t n)
{
    uint8_t data[PACKET_CAPACITY];
    struct rtp_header rtp;

    (void)owner;
    for (size_t i = 0; i < n; i++) {
        size_t len = datagrams[i].len;

        CHECK(n_sent < MAX_SENT);
        memcpy(data, datagrams[i].data, len);
        CHECK_EQ(srtp_session_unprotect_rtp(srtp, data, &len), 0);
        CHECK_EQ(rtp_parse(&rtp, data, len), 0);
        /* 100 bytes are one packet: a descriptor, and the frame, of which the first bit says. */
        sent[n_sent].key_frame = (data[rtp.header_len + rtp.payload_len - FRAME_LEN] & 1) == 0;
        sent[n_sent++].ts = rtp.ts;
    }
}

static void write_file(const char *name)
{
    struct ivf_writer *w = NULL;

    CHECK_EQ(ivf_writer_new(&w, name, 320, 240, 10), 0);
    for (uint64_t i = 0; i < FRAMES; i++) {
        /* RFC 6386 section 9.1: bit 0 is 0 for a key frame, which has a start code and a size. */
        uint8_t frame[FRAME_LEN] = {i == 0 ? 0x10 : 0x11, 2, 0, 0x9d, 0x01, 0x2a, 64, 1, 240};

        CHECK_EQ(ivf_writer_put(w, frame, sizeof(frame), i), 0);
    }
    ivf_writer_free(w);
}

static void begin(void)
{
    struct srtp_keys keys = {.profile = SRTP_AEAD_AES_128_GCM};
    struct rtp_sender_config config = {
        .ssrc = 1, .pt = 96, .clock_rate = VIDEO_RATE, .store = 64, .mid = "0"};
    char name[] = "/tmp/test_video_sender_XXXXXX";
    int fd = mkstemp(name);
    static bool started;

    CHECK(fd >= 0);
    close(fd);
    CHECK(started || srtp_global_init() == 0);
    started = true;
    n_sent = 0;
    now_us = SECOND;
    srtp_profile_lengths(keys.profile, &keys.key_len, &keys.salt_len);
    pool = packet_pool_new(256);
    egress = egress_new(on_send, NULL);
    CHECK(pool && egress);
    CHECK_EQ(seal_session_new(&seal, &keys), 0);
    CHECK_EQ(srtp_session_new(&srtp, &keys), 0);
    egress_peer_init(&peer);
    peer.session = seal;
    path = (struct rtp_path){.egress = egress, .peer = &peer};
    write_file(name);
    CHECK_EQ(video_sender_new(&sender, name), 0);
    CHECK_EQ(unlink(name), 0);
    CHECK_EQ(video_sender_start(sender, &config, now_us), 0);
}

static void end(void)
{
    sender = video_sender_free(sender);
    egress_peer_done(egress, &peer);
    egress = egress_free(egress);
    seal = seal_session_free(seal);
    srtp = srtp_session_free(srtp);
    pool = packet_pool_free(pool);
}

/* Let `us` pass in steps of 10 ms. @return when it wants to be called next */
static int64_t run(int64_t us)
{
    int64_t until_us = now_us + us;
    int64_t next_us = NEVER_US;

    for (; now_us < until_us; now_us += 10 * MS) {
        next_us = video_sender_advance(sender, &path, pool, now_us);
        egress_flush(egress);
    }
    return next_us;
}

static void a_file_is_sent_over_and_over(void)
{
    begin();
    CHECK(run(2 * SECOND) < NEVER_US);
    CHECK_EQ(n_sent, 2 * FRAMES);
    CHECK(sent[0].key_frame && !sent[1].key_frame && sent[FRAMES].key_frame);
    CHECK_EQ(sent[1].ts - sent[0].ts, 9000);
    end();
}

static void nothing_is_sent_that_nobody_wants(void)
{
    begin();
    (void)run(500 * MS);
    CHECK(video_sender_wanted(sender));
    video_sender_set_wanted(sender, false, now_us);
    CHECK(!video_sender_wanted(sender));
    CHECK_EQ(run(3 * SECOND), NEVER_US);
    CHECK_EQ(n_sent, 5);
    end();
}

static void what_is_wanted_again_goes_on_with_a_key_frame_and_the_time(void)
{
    begin();
    (void)run(500 * MS);
    video_sender_set_wanted(sender, false, now_us);
    (void)run(3 * SECOND);
    video_sender_set_wanted(sender, true, now_us);
    video_sender_set_wanted(sender, true, now_us); /* said twice */
    CHECK(run(400 * MS) < NEVER_US);
    CHECK_EQ(n_sent, 5 + 4);
    CHECK(sent[5].key_frame && !sent[6].key_frame);
    CHECK_EQ(sent[5].ts - sent[4].ts, 9000 + 3 * VIDEO_RATE);
    CHECK_EQ(sent[6].ts - sent[5].ts, 9000);
    end();
}

static void a_moment_without_wish_leaves_no_gap(void)
{
    begin();
    (void)run(500 * MS);
    video_sender_set_wanted(sender, false, now_us);
    video_sender_set_wanted(sender, true, now_us);
    (void)run(100 * MS);
    CHECK_EQ(n_sent, 6);
    CHECK(sent[5].key_frame);
    CHECK_EQ(sent[5].ts - sent[4].ts, 9000);
    end();
}

TAP_CASES(CASE(a_file_is_sent_over_and_over), CASE(nothing_is_sent_that_nobody_wants),
          CASE(what_is_wanted_again_goes_on_with_a_key_frame_and_the_time),
          CASE(a_moment_without_wish_leaves_no_gap))
