#include "media/base/text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 256 };

void text_init(struct text *t, size_t max_len)
{
    assert(max_len < SIZE_MAX / 2);
    *t = (struct text){.max_len = max_len};
}

void text_done(struct text *t)
{
    free(t->data);
    text_init(t, t->max_len);
}

bool text_ok(const struct text *t)
{
    return !t->failed;
}

const char *text_str(const struct text *t)
{
    return t->data ? t->data : "";
}

/* Make place for `more` bytes and a NUL. */
static bool make_room(struct text *t, size_t more)
{
    if (t->failed || more > t->max_len - t->len)
        goto fail;
    if (t->data && t->len + more <= t->capacity)
        return true;

    size_t capacity = t->capacity ? 2 * t->capacity : FIRST_CAPACITY;

    if (capacity < t->len + more)
        capacity = t->len + more;
    if (capacity > t->max_len)
        capacity = t->max_len;

    char *data = realloc(t->data, capacity + 1);

    if (!data)
        goto fail;
    t->data = data;
    t->capacity = capacity;
    return true;
fail:
    t->failed = true;
    return false;
}

void text_append(struct text *t, const char *s)
{
    text_append_n(t, s, strlen(s));
}

void text_append_n(struct text *t, const char *s, size_t len)
{
    if (!make_room(t, len))
        return;
    if (len > 0)
        memcpy(t->data + t->len, s, len);
    t->len += len;
    t->data[t->len] = '\0';
}

void text_printf(struct text *t, const char *format, ...)
{
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0) {
        t->failed = true;
        return;
    }
    if (!make_room(t, (size_t)len))
        return;
    va_start(args, format);
    (void)vsnprintf(t->data + t->len, (size_t)len + 1, format, args);
    va_end(args);
    t->len += (size_t)len;
}

char *text_take(struct text *t)
{
    char *data = NULL;

    if (make_room(t, 0)) {
        data = t->data;
        data[t->len] = '\0';
        t->data = NULL;
    }
    text_done(t);
    return data;
}
