#include "sfu/mapping.h"

#include "media/egress.h"
#include "media/packet.h"
#include "sfu/core.h"

#include <stdlib.h>

void mapping_start(struct mapping *m, const struct mail_probe *mail, int64_t now_us)
{
    *m = (struct mapping){0};
    for (uint32_t i = 0; i < mail->n_servers && i < MAIL_MAX_PROBES; i++)
        stun_probe_start(&m->probes[i], &mail->servers[i], now_us);
}

/* Tell control how a probe has ended. */
static void tell(const struct mapping *m, struct core *core, uint32_t at)
{
    const struct stun_probe *probe = &m->probes[at];
    struct mail_mapped *mail = calloc(1, sizeof(*mail));

    if (!mail) {
        core->stats.drop_memory++; /* it asks again */
        return;
    }
    mail->mail.type = MAIL_MAPPED;
    mail->worker = core->config.index;
    mail->server = at;
    if (probe->state == STUN_PROBE_DONE)
        mail->address = probe->mapped;
    core_post(core, &mail->mail);
}

void mapping_advance(struct mapping *m, struct core *core, int64_t now_us)
{
    static const struct local_address any = {0};

    for (uint32_t i = 0; i < MAIL_MAX_PROBES; i++) {
        struct stun_probe *probe = &m->probes[i];
        bool asking = probe->state == STUN_PROBE_ASKING;
        uint8_t request[STUN_PROBE_LEN];

        if (stun_probe_poll(probe, now_us, request) &&
            egress_push_datagram(core->egress, &probe->server, &any, request, sizeof(request)) < 0)
            core->stats.drop_queue++;
        if (asking && probe->state == STUN_PROBE_FAILED)
            tell(m, core, i);
    }
}

int64_t mapping_deadline(const struct mapping *m)
{
    int64_t due_us = NEVER_US;

    for (uint32_t i = 0; i < MAIL_MAX_PROBES; i++)
        due_us = clock_earlier(due_us, stun_probe_deadline(&m->probes[i]));
    return due_us;
}

bool mapping_receive(struct mapping *m, struct core *core, const struct packet *packet)
{
    for (uint32_t i = 0; i < MAIL_MAX_PROBES; i++) {
        if (stun_probe_receive(&m->probes[i], packet->data, packet->len, &packet->from) < 0)
            continue;
        tell(m, core, i);
        return true;
    }
    return false;
}
