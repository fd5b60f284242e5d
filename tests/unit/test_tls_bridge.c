#include "client/tls_bridge.h"

#include "media/base/attributes.h"
#include "signaling/tls.h"
#include "tests/certificate.h"
#include "tests/tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <signal.h>
#include <unistd.h>

enum { PATIENCE_MS = 5000, TURN_MS = 5, DAY_S = 86400 };

static struct certificate files;
static struct event_base *base;
static struct tls_context *server, *client;
static struct evconnlistener *listener;                      /* the relay */
static struct bufferevent *relays[TLS_BRIDGE_MAX_PIPES + 1]; /* connections to it */
static size_t n_relays;
static struct bufferevent *local;
static bool mute; /* the relay reads nothing */
static struct tls_bridge *bridge;
static bool local_closed;
static char error[TLS_ERROR_SIZE];

static void echo(struct bufferevent *bev, void *arg)
{
    (void)arg;
    CHECK_EQ(bufferevent_write_buffer(bev, bufferevent_get_input(bev)), 0);
}

static void on_relay_event(struct bufferevent *bev, short what, void *arg)
{
    (void)arg;
    if (mute && (what & BEV_EVENT_CONNECTED))
        CHECK_EQ(bufferevent_disable(bev, EV_READ), 0);
}

/* NOLINTNEXTLINE(readability-function-size): libevent's typedef */
static void on_accept(struct evconnlistener *from, evutil_socket_t fd, struct sockaddr *address,
                      int len, void *arg)
{
    (void)from;
    (void)address;
    (void)len;
    (void)arg;
    CHECK(n_relays < ARRAY_LEN(relays));
    struct bufferevent *relay = tls_accept(server, base, fd);

    CHECK(relay);
    relays[n_relays++] = relay;
    bufferevent_setcb(relay, echo, NULL, on_relay_event, NULL);
    CHECK_EQ(bufferevent_enable(relay, EV_READ | EV_WRITE), 0);
}

static void on_local_event(struct bufferevent *bev, short what, void *arg)
{
    (void)bev;
    (void)arg;
    local_closed = local_closed || (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR));
}

static uint16_t listen_for_relay(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);

    listener = evconnlistener_new_bind(base, on_accept, NULL, LEV_OPT_CLOSE_ON_FREE, -1,
                                       (struct sockaddr *)&address, sizeof(address));
    CHECK(listener);
    CHECK_EQ(getsockname(evconnlistener_get_fd(listener), (struct sockaddr *)&address, &len), 0);
    return ntohs(address.sin_port);
}

static void set_up(const char *names, const char *host)
{
    struct tls_bridge_target target = {.host = host, .address = "127.0.0.1"};

    (void)signal(SIGPIPE, SIG_IGN);
    certificate_init(&files, names, DAY_S);
    base = event_base_new();
    CHECK(base);
    n_relays = 0;
    local = NULL;
    local_closed = mute = false;
    CHECK_EQ(tls_server_new(&server, files.cert_file, files.key_file, error), 0);
    CHECK_EQ(tls_client_new(&client, files.ca_file, false, error), 0);
    target.port = listen_for_relay();
    CHECK_EQ(tls_bridge_new(&bridge, base, client, &target), 0);
}

static void tear_down(void)
{
    bridge = tls_bridge_free(bridge);
    if (local)
        bufferevent_free(local);
    while (n_relays > 0)
        bufferevent_free(relays[--n_relays]);
    if (listener)
        evconnlistener_free(listener);
    listener = NULL;
    server = tls_free(server);
    client = tls_free(client);
    event_base_free(base);
    certificate_done(&files);
}

static struct bufferevent *open_local(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port = htons(tls_bridge_port(bridge))};
    struct bufferevent *bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);

    CHECK(bev);
    bufferevent_setcb(bev, NULL, NULL, on_local_event, NULL);
    CHECK_EQ(bufferevent_enable(bev, EV_READ | EV_WRITE), 0);
    CHECK_EQ(bufferevent_socket_connect(bev, (struct sockaddr *)&address, sizeof(address)), 0);
    return bev;
}

static void turn(void)
{
    struct timeval limit = {.tv_usec = TURN_MS * 1000};

    (void)event_base_loopexit(base, &limit);
    (void)event_base_dispatch(base);
}

#define TURN_UNTIL(condition)                                           \
    do {                                                                \
        for (int i = 0; i < PATIENCE_MS / TURN_MS && !(condition); i++) \
            turn();                                                     \
        CHECK(condition);                                               \
    } while (0)

static size_t arrived(struct bufferevent *bev)
{
    return evbuffer_get_length(bufferevent_get_input(bev));
}

