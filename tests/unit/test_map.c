#include "media/base/map.h"

#include "tests/tap.h"

#include <errno.h>

enum { MANY = 5000 };

static int values[MANY];

static void new_map_is_empty(void)
{
    struct map m;
    size_t cursor = 0;

    map_init(&m);
    CHECK_EQ(map_count(&m), 0);
    CHECK(!map_get_str(&m, "alice"));
    CHECK(!map_remove_str(&m, "alice"));
    CHECK(!map_next(&m, &cursor));
    map_done(&m);
}

static void value_is_found_under_its_key_only(void)
{
    struct map m;

    map_init(&m);
    CHECK_EQ(map_put_str(&m, "alice", &values[0]), 0);
    CHECK_EQ(map_put_str(&m, "bob", &values[1]), 0);
    CHECK(map_get_str(&m, "alice") == &values[0]);
    CHECK(map_get_str(&m, "bob") == &values[1]);
    CHECK(!map_get_str(&m, "bobb"));
    CHECK(!map_get_str(&m, ""));
    CHECK_EQ(map_count(&m), 2);
    map_done(&m);
    CHECK_EQ(map_count(&m), 0);
    CHECK(!map_get_str(&m, "alice"));
}

static void second_value_for_a_key_is_refused(void)
{
    struct map m;

    map_init(&m);
    CHECK_EQ(map_put_str(&m, "alice", &values[0]), 0);
    CHECK_EQ(map_put_str(&m, "alice", &values[1]), -EEXIST);
    CHECK(map_get_str(&m, "alice") == &values[0]);
    CHECK_EQ(map_count(&m), 1);
    map_done(&m);
}

static void keys_are_bytes_and_may_hold_zeros_or_be_empty(void)
{
    struct map m;

    map_init(&m);
    CHECK_EQ(map_put(&m, "a\0b", 3, &values[0]), 0);
    CHECK_EQ(map_put(&m, "a\0c", 3, &values[1]), 0);
    CHECK_EQ(map_put(&m, NULL, 0, &values[2]), 0);
    CHECK(map_get(&m, "a\0b", 3) == &values[0]);
    CHECK(map_get(&m, "a\0c", 3) == &values[1]);
    CHECK(map_get(&m, "", 0) == &values[2]);
    CHECK(!map_get(&m, "a", 1));
    map_done(&m);
}

static void long_keys_are_copied(void)
{
    struct map m;
    char key[] = "a name that is longer than what fits into a slot";

    map_init(&m);
    CHECK(sizeof(key) > MAP_INLINE_KEY + 1);
    CHECK_EQ(map_put_str(&m, key, &values[0]), 0);
    key[0] = 'A';
    CHECK(!map_get_str(&m, key));
    key[0] = 'a';
    CHECK(map_remove_str(&m, key) == &values[0]);
    CHECK(!map_get_str(&m, key));
    CHECK_EQ(map_put_str(&m, key, &values[1]), 0);
    map_done(&m);
}

/* Both kinds of keys: copied into the slot and allocated. */
static size_t key_of(int i, char out[64])
{
    int len = snprintf(out, 64, i % 3 ? "%d" : "%d is a key too long for a slot", i);

    return (size_t)len;
}

static void put_many(struct map *m)
{
    char key[64];

    for (int i = 0; i < MANY; i++)
        CHECK_EQ(map_put(m, key, key_of(i, key), &values[i]), 0);
    CHECK_EQ(map_count(m), MANY);
}

static void many_come_and_every_other_goes(void)
{
    struct map m;
    char key[64];

    map_init(&m);
    put_many(&m);
    for (int i = 0; i < MANY; i += 2)
        CHECK(map_remove(&m, key, key_of(i, key)) == &values[i]);
    CHECK_EQ(map_count(&m), MANY / 2);
    for (int i = 0; i < MANY; i++)
        CHECK(map_get(&m, key, key_of(i, key)) == (i % 2 ? &values[i] : NULL));
    map_done(&m);
}

static void coming_and_going_does_not_grow_it(void)
{
    struct map m;
    char key[64];

    map_init(&m);
    for (int i = 0; i < MANY; i++) {
        CHECK_EQ(map_put(&m, key, key_of(i, key), &values[i]), 0);
        if (i >= 10)
            CHECK(map_remove(&m, key, key_of(i - 10, key)) == &values[i - 10]);
    }
    CHECK_EQ(map_count(&m), 10);
    CHECK(m.capacity <= 32);
    map_done(&m);
}

static void walk_meets_every_value_once(void)
{
    static uint8_t met[MANY];
    struct map m;
    size_t cursor = 0;
    const int *value;

    map_init(&m);
    put_many(&m);
    while ((value = map_next(&m, &cursor)) != NULL)
        met[value - values]++;
    for (int i = 0; i < MANY; i++)
        CHECK_EQ(met[i], 1);
    map_done(&m);
}

static void maps_are_keyed_differently(void)
{
    struct map a;
    struct map b;

    map_init(&a);
    map_init(&b);
    CHECK_EQ(map_put_str(&a, "alice", &values[0]), 0);
    CHECK_EQ(map_put_str(&b, "alice", &values[0]), 0);
    CHECK(memcmp(a.key, b.key, sizeof(a.key)) != 0);
    map_done(&a);
    map_done(&b);
}

TAP_CASES(CASE(new_map_is_empty), CASE(value_is_found_under_its_key_only),
          CASE(second_value_for_a_key_is_refused),
          CASE(keys_are_bytes_and_may_hold_zeros_or_be_empty), CASE(long_keys_are_copied),
          CASE(many_come_and_every_other_goes), CASE(coming_and_going_does_not_grow_it),
          CASE(walk_meets_every_value_once), CASE(maps_are_keyed_differently))
