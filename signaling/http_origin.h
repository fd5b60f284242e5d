/**
 * @file http_origin.h  Which pages may talk to the server: those of its own origin, and those of
 * origins that are listed. Programs that are no browsers have no origin. Plain values; any thread.
 */
#ifndef SIGNALING_HTTP_ORIGIN_H
#define SIGNALING_HTTP_ORIGIN_H

#include "media/base/attributes.h"

#include <stdbool.h>
#include <stdint.h>

enum { HTTP_ORIGINS_MAX = 16, HTTP_ORIGIN_MAX = 255 };

struct http_origins {
    bool any; /* all of them */
    uint32_t n;
    char list[HTTP_ORIGINS_MAX][HTTP_ORIGIN_MAX + 1]; /* "https://host[:port]", or "null" */
};

/**
 * Add one: "https://calls.example.org", with port if it is not the usual one; "null" for pages
 * without an origin (files); "*" for all.
 *
 * @return 0; -EINVAL: none of these; -ENOSPC
 */
MUST_USE int http_origins_add(struct http_origins *o, const char *text);

/**
 * May a page of this origin talk to us?
 *
 * @param origin  of the Origin field
 * @param host    of the Host field; NULL: there was none. A page that was loaded by this name is
 * ours: the scheme does not count, as a proxy may speak TLS for us
 */
bool http_origin_allowed(const struct http_origins *o, const char *origin, const char *host);

#endif
