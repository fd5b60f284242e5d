#include "signaling/websocket_dial.h"

#include "signaling/tls.h"
#include "signaling/websocket.h"
#include "tests/certificate.h"
#include "tests/tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_MS = 5000 };

/* What one end saw. */
struct end {
    struct websocket *ws;
    int opened, closed, messages;
    uint16_t code;
    char reason[128];
    char last[64]; /* beginning of the last message */
    size_t last_len;
};

static struct event_base *base;
static struct end server, client;
static struct tls_context *server_tls; /* NULL: a plain server */

static void on_open(void *owner)
{
    struct end *end = owner;

    end->opened++;
}

static void on_message(void *owner, const char *text, size_t len)
{
    struct end *end = owner;

    CHECK_EQ(text[len], '\0');
    end->messages++;
    end->last_len = len;
    (void)snprintf(end->last, sizeof(end->last), "%s", text);
}

static void on_close(void *owner, uint16_t code, const char *reason)
{
    struct end *end = owner;

    end->closed++;
    end->code = code;
    (void)snprintf(end->reason, sizeof(end->reason), "%s", reason);
}

static const struct websocket_handler handler = {on_open, on_message, on_close};

static void set_up(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    base = event_base_new();
    CHECK(base);
    server = client = (struct end){0};
}

static void tear_down(void)
{
    server.ws = websocket_free(server.ws);
    client.ws = websocket_free(client.ws);
    event_base_free(base);
}

/* Run the loop until *value is at least `least`. */
static void wait_for(const int *value, int least)
{
    struct timeval limit = {.tv_sec = PATIENCE_MS / 1000};

    (void)event_base_loopexit(base, &limit);
    while (*value < least && !event_base_got_exit(base))
        (void)event_base_loop(base, EVLOOP_ONCE);
    CHECK(*value >= least);
}

static void run_once(void)
{
    (void)event_base_loop(base, EVLOOP_NONBLOCK);
}

static char asked_protocol[32];
static const char *answer; /* NULL: upgrade; otherwise these bytes, and hang up */
static struct evconnlistener *listener;

static void answer_request(struct bufferevent *bev, void *arg)
{
    struct evbuffer *input = bufferevent_get_input(bev);
    char key[25] = "";
    char accept[29];
    char *line;

    (void)arg;
    if (evbuffer_search(input, "\r\n\r\n", 4, NULL).pos < 0)
        return;
    while ((line = evbuffer_readln(input, NULL, EVBUFFER_EOL_CRLF)) != NULL) {
        (void)sscanf(line, "Sec-WebSocket-Key: %24s", key);
        (void)sscanf(line, "Sec-WebSocket-Protocol: %31s", asked_protocol);
        free(line);
    }
    if (answer) {
        CHECK_EQ(write(bufferevent_getfd(bev), answer, strlen(answer)), (ssize_t)strlen(answer));
        bufferevent_free(bev);
        return;
    }
    CHECK_EQ(websocket_accept(&server.ws, base, bev, &handler, &server), 0);
    websocket_accept_key(key, accept);
    (void)evbuffer_add_printf(bufferevent_get_output(bev),
                              "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                              "Connection: Upgrade\r\nsec-websocket-accept: %s\r\n\r\n",
                              accept);
    CHECK_EQ(websocket_send(server.ws, "welcome", 7), 0);
}

/* The client does not want to talk to us. */
static void on_failed_handshake(struct bufferevent *bev, short what, void *arg)
{
    (void)arg;
    if (!(what & BEV_EVENT_CONNECTED))
        bufferevent_free(bev);
}

static void on_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *address,
                      int len, void *arg)
{
    struct bufferevent *bev = server_tls ? tls_accept(server_tls, base, fd)
                                         : bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);

    (void)l;
    (void)address;
    (void)len;
    (void)arg;
    bufferevent_setcb(bev, answer_request, NULL, on_failed_handshake, NULL);
    (void)bufferevent_enable(bev, EV_READ | EV_WRITE);
}

