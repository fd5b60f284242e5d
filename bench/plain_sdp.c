#include "bench/plain_sdp.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static bool begins(const char *line, size_t len, const char *with)
{
    return len >= strlen(with) && memcmp(line, with, strlen(with)) == 0;
}

static bool ends(const char *line, size_t len, const char *with)
{
    return len >= strlen(with) && memcmp(line + len - strlen(with), with, strlen(with)) == 0;
}

static bool is_of_extension(const char *line, size_t len)
{
    if (begins(line, len, "a=rtcp-fb:"))
        return ends(line, len, " transport-cc");
    return begins(line, len, "a=extmap");
}

void plain_sdp_append(struct text *out, const char *sdp)
{
    while (*sdp) {
        size_t len = strcspn(sdp, "\r\n");
        size_t whole = len + strspn(sdp + len, "\r\n");

        if (!is_of_extension(sdp, len))
            text_append_n(out, sdp, whole);
        sdp += whole;
    }
}
