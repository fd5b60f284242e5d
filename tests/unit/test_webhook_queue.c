#include "sfu/webhook_queue.h"

#include "media/base/clock.h"
#include "tests/tap.h"

#include <inttypes.h>

static struct webhook_queue q;
static int64_t now_us;

static void begin(void)
{
    webhook_queue_init(&q, 5);
    now_us = SECOND;
}

static void put(const char *room, const char *body)
{
    CHECK_EQ(webhook_queue_put(&q, room, body, strlen(body)), 0);
}

static struct webhook_delivery *take(const char *body)
{
    struct webhook_delivery *d = webhook_queue_take(&q, now_us);

    CHECK(d);
    CHECK_STR(d->body, body);
    return d;
}

static void check_nothing(void)
{
    CHECK(!webhook_queue_take(&q, now_us));
}

static void events_of_a_room_go_one_after_the_other(void)
{
    struct webhook_delivery *d;

    begin();
    put("demo", "1");
    put("demo", "2");
    CHECK(!webhook_queue_is_idle(&q, now_us));
    d = take("1");
    check_nothing();
    webhook_queue_finish(&q, d, true, now_us);
    d = take("2");
    webhook_queue_finish(&q, d, true, now_us);
    check_nothing();
    CHECK(webhook_queue_is_idle(&q, now_us));
    CHECK_EQ(q.counters.delivered, 2);
    CHECK_EQ(map_count(&q.lanes_by_room), 0);
    webhook_queue_done(&q);
}

static void a_failure_holds_up_its_own_room_only(void)
{
    struct webhook_delivery *d;

    begin();
    put("a", "a1");
    put("a", "a2");
    put("b", "b1");
    d = take("a1");
    webhook_queue_finish(&q, d, false, now_us);
    d = take("b1");
    webhook_queue_finish(&q, d, true, now_us);
    check_nothing();
    now_us += WEBHOOK_FIRST_PAUSE_MS * MS;
    d = take("a1");
    CHECK_EQ(d->tries, 2);
    webhook_queue_finish(&q, d, true, now_us);
    d = take("a2");
    webhook_queue_finish(&q, d, true, now_us);
    webhook_queue_done(&q);
}

static void pauses_grow_and_end(void)
{
    int64_t pause_us = WEBHOOK_FIRST_PAUSE_MS * MS;

    begin();
    put("a", "x");
    put("a", "y");
    for (int i = 1; i < WEBHOOK_MAX_TRIES; i++) {
        webhook_queue_finish(&q, take("x"), false, now_us);
        CHECK(!webhook_queue_take(&q, now_us + pause_us / 2 - 1));
        CHECK(webhook_queue_is_idle(&q, now_us));
        now_us += pause_us;
        pause_us = pause_us * 2 < WEBHOOK_LONGEST_PAUSE_MS * MS ? pause_us * 2
                                                                : WEBHOOK_LONGEST_PAUSE_MS * MS;
    }
    webhook_queue_finish(&q, take("x"), false, now_us);
    CHECK_EQ(q.counters.dropped, 1);
    CHECK_EQ(q.counters.failed_tries, WEBHOOK_MAX_TRIES);
    now_us += WEBHOOK_LONGEST_PAUSE_MS * MS;
    webhook_queue_finish(&q, take("y"), true, now_us); /* the next is tried afresh */
    webhook_queue_done(&q);
}

static void the_oldest_is_dropped_when_it_is_full(void)
{
    struct webhook_delivery *first;
    char body[16];

    begin();
    put("a", "under way");
    first = take("under way");
    for (int i = 1; i < WEBHOOK_MAX_QUEUED + 2; i++) {
        (void)snprintf(body, sizeof(body), "%d", i);
        put("a", body);
    }
    CHECK_EQ(q.n, WEBHOOK_MAX_QUEUED);
    CHECK_EQ(q.counters.dropped, 2);
    webhook_queue_finish(&q, first, true, now_us);
    webhook_queue_finish(&q, take("3"), true, now_us);
    webhook_queue_done(&q);
}

static void so_many_are_under_way_at_once(void)
{
    struct webhook_delivery *taken[WEBHOOK_MAX_UNDER_WAY];
    char room[16];

    begin();
    for (int i = 0; i < WEBHOOK_MAX_UNDER_WAY + 1; i++) {
        (void)snprintf(room, sizeof(room), "room%d", i);
        put(room, "x");
    }
    for (int i = 0; i < WEBHOOK_MAX_UNDER_WAY; i++)
        taken[i] = take("x");
    check_nothing();
    webhook_queue_finish(&q, taken[0], false, now_us);
    webhook_queue_finish(&q, take("x"), true, now_us);
    for (int i = 1; i < WEBHOOK_MAX_UNDER_WAY; i++)
        webhook_queue_finish(&q, taken[i], true, now_us);
    webhook_queue_done(&q);
}

TAP_CASES(CASE(events_of_a_room_go_one_after_the_other), CASE(a_failure_holds_up_its_own_room_only),
          CASE(pauses_grow_and_end), CASE(the_oldest_is_dropped_when_it_is_full),
          CASE(so_many_are_under_way_at_once))
