#include "signaling/http_server.h"

#include "tests/http_fixture.h"
#include "tests/tap.h"

/* Of this machine. */
#define LOCAL(path) "GET " path " HTTP/1.1\r\nHost: localhost:8080\r\n\r\n"

static void programs_on_this_machine_may_read_reports(void)
{
    web_set_up();
    web_check_status(LOCAL("/metrics"), 200);
    web_check_has("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n");
    web_check_has("\r\n\r\nreport 0 of all");
    web_check_status(LOCAL("/v1/rooms"), 200);
    web_check_has("Content-Type: application/json\r\n");
    web_check_has("report 1 of all");
    web_check_status(LOCAL("/v1/rooms/demo"), 200);
    web_check_has("report 2 of demo");
    web_tear_down();
}

static void unknown_rooms_and_paths_are_not_found(void)
{
    web_set_up();
    web_check_problem(LOCAL("/v1/rooms/other"), 404, "unknown_room");
    web_check_problem(LOCAL("/v1"), 404, "not_found");
    web_check_problem(LOCAL("/v1/room"), 404, "not_found");
    web_check_problem(LOCAL("/v1/rooms/demo/x"), 404, "not_found");
    web_check_problem(LOCAL("/metrics/x"), 404, "not_found");
    web_check_problem("DELETE /v1/rooms/demo HTTP/1.1\r\nHost: x\r\n\r\n", 405,
                      "method_not_allowed");
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

#define WITH(token) "GET /metrics HTTP/1.1\r\nHost: x\r\nAuthorization: " token "\r\n\r\n"

static void a_token_is_asked_of_everybody(void)
{
    web_prepare();
    web_config.admin_token = "secret";
    web_start();
    web_check_problem(LOCAL("/metrics"), 401, "unauthorized");
    web_check_has("WWW-Authenticate: Bearer\r\n");
    web_check_problem(WITH("Bearer secre"), 401, "unauthorized");
    web_check_problem(WITH("Bearer secrets"), 401, "unauthorized");
    web_check_problem(WITH("Basic secret"), 401, "unauthorized");
    web_check_status(WITH("bearer secret"), 200);
    web_tear_down();
}

TAP_CASES(CASE(programs_on_this_machine_may_read_reports),
          CASE(unknown_rooms_and_paths_are_not_found),
          CASE(whom_a_proxy_speaks_for_is_not_on_this_machine), CASE(a_token_is_asked_of_everybody))
