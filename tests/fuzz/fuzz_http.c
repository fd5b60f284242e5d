/* Any bytes as a connection to the HTTP server. The first byte: how they are cut, and whether the
 * handler answers at once. */
#include "media/base/text.h"
#include "signaling/admin_request.h"
#include "signaling/http_internal.h"
#include "signaling/websocket.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_WAITING = 64 };

static struct event_base *base;
static struct http_server *server;
static bool answer_later;
static struct http_exchange *waiting[MAX_WAITING];
static size_t n_waiting;
static int sessions;

static int on_websocket(void *owner, struct websocket *ws, const char *address, const char *token,
                        void **session)
{
    (void)token;
    (void)owner;
    assert(address[0]);
    if (answer_later)
        return -EBUSY;
    sessions++;
    *session = ws;
    return 0;
}

static void on_message(void *session, const char *text, size_t len)
{
    assert(text[len] == '\0');
    (void)!websocket_send(session, text, len);
}

static void on_close(void *session, uint16_t code)
{
    (void)code;
    (void)session;
    sessions--;
}

static void on_media_post(void *owner, struct http_exchange *x, enum http_media media,
                          const char *room, const char *sdp, size_t len)
{
    (void)owner;
    (void)media;
    assert(room[0] && len > 0 && strlen(sdp) == len);
    if (answer_later && n_waiting < MAX_WAITING)
        waiting[n_waiting++] = x;
    else
        http_reply_created(x, room, room, sdp);
}

static void on_media_request(void *owner, struct http_exchange *x,
                             const struct http_media_request *request)
{
    (void)owner;
    assert(request->room[0] && strlen(request->body) == request->len);
    if (request->if_match)
        http_reply_restarted(x, request->if_match, request->body);
    else
        http_reply_problem(x, 404, request->part, request->resource);
}

static void on_media_options(void *owner, struct http_exchange *x, enum http_media media,
                             const char *room)
{
    struct http_link link = {.uri = room, .rel = room, .username = room, .credential = room};

    (void)owner;
    (void)media;
    http_exchange_link(x, &link);
}

static void on_metrics(void *owner, struct text *out)
{
    (void)owner;
    text_append(out, "all");
}

static int on_admin(void *owner, const struct admin_request *request, struct text *out,
                    struct message *error)
{
    (void)owner;
    (void)error;
    assert(request->action <= ADMIN_MAKE_TOKEN);
    text_append(out, request->room);
    return 200;
}

static bool on_admin_token(void *owner, const char *token, const char *room)
{
    (void)owner;
    (void)room;
    return token[0] == 'a';
}

static bool on_health(void *owner, char *json, size_t capacity)
{
    (void)owner;
    (void)snprintf(json, capacity, "{}");
    return true;
}

static void start(void)
{
    static const struct http_handler handler = {
        .on_websocket = on_websocket,
        .on_message = on_message,
        .on_close = on_close,
        .on_media_post = on_media_post,
        .on_media_request = on_media_request,
        .on_media_options = on_media_options,
        .on_metrics = on_metrics,
        .on_admin = on_admin,
        .on_admin_token = on_admin_token,
        .on_health = on_health,
    };
    struct http_config config = http_default_config;

    config.address = "127.0.0.1";
    config.port = 0;
    base = event_base_new();
    if (!base || http_server_new(&server, base, &config, &handler, NULL) < 0)
        abort();
    http_server_stop_accepting(server);
}

static void run(void)
{
    for (int i = 0; i < 4; i++)
        (void)event_base_loop(base, EVLOOP_NONBLOCK);
}

static void answer_all(void)
{
    while (n_waiting > 0)
        http_reply_created(waiting[--n_waiting], "/whip/x/y", "e", "v=0");
}

static void feed(int fd, const uint8_t *data, size_t size, size_t step)
{
    char answer[4096];

    while (size > 0) {
        ssize_t n = send(fd, data, step < size ? step : size, MSG_DONTWAIT | MSG_NOSIGNAL);

        run();
        while (recv(fd, answer, sizeof(answer), MSG_DONTWAIT) > 0)
            continue;
        if (n <= 0)
            break;
        data += n;
        size -= (size_t)n;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7F000001)};
    int fds[2];

    if (size == 0)
        return 0;
    if (!server)
        start();
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) < 0)
        abort();
    answer_later = data[0] & 1;
    http_arrival_accept(server, fds[0], (struct sockaddr *)&from);
    feed(fds[1], data + 1, size - 1, data[0] > 1 ? data[0] : size);
    if (data[0] & 2)
        answer_all();
    run();
    (void)close(fds[1]);
    for (int i = 0; i < 100 && http_server_stats(server)->connections > 0; i++)
        run();
    answer_all(); /* of a client that has left */
    assert(http_server_stats(server)->connections == 0 && sessions == 0);
    return 0;
}
