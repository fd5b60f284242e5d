#include "sfu/tcp_greeter.h"

#include "media/tcp_frame.h"
#include "tests/stun_request.h"
#include "tests/tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

enum { WORKERS = 3, PER_ADDRESS = 4, MAX_GREETED = 8 };

static struct event_base *base;
static struct tcp_greeter *greeter;
static int64_t now_us;
static struct greeted {
    uint32_t worker;
    int fd;
    struct sockaddr_storage peer;
} greeted[MAX_GREETED];
static size_t n_greeted;

static void on_greeted(void *owner, uint32_t worker, int fd, const struct sockaddr_storage *peer)
{
    CHECK(owner == &greeted);
    CHECK(n_greeted < MAX_GREETED);
    greeted[n_greeted++] = (struct greeted){worker, fd, *peer};
}

static void begin(void)
{
    struct tcp_greeter_config config = {
        .address = "127.0.0.1", .n_workers = WORKERS, .max = 100, .max_per_address = PER_ADDRESS};

    n_greeted = 0;
    now_us = 1000 * SECOND;
    base = event_base_new();
    CHECK(base);
    CHECK_EQ(tcp_greeter_new(&greeter, base, &config, on_greeted, &greeted), 0);
    CHECK(tcp_greeter_port(greeter) > 0);
    CHECK_EQ(tcp_greeter_deadline(greeter), NEVER_US);
}

static void end(void)
{
    for (size_t i = 0; i < n_greeted; i++)
        CHECK_EQ(close(greeted[i].fd), 0);
    greeter = tcp_greeter_free(greeter);
    event_base_free(base);
}

/* Let it do what there is to do: loopback delivers at once. */
static void run(void)
{
    for (int i = 0; i < 10; i++)
        CHECK(event_base_loop(base, EVLOOP_NONBLOCK) >= 0);
}

static int dial(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(tcp_greeter_port(greeter))};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int on = 1;

    CHECK_EQ(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), 0);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(fd >= 0);
    CHECK_EQ(connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
    run();
    return fd;
}

/* A check for the worker that the ufrag names, in its frame. */
static size_t write_frame(uint8_t out[STUN_REQUEST_MAX], const char *username)
{
    struct stun_request request = {.username = username, .password = "anything at all"};
    size_t len = stun_request_write(out + TCP_FRAME_HEAD, &request);

    tcp_frame_head(out, len);
    return TCP_FRAME_HEAD + len;
}

static void say(int fd, const void *bytes, size_t len)
{
    CHECK_EQ(send(fd, bytes, len, MSG_NOSIGNAL), (ssize_t)len);
    run();
}

/* @return true if the other side has closed */
static bool is_closed(int fd)
{
    uint8_t byte;
    ssize_t n = recv(fd, &byte, 1, MSG_DONTWAIT);

    return n == 0 || (n < 0 && errno != EAGAIN);
}

static void a_check_names_its_worker_and_stays_unread(void)
{
    uint8_t frame[STUN_REQUEST_MAX];
    uint8_t again[STUN_REQUEST_MAX];
    size_t len = write_frame(frame, "C234567:them");
    int fd;

    begin();
    fd = dial();
    say(fd, frame, len);
    CHECK_EQ(n_greeted, 1);
    CHECK_EQ(greeted[0].worker, 2);
    CHECK_EQ(greeted[0].peer.ss_family, AF_INET);
    CHECK_EQ(recv(greeted[0].fd, again, sizeof(again), MSG_DONTWAIT), (ssize_t)len);
    CHECK_MEM(again, frame, len);
    CHECK_EQ(tcp_greeter_stats(greeter)->accepted, 1);
    CHECK_EQ(tcp_greeter_stats(greeter)->refused, 0);
    CHECK_EQ(close(fd), 0);
    end();
}

