#include "media/egress_pace.h"

#include "tests/unit/egress_fixture.h"

enum {
    VIDEO = 1, /* SSRCs */
    AUDIO = 2,
    RTX = 3,
    FRAME_LEN = 900, /* payload; about 1,000 bytes on the wire */
};

static const uint64_t RATE = 8 * 1000 * 1000; /* a byte per microsecond */
static const int64_t START_US = 10 * SECOND;

static void push(struct fixture *f, struct egress_peer *peer, uint32_t ssrc, uint16_t seq,
                 enum egress_class class)
{
    struct packet *packet = make_packet(f, FRAME_LEN);
    struct egress_head *head = egress_push(f->egress, peer, packet, 0, FRAME_LEN);

    if (head) {
        fill_head(head, ssrc, seq);
        head->class = (uint8_t) class;
    }
    packet_unref(packet);
}

static void push_frame(struct fixture *f, struct egress_peer *peer, uint16_t from, uint16_t n)
{
    for (uint16_t i = 0; i < n; i++)
        push(f, peer, VIDEO, (uint16_t)(from + i), EGRESS_MEDIA);
}

static void make_paced(struct fixture *f, struct egress_peer *peer, uint16_t port, uint64_t bps)
{
    make_peer(f, peer, port);
    egress_set_time(f->egress, START_US);
    egress_peer_set_pace(f->egress, peer, bps);
}

static uint32_t ssrc_of(size_t at)
{
    return sent.data[at][11];
}

static uint16_t seq_of(size_t at)
{
    return (uint16_t)(sent.data[at][2] << 8 | sent.data[at][3]);
}

/* Flush whenever something is due. @return when nothing was left [us] */
static int64_t drain(struct fixture *f, int64_t now_us)
{
    while (egress_deadline(f->egress) != NEVER_US) {
        CHECK(egress_deadline(f->egress) > now_us);
        now_us = egress_deadline(f->egress);
        egress_flush_due(f->egress, now_us);
    }
    return now_us;
}

static void what_exceeds_a_burst_is_held(void)
{
    struct egress_peer peer;
    struct fixture f;

    fixture_init(&f);
    make_paced(&f, &peer, 1, RATE);
    push_frame(&f, &peer, 0, 25);
    egress_flush_due(f.egress, START_US);
    CHECK_EQ(sent.n, 8); /* 8 ms of the rate */
    CHECK_EQ(peer.queued, 17);
    CHECK(egress_deadline(f.egress) > START_US + 7 * MS);
    CHECK(egress_deadline(f.egress) <= START_US + 9 * MS);
    egress_flush_due(f.egress, START_US + 5 * MS);
    CHECK_EQ(sent.n, 8);
    egress_flush_due(f.egress, START_US + 9 * MS);
    CHECK(sent.n >= 15 && sent.n <= 18); /* a run again */
    (void)drain(&f, START_US + 9 * MS);
    CHECK_EQ(sent.n, 25);
    for (size_t i = 0; i < 25; i++)
        CHECK_EQ(seq_of(i), i);
    CHECK_EQ(peer.queued, 0);
    fixture_done(&f);
}

static void a_burst_leaves_as_it_came(void)
{
    struct egress_peer peer;
    struct fixture f;

    fixture_init(&f);
    make_paced(&f, &peer, 1, RATE);
    for (uint16_t i = 0; i < 20; i++) {
        push_frame(&f, &peer, (uint16_t)(8 * i), 8);
        egress_flush_due(f.egress, START_US + i * 20 * MS);
        CHECK_EQ(sent.n, 8U * (i + 1));
        CHECK_EQ(egress_deadline(f.egress), NEVER_US);
    }
    fixture_done(&f);
}

static void the_rate_is_kept(void)
{
    struct egress_peer peer;
    struct fixture f;
    int64_t end_us;

    fixture_init(&f);
    make_paced(&f, &peer, 1, RATE / 8);
    push_frame(&f, &peer, 0, 30); /* 240 ms of it */
    egress_flush_due(f.egress, START_US);
    end_us = drain(&f, START_US);
    CHECK_EQ(sent.n, 30);
    CHECK(end_us - START_US > 200 * MS && end_us - START_US < 240 * MS);
    fixture_done(&f);
}

