#include "signaling/websocket.h"

#include "media/base/random.h"
#include "media/base/reader.h"
#include "media/base/text.h"
#include "media/base/writer.h"
#include "signaling/websocket_dial.h"

#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <wslay/wslay.h>

enum { CLOSE_REASON_MAX = 123 }; /* RFC 6455 section 5.5: a control frame has 125 bytes */

/* Moves down this list only. */
enum state {
    STATE_OPENING, /* client: dialling */
    STATE_OPEN,
    STATE_CLOSING, /* a close frame is on its way, one way or the other */
    STATE_CLOSED,  /* the connection is gone; on_close may still be due */
};

struct websocket {
    struct event_base *base;
    struct websocket_handler handler;
    void *owner;
    enum state state;
    bool client;
    struct websocket_dial *dial;   /* STATE_OPENING */
    struct bufferevent *bev;       /* STATE_OPEN and STATE_CLOSING */
    wslay_event_context_ptr wslay; /* NULL: nothing is under way, see rest() */
    struct event *timer;           /* OPEN: idle; CLOSING: the end */
    struct event *work;            /* what must not happen inside a call of the owner's */
    struct timeval idle, patience; /* until a ping, and for its answer */
    bool ping_unanswered;
    struct text incoming;  /* message that is being received */
    bool in_control_frame; /* the frame being received is no part of it */
    bool in_message;       /* another frame of it is to come */
    uint64_t unread;       /* bytes that wslay has of a frame's head */
    uint64_t frame_left;   /* bytes of a frame's payload that are to come */
    bool reported;         /* on_close was called */
    bool close_wanted;     /* by the owner; the frame goes out after what is queued */
    uint16_t close_code;
    char close_reason[CLOSE_REASON_MAX + 1];
    unsigned depth; /* callbacks of libevent's that we are in */
    bool freed;     /* by the owner, while depth > 0 */
    uint64_t *sent;
};

static void set_state(struct websocket *ws, enum state state)
{
    assert(state > ws->state);
    ws->state = state;
}

static void destroy(struct websocket *ws)
{
    if (ws->dial)
        ws->dial = websocket_dial_free(ws->dial);
    if (ws->bev)
        bufferevent_free(ws->bev);
    if (ws->timer)
        event_free(ws->timer);
    if (ws->work)
        event_free(ws->work);
    if (ws->wslay)
        wslay_event_context_free(ws->wslay);
    text_done(&ws->incoming);
    free(ws);
}

static void enter(struct websocket *ws)
{
    ws->depth++;
}

static void leave(struct websocket *ws)
{
    assert(ws->depth > 0);
    if (--ws->depth == 0 && ws->freed)
        destroy(ws);
}

/* Keep why it ended; the first reason counts. `reason` is cut at a whole character. */
static void set_reason(struct websocket *ws, uint16_t code, const char *reason, size_t len)
{
    if (ws->close_code)
        return;
    if (len > CLOSE_REASON_MAX) {
        len = CLOSE_REASON_MAX;
        while (len > 0 && ((unsigned char)reason[len] & 0xC0) == 0x80)
            len--;
    }
    ws->close_code = code;
    if (len > 0)
        memcpy(ws->close_reason, reason, len);
    ws->close_reason[len] = '\0';
}

/* The connection ends now; on_close follows from the loop. */
static void finish(struct websocket *ws, uint16_t code, const char *reason)
{
    if (ws->state == STATE_CLOSED)
        return;
    set_reason(ws, code, reason, strlen(reason));
    set_state(ws, STATE_CLOSED);
    (void)event_del(ws->timer);
    ws->dial = websocket_dial_free(ws->dial);
    if (ws->bev)
        bufferevent_free(ws->bev);
    ws->bev = NULL;
    event_active(ws->work, EV_TIMEOUT, 1);
}

static void begin_closing(struct websocket *ws)
{
    static const struct timeval limit = {.tv_sec = WEBSOCKET_CLOSE_S};

    set_state(ws, STATE_CLOSING);
    (void)event_add(ws->timer, &limit);
}

