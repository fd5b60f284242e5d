#include "client/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* @return bytes read, fewer than `len` only at the end; -errno */
static ssize_t read_all(int fd, uint8_t *out, size_t len)
{
    size_t at = 0;

    while (at < len) {
        ssize_t n = read(fd, out + at, len - at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        at += (size_t)n;
    }
    return (ssize_t)at;
}

static int read_open_file(int fd, size_t max_len, uint8_t **ret, size_t *ret_len)
{
    struct stat status;
    uint8_t *bytes;
    ssize_t n;

    if (fstat(fd, &status) < 0)
        return -errno;
    if (status.st_size < 0 || (uintmax_t)status.st_size > max_len)
        return -EFBIG;
    bytes = malloc((size_t)status.st_size + 1);
    if (!bytes)
        return -ENOMEM;
    n = read_all(fd, bytes, (size_t)status.st_size);
    if (n < 0) {
        free(bytes);
        return (int)n;
    }
    *ret = bytes;
    *ret_len = (size_t)n;
    return 0;
}

int file_read(const char *path, size_t max_len, uint8_t **ret, size_t *ret_len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int err;

    if (fd < 0)
        return -errno;
    err = read_open_file(fd, max_len, ret, ret_len);
    close(fd);
    return err;
}
