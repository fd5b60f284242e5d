#include "bench/netem.h"

#include "media/base/clock.h"
#include "tests/tap.h"

enum { MANY = 20000 };

static struct netem *make(const struct netem_config *config)
{
    struct netem *n = netem_new(config);

    CHECK(n);
    return n;
}

/* Push datagrams 0 .. count - 1 of `len` bytes, `interval_us` apart. */
static void push_many(struct netem *n, uint64_t count, size_t len, int64_t interval_us)
{
    uint8_t data[NETEM_DATAGRAM_MAX] = {0};

    for (uint64_t i = 0; i < count; i++)
        netem_push(n, i, data, len, (int64_t)i * interval_us);
}

/* @return the tag of the next datagram, which must arrive at `expected_us` */
static uint64_t pop_at(struct netem *n, int64_t expected_us)
{
    uint8_t data[NETEM_DATAGRAM_MAX];
    uint64_t tag = 0;
    size_t len;

    CHECK_EQ(netem_deadline(n), expected_us);
    CHECK(!netem_pop(n, expected_us - 1, &tag, data, &len));
    CHECK(netem_pop(n, expected_us, &tag, data, &len));
    return tag;
}

static uint64_t drain(struct netem *n)
{
    uint8_t data[NETEM_DATAGRAM_MAX];
    uint64_t count = 0;
    size_t len;

    while (netem_pop(n, NEVER_US, NULL, data, &len))
        count++;
    return count;
}

static void plain_link_delivers_at_once_and_in_order(void)
{
    struct netem_config config = {.seed = 1};
    struct netem *n = make(&config);

    CHECK_EQ(netem_deadline(n), NEVER_US);
    push_many(n, 3, 100, 0);
    for (uint64_t i = 0; i < 3; i++)
        CHECK_EQ(pop_at(n, 0), i);
    CHECK_EQ(netem_deadline(n), NEVER_US);
    netem_free(n);
}

static void bytes_arrive_as_they_were(void)
{
    struct netem_config config = {.seed = 1};
    struct netem *n = make(&config);
    uint8_t data[NETEM_DATAGRAM_MAX];
    size_t len;

    netem_push(n, 0, (const uint8_t *)"hello", 5, 0);
    CHECK(netem_pop(n, 0, NULL, data, &len));
    CHECK_EQ(len, 5);
    CHECK_MEM(data, "hello", 5);
    netem_free(n);
}

static void rate_spaces_datagrams_and_the_queue_overflows(void)
{
    /* 1,000 bytes take 8 ms at 1 Mbit/s; four fit into the queue */
    struct netem_config config = {.rate_bps = 1000000, .queue_bytes = 4000, .delay_us = 10 * MS};
    struct netem *n = make(&config);

    push_many(n, 6, 1000, 0);
    CHECK_EQ(netem_stats(n)->overflowed, 2);
    for (uint64_t i = 0; i < 4; i++)
        CHECK_EQ(pop_at(n, 10 * MS + ((int64_t)i + 1) * 8 * MS), i);
    netem_push(n, 9, (const uint8_t *)"x", 1, SECOND);
    CHECK_EQ(pop_at(n, SECOND + 10 * MS + 8), 9);
    netem_free(n);
}

static void jitter_stays_in_range_and_keeps_the_order(void)
{
    struct netem_config config = {.seed = 3, .delay_us = 50 * MS, .jitter_us = 30 * MS};
    struct netem *n = make(&config);
    uint8_t data[NETEM_DATAGRAM_MAX];
    uint64_t tag;
    size_t len;

    push_many(n, 1000, 100, MS);
    for (uint64_t i = 0; i < 1000; i++) {
        int64_t due_us = netem_deadline(n);

        CHECK(netem_pop(n, due_us, &tag, data, &len));
        CHECK_EQ(tag, i);
        CHECK(due_us >= (int64_t)i * MS + 50 * MS && due_us <= (int64_t)i * MS + 80 * MS);
    }
    netem_free(n);
}

static void share_of_losses_is_as_asked(void)
{
    struct netem_config config = {.seed = 4, .loss = 0.3};
    struct netem *n = make(&config);
    uint64_t lost;

    push_many(n, MANY, 10, 0);
    lost = netem_stats(n)->lost;
    CHECK(lost > MANY * 29 / 100 && lost < MANY * 31 / 100);
    CHECK_EQ(drain(n), MANY - lost);
    netem_free(n);
}

