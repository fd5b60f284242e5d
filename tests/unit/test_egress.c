#include "media/egress.h"

#include "media/path.h"
#include "tests/unit/egress_fixture.h"

#include <errno.h>

static void packet_goes_out_sealed_at_the_flush(void)
{
    struct egress_peer peer;
    struct packet *packet;
    struct fixture f;

    fixture_init(&f);
    make_peer(&f, &peer, 5000);
    packet = make_packet(&f, 300);
    fill_head(egress_push(f.egress, &peer, packet, 12, 288), 1, 100);
    CHECK_EQ(sent.n, 0);
    egress_flush(f.egress);
    CHECK_EQ(sent.n, 1);
    CHECK_EQ(port_of(0), 5000);
    CHECK_EQ(sent.len[0], 300 + seal_overhead(f.session));
    CHECK_EQ(peer.packets, 1);
    CHECK_EQ(peer.bytes, sent.len[0]);
    CHECK_EQ(open_sent(&f, 0), 300);
    CHECK_MEM(sent.data[0] + 12, packet->data + 12, 288);
    packet_unref(packet);
    fixture_done(&f);
}

static void lead_goes_between_header_and_payload(void)
{
    struct egress_head *head;
    struct egress_peer peer;
    struct packet *packet;
    struct fixture f;

    fixture_init(&f);
    make_peer(&f, &peer, 5000);
    packet = make_packet(&f, 100);
    head = egress_push(f.egress, &peer, packet, 40, 20);
    fill_head(head, 1, 100);
    head->bytes[12] = 0xab;
    head->bytes[13] = 0xcd;
    head->lead_len = 2;
    egress_flush(f.egress);
    CHECK_EQ(open_sent(&f, 0), 12 + 2 + 20);
    CHECK(sent.data[0][12] == 0xab && sent.data[0][13] == 0xcd);
    CHECK_MEM(sent.data[0] + 14, packet->data + 40, 20);
    packet_unref(packet);
    fixture_done(&f);
}

static void payload_may_be_all_lead(void)
{
    struct egress_head *head;
    struct egress_peer peer;
    struct fixture f;

    fixture_init(&f);
    make_peer(&f, &peer, 5000);
    head = egress_push(f.egress, &peer, NULL, 0, 0);
    fill_head(head, 1, 100);
    head->lead_len = EGRESS_HEAD_MAX - RTP_HEADER_LEN;
    memset(head->bytes + RTP_HEADER_LEN, 0x55, head->lead_len);
    egress_flush(f.egress);
    CHECK_EQ(open_sent(&f, 0), EGRESS_HEAD_MAX);
    CHECK_EQ(sent.data[0][EGRESS_HEAD_MAX - 1], 0x55);
    fixture_done(&f);
}

static void packet_is_held_until_the_flush(void)
{
    struct egress_peer peer;
    struct packet *packet;
    struct fixture f;

    fixture_init(&f);
    make_peer(&f, &peer, 5000);
    packet = make_packet(&f, 100);
    fill_head(egress_push(f.egress, &peer, packet, 12, 88), 1, 1);
    packet_unref(packet);
    CHECK_EQ(packet_pool_used(f.pool), 1);
    egress_flush(f.egress);
    CHECK_EQ(packet_pool_used(f.pool), 0);
    fixture_done(&f);
}

static void peers_are_sent_one_after_the_other_each_in_order(void)
{
    struct egress_peer a;
    struct egress_peer b;
    struct fixture f;

    fixture_init(&f);
    make_peer(&f, &a, 1);
    make_peer(&f, &b, 2);
    for (uint16_t i = 0; i < 6; i++) {
        fill_head(egress_push(f.egress, &a, NULL, 0, 0), 1, i);
        fill_head(egress_push(f.egress, &b, NULL, 0, 0), 2, i);
    }
    egress_flush(f.egress);
    CHECK_EQ(sent.n, 12);
    CHECK_EQ(sent.calls, 1);
    for (size_t i = 0; i < 12; i++) {
        CHECK_EQ(port_of(i), i < 6 ? 1 : 2);
        CHECK(left_from(i, i < 6 ? 1 : 2));
        CHECK_EQ(sent.data[i][3], i % 6); /* low byte of the sequence number, in clear */
    }
    fixture_done(&f);
}