static void bytes_come_back_through_tls(void)
{
    char text[6] = "";

    set_up("DNS:relay.test", "relay.test");
    local = open_local();
    CHECK_EQ(bufferevent_write(local, "hello", 5), 0);
    TURN_UNTIL(arrived(local) == 5);
    CHECK_EQ(bufferevent_read(local, text, 5), 5);
    CHECK_STR(text, "hello");
    CHECK_EQ(tls_bridge_pipes(bridge), 1);
    CHECK_STR(tls_bridge_error(bridge), "");
    tear_down();
}

static void much_arrives_whole(void)
{
    static uint8_t block[100000];

    set_up("DNS:relay.test", "relay.test");
    local = open_local();
    for (int i = 0; i < 10; i++)
        CHECK_EQ(bufferevent_write(local, block, sizeof(block)), 0);
    TURN_UNTIL(arrived(local) == 10 * sizeof(block));
    tear_down();
}

static void a_relay_that_reads_nothing_is_felt_at_the_other_end(void)
{
    static uint8_t block[1000000];
    size_t left = 0;

    set_up("DNS:relay.test", "relay.test");
    mute = true;
    local = open_local();
    for (int i = 0; i < 40; i++)
        CHECK_EQ(bufferevent_write(local, block, sizeof(block)), 0);
    for (int i = 0; i < 20; i++) { /* until nothing has moved for 0.1 s */
        size_t now = evbuffer_get_length(bufferevent_get_output(local));

        if (now != left)
            i = 0;
        left = now;
        turn();
    }
    /* What sockets hold is the kernel's affair, some MB; the rest stays where it was. */
    CHECK(left > 10 * sizeof(block));
    tear_down();
}

static void a_certificate_for_another_name_is_refused_and_told(void)
{
    set_up("DNS:other.test", "relay.test");
    local = open_local();
    TURN_UNTIL(local_closed);
    CHECK(strstr(tls_bridge_error(bridge), "relay.test"));
    CHECK(strstr(tls_bridge_error(bridge), "certificate"));
    CHECK_EQ(tls_bridge_pipes(bridge), 0);
    tear_down();
}

static void a_relay_that_is_not_there_is_told(void)
{
    set_up("DNS:relay.test", "relay.test");
    evconnlistener_free(listener);
    listener = NULL;
    local = open_local();
    TURN_UNTIL(local_closed);
    CHECK(strstr(tls_bridge_error(bridge), "refused"));
    tear_down();
}

static void who_closes_is_closed_at_the_other_end_after_the_last_byte(void)
{
    set_up("DNS:relay.test", "relay.test");
    local = open_local();
    CHECK_EQ(bufferevent_write(local, "hello", 5), 0);
    TURN_UNTIL(arrived(local) == 5);
    CHECK_EQ(bufferevent_write(relays[0], "bye", 3), 0);
    TURN_UNTIL(evbuffer_get_length(bufferevent_get_output(relays[0])) == 0);
    bufferevent_free(relays[--n_relays]);
    TURN_UNTIL(local_closed);
    CHECK_EQ(arrived(local), 8);
    CHECK_EQ(tls_bridge_pipes(bridge), 0);
    tear_down();
}

static void no_more_pipes_than_the_limit(void)
{
    struct bufferevent *all[TLS_BRIDGE_MAX_PIPES];

    set_up("DNS:relay.test", "relay.test");
    mute = true;
    for (size_t i = 0; i < TLS_BRIDGE_MAX_PIPES; i++)
        all[i] = open_local();
    TURN_UNTIL(tls_bridge_pipes(bridge) == TLS_BRIDGE_MAX_PIPES);
    CHECK(!local_closed);
    local = open_local();
    TURN_UNTIL(local_closed);
    CHECK_EQ(tls_bridge_pipes(bridge), TLS_BRIDGE_MAX_PIPES);
    for (size_t i = 0; i < TLS_BRIDGE_MAX_PIPES; i++)
        bufferevent_free(all[i]);
    tear_down();
}

static void a_name_is_no_address(void)
{
    struct tls_bridge_target target = {.host = "relay.test", .address = "relay.test", .port = 1};
    struct tls_bridge *none = NULL;

    base = event_base_new();
    CHECK(base);
    CHECK_EQ(tls_bridge_new(&none, base, NULL, &target), -EINVAL);
    event_base_free(base);
}

TAP_CASES(CASE(bytes_come_back_through_tls), CASE(much_arrives_whole),
          CASE(a_relay_that_reads_nothing_is_felt_at_the_other_end),
          CASE(a_certificate_for_another_name_is_refused_and_told),
          CASE(a_relay_that_is_not_there_is_told),
          CASE(who_closes_is_closed_at_the_other_end_after_the_last_byte),
          CASE(no_more_pipes_than_the_limit), CASE(a_name_is_no_address))
