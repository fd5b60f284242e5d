#include "media/send_names.h"

#include <errno.h>

void send_names_init(struct send_names *n)
{
    *n = (struct send_names){0};
}

static uint32_t place_of(uint32_t ssrc, uint16_t seq)
{
    return (ssrc * UINT32_C(0x9e3779b1) + seq) % SEND_NAMES;
}

void send_names_put(struct send_names *n, uint32_t ssrc, uint16_t seq, uint16_t number)
{
    uint32_t at = place_of(ssrc, seq);

    n->used[at] = true;
    n->names[at] = (struct send_name){.ssrc = ssrc, .seq = seq, .number = number};
}

int send_names_find(const struct send_names *n, uint32_t ssrc, uint16_t seq)
{
    uint32_t at = place_of(ssrc, seq);
    const struct send_name *name = &n->names[at];

    return n->used[at] && name->ssrc == ssrc && name->seq == seq ? name->number : -ENOENT;
}
