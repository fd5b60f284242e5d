#include "media/base/random.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

void random_bytes(void *out, size_t len)
{
    char *at = out;

    while (len > 0) {
        ssize_t got = getrandom(at, len, 0);

        if (got < 0) {
            if (errno != EINTR)
                abort(); /* no keys are better than guessable keys */
            continue;
        }
        at += got;
        len -= (size_t)got;
    }
}

uint32_t random_u32(void)
{
    uint32_t n;

    random_bytes(&n, sizeof(n));
    return n;
}

uint64_t random_u64(void)
{
    uint64_t n;

    random_bytes(&n, sizeof(n));
    return n;
}

void random_name(char *out, size_t len)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    enum { LETTERS = sizeof(letters) - 1, FAIR = 256 - 256 % LETTERS };
    uint8_t bytes[64];
    size_t have = 0;

    for (size_t n = 0; n < len;) {
        if (have == 0) {
            random_bytes(bytes, sizeof(bytes));
            have = sizeof(bytes);
        }

        uint8_t byte = bytes[--have];

        if (byte < FAIR) /* else the first letters would come up more often */
            out[n++] = letters[byte % LETTERS];
    }
    out[len] = '\0';
}
