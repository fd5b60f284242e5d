#include "signaling/http_server.h"

#include "signaling/websocket.h"
#include "tests/tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_ANSWER = 512 * 1024, PATIENCE_MS = 5000 };

/* What the handler saw, and what it shall do. */
struct seen {
    int posts, deletes, messages, opened, closed;
    enum http_media media;
    char room[80], resource[80], sdp[80], message[80], address[64];
    struct http_exchange *waiting; /* POST that is not answered yet */
    struct websocket *ws;
    bool answer_later, unhealthy, busy;
};

static struct event_base *base;
static struct http_server *server;
static struct http_config config;
static struct seen seen;
static char answer[MAX_ANSWER + 1];
static size_t answer_len;

static int on_websocket(void *owner, struct websocket *ws, const char *address, void **session)
{
    struct seen *s = owner;

    if (s->busy)
        return -EBUSY;
    s->opened++;
    s->ws = ws;
    (void)snprintf(s->address, sizeof(s->address), "%s", address);
    CHECK_EQ(websocket_send(ws, "welcome", 7), 0);
    *session = s;
    return 0;
}

static void on_message(void *session, const char *text, size_t len)
{
    struct seen *s = session;

    s->messages++;
    (void)snprintf(s->message, sizeof(s->message), "%.*s", (int)len, text);
    if (strcmp(text, "bye") == 0)
        websocket_close(s->ws, 1000, "bye");
}

static void on_close(void *session)
{
    struct seen *s = session;

    s->closed++;
    s->ws = NULL;
}

static void on_media_post(void *owner, struct http_exchange *x, enum http_media media,
                          const char *room, const char *sdp, size_t len)
{
    struct seen *s = owner;

    CHECK_EQ(sdp[len], '\0');
    s->posts++;
    s->media = media;
    (void)snprintf(s->room, sizeof(s->room), "%s", room);
    (void)snprintf(s->sdp, sizeof(s->sdp), "%s", sdp);
    if (s->answer_later)
        s->waiting = x;
    else
        http_reply_created(x, "/whip/demo/r1\r\nX-Evil: 1", "v=0 answer");
}

static void on_media_delete(void *owner, struct http_exchange *x, enum http_media media,
                            const char *room, const char *resource)
{
    struct seen *s = owner;

    s->deletes++;
    s->media = media;
    (void)snprintf(s->room, sizeof(s->room), "%s", room);
    (void)snprintf(s->resource, sizeof(s->resource), "%s", resource);
    if (strcmp(resource, "r1") == 0)
        http_reply_empty(x, 200);
    else
        http_reply_problem(x, 404, "not_found", "no \"such\" thing");
}

static bool on_health(void *owner, char *json, size_t capacity)
{
    struct seen *s = owner;

    (void)snprintf(json, capacity, "{\"rooms\":3}");
    return !s->unhealthy;
}

static const struct http_handler handler = {on_websocket,  on_message,      on_close,
                                            on_media_post, on_media_delete, on_health};

static void prepare(void)
{
    base = event_base_new();
    CHECK(base);
    seen = (struct seen){0};
    config = http_default_config;
    config.address = "127.0.0.1";
    config.port = 0;
}

static void start(void)
{
    CHECK_EQ(http_server_new(&server, base, &config, &handler, &seen), 0);
}

static void set_up(void)
{
    prepare();
    start();
}

static void tear_down(void)
{
    server = http_server_free(server);
    event_base_free(base);
}

static const struct http_stats *stats(void)
{
    return http_server_stats(server);
}

/* A client is a socket */

static int open_client(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                             .sin_port = htons(http_server_port(server))};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    CHECK(fd >= 0);
    CHECK_EQ(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    (void)evutil_make_socket_nonblocking(fd);
    return fd;
}

/* One turn of the loop, 10 ms at most. */
static void turn(void)
{
    struct timeval limit = {.tv_usec = 10 * 1000};

    (void)event_base_loopexit(base, &limit);
    (void)event_base_loop(base, EVLOOP_ONCE);
}

static void send_bytes(int fd, const char *bytes, size_t len)
{
    for (int i = 0; len > 0 && i < 1000; i++) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

        if (n > 0) {
            bytes += n;
            len -= (size_t)n;
        } else if (n < 0 && errno != EAGAIN) {
            return; /* the server has closed, as some cases want it to */
        }
        turn();
    }
}

static void send_text(int fd, const char *text)
{
    send_bytes(fd, text, strlen(text));
}

/* Content-Length of `answer`, 0 if there is none. */
static size_t body_len(void)
{
    const char *field = strstr(answer, "\r\nContent-Length: ");

    return field ? strtoul(field + 18, NULL, 10) : 0;
}

