#include "signaling/websocket.h"

#include "media/base/text.h"
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
    uint64_t pong;                       /* number of the last one */
    void (*on_message)(struct end *end); /* what the case does in the handler */
};

static struct event_base *base;
static struct end server, client;
static int peer = -1; /* raw other end of the server's */

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
    if (end->on_message)
        end->on_message(end);
}

static void on_close(void *owner, uint16_t code, const char *reason)
{
    struct end *end = owner;

    end->closed++;
    end->code = code;
    (void)snprintf(end->reason, sizeof(end->reason), "%s", reason);
}

static void on_pong(void *owner, uint64_t number)
{
    struct end *end = owner;

    end->pong = number;
}

static const struct websocket_handler handler = {
    .on_open = on_open, .on_message = on_message, .on_close = on_close, .on_pong = on_pong};

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
    if (peer >= 0)
        (void)close(peer);
    peer = -1;
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

/* The server's end, with a raw socket as its peer. */
static void accept_raw(void)
{
    struct bufferevent *bev;
    int fds[2];

    set_up();
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    (void)evutil_make_socket_nonblocking(fds[0]);
    peer = fds[1];
    bev = bufferevent_socket_new(base, fds[0], BEV_OPT_CLOSE_ON_FREE);
    CHECK(bev);
    CHECK_EQ(websocket_accept(&server.ws, base, bev, &handler, &server), 0);
}

/* A masked frame as a client sends it; the mask is 0. */
static void send_frame(uint8_t first, const void *payload, size_t len)
{
    uint8_t header[8] = {first, (uint8_t)(0x80 | len)};
    size_t header_len = 2;

    if (len > 125) {
        header[1] = 0x80 | 126;
        header[2] = (uint8_t)(len >> 8);
        header[3] = (uint8_t)len;
        header_len = 4;
    }
    CHECK_EQ(write(peer, header, header_len + 4), (ssize_t)header_len + 4);
    if (len > 0)
        CHECK_EQ(write(peer, payload, len), (ssize_t)len);
}

/* What the server sends next must be these bytes. */
static void expect_bytes(const char *bytes, size_t len)
{
    char buf[512];
    size_t got = 0;

    CHECK(len <= sizeof(buf));
    for (int i = 0; i < 100 && got < len; i++) {
        ssize_t n;

        run_once();
        n = recv(peer, buf + got, len - got, MSG_DONTWAIT);
        got += n > 0 ? (size_t)n : 0;
    }
    CHECK_EQ(got, len);
    CHECK_MEM(buf, bytes, len);
}

static void expect_close_code(uint16_t code)
{
    char frame[2];
    char buf[130];

    expect_bytes("\x88", 1);
    CHECK_EQ(recv(peer, buf, 1, 0), 1);
    CHECK(recv(peer, frame, 2, 0) == 2);
    CHECK_EQ((uint8_t)frame[0] << 8 | (uint8_t)frame[1], code);
    (void)recv(peer, buf, (size_t)buf[0] - 2, MSG_DONTWAIT);
}

/* A violation: the close frame says `code`, and the owner is told when the peer hangs up. */
static void expect_violation(uint16_t code)
{
    expect_close_code(code);
    CHECK_EQ(server.closed, 0);
    (void)close(peer);
    peer = -1;
    wait_for(&server.closed, 1);
    CHECK_EQ(server.code, code);
}

/* Server side against bytes */

