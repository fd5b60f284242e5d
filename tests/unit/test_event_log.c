#include "sfu/event_log.h"

#include "tests/tap.h"

enum { TRACK = 1, SPEAKERS = 2 };

static struct event_log event_log;

static void put(uint64_t seq, const char *json)
{
    event_log_put(&event_log, seq, TRACK, json, strlen(json), false);
}

/* What somebody gets who has everything up to `seq`. */
static const char *replay(uint64_t seq)
{
    static char out[256];
    const struct event_log_entry *entry;
    size_t len = 0;

    while ((entry = event_log_next(&event_log, seq))) {
        len += (size_t)snprintf(out + len, sizeof(out) - len, "%.*s ", (int)entry->len,
                                entry->json);
        seq = entry->seq;
    }
    out[len] = '\0';
    return out;
}

static void what_was_missed_comes_in_order(void)
{
    put(3, "three");
    put(4, "four");
    put(7, "seven");
    CHECK(event_log_reaches(&event_log, 0));
    CHECK_STR(replay(0), "three four seven ");
    CHECK_STR(replay(3), "four seven ");
    CHECK_STR(replay(5), "seven ");
    CHECK_STR(replay(7), "");
    event_log_done(&event_log);
}

static void what_the_client_has_takes_no_memory(void)
{
    put(1, "one");
    put(2, "two");
    put(3, "three");
    event_log_confirm(&event_log, 2);
    CHECK_EQ(event_log.n, 1);
    CHECK_EQ(event_log.bytes, strlen("three"));
    CHECK(!event_log_reaches(&event_log, 1));
    CHECK(event_log_reaches(&event_log, 2));
    event_log_confirm(&event_log, 9);
    CHECK_EQ(event_log.n, 0);
    CHECK(!event_log.first && !event_log.end);
    put(10, "ten");
    CHECK_STR(replay(3), "ten ");
    event_log_done(&event_log);
}

static void of_some_kinds_only_the_last_is_kept(void)
{
    event_log_put(&event_log, 1, SPEAKERS, "ada", 3, true);
    put(2, "two");
    event_log_put(&event_log, 3, SPEAKERS, "bob", 3, true);
    CHECK(event_log_reaches(&event_log, 0));
    CHECK_STR(replay(0), "two bob ");
    event_log_put(&event_log, 4, SPEAKERS, "eve", 3, true); /* in place of the newest */
    put(5, "five");
    CHECK_STR(replay(0), "two eve five ");
    CHECK_EQ(event_log.n, 3);
    event_log_done(&event_log);
}

static void beyond_the_number_the_oldest_is_forgotten(void)
{
    for (uint64_t seq = 1; seq <= EVENT_LOG_MAX_EVENTS; seq++)
        put(seq, "x");
    CHECK(event_log_reaches(&event_log, 0));
    put(EVENT_LOG_MAX_EVENTS + 1, "x");
    CHECK(!event_log_reaches(&event_log, 0));
    CHECK(event_log_reaches(&event_log, 1));
    CHECK_EQ(event_log.n, EVENT_LOG_MAX_EVENTS);
    event_log_done(&event_log);
}

static void beyond_the_bytes_as_many_are_forgotten_as_need_be(void)
{
    static char half[EVENT_LOG_MAX_BYTES / 2 + 1];

    memset(half, 'x', sizeof(half));
    put(1, "one");
    put(2, "two");
    event_log_put(&event_log, 3, TRACK, half, sizeof(half) - 1, false);
    CHECK(event_log_reaches(&event_log, 0));
    event_log_put(&event_log, 4, TRACK, half, sizeof(half) - 1, false);
    CHECK(!event_log_reaches(&event_log, 1));
    CHECK(event_log_reaches(&event_log, 2));
    CHECK_EQ(event_log.n, 2);
    CHECK(event_log.bytes <= EVENT_LOG_MAX_BYTES);
    event_log_done(&event_log);
}

static void one_too_long_is_forgotten_with_all_before(void)
{
    static char all[EVENT_LOG_MAX_BYTES + 1];

    memset(all, 'x', sizeof(all));
    put(1, "one");
    event_log_put(&event_log, 2, TRACK, all, sizeof(all), false);
    CHECK_EQ(event_log.n, 0);
    CHECK(!event_log_reaches(&event_log, 1));
    CHECK(event_log_reaches(&event_log, 2));
    put(3, "three");
    CHECK_STR(replay(2), "three ");
    event_log_done(&event_log);
}

TAP_CASES(CASE(what_was_missed_comes_in_order), CASE(what_the_client_has_takes_no_memory),
          CASE(of_some_kinds_only_the_last_is_kept),
          CASE(beyond_the_number_the_oldest_is_forgotten),
          CASE(beyond_the_bytes_as_many_are_forgotten_as_need_be),
          CASE(one_too_long_is_forgotten_with_all_before))
