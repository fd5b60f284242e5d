#include "media/packet_store.h"

#include "media/base/clock.h"
#include "media/packet.h"
#include "tests/tap.h"

#include <errno.h>

enum { CAPACITY = 8 };

struct fixture {
    struct packet_pool *pool;
    struct packet_store store;
};

static struct fixture set_up(void)
{
    struct fixture f = {.pool = packet_pool_new(2 * CAPACITY)};

    CHECK_EQ(packet_store_init(&f.store, CAPACITY), 0);
    return f;
}

static void tear_down(struct fixture *f)
{
    packet_store_done(&f->store);
    CHECK_EQ(packet_pool_used(f->pool), 0);
    packet_pool_free(f->pool);
}

/* Put a packet, leaving the store's reference as the only one. */
static int put(struct fixture *f, uint16_t seq, int64_t arrival_us)
{
    struct packet *packet = packet_new(f->pool);
    int err;

    packet->rtp.seq = seq;
    packet->arrival_us = arrival_us;
    err = packet_store_put(&f->store, packet);
    packet_unref(packet);
    return err;
}

static void kept_packet_is_found(void)
{
    struct fixture f = set_up();

    CHECK_EQ(put(&f, 5, 0), 0);
    CHECK_EQ(packet_store_get(&f.store, 5)->rtp.seq, 5);
    CHECK(!packet_store_get(&f.store, 6));
    CHECK(!packet_store_get(&f.store, 5 + CAPACITY));
    tear_down(&f);
}

static void newer_packet_takes_the_place(void)
{
    struct fixture f = set_up();

    for (unsigned i = 0; i < 3 * CAPACITY; i++)
        CHECK_EQ(put(&f, (uint16_t)(65530 + i), 0), 0);
    CHECK_EQ(packet_pool_used(f.pool), CAPACITY);
    for (unsigned i = 0; i < 2 * CAPACITY; i++)
        CHECK(!packet_store_get(&f.store, (uint16_t)(65530 + i)));
    for (unsigned i = 2 * CAPACITY; i < 3 * CAPACITY; i++)
        CHECK(packet_store_get(&f.store, (uint16_t)(65530 + i)) != NULL);
    tear_down(&f);
}

static void second_packet_of_a_number_is_refused(void)
{
    struct fixture f = set_up();
    struct packet *first;

    CHECK_EQ(put(&f, 5, 0), 0);
    first = packet_store_get(&f.store, 5);
    CHECK_EQ(put(&f, 5, 0), -EEXIST);
    CHECK(packet_store_get(&f.store, 5) == first);
    CHECK_EQ(packet_pool_used(f.pool), 1);
    tear_down(&f);
}

static void old_packets_are_dropped(void)
{
    struct fixture f = set_up();

    CHECK_EQ(put(&f, 1, 1 * SECOND), 0);
    CHECK_EQ(put(&f, 2, 2 * SECOND), 0);
    packet_store_expire(&f.store, 2 * SECOND);
    CHECK(!packet_store_get(&f.store, 1));
    CHECK(packet_store_get(&f.store, 2) != NULL);
    CHECK_EQ(packet_pool_used(f.pool), 1);
    tear_down(&f);
}

TAP_CASES(CASE(kept_packet_is_found), CASE(newer_packet_takes_the_place),
          CASE(second_packet_of_a_number_is_refused), CASE(old_packets_are_dropped))
