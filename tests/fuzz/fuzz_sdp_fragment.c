/* The body of a PATCH. What is read is within its limits, and credentials come together. */
#include "signaling/sdp_fragment.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct negotiation_error error = {0};
    struct sdp_fragment fragment;

    if (sdp_fragment_read(&fragment, (const char *)data, size, &error) < 0) {
        assert(error.code[0] && error.message[0]);
        return 0;
    }
    assert(fragment.n_candidates <= PLAN_MAX_CANDIDATES);
    assert(!fragment.ufrag[0] == !fragment.pwd[0]);
    assert(strlen(fragment.ufrag) <= PLAN_UFRAG_MAX && strlen(fragment.pwd) <= PLAN_PWD_MAX);
    return 0;
}