static bool answer_is_whole(bool head_only)
{
    const char *end = strstr(answer, "\r\n\r\n");

    return end && answer_len >= (size_t)(end - answer) + 4 + (head_only ? 0 : body_len());
}

/* Read one answer into `answer`. @return false if the server closed instead */
static bool read_answer(int fd, bool head_only)
{
    answer_len = 0;
    answer[0] = '\0';
    for (int waited = 0; waited < PATIENCE_MS && !answer_is_whole(head_only); waited += 10) {
        ssize_t n = recv(fd, answer + answer_len, MAX_ANSWER - answer_len, 0);

        if (n == 0 || (n < 0 && errno != EAGAIN))
            return false;
        if (n > 0) {
            answer_len += (size_t)n;
            answer[answer_len] = '\0';
        } else {
            turn();
        }
    }
    return answer_is_whole(head_only);
}

/* The server closes the connection, and sends nothing more. */
static bool is_closed(int fd)
{
    char c;

    for (int waited = 0; waited < PATIENCE_MS; waited += 10) {
        ssize_t n = recv(fd, &c, 1, 0);

        if (n >= 0)
            return n == 0;
        if (errno != EAGAIN)
            return true;
        turn();
    }
    return false;
}

static void check_status(const char *request, int status)
{
    char expected[16];
    int fd = open_client();

    send_text(fd, request);
    CHECK(read_answer(fd, strncmp(request, "HEAD", 4) == 0));
    (void)snprintf(expected, sizeof(expected), "HTTP/1.1 %d ", status);
    if (strncmp(answer, expected, strlen(expected)) != 0)
        printf("# %.40s... was answered %.30s\n", request, answer);
    CHECK(strncmp(answer, expected, strlen(expected)) == 0);
    (void)close(fd);
    turn();
}

static void check_has(const char *words)
{
    if (!strstr(answer, words))
        printf("# no \"%s\" in:\n%s\n", words, answer);
    CHECK(strstr(answer, words));
}

