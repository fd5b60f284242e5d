#include "media/base/utf8.h"

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
