/**
 * @file siphash.h  SipHash-2-4 (Aumasson, Bernstein 2012): a hash under a secret key, so that who
 * chooses what is hashed cannot choose where it goes. For tables in memory only: words are taken
 * in the host's order. Not tied to a thread.
 */
#ifndef MEDIA_BASE_SIPHASH_H
#define MEDIA_BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t siphash_rotate(uint64_t v, unsigned bits)
{
    return v << bits | v >> (64 - bits);
}

static inline void siphash_rounds(uint64_t v[4], unsigned rounds)
{
    while (rounds-- > 0) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = siphash_rotate(v[1], 13) ^ v[0];
        v[3] = siphash_rotate(v[3], 16) ^ v[2];
        v[0] = siphash_rotate(v[0], 32) + v[3];
        v[2] += v[1];
        v[3] = siphash_rotate(v[3], 21) ^ v[0];
        v[1] = siphash_rotate(v[1], 17) ^ v[2];
        v[2] = siphash_rotate(v[2], 32);
    }
}

static inline void siphash_word(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    siphash_rounds(v, 2);
    v[0] ^= word;
}

/** @return the hash of `data` [len bytes] under `key`, which is random (random_u64()) */
static inline uint64_t siphash(const uint64_t key[2], const void *data, size_t len)
{
    uint64_t v[4] = {
        key[0] ^ 0x736f6d6570736575,
        key[1] ^ 0x646f72616e646f6d,
        key[0] ^ 0x6c7967656e657261,
        key[1] ^ 0x7465646279746573,
    };
    const uint8_t *at = data;
    uint64_t word;
    size_t left = len;

    for (; left >= sizeof(word); left -= sizeof(word), at += sizeof(word)) {
        memcpy(&word, at, sizeof(word));
        siphash_word(v, word);
    }
    word = 0;
    if (left > 0)
        memcpy(&word, at, left);
    siphash_word(v, word | (uint64_t)len << 56);
    v[2] ^= 0xff;
    siphash_rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

#endif
