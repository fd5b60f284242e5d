/**
 * @file map.h  Hash map from byte strings to pointers.
 *
 * Keyed with SipHash-2-4 under a random per-map key, so that a peer who chooses names or addresses
 * cannot make it slow. Keys are copied when they have at most MAP_INLINE_KEY bytes (addresses,
 * ids, ufrags) and otherwise allocated; values are borrowed. Not thread-safe.
 */
#ifndef MEDIA_BASE_MAP_H
#define MEDIA_BASE_MAP_H

#include "media/base/attributes.h"

#include <stddef.h>
#include <stdint.h>

enum { MAP_INLINE_KEY = 24 };

struct map_slot;

/** Embedded by value; members are private. */
struct map {
    struct map_slot *slots;
    size_t capacity, count;
    uint64_t key[2];
};

/** Make an empty map; allocates nothing yet. */
void map_init(struct map *m);

/** Free what the map allocated; the values are the caller's. The map is as after map_init(). */
void map_done(struct map *m);

/** @return number of entries */
size_t map_count(const struct map *m);

/**
 * Put `value` under `key` [len bytes, copied].
 *
 * @param value  borrowed, not NULL
 * @return 0; -EEXIST: the key is there already, nothing changed; -ENOMEM
 */
MUST_USE int map_put(struct map *m, const void *key, size_t len, void *value);

/** @return the value under `key`, or NULL */
void *map_get(const struct map *m, const void *key, size_t len);

/** Remove `key`. @return the value that was there, or NULL */
void *map_remove(struct map *m, const void *key, size_t len);

/** Iterate in no particular order: start with *cursor = 0. @return the next value, or NULL at the
 *  end. Neither put nor remove during a walk. */
void *map_next(const struct map *m, size_t *cursor);

/** The same for C strings (without their NUL). */
MUST_USE int map_put_str(struct map *m, const char *key, void *value);
void *map_get_str(const struct map *m, const char *key);
void *map_remove_str(struct map *m, const char *key);

#endif
