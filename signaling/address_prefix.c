#include "signaling/address_prefix.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

enum { MAX_TEXT = INET6_ADDRSTRLEN, MAPPED_BITS = 96, MAPPED_BYTES = MAPPED_BITS / 8 };

static void map_v4(uint8_t bytes[16], const void *v4)
{
    static const uint8_t mapped[MAPPED_BYTES] = {[10] = 0xFF, [11] = 0xFF};

    memcpy(bytes, mapped, MAPPED_BYTES);
    memcpy(bytes + MAPPED_BYTES, v4, 4);
}

/* @return bits of a whole address, written to `bytes`; -EINVAL */
static int parse_address(uint8_t bytes[16], const char *text)
{
    struct in_addr v4;

    if (inet_pton(AF_INET6, text, bytes) == 1)
        return 128;
    if (inet_pton(AF_INET, text, &v4) != 1)
        return -EINVAL;
    map_v4(bytes, &v4);
    return 32;
}

/* @return 0 to `max`; -EINVAL */
static int parse_bits(const char *text, int max)
{
    size_t len = strspn(text, "0123456789");
    int bits = 0;

    if (len == 0 || len > 3 || text[len])
        return -EINVAL;
    for (; *text; text++)
        bits = bits * 10 + (*text - '0');
    return bits <= max ? bits : -EINVAL;
}

int address_prefix_parse(struct address_prefix *ret, const char *text)
{
    const char *slash = strchr(text, '/');
    size_t len = slash ? (size_t)(slash - text) : strlen(text);
    struct address_prefix p;
    char address[MAX_TEXT];
    int whole;
    int bits;

    if (len >= sizeof(address))
        return -EINVAL;
    memcpy(address, text, len);
    address[len] = '\0';
    whole = parse_address(p.bytes, address);
    if (whole < 0)
        return whole;
    bits = slash ? parse_bits(slash + 1, whole) : whole;
    if (bits < 0)
        return bits;
    p.bits = (uint8_t)(bits + 128 - whole);
    *ret = p;
    return 0;
}

int address_prefixes_add(struct address_prefixes *p, const char *text)
{
    int err;

    if (p->n == ADDRESS_PREFIX_MAX)
        return -ENOSPC;
    err = address_prefix_parse(&p->list[p->n], text);
    if (err == 0)
        p->n++;
    return err;
}

static bool read_address(uint8_t bytes[16], const struct sockaddr *address)
{
    struct sockaddr_in6 v6;
    struct sockaddr_in v4;

    if (address->sa_family == AF_INET) {
        memcpy(&v4, address, sizeof(v4));
        map_v4(bytes, &v4.sin_addr);
        return true;
    }
    if (address->sa_family == AF_INET6) {
        memcpy(&v6, address, sizeof(v6));
        memcpy(bytes, &v6.sin6_addr, 16);
        return true;
    }
    return false;
}

static bool has(const struct address_prefix *p, const uint8_t bytes[16])
{
    size_t whole = p->bits / 8;
    unsigned rest = p->bits % 8;

    if (memcmp(p->bytes, bytes, whole) != 0)
        return false;
    return rest == 0 || (p->bytes[whole] ^ bytes[whole]) >> (8 - rest) == 0;
}

bool address_prefixes_have(const struct address_prefixes *p, const struct sockaddr *address)
{
    uint8_t bytes[16];

    if (p->n == 0 || !read_address(bytes, address))
        return false;
    for (uint32_t i = 0; i < p->n; i++) {
        if (has(&p->list[i], bytes))
            return true;
    }
    return false;
}