static void check_problem(const char *request, int status, const char *code)
{
    char member[64];

    check_status(request, status);
    (void)snprintf(member, sizeof(member), "\"code\":\"%s\"}", code);
    check_has(member);
    check_has("Content-Type: application/problem+json\r\n");
    check_has("Access-Control-Allow-Origin: *\r\n");
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

/* Routes */

static void the_page_is_served_with_its_headers(void)
{
    set_up();
    check_status(GET("/"), 200);
    check_has("Content-Type: text/html; charset=utf-8\r\n");
    check_has("Cache-Control: no-cache\r\n");
    check_has("X-Content-Type-Options: nosniff\r\n");
    check_has("Content-Security-Policy: default-src 'self'; connect-src 'self' ws: wss:");
    check_has("<html");
    check_status(GET("/?room=demo"), 200);
    check_status(GET("/client/sluice.js"), 200);
    check_has("Content-Type: text/javascript; charset=utf-8\r\n");
    check_status(GET("http://x/"), 200);
    CHECK_EQ(stats()->requests, 4);
    CHECK_EQ(stats()->bad_requests, 0);
    tear_down();
}

static void a_page_that_is_known_is_not_sent_again(void)
{
    char request[256];
    const char *etag;

    set_up();
    check_status(GET("/"), 200);
    etag = strstr(answer, "ETag: \"");
    CHECK(etag);
    (void)snprintf(request, sizeof(request),
                   "GET / HTTP/1.1\r\nHost: x\r\nIf-None-Match: W/\"a\", %.22s\r\n\r\n", etag + 6);
    check_status(request, 304);
    CHECK_EQ(body_len(), 0);
    check_has("ETag: ");
    tear_down();
}

static void head_has_the_length_but_no_body(void)
{
    set_up();
    check_status("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n", 200);
    CHECK(body_len() > 100);
    CHECK_STR(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
    tear_down();
}

static void unknown_paths_are_not_found(void)
{
    set_up();
    check_problem(GET("/nothing"), 404, "not_found");
    check_problem(GET("/client/nothing.js"), 404, "not_found");
    check_problem(GET("/client/"), 404, "not_found");
    check_problem(GET("/client"), 404, "not_found");
    check_problem(GET("//"), 404, "not_found");
    check_problem(GET("/ws/x"), 404, "not_found");
    check_problem(GET("/healthz/x"), 404, "not_found");
    check_problem(GET("/whip"), 404, "not_found");
    check_problem(GET("/whip/a/b/c"), 404, "not_found");
    check_problem(GET("/client/a/b/c/d/e/f/g/h"), 404, "not_found");
    check_problem("POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi", 404,
                  "not_found");
    tear_down();
}

static void a_folder_can_take_the_place_of_the_built_in_page(void)
{
    char folder[] = "/tmp/sluice-test-XXXXXX";
    char path[128];
    char outside[128];
    int fd;

    CHECK(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/index.html", folder);
    fd = open(path, O_WRONLY | O_CREAT, 0600);
    CHECK(fd >= 0);
    CHECK_EQ(write(fd, "my page", 7), 7);
    (void)close(fd);
    (void)snprintf(outside, sizeof(outside), "%s/link.html", folder);
    CHECK_EQ(symlink("/etc/passwd", outside), 0);

    prepare();
    config.web_root = folder;
    start();
    check_status(GET("/"), 200);
    check_has("\r\n\r\nmy page");
    check_has("ETag: \"");
    check_status(GET("/client/index.html"), 200);
    check_problem(GET("/client/sluice.js"), 404, "not_found");
    check_problem(GET("/client/link.html"), 404, "not_found");
    check_problem(GET("/client/../../etc/passwd"), 404, "not_found");
    check_problem(GET("/client/%2e%2e/%2e%2e/etc/passwd"), 404, "not_found");
    check_problem(GET("/client/..%2f..%2fetc/passwd"), 400, "bad_request");
    check_problem(GET("/client/.hidden"), 404, "not_found");
    check_problem(GET("/client/a%00b"), 400, "bad_request");
    tear_down();
    (void)unlink(outside);
    (void)unlink(path);
    (void)rmdir(folder);
}

static void health_is_what_the_handler_says(void)
{
    set_up();
    check_status(GET("/healthz"), 200);
    check_has("Content-Type: application/json\r\n");
    check_has("\r\n\r\n{\"rooms\":3}\n");
    seen.unhealthy = true;
    check_status(GET("/healthz"), 503);
    tear_down();
}

static void other_methods_are_not_allowed(void)
{
    set_up();
    check_problem("POST / HTTP/1.1\r\nHost: x\r\n\r\n", 405, "method_not_allowed");
    check_has("Allow: GET, HEAD\r\n");
    check_problem("DELETE /healthz HTTP/1.1\r\nHost: x\r\n\r\n", 405, "method_not_allowed");
    check_problem("POST /ws HTTP/1.1\r\nHost: x\r\n\r\n", 405, "method_not_allowed");
    check_has("Allow: GET\r\n");
    check_problem(GET("/whip/demo"), 405, "method_not_allowed");
    check_has("Allow: POST, OPTIONS\r\n");
    check_problem(GET("/whip/demo/r1"), 405, "method_not_allowed");
    check_problem("PATCH /whep/demo/r1 HTTP/1.1\r\nHost: x\r\n\r\n", 405, "method_not_allowed");
    check_has("Allow: DELETE, OPTIONS\r\n");
    check_problem("BREW /whip/demo HTTP/1.1\r\nHost: x\r\n\r\n", 405, "method_not_allowed");
    tear_down();
}

/* WHIP and WHEP */

#define POST(path, fields, body) "POST " path " HTTP/1.1\r\nHost: x\r\n" fields "\r\n" body
#define SDP                      "Content-Type: application/sdp\r\n"

static void an_offer_is_answered_with_201(void)
{
    set_up();
    check_status(POST("/whip/demo", SDP "Content-Length: 5\r\n", "v=0\r\n"), 201);
    CHECK_EQ(seen.media, HTTP_WHIP);
    CHECK_STR(seen.room, "demo");
    CHECK_STR(seen.sdp, "v=0\r\n");
    check_has("Location: /whip/demo/r1X-Evil: 1\r\n"); /* nobody can begin a field of his own */
    check_has("ETag: \"");
    check_has("Content-Type: application/sdp\r\n");
    check_has("Access-Control-Allow-Origin: *\r\n");
    check_has("Access-Control-Expose-Headers: Location, ETag, Link");
    check_has("\r\n\r\nv=0 answer");

    check_status(POST("/whep/r%6Fom",
                      "content-type: Application/SDP ; charset=utf-8\r\n"
                      "Content-Length: 1\r\n",
                      "x"),
                 201);
    CHECK_EQ(seen.media, HTTP_WHEP);
    CHECK_STR(seen.room, "room");
    CHECK_EQ(seen.posts, 2);
    tear_down();
}

static void a_chunked_offer_is_put_together(void)
{
    set_up();
    check_status(POST("/whip/demo", SDP "Transfer-Encoding: chunked\r\n",
                      "3\r\nv=0\r\n2;x=y\r\n\r\n\r\n0\r\nTrailer: x\r\n\r\n"),
                 201);
    CHECK_STR(seen.sdp, "v=0\r\n");
    tear_down();
}

static void a_client_may_ask_before_it_sends_the_body(void)
{
    int fd;

    set_up();
    fd = open_client();
    send_text(fd, POST("/whip/demo", SDP "Content-Length: 3\r\nExpect: 100-continue\r\n", ""));
    CHECK(read_answer(fd, true));
    CHECK_STR(answer, "HTTP/1.1 100 Continue\r\n\r\n");
    send_text(fd, "v=0");
    CHECK(read_answer(fd, false));
    check_has("HTTP/1.1 201 Created\r\n");
    (void)close(fd);
    tear_down();
}

static void a_bad_offer_never_reaches_the_handler(void)
{
    static const char has_nul[] = POST("/whip/demo", SDP "Content-Length: 3\r\n", "v\0x");
    int fd;

    set_up();
    check_problem(POST("/whip/demo", "Content-Length: 3\r\n", "v=0"), 415,
                  "unsupported_media_type");
    check_problem(
        POST("/whip/demo", "Content-Type: application/sdpx\r\nContent-Length: 3\r\n", "v=0"), 415,
        "unsupported_media_type");
    check_problem(POST("/whip/demo", SDP, ""), 400, "no_offer");
    check_problem(POST("/whip/a%20b", SDP "Content-Length: 3\r\n", "v=0"), 400, "bad_room");
    check_problem(POST("/whip/", SDP "Content-Length: 3\r\n", "v=0"), 400, "bad_room");
    fd = open_client();
    send_bytes(fd, has_nul, sizeof(has_nul) - 1);
    CHECK(read_answer(fd, false));
    check_has("\"code\":\"sdp_syntax\"");
    (void)close(fd);
    CHECK_EQ(seen.posts, 0);
    tear_down();
}

static void pages_of_other_origins_may_use_whip(void)
{
    set_up();
    check_status("OPTIONS /whip/demo HTTP/1.1\r\nHost: x\r\nOrigin: http://y\r\n"
                 "Access-Control-Request-Method: POST\r\n\r\n",
                 200);
    check_has("Access-Control-Allow-Origin: *\r\n");
    check_has("Access-Control-Allow-Methods: POST, OPTIONS\r\n");
    check_has("Access-Control-Allow-Headers: Authorization, Content-Type");
    check_has("Accept-Post: application/sdp\r\n");
    check_status("OPTIONS /whep/demo/r1 HTTP/1.1\r\nHost: x\r\n\r\n", 200);
    check_has("Access-Control-Allow-Methods: DELETE, OPTIONS\r\n");
    tear_down();
}

static void a_resource_is_deleted_by_the_handler(void)
{
    set_up();
    check_status("DELETE /whep/demo/r1 HTTP/1.1\r\nHost: x\r\n\r\n", 200);
    CHECK_EQ(seen.media, HTTP_WHEP);
    CHECK_STR(seen.room, "demo");
    CHECK_STR(seen.resource, "r1");
    check_problem("DELETE /whip/demo/r2 HTTP/1.1\r\nHost: x\r\n\r\n", 404, "not_found");
    check_has("{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,"
              "\"detail\":\"no \\\"such\\\" thing\",\"code\":\"not_found\"}");
    tear_down();
}

static int post_and_wait(void)
{
    int fd = open_client();

    seen.answer_later = true;
    send_text(fd, POST("/whip/demo", SDP "Content-Length: 3\r\n", "v=0"));
    for (int i = 0; i < 100 && !seen.waiting; i++)
        turn();
    CHECK(seen.waiting);
    return fd;
}

static void an_answer_may_come_later(void)
{
    int fd;

    set_up();
    fd = post_and_wait();
    send_text(fd, GET("/healthz")); /* waits for its turn */
    turn();
    http_reply_created(seen.waiting, "/whip/demo/r1", "v=0");
    CHECK(read_answer(fd, false));
    check_has("HTTP/1.1 201 Created\r\n");
    if (!strstr(answer, "rooms"))
        CHECK(read_answer(fd, false));
    check_has("{\"rooms\":3}");
    (void)close(fd);
    tear_down();
}

static void answering_a_client_that_has_left_is_harmless(void)
{
    int fd;

    set_up();
    fd = post_and_wait();
    (void)close(fd);
    for (int i = 0; i < 100 && stats()->connections > 0; i++)
        turn();
    CHECK_EQ(stats()->connections, 0);
    http_reply_created(seen.waiting, "/whip/demo/r1", "v=0");

    seen.waiting = NULL;
    fd = post_and_wait();
    (void)close(fd);
    tear_down(); /* and so is answering when the server is gone */
    http_reply_problem(seen.waiting, 503, "server_stopping", "x");
}

/* WebSocket */

#define UPGRADE                                                                     \
    "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: WebSocket\r\nConnection: keep-alive, " \
    "Upgrade\r\nSec-WebSocket-Version: 13\r\n"
#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

static int open_websocket(void)
{
    int fd = open_client();

    send_text(fd, UPGRADE KEY "\r\n");
    CHECK(read_answer(fd, true));
    check_has("HTTP/1.1 101 Switching Protocols\r\n");
    check_has("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n");
    return fd;
}

static void ws_is_upgraded_and_carries_messages(void)
{
    int fd;

    set_up();
    fd = open_websocket();
    for (int i = 0; i < 100 && !strstr(answer, "\r\n\r\n\x81\x07welcome"); i++) {
        ssize_t n = recv(fd, answer + answer_len, 64, 0);

        answer_len += n > 0 ? (size_t)n : 0;
        answer[answer_len] = '\0';
        turn();
    }
    check_has("\r\n\r\n\x81\x07welcome");
    CHECK_STR(seen.address, "127.0.0.1");
    send_bytes(fd, "\x81\x82\0\0\0\0hi", 8);
    for (int i = 0; i < 100 && seen.messages == 0; i++)
        turn();
    CHECK_STR(seen.message, "hi");
    CHECK_EQ(stats()->websockets, 1);
    CHECK_EQ(stats()->open_websockets, 1);
    CHECK_EQ(stats()->messages_in, 1);
    CHECK_EQ(stats()->messages_out, 1);
    (void)close(fd);
    for (int i = 0; i < 100 && seen.closed == 0; i++)
        turn();
    CHECK_EQ(seen.closed, 1);
    CHECK_EQ(stats()->open_websockets, 0);
    CHECK_EQ(stats()->connections, 0);
    tear_down();
}

static void a_message_may_come_with_the_upgrade(void)
{
    static const char request[] = UPGRADE KEY "\r\n\x81\x83\0\0\0\0bye";
    int fd;

    set_up();
    fd = open_client();
    send_bytes(fd, request, sizeof(request) - 1);
    for (int i = 0; i < 100 && seen.messages == 0; i++)
        turn();
    CHECK_STR(seen.message, "bye");
    (void)close(fd);
    for (int i = 0; i < 100 && seen.closed == 0; i++)
        turn();
    CHECK_EQ(seen.closed, 1);
    tear_down();
}

static void breaking_the_websocket_protocol_is_counted(void)
{
    int fd;

    set_up();
    fd = open_websocket();
    send_bytes(fd, "\x81\x01x", 3);
    turn();
    (void)close(fd);
    for (int i = 0; i < 100 && seen.closed == 0; i++)
        turn();
    CHECK_EQ(stats()->ws_errors, 1);
    tear_down();
}

static void what_is_no_upgrade_is_refused_in_words(void)
{
    set_up();
    check_problem(GET("/ws"), 426, "upgrade_required");
    check_has("Sec-WebSocket-Version: 13\r\n");
    check_problem("GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
                  "Sec-WebSocket-Version: 8\r\n" KEY "\r\n",
                  426, "upgrade_required");
    check_problem(UPGRADE "\r\n", 400, "bad_request");
    check_problem(UPGRADE "Sec-WebSocket-Key: short\r\n\r\n", 400, "bad_request");
    CHECK_EQ(seen.opened, 0);
    tear_down();
}

static void the_handler_may_refuse_an_upgrade(void)
{
    int fd;

    set_up();
    seen.busy = true;
    fd = open_client();
    send_text(fd, UPGRADE KEY "\r\n");
    CHECK(read_answer(fd, false));
    check_has("HTTP/1.1 503 Service Unavailable\r\n");
    check_has("Retry-After: 5\r\n");
    check_has("\"code\":\"busy\"");
    CHECK_EQ(stats()->refused, 1);
    send_text(fd, GET("/healthz")); /* the connection is as good as before */
    CHECK(read_answer(fd, false));
    check_has("{\"rooms\":3}");
    (void)close(fd);
    tear_down();
}

static void freeing_the_server_ends_sessions(void)
{
    int fd;

    set_up();
    fd = open_websocket();
    tear_down();
    CHECK_EQ(seen.closed, 1);
    (void)close(fd);
}

/* Connections */

static void a_connection_serves_many_requests(void)
{
    int fd;

    set_up();
    fd = open_client();
    for (int i = 0; i < 3; i++) {
        send_text(fd, GET("/healthz"));
        CHECK(read_answer(fd, false));
        check_has("{\"rooms\":3}");
    }
    send_text(fd, "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    CHECK(read_answer(fd, false));
    check_has("Connection: close\r\n");
    CHECK(is_closed(fd));
    (void)close(fd);
    tear_down();
}

static void pipelined_requests_are_answered_in_order(void)
{
    int fd;
    int n = 0;

    set_up();
    fd = open_client();
    send_text(fd, "\r\n" GET("/healthz") GET("/nothing") GET("/healthz"));
    for (int i = 0; i < 50; i++)
        turn();
    (void)recv(fd, answer, MAX_ANSWER, 0);
    for (const char *at = answer; (at = strstr(at, "HTTP/1.1 ")) != NULL; at++) {
        CHECK_EQ(strtol(at + 9, NULL, 10), n == 1 ? 404 : 200);
        n++;
    }
    CHECK_EQ(n, 3);
    (void)close(fd);
    tear_down();
}

static void an_old_client_gets_its_answer_and_the_end(void)
{
    int fd;

    set_up();
    fd = open_client();
    send_text(fd, "GET /healthz HTTP/1.0\n\n");
    CHECK(read_answer(fd, false));
    check_has("{\"rooms\":3}");
    CHECK(is_closed(fd));
    (void)close(fd);
    tear_down();
}

static void a_client_that_closes_its_half_still_gets_its_answer(void)
{
    int fd;

    set_up();
    fd = open_client();
    CHECK(send(fd, GET("/healthz"), strlen(GET("/healthz")), 0) > 0);
    (void)shutdown(fd, SHUT_WR);
    CHECK(read_answer(fd, false));
    check_has("{\"rooms\":3}");
    CHECK(is_closed(fd));
    (void)close(fd);
    tear_down();
}

/* Everything that is no HTTP: an answer, a counter, and the next client is served. */
static void malformed_requests_change_a_counter_only(void)
{
    static const struct {
        const char *request;
        int status;
    } cases[] = {
        {"nonsense\r\n\r\n", 400},
        {"GET /\r\n\r\n", 400},
        {"GET  HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400},
        {"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
        {"GET / FTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"G(T / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"GET x HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"GET /%4 HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"GET /a\x01"
         "b HTTP/1.1\r\nHost: x\r\n\r\n",
         400},
        {"GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: x\r\nBlank : x\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: x\r\nA: \x01\r\n\r\n", 400},
        {"POST /whip/r HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400},
        {"POST /whip/r HTTP/1.1\r\nHost: x\r\nContent-Length: 1x\r\n\r\n", 400},
        {"POST /whip/r HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n\r\n", 400},
        {"POST /whip/r HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n", 400},
        {"POST /whip/r HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
         400},
        {"POST /whip/r HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx",
         400},
        {"POST /whip/r HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\nx", 501},
        {"POST /whip/r HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400},
        {"POST /whip/r HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n", 400},
        {"POST /whip/r HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\nx\r\n", 400},
        {"POST /whip/r HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\nx\r\n",
         400},
        {"POST /whip/r HTTP/1.1\r\nHost: x\r\nExpect: miracles\r\n\r\n", 417},
    };
    size_t n = sizeof(cases) / sizeof(cases[0]);

    set_up();
    for (size_t i = 0; i < n; i++) {
        check_status(cases[i].request, cases[i].status);
        check_has("Content-Type: application/problem+json\r\n");
        check_has("Connection: close\r\n");
        CHECK_EQ(stats()->bad_requests, i + 1);
    }
    CHECK_EQ(stats()->requests, 0);
    CHECK_EQ(seen.posts, 0);
    check_status(GET("/healthz"), 200);
    tear_down();
}

static void a_nul_in_the_header_is_malformed(void)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n";
    int fd;

    set_up();
    fd = open_client();
    send_bytes(fd, request, sizeof(request) - 1);
    CHECK(read_answer(fd, false));
    check_has("HTTP/1.1 400 ");
    CHECK(is_closed(fd));
    (void)close(fd);
    tear_down();
}

/* Limits */

static void a_header_over_the_limit_is_refused(void)
{
    char line[128];
    int fd;

    set_up();
    fd = open_client();
    send_text(fd, "GET / HTTP/1.1\r\nHost: x\r\n");
    for (uint32_t sent = 0; sent < config.max_header_bytes; sent += 100) {
        (void)snprintf(line, sizeof(line), "X-%04u: %092d\r\n", sent % 10000, 0);
        send_text(fd, line);
    }
    CHECK(read_answer(fd, false));
    check_has("HTTP/1.1 431 ");
    check_has("\"code\":\"header_too_large\"");
    (void)close(fd);

    fd = open_client();
    send_text(fd, "GET / HTTP/1.1\r\nHost: x\r\n");
    for (int i = 0; i < 100; i++)
        send_text(fd, "A:\r\n");
    send_text(fd, "\r\n");
    CHECK(read_answer(fd, false));
    check_has("HTTP/1.1 431 ");
    (void)close(fd);
    CHECK_EQ(stats()->bad_requests, 2);
    tear_down();
}

static void a_body_over_the_limit_is_refused(void)
{
    int fd;

    prepare();
    config.max_body_bytes = 8;
    start();
    check_status(POST("/whip/demo", SDP "Content-Length: 8\r\n", "12345678"), 201);
    check_problem(POST("/whip/demo", SDP "Content-Length: 9\r\n", "123456789"), 413, "too_large");
    check_problem(POST("/whip/demo", SDP "Content-Length: 9\r\nExpect: 100-continue\r\n", ""), 413,
                  "too_large");
    check_status(POST("/whip/demo", SDP "Transfer-Encoding: chunked\r\n",
                      "4\r\n1234\r\n4\r\n5678\r\n0\r\n\r\n"),
                 201);
    check_problem(POST("/whip/demo", SDP "Transfer-Encoding: chunked\r\n",
                       "4\r\n1234\r\n5\r\n56789\r\n0\r\n\r\n"),
                  413, "too_large");
    check_problem(POST("/whip/demo", SDP "Transfer-Encoding: chunked\r\n", "ffffffff\r\n"), 413,
                  "too_large");
    fd = open_client();
    send_text(fd, POST("/whip/demo", SDP "Transfer-Encoding: chunked\r\n", "0\r\n"));
    for (int i = 0; i < 100; i++)
        send_text(fd, "Trailer: 0123456789012345678901234567890123456789\r\n");
    CHECK(read_answer(fd, false));
    check_has("HTTP/1.1 400 ");
    (void)close(fd);
    CHECK_EQ(seen.posts, 2);
    tear_down();
}

static void a_request_must_be_complete_in_time(void)
{
    int idle;
    int slow;
    int slow_body;
    char c = 'x';

    prepare();
    config.timeout_s = 1;
    start();
    idle = open_client();
    slow = open_client();
    slow_body = open_client();
    send_text(slow_body, POST("/whip/demo", SDP "Content-Length: 100\r\n", "v"));
    send_text(slow, "GET / HTTP/1.1\r\nHost: x\r\nX: ");
    for (int i = 0; i < 300 && stats()->bad_requests < 2;
         i++) { /* a byte now and then is no excuse */
        (void)send(slow, &c, 1, MSG_NOSIGNAL);
        (void)send(slow_body, &c, 1, MSG_NOSIGNAL);
        for (int j = 0; j < 10; j++)
            turn();
    }
    CHECK(read_answer(slow, false));
    check_has("HTTP/1.1 408 ");
    CHECK(read_answer(slow_body, false));
    check_has("\"code\":\"timeout\"");
    CHECK(is_closed(idle));
    (void)close(idle);
    (void)close(slow);
    (void)close(slow_body);
    CHECK_EQ(stats()->bad_requests, 2);
    tear_down();
}

static void connections_are_limited(void)
{
    int fds[3];
    int refused;

    prepare();
    config.max_connections = 3;
    start();
    for (int i = 0; i < 3; i++) {
        fds[i] = open_client();
        send_text(fds[i], GET("/healthz"));
        CHECK(read_answer(fds[i], false));
    }
    refused = open_client();
    CHECK(read_answer(refused, false));
    check_has("HTTP/1.1 503 Service Unavailable\r\n");
    check_has("Retry-After: ");
    CHECK(is_closed(refused));
    CHECK_EQ(stats()->refused, 1);
    CHECK_EQ(stats()->connections, 3);
    (void)close(refused);
    (void)close(fds[0]);
    for (int i = 0; i < 100 && stats()->connections == 3; i++)
        turn();
    check_status(GET("/healthz"), 200);
    (void)close(fds[1]);
    (void)close(fds[2]);
    tear_down();
}

static void connections_per_address_are_limited(void)
{
    int first;
    int refused;

    prepare();
    config.max_connections_per_address = 1;
    config.limit_loopback = true;
    start();
    first = open_websocket(); /* counts as long as it is open */
    refused = open_client();
    CHECK(read_answer(refused, false));
    check_has("HTTP/1.1 503 ");
    (void)close(refused);
    (void)close(first);
    for (int i = 0; i < 100 && stats()->connections > 0; i++)
        turn();
    check_status(GET("/healthz"), 200);
    tear_down();

    prepare();
    config.max_connections_per_address = 1;
    start();
    first = open_websocket();
    check_status(GET("/healthz"), 200); /* a reverse proxy on this host */
    (void)close(first);
    tear_down();
}

static void a_client_that_does_not_read_is_cut_off(void)
{
    int fd;
    int small = 1024;

    prepare();
    config.timeout_s = 1;
    start();
    fd = open_client();
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    for (int i = 0; i < 1000; i++) { /* more answers than the kernel buffers */
        ssize_t n = send(fd, GET("/client/sluice.js"), strlen(GET("/client/sluice.js")),
                         MSG_NOSIGNAL);

        if (n < 0 && errno != EAGAIN)
            break;
        turn();
    }
    for (int i = 0; i < 500 && stats()->connections > 0; i++)
        turn();
    CHECK_EQ(stats()->connections, 0);
    CHECK(stats()->requests < 900);
    (void)close(fd);
    tear_down();
}

static void without_descriptors_it_waits_and_goes_on(void)
{
    struct rlimit before;
    struct rlimit none;
    int fd;

    set_up();
    fd = open_client();
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){.rlim_cur = 3, .rlim_max = before.rlim_max};
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
    for (int i = 0; i < 30; i++)
        turn();
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
    CHECK(stats()->accept_errors > 0);
    CHECK(stats()->accept_errors < 10); /* it does not spin */
    send_text(fd, GET("/healthz"));
    CHECK(read_answer(fd, false));
    check_has("{\"rooms\":3}");
    (void)close(fd);
    tear_down();
}

static void a_server_that_stops_accepting_keeps_its_clients(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd;
    int late;

    set_up();
    to.sin_port = htons(http_server_port(server));
    fd = open_client();
    send_text(fd, GET("/healthz"));
    CHECK(read_answer(fd, false));
    http_server_stop_accepting(server);
    late = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(connect(late, (struct sockaddr *)&to, sizeof(to)) < 0);
    send_text(fd, GET("/healthz"));
    CHECK(read_answer(fd, false));
    (void)close(late);
    (void)close(fd);
    tear_down();
}

static void a_taken_port_and_a_bad_address_are_told(void)
{
    struct http_server *second = NULL;

    set_up();
    config.port = http_server_port(server);
    CHECK_EQ(http_server_new(&second, base, &config, &handler, &seen), -EADDRINUSE);
    config.address = "localhost";
    CHECK_EQ(http_server_new(&second, base, &config, &handler, &seen), -EINVAL);
    config.address = "192.0.2.1";
    CHECK_EQ(http_server_new(&second, base, &config, &handler, &seen), -EADDRNOTAVAIL);
    CHECK(!second);
    tear_down();
}

TAP_CASES(CASE(the_page_is_served_with_its_headers), CASE(a_page_that_is_known_is_not_sent_again),
          CASE(head_has_the_length_but_no_body), CASE(unknown_paths_are_not_found),
          CASE(a_folder_can_take_the_place_of_the_built_in_page),
          CASE(health_is_what_the_handler_says), CASE(other_methods_are_not_allowed),
          CASE(an_offer_is_answered_with_201), CASE(a_chunked_offer_is_put_together),
          CASE(a_client_may_ask_before_it_sends_the_body),
          CASE(a_bad_offer_never_reaches_the_handler), CASE(pages_of_other_origins_may_use_whip),
          CASE(a_resource_is_deleted_by_the_handler), CASE(an_answer_may_come_later),
          CASE(answering_a_client_that_has_left_is_harmless),
          CASE(ws_is_upgraded_and_carries_messages), CASE(a_message_may_come_with_the_upgrade),
          CASE(breaking_the_websocket_protocol_is_counted),
          CASE(what_is_no_upgrade_is_refused_in_words), CASE(the_handler_may_refuse_an_upgrade),
          CASE(freeing_the_server_ends_sessions), CASE(a_connection_serves_many_requests),
          CASE(pipelined_requests_are_answered_in_order),
          CASE(an_old_client_gets_its_answer_and_the_end),
          CASE(a_client_that_closes_its_half_still_gets_its_answer),
          CASE(malformed_requests_change_a_counter_only), CASE(a_nul_in_the_header_is_malformed),
          CASE(a_header_over_the_limit_is_refused), CASE(a_body_over_the_limit_is_refused),
          CASE(a_request_must_be_complete_in_time), CASE(connections_are_limited),
          CASE(connections_per_address_are_limited), CASE(a_client_that_does_not_read_is_cut_off),
          CASE(without_descriptors_it_waits_and_goes_on),
          CASE(a_server_that_stops_accepting_keeps_its_clients),
          CASE(a_taken_port_and_a_bad_address_are_told))