/* Both close frames are through, and ours has left. */
static bool is_closed_cleanly(const struct websocket *ws)
{
    return ws->state == STATE_CLOSING && ws->wslay && wslay_event_get_close_received(ws->wslay) &&
           !wslay_event_want_write(ws->wslay) &&
           evbuffer_get_length(bufferevent_get_output(ws->bev)) == 0;
}

static size_t queued_len(const struct websocket *ws)
{
    size_t len = evbuffer_get_length(bufferevent_get_output(ws->bev));

    return ws->wslay ? len + wslay_event_get_queued_msg_length(ws->wslay) : len;
}

static void flush(struct websocket *ws)
{
    if (!ws->wslay)
        return;
    if (wslay_event_send(ws->wslay) != 0)
        finish(ws, WSLAY_CODE_INTERNAL_SERVER_ERROR, "out of memory");
    else if (queued_len(ws) > WEBSOCKET_MAX_QUEUE) /* of answers to its pings */
        finish(ws, WSLAY_CODE_POLICY_VIOLATION, "the peer does not read");
    else if (is_closed_cleanly(ws))
        finish(ws, WSLAY_CODE_NO_STATUS_RCVD, "");
}

/* Frames that cannot be parsed: wslay has queued a close frame without a code. Ours says why. */
static void refuse_frames(struct websocket *ws, uint16_t code, const char *reason)
{
    uint8_t frame[8] = {0x80 | WSLAY_CONNECTION_CLOSE, 2};
    uint8_t mask[4] = {0};
    size_t at = 2;

    wslay_event_shutdown_read(ws->wslay);
    wslay_event_shutdown_write(ws->wslay);
    if (ws->state != STATE_OPEN)
        return;
    if (ws->client) {
        random_bytes(mask, sizeof(mask));
        frame[1] |= 0x80;
        memcpy(frame + at, mask, sizeof(mask));
        at += sizeof(mask);
    }
    frame[at++] = (uint8_t)(code >> 8 ^ mask[0]);
    frame[at++] = (uint8_t)((code & 0xFF) ^ mask[1]);
    (void)bufferevent_write(ws->bev, frame, at);
    set_reason(ws, code, reason, strlen(reason));
    begin_closing(ws);
}

static const char *violation_name(uint16_t code)
{
    switch (code) {
    case WSLAY_CODE_MESSAGE_TOO_BIG:
        return "message too long";
    case WSLAY_CODE_INVALID_FRAME_PAYLOAD_DATA:
        return "invalid UTF-8";
    case WSLAY_CODE_UNSUPPORTED_DATA:
        return "only text messages are supported";
    case WSLAY_CODE_PROTOCOL_ERROR:
        return "protocol error";
    default:
        return "";
    }
}

static void receive(struct websocket *ws)
{
    int err = wslay_event_recv(ws->wslay);

    if (ws->freed || ws->state == STATE_CLOSED)
        return;
    if (err == WSLAY_ERR_NOMEM)
        refuse_frames(ws, WSLAY_CODE_INTERNAL_SERVER_ERROR, "out of memory");
    else if (err != 0)
        refuse_frames(ws, WSLAY_CODE_PROTOCOL_ERROR, violation_name(WSLAY_CODE_PROTOCOL_ERROR));
    flush(ws);
    if (ws->state != STATE_OPEN || wslay_event_get_read_enabled(ws->wslay))
        return;

    /* wslay refuses the peer's frames and has sent the close frame that says so */
    uint16_t code = wslay_event_get_status_code_sent(ws->wslay);
    const char *reason = violation_name(code);

    set_reason(ws, code, reason, strlen(reason));
    begin_closing(ws);
}

static int new_wslay(struct websocket *ws);

/* @return false: no memory, and the connection ends */
static bool wake(struct websocket *ws)
{
    if (ws->wslay || new_wslay(ws) == 0)
        return true;
    finish(ws, WSLAY_CODE_INTERNAL_SERVER_ERROR, "out of memory");
    return false;
}