static void a_check_may_come_in_pieces(void)
{
    uint8_t frame[STUN_REQUEST_MAX];
    size_t len = write_frame(frame, "A234567:them");
    const size_t ends[] = {1, 2, 3, len / 2, len - 1, len};
    size_t at = 0;
    int fd;

    begin();
    fd = dial();
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        CHECK_EQ(n_greeted, 0);
        say(fd, frame + at, ends[i] - at);
        at = ends[i];
    }
    CHECK_EQ(n_greeted, 1);
    CHECK_EQ(greeted[0].worker, 0);
    CHECK_EQ(close(fd), 0);
    end();
}

static void refuses(const void *bytes, size_t len)
{
    int fd;

    begin();
    fd = dial();
    say(fd, bytes, len);
    CHECK(is_closed(fd));
    CHECK_EQ(n_greeted, 0);
    CHECK_EQ(tcp_greeter_stats(greeter)->refused, 1);
    CHECK_EQ(close(fd), 0);
    end();
}

static void what_is_no_check_of_ours_is_refused(void)
{
    static const char http[] = "GET / HTTP/1.1\r\nHost: here\r\n\r\n";
    static const uint8_t nothing[] = {0, 0, 0, 0};
    static const uint8_t other[] = {0, 4, 22, 1, 2, 3};
    uint8_t frame[STUN_REQUEST_MAX];

    refuses(http, sizeof(http));
    refuses(nothing, sizeof(nothing));
    refuses(other, sizeof(other));
    refuses(frame, write_frame(frame, "D234567:them")); /* the fourth of three workers */
    refuses(frame, write_frame(frame, ":them"));
}

static void who_leaves_in_the_middle_is_forgotten(void)
{
    uint8_t frame[STUN_REQUEST_MAX];
    size_t len = write_frame(frame, "A234567:them");
    int fd;

    begin();
    fd = dial();
    say(fd, frame, len - 1);
    CHECK_EQ(shutdown(fd, SHUT_WR), 0);
    run();
    CHECK_EQ(tcp_greeter_stats(greeter)->refused, 1);
    CHECK(is_closed(fd));
    CHECK_EQ(close(fd), 0);
    end();
}

static void who_says_nothing_is_closed_after_five_seconds(void)
{
    int fd;

    begin();
    fd = dial();
    say(fd, "", 1); /* one byte of the length, and no more */
    CHECK(tcp_greeter_deadline(greeter) <= now_us);
    tcp_greeter_advance(greeter, now_us);
    now_us += TCP_GREET_US - 1;
    tcp_greeter_advance(greeter, now_us);
    CHECK(!is_closed(fd));
    now_us = tcp_greeter_deadline(greeter);
    tcp_greeter_advance(greeter, now_us);
    CHECK(is_closed(fd));
    CHECK_EQ(tcp_greeter_deadline(greeter), NEVER_US);
    CHECK_EQ(close(fd), 0);
    end();
}

static void one_address_has_so_many_and_no_more(void)
{
    int fds[PER_ADDRESS + 2];

    begin();
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        fds[i] = dial();
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        CHECK_EQ(is_closed(fds[i]), i >= PER_ADDRESS);
    CHECK_EQ(tcp_greeter_stats(greeter)->refused, 2);
    CHECK_EQ(close(fds[0]), 0);
    run();
    CHECK_EQ(close(fds[PER_ADDRESS]), 0);
    fds[0] = dial(); /* there is room again */
    CHECK(!is_closed(fds[0]));
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        if (i != PER_ADDRESS)
            CHECK_EQ(close(fds[i]), 0);
    }
    end();
}

TAP_CASES(CASE(a_check_names_its_worker_and_stays_unread), CASE(a_check_may_come_in_pieces),
          CASE(what_is_no_check_of_ours_is_refused), CASE(who_leaves_in_the_middle_is_forgotten),
          CASE(who_says_nothing_is_closed_after_five_seconds),
          CASE(one_address_has_so_many_and_no_more))
