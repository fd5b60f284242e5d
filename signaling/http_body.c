#include "signaling/http_body.h"

#include <errno.h>
#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>

enum body_state { BODY_DATA, BODY_CHUNK_SIZE, BODY_CHUNK_DATA, BODY_CHUNK_END, BODY_TRAILER };

enum { READ_SIZE = 16 * 1024 };

void http_body_init(struct http_body *b, const struct http_request *r, size_t max_len)
{
    *b = (struct http_body){
        .chunked = r->chunked,
        .state = r->chunked ? BODY_CHUNK_SIZE : BODY_DATA,
        .left = r->content_length,
    };
    text_init(&b->text, max_len);
}

void http_body_done(struct http_body *b)
{
    text_done(&b->text);
}

/* @return 1: nothing is left; 0: more is to come; -E2BIG */
static int read_data(struct http_body *b, struct evbuffer *input)
{
    char buf[READ_SIZE];

    if (b->left > b->text.max_len - b->text.len)
        return -E2BIG;
    while (b->left > 0) {
        int n = evbuffer_remove(input, buf, b->left < sizeof(buf) ? (size_t)b->left : sizeof(buf));

        if (n <= 0)
            return 0;
        text_append_n(&b->text, buf, (size_t)n);
        if (!text_ok(&b->text))
            return -E2BIG;
        b->left -= (uint64_t)n;
    }
    return 1;
}

/* A line of the chunked coding, free()d by the caller. @return 1; 0: not yet whole; -EBADMSG */
static int read_line(struct evbuffer *input, char **line)
{
    size_t len = 0;

    *line = evbuffer_readln(input, &len, EVBUFFER_EOL_CRLF);
    if (!*line)
        return evbuffer_get_length(input) > HTTP_MAX_CHUNK_LINE ? -EBADMSG : 0;
    if (len <= HTTP_MAX_CHUNK_LINE && strlen(*line) == len)
        return 1;
    free(*line);
    return -EBADMSG;
}

static int read_chunk_size(struct http_body *b, struct evbuffer *input)
{
    enum { MAX_DIGITS = 8 };
    char *line = NULL;
    int err = read_line(input, &line);

    if (err <= 0)
        return err;

    size_t digits = strspn(line, "0123456789abcdefABCDEF");

    if (digits == 0 || digits > MAX_DIGITS || !strchr("; ", line[digits]))
        err = -EBADMSG;
    else
        b->left = strtoul(line, NULL, 16);
    free(line);
    b->state = b->left > 0 ? BODY_CHUNK_DATA : BODY_TRAILER;
    return err;
}

static int read_chunk_end(struct http_body *b, struct evbuffer *input)
{
    char *line = NULL;
    int err = read_line(input, &line);

    if (err <= 0)
        return err;
    err = line[0] == '\0' ? 1 : -EBADMSG;
    free(line);
    b->state = BODY_CHUNK_SIZE;
    return err;
}

/* Fields after the last chunk mean nothing to us. @return 1: the end */
static int read_trailer(struct http_body *b, struct evbuffer *input)
{
    size_t len = 0;
    char *line;

    while ((line = evbuffer_readln(input, &len, EVBUFFER_EOL_CRLF)) != NULL) {
        free(line);
        if (len == 0)
            return 1;
        b->trailer_len += len;
        if (b->trailer_len > HTTP_MAX_TRAILER)
            return -EBADMSG;
    }
    return evbuffer_get_length(input) > HTTP_MAX_TRAILER ? -EBADMSG : 0;
}

int http_body_read(struct http_body *b, struct evbuffer *input)
{
    int done = 1;

    while (done == 1) {
        switch ((enum body_state)b->state) {
        case BODY_DATA:
            return read_data(b, input);
        case BODY_CHUNK_SIZE:
            done = read_chunk_size(b, input);
            break;
        case BODY_CHUNK_DATA:
            done = read_data(b, input);
            if (done == 1)
                b->state = BODY_CHUNK_END;
            break;
        case BODY_CHUNK_END:
            done = read_chunk_end(b, input);
            break;
        case BODY_TRAILER:
            return read_trailer(b, input);
        }
    }
    return done;
}
