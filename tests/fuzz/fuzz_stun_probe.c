/* Any answer of a STUN server: it is refused, or tells an address of one of two families. */
#include "media/stun_probe.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sockaddr_storage server = {.ss_family = AF_INET};
    struct stun_probe p;

    stun_probe_start(&p, &server, 0);
    memset(p.transaction, 't', sizeof(p.transaction));
    if (stun_probe_receive(&p, data, size, &server) < 0)
        assert(p.state == STUN_PROBE_ASKING);
    else if (p.state == STUN_PROBE_DONE)
        assert(p.mapped.ss_family == AF_INET || p.mapped.ss_family == AF_INET6);
    else
        assert(p.state == STUN_PROBE_FAILED);
    return 0;
}
