#include "media/dtls_flight.h"

#include "media/base/clock.h"
#include "media/dtls.h"
#include "tests/tap.h"

struct sent {
    size_t datagrams, bytes;
    uint8_t first;
};

static void on_send(void *owner, const uint8_t *data, size_t len)
{
    struct sent *sent = owner;

    sent->first = sent->datagrams++ == 0 ? data[0] : sent->first;
    sent->bytes += len;
}

/* A flight of `copies` copies, each of two datagrams that begin with the copy's number. */
static struct dtls_flight *make(size_t copies, int64_t now_us)
{
    struct dtls_flight *flight = dtls_flight_new();
    uint8_t data[DTLS_MTU] = {0};

    CHECK(flight);
    dtls_flight_begin(flight, now_us);
    for (size_t i = 0; i < copies; i++) {
        CHECK_EQ(dtls_flight_next_copy(flight), i + 1 < DTLS_FLIGHT_COPIES);
        data[0] = (uint8_t)i;
        dtls_flight_add(flight, data, sizeof(data));
        dtls_flight_add(flight, data, 5);
        dtls_flight_end_copy(flight);
    }
    return flight;
}

static void empty_flight_is_never_due(void)
{
    struct dtls_flight *flight = make(0, SECOND);
    struct sent sent = {0};

    CHECK_EQ(dtls_flight_deadline(flight), NEVER_US);
    dtls_flight_advance(flight, 100 * SECOND, on_send, &sent);
    CHECK_EQ(sent.datagrams, 0);
    dtls_flight_free(flight);
}

static void first_repeat_is_whole_and_comes_after_100_ms(void)
{
    struct dtls_flight *flight = make(3, SECOND);
    struct sent sent = {0};

    CHECK_EQ(dtls_flight_deadline(flight), SECOND + 100 * MS);
    dtls_flight_advance(flight, SECOND + 100 * MS - 1, on_send, &sent);
    CHECK_EQ(sent.datagrams, 0);
    dtls_flight_advance(flight, SECOND + 100 * MS, on_send, &sent);
    CHECK_EQ(sent.datagrams, 2);
    CHECK_EQ(sent.bytes, DTLS_MTU + 5);
    dtls_flight_free(flight);
}

static void pause_doubles_up_to_a_second(void)
{
    static const int64_t pauses_ms[] = {100, 200, 400, 800, 1000, 1000};
    struct dtls_flight *flight = make(DTLS_FLIGHT_COPIES, 0);
    struct sent sent = {0};
    int64_t now_us = 0;

    for (size_t i = 0; i < sizeof(pauses_ms) / sizeof(pauses_ms[0]); i++) {
        CHECK_EQ(dtls_flight_deadline(flight) - now_us, pauses_ms[i] * MS);
        now_us = dtls_flight_deadline(flight);
        dtls_flight_advance(flight, now_us, on_send, &sent);
    }
    dtls_flight_free(flight);
}

static void copies_go_out_in_turn_and_then_again(void)
{
    struct dtls_flight *flight = make(2, 0);

    for (int i = 0; i < 5; i++) {
        struct sent sent = {0};

        dtls_flight_advance(flight, dtls_flight_deadline(flight), on_send, &sent);
        CHECK_EQ(sent.first, i % 2);
    }
    dtls_flight_free(flight);
}

static void new_flight_replaces_the_old_one(void)
{
    struct dtls_flight *flight = make(2, 0);

    dtls_flight_begin(flight, 10 * SECOND);
    CHECK_EQ(dtls_flight_deadline(flight), NEVER_US);
    CHECK(dtls_flight_next_copy(flight));
    CHECK_EQ(dtls_flight_deadline(flight), 10 * SECOND + 100 * MS);
    dtls_flight_free(flight);
}

static void records_share_a_datagram_up_to_the_mtu(void)
{
    struct dtls_flight *flight = make(0, 0);
    struct sent sent = {0};
    uint8_t data[DTLS_MTU / 2] = {7};

    CHECK(dtls_flight_next_copy(flight));
    dtls_flight_add(flight, data, sizeof(data));
    dtls_flight_add(flight, data, sizeof(data));
    dtls_flight_add(flight, data, 1);
    dtls_flight_advance(flight, SECOND, on_send, &sent);
    CHECK_EQ(sent.datagrams, 2);
    CHECK_EQ(sent.bytes, DTLS_MTU + 1);
    dtls_flight_free(flight);
}

static void copies_and_their_datagrams_have_limits(void)
{
    struct dtls_flight *flight = make(DTLS_FLIGHT_COPIES - 1, 0);
    struct sent sent = {0};
    uint8_t data[DTLS_MTU] = {9};

    CHECK(!dtls_flight_next_copy(flight));
    for (size_t i = 0; i < 3 * DTLS_FLIGHT_DATAGRAMS; i++)
        dtls_flight_add(flight, data, sizeof(data));
    CHECK(dtls_flight_copying(flight));
    for (size_t i = 0; i < DTLS_FLIGHT_COPIES; i++) {
        sent = (struct sent){0};
        dtls_flight_advance(flight, dtls_flight_deadline(flight), on_send, &sent);
    }
    CHECK_EQ(sent.first, 9);
    CHECK_EQ(sent.datagrams, DTLS_FLIGHT_DATAGRAMS);
    dtls_flight_free(flight);
}

TAP_CASES(CASE(empty_flight_is_never_due), CASE(first_repeat_is_whole_and_comes_after_100_ms),
          CASE(pause_doubles_up_to_a_second), CASE(copies_go_out_in_turn_and_then_again),
          CASE(new_flight_replaces_the_old_one), CASE(records_share_a_datagram_up_to_the_mtu),
          CASE(copies_and_their_datagrams_have_limits))