static void finished_datagrams_go_first(void)
{
    struct sockaddr_storage to = address_of(9);
    struct local_address from = local_of(7);
    struct egress_peer peer;
    struct fixture f;

    fixture_init(&f);
    make_peer(&f, &peer, 1);
    fill_head(egress_push(f.egress, &peer, NULL, 0, 0), 1, 1);
    CHECK_EQ(egress_push_datagram(f.egress, &to, &from, (const uint8_t *)"dtls", 4), 0);
    from = local_of(8);
    CHECK_EQ(egress_push_datagram(f.egress, &to, &from, (const uint8_t *)"stun", 4), 0);
    from = local_of(66); /* it was copied */
    egress_flush(f.egress);
    CHECK_EQ(sent.n, 3);
    CHECK(port_of(0) == 9 && port_of(1) == 9 && port_of(2) == 1);
    CHECK(left_from(0, 7) && left_from(1, 8) && left_from(2, 1));
    CHECK_MEM(sent.data[0], "dtls", 4);
    CHECK_MEM(sent.data[1], "stun", 4);
    CHECK_EQ(egress_stats(f.egress)->datagrams, 3);
    fixture_done(&f);
}

static void finished_datagrams_beyond_the_buffer_are_not_lost(void)
{
    static uint8_t data[PACKET_CAPACITY + 1];
    struct sockaddr_storage to = address_of(9);
    struct local_address from = {0};
    struct fixture f;

    fixture_init(&f);
    for (size_t i = 0; i < 1000; i++)
        CHECK_EQ(egress_push_datagram(f.egress, &to, &from, data, i % PACKET_CAPACITY + 1), 0);
    CHECK_EQ(egress_push_datagram(f.egress, &to, &from, data, sizeof(data)), -EMSGSIZE);
    egress_flush(f.egress);
    CHECK_EQ(sent.n, 1000);
    for (size_t i = 0; i < 1000; i++)
        CHECK_EQ(sent.len[i], i + 1);
    fixture_done(&f);
}

static void peer_without_keys_sends_nothing(void)
{
    struct egress_peer peer;
    struct fixture f;

    fixture_init(&f);
    make_peer(&f, &peer, 1);
    peer.session = NULL;
    CHECK(!egress_push(f.egress, &peer, NULL, 0, 0));
    CHECK_EQ(peer.dropped, 1);
    CHECK_EQ(egress_stats(f.egress)->dropped, 1);
    egress_flush(f.egress);
    CHECK_EQ(sent.n, 0);
    fixture_done(&f);
}

static void peer_has_a_limit_per_turn(void)
{
    struct egress_peer peer;
    struct fixture f;

    fixture_init(&f);
    make_peer(&f, &peer, 1);
    for (size_t i = 0; i < EGRESS_QUEUE_MAX; i++)
        fill_head(egress_push(f.egress, &peer, NULL, 0, 0), 1, (uint16_t)i);
    CHECK(!egress_push(f.egress, &peer, NULL, 0, 0));
    CHECK_EQ(peer.dropped, 1);
    egress_flush(f.egress);
    CHECK_EQ(sent.n, EGRESS_QUEUE_MAX);
    CHECK_EQ(sent.longest_call, UDP_SEND_BATCH);
    CHECK_EQ(peer.queued, 0);
    fill_head(egress_push(f.egress, &peer, NULL, 0, 0), 1, EGRESS_QUEUE_MAX);
    egress_flush(f.egress);
    CHECK_EQ(peer.packets, EGRESS_QUEUE_MAX + 1);
    fixture_done(&f);
}