/* A loop that comes late does not make the rate less. */
static void late_timers_cost_nothing(void)
{
    struct egress_peer peer;
    struct fixture f;
    int64_t now_us = START_US;

    fixture_init(&f);
    make_paced(&f, &peer, 1, RATE);
    push_frame(&f, &peer, 0, 60); /* 57 ms */
    egress_flush_due(f.egress, now_us);
    while (egress_deadline(f.egress) != NEVER_US) {
        now_us = egress_deadline(f.egress) + 4 * MS;
        egress_flush_due(f.egress, now_us);
    }
    CHECK_EQ(sent.n, 60);
    CHECK(now_us - START_US < 60 * MS);
    fixture_done(&f);
}

static void sound_passes_and_repairs_go_first(void)
{
    struct egress_peer peer;
    struct fixture f;

    fixture_init(&f);
    make_paced(&f, &peer, 1, RATE);
    push_frame(&f, &peer, 0, 12);
    egress_flush_due(f.egress, START_US);
    CHECK_EQ(sent.n, 8);
    push(&f, &peer, RTX, 7, EGRESS_REPAIR);
    push(&f, &peer, AUDIO, 9, EGRESS_URGENT);
    push_frame(&f, &peer, 12, 1);
    egress_flush_due(f.egress, START_US + 1 * MS);
    CHECK_EQ(sent.n, 9);
    CHECK_EQ(ssrc_of(8), AUDIO);
    (void)drain(&f, START_US + 1 * MS);
    CHECK_EQ(sent.n, 15);
    CHECK_EQ(ssrc_of(9), RTX);
    for (uint16_t i = 8; i < 13; i++)
        CHECK_EQ(seq_of(2U + i), i);
    fixture_done(&f);
}

static void what_passes_counts(void)
{
    struct egress_peer peer;
    struct fixture f;

    fixture_init(&f);
    make_paced(&f, &peer, 1, RATE);
    for (uint16_t i = 0; i < 20; i++)
        push(&f, &peer, AUDIO, i, EGRESS_URGENT);
    egress_flush_due(f.egress, START_US);
    CHECK_EQ(sent.n, 20);
    push_frame(&f, &peer, 0, 1);
    egress_flush_due(f.egress, START_US + 1 * MS);
    CHECK_EQ(sent.n, 20);
    CHECK(drain(&f, START_US + 1 * MS) >= START_US + 18 * MS);
    CHECK_EQ(sent.n, 21);
    fixture_done(&f);
}

/* Twice as much as the rate: the rest goes out late, but not ever later. */
static void nothing_is_held_long(void)
{
    enum { FRAMES = 100, EACH = 2 };
    struct egress_peer peer;
    struct fixture f;
    int64_t now_us = START_US;

    fixture_init(&f);
    make_paced(&f, &peer, 1, RATE / 8); /* 4 packets in 32 ms */
    CHECK(!peer.pace.congested);
    for (int i = 0; i < FRAMES * 8; i++) {
        if (i % 8 == 0)
            push_frame(&f, &peer, (uint16_t)(i / 8 * EACH), EACH);
        now_us = START_US + i * MS;
        egress_flush_due(f.egress, now_us);
        /* What came EGRESS_HOLD_US and a little before has left. */
        if (i > 320)
            CHECK(sent.n >= (size_t)(i - 320) / 8 * EACH);
    }
    CHECK(peer.pace.congested);
    (void)drain(&f, now_us);
    CHECK_EQ(sent.n, FRAMES * EACH);
    CHECK(!peer.pace.congested);
    fixture_done(&f);
}

static void the_rate_may_change_meanwhile(void)
{
    struct egress_peer peer;
    struct fixture f;
    int64_t end_us;

    fixture_init(&f);
    make_paced(&f, &peer, 1, RATE / 80); /* 10 ms for each packet and more */
    push_frame(&f, &peer, 0, 21);
    egress_flush_due(f.egress, START_US);
    CHECK(sent.n >= 1 && sent.n <= 2);
    egress_peer_set_pace(f.egress, &peer, RATE);
    CHECK_EQ(egress_deadline(f.egress), START_US);
    egress_flush_due(f.egress, START_US + 1 * MS);
    end_us = drain(&f, START_US + 1 * MS);
    CHECK_EQ(sent.n, 21);
    CHECK(end_us - START_US < 22 * MS);

    push_frame(&f, &peer, 21, 20);
    egress_flush_due(f.egress, START_US + SECOND);
    CHECK(sent.n < 41);
    egress_peer_set_pace(f.egress, &peer, 0);
    egress_flush_due(f.egress, START_US + SECOND);
    CHECK_EQ(sent.n, 41);
    CHECK_EQ(egress_deadline(f.egress), NEVER_US);
    fixture_done(&f);
}