static void the_accept_key_is_that_of_the_rfc(void)
{
    char accept[29];

    websocket_accept_key("dGhlIHNhbXBsZSBub25jZQ==", accept);
    CHECK_STR(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

static void a_text_frame_is_a_message(void)
{
    accept_raw();
    send_frame(0x81, "hello", 5);
    wait_for(&server.messages, 1);
    CHECK_STR(server.last, "hello");
    CHECK_EQ(websocket_send(server.ws, "hi", 2), 0);
    expect_bytes("\x81\x02hi", 4);
    tear_down();
}

static void fragments_are_put_together_with_control_frames_in_between(void)
{
    accept_raw();
    send_frame(0x01, "he", 2);
    send_frame(0x89, "p", 1);
    send_frame(0x00, "", 0);
    send_frame(0x80, "llo", 3);
    wait_for(&server.messages, 1);
    CHECK_STR(server.last, "hello");
    expect_bytes("\x8A\x01p", 3);
    tear_down();
}

/* A message of two fragments, a ping between them, and another message; the mask is "mask". */
static const char pieces[] = "\x01\x82mask\x05\x04"
                             "\x89\x81mask\x1d"
                             "\x80\x83mask\x01\x0d\x1c"
                             "\x81\xfe\x00\x7emask";

/* In every place there is a moment with nothing else to do, in which the server may also send. */
static void frames_may_come_in_any_pieces(void)
{
    enum { LONG = 126 };

    for (size_t step = 1; step < 9; step++) {
        char bytes[sizeof(pieces) - 1 + LONG];
        size_t len = sizeof(bytes);

        memcpy(bytes, pieces, sizeof(pieces) - 1);
        for (size_t i = 0; i < LONG; i++)
            bytes[sizeof(pieces) - 1 + i] = (char)('z' ^ "mask"[i % 4]);
        accept_raw();
        for (size_t at = 0; at < len; at += step) {
            size_t n = len - at < step ? len - at : step;

            CHECK_EQ(write(peer, bytes + at, n), (ssize_t)n);
            run_once();
            run_once();
        }
        wait_for(&server.messages, 2);
        CHECK_EQ(server.last_len, LONG);
        CHECK_EQ(server.last[0], 'z');
        CHECK_EQ(websocket_send(server.ws, "hi", 2), 0);
        expect_bytes("\x8A\x01p\x81\x02hi", 7);
        tear_down();
    }
}

static void frames_that_came_with_the_upgrade_are_not_lost(void)
{
    struct bufferevent *bev;

    accept_raw();
    bev = websocket_detach(server.ws);
    server.ws = NULL;
    send_frame(0x81, "early", 5);
    (void)bufferevent_enable(bev, EV_READ);
    while (evbuffer_get_length(bufferevent_get_input(bev)) == 0)
        run_once();
    CHECK_EQ(websocket_accept(&server.ws, base, bev, &handler, &server), 0);
    wait_for(&server.messages, 1);
    CHECK_STR(server.last, "early");
    tear_down();
}

static void what_the_caller_writes_goes_out_before_frames(void)
{
    struct bufferevent *bev;

    accept_raw();
    bev = websocket_detach(server.ws);
    CHECK_EQ(websocket_accept(&server.ws, base, bev, &handler, &server), 0);
    CHECK_EQ(websocket_send(server.ws, "hi", 2), 0);
    CHECK_EQ(bufferevent_write(bev, "101", 3), 0);
    expect_bytes("101\x81\x02hi", 7);
    tear_down();
}

static void a_binary_frame_is_answered_with_1003(void)
{
    accept_raw();
    send_frame(0x82, "x", 1);
    expect_violation(1003);
    CHECK_EQ(server.messages, 0);
    tear_down();
}

static void broken_frames_are_answered_with_1002(void)
{
    accept_raw();
    CHECK_EQ(write(peer, "\x81\x01x", 3), 3); /* not masked */
    expect_violation(1002);
    tear_down();

    accept_raw();
    send_frame(0xC1, "x", 1); /* reserved bit */
    expect_violation(1002);
    tear_down();

    accept_raw();
    send_frame(0x80, "x", 1); /* nothing to continue */
    expect_violation(1002);
    tear_down();

    accept_raw();
    CHECK_EQ(write(peer, "\x89\xFE\x01\x00", 4), 4); /* a ping of 256 bytes */
    expect_violation(1002);
    tear_down();

    accept_raw();
    send_frame(0x83, "x", 1); /* reserved opcode */
    expect_violation(1002);
    tear_down();
}

static void text_that_is_no_utf8_is_answered_with_1007(void)
{
    accept_raw();
    send_frame(0x81, "\xFF", 1);
    expect_violation(1007);
    CHECK_EQ(server.messages, 0);
    tear_down();
}

static void a_message_over_the_limit_is_answered_with_1009(void)
{
    accept_raw();
    /* 512 KiB + 1, announced in the header */
    CHECK_EQ(write(peer, "\x81\xFF\0\0\0\0\0\x08\0\x01\0\0\0\0x", 15), 15);
    expect_violation(1009);
    tear_down();
}

static void fragments_over_the_limit_are_answered_with_1009(void)
{
    static char part[32 * 1024];

    accept_raw();
    memset(part, 'x', sizeof(part));
    send_frame(0x01, part, sizeof(part));
    for (int i = 0; i < 15; i++) {
        run_once();
        send_frame(0x00, part, sizeof(part));
    }
    for (int i = 0; i < 100; i++)
        run_once();
    CHECK(recv(peer, part, 1, MSG_PEEK | MSG_DONTWAIT) < 0); /* 512 KiB: still fits */
    send_frame(0x00, "y", 1);
    expect_violation(1009);
    tear_down();
}

static void the_largest_message_arrives(void)
{
    static char part[32 * 1024];

    accept_raw();
    memset(part, 'x', sizeof(part));
    send_frame(0x01, part, sizeof(part));
    for (int i = 0; i < 14; i++) {
        run_once();
        send_frame(0x00, part, sizeof(part));
    }
    send_frame(0x80, part, sizeof(part));
    wait_for(&server.messages, 1);
    CHECK_EQ(server.last_len, WEBSOCKET_MAX_MESSAGE);
    tear_down();
}

static void a_close_frame_is_answered_and_reported(void)
{
    accept_raw();
    send_frame(0x88,
               "\x03\xE9"
               "bye",
               5);
    expect_bytes("\x88\x05\x03\xE9"
                 "bye",
                 7);
    wait_for(&server.closed, 1);
    CHECK_EQ(server.code, 1001);
    CHECK_STR(server.reason, "bye");
    CHECK_EQ(websocket_send(server.ws, "x", 1), -ENOTCONN);
    tear_down();
}

static void a_close_waits_for_what_is_queued(void)
{
    accept_raw();
    CHECK_EQ(websocket_send(server.ws, "last", 4), 0);
    websocket_close(server.ws, 1000, "done");
    CHECK_EQ(websocket_send(server.ws, "late", 4), -ENOTCONN);
    expect_bytes("\x81\x04last\x88\x06\x03\xE8"
                 "done",
                 14);
    CHECK_EQ(server.closed, 0);
    send_frame(0x88, "\x03\xE8", 2);
    wait_for(&server.closed, 1);
    CHECK_EQ(server.code, 1000);
    CHECK_STR(server.reason, "done");
    tear_down();
}

static void a_close_reason_is_cut_at_a_whole_character(void)
{
    char reason[3 * 50 + 1] = "";

    accept_raw();
    for (int i = 0; i < 50; i++)
        (void)snprintf(reason + 3 * i, 4, "\xE2\x82\xAC");
    websocket_close(server.ws, 1001, reason);
    expect_bytes("\x88\x7D\x03\xE9", 4); /* 123 bytes are 41 euro signs */
    expect_bytes(reason, 123);
    tear_down();
}

static void a_peer_that_does_not_answer_the_close_is_cut_off(void)
{
    accept_raw();
    websocket_close(server.ws, 1001, NULL);
    wait_for(&server.closed, 1);
    CHECK_EQ(server.code, 1001);
    tear_down();
}

static void a_connection_that_ends_is_1006(void)
{
    accept_raw();
    (void)close(peer);
    peer = -1;
    wait_for(&server.closed, 1);
    CHECK_EQ(server.code, 1006);
    CHECK_STR(server.reason, "the connection was closed");
    CHECK_EQ(websocket_send(server.ws, "x", 1), -ENOTCONN);
    websocket_close(server.ws, 1000, "");
    run_once();
    CHECK_EQ(server.closed, 1);
    tear_down();
}

static void an_idle_peer_is_pinged_and_then_dropped(void)
{
    accept_raw();
    websocket_set_idle(server.ws, 20);
    wait_for(&server.closed, 1);
    CHECK_STR(server.reason, "no answer to a ping");
    expect_bytes("\x89\x00", 2);
    tear_down();
}

static void an_answered_ping_keeps_the_connection(void)
{
    accept_raw();
    websocket_set_idle(server.ws, 20);
    for (int i = 0; i < 3; i++) {
        char ping[2];

        while (recv(peer, ping, 2, MSG_DONTWAIT) != 2)
            (void)event_base_loop(base, EVLOOP_ONCE);
        CHECK_MEM(ping, "\x89\x00", 2);
        send_frame(0x8A, "", 0);
    }
    CHECK_EQ(server.closed, 0);
    tear_down();
}

static void a_numbered_ping_is_told_of_when_it_is_answered(void)
{
    accept_raw();
    server.pong = 0;
    websocket_ping(server.ws, 0x0102030405060708);
    run_once();
    expect_bytes("\x89\x08\1\2\3\4\5\6\7\x08", 10);
    send_frame(0x8A, "", 0);
    run_once();
    CHECK_EQ(server.pong, 0);
    send_frame(0x8A, "\1\2\3\4\5\6\7\x08", 8);
    run_once();
    CHECK_EQ(server.pong, 0x0102030405060708);
    tear_down();
}

static void a_peer_that_does_not_read_is_dropped_at_the_queue_limit(void)
{
    static char message[256 * 1024];
    int sent = 0;
    int err = 0;

    accept_raw();
    memset(message, 'x', sizeof(message));
    for (; sent < 100 && err == 0; sent++) {
        err = websocket_send(server.ws, message, sizeof(message));
        run_once();
    }
    CHECK_EQ(err, -ENOBUFS);
    CHECK(sent > WEBSOCKET_MAX_QUEUE / (int)sizeof(message));
    wait_for(&server.closed, 1);
    CHECK_STR(server.reason, "the peer does not read");
    tear_down();
}

static void pings_of_a_peer_that_does_not_read_are_bounded_too(void)
{
    enum { PING = 6 + 125, PINGS = 300 };
    static uint8_t pings[PINGS * PING];

    accept_raw();
    (void)evutil_make_socket_nonblocking(peer);
    for (int i = 0; i < PINGS; i++) {
        pings[i * PING] = 0x89;
        pings[i * PING + 1] = 0x80 | 125;
    }
    for (int i = 0; i < 4000 && server.closed == 0; i++) {
        (void)!write(peer, pings, sizeof(pings)); /* what does not fit breaks a frame: */
        run_once();
    }
    CHECK_EQ(server.closed, 1);
    tear_down();
}

/* Handlers may do anything */

static void free_it(struct end *end)
{
    end->ws = websocket_free(end->ws);
}

static void a_handler_may_free_the_websocket(void)
{
    accept_raw();
    server.on_message = free_it;
    send_frame(0x81, "one", 3);
    send_frame(0x81, "two", 3);
    wait_for(&server.messages, 1);
    run_once();
    CHECK_EQ(server.messages, 1);
    CHECK_EQ(server.closed, 0);
    tear_down();
}

static void answer_and_close(struct end *end)
{
    CHECK_EQ(websocket_send(end->ws, "ok", 2), 0);
    websocket_close(end->ws, 1000, "");
}

static void a_handler_may_answer_and_close(void)
{
    accept_raw();
    server.on_message = answer_and_close;
    send_frame(0x81, "one", 3);
    send_frame(0x81, "two", 3);
    expect_bytes("\x81\x02ok\x88\x02\x03\xE8", 8);
    CHECK_EQ(server.messages, 1);
    CHECK_EQ(server.closed, 0);
    tear_down();
}

static void messages_sent_are_counted(void)
{
    uint64_t sent = 0;

    accept_raw();
    websocket_set_counter(server.ws, &sent);
    CHECK_EQ(websocket_send(server.ws, "1", 1), 0);
    CHECK_EQ(websocket_send(server.ws, "2", 1), 0);
    CHECK_EQ(sent, 2);
    tear_down();
}

TAP_CASES(CASE(the_accept_key_is_that_of_the_rfc), CASE(a_text_frame_is_a_message),
          CASE(fragments_are_put_together_with_control_frames_in_between),
          CASE(frames_may_come_in_any_pieces), CASE(frames_that_came_with_the_upgrade_are_not_lost),
          CASE(what_the_caller_writes_goes_out_before_frames),
          CASE(a_binary_frame_is_answered_with_1003), CASE(broken_frames_are_answered_with_1002),
          CASE(text_that_is_no_utf8_is_answered_with_1007),
          CASE(a_message_over_the_limit_is_answered_with_1009),
          CASE(fragments_over_the_limit_are_answered_with_1009), CASE(the_largest_message_arrives),
          CASE(a_close_frame_is_answered_and_reported), CASE(a_close_waits_for_what_is_queued),
          CASE(a_close_reason_is_cut_at_a_whole_character),
          CASE(a_peer_that_does_not_answer_the_close_is_cut_off),
          CASE(a_connection_that_ends_is_1006), CASE(an_idle_peer_is_pinged_and_then_dropped),
          CASE(an_answered_ping_keeps_the_connection),
          CASE(a_numbered_ping_is_told_of_when_it_is_answered),
          CASE(a_peer_that_does_not_read_is_dropped_at_the_queue_limit),
          CASE(pings_of_a_peer_that_does_not_read_are_bounded_too),
          CASE(a_handler_may_free_the_websocket), CASE(a_handler_may_answer_and_close),
          CASE(messages_sent_are_counted))
