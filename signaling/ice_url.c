#include "signaling/ice_url.h"

#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

const char *ice_url_kind_name(enum ice_url_kind kind)
{
    static const char *const names[] = {
        [ICE_URL_STUN] = "STUN",
        [ICE_URL_TURN_UDP] = "TURN over UDP",
        [ICE_URL_TURN_TCP] = "TURN over TCP",
        [ICE_URL_TURN_TLS] = "TURN over TLS",
    };

    return names[kind];
}

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

/* What names and literals are made of; it goes into JSON and HTTP headers as it is. */
static bool is_host(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (!isalnum((unsigned char)text[i]) && !memchr(".-_:%", text[i], 5))
            return false;
    }
    return true;
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
    if (host == host_end || host_end - host > ICE_URL_HOST_MAX ||
        !is_host(host, (size_t)(host_end - host)))
        return -EINVAL;
    memcpy(url->host, host, (size_t)(host_end - host));
    url->host[host_end - host] = '\0';
    if (text == end)
        return 0;
    return text[0] == ':' ? parse_port(text + 1, (size_t)(end - text - 1), &url->port) : -EINVAL;
}

/* @return 0; -EINVAL; -ENOTSUP */
static int parse_transport(struct ice_url *url, const char *query)
{
    bool tls = url->kind == ICE_URL_TURN_TLS;

    if (!query || strcmp(query, tls ? "?transport=tcp" : "?transport=udp") == 0)
        return 0;
    if (url->kind == ICE_URL_STUN)
        return -EINVAL;
    if (tls)
        return strcmp(query, "?transport=udp") == 0 ? -ENOTSUP : -EINVAL;
    if (strcmp(query, "?transport=tcp") != 0)
        return -EINVAL;
    url->kind = ICE_URL_TURN_TCP;
    return 0;
}

int ice_url_parse(struct ice_url *ret, const char *text)
{
    static const struct {
        const char *scheme;
        enum ice_url_kind kind;
    } schemes[] = {
        {"stun:", ICE_URL_STUN}, {"turn:", ICE_URL_TURN_UDP}, {"turns:", ICE_URL_TURN_TLS}};
    const char *query = strchr(text, '?');

    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        size_t len = strlen(schemes[i].scheme);
        struct ice_url url = {.kind = schemes[i].kind};
        int err;

        if (strncmp(text, schemes[i].scheme, len) != 0)
            continue;
        url.port = url.kind == ICE_URL_TURN_TLS ? ICE_URL_TLS_PORT : ICE_URL_PORT;
        text += len;
        err = parse_host_port(&url, text, query ? (size_t)(query - text) : strlen(text));
        if (err == 0)
            err = parse_transport(&url, query);
        if (err == 0)
            *ret = url;
        return err;
    }
    return strncmp(text, "stuns:", 6) == 0 ? -ENOTSUP : -EINVAL;
}

int ice_url_parse_stun(struct ice_url *ret, const char *text)
{
    struct ice_url url = {.kind = ICE_URL_STUN, .port = ICE_URL_PORT};
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
