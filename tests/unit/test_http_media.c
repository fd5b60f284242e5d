#include "tests/http_fixture.h"
#include "tests/tap.h"

#include <unistd.h>

static void an_offer_is_answered_with_201(void)
{
    web_set_up();
    web_check_status(POST("/whip/demo", SDP "Content-Length: 5\r\n", "v=0\r\n"), 201);
    CHECK_EQ(web_seen.media, HTTP_WHIP);
    CHECK_STR(web_seen.room, "demo");
    CHECK_STR(web_seen.sdp, "v=0\r\n");
    web_check_has("Location: /whip/demo/r1X-Evil: 1\r\n"); /* nobody can begin a field of his own */
    web_check_has("ETag: \"xyzzy\"\r\n");
    web_check_has("Accept-Patch: application/trickle-ice-sdpfrag\r\n");
    web_check_has("Content-Type: application/sdp\r\n");
    web_check_has("Access-Control-Allow-Origin: *\r\n");
    web_check_has("Access-Control-Expose-Headers: Location, ETag, Link");
    web_check_has("\r\n\r\nv=0 answer");

    web_check_status(POST("/whep/r%6Fom",
                          "content-type: Application/SDP ; charset=utf-8\r\n"
                          "Content-Length: 1\r\n",
                          "x"),
                     201);
    CHECK_EQ(web_seen.media, HTTP_WHEP);
    CHECK_STR(web_seen.room, "room");
    CHECK_EQ(web_seen.posts, 2);
    web_tear_down();
}

static void check_name(const char *request, const char *name)
{
    web_check_status(request, 201);
    CHECK_STR(web_seen.room, "demo");
    CHECK_STR(web_seen.name, name);
}

static void the_query_may_name_the_publisher(void)
{
#define OFFER_TO(target) POST(target, SDP "Content-Length: 3\r\n", "v=0")
    web_set_up();
    check_name(OFFER_TO("/whip/demo"), "");
    check_name(OFFER_TO("/whip/demo?"), "");
    check_name(OFFER_TO("/whip/demo?surname=x&names=y&name"), "");
    check_name(OFFER_TO("/whip/demo?name=Ada"), "Ada");
    check_name(OFFER_TO("/whip/demo?x=/?y&name=Ada&name=Eve"), "Ada");
    check_name(OFFER_TO("/whip/demo?name=Ada+L.%20%C3%A9%0A%00#name=x"), "Ada L. \u00e9  ");
    check_name(OFFER_TO("/whip/demo?name=100%&x=1"), "100%");
    check_name(OFFER_TO("/whip/demo?name=%4"), "%4");
    check_name(OFFER_TO("/whip/demo?name=12345678901234%C3%A9"), "12345678901234");
    web_tear_down();
#undef OFFER_TO
}

static void a_chunked_offer_is_put_together(void)
{
    web_set_up();
    web_check_status(POST("/whip/demo", SDP "Transfer-Encoding: chunked\r\n",
                          "3\r\nv=0\r\n2;x=y\r\n\r\n\r\n0\r\nTrailer: x\r\n\r\n"),
                     201);
    CHECK_STR(web_seen.sdp, "v=0\r\n");
    web_tear_down();
}

static void a_client_may_ask_before_it_sends_the_body(void)
{
    int fd;

    web_set_up();
    fd = web_open_client();
    web_send(fd, POST("/whip/demo", SDP "Content-Length: 3\r\nExpect: 100-continue\r\n", ""));
    CHECK(web_read_answer(fd, true));
    CHECK_STR(web_answer, "HTTP/1.1 100 Continue\r\n\r\n");
    web_send(fd, "v=0");
    CHECK(web_read_answer(fd, false));
    web_check_has("HTTP/1.1 201 Created\r\n");
    (void)close(fd);
    web_tear_down();
}

static void a_bad_offer_never_reaches_the_handler(void)
{
    static const char has_nul[] = POST("/whip/demo", SDP "Content-Length: 3\r\n", "v\0x");
    int fd;

    web_set_up();
    web_check_problem(POST("/whip/demo", "Content-Length: 3\r\n", "v=0"), 415,
                      "unsupported_media_type");
    web_check_problem(
        POST("/whip/demo", "Content-Type: application/sdpx\r\nContent-Length: 3\r\n", "v=0"), 415,
        "unsupported_media_type");
    web_check_problem(POST("/whip/demo", SDP, ""), 400, "no_offer");
    web_check_problem(POST("/whip/a%20b", SDP "Content-Length: 3\r\n", "v=0"), 400, "bad_room");
    web_check_problem(POST("/whip/", SDP "Content-Length: 3\r\n", "v=0"), 400, "bad_room");
    fd = web_open_client();
    web_send_bytes(fd, has_nul, sizeof(has_nul) - 1);
    CHECK(web_read_answer(fd, false));
    web_check_has("\"code\":\"sdp_syntax\"");
    (void)close(fd);
    CHECK_EQ(web_seen.posts, 0);
    web_tear_down();
}