static void full_turn_is_flushed_early(void)
{
    enum { PEERS = EGRESS_TURN_MAX / EGRESS_QUEUE_MAX };
    static struct egress_peer peers[PEERS + 1];
    struct fixture f;

    fixture_init(&f);
    for (int i = 0; i <= PEERS; i++)
        make_peer(&f, &peers[i], (uint16_t)i);
    for (size_t i = 0; i < EGRESS_TURN_MAX; i++)
        fill_head(egress_push(f.egress, &peers[i % PEERS], NULL, 0, 0), (uint32_t)(i % PEERS),
                  (uint16_t)(i / PEERS));
    CHECK_EQ(sent.n, 0);
    fill_head(egress_push(f.egress, &peers[PEERS], NULL, 0, 0), PEERS, 0);
    CHECK_EQ(sent.n, EGRESS_TURN_MAX);
    egress_flush(f.egress);
    CHECK_EQ(sent.n, EGRESS_TURN_MAX + 1);
    fixture_done(&f);
}

static void large_packets_are_sent_in_several_chunks(void)
{
    struct egress_peer peer;
    struct packet *packet;
    struct fixture f;

    fixture_init(&f);
    make_peer(&f, &peer, 1);
    packet = make_packet(&f, PACKET_CAPACITY);
    for (uint16_t i = 0; i < 1000; i++)
        fill_head(egress_push(f.egress, &peer, packet, 0, PACKET_CAPACITY), 1, i);
    egress_flush(f.egress);
    CHECK_EQ(sent.n, 1000);
    CHECK(sent.calls > 5);
    for (size_t i = 0; i < 1000; i++)
        CHECK_EQ(sent.len[i], RTP_HEADER_LEN + PACKET_CAPACITY + seal_overhead(f.session));
    packet_unref(packet);
    fixture_done(&f);
}

static void leaving_peer_takes_its_packets_along(void)
{
    struct egress_peer a;
    struct egress_peer b;
    struct packet *packet;
    struct fixture f;

    fixture_init(&f);
    make_peer(&f, &a, 1);
    make_peer(&f, &b, 2);
    packet = make_packet(&f, 50);
    fill_head(egress_push(f.egress, &a, packet, 0, 50), 1, 1);
    fill_head(egress_push(f.egress, &b, packet, 0, 50), 2, 1);
    packet_unref(packet);
    egress_peer_done(f.egress, &a);
    egress_peer_done(f.egress, &a);
    egress_flush(f.egress);
    CHECK_EQ(sent.n, 1);
    CHECK_EQ(port_of(0), 2);
    fixture_done(&f);
}

static void packet_that_cannot_be_sealed_is_dropped_alone(void)
{
    struct egress_peer peer;
    struct fixture f;

    fixture_init(&f);
    make_peer(&f, &peer, 1);
    fill_head(egress_push(f.egress, &peer, NULL, 0, 0), 1, 1);
    egress_push(f.egress, &peer, NULL, 0, 0)->head_len = 3;
    fill_head(egress_push(f.egress, &peer, NULL, 0, 0), 1, 2);
    egress_flush(f.egress);
    CHECK_EQ(sent.n, 2);
    CHECK_EQ(peer.dropped, 1);
    CHECK_EQ(peer.packets, 2);
    fixture_done(&f);
}

static void freeing_drops_what_is_queued(void)
{
    struct egress_peer peer;
    struct packet *packet;
    struct fixture f;

    fixture_init(&f);
    make_peer(&f, &peer, 1);
    packet = make_packet(&f, 50);
    fill_head(egress_push(f.egress, &peer, packet, 0, 50), 1, 1);
    packet_unref(packet);
    fixture_done(&f);
    CHECK_EQ(sent.n, 0);
}

