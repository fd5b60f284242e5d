#include "sfu/mail.h"

#include "sfu/relay_batch.h"

#include <stdlib.h>
#include <unistd.h>

void mail_free(struct mail *mail)
{
    if (!mail)
        return;
    switch ((enum mail_type)mail->type) {
    case MAIL_JOIN:
    case MAIL_UPDATE:
    case MAIL_PUBLISHER:
        media_plan_unref(((struct mail_join *)mail)->plan);
        break;
    case MAIL_SLOTS:
        free(((struct mail_slots *)mail)->slots);
        break;
    case MAIL_VIEW:
        free(((struct mail_view *)mail)->views);
        break;
    case MAIL_STREAM:
        free(((struct mail_stream *)mail)->streams);
        break;
    case MAIL_QUALITY:
        message_quality_free(((struct mail_quality *)mail)->quality);
        break;
    case MAIL_TCP:
        if (((struct mail_tcp *)mail)->fd >= 0)
            (void)close(((struct mail_tcp *)mail)->fd);
        break;
    case MAIL_RELAY_BATCH:
        relay_batch_give_back(CONTAINER_OF(mail, struct relay_batch, mail));
        return;
    case MAIL_MUTE:
    case MAIL_CAP:
    case MAIL_SUBSCRIBE:
    case MAIL_SPEAKERS:
    case MAIL_WANT:
    case MAIL_REFRESH:
    case MAIL_LEAVE:
    case MAIL_STOP:
    case MAIL_UNPUBLISH:
    case MAIL_CLOSE_ROOM:
    case MAIL_RELAY_START:
    case MAIL_RELAY_STOP:
    case MAIL_RELAY_LISTEN:
    case MAIL_RELAY_IGNORE:
    case MAIL_RELAY_KEY_FRAME:
    case MAIL_PROBE:
    case MAIL_MAPPED:
    case MAIL_STATE:
    case MAIL_NEED:
    case MAIL_GONE:
    case MAIL_PING:
    case MAIL_PONG:
    case MAIL_AGENT:
    case MAIL_STOPPED:
        break;
    }
    free(mail);
}
