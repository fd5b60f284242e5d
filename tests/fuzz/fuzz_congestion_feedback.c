/* The body of a feedback packet of RFC 8888. */
#include "media/congestion_feedback.h"

#include <assert.h>

enum { MAX = 512 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct congestion_status statuses[MAX];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rtcp_packet p = {.count = RTPFB_CCFB, .type = RTCP_RTPFB, .body = reader_of(data, size)};
    int n = congestion_feedback_read(&p, statuses, MAX);

    assert(n <= MAX);
    for (int i = 0; i < n; i++) {
        assert(statuses[i].arrival_us >= -1);
        assert(statuses[i].received || statuses[i].arrival_us == -1);
    }
    return 0;
}
