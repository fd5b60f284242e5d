#include "signaling/http_server.h"

#include "tests/http_fixture.h"
#include "tests/tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static void unknown_paths_are_not_found(void)
{
    web_set_up();
    web_check_problem(GET("/nothing"), 404, "not_found");
    web_check_problem(GET("/client/nothing.js"), 404, "not_found");
    web_check_problem(GET("/client/"), 404, "not_found");
    web_check_problem(GET("/client"), 404, "not_found");
    web_check_problem(GET("//"), 404, "not_found");
    web_check_problem(GET("/ws/x"), 404, "not_found");
    web_check_problem(GET("/healthz/x"), 404, "not_found");
    web_check_problem(GET("/whip"), 404, "not_found");
    web_check_problem(GET("/whip/a/b/c"), 404, "not_found");
    web_check_problem(GET("/client/a/b/c/d/e/f/g/h"), 404, "not_found");
    web_check_problem("POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi", 404,
                      "not_found");
    web_tear_down();
}

static void health_is_what_the_handler_says(void)
{
    web_set_up();
    web_check_status(GET("/healthz"), 200);
    web_check_has("Content-Type: application/json\r\n");
    web_check_has("\r\n\r\n{\"rooms\":3}");
    web_seen.unhealthy = true;
    web_check_status(GET("/healthz"), 503);
    web_tear_down();
}

static void other_methods_are_not_allowed(void)
{
    web_set_up();
    web_check_problem("POST / HTTP/1.1\r\nHost: x\r\n\r\n", 405, "method_not_allowed");
    web_check_has("Allow: GET, HEAD\r\n");
    web_check_problem("DELETE /healthz HTTP/1.1\r\nHost: x\r\n\r\n", 405, "method_not_allowed");
    web_check_problem("POST /ws HTTP/1.1\r\nHost: x\r\n\r\n", 405, "method_not_allowed");
    web_check_has("Allow: GET\r\n");
    web_check_problem("PUT /whip/demo HTTP/1.1\r\nHost: x\r\n\r\n", 405, "method_not_allowed");
    web_check_has("Allow: GET, HEAD, POST, OPTIONS\r\n");
    web_check_problem("PUT /whep/demo/r1 HTTP/1.1\r\nHost: x\r\n\r\n", 405, "method_not_allowed");
    web_check_has("Allow: GET, HEAD, PATCH, DELETE, OPTIONS\r\n");
    web_check_problem("BREW /whip/demo HTTP/1.1\r\nHost: x\r\n\r\n", 405, "method_not_allowed");
    web_tear_down();
}

static void a_header_over_the_limit_is_refused(void)
{
    char line[128];
    int fd;

    web_set_up();
    fd = web_open_client();
    web_send(fd, "GET / HTTP/1.1\r\nHost: x\r\n");
    for (uint32_t sent = 0; sent < web_config.max_header_bytes; sent += 100) {
        (void)snprintf(line, sizeof(line), "X-%04u: %092d\r\n", sent % 10000, 0);
        web_send(fd, line);
    }
    CHECK(web_read_answer(fd, false));
    web_check_has("HTTP/1.1 431 ");
    web_check_has("\"code\":\"header_too_large\"");
    (void)close(fd);

    fd = web_open_client();
    web_send(fd, "GET / HTTP/1.1\r\nHost: x\r\n");
    for (int i = 0; i < 100; i++)
        web_send(fd, "A:\r\n");
    web_send(fd, "\r\n");
    CHECK(web_read_answer(fd, false));
    web_check_has("HTTP/1.1 431 ");
    (void)close(fd);
    CHECK_EQ(web_stats()->bad_requests, 2);
    web_tear_down();
}

static void a_header_that_comes_at_once_is_limited_too(void)
{
    web_prepare();
    web_config.max_header_bytes = 38;
    web_start();
    web_check_status("GET /healthz HTTP/1.1\r\nHost: 56789\r\n\r\n", 200);
    web_check_problem("GET /healthz HTTP/1.1\r\nHost: 567890\r\n\r\n", 431, "header_too_large");
    web_tear_down();
}

