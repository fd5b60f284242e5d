/*
 * Open addressing with linear probing, at most three quarters full. A removal moves later entries
 * of the same run back (Knuth, volume 3, algorithm 6.4R), so there are no tombstones, and a map in
 * which peers come and go for weeks stays as fast as a new one.
 */
#include "media/base/map.h"

#include "media/base/random.h"
#include "media/base/siphash.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 16 };

struct map_slot {
    void *value; /* NULL: free slot */
    uint64_t hash;
    size_t len; /* [bytes] of the key */
    union {
        uint8_t inline_key[MAP_INLINE_KEY]; /* len <= MAP_INLINE_KEY */
        uint8_t *key;                       /* longer: owned */
    };
};

static uint64_t hash_of(const struct map *m, const void *key, size_t len)
{
    return siphash(m->key, key, len);
}

static const uint8_t *slot_key(const struct map_slot *slot)
{
    return slot->len > MAP_INLINE_KEY ? slot->key : slot->inline_key;
}

static bool slot_has_key(const struct map_slot *slot, uint64_t hash, const void *key, size_t len)
{
    return slot->hash == hash && slot->len == len &&
           (len == 0 || memcmp(slot_key(slot), key, len) == 0);
}

/* Where `key` is or, if it is not there, the free slot where it would go. Needs a free slot. */
static struct map_slot *find(const struct map *m, uint64_t hash, const void *key, size_t len)
{
    size_t mask = m->capacity - 1;
    size_t i = hash & mask;

    while (m->slots[i].value && !slot_has_key(&m->slots[i], hash, key, len))
        i = (i + 1) & mask;
    return &m->slots[i];
}

static struct map_slot *find_free(struct map_slot *slots, size_t capacity, uint64_t hash)
{
    size_t i = hash & (capacity - 1);

    while (slots[i].value)
        i = (i + 1) & (capacity - 1);
    return &slots[i];
}

static int grow(struct map *m)
{
    size_t capacity = m->capacity ? 2 * m->capacity : FIRST_CAPACITY;
    struct map_slot *slots = calloc(capacity, sizeof(*slots));

    if (!slots)
        return -ENOMEM;
    if (!m->capacity)
        random_bytes(m->key, sizeof(m->key));
    for (size_t i = 0; i < m->capacity; i++) {
        if (m->slots[i].value)
            *find_free(slots, capacity, m->slots[i].hash) = m->slots[i];
    }
    free(m->slots);
    m->slots = slots;
    m->capacity = capacity;
    return 0;
}

static void slot_free_key(struct map_slot *slot)
{
    if (slot->len > MAP_INLINE_KEY)
        free(slot->key);
}

/* Empty `slot` and move back what its being full has pushed on. */
static void slot_empty(struct map *m, struct map_slot *slot)
{
    size_t mask = m->capacity - 1;
    size_t hole = (size_t)(slot - m->slots);

    for (size_t i = (hole + 1) & mask; m->slots[i].value; i = (i + 1) & mask) {
        size_t home = m->slots[i].hash & mask;

        /* An entry may move back to the hole unless its home lies between the two. */
        if (((i - home) & mask) < ((i - hole) & mask))
            continue;
        m->slots[hole] = m->slots[i];
        hole = i;
    }
    m->slots[hole] = (struct map_slot){0};
}

void map_init(struct map *m)
{
    *m = (struct map){0};
}

void map_done(struct map *m)
{
    for (size_t i = 0; i < m->capacity; i++) {
        if (m->slots[i].value)
            slot_free_key(&m->slots[i]);
    }
    free(m->slots);
    map_init(m);
}

size_t map_count(const struct map *m)
{
    return m->count;
}

int map_put(struct map *m, const void *key, size_t len, void *value)
{
    assert(value);
    if (map_get(m, key, len))
        return -EEXIST;
    if (4 * (m->count + 1) > 3 * m->capacity) {
        int err = grow(m);

        if (err < 0)
            return err;
    }

    struct map_slot new = {.value = value, .hash = hash_of(m, key, len), .len = len};

    if (len > MAP_INLINE_KEY) {
        new.key = malloc(len);
        if (!new.key)
            return -ENOMEM;
        memcpy(new.key, key, len);
    } else if (len > 0) {
        memcpy(new.inline_key, key, len);
    }
    *find_free(m->slots, m->capacity, new.hash) = new;
    m->count++;
    return 0;
}

void *map_get(const struct map *m, const void *key, size_t len)
{
    return m->count ? find(m, hash_of(m, key, len), key, len)->value : NULL;
}

void *map_remove(struct map *m, const void *key, size_t len)
{
    if (!m->count)
        return NULL;

    struct map_slot *slot = find(m, hash_of(m, key, len), key, len);
    void *value = slot->value;

    if (!value)
        return NULL;
    slot_free_key(slot);
    slot_empty(m, slot);
    m->count--;
    return value;
}

void *map_next(const struct map *m, size_t *cursor)
{
    while (*cursor < m->capacity) {
        void *value = m->slots[(*cursor)++].value;

        if (value)
            return value;
    }
    return NULL;
}

int map_put_str(struct map *m, const char *key, void *value)
{
    return map_put(m, key, strlen(key), value);
}

void *map_get_str(const struct map *m, const char *key)
{
    return map_get(m, key, strlen(key));
}

void *map_remove_str(struct map *m, const char *key)
{
    return map_remove(m, key, strlen(key));
}
