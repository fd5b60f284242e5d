#include "signaling/json_text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static bool is_tail(uint8_t byte)
{
    return (byte & 0xC0) == 0x80;
}

/* Unicode, table 3-7: overlong forms, surrogates and beyond U+10FFFF are excluded by the range of
 * the second byte. */
size_t utf8_char_len(const char *s)
{
    const uint8_t *u = (const uint8_t *)s;
    uint8_t low = 0x80, high = 0xBF;
    size_t len = u[0] < 0xE0 ? 2 : u[0] < 0xF0 ? 3 : 4;

    if (u[0] == 0)
        return 0;
    if (u[0] < 0x80)
        return 1;
    if (u[0] < 0xC2 || u[0] > 0xF4)
        return 0;
    if (u[0] == 0xE0)
        low = 0xA0;
    else if (u[0] == 0xED)
        high = 0x9F;
    else if (u[0] == 0xF0)
        low = 0x90;
    else if (u[0] == 0xF4)
        high = 0x8F;
    if (u[1] < low || u[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++) {
        if (!is_tail(u[i]))
            return 0;
    }
    return len;
}

void utf8_copy(char *out, size_t size, const char *s)
{
    size_t len = strlen(s);

    if (len >= size) {
        len = size - 1;
        while (len > 0 && is_tail((uint8_t)s[len]))
            len--;
    }
    memcpy(out, s, len);
    out[len] = '\0';
}

static void append_escape(struct text *out, char c)
{
    switch (c) {
    case '"':
        text_append(out, "\\\"");
        break;
    case '\\':
        text_append(out, "\\\\");
        break;
    case '\n':
        text_append(out, "\\n");
        break;
    case '\r':
        text_append(out, "\\r");
        break;
    default:
        text_printf(out, "\\u%04x", (unsigned)(uint8_t)c);
        break;
    }
}

void json_append_string(struct text *out, const char *s)
{
    const char *plain = s; /* start of what can be copied as it is */

    text_append_n(out, "\"", 1);
    while (*s) {
        size_t len = utf8_char_len(s);
        bool escaped = len == 1 && ((uint8_t)*s < ' ' || *s == '"' || *s == '\\');

        if (len > 0 && !escaped) {
            s += len;
            continue;
        }
        text_append_n(out, plain, (size_t)(s - plain));
        if (escaped)
            append_escape(out, *s);
        else
            text_append(out, "\xEF\xBF\xBD");
        plain = ++s;
    }
    text_append_n(out, plain, (size_t)(s - plain));
    text_append_n(out, "\"", 1);
}
