#include "tests/http_fixture.h"
#include "tests/tap.h"

#include <sys/socket.h>
#include <unistd.h>

#define UPGRADE WEB_UPGRADE WEB_KEY "\r\n"

/* A server that believes this host what it says of others. */
static void set_up_behind_balancer(void)
{
    web_prepare();
    CHECK_EQ(address_prefixes_add(&web_config.proxy_protocol, "127.0.0.0/8"), 0);
}

static void tear_down(int fd)
{
    (void)close(fd);
    web_turn();
    web_tear_down();
}

static void the_address_is_what_the_balancer_says(void)
{
    int fd;

    set_up_behind_balancer();
    web_start();
    fd = web_open_client();
    web_send(fd, "PROXY TCP6 2001:db8::7 2001:db8::1 1234 443\r\n" UPGRADE);
    CHECK(web_read_answer(fd, true));
    web_check_has("HTTP/1.1 101 ");
    CHECK_STR(web_seen.address, "2001:db8::7");
    tear_down(fd);
}

static void version_2_is_understood(void)
{
    static const char header[] = "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x01\xc6\x33\x64\x01"
                                 "\xdc\x04\x01\xbb";
    int fd;

    set_up_behind_balancer();
    web_start();
    fd = web_open_client();
    web_send_bytes(fd, header, sizeof(header) - 1);
    web_send(fd, UPGRADE);
    CHECK(web_read_answer(fd, true));
    CHECK_STR(web_seen.address, "192.0.2.1");
    tear_down(fd);
}

static void a_header_may_come_byte_by_byte(void)
{
    static const char header[] = "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n" UPGRADE;
    int fd;

    set_up_behind_balancer();
    web_start();
    fd = web_open_client();
    for (size_t i = 0; i < sizeof(header) - 1; i++) {
        web_send_bytes(fd, header + i, 1);
        web_turn();
    }
    CHECK(web_read_answer(fd, true));
    CHECK_STR(web_seen.address, "192.0.2.1");
    tear_down(fd);
}

static void a_balancer_may_speak_for_itself(void)
{
    int fd;

    set_up_behind_balancer();
    web_start();
    fd = web_open_client();
    web_send(fd, "PROXY UNKNOWN\r\n" UPGRADE);
    CHECK(web_read_answer(fd, true));
    CHECK_STR(web_seen.address, "127.0.0.1");
    tear_down(fd);
}

static void a_balancer_that_says_nothing_is_refused(void)
{
    int fd;

    set_up_behind_balancer();
    web_start();
    fd = web_open_client();
    web_send(fd, GET("/healthz"));
    CHECK(web_read_answer(fd, false));
    web_check_has("HTTP/1.1 400 Bad Request\r\n");
    web_check_has("from this address a PROXY header must come before HTTP.\r\n");
    CHECK_EQ(web_answer_len, strlen(web_answer));
    CHECK(web_is_closed(fd));
    CHECK_EQ(web_stats()->bad_requests, 1);
    CHECK_EQ(web_stats()->connections, 0);
    tear_down(fd);
}

static void a_balancer_that_only_looks_costs_nothing(void)
{
    set_up_behind_balancer();
    web_start();
    (void)close(web_open_client());
    for (int i = 0; i < 5; i++)
        web_turn();
    CHECK_EQ(web_stats()->bad_requests, 0);
    CHECK_EQ(web_stats()->refused, 0);
    web_tear_down();
}

static void a_header_that_does_not_come_ends_the_connection(void)
{
    int fd;

    set_up_behind_balancer();
    web_config.timeout_s = 0;
    web_start();
    fd = web_open_client();
    web_send(fd, "PROXY ");
    CHECK(web_is_closed(fd));
    tear_down(fd);
}

static void others_may_not_speak_for_anybody(void)
{
    web_prepare();
    CHECK_EQ(address_prefixes_add(&web_config.proxy_protocol, "192.0.2.0/24"), 0);
    web_start();
    web_check_status("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n\r\n", 400);
    web_check_status(GET("/healthz"), 200);
    web_tear_down();
}

static void limits_are_those_of_the_client(void)
{
    static const char line[] = "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n";
    int fds[3];

    set_up_behind_balancer();
    web_config.max_connections_per_address = 2;
    web_start();
    for (int i = 0; i < 3; i++) {
        fds[i] = web_open_client();
        web_send(fds[i], line);
        web_turn();
    }
    CHECK(web_read_answer(fds[2], false));
    web_check_has("HTTP/1.1 503 ");
    CHECK_EQ(web_stats()->connections, 2);
    (void)close(fds[2]);
    fds[2] = web_open_client();
    web_send(fds[2], "PROXY TCP4 192.0.2.2 198.51.100.1 56324 443\r\n" GET("/healthz"));
    CHECK(web_read_answer(fds[2], false));
    web_check_has("HTTP/1.1 200 ");
    for (int i = 0; i < 3; i++)
        (void)close(fds[i]);
    web_turn();
    web_tear_down();
}

static void a_server_that_ends_forgets_who_is_arriving(void)
{
    int fd;

    set_up_behind_balancer();
    web_start();
    fd = web_open_client();
    web_send(fd, "PROXY ");
    web_tear_down();
    (void)close(fd);
}

static void a_trusted_proxy_tells_the_client_of_each_request(void)
{
    int fd;
    int other;

    web_prepare();
    CHECK_EQ(address_prefixes_add(&web_config.trusted_proxies, "127.0.0.1"), 0);
    web_config.limit_loopback = true;
    web_config.max_connections_per_address = 1; /* not for the proxy */
    web_start();
    other = web_open_client();
    web_turn();
    fd = web_open_client();
    web_send(fd, WEB_UPGRADE WEB_KEY "X-Forwarded-For: 127.0.0.1, 192.0.2.7\r\n\r\n");
    CHECK(web_read_answer(fd, true));
    web_check_has("HTTP/1.1 101 ");
    CHECK_STR(web_seen.address, "192.0.2.7");
    (void)close(other);
    tear_down(fd);
}

static void others_tell_nothing_of_clients(void)
{
    int fd;

    web_prepare();
    CHECK_EQ(address_prefixes_add(&web_config.trusted_proxies, "192.0.2.0/24"), 0);
    web_start();
    fd = web_open_client();
    web_send(fd, WEB_UPGRADE WEB_KEY "X-Forwarded-For: 192.0.2.7\r\n\r\n");
    CHECK(web_read_answer(fd, true));
    CHECK_STR(web_seen.address, "127.0.0.1");
    tear_down(fd);
}

TAP_CASES(CASE(a_trusted_proxy_tells_the_client_of_each_request),
          CASE(others_tell_nothing_of_clients), CASE(the_address_is_what_the_balancer_says),
          CASE(version_2_is_understood), CASE(a_header_may_come_byte_by_byte),
          CASE(a_balancer_may_speak_for_itself), CASE(a_balancer_that_says_nothing_is_refused),
          CASE(a_balancer_that_only_looks_costs_nothing),
          CASE(a_header_that_does_not_come_ends_the_connection),
          CASE(others_may_not_speak_for_anybody), CASE(limits_are_those_of_the_client),
          CASE(a_server_that_ends_forgets_who_is_arriving))