static void bursts_lose_neighbours(void)
{
    struct netem_config config = {.seed = 5, .burst_start = 0.01, .burst_len = 5};
    struct netem *n = make(&config);
    uint8_t data[NETEM_DATAGRAM_MAX];
    uint64_t gaps = 0;
    uint64_t next = 0;
    uint64_t lost;
    uint64_t tag;
    size_t len;

    push_many(n, MANY, 10, 0);
    lost = netem_stats(n)->lost;
    while (netem_pop(n, 0, &tag, data, &len)) {
        gaps += tag != next;
        next = tag + 1;
    }
    CHECK(lost > MANY * 35 / 1000 && lost < MANY * 65 / 1000);
    CHECK(lost >= 4 * gaps && lost <= 6 * gaps);
    netem_free(n);
}

static void reordered_and_duplicated_shares_are_as_asked(void)
{
    struct netem_config config = {
        .seed = 6, .reorder = 0.1, .duplicate = 0.2, .reorder_us = 5 * MS};
    struct netem *n = make(&config);
    const struct netem_stats *stats = netem_stats(n);

    push_many(n, MANY, 10, MS);
    CHECK(stats->reordered > MANY * 9 / 100 && stats->reordered < MANY * 11 / 100);
    CHECK(stats->duplicated > MANY * 19 / 100 && stats->duplicated < MANY * 21 / 100);
    CHECK_EQ(drain(n), MANY + stats->duplicated);
    CHECK_EQ(stats->delivered, MANY + stats->duplicated);
    netem_free(n);
}

static void same_seed_gives_the_same_link(void)
{
    struct netem_config config = {
        .seed = 7, .delay_us = MS, .jitter_us = 9 * MS, .loss = 0.1, .reorder = 0.1};
    struct netem *a = make(&config);
    struct netem *b = make(&config);
    uint8_t data[NETEM_DATAGRAM_MAX];
    uint64_t tag_a;
    uint64_t tag_b;
    size_t len;

    push_many(a, 500, 10, MS);
    push_many(b, 500, 10, MS);
    while (netem_deadline(a) != NEVER_US) {
        CHECK_EQ(netem_deadline(a), netem_deadline(b));
        CHECK(netem_pop(a, NEVER_US, &tag_a, data, &len));
        CHECK(netem_pop(b, NEVER_US, &tag_b, data, &len));
        CHECK_EQ(tag_a, tag_b);
    }
    config.seed = 8;
    b = (netem_free(b), make(&config));
    push_many(a, 500, 10, MS);
    push_many(b, 500, 10, MS);
    CHECK(netem_stats(a)->lost != 2 * netem_stats(b)->lost);
    netem_free(a);
    netem_free(b);
}

static void link_may_change_on_the_way(void)
{
    struct netem_config config = {.delay_us = 10 * MS};
    struct netem *n = make(&config);

    push_many(n, 1, 10, 0);
    config.loss = 1;
    netem_change(n, &config);
    push_many(n, 10, 10, 0);
    CHECK_EQ(drain(n), 1);
    netem_free(n);
}

static void a_queue_may_be_a_time(void)
{
    /* 1,000 bytes take 8 ms; what would wait longer than 20 ms is dropped, but never all */
    struct netem_config config = {.rate_bps = 1000000, .queue_us = 20 * MS};
    struct netem *n = make(&config);

    push_many(n, 6, 1000, 0);
    CHECK_EQ(netem_stats(n)->overflowed, 4);
    CHECK_EQ(netem_stats(n)->queue_max_us, 16 * MS);
    CHECK_EQ(drain(n), 2);
    config.queue_us = MS;
    netem_change(n, &config);
    push_many(n, 1, 1000, 0);
    netem_push(n, 9, (const uint8_t *)"x", 1, SECOND);
    CHECK_EQ(pop_at(n, SECOND + 8), 9);
    netem_free(n);
}

static void overhead_takes_its_time_too(void)
{
    struct netem_config config = {.rate_bps = 1000000, .overhead = 50};
    struct netem *n = make(&config);

    push_many(n, 1, 950, 0);
    CHECK_EQ(pop_at(n, 8 * MS), 0);
    netem_free(n);
}

