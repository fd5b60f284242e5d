#include "media/base/clock.h"
#include "sfu/admin.h"
#include "sfu/forwarder.h"
#include "sfu/limits.h"
#include "sfu/server_internal.h"
#include "sfu/server_report.h"
#include "sfu/worker.h"

/* What whoever runs the server asks for. */

static void reap(void *owner, struct session *session, int64_t now_us)
{
    struct server *s = owner;

    whip_reap(&s->whip, session, now_us);
}

static struct admin admin_of(struct server *s)
{
    return (struct admin){.host = &s->host, .drain = &s->drain, .owner = s, .reap = reap};
}

void server_metrics(void *owner, struct text *out)
{
    const struct server *s = owner;
    struct forwarder_stats workers[CONFIG_MAX_WORKERS];
    struct server_status status;
    struct server_report source = {.directory = s->host.directory,
                                   .status = &status,
                                   .http = http_server_stats(s->http),
                                   .limits = limits_stats(s->host.limits),
                                   .workers = workers};

    server_status(s, &status);
    for (uint32_t i = 0; i < status.workers; i++)
        worker_stats(s->workers[i], &workers[i]);
    server_report_metrics(&source, out);
}

int server_admin(void *owner, const struct admin_request *request, struct text *out,
                 struct message *error)
{
    struct server *s = owner;
    struct admin admin = admin_of(s);
    struct server_status status;

    server_status(s, &status);
    return admin_serve(&admin, request, &status, out, error, clock_now_us());
}

void server_advance_drain(struct server *s, int64_t now_us)
{
    struct admin admin = admin_of(s);

    switch (drain_advance(&s->drain, directory_participants(s->host.directory), now_us)) {
    case DRAIN_WAIT:
        break;
    case DRAIN_SEND_AWAY:
        admin_send_all_away(&admin, now_us);
        break;
    case DRAIN_STOP:
        if (!s->host.stopping)
            server_begin_to_stop(s);
        break;
    }
}
