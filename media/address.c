#include "media/address.h"

#include "media/path.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

enum { PATH_KEY = 8 }; /* first byte of the key of a path, plus its kind */

/* Copies instead of casts: a sockaddr_storage may not be read through another type. */
static struct sockaddr_in ipv4_of(const struct sockaddr_storage *address)
{
    struct sockaddr_in in;

    memcpy(&in, address, sizeof(in));
    return in;
}

static struct sockaddr_in6 ipv6_of(const struct sockaddr_storage *address)
{
    struct sockaddr_in6 in6;

    memcpy(&in6, address, sizeof(in6));
    return in6;
}

size_t address_key(const struct sockaddr_storage *address, uint8_t out[ADDRESS_KEY_MAX])
{
    memset(out, 0, ADDRESS_KEY_MAX);
    if (address->ss_family == AF_INET) {
        struct sockaddr_in in = ipv4_of(address);

        out[0] = 4;
        memcpy(out + 1, &in.sin_port, 2);
        memcpy(out + 3, &in.sin_addr, 4);
        return 7;
    }
    if (address->ss_family == AF_INET6) {
        struct sockaddr_in6 in6 = ipv6_of(address);

        out[0] = 6;
        memcpy(out + 1, &in6.sin6_port, 2);
        memcpy(out + 3, &in6.sin6_addr, 16);
        return 19;
    }
    if (path_is(address)) {
        uint32_t number = path_number(address);

        out[0] = (uint8_t)(PATH_KEY + path_kind(address));
        memcpy(out + 1, &number, sizeof(number));
        return 1 + sizeof(number);
    }
    return 1;
}

bool address_equal(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
    uint8_t left[ADDRESS_KEY_MAX];
    uint8_t right[ADDRESS_KEY_MAX];

    (void)address_key(a, left);
    (void)address_key(b, right);
    return memcmp(left, right, sizeof(left)) == 0;
}

bool address_identical(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
    return memcmp(a, b, sizeof(struct sockaddr_in6)) == 0;
}

void address_unmap(struct sockaddr_storage *address)
{
    struct sockaddr_in6 in6 = ipv6_of(address);
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = in6.sin6_port};

    if (address->ss_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr))
        return;
    memcpy(&in.sin_addr, in6.sin6_addr.s6_addr + 12, sizeof(in.sin_addr));
    memset(address, 0, sizeof(in6)); /* more than that of it is never looked at */
    memcpy(address, &in, sizeof(in));
}

uint16_t address_port(const struct sockaddr_storage *address)
{
    bool plain = address->ss_family == AF_INET || address->ss_family == AF_INET6;

    return plain ? ntohs(ipv4_of(address).sin_port) : 0; /* in the same place in both */
}

bool address_host(const struct sockaddr_storage *address, char *out, size_t capacity)
{
    struct sockaddr_in in = ipv4_of(address);
    struct sockaddr_in6 in6 = ipv6_of(address);

    if (address->ss_family == AF_INET)
        return inet_ntop(AF_INET, &in.sin_addr, out, (socklen_t)capacity) != NULL;
    return address->ss_family == AF_INET6 &&
           inet_ntop(AF_INET6, &in6.sin6_addr, out, (socklen_t)capacity) != NULL;
}

socklen_t address_len(const struct sockaddr_storage *address)
{
    return address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                          : sizeof(struct sockaddr_in);
}

/* "1.2.3.4:5" or "[::1]:5". */
static void write_plain(const struct sockaddr_storage *address, char out[ADDRESS_TEXT_MAX])
{
    char host[INET6_ADDRSTRLEN] = "?";

    if (address->ss_family == AF_INET) {
        struct sockaddr_in in = ipv4_of(address);

        (void)inet_ntop(AF_INET, &in.sin_addr, host, sizeof(host));
        (void)snprintf(out, ADDRESS_TEXT_MAX, "%s:%u", host, ntohs(in.sin_port));
    } else if (address->ss_family == AF_INET6) {
        struct sockaddr_in6 in6 = ipv6_of(address);

        (void)inet_ntop(AF_INET6, &in6.sin6_addr, host, sizeof(host));
        (void)snprintf(out, ADDRESS_TEXT_MAX, "[%s]:%u", host, ntohs(in6.sin6_port));
    } else {
        (void)snprintf(out, ADDRESS_TEXT_MAX, "?");
    }
}

const char *address_text(const struct sockaddr_storage *address, char out[ADDRESS_TEXT_MAX])
{
    char plain[ADDRESS_TEXT_MAX];
    struct sockaddr_storage peer;

    write_plain(path_peer(address, &peer), path_is(address) ? plain : out);
    if (path_is(address))
        (void)snprintf(out, ADDRESS_TEXT_MAX, "%.8s %.54s", path_kind_name(path_kind(address)),
                       plain);
    return out;
}