static void pages_of_other_origins_may_use_whip(void)
{
    web_set_up();
    web_check_status("OPTIONS /whip/demo HTTP/1.1\r\nHost: x\r\nOrigin: http://y\r\n"
                     "Access-Control-Request-Method: POST\r\n\r\n",
                     200);
    web_check_has("Access-Control-Allow-Origin: *\r\n");
    web_check_has("Access-Control-Allow-Methods: GET, HEAD, POST, OPTIONS\r\n");
    web_check_has("Access-Control-Allow-Headers: Authorization, Content-Type, If-Match,");
    web_check_has("Accept-Post: application/sdp\r\n");
    web_check_status("OPTIONS /whep/demo/r1 HTTP/1.1\r\nHost: x\r\n\r\n", 200);
    web_check_has("Access-Control-Allow-Methods: GET, HEAD, PATCH, DELETE, OPTIONS\r\n");
    web_check_has("Accept-Patch: application/trickle-ice-sdpfrag\r\n");
    web_check_status("OPTIONS /whep/demo/r1/layer HTTP/1.1\r\nHost: x\r\n\r\n", 200);
    web_check_has("Access-Control-Allow-Methods: POST, OPTIONS\r\n");
    web_check_has("Accept-Post: application/json\r\n");
    web_tear_down();
}

static void relays_are_told_but_in_no_preflight(void)
{
    web_set_up();
    web_check_status("OPTIONS /whip/demo HTTP/1.1\r\nHost: x\r\n\r\n", 200);
    web_check_has("Link: <stun:stun.example>; rel=\"ice-server\"\r\n");
    web_check_has("Link: <turn:turn.example?transport=udp>; rel=\"ice-server\"; "
                  "username=\"1:a\\\"b\"; credential=\"c\\\\d\"; credential-type=\"password\"\r\n");
    web_check_status("OPTIONS /whip/demo HTTP/1.1\r\nHost: x\r\n"
                     "Access-Control-Request-Method: POST\r\n\r\n",
                     200);
    CHECK(!strstr(web_answer, "stun.example"));
    web_tear_down();
}

static void a_get_is_answered_with_nothing(void)
{
    web_set_up();
    web_check_status(GET("/whip/demo"), 204);
    web_check_status(GET("/whep/demo"), 200);
    web_check_has("Content-Type: application/sdp\r\n");
    web_check_has("Content-Length: 0\r\n");
    web_check_status("HEAD /whep/demo HTTP/1.1\r\nHost: x\r\n\r\n", 200);
    web_check_has("Content-Type: application/sdp\r\n");
    web_check_status(GET("/whip/demo/r1"), 204);
    CHECK_EQ(web_seen.method, HTTP_GET);
    web_check_status("HEAD /whip/demo/r1 HTTP/1.1\r\nHost: x\r\n\r\n", 204);
    web_check_status(GET("/whip/demo/r2"), 404);
    web_tear_down();
}

static void a_patch_is_given_to_the_handler(void)
{
#define PATCH(fields) \
    "PATCH /whip/demo/r1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n" fields "\r\na=x"
#define FRAGMENT "Content-Type: application/trickle-ice-sdpfrag\r\n"
    web_set_up();
    web_check_status(PATCH(FRAGMENT "If-Match: \"xyzzy\"\r\n"), 200);
    CHECK_STR(web_seen.if_match, "\"xyzzy\"");
    CHECK_STR(web_seen.sdp, "a=x");
    web_check_has("ETag: \"new\"\r\n");
    web_check_has("Content-Type: application/trickle-ice-sdpfrag\r\n");
    web_check_has("\r\n\r\na=ice-ufrag:x");
    web_check_status(PATCH(FRAGMENT), 200);
    CHECK_STR(web_seen.if_match, "(none)");
    web_check_problem(PATCH(SDP), 415, "unsupported_media_type");
    web_check_has("Accept-Patch: application/trickle-ice-sdpfrag\r\n");
    web_check_problem("PATCH /whip/demo/r1 HTTP/1.1\r\nHost: x\r\n" FRAGMENT "\r\n", 400,
                      "sdp_syntax");
    CHECK_EQ(web_seen.requests, 2);
    web_tear_down();
#undef PATCH
}

static void other_methods_are_not_allowed(void)
{
    web_set_up();
    web_check_problem("PUT /whip/demo HTTP/1.1\r\nHost: x\r\n\r\n", 405, "method_not_allowed");
    web_check_has("Allow: GET, HEAD, POST, OPTIONS\r\n");
    web_check_problem("PATCH /whip/demo HTTP/1.1\r\nHost: x\r\n\r\n", 405, "method_not_allowed");
    web_check_problem("DELETE /whep/demo HTTP/1.1\r\nHost: x\r\n\r\n", 405, "method_not_allowed");
    web_check_problem("POST /whip/demo/r1 HTTP/1.1\r\nHost: x\r\n\r\n", 405, "method_not_allowed");
    web_check_has("Allow: GET, HEAD, PATCH, DELETE, OPTIONS\r\n");
    web_check_problem("PUT /whip/demo/r1 HTTP/1.1\r\nHost: x\r\n\r\n", 405, "method_not_allowed");
    web_check_problem(POST("/whip/demo", SDP "Accept: text/html\r\nContent-Length: 3\r\n", "v=0"),
                      406, "not_acceptable");
    web_check_status(POST("/whip/demo",
                          SDP "Accept: text/html, application/sdp;q=0.5\r\nContent-Length: 3\r\n",
                          "v=0"),
                     201);
    CHECK_EQ(web_seen.requests, 0);
    web_tear_down();
}

