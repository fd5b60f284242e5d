/**
 * @file path.h  Ways to a peer other than datagrams of the worker's UDP socket, as addresses.
 *
 * All that knows where a peer is (packets, demux, ICE, egress) knows a socket address. A path of
 * another kind is a socket address, too: of a family of its own, with its kind, a number which its
 * owner never gives twice, and the peer's real address. It is another one than the same address and
 * port by UDP, and than a later connection from there. Who sends gives what has such an address to
 * the owner of its kind (sfu/worker.c), and who receives so marks where it came from. Not tied to a
 * thread.
 */
#ifndef MEDIA_PATH_H
#define MEDIA_PATH_H

#include "media/base/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct datagram;

enum path_kind {
    PATH_TCP,   /* a TCP connection (RFC 6544) */
    PATH_AGENT, /* an ICE agent of our own, which has found one */
    PATH_KINDS,
};

enum { PATH_FAMILY = 0x5350 }; /* families of Linux are below 64 */

const char *path_kind_name(enum path_kind kind);

/** Make the address of a path. @param peer  its real address */
void path_address(struct sockaddr_storage *ret, enum path_kind kind, uint32_t number,
                  const struct sockaddr_storage *peer);

/** @return true if `address` is one of path_address() */
static inline bool path_is(const struct sockaddr_storage *address)
{
    return address->ss_family == PATH_FAMILY;
}

/** Of an address that path_is(). */
enum path_kind path_kind(const struct sockaddr_storage *address);
uint32_t path_number(const struct sockaddr_storage *address);

/** Fill `ret` with the peer's real address; of a plain one that is itself. @return ret */
const struct sockaddr_storage *path_peer(const struct sockaddr_storage *address,
                                         struct sockaddr_storage *ret);

/** @return how many of the first of `n` > 0 datagrams go the same way: those of one path,
 *          or all that have plain addresses */
size_t path_run(const struct datagram *datagrams, size_t n);

#endif
