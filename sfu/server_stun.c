/* advertise: stun:HOST:PORT. Where the world sees the workers' sockets: asked by the workers. */

#include "sfu/server_internal.h"

#include "media/address.h"
#include "media/base/clock.h"
#include "media/base/log.h"
#include "sfu/mail.h"
#include "sfu/worker.h"

#include <errno.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <event2/util.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How often the server is asked: NATs forget in two minutes (RFC 4787), some sooner. */
static const int64_t ASK_US = 60 * SECOND;

/* Say why nothing is known, once until it works again. */
static void complain(struct server_stun *stun, const char *why)
{
    if (!stun->failing) {
        log_warn("server",
                 "stun server of no use, clients are told other addresses only: server=%s:%u "
                 "why=\"%s\"; is UDP to it allowed? Try another one, or --advertise ADDR",
                 stun->host, (unsigned)stun->port, why);
    }
    stun->failing = true;
}

static void ask_workers(struct server *s)
{
    for (uint32_t i = 0; i < s->n_workers; i++) {
        struct mail_probe *mail = calloc(1, sizeof(*mail));

        if (!mail)
            return; /* the next time, then */
        mail->mail.type = MAIL_PROBE;
        mail->n_servers = s->stun.n_servers;
        memcpy(mail->servers, s->stun.servers, sizeof(mail->servers));
        worker_post(s->workers[i], &mail->mail);
    }
}

/* One server of each family. */
static void keep_servers(struct server_stun *stun, const struct evutil_addrinfo *found)
{
    stun->n_servers = 0;
    for (; found && stun->n_servers < MAIL_MAX_PROBES; found = found->ai_next) {
        struct sockaddr_storage *server = &stun->servers[stun->n_servers];

        if (found->ai_addrlen > sizeof(*server) ||
            (stun->n_servers > 0 && found->ai_family == stun->servers[0].ss_family))
            continue;
        *server = (struct sockaddr_storage){0};
        memcpy(server, found->ai_addr, found->ai_addrlen);
        stun->n_servers++;
    }
}

static void on_resolved(int err, struct evutil_addrinfo *found, void *owner)
{
    struct server *s = owner;

    s->stun.request = NULL;
    if (err == EVUTIL_EAI_CANCEL)
        return;
    if (err != 0) {
        complain(&s->stun, evutil_gai_strerror(err));
        return;
    }
    keep_servers(&s->stun, found);
    evutil_freeaddrinfo(found);
    ask_workers(s);
}

static void resolve(struct server *s)
{
    struct evutil_addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM, .ai_flags = EVUTIL_AI_NUMERICHOST};
    struct evutil_addrinfo *found = NULL;
    char port[8];

    (void)snprintf(port, sizeof(port), "%u", (unsigned)s->stun.port);
    if (evutil_getaddrinfo(s->stun.host, port, &hints, &found) == 0) { /* a literal */
        on_resolved(0, found, s);
        return;
    }
    if (!s->stun.dns)
        s->stun.dns = evdns_base_new(s->base, EVDNS_BASE_INITIALIZE_NAMESERVERS |
                                                  EVDNS_BASE_DISABLE_WHEN_INACTIVE);
    if (!s->stun.dns) {
        complain(&s->stun, "no name server is configured");
        return;
    }
    hints.ai_flags = EVUTIL_AI_ADDRCONFIG;
    s->stun.request = evdns_getaddrinfo(s->stun.dns, s->stun.host, port, &hints, on_resolved, s);
}

void server_advance_stun(struct server *s, int64_t now_us)
{
    struct server_stun *stun = &s->stun;

    if (stun->request || (stun->asked_us && now_us - stun->asked_us < ASK_US))
        return;
    stun->asked_us = now_us;
    if (candidates_stun_server(&s->config, stun->host, &stun->port))
        resolve(s);
    else
        memset(stun->n_mapped, 0, sizeof(stun->n_mapped)); /* no longer, after a reload */
}

/* Put what a server saw in its place. @return true if that is new */
static bool keep_mapped(struct server_stun *stun, const struct mail_mapped *mail)
{
    struct sockaddr_storage *list = stun->mapped[mail->worker];
    uint32_t *n = &stun->n_mapped[mail->worker];
    uint32_t at = 0;

    while (at < *n && list[at].ss_family != mail->address.ss_family)
        at++;
    if (at == MAIL_MAX_PROBES || (at < *n && address_equal(&list[at], &mail->address)))
        return false;
    list[at] = mail->address;
    *n += at == *n;
    return true;
}

void server_mail_mapped(struct server *s, const struct mail_mapped *mail)
{
    char text[ADDRESS_TEXT_MAX];

    if (mail->worker >= s->n_workers)
        return;
    if (mail->address.ss_family == AF_UNSPEC) {
        complain(&s->stun, "no answer");
        return;
    }
    s->stun.failing = false;
    if (keep_mapped(&s->stun, mail))
        log_info("server", "seen by stun: worker=%" PRIu32 " address=%s", mail->worker,
                 address_text(&mail->address, text));
}

void server_stop_stun(struct server *s)
{
    if (s->stun.request)
        evdns_getaddrinfo_cancel(s->stun.request);
    if (s->stun.dns)
        evdns_base_free(s->stun.dns, 0);
    s->stun.dns = NULL;
}
