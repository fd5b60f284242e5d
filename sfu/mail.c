#include "sfu/mail.h"

#include <stdlib.h>

void mail_free(struct mail *mail)
{
    if (!mail)
        return;
    switch ((enum mail_type)mail->type) {
    case MAIL_JOIN:
    case MAIL_UPDATE:
        media_plan_free(((struct mail_join *)mail)->plan);
        break;
    case MAIL_SLOTS:
        free(((struct mail_slots *)mail)->slots);
        break;
    case MAIL_MUTE:
    case MAIL_LEAVE:
    case MAIL_STOP:
    case MAIL_STATE:
    case MAIL_NEED:
    case MAIL_GONE:
    case MAIL_STOPPED:
        break;
    }
    free(mail);
}