/* wslay's context is 8.6 kB, nearly all of them buffers, and most WebSockets are silent most of the
 * time: where nothing is half received and nothing waits to be sent, there is none. */
static void rest(struct websocket *ws)
{
    if (ws->depth > 1 || ws->freed || ws->state != STATE_OPEN || !ws->wslay || ws->in_message ||
        ws->unread > 0 || ws->frame_left > 0 || wslay_event_want_write(ws->wslay) ||
        !wslay_event_get_read_enabled(ws->wslay))
        return;
    wslay_event_context_free(ws->wslay);
    ws->wslay = NULL;
}

static void take_input(struct websocket *ws)
{
    struct evbuffer *input = bufferevent_get_input(ws->bev);

    if (!wake(ws))
        return;
    if (ws->state == STATE_OPEN) {
        ws->ping_unanswered = false;
        (void)event_add(ws->timer, &ws->idle);
    }
    if (wslay_event_get_read_enabled(ws->wslay))
        receive(ws);
    else /* unread bytes would make the kernel reset the connection, and lose our close frame */
        (void)evbuffer_drain(input, evbuffer_get_length(input));
}

static void on_readable(struct bufferevent *bev, void *arg)
{
    struct websocket *ws = arg;

    (void)bev;
    enter(ws);
    take_input(ws);
    rest(ws);
    leave(ws);
}

static void on_written(struct bufferevent *bev, void *arg)
{
    struct websocket *ws = arg;

    (void)bev;
    if (is_closed_cleanly(ws))
        finish(ws, WSLAY_CODE_NO_STATUS_RCVD, "");
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
    struct websocket *ws = arg;

    (void)bev;
    finish(ws, WSLAY_CODE_ABNORMAL_CLOSURE,
           what & BEV_EVENT_EOF ? "the connection was closed" : "the connection was lost");
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    static const struct wslay_event_msg ping = {.opcode = WSLAY_PING};
    struct websocket *ws = arg;

    (void)fd;
    (void)what;
    if (ws->state != STATE_OPEN) {
        finish(ws, WSLAY_CODE_ABNORMAL_CLOSURE, "the peer did not close in time");
    } else if (ws->ping_unanswered) {
        finish(ws, WSLAY_CODE_ABNORMAL_CLOSURE, "no answer to a ping");
    } else {
        ws->ping_unanswered = true;
        (void)event_add(ws->timer, &ws->patience);
        if (!wake(ws))
            return;
        (void)wslay_event_queue_msg(ws->wslay, &ping); /* out of memory: dropped the next time */
        flush(ws);
        rest(ws);
    }
}

static void report(struct websocket *ws)
{
    if (ws->reported || ws->freed)
        return;
    ws->reported = true;
    ws->handler.on_close(ws->owner, ws->close_code, ws->close_reason);
}

/* wslay lets a close frame overtake messages, which are lost then: so flush() them first. */
static void send_close(struct websocket *ws)
{
    ws->close_wanted = false;
    if (!wake(ws))
        return;
    if (wslay_event_queue_close(ws->wslay, ws->close_code, (const uint8_t *)ws->close_reason,
                                strlen(ws->close_reason)) != WSLAY_ERR_NOMEM)
        flush(ws);
    else
        finish(ws, WSLAY_CODE_INTERNAL_SERVER_ERROR, "out of memory");
}

static void on_work(evutil_socket_t fd, short what, void *arg)
{
    struct websocket *ws = arg;

    (void)fd;
    (void)what;
    enter(ws);
    if (ws->bev && evbuffer_get_length(bufferevent_get_input(ws->bev)) > 0)
        take_input(ws); /* frames that came together with the upgrade */
    if (ws->bev && !ws->freed)
        flush(ws);
    if (ws->bev && ws->close_wanted)
        send_close(ws);
    if (ws->state == STATE_CLOSED)
        report(ws);
    rest(ws);
    leave(ws);
}

