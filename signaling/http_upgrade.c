#include "signaling/http_internal.h"
#include "signaling/websocket.h"
#include "signaling/websocket_key.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <string.h>

static void on_message(void *owner, const char *text, size_t len)
{
    struct http_connection *c = owner;

    c->server->stats.messages_in++;
    c->server->handler.on_message(c->session, text, len);
}

static void on_pong(void *owner, uint64_t number)
{
    struct http_connection *c = owner;

    if (c->server->handler.on_pong)
        c->server->handler.on_pong(c->session, number);
}

static bool is_violation(uint16_t code)
{
    return code == 1002 || code == 1003 || code == 1007 || code == 1008 || code == 1009;
}

static void on_close(void *owner, uint16_t code, const char *reason)
{
    struct http_connection *c = owner;

    (void)reason;
    c->close_code = code;
    if (is_violation(code))
        c->server->stats.ws_errors++;
    http_connection_free(c);
}

static void write_switching(struct bufferevent *bev, const char *key)
{
    char accept[29];

    websocket_accept_key(key, accept);
    (void)evbuffer_add_printf(bufferevent_get_output(bev),
                              "HTTP/1.1 101 Switching Protocols\r\n"
                              "Upgrade: websocket\r\n"
                              "Connection: Upgrade\r\n"
                              "Sec-WebSocket-Accept: %s\r\n\r\n",
                              accept);
}

static void refuse(struct http_exchange *x)
{
    x->connection->server->stats.refused++;
    http_reply_problem(x, 503, "busy", "the server takes no more clients at the moment");
}

static void upgrade(struct http_exchange *x, const char *key)
{
    static const struct websocket_handler handler = {
        .on_message = on_message,
        .on_pong = on_pong,
        .on_close = on_close,
    };
    struct http_connection *c = x->connection;
    struct http_server *s = c->server;
    struct bufferevent *bev = c->bev;
    struct websocket *ws = NULL;
    char token[HTTP_MAX_TOKEN];

    http_request_token(c->request, token, sizeof(token));
    if (websocket_accept(&ws, s->base, bev, &handler, c) < 0) {
        refuse(x);
        return;
    }
    websocket_set_counter(ws, &s->stats.messages_out);
    if (s->handler.on_websocket(s->owner, ws, x->address, token, &c->session) < 0) {
        http_connection_watch(c, websocket_detach(ws));
        refuse(x);
        return;
    }
    write_switching(bev, key);
    s->stats.websockets++;
    http_connection_upgraded(c, ws);
    http_exchange_free(x);
}

void http_upgrade_serve(struct http_exchange *x)
{
    const struct http_request *r = x->connection->request;
    const char *version = http_request_field(r, "Sec-WebSocket-Version");
    const char *key = http_request_field(r, "Sec-WebSocket-Key");

    if (r->method != HTTP_GET) {
        http_reply_not_allowed(x, "GET");
    } else if (!http_request_lists(r, "Upgrade", "websocket") ||
               !http_request_lists(r, "Connection", "upgrade") || !version ||
               strcmp(version, "13") != 0) {
        http_exchange_field(x, "Connection", "Upgrade");
        http_exchange_field(x, "Upgrade", "websocket");
        http_exchange_field(x, "Sec-WebSocket-Version", "13");
        http_reply_problem(x, 426, "upgrade_required", "this is a WebSocket, version 13");
    } else if (!key || !websocket_key_valid(key)) {
        http_reply_problem(x, 400, "bad_request", "Sec-WebSocket-Key is not base64 of 16 bytes");
    } else {
        upgrade(x, key);
    }
}
