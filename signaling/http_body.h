/** @file http_body.h  Body of an HTTP/1.1 request, by length or in chunks. Sans-I/O; not
 * thread-safe. */
#ifndef SIGNALING_HTTP_BODY_H
#define SIGNALING_HTTP_BODY_H

#include "media/base/attributes.h"
#include "media/base/text.h"
#include "signaling/http_request.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct evbuffer;

enum {
    HTTP_MAX_CHUNK_LINE = 256, /* [bytes] */
    HTTP_MAX_TRAILER = 4096,   /* [bytes] after the last chunk */
};

/** A body that is being received. Embedded by value; members are private. */
struct http_body {
    struct text text;
    bool chunked;
    int state;
    uint64_t left;      /* [bytes] of the body, or of the chunk */
    size_t trailer_len; /* [bytes] */
};

/** Make ready for the body of `r`, of at most `max_len` bytes. http_body_done() it. */
void http_body_init(struct http_body *b, const struct http_request *r, size_t max_len);
void http_body_done(struct http_body *b);

/**
 * Take what belongs to the body out of `input`.
 *
 * @return 1: complete; 0: more is to come; -E2BIG: longer than max_len; -EBADMSG: bad chunk
 */
MUST_USE int http_body_read(struct http_body *b, struct evbuffer *input);

#endif
