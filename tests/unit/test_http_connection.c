#include "tests/http_fixture.h"
#include "tests/tap.h"

#include <sys/socket.h>
#include <unistd.h>

static void a_connection_serves_many_requests(void)
{
    int fd;

    web_set_up();
    fd = web_open_client();
    for (int i = 0; i < 3; i++) {
        web_send(fd, GET("/healthz"));
        CHECK(web_read_answer(fd, false));
        web_check_has("{\"rooms\":3}");
    }
    web_send(fd, "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    CHECK(web_read_answer(fd, false));
    web_check_has("Connection: close\r\n");
    CHECK(web_is_closed(fd));
    (void)close(fd);
    web_tear_down();
}

static void pipelined_requests_are_answered_in_order(void)
{
    int fd;
    int n = 0;

    web_set_up();
    fd = web_open_client();
    web_send(fd, "\r\n" GET("/healthz") GET("/nothing") GET("/healthz"));
    for (int i = 0; i < 50; i++)
        web_turn();
    (void)recv(fd, web_answer, WEB_MAX_ANSWER, 0);
    for (const char *at = web_answer; (at = strstr(at, "HTTP/1.1 ")) != NULL; at++) {
        CHECK_EQ(strtol(at + 9, NULL, 10), n == 1 ? 404 : 200);
        n++;
    }
    CHECK_EQ(n, 3);
    (void)close(fd);
    web_tear_down();
}

static void an_old_client_gets_its_answer_and_the_end(void)
{
    int fd;

    web_set_up();
    fd = web_open_client();
    web_send(fd, "GET /healthz HTTP/1.0\n\n");
    CHECK(web_read_answer(fd, false));
    web_check_has("{\"rooms\":3}");
    CHECK(web_is_closed(fd));
    (void)close(fd);
    web_tear_down();
}

static void a_client_that_closes_its_half_still_gets_its_answer(void)
{
    int fd;

    web_set_up();
    fd = web_open_client();
    CHECK(send(fd, GET("/healthz"), strlen(GET("/healthz")), 0) > 0);
    (void)shutdown(fd, SHUT_WR);
    CHECK(web_read_answer(fd, false));
    web_check_has("{\"rooms\":3}");
    CHECK(web_is_closed(fd));
    (void)close(fd);
    web_tear_down();
}

/* Everything that is no HTTP: an answer, a counter, and the next client is served. */
static void malformed_requests_change_a_counter_only(void)
{
    static const struct {
        const char *request;
        int status;
    } cases[] = {
        {"nonsense\r\n\r\n", 400},
        {"GET /\r\n\r\n", 400},
        {"GET  HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400},
        {"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
        {"GET / FTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"G(T / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"GET x HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"GET /%4 HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"GET /a\x01"
         "b HTTP/1.1\r\nHost: x\r\n\r\n",
         400},
        {"GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: x\r\nBlank : x\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: x\r\nA: \x01\r\n\r\n", 400},
        {"POST /whip/r HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400},
        {"POST /whip/r HTTP/1.1\r\nHost: x\r\nContent-Length: 1x\r\n\r\n", 400},
        {"POST /whip/r HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n\r\n", 400},
        {"POST /whip/r HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n", 400},
        {"POST /whip/r HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
         400},
        {"POST /whip/r HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx",
         400},
        {"POST /whip/r HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\nx", 501},
        {"POST /whip/r HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400},
        {"POST /whip/r HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n", 400},
        {"POST /whip/r HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\nx\r\n", 400},
        {"POST /whip/r HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\nx\r\n",
         400},
        {"POST /whip/r HTTP/1.1\r\nHost: x\r\nExpect: miracles\r\n\r\n", 417},
    };
    size_t n = sizeof(cases) / sizeof(cases[0]);

    web_set_up();
    for (size_t i = 0; i < n; i++) {
        web_check_status(cases[i].request, cases[i].status);
        web_check_has("Content-Type: application/problem+json\r\n");
        web_check_has("Connection: close\r\n");
        CHECK_EQ(web_stats()->bad_requests, i + 1);
    }
    CHECK_EQ(web_stats()->requests, 0);
    CHECK_EQ(web_seen.posts, 0);
    web_check_status(GET("/healthz"), 200);
    web_tear_down();
}

static void a_nul_in_the_header_is_malformed(void)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n";
    int fd;

    web_set_up();
    fd = web_open_client();
    web_send_bytes(fd, request, sizeof(request) - 1);
    CHECK(web_read_answer(fd, false));
    web_check_has("HTTP/1.1 400 ");
    CHECK(web_is_closed(fd));
    (void)close(fd);
    web_tear_down();
}

TAP_CASES(CASE(a_connection_serves_many_requests), CASE(pipelined_requests_are_answered_in_order),
          CASE(an_old_client_gets_its_answer_and_the_end),
          CASE(a_client_that_closes_its_half_still_gets_its_answer),
          CASE(malformed_requests_change_a_counter_only), CASE(a_nul_in_the_header_is_malformed))
