/**
 * @file webhook_http.h  POST requests to other servers, many at once, on the control thread's loop.
 * Certificates are verified; redirects are not followed. Owner of the libcurl dependency.
 */
#ifndef SFU_WEBHOOK_HTTP_H
#define SFU_WEBHOOK_HTTP_H

#include "media/base/attributes.h"

#include <stdbool.h>
#include <stddef.h>

struct event_base;
struct webhook_http;

enum {
    WEBHOOK_CONNECT_S = 5,
    WEBHOOK_ANSWER_S = 10, /* for the whole request */
};

/** A request. Everything is copied but `body`. */
struct webhook_post {
    const char *url;
    const char *body; /* [len bytes] of JSON; must stay until on_done */
    size_t len;
    const char *signature; /* of Sluice-Signature; "": none */
};

/**
 * @param on_done  `tag` of a POST was answered: taken means with 2xx in time. Not from inside
 *                 webhook_http_post(); may post again
 * @return 0; -ENOMEM
 */
MUST_USE int webhook_http_new(struct webhook_http **ret, struct event_base *base,
                              void (*on_done)(void *owner, void *tag, bool taken), void *owner);

/** What is under way ends without on_done. NULL is fine. @return NULL */
struct webhook_http *webhook_http_free(struct webhook_http *h);

/** Begin a request. @return 0; -ENOMEM: on_done does not come */
MUST_USE int webhook_http_post(struct webhook_http *h, const struct webhook_post *post, void *tag);

/** End those requests of which `tag` is, without on_done. */
void webhook_http_cancel(struct webhook_http *h, const void *tag);

#endif