static ssize_t recv_callback(wslay_event_context_ptr ctx, uint8_t *buf, size_t len, int flags,
                             void *arg)
{
    struct websocket *ws = arg;
    int n = ws->bev ? evbuffer_remove(bufferevent_get_input(ws->bev), buf, len) : -1;

    (void)flags;
    if (n > 0) {
        ws->unread += (uint64_t)n;
        return n;
    }
    wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
    return -1;
}

static ssize_t send_callback(wslay_event_context_ptr ctx, const uint8_t *data, size_t len,
                             int flags, void *arg)
{
    struct websocket *ws = arg;

    (void)flags;
    if (bufferevent_write(ws->bev, data, len) == 0)
        return (ssize_t)len;
    wslay_event_set_error(ctx, WSLAY_ERR_CALLBACK_FAILURE);
    return -1;
}

static int genmask_callback(wslay_event_context_ptr ctx, uint8_t *buf, size_t len, void *arg)
{
    (void)ctx;
    (void)arg;
    random_bytes(buf, len);
    return 0;
}

/* Stop reading and say why. */
static void violate(struct websocket *ws, uint16_t code)
{
    const char *reason = violation_name(code);

    wslay_event_shutdown_read(ws->wslay);
    (void)wslay_event_queue_close(ws->wslay, code, (const uint8_t *)reason, strlen(reason));
}

/* RFC 6455 section 5.2. */
static uint64_t head_len(uint64_t payload_len, bool masked)
{
    uint64_t len = masked ? 6 : 2;

    if (payload_len > UINT16_MAX)
        return len + 8;
    return payload_len > 125 ? len + 2 : len;
}

static void on_frame_start(wslay_event_context_ptr ctx,
                           const struct wslay_event_on_frame_recv_start_arg *arg, void *user)
{
    struct websocket *ws = user;

    (void)ctx;
    ws->in_control_frame = wslay_is_ctrl_frame(arg->opcode);
    if (!ws->in_control_frame)
        ws->in_message = !arg->fin;
    ws->frame_left = arg->payload_length;
    ws->unread -= head_len(arg->payload_length, !ws->client);
    if (arg->opcode == WSLAY_BINARY_FRAME)
        violate(ws, WSLAY_CODE_UNSUPPORTED_DATA);
}

static void on_frame_chunk(wslay_event_context_ptr ctx,
                           const struct wslay_event_on_frame_recv_chunk_arg *arg, void *user)
{
    struct websocket *ws = user;

    ws->frame_left -= arg->data_length;
    ws->unread -= arg->data_length;
    if (ws->in_control_frame || !wslay_event_get_read_enabled(ctx))
        return;
    text_append_n(&ws->incoming, (const char *)arg->data, arg->data_length);
    if (!text_ok(&ws->incoming))
        violate(ws, WSLAY_CODE_MESSAGE_TOO_BIG);
}

static void deliver(struct websocket *ws)
{
    if (ws->state == STATE_OPEN)
        ws->handler.on_message(ws->owner, text_str(&ws->incoming), ws->incoming.len);
    text_done(&ws->incoming);
}

/* Of a ping with a number; what else comes is an answer to one without, or to none. */
static void report_pong(struct websocket *ws, const struct wslay_event_on_msg_recv_arg *arg)
{
    struct reader r = reader_of(arg->msg, arg->msg_length);
    uint64_t number = reader_u64(&r);

    if (reader_ok(&r) && ws->state == STATE_OPEN && ws->handler.on_pong)
        ws->handler.on_pong(ws->owner, number);
}

