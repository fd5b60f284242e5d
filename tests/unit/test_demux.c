#include "media/demux.h"

#include "media/packet.h"
#include "tests/tap.h"

#include <errno.h>
#include <netinet/in.h>

enum { POOL_PACKETS = DEMUX_MAX_EARLY + 16 };

static struct sockaddr_storage from_port(uint32_t port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_storage address = {0};

    in.sin_addr.s_addr = htonl(0xc0000200 + (port >> 16));
    memcpy(&address, &in, sizeof(in));
    return address;
}

struct fixture {
    struct demux *demux;
    struct packet_pool *pool;
    struct demux_peer alice, bob;
};

static void fixture_init(struct fixture *f)
{
    *f = (struct fixture){.demux = demux_new(), .pool = packet_pool_new(POOL_PACKETS)};
    CHECK(f->demux && f->pool);
    CHECK_EQ(demux_add(f->demux, &f->alice, "alice", &f->alice), 0);
    CHECK_EQ(demux_add(f->demux, &f->bob, "bob", &f->bob), 0);
}

static void fixture_done(struct fixture *f)
{
    demux_remove(f->demux, &f->alice);
    demux_remove(f->demux, &f->bob);
    f->demux = demux_free(f->demux);
    CHECK_EQ(packet_pool_used(f->pool), 0);
    f->pool = packet_pool_free(f->pool);
}

static int bind_port(struct fixture *f, struct demux_peer *peer, uint32_t port, int64_t now_us)
{
    struct sockaddr_storage address = from_port(port);

    return demux_bind(f->demux, peer, &address, now_us);
}

static void *find_port(struct fixture *f, uint32_t port)
{
    struct sockaddr_storage address = from_port(port);

    return demux_find(f->demux, &address);
}

/* A DTLS record of `type` with a handshake message of `message`. */
static void keep(struct fixture *f, uint32_t port, uint8_t type, uint8_t message, int64_t now_us)
{
    struct packet *packet = packet_new(f->pool);

    CHECK(packet);
    memset(packet->data, 0, 14);
    packet->data[0] = type;
    packet->data[13] = message;
    packet->len = 14;
    packet->from = from_port(port);
    packet->arrival_us = now_us;
    demux_keep_early(f->demux, packet);
    packet_unref(packet);
}

/* @return how many are kept from `port`; they are taken */
static size_t take_all(struct fixture *f, uint32_t port, int64_t now_us)
{
    struct sockaddr_storage address = from_port(port);
    struct packet *packet;
    size_t n = 0;

    while ((packet = demux_take_early(f->demux, &address, now_us)) != NULL) {
        CHECK(address_equal(&packet->from, &address));
        packet_unref(packet);
        n++;
    }
    return n;
}

static void peer_is_found_by_ufrag(void)
{
    struct fixture f;

    fixture_init(&f);
    CHECK(demux_find_ufrag(f.demux, "alice") == &f.alice);
    CHECK(demux_find_ufrag(f.demux, "bob") == &f.bob);
    CHECK(!demux_find_ufrag(f.demux, "carol"));
    CHECK_EQ(demux_stats(f.demux)->unknown_ufrag, 1);
    fixture_done(&f);
}

static void ufrag_belongs_to_one_peer(void)
{
    struct demux_peer other;
    char too_long[ICE_UFRAG_MAX + 2];
    struct fixture f;

    fixture_init(&f);
    memset(too_long, 'u', sizeof(too_long));
    too_long[sizeof(too_long) - 1] = '\0';
    CHECK_EQ(demux_add(f.demux, &other, "alice", &other), -EEXIST);
    demux_remove(f.demux, &other);
    CHECK(demux_find_ufrag(f.demux, "alice") == &f.alice);
    CHECK_EQ(demux_add(f.demux, &other, "", &other), -EINVAL);
    CHECK_EQ(demux_add(f.demux, &other, too_long, &other), -EINVAL);
    CHECK_EQ(demux_add(f.demux, &other, too_long + 1, &other), 0);
    CHECK(demux_find_ufrag(f.demux, too_long + 1) == &other);
    demux_remove(f.demux, &other);
    fixture_done(&f);
}