static void a_body_over_the_limit_is_refused(void)
{
    int fd;

    web_prepare();
    web_config.max_body_bytes = 8;
    web_start();
    web_check_status(POST("/whip/demo", SDP "Content-Length: 8\r\n", "12345678"), 201);
    web_check_problem(POST("/whip/demo", SDP "Content-Length: 9\r\n", "123456789"), 413,
                      "too_large");
    web_check_problem(POST("/whip/demo", SDP "Content-Length: 9\r\nExpect: 100-continue\r\n", ""),
                      413, "too_large");
    web_check_status(POST("/whip/demo", SDP "Transfer-Encoding: chunked\r\n",
                          "4\r\n1234\r\n4\r\n5678\r\n0\r\n\r\n"),
                     201);
    web_check_problem(POST("/whip/demo", SDP "Transfer-Encoding: chunked\r\n",
                           "4\r\n1234\r\n5\r\n56789\r\n0\r\n\r\n"),
                      413, "too_large");
    web_check_problem(POST("/whip/demo", SDP "Transfer-Encoding: chunked\r\n", "ffffffff\r\n"), 413,
                      "too_large");
    fd = web_open_client();
    web_send(fd, POST("/whip/demo", SDP "Transfer-Encoding: chunked\r\n", "0\r\n"));
    for (int i = 0; i < 100; i++)
        web_send(fd, "Trailer: 0123456789012345678901234567890123456789\r\n");
    CHECK(web_read_answer(fd, false));
    web_check_has("HTTP/1.1 400 ");
    (void)close(fd);
    CHECK_EQ(web_seen.posts, 2);
    web_tear_down();
}

static void a_request_must_be_complete_in_time(void)
{
    int idle;
    int slow;
    int slow_body;
    char c = 'x';

    web_prepare();
    web_config.timeout_s = 1;
    web_start();
    idle = web_open_client();
    slow = web_open_client();
    slow_body = web_open_client();
    web_send(slow_body, POST("/whip/demo", SDP "Content-Length: 100\r\n", "v"));
    web_send(slow, "GET / HTTP/1.1\r\nHost: x\r\nX: ");
    for (int i = 0; i < 300 && web_stats()->bad_requests < 2;
         i++) { /* a byte now and then is no excuse */
        (void)send(slow, &c, 1, MSG_NOSIGNAL);
        (void)send(slow_body, &c, 1, MSG_NOSIGNAL);
        for (int j = 0; j < 10; j++)
            web_turn();
    }
    CHECK(web_read_answer(slow, false));
    web_check_has("HTTP/1.1 408 ");
    CHECK(web_read_answer(slow_body, false));
    web_check_has("\"code\":\"timeout\"");
    CHECK(web_is_closed(idle));
    (void)close(idle);
    (void)close(slow);
    (void)close(slow_body);
    CHECK_EQ(web_stats()->bad_requests, 2);
    web_tear_down();
}

static void connections_are_limited(void)
{
    int fds[3];
    int refused;

    web_prepare();
    web_config.max_connections = 3;
    web_start();
    for (int i = 0; i < 3; i++) {
        fds[i] = web_open_client();
        web_send(fds[i], GET("/healthz"));
        CHECK(web_read_answer(fds[i], false));
    }
    refused = web_open_client();
    CHECK(web_read_answer(refused, false));
    web_check_has("HTTP/1.1 503 Service Unavailable\r\n");
    web_check_has("Retry-After: ");
    CHECK(web_is_closed(refused));
    CHECK_EQ(web_stats()->refused, 1);
    CHECK_EQ(web_stats()->connections, 3);
    (void)close(refused);
    (void)close(fds[0]);
    for (int i = 0; i < 100 && web_stats()->connections == 3; i++)
        web_turn();
    web_check_status(GET("/healthz"), 200);
    (void)close(fds[1]);
    (void)close(fds[2]);
    web_tear_down();
}

