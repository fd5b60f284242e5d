#include "media/base/log.h"

#include "media/base/clock.h"
#include "tests/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Standard error is a pipe between these two. */
static int real_stderr;
static int captured;

static void capture(void)
{
    int ends[2];

    (void)fflush(stderr);
    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    real_stderr = dup(STDERR_FILENO);
    captured = ends[0];
    CHECK_EQ(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    CHECK_EQ(close(ends[1]), 0);
}

/* Restore standard error. @return what was written to it since capture(), at most one read */
static const char *released(void)
{
    static char buffer[4096];
    ssize_t n = read(captured, buffer, sizeof(buffer) - 1);

    buffer[n > 0 ? n : 0] = '\0';
    (void)dup2(real_stderr, STDERR_FILENO);
    (void)close(real_stderr);
    (void)close(captured);
    return buffer;
}

static void line_has_time_level_area_and_sentence(void)
{
    const char *line;

    capture();
    log_warn("worker", "dtls failed: err=%s after_ms=%d", "EPERM", 12);
    line = released();
    CHECK_EQ(strlen(line), strlen("2026-01-31T12:00:00.000Z warn  worker: dtls failed: err=EPERM "
                                  "after_ms=12\n"));
    CHECK_EQ(line[10], 'T');
    CHECK_STR(line + 23, "Z warn  worker: dtls failed: err=EPERM after_ms=12\n");
}

static void lines_below_the_level_are_not_written(void)
{
    const char *lines;

    capture();
    log_debug("worker", "not at first");
    log_set_level(LOG_DEBUG);
    log_debug("worker", "now");
    log_set_level(LOG_ERROR);
    log_warn("worker", "not any more");
    log_set_level(LOG_INFO);
    lines = released();
    CHECK(!strstr(lines, "not at first"));
    CHECK(strstr(lines, "now") != NULL);
    CHECK(!strstr(lines, "not any more"));
}

static void long_line_is_cut_and_still_ends(void)
{
    static char word[3000];
    const char *line;

    for (size_t i = 0; i < sizeof(word) - 1; i++)
        word[i] = 'x';
    capture();
    log_info("worker", "%s", word);
    line = released();
    CHECK(strlen(line) < sizeof(word));
    CHECK_EQ(line[strlen(line) - 1], '\n');
}

static void value_from_a_peer_cannot_make_a_second_line(void)
{
    const char *line;

    capture();
    log_info("worker", "joined: name=%s", "eve\n2026 error fake\x1b[31m");
    line = released();
    CHECK(strchr(line, '\n') == line + strlen(line) - 1);
    CHECK(!strchr(line, '\x1b'));
}

static void a_line_may_be_json(void)
{
    const char *line;

    capture();
    log_set_format(LOG_JSON);
    log_info("worker", "joined: name=%s", "eve\n\"");
    log_set_format(LOG_TEXT);
    line = released();
    CHECK(strchr(line, '\n') == line + strlen(line) - 1);
    CHECK(strstr(line, ",\"level\":\"info\",\"area\":\"worker\",\"msg\":\"joined\","
                       "\"name\":\"eve\\u000a\\\"\"}\n"));
    CHECK_EQ(log_format_parse("json"), LOG_JSON);
    CHECK_EQ(log_format_parse("text"), LOG_TEXT);
    CHECK_EQ(log_format_parse("xml"), -EINVAL);
}

static void logging_leaves_errno_alone(void)
{
    capture();
    errno = EDOM;
    log_info("worker", "hello");
    (void)released();
    CHECK_EQ(errno, EDOM);
}

static void levels_have_names(void)
{
    CHECK_EQ(log_level_parse("trace"), LOG_TRACE);
    CHECK_EQ(log_level_parse("debug"), LOG_DEBUG);
    CHECK_EQ(log_level_parse("info"), LOG_INFO);
    CHECK_EQ(log_level_parse("warn"), LOG_WARN);
    CHECK_EQ(log_level_parse("error"), LOG_ERROR);
    CHECK_EQ(log_level_parse("warning"), -EINVAL);
    CHECK_EQ(log_level_parse(""), -EINVAL);
}

static void burst_passes_and_the_rest_is_counted(void)
{
    struct log_limit limit = {0};
    uint32_t cut = 99;

    CHECK(log_limit_pass(&limit, 5 * SECOND, 2, &cut));
    CHECK_EQ(cut, 0);
    CHECK(log_limit_pass(&limit, 5 * SECOND + 1, 2, &cut));
    CHECK(!log_limit_pass(&limit, 5 * SECOND + 2, 2, &cut));
    CHECK(!log_limit_pass(&limit, 6 * SECOND - 1, 2, &cut));
    CHECK(log_limit_pass(&limit, 6 * SECOND, 2, &cut));
    CHECK_EQ(cut, 2);
    CHECK(log_limit_pass(&limit, 6 * SECOND, 2, &cut));
    CHECK_EQ(cut, 0);
}

static void errors_have_names(void)
{
    CHECK_STR(err_name(-EBADMSG), "EBADMSG");
    CHECK_STR(err_name(ENOMEM), "ENOMEM");
    CHECK_STR(err_name(-99999), "E?");
}

TAP_CASES(CASE(line_has_time_level_area_and_sentence), CASE(lines_below_the_level_are_not_written),
          CASE(long_line_is_cut_and_still_ends), CASE(value_from_a_peer_cannot_make_a_second_line),
          CASE(a_line_may_be_json), CASE(logging_leaves_errno_alone), CASE(levels_have_names),
          CASE(burst_passes_and_the_rest_is_counted), CASE(errors_have_names))