static void packets_are_padded_to_one_length(void)
{
    static const uint16_t lens[] = {300, 310, 280};
    size_t padding = 0;
    struct egress_peer peer;
    struct rtp_header rtp;
    struct fixture f;

    fixture_init(&f);
    egress_pad_runs(f.egress, 32);
    make_peer(&f, &peer, 1);
    for (uint16_t i = 0; i < 3; i++)
        push_paddable(&f, &peer, 1, i, lens[i]);
    egress_flush(f.egress);
    CHECK_EQ(sent.n, 3);
    for (size_t i = 0; i < 3; i++) {
        size_t len = open_sent(&f, i);

        CHECK_EQ(rtp_parse(&rtp, sent.data[i], len), 0);
        CHECK_EQ(rtp.seq, i);
        CHECK_EQ(rtp.payload_len, lens[i]);
        CHECK_EQ(len, i == 2 ? 12 + 280 : 12 + 310); /* the last may be shorter */
        for (size_t at = 0; at < rtp.payload_len; at++)
            CHECK_EQ(sent.data[i][12 + at], (uint8_t)(at * 3));
        for (size_t at = 12U + rtp.payload_len; at + 1 < len; at++)
            CHECK_EQ(sent.data[i][at], 0);
        padding += rtp.padding_len;
    }
    CHECK_EQ(egress_stats(f.egress)->padded, 1);
    CHECK_EQ(egress_stats(f.egress)->padding_bytes, 10);
    CHECK_EQ(padding, 10);
    fixture_done(&f);
}

static void lead_bytes_are_padded_behind_the_payload(void)
{
    struct egress_head *head;
    struct egress_peer peer;
    struct packet *packet;
    struct rtp_header rtp;
    struct fixture f;

    fixture_init(&f);
    egress_pad_runs(f.egress, 32);
    make_peer(&f, &peer, 1);
    packet = make_packet(&f, 20);
    head = egress_push(f.egress, &peer, packet, 0, 20);
    fill_head(head, 1, 1);
    memcpy(head->bytes + 12, "ab", 2);
    head->lead_len = 2;
    head->may_pad = true;
    (void)push_lead(&f, &peer, 2, 2);
    push_paddable(&f, &peer, 1, 3, 23);
    egress_flush(f.egress);
    CHECK_EQ(open_sent(&f, 0), 12 + 23);
    CHECK_EQ(rtp_parse(&rtp, sent.data[0], 12 + 23), 0);
    CHECK_EQ(rtp.padding_len, 1);
    CHECK_MEM(sent.data[0] + 12, "ab", 2);
    CHECK_MEM(sent.data[0] + 14, packet->data, 20);
    CHECK_EQ(open_sent(&f, 1), 12 + 23);
    CHECK_EQ(rtp_parse(&rtp, sent.data[1], 12 + 23), 0);
    CHECK_EQ(rtp.padding_len, 21);
    CHECK_MEM(sent.data[1] + 12, "\1\1", 2);
    packet_unref(packet);
    fixture_done(&f);
}

static void packets_in_a_stream_are_not_padded(void)
{
    struct egress_peer peer;
    struct sockaddr_storage real;
    struct fixture f;

    fixture_init(&f);
    egress_pad_runs(f.egress, 32);
    make_peer(&f, &peer, 1);
    real = peer.to;
    path_address(&peer.to, PATH_TCP, 1, &real);
    push_paddable(&f, &peer, 1, 1, 100);
    push_paddable(&f, &peer, 1, 2, 101);
    egress_flush(f.egress);
    CHECK_EQ(sent.n, 2);
    CHECK_EQ(egress_stats(f.egress)->padded, 0);
    CHECK_EQ(open_sent(&f, 0), 12 + 100);
    egress_peer_done(f.egress, &peer);
    fixture_done(&f);
}

static void packets_are_not_padded_unless_all_agree(void)
{
    struct egress_peer peer;
    struct fixture f;

    fixture_init(&f);
    make_peer(&f, &peer, 1);
    push_paddable(&f, &peer, 1, 1, 100); /* nobody said how much */
    push_paddable(&f, &peer, 1, 2, 101);
    egress_flush(f.egress);
    egress_pad_runs(f.egress, 32);
    push_paddable(&f, &peer, 1, 3, 20); /* one that may be sent again as it was */
    push_lead(&f, &peer, 4, 19)->may_pad = false;
    push_paddable(&f, &peer, 1, 5, 21);
    egress_flush(f.egress);
    push_paddable(&f, &peer, 1, 6, 20); /* one that has padding already */
    push_lead(&f, &peer, 7, 19)->bytes[0] |= 0x20;
    push_paddable(&f, &peer, 1, 8, 21);
    egress_flush(f.egress);
    CHECK_EQ(sent.n, 8);
    CHECK_EQ(egress_stats(f.egress)->padded, 0);
    fixture_done(&f);
}

