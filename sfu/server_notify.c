#include "sfu/mail.h"
#include "sfu/notify.h"
#include "sfu/server_internal.h"
#include "sfu/worker.h"

#include <stdlib.h>
#include <unistd.h>

/* We are alive while the workers are: each is asked, and only when all have answered the service
 * manager is told, and they are asked again. */

static void ask(struct server *s, uint32_t worker)
{
    struct mail *mail = calloc(1, sizeof(*mail));

    if (!mail)
        return; /* it is not waited for */
    mail->type = MAIL_PING;
    s->n_asked++;
    worker_post(s->workers[worker], mail);
}

void server_watch(struct server *s, int64_t now_us)
{
    if (s->watchdog_us == 0 || now_us - s->watched_us < s->watchdog_us || s->n_asked > 0)
        return;
    (void)notify("WATCHDOG=1");
    s->watched_us = now_us;
    for (uint32_t i = 0; i < s->n_workers; i++)
        ask(s, i);
}

void server_notify_ready(struct server *s)
{
    /* NOLINTBEGIN(concurrency-mt-unsafe): nobody changes the environment */
    s->watchdog_us = notify_watchdog_us(getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"), getpid());
    /* NOLINTEND(concurrency-mt-unsafe) */
    (void)notify("READY=1");
}
