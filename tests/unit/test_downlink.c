#include "sfu/downlink.h"

#include "media/send_history.h"
#include "media/transport_feedback.h"
#include "tests/unit/egress_fixture.h"

#include <errno.h>

enum { SEQ_AT = 17, PROBE_LEN = 1000 };

/* A path, and who sends on it: packets of media, and probes when asked. */
struct path {
    struct fixture f;
    struct egress_peer peer;
    struct downlink *downlink;
    struct feedback_recorder recorder;
    int64_t now_us;
    size_t probes;  /* packets queued as such */
    bool no_probes; /* nothing to send them with */
    uint16_t seq;
};
static struct path path; /* large */

static void push_numbered(struct path *p, uint16_t payload_len, enum egress_class class)
{
    static const uint8_t zeros[2] = {0};
    struct rtp_extension_value value = {.id = 1, .len = 2, .value = zeros};
    struct rtp_write header = {
        .pt = 96, .seq = p->seq++, .ssrc = 1, .n_extensions = 1, .extensions = &value};
    struct packet *packet = make_packet(&p->f, payload_len);
    struct egress_head *head = egress_push(p->f.egress, &p->peer, packet, 0, payload_len);
    int len = rtp_write_header(head->bytes, sizeof(head->bytes), &header);

    CHECK_EQ(len, 20);
    head->head_len = (uint16_t)len;
    head->transport_seq_at = SEQ_AT;
    head->class = (uint8_t) class;
    packet_unref(packet);
}

static size_t send_probe(void *owner, int64_t now_us)
{
    struct path *p = owner;

    CHECK_EQ(now_us, p->now_us);
    if (p->no_probes)
        return 0;
    push_numbered(p, PROBE_LEN, EGRESS_URGENT);
    p->probes++;
    return PROBE_LEN + 20;
}

static void path_init(struct path *p, enum downlink_feedback feedback)
{
    struct downlink_config config = {
        .peer = &p->peer, .feedback = feedback, .send_probe = send_probe, .owner = p};

    *p = (struct path){.now_us = 100 * SECOND};
    fixture_init(&p->f);
    make_peer(&p->f, &p->peer, 1);
    p->peer.transport_seq = 65530;
    config.egress = p->f.egress;
    feedback_recorder_init(&p->recorder);
    egress_set_time(p->f.egress, p->now_us);
    CHECK_EQ(downlink_new(&p->downlink, &config, p->now_us), 0);
}

static void path_done(struct path *p)
{
    p->downlink = downlink_free(p->downlink);
    CHECK(!p->peer.history);
    CHECK_EQ(p->peer.pace.bps, 0);
    egress_peer_done(p->f.egress, &p->peer);
    fixture_done(&p->f);
}

/* Send what is queued; it arrives after 10 ms, unless every `loses`-th one. */
static void flush(struct path *p, size_t loses)
{
    size_t from = sent.n;

    egress_flush_due(p->f.egress, p->now_us);
    for (size_t i = from; i < sent.n; i++) {
        const uint8_t *at = sent.data[i % LOG_MAX] + SEQ_AT;

        if (loses == 0 || i % loses != 0)
            feedback_recorder_on_packet(&p->recorder, (uint16_t)(at[0] << 8 | at[1]),
                                        p->now_us + 10 * MS);
    }
}

/* @return what the downlink says of the peer's feedback */
static int answer(struct path *p)
{
    uint8_t bytes[1200];
    struct writer w = writer_of(bytes, sizeof(bytes));
    struct reader r;
    struct rtcp_packet packet;

    if (feedback_recorder_write(&p->recorder, &w, 1, 2, p->now_us) == 0)
        return 0;
    r = reader_of(bytes, w.len);
    CHECK_EQ(rtcp_next(&r, &packet), 1);
    return downlink_on_transport_feedback(p->downlink, &packet, p->now_us);
}

/* `us` of media at about `bps`, with feedback every 50 ms. */
static void run(struct path *p, int64_t us, uint64_t bps, size_t loses)
{
    int64_t end_us = p->now_us + us;
    uint64_t bits = 0;

    for (; p->now_us < end_us; p->now_us += 1 * MS) {
        egress_set_time(p->f.egress, p->now_us);
        for (bits += bps / 1000; bits >= 8 * 1064; bits -= 8 * 1064)
            push_numbered(p, 1000, EGRESS_MEDIA);
        CHECK(downlink_advance(p->downlink, p->now_us) > p->now_us);
        flush(p, loses);
        if (p->now_us % (50 * MS) == 0)
            CHECK_EQ(answer(p), 0);
    }
}

