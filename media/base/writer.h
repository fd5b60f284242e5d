/**
 * @file writer.h  Write big-endian bytes into a buffer without passing its end.
 *
 * A write that does not fit writes nothing and makes the writer bad for ever: write straight on
 * and check writer_ok() once. Borrows the buffer. Not thread-safe (a plain value).
 */
#ifndef MEDIA_BASE_WRITER_H
#define MEDIA_BASE_WRITER_H

#include "media/base/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct writer {
    uint8_t *data;   /* borrowed */
    size_t capacity; /* [bytes] */
    size_t len;      /* bytes written, <= capacity */
    bool failed;     /* a write did not fit */
};

static inline struct writer writer_of(uint8_t *data, size_t capacity)
{
    return (struct writer){.data = data, .capacity = capacity};
}

static inline bool writer_ok(const struct writer *w)
{
    return !w->failed;
}

/** @return bytes that still fit; 0 once failed */
static inline size_t writer_left(const struct writer *w)
{
    return w->failed ? 0 : w->capacity - w->len;
}

/** Reserve `n` bytes. @return where to put them, or NULL (and the writer is bad) if full */
static inline uint8_t *writer_reserve(struct writer *w, size_t n)
{
    uint8_t *here;

    if (UNLIKELY(w->failed || n > w->capacity - w->len)) {
        w->failed = true;
        return NULL;
    }
    here = w->data + w->len;
    w->len += n;
    return here;
}

static inline void writer_bytes(struct writer *w, const void *bytes, size_t n)
{
    uint8_t *p = writer_reserve(w, n);

    if (p && n > 0)
        memcpy(p, bytes, n);
}

static inline void writer_u8(struct writer *w, uint8_t v)
{
    uint8_t *p = writer_reserve(w, 1);

    if (p)
        p[0] = v;
}

static inline void writer_u16(struct writer *w, uint16_t v)
{
    uint8_t *p = writer_reserve(w, 2);

    if (p) {
        p[0] = (uint8_t)(v >> 8);
        p[1] = (uint8_t)v;
    }
}

static inline void writer_u24(struct writer *w, uint32_t v)
{
    uint8_t *p = writer_reserve(w, 3);

    if (p) {
        p[0] = (uint8_t)(v >> 16);
        p[1] = (uint8_t)(v >> 8);
        p[2] = (uint8_t)v;
    }
}

static inline void writer_u32(struct writer *w, uint32_t v)
{
    uint8_t *p = writer_reserve(w, 4);

    if (p) {
        p[0] = (uint8_t)(v >> 24);
        p[1] = (uint8_t)(v >> 16);
        p[2] = (uint8_t)(v >> 8);
        p[3] = (uint8_t)v;
    }
}

static inline void writer_u64(struct writer *w, uint64_t v)
{
    writer_u32(w, (uint32_t)(v >> 32));
    writer_u32(w, (uint32_t)v);
}

/** Overwrite two bytes written before, for lengths known only afterwards. `at` + 2 <= len. */
static inline void writer_patch_u16(struct writer *w, size_t at, uint16_t v)
{
    if (w->failed || at + 2 > w->len)
        return;
    w->data[at] = (uint8_t)(v >> 8);
    w->data[at + 1] = (uint8_t)v;
}

#endif
