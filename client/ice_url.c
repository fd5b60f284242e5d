#include "client/ice_url.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static int parse_port(const char *text, size_t len, uint16_t *ret)
{
    uint32_t port = 0;

    if (len == 0 || len > 5)
        return -EINVAL;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -EINVAL;
        port = port * 10 + (uint32_t)(text[i] - '0');
    }
    if (port == 0 || port > UINT16_MAX)
        return -EINVAL;
    *ret = (uint16_t)port;
    return 0;
}

/* HOST, HOST:PORT, [V6] or [V6]:PORT of `len` characters */
static int parse_host_port(struct ice_url *url, const char *text, size_t len)
{
    const char *end = text + len;
    const char *host = text;
    const char *host_end;

    if (len > 0 && text[0] == '[') {
        host = text + 1;
        host_end = memchr(host, ']', (size_t)(end - host));
        if (!host_end)
            return -EINVAL;
        text = host_end + 1;
    } else {
        const char *colon = memchr(text, ':', len);

        host_end = colon ? colon : end;
        text = host_end;
    }
    if (host == host_end || host_end - host > ICE_URL_HOST_MAX)
        return -EINVAL;
    memcpy(url->host, host, (size_t)(host_end - host));
    url->host[host_end - host] = '\0';
    url->port = ICE_URL_PORT;
    if (text == end)
        return 0;
    return text[0] == ':' ? parse_port(text + 1, (size_t)(end - text - 1), &url->port) : -EINVAL;
}

int ice_url_parse_turn(struct ice_url *ret, const char *text)
{
    struct ice_url url = {0};
    const char *query = strchr(text, '?');
    int err;

    if (strncmp(text, "turns:", 6) == 0)
        return -ENOTSUP;
    if (strncmp(text, "turn:", 5) != 0)
        return -EINVAL;
    text += 5;
    err = parse_host_port(&url, text, query ? (size_t)(query - text) : strlen(text));
    if (err < 0)
        return err;
    if (query && strcmp(query, "?transport=tcp") == 0)
        url.tcp = true;
    else if (query && strcmp(query, "?transport=udp") != 0)
        return -EINVAL;
    *ret = url;
    return 0;
}

int ice_url_parse_stun(struct ice_url *ret, const char *text)
{
    struct ice_url url = {0};
    int err;

    if (strncmp(text, "stun:", 5) == 0)
        text += 5;
    err = parse_host_port(&url, text, strlen(text));
    if (err == 0)
        *ret = url;
    return err;
}

int ice_url_resolve(const struct ice_url *url, char *out, size_t capacity)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM};
    struct addrinfo *found = NULL;
    int failed = getaddrinfo(url->host, NULL, &hints, &found);

    if (failed)
        return -EHOSTUNREACH;
    failed = getnameinfo(found->ai_addr, found->ai_addrlen, out, (socklen_t)capacity, NULL, 0,
                         NI_NUMERICHOST);
    freeaddrinfo(found);
    return failed ? -ENAMETOOLONG : 0;
}
