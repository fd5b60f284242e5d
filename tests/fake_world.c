#include "tests/fake_peer.h"

#include "media/address.h"
#include "media/base/clock.h"
#include "media/packet.h"
#include "media/rtp.h"
#include "media/udp_socket.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLIENT_PACKETS = 256 };

static struct sockaddr_storage address_of(uint16_t port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_storage address = {0};

    in.sin_addr.s_addr = htonl(0x0a000001);
    memcpy(&address, &in, sizeof(in));
    return address;
}

static uint16_t port_of(const struct sockaddr_storage *address)
{
    struct sockaddr_in in;

    memcpy(&in, address, sizeof(in));
    return ntohs(in.sin_port);
}

/* 10.0.1.`host` of the server. */
static struct local_address local_of(uint8_t host)
{
    return (struct local_address){.len = 4, .bytes = {10, 0, 1, host}};
}

static struct fake_peer *find_peer(const struct fake_world *w, uint32_t id)
{
    for (uint32_t i = 0; i < w->n_peers; i++) {
        if (w->peers[i]->id == id)
            return w->peers[i];
    }
    return NULL;
}

static uint32_t find_section(const struct fake_peer *p, const char *mid)
{
    uint32_t at = 0;

    while (at < p->n_sections && strcmp(p->sections[at].mid, mid) != 0)
        at++;
    fake_must(at < p->n_sections, "no such mid");
    return at;
}

static void on_forwarder_send(void *owner, const struct datagram *datagrams, size_t n)
{
    struct fake_world *w = owner;

    for (size_t i = 0; i < n; i++) {
        uint16_t port = port_of(datagrams[i].to);
        struct fake_peer *p = w->peers[port / 100 - 100];

        fake_must(datagrams[i].len <= NETEM_DATAGRAM_MAX, "datagram too long");
        p->last_to = port;
        fake_must(datagrams[i].from->len == 4, "sent from nowhere");
        if (datagram_kind(datagrams[i].data, datagrams[i].len) == DATAGRAM_STUN)
            p->last_reply_from = datagrams[i].from->bytes[3];
        else
            p->last_from = datagrams[i].from->bytes[3];
        netem_push(p->down, port, datagrams[i].data, datagrams[i].len, w->now_us);
    }
}

static void on_state_mail(struct fake_peer *p, const struct mail_state *mail)
{
    p->connected = p->connected || mail->state == PEER_CONNECTED;
    if (mail->state == PEER_CONNECTED)
        return;
    p->ended = true;
    p->end = mail->state;
    (void)snprintf(p->reason, sizeof(p->reason), "%s", mail->reason);
}

static void on_slots_mail(struct fake_peer *p, const struct mail_slots *mail)
{
    fake_must(mail->epoch == p->epoch + 1, "epoch grows by one");
    p->epoch = mail->epoch;
    p->n_slot_mails++;
    for (uint32_t i = 0; i < mail->n_slots; i++) {
        uint32_t at = find_section(p, mail->slots[i].mid);

        p->track_of_section[at] = mail->slots[i].track;
        p->publisher_of_section[at] = mail->slots[i].participant;
    }
}

static void on_forwarder_post(void *owner, struct mail *mail)
{
    struct fake_world *w = owner;
    struct fake_peer *p = find_peer(w, ((const struct mail_participant *)mail)->participant);
    const struct mail_need *need = (const struct mail_need *)mail;

    fake_must(p || mail->type == MAIL_STOPPED, "mail for nobody");
    switch ((enum mail_type)mail->type) {
    case MAIL_STATE:
        on_state_mail(p, (const struct mail_state *)mail);
        break;
    case MAIL_SLOTS:
        on_slots_mail(p, (const struct mail_slots *)mail);
        break;
    case MAIL_NEED:
        p->n_needs++;
        p->need_audio = need->audio;
        p->need_video = need->video;
        break;
    case MAIL_GONE:
        p->gone = true;
        break;
    case MAIL_STOPPED:
        w->stopped = true;
        break;
    case MAIL_JOIN:
    case MAIL_UPDATE:
    case MAIL_MUTE:
    case MAIL_LEAVE:
    case MAIL_STOP:
        fake_must(false, "mail in the wrong direction");
    }
    mail_free(mail);
}

static void deliver_up(struct fake_world *w, struct fake_peer *p)
{
    uint8_t data[NETEM_DATAGRAM_MAX];
    uint64_t path;
    size_t len;

    while (netem_pop(p->up, w->now_us, &path, data, &len)) {
        struct packet *packet = packet_new(forwarder_pool(w->forwarder));

        if (!packet)
            continue;
        fake_must(len <= PACKET_CAPACITY, "datagram too long");
        memcpy(packet->data, data, len);
        packet->len = (uint16_t)len;
        packet->from = address_of((uint16_t)path);
        packet->to = local_of((uint8_t)(path >> 16));
        packet->arrival_us = w->now_us;
        forwarder_receive(w->forwarder, &packet, 1, w->now_us);
    }
}

void fake_world_run(struct fake_world *w, int64_t us)
{
    int64_t end_us = w->now_us + us;

    while (w->now_us < end_us) {
        w->now_us += 1 * MS;
        for (uint32_t i = 0; i < w->n_peers; i++)
            fake_peer_advance(w->peers[i]);
        for (uint32_t i = 0; i < w->n_peers; i++)
            deliver_up(w, w->peers[i]);
        if (forwarder_deadline(w->forwarder) <= w->now_us)
            (void)forwarder_advance(w->forwarder, w->now_us);
        forwarder_flush(w->forwarder);
    }
}

struct fake_world *fake_world_new(const struct netem_config *link,
                                  const struct forwarder_limits *limits)
{
    static const struct forwarder_handler handler = {.send = on_forwarder_send,
                                                     .post = on_forwarder_post};
    struct fake_world *w = calloc(1, sizeof(*w));
    struct forwarder_config config = {.port = 7882,
                                      .limits = limits ? *limits : forwarder_default_limits};

    fake_must(w != NULL, "no memory");
    w->link = *link;
    w->now_us = 1000 * SECOND;
    w->next_id = 0x100;
    w->pool = packet_pool_new(CLIENT_PACKETS);
    fake_must(w->pool && dtls_identity_new(&w->identity) == 0, "no identity");
    config.identity = w->identity;
    fake_must(forwarder_new(&w->forwarder, &config, &handler, w) == 0, "no forwarder");
    return w;
}

struct fake_world *fake_world_free(struct fake_world *w)
{
    for (uint32_t i = 0; i < w->n_peers; i++)
        w->peers[i] = fake_peer_free(w->peers[i]);
    w->forwarder = forwarder_free(w->forwarder);
    w->identity = dtls_identity_free(w->identity);
    fake_must(packet_pool_used(w->pool) == 0, "clients leak packets");
    w->pool = packet_pool_free(w->pool);
    free(w);
    return NULL;
}

void fake_world_post(struct fake_world *w, enum mail_type type, uint32_t participant)
{
    struct mail_participant *mail = calloc(1, sizeof(*mail));

    fake_must(mail != NULL, "no memory");
    mail->mail.type = (int)type;
    mail->participant = participant;
    forwarder_mail(w->forwarder, &mail->mail, w->now_us);
}
