#include "media/packet.h"

#include "tests/tap.h"

enum { MANY = 200 }; /* more than one slab */

static void packet_starts_empty_with_one_reference(void)
{
    struct packet_pool *pool = packet_pool_new(1);
    struct packet *packet = packet_new(pool);

    CHECK(packet != NULL);
    CHECK_EQ(packet->refs, 1);
    CHECK_EQ(packet->len, 0);
    CHECK_EQ(packet_pool_used(pool), 1);
    CHECK(!packet_unref(packet));
    CHECK_EQ(packet_pool_used(pool), 0);
    CHECK(!packet_pool_free(pool));
}

static void last_reference_gives_it_back(void)
{
    struct packet_pool *pool = packet_pool_new(1);
    struct packet *packet = packet_new(pool);

    CHECK(packet_ref(packet) == packet);
    CHECK(!packet_unref(packet));
    CHECK_EQ(packet_pool_used(pool), 1);
    CHECK(!packet_new(pool));
    CHECK(!packet_unref(packet));
    CHECK_EQ(packet_pool_used(pool), 0);
    packet = packet_new(pool);
    CHECK(packet != NULL);
    packet_unref(packet);
    packet_pool_free(pool);
}

static void pool_ends_at_its_maximum(void)
{
    struct packet_pool *pool = packet_pool_new(MANY);
    struct packet *packets[MANY];

    for (size_t i = 0; i < MANY; i++) {
        packets[i] = packet_new(pool);
        CHECK(packets[i] != NULL);
        memset(packets[i]->data, (int)i, PACKET_CAPACITY);
        packets[i]->len = 7;
    }
    CHECK_EQ(packet_pool_exhausted(pool), 0);
    CHECK(!packet_new(pool));
    CHECK(!packet_new(pool));
    CHECK_EQ(packet_pool_exhausted(pool), 2);
    for (size_t i = 0; i < MANY; i++) {
        CHECK_EQ(packets[i]->data[PACKET_CAPACITY - 1], i);
        packet_unref(packets[i]);
    }
    packets[0] = packet_new(pool);
    CHECK_EQ(packets[0]->len, 0);
    packet_unref(packets[0]);
    packet_pool_free(pool);
}

static void nothing_is_fine_to_free(void)
{
    CHECK(!packet_unref(NULL));
    CHECK(!packet_pool_free(NULL));
    CHECK(!packet_pool_free(packet_pool_new(10)));
}

TAP_CASES(CASE(packet_starts_empty_with_one_reference), CASE(last_reference_gives_it_back),
          CASE(pool_ends_at_its_maximum), CASE(nothing_is_fine_to_free))