static void what_is_below_a_session_is_for_players(void)
{
#define JSON "Content-Type: application/json; charset=utf-8\r\nContent-Length: 2\r\n"
    web_set_up();
    web_check_status(POST("/whep/demo/r1/sse", JSON, "[]"), 204);
    CHECK_STR(web_seen.part, "sse/");
    web_check_status(POST("/whep/demo/r1/sse", "", ""), 204);
    web_check_status(GET("/whep/demo/r1/sse/abc"), 204);
    CHECK_STR(web_seen.part, "sse/abc");
    web_check_status(POST("/whep/demo/r1/layer", JSON, "{}"), 204);
    CHECK_STR(web_seen.part, "layer/");
    web_check_problem(POST("/whep/demo/r1/layer", "", ""), 415, "unsupported_media_type");
    web_check_problem(POST("/whep/demo/r1/layer", SDP "Content-Length: 2\r\n", "{}"), 415,
                      "unsupported_media_type");
    web_check_problem(GET("/whep/demo/r1/layer"), 405, "method_not_allowed");
    web_check_problem(POST("/whep/demo/r1/sse/abc", JSON, "[]"), 405, "method_not_allowed");
    web_check_problem(POST("/whip/demo/r1/sse", JSON, "[]"), 404, "not_found");
    web_check_problem(GET("/whep/demo/r1/other"), 404, "not_found");
    web_check_problem(GET("/whep/demo/r1/layer/x"), 404, "not_found");
    web_check_problem(GET("/whep/demo/r1/sse/x/y"), 404, "not_found");
    CHECK_EQ(web_seen.requests, 4);
    web_tear_down();
#undef JSON
}

static void a_resource_is_deleted_by_the_handler(void)
{
    web_set_up();
    web_check_status("DELETE /whep/demo/r1 HTTP/1.1\r\nHost: x\r\n\r\n", 200);
    CHECK_EQ(web_seen.media, HTTP_WHEP);
    CHECK_STR(web_seen.room, "demo");
    CHECK_STR(web_seen.resource, "r1");
    web_check_problem("DELETE /whip/demo/r2 HTTP/1.1\r\nHost: x\r\n\r\n", 404, "not_found");
    web_check_has("{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,"
                  "\"detail\":\"no \\\"such\\\" thing\",\"code\":\"not_found\"}");
    web_tear_down();
}

static int post_and_wait(void)
{
    int fd = web_open_client();

    web_seen.answer_later = true;
    web_send(fd, POST("/whip/demo", SDP "Content-Length: 3\r\n", "v=0"));
    for (int i = 0; i < 100 && !web_seen.waiting; i++)
        web_turn();
    CHECK(web_seen.waiting);
    return fd;
}

static void an_answer_may_come_later(void)
{
    int fd;

    web_set_up();
    fd = post_and_wait();
    web_send(fd, GET("/healthz")); /* waits for its turn */
    web_turn();
    http_reply_created(web_seen.waiting, "/whip/demo/r1", "e", "v=0");
    CHECK(web_read_answer(fd, false));
    web_check_has("HTTP/1.1 201 Created\r\n");
    if (!strstr(web_answer, "rooms"))
        CHECK(web_read_answer(fd, false));
    web_check_has("{\"rooms\":3}");
    (void)close(fd);
    web_tear_down();
}

static void answering_a_client_that_has_left_is_harmless(void)
{
    int fd;

    web_set_up();
    fd = post_and_wait();
    (void)close(fd);
    for (int i = 0; i < 100 && web_stats()->connections > 0; i++)
        web_turn();
    CHECK_EQ(web_stats()->connections, 0);
    http_reply_created(web_seen.waiting, "/whip/demo/r1", "e", "v=0");

    web_seen.waiting = NULL;
    fd = post_and_wait();
    (void)close(fd);
    web_tear_down(); /* and so is answering when the server is gone */
    http_reply_problem(web_seen.waiting, 503, "server_stopping", "x");
}

TAP_CASES(CASE(an_offer_is_answered_with_201), CASE(the_query_may_name_the_publisher),
          CASE(a_chunked_offer_is_put_together), CASE(a_client_may_ask_before_it_sends_the_body),
          CASE(a_bad_offer_never_reaches_the_handler), CASE(pages_of_other_origins_may_use_whip),
          CASE(relays_are_told_but_in_no_preflight), CASE(a_get_is_answered_with_nothing),
          CASE(a_patch_is_given_to_the_handler), CASE(other_methods_are_not_allowed),
          CASE(what_is_below_a_session_is_for_players), CASE(a_resource_is_deleted_by_the_handler),
          CASE(an_answer_may_come_later), CASE(answering_a_client_that_has_left_is_harmless))
