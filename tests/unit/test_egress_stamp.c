/* What egress.c writes into headers when packets leave. */
#include "media/egress.h"

#include "media/send_history.h"
#include "tests/unit/egress_fixture.h"

#include <errno.h>

enum { SEQ_AT = 16, TIME_AT = 18 };

static struct send_history history; /* large */

/* A header with room for both, in place of an extension. */
static struct egress_head *push_stamped(struct fixture *f, struct egress_peer *peer, uint32_t ssrc,
                                        uint16_t seq, uint16_t payload_len)
{
    static const uint8_t zeros[5] = {0};
    struct rtp_extension_value value = {.id = 1, .len = 5, .value = zeros};
    struct rtp_write header = {
        .pt = 96, .seq = seq, .ssrc = ssrc, .n_extensions = 1, .extensions = &value};
    struct packet *packet = make_packet(f, payload_len);
    struct egress_head *head = egress_push(f->egress, peer, packet, 0, payload_len);
    int len;

    CHECK(head);
    len = rtp_write_header(head->bytes, sizeof(head->bytes), &header);
    CHECK_EQ(len, 24);
    head->head_len = (uint16_t)len;
    head->may_pad = true;
    head->transport_seq_at = SEQ_AT + 1; /* after the element's own head */
    head->send_time_at = TIME_AT + 1;
    packet_unref(packet);
    return head;
}

static uint16_t number_of(size_t at)
{
    return (uint16_t)(sent.data[at][SEQ_AT + 1] << 8 | sent.data[at][SEQ_AT + 2]);
}

static void numbers_are_in_the_order_of_sending(void)
{
    struct egress_peer peer;
    struct fixture f;

    fixture_init(&f);
    egress_pad_runs(f.egress, 32);
    make_peer(&f, &peer, 1);
    peer.transport_seq = 65534;
    /* Audio among video, which moves to the end of the run. */
    (void)push_stamped(&f, &peer, 1, 1, 500);
    (void)push_stamped(&f, &peer, 2, 7, 80);
    (void)push_stamped(&f, &peer, 1, 2, 500);
    (void)push_stamped(&f, &peer, 1, 3, 490);
    egress_flush(f.egress);
    CHECK_EQ(sent.n, 4);
    CHECK_EQ(sent.data[3][11], 2);
    for (size_t i = 0; i < 4; i++)
        CHECK_EQ(number_of(i), (uint16_t)(65534 + i));
    CHECK_EQ(peer.transport_seq, 2);
    fixture_done(&f);
}

static void only_what_has_a_place_is_numbered(void)
{
    struct egress_head *head;
    struct egress_peer peer;
    struct fixture f;

    fixture_init(&f);
    make_peer(&f, &peer, 1);
    peer.history = &history;
    send_history_init(&history);
    head = push_stamped(&f, &peer, 1, 1, 100);
    head->transport_seq_at = 0;
    head->send_time_at = 0;
    (void)push_stamped(&f, &peer, 1, 2, 100);
    egress_set_time(f.egress, 65 * SECOND + 500 * MS);
    egress_flush(f.egress);
    CHECK_EQ(sent.n, 2);
    CHECK_MEM(sent.data[0] + SEQ_AT + 1, "\0\0\0\0\0", 5);
    CHECK_MEM(sent.data[1] + SEQ_AT + 1, "\0\0\x06\0\0", 5); /* 1.5 s of 64, in 6.18 fixed point */
    CHECK_EQ(peer.transport_seq, 1);
    fixture_done(&f);
}

static void what_left_is_noted(void)
{
    struct sent_packet p;
    struct egress_peer peer;
    struct fixture f;

    fixture_init(&f);
    egress_pad_runs(f.egress, 48);
    make_peer(&f, &peer, 1);
    peer.history = &history;
    send_history_init(&history);
    (void)push_stamped(&f, &peer, 1, 1, 900);
    (void)push_stamped(&f, &peer, 1, 2, 890);
    (void)push_stamped(&f, &peer, 1, 3, 10);
    egress_flush_due(f.egress, 5 * SECOND);
    CHECK_EQ(sent.n, 3);
    CHECK_EQ(send_history_answer(&history, 0, true, &p), 0);
    CHECK_EQ(p.len, sent.len[0] + 28);
    CHECK_EQ(p.sent_us, 5 * SECOND);
    CHECK_EQ(p.probe, SEND_HISTORY_NO_PROBE);
    CHECK_EQ(send_history_answer(&history, 1, true, &p), 0);
    CHECK_EQ(p.len, sent.len[0] + 28); /* padded */
    CHECK_EQ(p.probe, SEND_HISTORY_NO_PROBE);
    CHECK_EQ(send_history_answer(&history, 2, true, &p), 0);
    CHECK_EQ(p.len, sent.len[2] + 28);
    CHECK_EQ(send_history_answer(&history, 3, true, &p), -ENOENT);

    peer.to.ss_family = AF_INET6;
    peer.probe = 3;
    (void)push_stamped(&f, &peer, 1, 4, 10);
    egress_flush_due(f.egress, 5 * SECOND);
    CHECK_EQ(send_history_answer(&history, 3, true, &p), 0);
    CHECK_EQ(p.len, sent.len[3] + 48);
    CHECK_EQ(p.probe, 3);
    fixture_done(&f);
}

TAP_CASES(CASE(numbers_are_in_the_order_of_sending), CASE(only_what_has_a_place_is_numbered),
          CASE(what_left_is_noted))