static void on_msg(wslay_event_context_ptr ctx, const struct wslay_event_on_msg_recv_arg *arg,
                   void *user)
{
    struct websocket *ws = user;

    if (ws->freed || ws->state == STATE_CLOSED)
        return;
    if (arg->opcode == WSLAY_TEXT_FRAME && wslay_event_get_read_enabled(ctx)) {
        deliver(ws);
    } else if (arg->opcode == WSLAY_CONNECTION_CLOSE) {
        if (arg->msg_length >= 2)
            set_reason(ws, arg->status_code, (const char *)arg->msg + 2, arg->msg_length - 2);
        else
            set_reason(ws, WSLAY_CODE_NO_STATUS_RCVD, "", 0);
        if (ws->state == STATE_OPEN)
            begin_closing(ws);
    } else if (arg->opcode == WSLAY_PONG) {
        report_pong(ws, arg);
    }
}

/* The upgrade is done: frames from here on. */
static void open_frames(struct websocket *ws, struct bufferevent *bev)
{
    ws->bev = bev;
    set_state(ws, STATE_OPEN);
    (void)bufferevent_set_timeouts(bev, NULL, NULL);
    bufferevent_setwatermark(bev, EV_READ | EV_WRITE, 0, 0);
    bufferevent_setcb(bev, on_readable, on_written, on_event, ws);
    (void)bufferevent_enable(bev, EV_READ | EV_WRITE);
    (void)event_add(ws->timer, &ws->idle);
    event_active(ws->work, EV_TIMEOUT, 1);
}

static int new_wslay(struct websocket *ws)
{
    static const struct wslay_event_callbacks callbacks = {
        .recv_callback = recv_callback,
        .send_callback = send_callback,
        .genmask_callback = genmask_callback,
        .on_frame_recv_start_callback = on_frame_start,
        .on_frame_recv_chunk_callback = on_frame_chunk,
        .on_msg_recv_callback = on_msg,
    };
    int err = ws->client ? wslay_event_context_client_init(&ws->wslay, &callbacks, ws)
                         : wslay_event_context_server_init(&ws->wslay, &callbacks, ws);

    if (err != 0) {
        ws->wslay = NULL; /* freed already */
        return -ENOMEM;
    }
    wslay_event_config_set_max_recv_msg_length(ws->wslay, WEBSOCKET_MAX_MESSAGE);
    /* wslay's own buffer takes a list element per fragment, of any size: ours does not */
    wslay_event_config_set_no_buffering(ws->wslay, 1);
    return 0;
}

static int new_websocket(struct websocket **ret, struct event_base *base,
                         const struct websocket_handler *handler, void *owner, bool client)
{
    struct websocket *ws = calloc(1, sizeof(*ws));

    if (!ws)
        return -ENOMEM;
    ws->base = base;
    ws->handler = *handler;
    ws->owner = owner;
    ws->client = client;
    ws->idle.tv_sec = WEBSOCKET_PING_S;
    ws->patience.tv_sec = WEBSOCKET_PONG_S;
    text_init(&ws->incoming, WEBSOCKET_MAX_MESSAGE);
    ws->timer = evtimer_new(base, on_timer, ws);
    ws->work = event_new(base, -1, 0, on_work, ws);
    if (!ws->timer || !ws->work) {
        destroy(ws);
        return -ENOMEM;
    }
    *ret = ws;
    return 0;
}

int websocket_accept(struct websocket **ret, struct event_base *base, struct bufferevent *bev,
                     const struct websocket_handler *handler, void *owner)
{
    struct websocket *ws = NULL;
    int err = new_websocket(&ws, base, handler, owner, false);

    if (err < 0)
        return err;
    open_frames(ws, bev);
    *ret = ws;
    return 0;
}

struct bufferevent *websocket_detach(struct websocket *ws)
{
    struct bufferevent *bev = ws->bev;

    assert(ws->depth == 0);
    if (bev)
        bufferevent_setcb(bev, NULL, NULL, NULL, NULL);
    ws->bev = NULL;
    destroy(ws);
    return bev;
}

static void on_upgraded(void *owner, struct bufferevent *bev)
{
    struct websocket *ws = owner;

    enter(ws);
    ws->dial = websocket_dial_free(ws->dial);
    open_frames(ws, bev);
    if (ws->handler.on_open)
        ws->handler.on_open(ws->owner);
    leave(ws);
}