static void the_estimate_follows_feedback(void)
{
    struct congestion_stats stats;
    uint64_t before;

    path_init(&path, DOWNLINK_TRANSPORT_CC);
    before = downlink_estimate(path.downlink);
    CHECK(before > 0 && before <= CONGESTION_START_BPS);
    run(&path, 5 * SECOND, 400 * 1000, 0);
    CHECK(downlink_estimate(path.downlink) > before);
    downlink_stats(path.downlink, &stats);
    CHECK(stats.acked_bps > 350 * 1000 && stats.acked_bps < 500 * 1000);
    CHECK(stats.loss < 0.01);
    before = downlink_estimate(path.downlink);
    run(&path, 5 * SECOND, 400 * 1000, 3);
    downlink_stats(path.downlink, &stats);
    CHECK(stats.loss > 0.2);
    CHECK(downlink_estimate(path.downlink) < before);
    path_done(&path);
}

static void nothing_is_paced_before_feedback(void)
{
    path_init(&path, DOWNLINK_TRANSPORT_CC);
    for (int i = 0; i < 30; i++)
        push_numbered(&path, 1000, EGRESS_MEDIA);
    (void)!downlink_advance(path.downlink, path.now_us);
    CHECK_EQ(path.peer.pace.bps, 0);
    flush(&path, 0);
    CHECK(sent.n >= 30);
    path.now_us += 50 * MS;
    CHECK_EQ(answer(&path), 0);
    (void)!downlink_advance(path.downlink, path.now_us);
    CHECK(path.peer.pace.bps >= CONGESTION_START_BPS);
    path_done(&path);
}

static void who_never_answers_is_not_limited(void)
{
    path_init(&path, DOWNLINK_TRANSPORT_CC);
    for (; path.now_us < 104 * SECOND; path.now_us += 10 * MS) {
        push_numbered(&path, 1000, EGRESS_MEDIA);
        (void)!downlink_advance(path.downlink, path.now_us);
        flush(&path, 1); /* all is lost */
        if (path.now_us < 102 * SECOND)
            CHECK(downlink_estimate(path.downlink) > 0);
    }
    CHECK_EQ(downlink_estimate(path.downlink), 0);
    CHECK_EQ(path.peer.pace.bps, 0);
    path_done(&path);
}

static void malformed_feedback_changes_nothing(void)
{
    uint8_t bytes[] = {0x8f, 205, 0, 4, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 9, 0, 0, 0, 0};
    struct reader r = reader_of(bytes, sizeof(bytes));
    struct rtcp_packet packet;
    struct congestion_stats stats;

    path_init(&path, DOWNLINK_TRANSPORT_CC);
    CHECK_EQ(rtcp_next(&r, &packet), 1);
    CHECK_EQ(downlink_on_transport_feedback(path.downlink, &packet, path.now_us), -EBADMSG);
    downlink_stats(path.downlink, &stats);
    CHECK_EQ(stats.state, CONGESTION_WAITING);
    path_done(&path);
}

/* Feedback about packets that never were: any peer can send it. */
static void unknown_packets_change_nothing(void)
{
    struct congestion_stats stats;

    path_init(&path, DOWNLINK_TRANSPORT_CC);
    for (uint16_t i = 0; i < 100; i++)
        feedback_recorder_on_packet(&path.recorder, (uint16_t)(1000 + i), path.now_us + i * MS);
    path.now_us += 200 * MS;
    CHECK_EQ(answer(&path), 0);
    downlink_stats(path.downlink, &stats);
    CHECK_EQ(stats.state, CONGESTION_WAITING);
    path_done(&path);
}

static void probes_have_their_size_and_rate(void)
{
    size_t first = 0;
    int64_t next_us;

    path_init(&path, DOWNLINK_TRANSPORT_CC);
    next_us = downlink_advance(path.downlink, path.now_us);
    CHECK(path.peer.probe != SEND_HISTORY_NO_PROBE);
    CHECK_EQ(path.probes, 1); /* the others when their time comes */
    CHECK_EQ(next_us, path.now_us + 1 * MS);
    flush(&path, 0);
    while (path.peer.probe == 1 && path.now_us < 101 * SECOND) {
        path.now_us += 1 * MS;
        egress_set_time(path.f.egress, path.now_us);
        (void)!downlink_advance(path.downlink, path.now_us);
        first = path.peer.probe == 1 ? path.probes : first;
        flush(&path, 0);
    }
    CHECK(first >= 5); /* at 3 * 300 kbit/s */
    CHECK(path.now_us - 100 * SECOND >= 4 * 1060 * 8 * SECOND / 900000);
    CHECK(path.now_us - 100 * SECOND <= 7 * 1060 * 8 * SECOND / 900000);
    path_done(&path);
}

