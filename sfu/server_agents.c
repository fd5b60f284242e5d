/* ICE agents of the workers that wait for somebody who joins. */
#include "sfu/server_internal.h"

#include "media/base/clock.h"
#include "sfu/mail.h"

#include <errno.h>

/* Over the oldest, which is given to nobody any more. */
void server_keep_agent(struct server *s, const struct mail_agent *mail)
{
    struct mail_agent *kept = s->agents[mail->worker];
    struct mail_agent *oldest = &kept[0];

    for (size_t i = 1; i < AGENTS_READY; i++) {
        if (kept[i].since_us < oldest->since_us)
            oldest = &kept[i];
    }
    *oldest = *mail;
}

int server_take_agent(void *owner, uint32_t worker, struct mail_agent *ret)
{
    struct server *s = owner;
    struct mail_agent *newest = NULL;

    for (size_t i = 0; i < AGENTS_READY; i++) {
        struct mail_agent *agent = &s->agents[worker][i];

        if (agent->since_us && (!newest || agent->since_us > newest->since_us))
            newest = agent;
    }
    if (!newest || clock_now_us() - newest->since_us > AGENT_FRESH_US)
        return -EAGAIN;
    *ret = *newest;
    newest->since_us = 0;
    return 0;
}
