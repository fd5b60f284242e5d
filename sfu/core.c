#include "sfu/core.h"

#include <stdio.h>
#include <stdlib.h>

void core_post_participant(struct core *core, enum mail_type type, uint32_t participant)
{
    struct mail_participant *mail = calloc(1, sizeof(*mail));

    if (!mail) {
        core->stats.drop_memory++;
        return;
    }
    mail->mail.type = (int)type;
    mail->participant = participant;
    core_post(core, &mail->mail);
}

void core_post_state(struct core *core, uint32_t participant, enum peer_state state,
                     const char *reason)
{
    struct mail_state *mail = calloc(1, sizeof(*mail));

    if (!mail) {
        core->stats.drop_memory++;
        return;
    }
    mail->mail.type = MAIL_STATE;
    mail->participant = participant;
    mail->state = state;
    (void)snprintf(mail->reason, sizeof(mail->reason), "%s", reason);
    core_post(core, &mail->mail);
}
