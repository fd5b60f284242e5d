#include "signaling/json_text.h"

#include <stdbool.h>
#include <stdint.h>

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
