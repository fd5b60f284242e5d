/* Any bytes: an RTX packet that unwraps is, byte for byte, the packet its header describes. */
#include "media/rtx.h"

#include "media/packet.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_agrees(const struct packet *packet)
{
    struct rtp_header again;
    int err = rtp_parse(&again, packet->data, packet->len);

    assert(err == 0);
    (void)err;
    assert(again.ssrc == packet->rtp.ssrc && again.ssrc == 7);
    assert(again.pt == packet->rtp.pt && again.pt == 96);
    assert(again.seq == packet->rtp.seq && again.ts == packet->rtp.ts);
    assert(again.header_len == packet->rtp.header_len);
    assert(again.payload_len == packet->rtp.payload_len);
    assert(again.padding_len == packet->rtp.padding_len);
    assert(again.n_extensions == packet->rtp.n_extensions);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct packet packet;

    if (size > PACKET_CAPACITY)
        return 0;
    packet.refs = 1;
    packet.len = (uint16_t)size;
    if (size > 0)
        memcpy(packet.data, data, size);
    if (rtp_parse(&packet.rtp, packet.data, size) < 0)
        return 0;
    if (rtx_unwrap(&packet, 7, 96) == 0)
        check_agrees(&packet);
    return 0;
}
