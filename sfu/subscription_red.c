#include "sfu/subscription_red.h"

#include "media/packet.h"
#include "media/payload.h"
#include "sfu/core.h"
#include "sfu/track_layer.h"

enum { BLOCK_HEAD = 4 }; /* bytes that tell of a redundant block */

/* Describe the payload before that of `f` by `back` numbers. @return false: it will not do */
static bool find_block(const struct forward *f, uint16_t back, struct red_block *ret)
{
    const struct rtp_header *rtp = &f->packet->rtp;
    const struct packet *before = packet_store_get(&f->layer->store, (uint16_t)(rtp->seq - back));
    uint32_t age;

    if (!before || before->rtp.pt != rtp->pt || before->rtp.ssrc != rtp->ssrc)
        return false;
    age = rtp->ts - before->rtp.ts;
    if (age == 0 || age > RED_AGE_MAX || before->rtp.payload_len == 0 ||
        before->rtp.payload_len > RED_BLOCK_MAX)
        return false;
    *ret = (struct red_block){
        .data = before->data + before->rtp.header_len,
        .len = before->rtp.payload_len,
        .age = (uint16_t)age,
    };
    return true;
}

struct packet *subscription_red_make(const struct core *core, const struct forward *f, uint8_t pt,
                                     uint8_t n)
{
    const struct rtp_header *rtp = &f->packet->rtp;
    struct red_block blocks[1 + RED_MAX_BLOCKS] = {
        {.data = f->packet->data + rtp->header_len, .len = rtp->payload_len},
    };
    size_t total = 1U + rtp->payload_len;
    struct packet *packet;
    uint16_t back = 0;
    int len;

    while (back < n && back < RED_MAX_BLOCKS &&
           find_block(f, (uint16_t)(back + 1), &blocks[back + 1])) {
        total += (size_t)BLOCK_HEAD + blocks[back + 1].len;
        if (total > RED_PAYLOAD_MAX)
            break;
        back++;
    }
    packet = packet_new(core->pool);
    if (!packet)
        return NULL;
    len = payload_red_write(pt, blocks, 1U + back, packet->data, RED_PAYLOAD_MAX);
    if (len < 0)
        return packet_unref(packet);
    packet->len = (uint16_t)len;
    return packet;
}
