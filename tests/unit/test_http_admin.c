#include "signaling/http_server.h"

#include "tests/http_fixture.h"
#include "tests/tap.h"

/* Of this machine. */
#define LOCAL(path)       "GET " path " HTTP/1.1\r\nHost: localhost:8080\r\n\r\n"
#define ASK(method, path) method " " path " HTTP/1.1\r\nHost: localhost:8080\r\n\r\n"
#define JSON(method, path, len, body)                       \
    method " " path " HTTP/1.1\r\nHost: localhost:8080\r\n" \
           "Content-Type: application/json\r\nContent-Length: " len "\r\n\r\n" body

static void programs_on_this_machine_may_ask(void)
{
    web_set_up();
    web_check_status(LOCAL("/metrics"), 200);
    web_check_has("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n");
    web_check_has("\r\n\r\nmetrics of all");
    web_check_status(LOCAL("/v1/rooms"), 200);
    web_check_has("Content-Type: application/json\r\n");
    web_check_has("{\"action\":1}");
    web_check_status(LOCAL("/v1/rooms/demo"), 200);
    CHECK_EQ(web_seen.admin.action, ADMIN_ROOM);
    CHECK_STR(web_seen.admin.room, "demo");
    web_tear_down();
}

static void a_path_is_read_into_the_request(void)
{
    web_set_up();
    web_check_status(ASK("DELETE", "/v1/rooms/demo/participants/p-0000002a?reason=too%20loud"),
                     204);
    CHECK_EQ(web_seen.admin.action, ADMIN_KICK);
    CHECK_STR(web_seen.admin.room, "demo");
    CHECK_EQ(web_seen.admin.participant, 0x2A);
    CHECK_STR(web_seen.admin.reason, "too loud");
    web_check_status(ASK("GET", "/v1/rooms/demo/tracks/t-00000007"), 204);
    CHECK_EQ(web_seen.admin.action, ADMIN_TRACK);
    CHECK_EQ(web_seen.admin.track, 7);
    web_check_status(ASK("GET", "/v1/rooms/demo/tracks/p-00000007"), 204);
    CHECK_EQ(web_seen.admin.track, 0);
    web_check_status(ASK("DELETE", "/v1/rooms/a%20b"), 204);
    CHECK_STR(web_seen.admin.room, "");
    web_tear_down();
}

static void a_body_is_read_into_the_request(void)
{
    web_set_up();
    web_check_status(
        JSON("POST", "/v1/rooms/demo/participants/p-0000002a/move", "16", "{\"room\":\"other\"} "),
        204);
    CHECK_EQ(web_seen.admin.action, ADMIN_MOVE);
    CHECK_STR(web_seen.admin.to_room, "other");
    web_check_problem(
        JSON("POST", "/v1/rooms/demo/participants/p-0000002a/move", "10", "{\"room\":1}"), 400,
        "bad_field");
    web_check_problem(JSON("POST", "/v1/drain", "1", "{"), 400, "bad_json");
    web_check_problem(ASK("POST", "/v1/rooms/demo/participants/p-0000002a/move"), 400, "bad_field");
    web_tear_down();
}

static void a_body_must_say_that_it_is_json(void)
{
    web_set_up();
    web_check_problem("POST /v1/drain HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
                      "Content-Length: 2\r\n\r\n{}",
                      415, "unsupported_media_type");
    web_check_status(ASK("POST", "/v1/drain"), 204);
    web_tear_down();
}

static void unknown_rooms_and_paths_are_not_found(void)
{
    web_set_up();
    web_check_problem(LOCAL("/v1/rooms/other"), 404, "unknown_room");
    web_check_problem(LOCAL("/v1"), 404, "not_found");
    web_check_problem(LOCAL("/v1/room"), 404, "not_found");
    web_check_problem(LOCAL("/v1/roomss"), 404, "not_found");
    web_check_problem(LOCAL("/v1/rooms/demo/x"), 404, "not_found");
    web_check_problem(LOCAL("/v1/rooms/demo/participants/p-00000001/move/x"), 404, "not_found");
    web_check_problem(LOCAL("/v1/rooms/demo/participants/p-00000001/move/x/y/z"), 404, "not_found");
    web_check_problem(LOCAL("/metrics/x"), 404, "not_found");
    web_tear_down();
}

