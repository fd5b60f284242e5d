/* Server-sent events: an answer that goes on until one side ends it. */
#include "signaling/http_internal.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_QUEUE = 64 * 1024 }; /* [bytes] a client may leave unread */

struct http_events {
    struct http_connection *connection;
    void (*on_close)(void *owner);
    void *owner;
    bool over; /* the client does not read: it is dropped from the loop */
};

struct http_events *http_events_begin(struct http_exchange *x, void (*on_close)(void *owner),
                                      void *owner)
{
    struct http_connection *c = x->connection;
    struct http_events *e = c ? calloc(1, sizeof(*e)) : NULL;

    if (!e) {
        http_reply_problem(x, 503, "overloaded", "out of memory");
        return NULL;
    }
    *e = (struct http_events){.connection = c, .on_close = on_close, .owner = owner};
    http_exchange_stream(x, "text/event-stream");
    http_connection_streams(c, e);
    return e;
}

void http_events_send(struct http_events *e, const char *name, const char *data)
{
    struct evbuffer *output = bufferevent_get_output(e->connection->bev);

    if (e->over)
        return;
    if (evbuffer_get_length(output) > MAX_QUEUE) {
        e->over = true;
        http_connection_end_soon(e->connection, 0);
        return;
    }
    (void)evbuffer_add_printf(output, "event: %s\ndata: %s\n\n", name, data);
}

void http_events_end(struct http_events *e)
{
    e->connection->events = NULL;
    http_connection_end_soon(e->connection, HTTP_LINGER_S);
    free(e);
}

bool http_events_keep(struct http_events *e)
{
    struct evbuffer *output = bufferevent_get_output(e->connection->bev);

    if (e->over || evbuffer_get_length(output) > 0)
        return false;
    return evbuffer_add(output, ":\n\n", 3) == 0;
}

void http_events_closed(struct http_events *e)
{
    e->on_close(e->owner);
    free(e);
}