static void connections_per_address_are_limited(void)
{
    int first;
    int refused;

    web_prepare();
    web_config.max_connections_per_address = 1;
    web_config.limit_loopback = true;
    web_start();
    first = web_open_websocket(); /* counts as long as it is open */
    refused = web_open_client();
    CHECK(web_read_answer(refused, false));
    web_check_has("HTTP/1.1 503 ");
    (void)close(refused);
    (void)close(first);
    for (int i = 0; i < 100 && web_stats()->connections > 0; i++)
        web_turn();
    web_check_status(GET("/healthz"), 200);
    web_tear_down();

    web_prepare();
    web_config.max_connections_per_address = 1;
    web_start();
    first = web_open_websocket();
    web_check_status(GET("/healthz"), 200); /* a reverse proxy on this host */
    (void)close(first);
    web_tear_down();
}

static void connections_are_opened_at_a_rate(void)
{
    uint32_t welcome = 0;

    web_prepare();
    web_config.max_openings_per_s = 1; /* and ten at once */
    web_config.limit_loopback = true;
    web_start();
    for (int i = 0; i < 15; i++) {
        int fd = web_open_client();

        web_send(fd, GET("/healthz"));
        CHECK(web_read_answer(fd, false));
        welcome += strncmp(web_answer, "HTTP/1.1 200 ", 13) == 0;
        if (i == 14) {
            web_check_has("HTTP/1.1 429 ");
            web_check_has("Retry-After: 1\r\n");
        }
        (void)close(fd);
    }
    CHECK(welcome >= 10 && welcome <= 12); /* a slow machine may wait a second here */
    CHECK_EQ(web_stats()->too_fast, 15 - welcome);
    web_tear_down();
}

static void a_client_that_does_not_read_is_cut_off(void)
{
    int fd;
    int small = 1024;

    web_prepare();
    web_config.timeout_s = 1;
    web_start();
    fd = web_open_client();
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    for (int i = 0; i < 1000; i++) { /* more answers than the kernel buffers */
        ssize_t n = send(fd, GET("/client/sluice.js"), strlen(GET("/client/sluice.js")),
                         MSG_NOSIGNAL);

        if (n < 0 && errno != EAGAIN)
            break;
        web_turn();
    }
    for (int i = 0; i < 500 && web_stats()->connections > 0; i++)
        web_turn();
    CHECK_EQ(web_stats()->connections, 0);
    CHECK(web_stats()->requests < 900);
    (void)close(fd);
    web_tear_down();
}

static void without_descriptors_it_waits_and_goes_on(void)
{
    struct rlimit before;
    struct rlimit none;
    int fd;

    web_set_up();
    fd = web_open_client();
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){.rlim_cur = 3, .rlim_max = before.rlim_max};
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
    for (int i = 0; i < 30; i++)
        web_turn();
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
    CHECK(web_stats()->accept_errors > 0);
    CHECK(web_stats()->accept_errors < 10); /* it does not spin */
    web_send(fd, GET("/healthz"));
    CHECK(web_read_answer(fd, false));
    web_check_has("{\"rooms\":3}");
    (void)close(fd);
    web_tear_down();
}

static void a_server_that_stops_accepting_keeps_its_clients(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd;
    int late;

    web_set_up();
    to.sin_port = htons(http_server_port(web_server));
    fd = web_open_client();
    web_send(fd, GET("/healthz"));
    CHECK(web_read_answer(fd, false));
    http_server_stop_accepting(web_server);
    late = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(connect(late, (struct sockaddr *)&to, sizeof(to)) < 0);
    web_send(fd, GET("/healthz"));
    CHECK(web_read_answer(fd, false));
    (void)close(late);
    (void)close(fd);
    web_tear_down();
}

