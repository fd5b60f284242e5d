#include "signaling/json_text.h"

#include "tests/tap.h"

static void utf8_is_what_unicode_says(void)
{
    static const struct {
        const char *bytes;
        size_t len;
    } cases[] = {
        {"", 0},
        {"a", 1},
        {"\x7F", 1},
        {"\x80", 0},
        {"\xC1\xBF", 0}, /* overlong */
        {"\xC2\x80", 2},
        {"\xC2", 0},
        {"\xC2\xC2", 0},
        {"\xE0\x9F\x80", 0}, /* overlong */
        {"\xE0\xA0\x80", 3},
        {"\xED\x9F\xBF", 3},
        {"\xED\xA0\x80", 0}, /* surrogate */
        {"\xEF\xBF\xBF", 3},
        {"\xE2\x82", 0},
        {"\xF0\x8F\xBF\xBF", 0}, /* overlong */
        {"\xF0\x90\x80\x80", 4},
        {"\xF4\x8F\xBF\xBF", 4},
        {"\xF4\x90\x80\x80", 0}, /* beyond U+10FFFF */
        {"\xF5\x80\x80\x80", 0},
        {"\xF0\x90\x80", 0},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_EQ(utf8_char_len(cases[i].bytes), cases[i].len);
}

static void a_copy_ends_with_a_whole_character(void)
{
    char out[5];

    utf8_copy(out, sizeof(out), "abcd");
    CHECK_STR(out, "abcd");
    utf8_copy(out, sizeof(out), "abcde");
    CHECK_STR(out, "abcd");
    utf8_copy(out, sizeof(out), "ab\xE2\x82\xAC");
    CHECK_STR(out, "ab");
    utf8_copy(out, 1, "a");
    CHECK_STR(out, "");
}

static void a_string_is_escaped(void)
{
    struct text text;

    text_init(&text, 100);
    json_append_string(&text, "a\"b\\c\n\r\t\x1F\x7F/\xC3\xA4\xFF");
    CHECK_STR(text_str(&text), "\"a\\\"b\\\\c\\n\\r\\u0009\\u001f\x7F/\xC3\xA4\xEF\xBF\xBD\"");
    text_done(&text);
}

TAP_CASES(CASE(utf8_is_what_unicode_says), CASE(a_copy_ends_with_a_whole_character),
          CASE(a_string_is_escaped))
