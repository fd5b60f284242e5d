#include "tests/http_fixture.h"
#include "tests/tap.h"

#include <sys/socket.h>
#include <unistd.h>

static struct http_events *events;
static int closed;

static void on_close(void *owner)
{
    CHECK(owner == &closed);
    closed++;
    events = NULL;
}

static void on_request(void *owner, struct http_exchange *x,
                       const struct http_media_request *request)
{
    (void)owner;
    (void)request;
    events = http_events_begin(x, on_close, &closed);
}

static int set_up(void)
{
    struct http_handler handler = web_handler;
    int fd;

    web_prepare();
    handler.on_media_request = on_request;
    CHECK_EQ(http_server_new(&web_server, web_base, &web_config, &handler, &web_seen), 0);
    closed = 0;
    fd = web_open_client();
    web_send(fd, GET("/whep/demo/r1/sse"));
    for (int i = 0; i < 100 && !events; i++)
        web_turn();
    CHECK(events);
    return fd;
}

static void tear_down(int fd)
{
    (void)close(fd);
    for (int i = 0; i < 10; i++)
        web_turn();
    web_tear_down();
}

/* Read until the answer has these words. */
static void read_until(int fd, const char *words)
{
    web_answer_len = 0;
    web_answer[0] = '\0';
    for (int i = 0; i < 100 && !strstr(web_answer, words); i++) {
        ssize_t n = recv(fd, web_answer + web_answer_len, WEB_MAX_ANSWER - web_answer_len, 0);

        web_answer_len += n > 0 ? (size_t)n : 0;
        web_answer[web_answer_len] = '\0';
        web_turn();
    }
    web_check_has(words);
}

static void events_follow_the_head(void)
{
    int fd = set_up();

    http_events_send(events, "active", "{}");
    read_until(fd, "\r\n\r\nevent: active\ndata: {}\n\n");
    web_check_has("HTTP/1.1 200 OK\r\n");
    web_check_has("Content-Type: text/event-stream\r\n");
    web_check_has("Connection: close\r\n");
    CHECK(!strstr(web_answer, "Content-Length"));
    http_events_send(events, "viewercount", "{\"viewercount\":3}");
    read_until(fd, "event: viewercount\ndata: {\"viewercount\":3}\n\n");
    tear_down(fd);
    CHECK_EQ(closed, 1);
}

static void a_client_that_leaves_is_told_of(void)
{
    int fd = set_up();

    (void)close(fd);
    for (int i = 0; i < 100 && !closed; i++)
        web_turn();
    CHECK_EQ(closed, 1);
    CHECK_EQ(web_stats()->connections, 0);
    web_tear_down();
}

static void a_client_that_does_not_read_is_dropped(void)
{
    static char data[32 * 1024];
    int fd = set_up();

    memset(data, 'x', sizeof(data) - 1);
    for (int i = 0; i < 1000 && events; i++) {
        http_events_send(events, "layers", data);
        web_turn();
    }
    CHECK_EQ(closed, 1);
    tear_down(fd);
}

static void the_owner_ends_it_when_all_is_sent(void)
{
    int fd = set_up();

    http_events_send(events, "inactive", "{}");
    http_events_end(events);
    events = NULL;
    read_until(fd, "event: inactive\ndata: {}\n\n");
    for (int i = 0; i < 300 && web_stats()->connections > 0; i++)
        web_turn();
    CHECK(web_is_closed(fd));
    CHECK_EQ(closed, 0);
    tear_down(fd);
}

static void a_server_that_ends_tells_the_owner(void)
{
    int fd = set_up();

    web_tear_down();
    CHECK_EQ(closed, 1);
    (void)close(fd);
}

TAP_CASES(CASE(events_follow_the_head), CASE(a_client_that_leaves_is_told_of),
          CASE(a_client_that_does_not_read_is_dropped), CASE(the_owner_ends_it_when_all_is_sent),
          CASE(a_server_that_ends_tells_the_owner))