static void media_is_part_of_a_probe(void)
{
    path_init(&path, DOWNLINK_TRANSPORT_CC);
    (void)!downlink_advance(path.downlink, path.now_us);
    CHECK_EQ(path.probes, 1);
    for (int i = 0; i < 20; i++)
        push_numbered(&path, 1000, EGRESS_MEDIA);
    flush(&path, 0);
    path.now_us += 1 * MS;
    (void)!downlink_advance(path.downlink, path.now_us);
    CHECK(path.peer.probe != 1); /* it was enough */
    path_done(&path);
}

static void without_anything_to_send_there_is_no_probe(void)
{
    path_init(&path, DOWNLINK_TRANSPORT_CC);
    path.no_probes = true;
    (void)!downlink_advance(path.downlink, path.now_us);
    CHECK_EQ(path.peer.probe, SEND_HISTORY_NO_PROBE);
    path_done(&path);
}

static void remb_counts_where_nothing_better_was_agreed_on(void)
{
    path_init(&path, DOWNLINK_REMB);
    run(&path, 1 * SECOND, 100 * 1000, 1); /* no transport feedback */
    CHECK_EQ(downlink_estimate(path.downlink), 0);
    CHECK_EQ(path.probes, 0);
    downlink_on_remb(path.downlink, 700 * 1000, path.now_us);
    CHECK(downlink_estimate(path.downlink) > 600 * 1000);
    CHECK(downlink_estimate(path.downlink) <= 700 * 1000);
    path_done(&path);

    path_init(&path, DOWNLINK_REPORTS);
    downlink_on_remb(path.downlink, 700 * 1000, path.now_us);
    CHECK_EQ(downlink_estimate(path.downlink), 0);
    path_done(&path);
}

/* Read as a peer that knows packets by SSRC and number alone would tell of them. */
static int answer_by_name(struct path *p, uint16_t first, uint16_t count)
{
    uint8_t bytes[1200];
    struct writer w = writer_of(bytes, sizeof(bytes));
    struct rtcp_feedback fb = {.sender = 1, .media = 1};
    size_t start = rtcp_begin_feedback(&w, RTCP_RTPFB, RTPFB_CCFB, &fb);
    struct rtcp_packet packet;
    struct reader r;

    writer_u16(&w, first);
    writer_u16(&w, count);
    for (uint16_t i = 0; i < count; i++)
        writer_u16(&w, (uint16_t)(0x8000 | (10 * (count - 1 - i)))); /* 10 ms apart */
    if (count % 2)
        writer_u16(&w, 0);
    writer_u32(&w, (uint32_t)(p->now_us * 65536 / SECOND));
    rtcp_end_feedback(&w, start);
    r = reader_of(bytes, w.len);
    CHECK_EQ(rtcp_next(&r, &packet), 1);
    return downlink_on_congestion_feedback(p->downlink, &packet, p->now_us);
}

static void packets_may_be_told_of_by_name(void)
{
    struct congestion_stats stats;

    path_init(&path, DOWNLINK_CCFB);
    for (; path.now_us < 102 * SECOND; path.now_us += 10 * MS) {
        push_numbered(&path, 1000, EGRESS_MEDIA);
        (void)!downlink_advance(path.downlink, path.now_us);
        flush(&path, 0);
        if (path.now_us % (100 * MS) == 0) {
            CHECK_EQ(answer_by_name(&path, (uint16_t)(path.seq - 10), 10), 0);
            CHECK_EQ(answer_by_name(&path, 5000, 10), 0); /* that never were */
        }
    }
    CHECK(path.probes > 0);
    downlink_stats(path.downlink, &stats);
    CHECK(stats.state != CONGESTION_WAITING);
    CHECK(stats.loss < 0.01);
    CHECK(downlink_estimate(path.downlink) > 0);
    CHECK(path.peer.pace.bps > 0);
    path_done(&path);

    path_init(&path, DOWNLINK_TRANSPORT_CC); /* not agreed on */
    push_numbered(&path, 1000, EGRESS_MEDIA);
    flush(&path, 0);
    CHECK_EQ(answer_by_name(&path, 0, 1), 0);
    CHECK_EQ(path.peer.pace.bps, 0);
    path_done(&path);
}

