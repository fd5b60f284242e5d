/** @file file.h  A whole file in memory. Thread: any. */
#ifndef CLIENT_FILE_H
#define CLIENT_FILE_H

#include "media/base/attributes.h"

#include <stddef.h>
#include <stdint.h>

/**
 * Read all of `path`.
 *
 * @param ret  new bytes, the caller's to free()
 * @return 0; -EFBIG: more than `max_len` bytes; -EISDIR; -ENOMEM; -errno of open and read
 */
MUST_USE int file_read(const char *path, size_t max_len, uint8_t **ret, size_t *ret_len);

#endif