static void a_taken_port_and_a_bad_address_are_told(void)
{
    struct http_server *second = NULL;

    web_set_up();
    web_config.port = http_server_port(web_server);
    CHECK_EQ(http_server_new(&second, web_base, &web_config, &web_handler, &web_seen), -EADDRINUSE);
    web_config.address = "localhost";
    CHECK_EQ(http_server_new(&second, web_base, &web_config, &web_handler, &web_seen), -EINVAL);
    web_config.address = "192.0.2.1";
    CHECK_EQ(http_server_new(&second, web_base, &web_config, &web_handler, &web_seen),
             -EADDRNOTAVAIL);
    CHECK(!second);
    web_tear_down();
}

static void pages_of_others_are_refused(void)
{
#define FROM(origin) "Host: calls.example\r\nOrigin: " origin "\r\n"
    web_prepare();
    web_config.origins = (struct http_origins){0};
    CHECK_EQ(http_origins_add(&web_config.origins, "https://app.example"), 0);
    web_start();
    web_check_status("GET /ws HTTP/1.1\r\n" FROM("https://evil.example") "\r\n", 403);
    web_check_has("\"code\":\"origin_not_allowed\"");
    web_check_has("pages of https://evil.example may not use the server, which is calls.example");
    CHECK(!strstr(web_answer, "Access-Control-Allow-Origin"));
    web_check_status("POST /whip/demo HTTP/1.1\r\n" FROM("null") SDP "\r\n", 403);
    web_check_status("OPTIONS /whep/demo HTTP/1.1\r\n" FROM("http://x") "\r\n", 403);
    web_check_status("GET /v1/rooms HTTP/1.1\r\n" FROM("http://x") "\r\n", 403);
    web_check_status("GET /metrics HTTP/1.1\r\n" FROM("http://x") "\r\n", 403);
    CHECK_EQ(web_seen.opened + web_seen.posts, 0);
    web_check_status("GET /healthz HTTP/1.1\r\n" FROM("http://x") "\r\n", 200);
    web_tear_down();
}

static void pages_that_may_read_the_answer(void)
{
    web_prepare();
    web_config.origins = (struct http_origins){0};
    CHECK_EQ(http_origins_add(&web_config.origins, "https://app.example"), 0);
    web_start();
    web_check_status("OPTIONS /whep/demo HTTP/1.1\r\n" FROM("https://app.example") "\r\n", 200);
    web_check_has("Access-Control-Allow-Origin: https://app.example\r\n");
    web_check_has("Vary: Origin\r\n");
    web_check_status("OPTIONS /whep/demo HTTP/1.1\r\n" FROM("https://calls.example") "\r\n", 200);
    web_check_has("Access-Control-Allow-Origin: https://calls.example\r\n");
    web_check_status("OPTIONS /whep/demo HTTP/1.1\r\nHost: x\r\n\r\n", 200);
    CHECK(!strstr(web_answer, "Access-Control-Allow-Origin"));
    web_tear_down();
#undef FROM
}

TAP_CASES(CASE(pages_of_others_are_refused), CASE(pages_that_may_read_the_answer),
          CASE(unknown_paths_are_not_found), CASE(health_is_what_the_handler_says),
          CASE(other_methods_are_not_allowed), CASE(a_header_over_the_limit_is_refused),
          CASE(a_header_that_comes_at_once_is_limited_too), CASE(a_body_over_the_limit_is_refused),
          CASE(a_request_must_be_complete_in_time), CASE(connections_are_limited),
          CASE(connections_per_address_are_limited), CASE(connections_are_opened_at_a_rate),
          CASE(a_client_that_does_not_read_is_cut_off),
          CASE(without_descriptors_it_waits_and_goes_on),
          CASE(a_server_that_stops_accepting_keeps_its_clients),
          CASE(a_taken_port_and_a_bad_address_are_told))