static void what_waits_goes_on_at_a_new_rate(void)
{
    struct netem_config config = {.rate_bps = 1000000, .delay_us = 10 * MS};
    struct netem *n = make(&config);

    push_many(n, 4, 1000, 0); /* sent at 8, 16, 24, 32 ms */
    CHECK_EQ(pop_at(n, 18 * MS), 0);
    /* now is 18 ms: the second is under way, of the third a quarter was sent */
    config.rate_bps = 2000000;
    netem_change(n, &config);
    CHECK_EQ(pop_at(n, 26 * MS), 1);
    CHECK_EQ(pop_at(n, 31 * MS), 2);
    CHECK_EQ(pop_at(n, 35 * MS), 3);
    push_many(n, 3, 1000, 0);
    netem_free(n);
}

static void without_a_rate_nothing_waits_any_more(void)
{
    struct netem_config config = {.rate_bps = 100000, .jitter_us = 5 * MS, .duplicate = 0.3};
    struct netem *n = make(&config);
    uint8_t data[NETEM_DATAGRAM_MAX] = {0};
    uint64_t last = 0;
    uint64_t tag;
    size_t len;

    push_many(n, 50, 1000, 0);
    CHECK(!netem_pop(n, MS, &tag, data, &len));
    config.rate_bps = 0;
    netem_change(n, &config);
    while (netem_pop(n, 6 * MS, &tag, data, &len)) {
        CHECK(tag == last || tag == last + 1);
        last = tag;
    }
    CHECK_EQ(last, 49);
    CHECK_EQ(netem_deadline(n), NEVER_US);
    netem_free(n);
}

static void a_slower_rate_delays_what_waits(void)
{
    struct netem_config config = {.rate_bps = 1000000};
    struct netem *n = make(&config);

    push_many(n, 2, 1000, 0);
    CHECK_EQ(pop_at(n, 8 * MS), 0);
    config.rate_bps = 100000;
    netem_change(n, &config);
    netem_push(n, 2, (const uint8_t *)"0123456789", 10, 8 * MS);
    CHECK_EQ(pop_at(n, 88 * MS), 1);
    CHECK_EQ(pop_at(n, 88 * MS + 800), 2);
    netem_free(n);
}

static void a_blackout_on_command_swallows_everything(void)
{
    struct netem_config config = {.delay_us = 10 * MS};
    struct netem *n = make(&config);

    push_many(n, 1, 10, 0);
    config.blackout = true;
    netem_change(n, &config);
    push_many(n, 5, 10, 0);
    config.blackout = false;
    netem_change(n, &config);
    push_many(n, 1, 10, 0);
    CHECK_EQ(netem_stats(n)->blacked_out, 5);
    CHECK_EQ(drain(n), 2);
    netem_free(n);
}

static void blackouts_come_at_the_end_of_every_period(void)
{
    struct netem_config config = {.blackout_us = 20 * MS, .blackout_period_us = 100 * MS};
    struct netem *n = make(&config);
    uint8_t data[NETEM_DATAGRAM_MAX];
    uint64_t tag;
    size_t len;

    push_many(n, 1000, 10, MS);
    CHECK_EQ(netem_stats(n)->blacked_out, 200);
    while (netem_pop(n, NEVER_US, &tag, data, &len))
        CHECK(tag % 100 < 80);
    netem_free(n);
}

static void bytes_are_counted(void)
{
    struct netem_config config = {.seed = 9};
    struct netem *n = make(&config);

    push_many(n, 3, 100, 0);
    CHECK_EQ(netem_stats(n)->pushed_bytes, 300);
    CHECK_EQ(netem_stats(n)->delivered_bytes, 0);
    CHECK_EQ(drain(n), 3);
    CHECK_EQ(netem_stats(n)->delivered_bytes, 300);
    netem_free(n);
}

TAP_CASES(CASE(plain_link_delivers_at_once_and_in_order), CASE(bytes_arrive_as_they_were),
          CASE(rate_spaces_datagrams_and_the_queue_overflows),
          CASE(jitter_stays_in_range_and_keeps_the_order), CASE(share_of_losses_is_as_asked),
          CASE(bursts_lose_neighbours), CASE(reordered_and_duplicated_shares_are_as_asked),
          CASE(same_seed_gives_the_same_link), CASE(link_may_change_on_the_way),
          CASE(a_queue_may_be_a_time), CASE(overhead_takes_its_time_too),
          CASE(what_waits_goes_on_at_a_new_rate), CASE(without_a_rate_nothing_waits_any_more),
          CASE(a_slower_rate_delays_what_waits), CASE(a_blackout_on_command_swallows_everything),
          CASE(blackouts_come_at_the_end_of_every_period), CASE(bytes_are_counted))
