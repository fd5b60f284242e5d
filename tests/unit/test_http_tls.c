#include "signaling/tls.h"
#include "tests/certificate.h"
#include "tests/http_fixture.h"
#include "tests/tap.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <sys/socket.h>
#include <unistd.h>

static struct certificate files;
static struct tls_context *server_tls, *client_tls;
static struct bufferevent *client;
static bool connected, ended;

static void on_event(struct bufferevent *bev, short what, void *arg)
{
    (void)bev;
    (void)arg;
    if (what & BEV_EVENT_CONNECTED)
        connected = true;
    else
        ended = true;
}

static void set_up(void)
{
    char error[TLS_ERROR_SIZE];

    web_prepare();
    certificate_init(&files, "IP:127.0.0.1", 3600);
    CHECK_EQ(tls_server_new(&server_tls, files.cert_file, files.key_file, error), 0);
    CHECK_EQ(tls_client_new(&client_tls, files.ca_file, false, error), 0);
    client = NULL;
}

static void start(void)
{
    web_start();
    http_server_use_tls(web_server, server_tls);
}

static void tear_down(void)
{
    if (client)
        bufferevent_free(client);
    web_turn();
    web_tear_down();
    server_tls = tls_free(server_tls);
    client_tls = tls_free(client_tls);
    certificate_done(&files);
}

/* A client that has begun, or done, its handshake on the socket. */
static void use_tls(int fd)
{
    connected = ended = false;
    client = tls_connect(client_tls, web_base, "127.0.0.1");
    CHECK(client);
    bufferevent_setcb(client, NULL, NULL, on_event, NULL);
    CHECK_EQ(bufferevent_setfd(client, fd), 0);
    CHECK_EQ(bufferevent_enable(client, EV_READ | EV_WRITE), 0);
}

/* Send a request and wait until the answer has these words. */
static void ask(const char *request, const char *words)
{
    struct evbuffer *input = bufferevent_get_input(client);
    ev_ssize_t n;

    CHECK_EQ(bufferevent_write(client, request, strlen(request)), 0);
    for (int waited = 0; waited < WEB_PATIENCE_MS; waited += 10) {
        if (evbuffer_search(input, words, strlen(words), NULL).pos >= 0)
            break;
        web_turn();
    }
    n = evbuffer_remove(input, web_answer, WEB_MAX_ANSWER);
    web_answer[n > 0 ? n : 0] = '\0';
    web_check_has(words);
}

static void requests_are_served_over_tls(void)
{
    set_up();
    start();
    use_tls(web_open_client());
    for (int i = 0; i < 2; i++) {
        ask(GET("/healthz"), "{\"rooms\":3}");
        web_check_has("HTTP/1.1 200 OK\r\n");
    }
    CHECK(connected);
    CHECK_EQ(web_stats()->requests, 2);
    CHECK_EQ(web_stats()->tls_errors, 0);
    ask("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "{\"rooms\":3}");
    for (int i = 0; i < 100 && !ended; i++)
        web_turn();
    CHECK(ended);
    tear_down();
}

static void large_files_are_served_whole(void)
{
    set_up();
    start();
    use_tls(web_open_client());
    ask(GET("/client/sluice.js"), "Content-Length: ");

    size_t want = web_body_len();
    size_t head = (size_t)(strstr(web_answer, "\r\n\r\n") + 4 - web_answer);
    size_t got = strlen(web_answer) - head;

    for (int i = 0; i < WEB_PATIENCE_MS / 10 && got < want; i++) {
        web_turn();
        got += evbuffer_get_length(bufferevent_get_input(client));
        (void)evbuffer_drain(bufferevent_get_input(client), want);
    }
    CHECK(want > 4096);
    CHECK_EQ(got, want);
    tear_down();
}

static void websockets_are_served_over_tls(void)
{
    set_up();
    start();
    use_tls(web_open_client());
    ask(WEB_UPGRADE WEB_KEY "\r\n", "\r\n\r\n\x81\x07welcome");
    CHECK_STR(web_seen.address, "127.0.0.1");
    CHECK_EQ(bufferevent_write(client, "\x81\x82\0\0\0\0hi", 8), 0);
    for (int i = 0; i < 100 && web_seen.messages == 0; i++)
        web_turn();
    CHECK_STR(web_seen.message, "hi");
    bufferevent_free(client);
    client = NULL;
    for (int i = 0; i < 100 && web_seen.closed == 0; i++)
        web_turn();
    CHECK_EQ(web_seen.closed, 1);
    tear_down();
}

static void plain_http_is_sent_to_https(void)
{
    int fd;

    set_up();
    start();
    fd = web_open_client();
    web_send(fd, "GET /some%20where/else?room=a%20b HTTP/1.1\r\nHost: calls.example:8443\r\n\r\n");
    CHECK(web_read_answer(fd, false));
    web_check_has("HTTP/1.1 308 Permanent Redirect\r\n");
    web_check_has("Location: https://calls.example:8443/some%20where/else?room=a%20b\r\n");
    (void)close(fd);
    web_check_status(GET("/"), 308);
    web_check_has("Location: https://x/\r\n");
    web_check_problem(POST("/whip/demo", SDP "Content-Length: 3\r\n", "v=0"), 400, "tls_required");
    web_check_problem(WEB_UPGRADE WEB_KEY "\r\n", 400, "tls_required");
    CHECK_EQ(web_seen.posts, 0);
    CHECK_EQ(web_seen.opened, 0);
    tear_down();
}

static void a_slow_handshake_is_ended(void)
{
    int fd;

    set_up();
    web_config.timeout_s = 0;
    start();
    fd = web_open_client();
    web_send_bytes(fd, "\x16\x03\x01\x02\0\x01", 6);
    CHECK(web_is_closed(fd));
    CHECK_EQ(web_stats()->tls_errors, 1);
    CHECK_EQ(web_stats()->connections, 0);
    (void)close(fd);
    fd = web_open_client(); /* not even a first byte */
    CHECK(web_is_closed(fd));
    (void)close(fd);
    tear_down();
}

static void what_is_no_tls_is_counted(void)
{
    int fd;

    set_up();
    start();
    fd = web_open_client();
    web_send_bytes(fd, "\x16garbage that is no ClientHello", 30);
    for (int i = 0; i < 100 && web_stats()->tls_errors == 0; i++)
        web_turn();
    CHECK_EQ(web_stats()->tls_errors, 1);
    CHECK_EQ(web_stats()->connections, 0);
    (void)close(fd);
    tear_down();
}

static void tls_may_come_behind_a_proxy_header(void)
{
    int fd;

    set_up();
    CHECK_EQ(address_prefixes_add(&web_config.proxy_protocol, "127.0.0.1"), 0);
    start();
    fd = web_open_client();
    web_send(fd, "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n");
    use_tls(fd);
    ask(WEB_UPGRADE WEB_KEY "\r\n", "HTTP/1.1 101 ");
    CHECK_STR(web_seen.address, "192.0.2.1");
    tear_down();
}

TAP_CASES(CASE(requests_are_served_over_tls), CASE(large_files_are_served_whole),
          CASE(websockets_are_served_over_tls), CASE(plain_http_is_sent_to_https),
          CASE(a_slow_handshake_is_ended), CASE(what_is_no_tls_is_counted),
          CASE(tls_may_come_behind_a_proxy_header))
