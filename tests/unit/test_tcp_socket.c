#include "media/tcp_socket.h"

#include "media/udp_socket.h"
#include "tests/tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

enum { PACKET = 1000, PACKETS = 4000 };

/* Both ends of a connection over loopback; the other end is a plain descriptor. */
static struct tcp_socket ours;
static int theirs;
static uint8_t received[8 * 1024 * 1024];
static size_t n_received;

static void begin(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    int listener = -1;
    int fd;

    CHECK_EQ(tcp_socket_listen(&listener, "127.0.0.1", 0), 0);
    to.sin_port = htons(tcp_socket_port(listener));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    theirs = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(connect(theirs, (struct sockaddr *)&to, sizeof(to)), 0);
    fd = accept(listener, NULL, NULL);
    CHECK(fd >= 0);
    CHECK_EQ(close(listener), 0);
    tcp_socket_init(&ours, fd);
    n_received = 0;
}

static void end(void)
{
    tcp_socket_done(&ours);
    if (theirs >= 0)
        CHECK_EQ(close(theirs), 0);
}

/* Read what is there at their end. */
static void drain(void)
{
    ssize_t n;

    while ((n = recv(theirs, received + n_received, sizeof(received) - n_received, MSG_DONTWAIT)) >
           0)
        n_received += (size_t)n;
}

/* @return frames in what was received, each of which must be whole and right: a number, repeated */
static size_t count_frames(void)
{
    struct reader r = reader_of(received, n_received);
    size_t frames = 0;
    uint16_t last = 0;

    while (reader_left(&r) >= TCP_FRAME_HEAD + PACKET) {
        uint16_t number;

        CHECK_EQ(reader_u16(&r), PACKET);
        number = reader_u16(&r);
        CHECK(frames == 0 || number > last);
        last = number;
        for (size_t i = 1; i < PACKET / 2; i++)
            CHECK_EQ(reader_u16(&r), number);
        frames++;
    }
    CHECK_EQ(reader_left(&r), 0);
    return frames;
}

static void send_numbers(uint16_t from, uint16_t n)
{
    static uint8_t bytes[64][PACKET];
    struct datagram datagrams[64];

    CHECK(n <= ARRAY_LEN(datagrams));
    for (uint16_t i = 0; i < n; i++) {
        for (size_t j = 0; j < PACKET; j += 2) {
            bytes[i][j] = (uint8_t)((from + i) >> 8);
            bytes[i][j + 1] = (uint8_t)(from + i);
        }
        datagrams[i] = (struct datagram){.data = bytes[i], .len = PACKET};
    }
    tcp_socket_send(&ours, datagrams, n);
}

static void datagrams_come_out_as_frames(void)
{
    begin();
    send_numbers(1, 64);
    CHECK(!tcp_socket_waits(&ours));
    drain();
    CHECK_EQ(count_frames(), 64);
    CHECK_EQ(ours.sent, 64);
    CHECK_EQ(ours.sent_bytes, 64 * PACKET);
    end();
}

static void a_slow_reader_loses_whole_datagrams(void)
{
    begin();
    for (int i = 0; i < PACKETS / 50; i++)
        send_numbers((uint16_t)(i * 50), 50);
    CHECK(tcp_socket_waits(&ours));
    CHECK(ours.dropped > 0);
    CHECK_EQ(ours.sent + ours.dropped, PACKETS);
    for (int i = 0; i < 1000 && tcp_socket_waits(&ours); i++) {
        drain();
        tcp_socket_flush(&ours);
    }
    CHECK(!tcp_socket_waits(&ours));
    drain();
    CHECK_EQ(count_frames(), ours.sent);
    send_numbers(60000, 1); /* and it goes on */
    drain();
    CHECK_EQ(count_frames(), ours.sent);
    end();
}

static void frames_are_read(void)
{
    static uint8_t scratch[TCP_READ_BYTES];
    const uint8_t frame[] = {0, 3, 'a', 'b', 'c', 0, 1};
    const uint8_t *found;
    struct reader in;
    size_t len;

    begin();
    CHECK_EQ(tcp_socket_read(&ours, scratch, sizeof(scratch)), 0);
    CHECK_EQ(send(theirs, frame, sizeof(frame), 0), (ssize_t)sizeof(frame));
    CHECK_EQ(tcp_socket_read(&ours, scratch, sizeof(scratch)), (int)sizeof(frame));
    in = reader_of(scratch, sizeof(frame));
    CHECK_EQ(tcp_deframer_next(&ours.in, &in, &found, &len), 1);
    CHECK_EQ(len, 3);
    CHECK_MEM(found, "abc", 3);
    CHECK_EQ(tcp_deframer_next(&ours.in, &in, &found, &len), 0);
    end();
}

static void the_end_is_noticed_on_either_way(void)
{
    static uint8_t scratch[TCP_READ_BYTES];
    struct linger now = {.l_onoff = 1};

    begin();
    CHECK_EQ(setsockopt(theirs, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
    CHECK_EQ(close(theirs), 0); /* a reset */
    theirs = -1;
    send_numbers(0, 10);
    CHECK(ours.broken);
    CHECK_EQ(ours.dropped, 10);
    send_numbers(0, 10);
    CHECK_EQ(ours.dropped, 20);
    CHECK(tcp_socket_read(&ours, scratch, sizeof(scratch)) < 0);
    end();
}

static void addresses_to_listen_on_are_literals(void)
{
    int fd = -1;
    int other = -1;

    CHECK_EQ(tcp_socket_listen(&fd, "localhost", 0), -EINVAL);
    CHECK_EQ(tcp_socket_listen(&fd, NULL, 0), 0);
    CHECK_EQ(tcp_socket_listen(&other, NULL, tcp_socket_port(fd)), -EADDRINUSE);
    CHECK_EQ(close(fd), 0);
}

TAP_CASES(CASE(datagrams_come_out_as_frames), CASE(a_slow_reader_loses_whole_datagrams),
          CASE(frames_are_read), CASE(the_end_is_noticed_on_either_way),
          CASE(addresses_to_listen_on_are_literals))