static void a_path_tells_its_methods(void)
{
    web_set_up();
    web_check_problem(ASK("POST", "/v1/rooms/demo"), 405, "method_not_allowed");
    web_check_has("Allow: GET, HEAD, PATCH, DELETE\r\n");
    web_check_problem(ASK("POST", "/metrics"), 405, "method_not_allowed");
    web_check_has("Allow: GET, HEAD\r\n");
    web_check_status(ASK("HEAD", "/v1/rooms"), 200);
    web_tear_down();
}

static void whom_a_proxy_speaks_for_is_not_on_this_machine(void)
{
    web_set_up();
    web_check_problem("GET /metrics HTTP/1.1\r\nHost: [::1]\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n",
                      403, "forbidden");
    web_check_problem(
        "GET /v1/rooms HTTP/1.1\r\nHost: 127.0.0.1\r\nForwarded: for=192.0.2.1\r\n\r\n", 403,
        "forbidden");
    web_check_problem(GET("/metrics"), 403, "forbidden");
    web_check_problem("GET /metrics HTTP/1.1\r\nHost: localhost.example.org\r\n\r\n", 403,
                      "forbidden");
    web_tear_down();
}

static void pages_of_other_sites_may_not_ask(void)
{
    web_set_up();
    web_check_problem("DELETE /v1/drain HTTP/1.1\r\nHost: localhost:8080\r\n"
                      "Origin: https://evil.example\r\n\r\n",
                      403, "forbidden");
    web_check_problem("DELETE /v1/drain HTTP/1.1\r\nHost: localhost:8080\r\nOrigin: null\r\n\r\n",
                      403, "forbidden");
    web_check_status("DELETE /v1/drain HTTP/1.1\r\nHost: localhost:8080\r\n"
                     "Origin: http://localhost:8080\r\n\r\n",
                     204);
    web_tear_down();
}

#define WITH(token) "GET /metrics HTTP/1.1\r\nHost: x\r\nAuthorization: " token "\r\n\r\n"

static void a_token_is_asked_of_everybody(void)
{
    web_prepare();
    web_config.admin_token = "secret";
    web_start();
    web_check_problem(LOCAL("/metrics"), 401, "unauthorized");
    web_check_has("WWW-Authenticate: Bearer realm=\"sluice\"\r\n");
    web_check_problem(LOCAL("/v1/nothing"), 401, "unauthorized");
    web_check_problem(WITH("Bearer secre"), 401, "unauthorized");
    web_check_problem(WITH("Bearer secrets"), 401, "unauthorized");
    web_check_problem(WITH("Basic secret"), 401, "unauthorized");
    web_check_status(WITH("bearer secret"), 200);
    web_tear_down();
}

static void a_token_with_the_grant_will_do(void)
{
    web_set_up();
    web_check_status(WITH("Bearer granted"), 200);
    web_check_problem(WITH("Bearer wrong"), 401, "unauthorized");
    web_tear_down();
}

#define WITH_OF_DEMO(path) \
    "GET " path " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer of demo\r\n\r\n"

static void a_token_of_a_room_is_for_that_room(void)
{
    web_set_up();
    web_check_status(WITH_OF_DEMO("/v1/rooms/demo"), 200);
    web_check_status(WITH_OF_DEMO("/v1/rooms/demo/tracks/t-00000001"), 204);
    web_check_problem(WITH_OF_DEMO("/v1/rooms/other"), 401, "unauthorized");
    web_check_problem(WITH_OF_DEMO("/v1/rooms"), 401, "unauthorized");
    web_check_problem(WITH_OF_DEMO("/v1/server"), 401, "unauthorized");
    web_check_problem(WITH_OF_DEMO("/metrics"), 401, "unauthorized");
    web_tear_down();
}

TAP_CASES(CASE(programs_on_this_machine_may_ask), CASE(a_path_is_read_into_the_request),
          CASE(a_body_is_read_into_the_request), CASE(a_body_must_say_that_it_is_json),
          CASE(unknown_rooms_and_paths_are_not_found), CASE(a_path_tells_its_methods),
          CASE(whom_a_proxy_speaks_for_is_not_on_this_machine),
          CASE(pages_of_other_sites_may_not_ask), CASE(a_token_is_asked_of_everybody),
          CASE(a_token_with_the_grant_will_do), CASE(a_token_of_a_room_is_for_that_room))