static void connect_to(const char *host, uint16_t port)
{
    char url[64];

    (void)snprintf(url, sizeof(url), "ws://%s:%u/ws?x=1", host, port);
    CHECK_EQ(websocket_connect(&client.ws, base, url, &handler, &client), 0);
    CHECK_EQ(client.opened + client.closed, 0);
}

static uint16_t listen_locally(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);

    listener = evconnlistener_new_bind(base, on_accept, NULL, LEV_OPT_CLOSE_ON_FREE, 8,
                                       (struct sockaddr *)&address, sizeof(address));
    CHECK(listener);
    CHECK_EQ(getsockname(evconnlistener_get_fd(listener), (struct sockaddr *)&address, &len), 0);
    return ntohs(address.sin_port);
}

static void connect_and_expect(const char *with_answer, const char *reason)
{
    set_up();
    answer = with_answer;
    connect_to("127.0.0.1", listen_locally());
    wait_for(&client.closed, 1);
    CHECK_EQ(client.opened, 0);
    CHECK_EQ(client.code, 1006);
    CHECK_STR(client.reason, reason);
    evconnlistener_free(listener);
    tear_down();
}

static void two_ends_talk(void)
{
    set_up();
    answer = NULL;
    connect_to("localhost", listen_locally()); /* also where localhost is ::1 first */
    wait_for(&client.opened, 1);
    wait_for(&client.messages, 1);
    CHECK_STR(client.last, "welcome");
    CHECK_EQ(websocket_send(client.ws, "thanks", 6), 0);
    wait_for(&server.messages, 1);
    CHECK_STR(server.last, "thanks");
    websocket_close(client.ws, 1000, "enough");
    wait_for(&client.closed, 1);
    wait_for(&server.closed, 1);
    CHECK_EQ(server.code, 1000);
    CHECK_STR(server.reason, "enough");
    CHECK_EQ(client.code, 1000);
    evconnlistener_free(listener);
    tear_down();
}

static void a_sub_protocol_is_asked_for(void)
{
    struct websocket_handler with_protocol = handler;
    char url[64];

    set_up();
    answer = NULL;
    with_protocol.protocol = "janus-protocol";
    (void)snprintf(url, sizeof(url), "ws://127.0.0.1:%u/", listen_locally());
    CHECK_EQ(websocket_connect(&client.ws, base, url, &with_protocol, &client), 0);
    wait_for(&client.opened, 1);
    CHECK_STR(asked_protocol, "janus-protocol");
    evconnlistener_free(listener);
    tear_down();
}

/* Connect over TLS to 127.0.0.1, trusting `ca_file`, until it is open or closed. */
static void connect_securely(const char *ca_file)
{
    struct websocket_handler secure = handler;
    char error[TLS_ERROR_SIZE];
    char url[64];

    answer = NULL;
    CHECK_EQ(tls_client_new(&secure.tls, ca_file, false, error), 0);
    (void)snprintf(url, sizeof(url), "wss://127.0.0.1:%u/ws", listen_locally());
    CHECK_EQ(websocket_connect(&client.ws, base, url, &secure, &client), 0);
    while (client.opened + client.closed == 0)
        run_once();
    if (client.opened)
        wait_for(&client.messages, 1);
    evconnlistener_free(listener);
    client.ws = websocket_free(client.ws);
    tls_free(secure.tls);
}

static void two_ends_talk_over_tls(void)
{
    struct certificate files;
    char error[TLS_ERROR_SIZE];

    set_up();
    certificate_init(&files, "IP:127.0.0.1", 3600);
    CHECK_EQ(tls_server_new(&server_tls, files.cert_file, files.key_file, error), 0);
    connect_securely(files.ca_file);
    CHECK_STR(client.last, "welcome");
    server.ws = websocket_free(server.ws);
    certificate_renew(&files, "IP:127.0.0.2", 3600);
    CHECK_EQ(tls_server_reload(server_tls, error), 0);
    client = (struct end){0};
    connect_securely(files.ca_file);
    CHECK_EQ(client.opened, 0);
    CHECK_STR(client.reason, "its certificate is not accepted: IP address mismatch");
    server_tls = tls_free(server_tls);
    certificate_done(&files);
    tear_down();
}