static void on_failed(void *owner, const char *reason)
{
    finish(owner, WSLAY_CODE_ABNORMAL_CLOSURE, reason);
}

int websocket_connect(struct websocket **ret, struct event_base *base, const char *url,
                      const struct websocket_handler *handler, void *owner)
{
    static const struct websocket_dial_handler dial_handler = {
        .on_upgraded = on_upgraded,
        .on_failed = on_failed,
    };
    struct websocket *ws = NULL;
    int err = new_websocket(&ws, base, handler, owner, true);

    if (err < 0)
        return err;
    err = websocket_dial_new(&ws->dial, base, url, &dial_handler, ws);
    if (err < 0) {
        destroy(ws);
        return err;
    }
    websocket_dial_ask(ws->dial, handler->protocol);
    websocket_dial_trust(ws->dial, handler->tls);
    *ret = ws;
    return 0;
}

int websocket_send(struct websocket *ws, const char *text, size_t len)
{
    struct wslay_event_msg message = {
        .opcode = WSLAY_TEXT_FRAME, .msg = (const uint8_t *)text, .msg_length = len};

    if (ws->state != STATE_OPEN)
        return -ENOTCONN;
    if (len > WEBSOCKET_MAX_QUEUE || queued_len(ws) > WEBSOCKET_MAX_QUEUE - len) {
        finish(ws, WSLAY_CODE_POLICY_VIOLATION, "the peer does not read");
        return -ENOBUFS;
    }
    if (!wake(ws))
        return -ENOBUFS;
    if (wslay_event_queue_msg(ws->wslay, &message) != 0) {
        finish(ws, WSLAY_CODE_INTERNAL_SERVER_ERROR, "out of memory");
        return -ENOBUFS;
    }
    event_active(ws->work, EV_TIMEOUT, 1);
    if (ws->sent)
        ++*ws->sent;
    return 0;
}

void websocket_ping(struct websocket *ws, uint64_t number)
{
    uint8_t payload[sizeof(number)];
    struct wslay_event_msg ping = {
        .opcode = WSLAY_PING, .msg = payload, .msg_length = sizeof(payload)};
    struct writer w = writer_of(payload, sizeof(payload));

    if (ws->state != STATE_OPEN || queued_len(ws) > WEBSOCKET_MAX_QUEUE || !wake(ws))
        return;
    writer_u64(&w, number);
    (void)wslay_event_queue_msg(ws->wslay, &ping); /* out of memory: no answer comes */
    event_active(ws->work, EV_TIMEOUT, 1);
}

void websocket_close(struct websocket *ws, uint16_t code, const char *reason)
{
    if (!reason)
        reason = "";
    if (ws->state == STATE_OPENING) {
        finish(ws, code, reason);
        return;
    }
    if (ws->state != STATE_OPEN)
        return;
    set_reason(ws, code, reason, strlen(reason));
    begin_closing(ws);
    ws->close_wanted = true;
    event_active(ws->work, EV_TIMEOUT, 1);
}

void websocket_set_counter(struct websocket *ws, uint64_t *sent)
{
    ws->sent = sent;
}

void websocket_set_idle(struct websocket *ws, uint32_t idle_ms)
{
    ws->idle.tv_sec = idle_ms / 1000;
    ws->idle.tv_usec = idle_ms % 1000 * 1000;
    ws->patience = ws->idle;
    if (ws->state == STATE_OPEN)
        (void)event_add(ws->timer, &ws->idle);
}

struct websocket *websocket_free(struct websocket *ws)
{
    if (!ws)
        return NULL;
    if (ws->depth == 0) {
        destroy(ws);
    } else if (!ws->freed) {
        ws->freed = true;
        if (ws->wslay)
            wslay_event_shutdown_read(ws->wslay);
        if (ws->state != STATE_CLOSED)
            finish(ws, WSLAY_CODE_NORMAL_CLOSURE, "");
    }
    return NULL;
}
