#include "media/send_history.h"

#include <errno.h>

void send_history_init(struct send_history *h)
{
    *h = (struct send_history){0};
}

int send_history_answer(struct send_history *h, uint16_t seq, bool received,
                        struct sent_packet *ret)
{
    struct send_history_entry *entry = &h->entries[seq % SEND_HISTORY];
    uint16_t behind = (uint16_t)(h->next - 1 - seq);

    if (behind >= SEND_HISTORY || entry->state == SEND_HISTORY_NONE)
        return -ENOENT;
    if (entry->state == SEND_HISTORY_GOT || (entry->state == SEND_HISTORY_LOST && !received))
        return -EALREADY;
    entry->state = received ? SEND_HISTORY_GOT : SEND_HISTORY_LOST;
    *ret = (struct sent_packet){
        .sent_us = h->newest_us - (uint32_t)((uint32_t)h->newest_us - entry->sent_us),
        .len = entry->len,
        .probe = entry->probe,
    };
    return 0;
}