static void peer_is_found_by_proven_addresses(void)
{
    struct fixture f;

    fixture_init(&f);
    CHECK(!find_port(&f, 1));
    CHECK_EQ(demux_stats(f.demux)->unknown_address, 1);
    CHECK_EQ(bind_port(&f, &f.alice, 1, 0), 0);
    CHECK_EQ(bind_port(&f, &f.alice, 2, 0), 0);
    CHECK_EQ(bind_port(&f, &f.bob, 3, 0), 0);
    CHECK(find_port(&f, 1) == &f.alice && find_port(&f, 2) == &f.alice);
    CHECK(find_port(&f, 3) == &f.bob && find_port(&f, 3) == &f.bob);
    CHECK(!find_port(&f, 4));
    fixture_done(&f);
}

static void removed_peer_is_not_found_any_more(void)
{
    struct fixture f;

    fixture_init(&f);
    CHECK_EQ(bind_port(&f, &f.alice, 1, 0), 0);
    CHECK_EQ(bind_port(&f, &f.bob, 2, 0), 0);
    CHECK(find_port(&f, 1) == &f.alice);
    demux_remove(f.demux, &f.alice);
    CHECK(!find_port(&f, 1) && !demux_find_ufrag(f.demux, "alice"));
    CHECK(find_port(&f, 2) == &f.bob);
    demux_remove(f.demux, &f.alice);
    fixture_done(&f);
}

static void address_checked_longest_ago_goes_beyond_the_limit(void)
{
    struct fixture f;

    fixture_init(&f);
    for (uint32_t i = 0; i < DEMUX_MAX_ADDRESSES; i++)
        CHECK_EQ(bind_port(&f, &f.alice, i, i * MS), 0);
    CHECK_EQ(bind_port(&f, &f.alice, 0, SECOND), 0);
    CHECK_EQ(bind_port(&f, &f.alice, 100, SECOND), 0);
    CHECK(find_port(&f, 0) && find_port(&f, 2) && find_port(&f, 100));
    CHECK(!find_port(&f, 1));
    fixture_done(&f);
}

static void address_in_use_cannot_be_taken_over(void)
{
    struct fixture f;

    fixture_init(&f);
    CHECK_EQ(bind_port(&f, &f.alice, 1, 0), 0);
    CHECK_EQ(bind_port(&f, &f.alice, 1, 10 * SECOND), 0);
    CHECK_EQ(bind_port(&f, &f.bob, 1, 10 * SECOND + DEMUX_HOLD_US - 1), -EADDRINUSE);
    CHECK_EQ(demux_stats(f.demux)->stolen, 1);
    CHECK(find_port(&f, 1) == &f.alice);
    CHECK_EQ(bind_port(&f, &f.bob, 1, 10 * SECOND + DEMUX_HOLD_US), 0);
    CHECK(find_port(&f, 1) == &f.bob);
    demux_remove(f.demux, &f.alice);
    CHECK(find_port(&f, 1) == &f.bob);
    fixture_done(&f);
}

static void media_keeps_an_address_as_a_check_does(void)
{
    struct sockaddr_storage address = from_port(1);
    struct sockaddr_storage nobodys = from_port(2);
    struct fixture f;

    fixture_init(&f);
    CHECK_EQ(bind_port(&f, &f.alice, 1, 0), 0);
    demux_keep(f.demux, &address, 10 * SECOND);
    demux_keep(f.demux, &nobodys, 10 * SECOND);
    CHECK_EQ(bind_port(&f, &f.bob, 1, 10 * SECOND + DEMUX_HOLD_US - 1), -EADDRINUSE);
    CHECK_EQ(bind_port(&f, &f.bob, 2, 10 * SECOND), 0);
    fixture_done(&f);
}

static void early_client_hello_is_kept_for_its_address(void)
{
    struct fixture f;

    fixture_init(&f);
    keep(&f, 1, 22, 1, 0);
    keep(&f, 2, 22, 1, 0);
    CHECK_EQ(take_all(&f, 3, MS), 0);
    CHECK_EQ(take_all(&f, 1, MS), 1);
    CHECK_EQ(take_all(&f, 1, MS), 0);
    CHECK_EQ(take_all(&f, 2, MS), 1);
    CHECK_EQ(demux_stats(f.demux)->early_taken, 2);
    fixture_done(&f);
}