static void audio_goes_to_the_end_of_a_run_of_video(void)
{
    struct egress_peer peer;
    struct fixture f;

    fixture_init(&f);
    egress_pad_runs(f.egress, 32);
    make_peer(&f, &peer, 1);
    push_paddable(&f, &peer, 1, 1, 100);
    push_paddable(&f, &peer, 2, 2, 1000);
    push_paddable(&f, &peer, 2, 3, 1000);
    egress_flush(f.egress);
    CHECK_EQ(sent.data[0][3], 2);
    CHECK_EQ(sent.data[1][3], 3);
    CHECK_EQ(sent.data[2][3], 1);
    fixture_done(&f);
}

static void long_queues_are_padded_to_the_end(void)
{
    struct egress_peer peer;
    struct fixture f;

    fixture_init(&f);
    egress_pad_runs(f.egress, 32);
    make_peer(&f, &peer, 1);
    for (uint16_t i = 0; i < 200; i++)
        (void)push_lead(&f, &peer, i, i % 2 ? 10 : 20);
    egress_flush(f.egress);
    CHECK_EQ(sent.n, 200);
    for (size_t i = 0; i < 200; i++)
        CHECK_EQ(sent.data[i][3], i);
    CHECK_EQ(egress_stats(f.egress)->padded, 96); /* not the last of each 64 */
    fixture_done(&f);
}

static void packets_wait_for_others_of_their_peer(void)
{
    struct sockaddr_storage to = address_of(9);
    struct local_address from = {0};
    struct egress_peer a;
    struct egress_peer b;
    struct fixture f;

    fixture_init(&f);
    egress_coalesce(f.egress, 5 * MS);
    make_peer(&f, &a, 1);
    make_peer(&f, &b, 2);
    CHECK_EQ(egress_deadline(f.egress), NEVER_US);
    fill_head(egress_push(f.egress, &a, NULL, 0, 0), 1, 1);
    CHECK_EQ(egress_push_datagram(f.egress, &to, &from, (const uint8_t *)"stun", 4), 0);
    egress_flush_due(f.egress, 10 * MS);
    CHECK_EQ(sent.n, 1);
    CHECK_MEM(sent.data[0], "stun", 4);
    CHECK_EQ(egress_deadline(f.egress), 15 * MS);
    fill_head(egress_push(f.egress, &a, NULL, 0, 0), 1, 2);
    fill_head(egress_push(f.egress, &b, NULL, 0, 0), 2, 1);
    egress_flush_due(f.egress, 12 * MS);
    CHECK_EQ(sent.n, 1);
    egress_flush_due(f.egress, 15 * MS);
    CHECK_EQ(sent.n, 3);
    CHECK(port_of(1) == 1 && port_of(2) == 1);
    CHECK_EQ(egress_deadline(f.egress), 17 * MS);
    egress_flush_due(f.egress, 20 * MS);
    CHECK_EQ(sent.n, 4);
    CHECK_EQ(port_of(3), 2);
    CHECK_EQ(egress_deadline(f.egress), NEVER_US);
    fixture_done(&f);
}