static void a_refused_tls_connection_is_told_in_words(void)
{
    char url[64];

    set_up();
    (void)snprintf(url, sizeof(url), "wss://127.0.0.1:%u/ws", listen_locally());
    evconnlistener_free(listener);
    CHECK_EQ(websocket_connect(&client.ws, base, url, &handler, &client), 0);
    wait_for(&client.closed, 1);
    CHECK_STR(client.reason, "connection refused");
    tear_down();
}

static void a_refused_connection_is_told_in_words(void)
{
    uint16_t port;

    set_up();
    port = listen_locally();
    evconnlistener_free(listener);
    connect_to("127.0.0.1", port);
    wait_for(&client.closed, 1);
    CHECK_EQ(client.opened, 0);
    CHECK_STR(client.reason, "connection refused");
    tear_down();
}

static void a_refused_upgrade_is_told_in_words(void)
{
    connect_and_expect("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\n\r\n",
                       "the server answered 503 Service Unavailable");
    connect_and_expect(
        "HTTP/1.1 101 OK\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
        "the server is no WebSocket server (wrong Sec-WebSocket-Accept)");
    connect_and_expect("HTTP/1.1 101 OK\r\n\r\n",
                       "the server is no WebSocket server (wrong Sec-WebSocket-Accept)");
    connect_and_expect("SSH-2.0-x\r\n\r\n", "the server does not speak HTTP");
    connect_and_expect("HTTP/1.1 418 \x1B[31m\r\n\r\n", "the server answered 418 ?[31m");
    connect_and_expect("HTTP/1.1 101", "the server closed the connection instead of answering");
}

static void an_unknown_host_is_told_in_words(void)
{
    set_up();
    CHECK_EQ(websocket_connect(&client.ws, base, "ws://no-such-host.invalid/ws", &handler, &client),
             0);
    wait_for(&client.closed, 1);
    CHECK(strstr(client.reason, "cannot find no-such-host.invalid"));
    tear_down();
}

static void bad_urls_are_refused_at_once(void)
{
    static const char *const urls[] = {
        "",
        "ws:",
        "ws://",
        "ws:///ws",
        "http://localhost/ws",
        "wss://localhost:70000/ws",
        "ws://user@localhost/ws",
        "ws://localhost/ws#x",
        "ws://localhost:0/",
        "ws://localhost:65536/",
        "ws://localhost/a b",
        "ws://localhost/\r\nX: y",
    };

    set_up();
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
        CHECK_EQ(websocket_connect(&client.ws, base, urls[i], &handler, &client), -EINVAL);
    tear_down();
}

static void closing_before_it_is_open_is_reported(void)
{
    set_up();
    connect_to("127.0.0.1", listen_locally());
    websocket_close(client.ws, 1000, "changed my mind");
    CHECK_EQ(client.closed, 0);
    wait_for(&client.closed, 1);
    CHECK_STR(client.reason, "changed my mind");
    evconnlistener_free(listener);
    tear_down();
}

static void freeing_before_it_is_open_is_silent(void)
{
    set_up();
    connect_to("127.0.0.1", listen_locally());
    client.ws = websocket_free(client.ws);
    run_once();
    CHECK_EQ(client.closed, 0);
    evconnlistener_free(listener);
    tear_down();
}

TAP_CASES(CASE(two_ends_talk), CASE(two_ends_talk_over_tls),
          CASE(a_refused_tls_connection_is_told_in_words), CASE(a_sub_protocol_is_asked_for),
          CASE(a_refused_connection_is_told_in_words), CASE(a_refused_upgrade_is_told_in_words),
          CASE(an_unknown_host_is_told_in_words), CASE(bad_urls_are_refused_at_once),
          CASE(closing_before_it_is_open_is_reported), CASE(freeing_before_it_is_open_is_silent))
