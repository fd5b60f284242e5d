#include "tests/http_fixture.h"
#include "tests/tap.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static void the_page_is_served_with_its_headers(void)
{
    web_set_up();
    web_check_status(GET("/"), 200);
    web_check_has("Content-Type: text/html; charset=utf-8\r\n");
    web_check_has("Cache-Control: no-cache\r\n");
    web_check_has("X-Content-Type-Options: nosniff\r\n");
    web_check_has("Content-Security-Policy: default-src 'self'; connect-src 'self' ws: wss:");
    web_check_has("<html");
    web_check_status(GET("/?room=demo"), 200);
    web_check_status(GET("/client/sluice.js"), 200);
    web_check_has("Content-Type: text/javascript; charset=utf-8\r\n");
    web_check_status(GET("http://x/"), 200);
    CHECK_EQ(web_stats()->requests, 4);
    CHECK_EQ(web_stats()->bad_requests, 0);
    web_tear_down();
}

static void a_page_that_is_known_is_not_sent_again(void)
{
    char request[256];
    const char *etag;

    web_set_up();
    web_check_status(GET("/"), 200);
    etag = strstr(web_answer, "ETag: \"");
    CHECK(etag);
    (void)snprintf(request, sizeof(request),
                   "GET / HTTP/1.1\r\nHost: x\r\nIf-None-Match: W/\"a\", %.22s\r\n\r\n", etag + 6);
    web_check_status(request, 304);
    CHECK_EQ(web_body_len(), 0);
    web_check_has("ETag: ");
    web_tear_down();
}

static void head_has_the_length_but_no_body(void)
{
    web_set_up();
    web_check_status("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n", 200);
    CHECK(web_body_len() > 100);
    CHECK_STR(strstr(web_answer, "\r\n\r\n"), "\r\n\r\n");
    web_tear_down();
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

    web_prepare();
    web_config.web_root = folder;
    web_start();
    web_check_status(GET("/"), 200);
    web_check_has("\r\n\r\nmy page");
    web_check_has("ETag: \"");
    web_check_status(GET("/client/index.html"), 200);
    web_check_problem(GET("/client/sluice.js"), 404, "not_found");
    web_check_problem(GET("/client/link.html"), 404, "not_found");
    web_check_problem(GET("/client/../../etc/passwd"), 404, "not_found");
    web_check_problem(GET("/client/%2e%2e/%2e%2e/etc/passwd"), 404, "not_found");
    web_check_problem(GET("/client/..%2f..%2fetc/passwd"), 400, "bad_request");
    web_check_problem(GET("/client/.hidden"), 404, "not_found");
    web_check_problem(GET("/client/a%00b"), 400, "bad_request");
    web_tear_down();
    (void)unlink(outside);
    (void)unlink(path);
    (void)rmdir(folder);
}

TAP_CASES(CASE(the_page_is_served_with_its_headers), CASE(a_page_that_is_known_is_not_sent_again),
          CASE(head_has_the_length_but_no_body),
          CASE(a_folder_can_take_the_place_of_the_built_in_page))