static void who_has_enough_packets_does_not_wait(void)
{
    struct egress_peer a;
    struct egress_peer b;
    struct fixture f;

    fixture_init(&f);
    egress_coalesce(f.egress, 5 * MS);
    make_peer(&f, &a, 1);
    make_peer(&f, &b, 2);
    fill_head(egress_push(f.egress, &b, NULL, 0, 0), 2, 1);
    for (int i = 0; i < EGRESS_WAIT_PACKETS - 1; i++)
        fill_head(egress_push(f.egress, &a, NULL, 0, 0), 1, (uint16_t)i);
    egress_flush_due(f.egress, 0);
    CHECK_EQ(sent.n, 0);
    fill_head(egress_push(f.egress, &a, NULL, 0, 0), 1, 100);
    egress_flush_due(f.egress, 1 * MS);
    CHECK_EQ(sent.n, EGRESS_WAIT_PACKETS);
    CHECK_EQ(a.queued, 0);
    CHECK_EQ(egress_deadline(f.egress), 5 * MS);
    fixture_done(&f);
}

static void who_has_enough_bytes_does_not_wait(void)
{
    struct egress_peer peer;
    struct fixture f;

    fixture_init(&f);
    egress_coalesce(f.egress, 5 * MS);
    make_peer(&f, &peer, 1);
    for (uint16_t round = 0; round < 2; round++) {
        for (uint16_t i = 0; i < 3; i++)
            push_paddable(&f, &peer, 1, (uint16_t)(4 * round + i), EGRESS_WAIT_BYTES / 4);
        egress_flush_due(f.egress, 0);
        CHECK_EQ(sent.n, 4 * round);
        push_paddable(&f, &peer, 1, (uint16_t)(4 * round + 3), EGRESS_WAIT_BYTES / 4);
        egress_flush_due(f.egress, 0);
        CHECK_EQ(sent.n, 4 * round + 4);
    }
    fixture_done(&f);
}

static void waiting_peer_may_leave(void)
{
    struct egress_peer a;
    struct egress_peer b;
    struct fixture f;

    fixture_init(&f);
    egress_coalesce(f.egress, 5 * MS);
    make_peer(&f, &a, 1);
    make_peer(&f, &b, 2);
    push_paddable(&f, &a, 1, 1, 50);
    egress_flush_due(f.egress, 0);
    push_paddable(&f, &b, 2, 1, 50);
    egress_flush_due(f.egress, 2 * MS);
    egress_peer_done(f.egress, &a);
    CHECK_EQ(egress_deadline(f.egress), 7 * MS);
    push_paddable(&f, &b, 2, 2, 50);
    egress_flush_due(f.egress, 7 * MS);
    CHECK_EQ(sent.n, 2);
    push_paddable(&f, &b, 2, 3, 50);
    egress_flush_due(f.egress, 8 * MS);
    egress_flush(f.egress); /* whatever waits */
    CHECK_EQ(sent.n, 3);
    push_paddable(&f, &b, 2, 4, 50);
    fixture_done(&f); /* with one waiting */
    CHECK_EQ(sent.n, 3);
}

TAP_CASES(CASE(packet_goes_out_sealed_at_the_flush), CASE(lead_goes_between_header_and_payload),
          CASE(payload_may_be_all_lead), CASE(packet_is_held_until_the_flush),
          CASE(peers_are_sent_one_after_the_other_each_in_order), CASE(finished_datagrams_go_first),
          CASE(finished_datagrams_beyond_the_buffer_are_not_lost),
          CASE(peer_without_keys_sends_nothing), CASE(peer_has_a_limit_per_turn),
          CASE(full_turn_is_flushed_early), CASE(large_packets_are_sent_in_several_chunks),
          CASE(leaving_peer_takes_its_packets_along),
          CASE(packet_that_cannot_be_sealed_is_dropped_alone), CASE(freeing_drops_what_is_queued),
          CASE(packets_are_padded_to_one_length), CASE(lead_bytes_are_padded_behind_the_payload),
          CASE(packets_in_a_stream_are_not_padded), CASE(packets_are_not_padded_unless_all_agree),
          CASE(audio_goes_to_the_end_of_a_run_of_video), CASE(long_queues_are_padded_to_the_end),
          CASE(packets_wait_for_others_of_their_peer), CASE(who_has_enough_packets_does_not_wait),
          CASE(who_has_enough_bytes_does_not_wait), CASE(waiting_peer_may_leave))
