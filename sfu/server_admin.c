#include "media/base/clock.h"
#include "sfu/admin.h"
#include "sfu/forwarder.h"
#include "sfu/limits.h"
#include "sfu/process_usage.h"
#include "sfu/server_internal.h"
#include "sfu/server_report.h"
#include "sfu/webhook_http.h"
#include "sfu/webhooks.h"
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

/* Webhooks */

static int post(void *owner, const struct webhook_post *post, void *tag)
{
    struct server *s = owner;

    return webhook_http_post(s->webhook_http, post, tag);
}

static void cancel(void *owner, const void *tag)
{
    struct server *s = owner;

    webhook_http_cancel(s->webhook_http, tag);
}

static void on_posted(void *owner, void *tag, bool taken)
{
    struct server *s = owner;

    webhooks_posted(s->webhooks, tag, taken, clock_now_us());
    server_end_if_all_gone(s);
}

int server_start_webhooks(struct server *s)
{
    struct webhook_carrier carrier = {.owner = s, .post = post, .cancel = cancel};
    int err = webhook_http_new(&s->webhook_http, s->base, on_posted, s);

    if (err == 0)
        err = webhooks_new(&s->webhooks, &s->config, &s->host, &carrier, s->started_us);
    if (err == 0)
        webhooks_watch(s->webhooks, &s->host.watch);
    return err;
}

void server_stop_webhooks(struct server *s)
{
    s->host.watch = (struct session_watch){0};
    s->webhooks = webhooks_free(s->webhooks);
    s->webhook_http = webhook_http_free(s->webhook_http);
}

void server_metrics(void *owner, struct text *out)
{
    const struct server *s = owner;
    struct forwarder_stats workers[CONFIG_MAX_WORKERS];
    struct server_status status;
    struct webhook_stats webhooks;
    struct process_usage process;
    struct server_report source = {.directory = s->host.directory,
                                   .status = &status,
                                   .http = http_server_stats(s->http),
                                   .limits = limits_stats(s->host.limits),
                                   .workers = workers,
                                   .webhooks = &webhooks,
                                   .process = &process};

    server_status(s, &status);
    webhooks_stats(s->webhooks, &webhooks);
    process_usage_read(&process);
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
