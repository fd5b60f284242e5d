/* Any bytes after the upgrade, at the server. The first byte is the length of the pieces. */
#include "signaling/websocket.h"

#include <assert.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdbool.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct owner {
    struct websocket *ws;
    bool closed;
};

static void on_message(void *arg, const char *text, size_t len)
{
    struct owner *owner = arg;

    assert(!owner->closed && text[len] == '\0' && len <= WEBSOCKET_MAX_MESSAGE);
    if (websocket_send(owner->ws, text, len) < 0 || (len > 0 && text[0] == 'c'))
        websocket_close(owner->ws, 1000, text);
    if (len > 0 && text[0] == 'f')
        owner->ws = websocket_free(owner->ws);
}

static void on_close(void *arg, uint16_t code, const char *reason)
{
    struct owner *owner = arg;

    assert(!owner->closed && code >= 1000 && strlen(reason) <= 123);
    owner->closed = true;
}

static void drain(struct bufferevent *bev, void *arg)
{
    struct evbuffer *input = bufferevent_get_input(bev);

    (void)arg;
    (void)evbuffer_drain(input, evbuffer_get_length(input));
}

static void feed(struct event_base *base, struct bufferevent *peer, const uint8_t *data,
                 size_t size, size_t step)
{
    bufferevent_setcb(peer, drain, NULL, NULL, NULL);
    (void)bufferevent_enable(peer, EV_READ | EV_WRITE);
    while (size > 0) {
        size_t len = step < size ? step : size;

        (void)bufferevent_write(peer, data, len);
        (void)event_base_loop(base, EVLOOP_NONBLOCK);
        data += len;
        size -= len;
    }
    for (int i = 0; i < 4; i++)
        (void)event_base_loop(base, EVLOOP_NONBLOCK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct websocket_handler handler = {NULL, on_message, on_close};
    static struct event_base *base;
    struct bufferevent *pair[2];
    struct owner owner = {0};

    if (size == 0)
        return 0;
    if (!base)
        base = event_base_new();
    assert(base && bufferevent_pair_new(base, 0, pair) == 0);
    assert(websocket_accept(&owner.ws, base, pair[0], &handler, &owner) == 0);
    feed(base, pair[1], data + 1, size - 1, data[0] ? data[0] : size);
    websocket_free(owner.ws);
    bufferevent_free(pair[1]);
    (void)event_base_loop(base, EVLOOP_NONBLOCK);
    return 0;
}
