#include "tests/http_fixture.h"
#include "tests/tap.h"

#include <sys/socket.h>
#include <unistd.h>

static void ws_is_upgraded_and_carries_messages(void)
{
    int fd;

    web_set_up();
    fd = web_open_websocket();
    for (int i = 0; i < 100 && !strstr(web_answer, "\r\n\r\n\x81\x07welcome"); i++) {
        ssize_t n = recv(fd, web_answer + web_answer_len, 64, 0);

        web_answer_len += n > 0 ? (size_t)n : 0;
        web_answer[web_answer_len] = '\0';
        web_turn();
    }
    web_check_has("\r\n\r\n\x81\x07welcome");
    CHECK_STR(web_seen.address, "127.0.0.1");
    web_send_bytes(fd, "\x81\x82\0\0\0\0hi", 8);
    for (int i = 0; i < 100 && web_seen.messages == 0; i++)
        web_turn();
    CHECK_STR(web_seen.message, "hi");
    CHECK_EQ(web_stats()->websockets, 1);
    CHECK_EQ(web_stats()->open_websockets, 1);
    CHECK_EQ(web_stats()->messages_in, 1);
    CHECK_EQ(web_stats()->messages_out, 1);
    (void)close(fd);
    for (int i = 0; i < 100 && web_seen.closed == 0; i++)
        web_turn();
    CHECK_EQ(web_seen.closed, 1);
    CHECK_EQ(web_stats()->open_websockets, 0);
    CHECK_EQ(web_stats()->connections, 0);
    web_tear_down();
}

static void a_message_may_come_with_the_upgrade(void)
{
    static const char request[] = WEB_UPGRADE WEB_KEY "\r\n\x81\x83\0\0\0\0bye";
    int fd;

    web_set_up();
    fd = web_open_client();
    web_send_bytes(fd, request, sizeof(request) - 1);
    for (int i = 0; i < 100 && web_seen.messages == 0; i++)
        web_turn();
    CHECK_STR(web_seen.message, "bye");
    (void)close(fd);
    for (int i = 0; i < 100 && web_seen.closed == 0; i++)
        web_turn();
    CHECK_EQ(web_seen.closed, 1);
    web_tear_down();
}

static void see_token(const char *request, const char *token)
{
    int fd;

    web_set_up();
    fd = web_open_client();
    web_send(fd, request);
    CHECK(web_read_answer(fd, true));
    web_check_has("HTTP/1.1 101 ");
    CHECK_STR(web_seen.token, token);
    (void)close(fd);
    web_tear_down();
}

static void token_comes_with_the_upgrade(void)
{
#define HEAD(query)                                                  \
    "GET /ws" query " HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n" \
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" WEB_KEY

    see_token(HEAD("") "\r\n", "");
    see_token(HEAD("?access_token=a.b-c_d") "\r\n", "a.b-c_d");
    see_token(HEAD("?x=1&access_token=e.f&y") "\r\n", "e.f");
    see_token(HEAD("?access_token=") "\r\n", "");
    see_token(HEAD("?access_token=a%20b") "\r\n", "");
    see_token(HEAD("") "Authorization: bearer  g.h\r\n\r\n", "g.h");
    see_token(HEAD("?access_token=e.f") "Authorization: Bearer g.h\r\n\r\n", "g.h");
    see_token(HEAD("?access_token=e.f") "Authorization: Basic Zm9v\r\n\r\n", "e.f");
    see_token(HEAD("") "Authorization: Bearer two words\r\n\r\n", "");
#undef HEAD
}

static void breaking_the_websocket_protocol_is_counted(void)
{
    int fd;

    web_set_up();
    fd = web_open_websocket();
    web_send_bytes(fd, "\x81\x01x", 3);
    web_turn();
    (void)close(fd);
    for (int i = 0; i < 100 && web_seen.closed == 0; i++)
        web_turn();
    CHECK_EQ(web_stats()->ws_errors, 1);
    web_tear_down();
}

static void what_is_no_upgrade_is_refused_in_words(void)
{
    web_set_up();
    web_check_problem(GET("/ws"), 426, "upgrade_required");
    web_check_has("Sec-WebSocket-Version: 13\r\n");
    web_check_problem("GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
                      "Sec-WebSocket-Version: 8\r\n" WEB_KEY "\r\n",
                      426, "upgrade_required");
    web_check_problem(WEB_UPGRADE "\r\n", 400, "bad_request");
    web_check_problem(WEB_UPGRADE "Sec-WebSocket-Key: short\r\n\r\n", 400, "bad_request");
    CHECK_EQ(web_seen.opened, 0);
    web_tear_down();
}

static void the_handler_may_refuse_an_upgrade(void)
{
    int fd;

    web_set_up();
    web_seen.busy = true;
    fd = web_open_client();
    web_send(fd, WEB_UPGRADE WEB_KEY "\r\n");
    CHECK(web_read_answer(fd, false));
    web_check_has("HTTP/1.1 503 Service Unavailable\r\n");
    web_check_has("Retry-After: 5\r\n");
    web_check_has("\"code\":\"busy\"");
    CHECK_EQ(web_stats()->refused, 1);
    web_send(fd, GET("/healthz")); /* the connection is as good as before */
    CHECK(web_read_answer(fd, false));
    web_check_has("{\"rooms\":3}");
    (void)close(fd);
    web_tear_down();
}

static void freeing_the_server_ends_sessions(void)
{
    int fd;

    web_set_up();
    fd = web_open_websocket();
    web_tear_down();
    CHECK_EQ(web_seen.closed, 1);
    (void)close(fd);
}

TAP_CASES(CASE(ws_is_upgraded_and_carries_messages), CASE(a_message_may_come_with_the_upgrade),
          CASE(token_comes_with_the_upgrade), CASE(breaking_the_websocket_protocol_is_counted),
          CASE(what_is_no_upgrade_is_refused_in_words), CASE(the_handler_may_refuse_an_upgrade),
          CASE(freeing_the_server_ends_sessions))