static void early_datagrams_come_back_in_order(void)
{
    struct sockaddr_storage address = from_port(1);
    struct fixture f;

    fixture_init(&f);
    for (int64_t i = 0; i < 3; i++)
        keep(&f, 1, 22, 1, i);
    for (int64_t i = 0; i < 3; i++) {
        struct packet *packet = demux_take_early(f.demux, &address, MS);

        CHECK(packet && packet->arrival_us == i);
        packet_unref(packet);
    }
    fixture_done(&f);
}

static void only_client_hellos_are_kept(void)
{
    struct fixture f;

    fixture_init(&f);
    keep(&f, 1, 23, 1, 0);
    keep(&f, 1, 22, 2, 0);
    keep(&f, 1, 0x80, 1, 0);
    CHECK_EQ(take_all(&f, 1, 0), 0);
    CHECK_EQ(demux_stats(f.demux)->early_kept, 0);
    fixture_done(&f);
}

static void early_datagrams_are_dropped_after_3_seconds(void)
{
    struct fixture f;

    fixture_init(&f);
    keep(&f, 1, 22, 1, 0);
    keep(&f, 1, 22, 1, SECOND);
    CHECK_EQ(take_all(&f, 1, DEMUX_EARLY_US + 1), 1);
    CHECK_EQ(demux_stats(f.demux)->early_dropped, 1);
    fixture_done(&f);
}

static void one_address_cannot_keep_more_than_its_share(void)
{
    struct fixture f;

    fixture_init(&f);
    keep(&f, 2, 22, 1, 0);
    for (int64_t i = 0; i < 100; i++)
        keep(&f, 1, 22, 1, i);
    CHECK_EQ(take_all(&f, 1, MS), DEMUX_MAX_EARLY_EACH);
    CHECK_EQ(take_all(&f, 2, MS), 1);
    fixture_done(&f);
}

static void flood_of_addresses_stays_within_the_limit(void)
{
    struct fixture f;

    fixture_init(&f);
    for (uint32_t i = 0; i < 10 * DEMUX_MAX_EARLY; i++)
        keep(&f, 70000 + i, 22, 1, 0);
    CHECK_EQ(packet_pool_used(f.pool), DEMUX_MAX_EARLY);
    CHECK_EQ(take_all(&f, 70000, 0), 0);
    CHECK_EQ(take_all(&f, 70000 + 10 * DEMUX_MAX_EARLY - 1, 0), 1);
    fixture_done(&f);
}

static void a_peer_with_a_new_ufrag_keeps_its_addresses(void)
{
    struct demux_peer next;
    struct fixture f;

    fixture_init(&f);
    CHECK_EQ(demux_add(f.demux, &next, "alice2", &f.alice), 0);
    CHECK_EQ(bind_port(&f, &f.alice, 1, 0), 0);
    CHECK_EQ(demux_rename(f.demux, &f.alice, &next), 0);
    CHECK(!demux_find_ufrag(f.demux, "alice"));
    CHECK(demux_find_ufrag(f.demux, "alice2") == &f.alice);
    CHECK(find_port(&f, 1) == &f.alice);
    CHECK_EQ(bind_port(&f, &f.alice, 2, 0), 0);
    demux_remove(f.demux, &next);
    CHECK(demux_find_ufrag(f.demux, "alice2") == &f.alice);
    fixture_done(&f);
}

TAP_CASES(CASE(a_peer_with_a_new_ufrag_keeps_its_addresses), CASE(peer_is_found_by_ufrag),
          CASE(ufrag_belongs_to_one_peer), CASE(peer_is_found_by_proven_addresses),
          CASE(removed_peer_is_not_found_any_more),
          CASE(address_checked_longest_ago_goes_beyond_the_limit),
          CASE(address_in_use_cannot_be_taken_over), CASE(media_keeps_an_address_as_a_check_does),
          CASE(early_client_hello_is_kept_for_its_address),
          CASE(early_datagrams_come_back_in_order), CASE(only_client_hellos_are_kept),
          CASE(early_datagrams_are_dropped_after_3_seconds),
          CASE(one_address_cannot_keep_more_than_its_share),
          CASE(flood_of_addresses_stays_within_the_limit))
