/**
 * @file demux.h  Whose datagram is this: peers of one worker by proven address and by local ufrag,
 * and the first DTLS datagrams of addresses that are not proven yet.
 *
 * The path of a datagram: STUN goes to demux_find_ufrag() with what stun_peek_ufrag() found, then
 * to that peer's ice_lite_receive(); once authenticated, demux_bind() the address it came from (at
 * every check: it keeps the address), then feed what demux_take_early() gives. All else goes to
 * demux_find(); where that knows nobody, demux_keep_early().
 *
 * Thread: the worker's own.
 */
#ifndef MEDIA_DEMUX_H
#define MEDIA_DEMUX_H

#include "media/address.h"
#include "media/base/attributes.h"
#include "media/base/clock.h"
#include "media/ice_lite.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct packet;

enum {
    DEMUX_MAX_ADDRESSES = ICE_MAX_PATHS, /* bound per peer; the least recently bound goes */
    DEMUX_MAX_EARLY = 256,    /* datagrams kept for unproven addresses; the oldest goes */
    DEMUX_MAX_EARLY_EACH = 4, /* of them from one address: a ClientHello in fragments */
};

/** How long an early datagram is kept. */
#define DEMUX_EARLY_US (3 * SECOND)
/** How long after its last sign of life an address stays with its peer against a check of another
 *  one: peers can forge source addresses. Browsers check every 2.5 s to 6 s. */
#define DEMUX_HOLD_US (15 * SECOND)

struct demux;

/** A proven address; members are private. */
struct demux_binding {
    struct demux_peer *peer;
    int64_t checked_us;
    size_t key_len; /* 0: not in use */
    uint8_t key[ADDRESS_KEY_MAX];
};

/** One peer's place in the demux; embedded in its owner, must not move. Members are private. */
struct demux_peer {
    void *owner;
    struct demux_binding bindings[DEMUX_MAX_ADDRESSES];
    char ufrag[ICE_UFRAG_MAX + 1]; /* ours; "" while not added */
};

struct demux_stats {
    uint64_t unknown_address; /* demux_find() knew nobody */
    uint64_t unknown_ufrag;   /* demux_find_ufrag() knew nobody */
    uint64_t stolen;          /* demux_bind() refused: the address is another peer's */
    uint64_t early_kept, early_taken, early_dropped;
};

/** @return an empty demux, or NULL: no memory */
struct demux *demux_new(void);
/** Free, with the early datagrams: before their packet pool. Peers must be gone. @return NULL */
struct demux *demux_free(struct demux *d);

/**
 * Make `peer` known by our side's ufrag.
 *
 * @param owner  borrowed, not NULL; what the find functions return
 * @return 0; -EEXIST: another peer has this ufrag; -EINVAL: its length; -ENOMEM. On failure `peer`
 *         is as after demux_remove()
 */
MUST_USE int demux_add(struct demux *d, struct demux_peer *peer, const char *ufrag, void *owner);

/** Forget the peer and its addresses. Twice, or zero-initialised and never added, is fine. */
void demux_remove(struct demux *d, struct demux_peer *peer);

/**
 * `peer` goes on under the ufrag of `next` (after an ICE restart) and keeps its addresses; `next`
 * loses its own and is as after demux_remove().
 *
 * @return 0; -ENOMEM: both are as after demux_remove()
 */
MUST_USE int demux_rename(struct demux *d, struct demux_peer *peer, struct demux_peer *next);

/**
 * An authenticated check of `peer` came from `address`: its datagrams are this peer's from now on.
 *
 * @return 0; -EADDRINUSE: it is another peer's, who checked within DEMUX_HOLD_US (counted);
 *         -ENOMEM
 */
MUST_USE int demux_bind(struct demux *d, struct demux_peer *peer,
                        const struct sockaddr_storage *address, int64_t now_us);

/** Authenticated media came from `address`, as good a sign as a check that it is still its peer's.
 *  Nothing happens if it is nobody's. Cheap right after demux_find() of the same address. */
void demux_keep(struct demux *d, const struct sockaddr_storage *address, int64_t now_us);

/** @return the owner whose proven address this is, or NULL (counted) */
void *demux_find(struct demux *d, const struct sockaddr_storage *address);

/** @return true if demux_find() would know somebody; nothing is counted */
bool demux_knows(struct demux *d, const struct sockaddr_storage *address);

/** @return the owner with this local ufrag, or NULL (counted) */
void *demux_find_ufrag(struct demux *d, const char *ufrag);

/** Keep a datagram from an unproven address, by reference, if it is (part of) a ClientHello; other
 *  datagrams are left alone. packet->from and arrival_us must be set. */
void demux_keep_early(struct demux *d, struct packet *packet);

/** Take the oldest datagram kept from `address`. @return it, with a reference which is the
 *  caller's, or NULL */
struct packet *demux_take_early(struct demux *d, const struct sockaddr_storage *address,
                                int64_t now_us);

/** @return counters since demux_new(); valid as long as the demux */
const struct demux_stats *demux_stats(const struct demux *d);

#endif
