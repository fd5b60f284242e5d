#include "signaling/http_origin.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

/* @return the host of an origin, with its port; NULL: it is none */
static const char *host_of(const char *origin)
{
    const char *separator = strstr(origin, "://");

    return separator && separator > origin && separator[3] ? separator + 3 : NULL;
}

/* @return length of an authority without the port that is usual for the origin's scheme */
static size_t significant_len(const char *origin, const char *authority)
{
    const char *usual = strncasecmp(origin, "https:", 6) == 0 ? ":443" : ":80";
    size_t len = strlen(authority);
    size_t usual_len = strlen(usual);

    if (len > usual_len && strcmp(authority + len - usual_len, usual) == 0)
        len -= usual_len;
    return len;
}

static bool is_same_host(const char *origin, const char *host)
{
    const char *ours = host_of(origin);

    if (!ours || !host)
        return false;

    size_t len = significant_len(origin, ours);

    return len == significant_len(origin, host) && strncasecmp(ours, host, len) == 0;
}

/* An origin has no path and no user. */
static bool is_origin(const char *text)
{
    const char *host = host_of(text);

    if (strcmp(text, "null") == 0)
        return true;
    if (!host || (strncmp(text, "http://", 7) != 0 && strncmp(text, "https://", 8) != 0))
        return false;
    for (; *host; host++) {
        if (!isalnum((unsigned char)*host) && !strchr(".-:[]", *host))
            return false;
    }
    return true;
}

int http_origins_add(struct http_origins *o, const char *text)
{
    size_t len = strlen(text);

    if (strcmp(text, "*") == 0) {
        o->any = true;
        return 0;
    }
    if (len > HTTP_ORIGIN_MAX || !is_origin(text))
        return -EINVAL;
    if (o->n == HTTP_ORIGINS_MAX)
        return -ENOSPC;
    if (host_of(text))
        len = (size_t)(host_of(text) - text) + significant_len(text, host_of(text));
    memcpy(o->list[o->n], text, len);
    o->list[o->n++][len] = '\0';
    return 0;
}

bool http_origin_allowed(const struct http_origins *o, const char *origin, const char *host)
{
    if (o->any || is_same_host(origin, host))
        return true;
    for (uint32_t i = 0; i < o->n; i++) {
        if (strcasecmp(o->list[i], origin) == 0)
            return true;
    }
    return false;
}
