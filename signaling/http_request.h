/**
 * @file http_request.h  The head of an HTTP/1.x request (RFC 9112).
 *
 * Why not libevent's evhttp: version 2.1.12 has no hook at accept (limits per address), its time
 * limit is per read and not per request, it does not notice a client that leaves while its answer
 * is being made, and it answers what it refuses with HTML of its own.
 *
 * Strict where leniency would let a proxy and us disagree about where a request ends: no folded
 * lines, no blank before a colon, one length only. Sans-I/O; not thread-safe.
 */
#ifndef SIGNALING_HTTP_REQUEST_H
#define SIGNALING_HTTP_REQUEST_H

#include "media/base/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HTTP_MAX_FIELDS = 100,
    HTTP_MAX_SEGMENTS = 6,    /* of a path; more: nothing is there */
    HTTP_MAX_PARAMETER = 256, /* bytes of a value of the query, NUL included */
    HTTP_MAX_TOKEN = 4097,    /* bytes of a token, NUL included */
};

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_DELETE,
    HTTP_OPTIONS,
    HTTP_PATCH,
    HTTP_OTHER, /* any other token */
};

struct http_field {
    const char *name, *value;
};

/** Strings point into the parsed head. */
struct http_request {
    enum http_method method;
    bool persistent;     /* the client may send another one after it */
    bool wants_continue; /* Expect: 100-continue */
    bool chunked;
    uint64_t content_length;
    uint32_t n_segments;                     /* HTTP_MAX_SEGMENTS + 1: too many to match anything */
    const char *segments[HTTP_MAX_SEGMENTS]; /* of the path, decoded; no '/' and no NUL inside */
    const char *query; /* what follows the '?', as it came; "" if there is none */
    uint32_t n_fields;
    struct http_field fields[HTTP_MAX_FIELDS];
};

/** Why a request is refused. Static strings. */
struct http_problem {
    int status;
    const char *code, *detail;
};

/**
 * Parse the head of a request.
 *
 * @param head     NUL-terminated, ends with an empty line; changed, and must outlive `r`
 * @param problem  set on failure
 * @return 0; -EBADMSG
 */
MUST_USE int http_request_parse(struct http_request *r, char *head, struct http_problem *problem);

/**
 * Read a value of the query as text for people: decoded, cut to fit, control characters as blanks.
 *
 * @param out   receives the first one named so; "" if there is none
 * @param size  at most HTTP_MAX_PARAMETER
 */
void http_request_parameter(const struct http_request *r, const char *name, char *out, size_t size);

/**
 * Read the token that a client proves itself with: of "Authorization: Bearer" (RFC 6750), or else
 * of ?access_token=, for browsers, which cannot set fields of a WebSocket.
 *
 * @param out  receives it; "" if there is none, or none that fits into `size` bytes
 */
void http_request_token(const struct http_request *r, char *out, size_t size);

/** @return value of the first field named so (any case), or NULL */
const char *http_request_field(const struct http_request *r, const char *name);

/** @return true if a field named so lists `token` (any case), as in Connection: keep-alive, Upgrade
 */
bool http_request_lists(const struct http_request *r, const char *name, const char *token);

#endif
