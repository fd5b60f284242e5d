/** @file socket_address.h  Addresses of tests, from text. */
#ifndef TESTS_SOCKET_ADDRESS_H
#define TESTS_SOCKET_ADDRESS_H

#include "tests/tap.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

static inline struct sockaddr_storage ipv4(const char *host, uint16_t port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_storage address = {0};

    CHECK_EQ(inet_pton(AF_INET, host, &in.sin_addr), 1);
    memcpy(&address, &in, sizeof(in));
    return address;
}

static inline struct sockaddr_storage ipv6(const char *host, uint16_t port)
{
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    struct sockaddr_storage address = {0};

    CHECK_EQ(inet_pton(AF_INET6, host, &in6.sin6_addr), 1);
    memcpy(&address, &in6, sizeof(in6));
    return address;
}

#endif