static void losses_count_where_there_is_nothing_else(void)
{
    uint64_t first;

    path_init(&path, DOWNLINK_REPORTS);
    run(&path, 2 * SECOND, 800 * 1000, 1);
    downlink_on_loss(path.downlink, 5, path.now_us);
    CHECK_EQ(downlink_estimate(path.downlink), 0); /* as good as none */
    downlink_on_loss(path.downlink, 64, path.now_us);
    first = downlink_estimate(path.downlink);
    CHECK(first > 500 * 1000 && first < 800 * 1000); /* of what is sent */
    run(&path, 1 * SECOND, 800 * 1000, 1);
    downlink_on_loss(path.downlink, 64, path.now_us);
    CHECK(downlink_estimate(path.downlink) < first);
    path_done(&path);

    path_init(&path, DOWNLINK_TRANSPORT_CC);
    run(&path, 1 * SECOND, 200 * 1000, 0);
    first = downlink_estimate(path.downlink);
    downlink_on_loss(path.downlink, 200, path.now_us);
    CHECK_EQ(downlink_estimate(path.downlink), first);
    path_done(&path);
}

static void changes_are_told_and_otherwise_now_and_then(void)
{
    path_init(&path, DOWNLINK_REMB);
    downlink_on_remb(path.downlink, 700 * 1000, path.now_us);
    CHECK(downlink_take_change(path.downlink, path.now_us));
    CHECK(!downlink_take_change(path.downlink, path.now_us));
    downlink_on_remb(path.downlink, 705 * 1000, path.now_us + 10 * MS);
    CHECK(!downlink_take_change(path.downlink, path.now_us + 10 * MS));
    downlink_on_remb(path.downlink, 600 * 1000, path.now_us + 20 * MS);
    CHECK(downlink_take_change(path.downlink, path.now_us + 20 * MS));
    CHECK(!downlink_take_change(path.downlink, path.now_us + 219 * MS));
    CHECK(downlink_take_change(path.downlink, path.now_us + 220 * MS));
    path_done(&path);
}

static void the_plan_tells_what_to_expect(void)
{
    struct media_plan *plan = calloc(1, sizeof(*plan));
    struct plan_section sections[2] = {
        {.use = SECTION_PUBLISH, .n_codecs = 1, .codecs[0].transport_cc = true},
        {.use = SECTION_SLOT, .n_codecs = 1, .codecs[0] = {.nack = true}},
    };

    CHECK(plan != NULL);
    sections[0].extensions.id[EXTENSION_TRANSPORT_CC] = 3;
    plan->n_sections = 2;
    plan->sections = sections;
    CHECK_EQ(downlink_feedback_of(plan), DOWNLINK_REPORTS);
    sections[1].codecs[0].remb = true;
    CHECK_EQ(downlink_feedback_of(plan), DOWNLINK_REMB);
    sections[1].codecs[0].ccfb = true;
    CHECK_EQ(downlink_feedback_of(plan), DOWNLINK_CCFB);
    sections[1].codecs[0].ccfb = false;
    sections[1].codecs[0].transport_cc = true;
    sections[1].extensions.id[EXTENSION_TRANSPORT_CC] = 3;
    CHECK_EQ(downlink_feedback_of(plan), DOWNLINK_REMB); /* its packets have no numbers */
    sections[1].rtx_ssrc = 5;
    CHECK_EQ(downlink_feedback_of(plan), DOWNLINK_TRANSPORT_CC);
    free(plan);
}

TAP_CASES(CASE(the_estimate_follows_feedback), CASE(nothing_is_paced_before_feedback),
          CASE(who_never_answers_is_not_limited), CASE(malformed_feedback_changes_nothing),
          CASE(unknown_packets_change_nothing), CASE(probes_have_their_size_and_rate),
          CASE(media_is_part_of_a_probe), CASE(without_anything_to_send_there_is_no_probe),
          CASE(remb_counts_where_nothing_better_was_agreed_on),
          CASE(packets_may_be_told_of_by_name), CASE(losses_count_where_there_is_nothing_else),
          CASE(changes_are_told_and_otherwise_now_and_then), CASE(the_plan_tells_what_to_expect))
