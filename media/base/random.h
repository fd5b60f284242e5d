/** @file random.h  Unpredictable numbers and names, from getrandom(2). Thread-safe. */
#ifndef MEDIA_BASE_RANDOM_H
#define MEDIA_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/** Fill `out` [len bytes]. Aborts only if the kernel has no randomness at all. */
void random_bytes(void *out, size_t len);

/** @return a number, every one as likely */
uint32_t random_u32(void);
uint64_t random_u64(void);

/** Write `len` characters of [A-Za-z0-9] (ice-chars, URL-safe) and a NUL: `out` has len + 1. */
void random_name(char *out, size_t len);

#endif
