#include "signaling/proxy_header.h"

#include "media/base/reader.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

enum {
    V1_MAX_LEN = 107, /* with its CR LF */
    V1_WORDS = 6,     /* PROXY TCP4 client server port port */
    V2_HEAD_LEN = 16,
    V2_LOCAL = 0x20,
    V2_PROXY = 0x21,
    V2_TCP4 = 0x11,
    V2_TCP6 = 0x21,
    V2_TCP4_LEN = 12,
    V2_TCP6_LEN = 36,
};

static void set_v4(struct proxy_header *h, struct in_addr address, uint16_t port)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr = address, .sin_port = htons(port)};

    memcpy(&h->client, &v4, sizeof(v4));
    h->known = true;
}

static void set_v6(struct proxy_header *h, const struct in6_addr *address, uint16_t port)
{
    struct sockaddr_in6 v6 = {
        .sin6_family = AF_INET6, .sin6_addr = *address, .sin6_port = htons(port)};

    memcpy(&h->client, &v6, sizeof(v6));
    h->known = true;
}

/* @return 0 to 65535; -EBADMSG */
static int parse_port(const char *text)
{
    size_t len = strspn(text, "0123456789");
    int port = 0;

    if (len == 0 || len > 5 || text[len] || (text[0] == '0' && len > 1))
        return -EBADMSG;
    for (; *text; text++)
        port = port * 10 + (*text - '0');
    return port <= UINT16_MAX ? port : -EBADMSG;
}

static int set_v1_client(struct proxy_header *h, const char *family, const char *address,
                         const char *server, int port)
{
    struct in6_addr v6;
    struct in6_addr server_v6;
    struct in_addr v4;
    struct in_addr server_v4;

    if (strcmp(family, "TCP4") == 0 && inet_pton(AF_INET, address, &v4) == 1 &&
        inet_pton(AF_INET, server, &server_v4) == 1) {
        set_v4(h, v4, (uint16_t)port);
        return 0;
    }
    if (strcmp(family, "TCP6") == 0 && inet_pton(AF_INET6, address, &v6) == 1 &&
        inet_pton(AF_INET6, server, &server_v6) == 1) {
        set_v6(h, &v6, (uint16_t)port);
        return 0;
    }
    return -EBADMSG;
}

/* `line` without its end: one blank between words. */
static int parse_v1_line(struct proxy_header *h, char *line)
{
    char *words[V1_WORDS] = {line};
    int n = 1;

    for (char *c = line; *c; c++) {
        if (*c != ' ')
            continue;
        if (n == V1_WORDS)
            break; /* what UNKNOWN may have behind it */
        *c = '\0';
        words[n++] = c + 1;
    }
    if (n >= 2 && strcmp(words[1], "UNKNOWN") == 0)
        return 0;
    if (n != V1_WORDS || parse_port(words[4]) < 0 || parse_port(words[5]) < 0)
        return -EBADMSG;
    return set_v1_client(h, words[1], words[2], words[3], parse_port(words[4]));
}

static ptrdiff_t parse_v1(struct proxy_header *h, const uint8_t *bytes, size_t len)
{
    char line[V1_MAX_LEN + 1];
    const uint8_t *end = memchr(bytes, '\n', len < V1_MAX_LEN ? len : V1_MAX_LEN);
    size_t line_len = end ? (size_t)(end - bytes) : 0;

    if (!end)
        return len < V1_MAX_LEN ? 0 : -EBADMSG;
    if (line_len == 0 || bytes[line_len - 1] != '\r')
        return -EBADMSG;
    memcpy(line, bytes, line_len - 1);
    line[line_len - 1] = '\0';
    if (strlen(line) != line_len - 1 || parse_v1_line(h, line) < 0)
        return -EBADMSG;
    return (ptrdiff_t)line_len + 1;
}

static void copy_bytes(struct reader *r, void *out, size_t n)
{
    const uint8_t *bytes = reader_bytes(r, n);

    if (bytes)
        memcpy(out, bytes, n);
}

/* Client, server, and their ports. Addresses of other families are none that we could limit. */
static void parse_v2_addresses(struct proxy_header *h, uint8_t family, struct reader *r)
{
    struct in6_addr v6 = {0};
    struct in_addr v4 = {0};

    if (family == V2_TCP4) {
        copy_bytes(r, &v4, sizeof(v4));
        reader_skip(r, sizeof(v4));
        set_v4(h, v4, reader_u16(r));
    } else if (family == V2_TCP6) {
        copy_bytes(r, &v6, sizeof(v6));
        reader_skip(r, sizeof(v6));
        set_v6(h, &v6, reader_u16(r));
    }
}

/* What comes after the head has at least the addresses that it announces. */
static bool is_long_enough(uint8_t family, size_t len)
{
    return (family != V2_TCP4 || len >= V2_TCP4_LEN) && (family != V2_TCP6 || len >= V2_TCP6_LEN);
}

static ptrdiff_t parse_v2(struct proxy_header *h, const uint8_t *bytes, size_t len)
{
    struct reader r = reader_of(bytes, len);
    uint8_t command;
    uint8_t family;
    size_t rest;

    if (len < V2_HEAD_LEN)
        return 0;
    reader_skip(&r, 12);
    command = reader_u8(&r);
    family = reader_u8(&r);
    rest = reader_u16(&r);
    if ((command != V2_LOCAL && command != V2_PROXY) || V2_HEAD_LEN + rest > PROXY_HEADER_MAX)
        return -EBADMSG;
    if (command == V2_PROXY && !is_long_enough(family, rest))
        return -EBADMSG;
    if (len < V2_HEAD_LEN + rest)
        return 0;
    if (command == V2_PROXY)
        parse_v2_addresses(h, family, &r);
    return (ptrdiff_t)(V2_HEAD_LEN + rest);
}

ptrdiff_t proxy_header_parse(struct proxy_header *ret, const uint8_t *bytes, size_t len)
{
    static const char v1[] = "PROXY ";
    static const char v2[] = "\r\n\r\n\0\r\nQUIT\n";
    struct proxy_header h = {0};
    size_t v1_len = len < sizeof(v1) - 1 ? len : sizeof(v1) - 1;
    size_t v2_len = len < sizeof(v2) - 1 ? len : sizeof(v2) - 1;
    ptrdiff_t used = -EBADMSG;

    if (memcmp(bytes, v1, v1_len) == 0)
        used = parse_v1(&h, bytes, len);
    else if (memcmp(bytes, v2, v2_len) == 0)
        used = parse_v2(&h, bytes, len);
    if (used > 0)
        *ret = h;
    return used;
}