static void peers_are_paced_each_for_itself(void)
{
    struct egress_peer a;
    struct egress_peer b;
    struct fixture f;

    fixture_init(&f);
    make_paced(&f, &a, 1, RATE);
    make_peer(&f, &b, 2);
    push_frame(&f, &a, 0, 20);
    egress_flush_due(f.egress, START_US);
    CHECK_EQ(sent.n, 8);
    push_frame(&f, &b, 0, 20);
    egress_flush_due(f.egress, START_US + 1 * MS);
    CHECK_EQ(sent.n, 28);
    for (size_t i = 8; i < 28; i++)
        CHECK_EQ(port_of(i), 2);
    (void)drain(&f, START_US + 1 * MS);
    CHECK_EQ(sent.n, 40);
    fixture_done(&f);
}

static void a_held_queue_has_a_limit(void)
{
    struct egress_peer peer;
    struct fixture f;

    fixture_init(&f);
    make_paced(&f, &peer, 1, 1000);
    for (uint16_t i = 0; i < 2000; i++) {
        fill_head(egress_push(f.egress, &peer, NULL, 0, 0), VIDEO, i);
        if (i % 50 == 49)
            egress_flush_due(f.egress, START_US);
    }
    CHECK_EQ(peer.queued, EGRESS_HELD_MAX); /* the others left */
    CHECK_EQ(sent.n, 2000 - EGRESS_HELD_MAX);
    for (int i = 2000; i < 2000 + EGRESS_QUEUE_MAX - EGRESS_HELD_MAX; i++)
        fill_head(egress_push(f.egress, &peer, NULL, 0, 0), VIDEO, (uint16_t)i);
    CHECK(!egress_push(f.egress, &peer, NULL, 0, 0));
    CHECK_EQ(peer.dropped, 1);
    egress_flush(f.egress); /* whatever is held */
    CHECK_EQ(peer.queued, 0);
    CHECK_EQ(sent.n, 2000 + EGRESS_QUEUE_MAX - EGRESS_HELD_MAX);
    fixture_done(&f);
}

static void a_peer_may_leave_with_held_packets(void)
{
    struct egress_peer a;
    struct egress_peer b;
    struct fixture f;

    fixture_init(&f);
    make_paced(&f, &a, 1, RATE);
    make_paced(&f, &b, 2, RATE);
    push_frame(&f, &a, 0, 20);
    push_frame(&f, &b, 0, 20);
    egress_flush_due(f.egress, START_US);
    push_frame(&f, &a, 20, 2);
    CHECK_EQ(sent.n, 16);
    egress_peer_done(f.egress, &a);
    CHECK_EQ(a.queued, 0);
    egress_flush_due(f.egress, START_US + 2 * MS);
    CHECK_EQ(sent.n, 16);
    fixture_done(&f); /* with those of b; no packet is left */
    CHECK_EQ(sent.n, 16);
}

static void waiting_for_others_comes_before(void)
{
    struct egress_peer peer;
    struct fixture f;

    fixture_init(&f);
    egress_coalesce(f.egress, 5 * MS);
    make_paced(&f, &peer, 1, RATE);
    push_frame(&f, &peer, 0, 2);
    egress_flush_due(f.egress, START_US);
    CHECK_EQ(sent.n, 0);
    CHECK_EQ(egress_deadline(f.egress), START_US + 5 * MS);
    push_frame(&f, &peer, 2, 18); /* enough to wait no more */
    egress_flush_due(f.egress, START_US + 1 * MS);
    CHECK_EQ(sent.n, 8);
    (void)drain(&f, START_US + 1 * MS);
    CHECK_EQ(sent.n, 20);
    fixture_done(&f);
}

TAP_CASES(CASE(what_exceeds_a_burst_is_held), CASE(a_burst_leaves_as_it_came),
          CASE(the_rate_is_kept), CASE(late_timers_cost_nothing),
          CASE(sound_passes_and_repairs_go_first), CASE(what_passes_counts),
          CASE(nothing_is_held_long), CASE(the_rate_may_change_meanwhile),
          CASE(peers_are_paced_each_for_itself), CASE(a_held_queue_has_a_limit),
          CASE(a_peer_may_leave_with_held_packets), CASE(waiting_for_others_comes_before))
