/* The first bytes of a connection of a load balancer. A header that is read is read the same
 * whatever follows it, and no part of it is enough. */
#include "signaling/proxy_header.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct proxy_header header = {0};
    struct proxy_header again = {0};
    ptrdiff_t used = size > 0 ? proxy_header_parse(&header, data, size) : 0;
    uint8_t *copy;

    if (used <= 0)
        return 0;
    assert((size_t)used <= size && used <= PROXY_HEADER_MAX);
    assert(!header.known || header.client.ss_family == AF_INET ||
           header.client.ss_family == AF_INET6);
    for (ptrdiff_t len = used; len > 0; len--) {
        copy = malloc((size_t)len); /* of just that size: overruns show */
        if (!copy)
            return 0;
        memcpy(copy, data, (size_t)len);
        assert(proxy_header_parse(&again, copy, (size_t)len) == (len == used ? used : 0));
        free(copy);
    }
    assert(header.known == again.known && header.client.ss_family == again.client.ss_family);
    return 0;
}
