/**
 * @file address.h  Socket addresses as values: compare, use as a map key, print.
 *
 * IPv4 and IPv6, and paths of other kinds (media/path.h); IPv6 scopes and flow labels of peers are
 * not looked at. Not tied to a thread.
 */
#ifndef MEDIA_ADDRESS_H
#define MEDIA_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum {
    ADDRESS_KEY_MAX = 20,  /* bytes of the longest address_key() */
    ADDRESS_TEXT_MAX = 64, /* room for address_text() */
};

/** One of our own addresses: the one a datagram came to, or leaves from. */
struct local_address {
    uint8_t len;        /* of bytes: 4, 16, or 0: not known, the kernel chooses */
    uint32_t interface; /* index, where the address is good on one link only (fe80::); or 0 */
    uint8_t bytes[16];
};

/** Bytes that identify an address in a map: family, port, address, or kind and number of a path;
 *  what is left of `out` is zero. @return length written; 1: none of those */
size_t address_key(const struct sockaddr_storage *address, uint8_t out[ADDRESS_KEY_MAX]);

/** @return true if family, port and address, or kind and number, are the same */
bool address_equal(const struct sockaddr_storage *a, const struct sockaddr_storage *b);

/** Quicker, for datagrams of one sender in a row. @return true only if address_equal() */
bool address_identical(const struct sockaddr_storage *a, const struct sockaddr_storage *b);

/** Make "::ffff:1.2.3.4" "1.2.3.4": the rest of the tree knows only plain addresses. */
void address_unmap(struct sockaddr_storage *address);

/** @return the port; 0: neither IPv4 nor IPv6 */
uint16_t address_port(const struct sockaddr_storage *address);

/** Write "1.2.3.4" or "::1", as candidates have it. @return false: neither IPv4 nor IPv6 */
bool address_host(const struct sockaddr_storage *address, char *out, size_t capacity);

/** @return bytes of the sockaddr_in or sockaddr_in6 in `address`, for system calls */
socklen_t address_len(const struct sockaddr_storage *address);

/** Write "1.2.3.4:5", "[::1]:5" or "tcp 1.2.3.4:5". @return `out` */
const char *address_text(const struct sockaddr_storage *address, char out[ADDRESS_TEXT_MAX]);

#endif
