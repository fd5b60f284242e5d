#include "media/base/log_json.h"

#include "media/base/attributes.h"
#include "tests/tap.h"

#include <inttypes.h>
#include <jansson.h>

static char line[2048];
static size_t size = sizeof(line);

static json_t *write_line(const char *format, ...) PRINTF_LIKE(1, 2);

/* @return the line, parsed strictly */
static json_t *write_line(const char *format, ...)
{
    static const struct log_head head = {"2026-01-31T12:00:00.000Z", "info", "session"};
    json_error_t error;
    json_t *object;
    va_list args;
    size_t len;

    va_start(args, format);
    len = log_json_write(line, size, &head, format, args);
    va_end(args);
    CHECK(len <= size);
    CHECK(!memchr(line, '\n', len));
    object = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error);
    if (!object)
        printf("# %s: %.*s\n", error.text, (int)len, line);
    CHECK(object);
    return object;
}

static void check_text(json_t *object, const char *name, const char *value)
{
    const char *text = json_string_value(json_object_get(object, name));

    if (!text)
        printf("# %s is no string\n", name);
    CHECK(text);
    CHECK_STR(text, value);
}

static void words_with_values_are_members(void)
{
    json_t *o = write_line("joined: room=%s participant=%s tracks=%" PRIu32 " after_s=%" PRId64,
                           "demo", "p-0000002a", UINT32_C(7), INT64_C(-3));

    check_text(o, "time", "2026-01-31T12:00:00.000Z");
    check_text(o, "level", "info");
    check_text(o, "area", "session");
    check_text(o, "msg", "joined");
    check_text(o, "room", "demo");
    check_text(o, "participant", "p-0000002a");
    CHECK(json_is_integer(json_object_get(o, "tracks")));
    CHECK_EQ(json_integer_value(json_object_get(o, "tracks")), 7);
    CHECK_EQ(json_integer_value(json_object_get(o, "after_s")), -3);
    CHECK_EQ(json_object_size(o), 8);
    json_decref(o);
}

static void a_name_cannot_make_members_or_lines(void)
{
    json_t *o = write_line("left: name=%s code=%s message=\"%s\" room=%s",
                           "eve room=x level=error\n\x1b[31m\x7f", "left", "he said \"hi\" a=b\\",
                           "demo");

    check_text(o, "name", "eve room=x level=error\n\x1b[31m\x7f");
    check_text(o, "message", "he said \"hi\" a=b\\");
    check_text(o, "room", "demo");
    check_text(o, "msg", "left");
    CHECK(!strchr(line, '\x1b'));
    json_decref(o);
}

static void what_is_no_utf8_is_replaced(void)
{
    json_t *o = write_line("joined: name=%s end=%s", "a\xFF\xC3", "\xF0\x9F\x98");

    check_text(o, "name", "a\xEF\xBF\xBD\xEF\xBF\xBD");
    json_decref(o);
    o = write_line("joined: name=%s", "Zo\xC3\xAB");
    check_text(o, "name", "Zo\xC3\xAB");
    json_decref(o);
}

static void what_is_no_member_is_the_sentence(void)
{
    json_t *o = write_line(
        "serving: ports=%u-%u backend=%s try sysctl -w net.rmem=4194304, %d%% done", 7882U, 7885U,
        "auto", 50);

    check_text(o, "ports", "7882-7885");
    check_text(o, "msg", "serving: try sysctl -w net.rmem=4194304, 50% done");
    json_decref(o);
    o = write_line("%s happened: bytes=%zu; try again", "something", (size_t)12);
    check_text(o, "msg", "something happened: ; try again");
    CHECK_EQ(json_integer_value(json_object_get(o, "bytes")), 12);
    json_decref(o);
}

static void every_conversion_of_ours_is_known(void)
{
    json_t *o = write_line("x: a=%5.1f b=%.*s c=%.2s d=%lld e=%zd f=%jd g=%hhu h=%x i=%c j=%s",
                           1.25, 2, "xyz", "uvw", -5LL, (ssize_t)-6, (intmax_t)7, (unsigned char)8,
                           0xABU, 'q', "last");

    check_text(o, "b", "xy");
    check_text(o, "c", "uv");
    CHECK_EQ(json_integer_value(json_object_get(o, "d")), -5);
    CHECK_EQ(json_integer_value(json_object_get(o, "e")), -6);
    CHECK_EQ(json_integer_value(json_object_get(o, "f")), 7);
    CHECK_EQ(json_integer_value(json_object_get(o, "g")), 8);
    check_text(o, "i", "q");
    check_text(o, "j", "last");
    json_decref(o);
}

static void what_does_not_fit_is_cut_and_it_is_json_still(void)
{
    static char word[3000];
    json_t *o;

    memset(word, '"', sizeof(word) - 1);
    for (size = 512; size <= 1200; size++) {
        o = write_line("joined: a=%s b=%s %s c=%d", word, word, word, 5);
        json_decref(o);
    }
    size = sizeof(line);
    for (size_t i = 0; i + 2 < sizeof(word); i += 2)
        memcpy(word + i, "\xC3\xAB", 2);
    o = write_line("joined: a=%s", word); /* a character is cut in the middle, at most replaced */
    json_decref(o);
}

TAP_CASES(CASE(words_with_values_are_members), CASE(a_name_cannot_make_members_or_lines),
          CASE(what_is_no_utf8_is_replaced), CASE(what_is_no_member_is_the_sentence),
          CASE(every_conversion_of_ours_is_known),
          CASE(what_does_not_fit_is_cut_and_it_is_json_still))
