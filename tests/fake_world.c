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
        struct sockaddr_storage real;

        if (datagrams[i].len == sizeof(w->probe)) { /* none of a peer's is so short */
            w->asked = *datagrams[i].to;
            memcpy(w->probe, datagrams[i].data, sizeof(w->probe));
            continue;
        }

        uint16_t port = port_of(path_peer(datagrams[i].to, &real));
        struct fake_peer *p = w->peers[port / 100 - 100];

        fake_must(datagrams[i].len <= NETEM_DATAGRAM_MAX, "datagram too long");
        p->last_to = port;
        p->last_path = path_is(datagrams[i].to) ? path_number(datagrams[i].to) : 0;
        fake_must(p->last_path > 0 || datagrams[i].from->len == 4, "sent from nowhere");
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
    p->slots_us = p->world->now_us;
    for (uint32_t i = 0; i < mail->n_slots; i++) {
        uint32_t at = find_section(p, mail->slots[i].mid);

        p->track_of_section[at] = mail->slots[i].track;
        p->publisher_of_section[at] = mail->slots[i].participant;
        p->reason_of_section[at] = STREAM_ACTIVE;
    }
}

/* For all of the room on that worker. */
static void on_speakers_mail(struct fake_world *w, const struct mail_speakers *mail)
{
    const struct fake_peer *any = find_peer(w, mail->participant);

    fake_must(any && any->room == mail->room, "speakers of another room");
    for (uint32_t i = 0; i < w->n_peers; i++) {
        struct fake_peer *p = w->peers[i];

        if (!p->joined || p->room != any->room || p->worker != any->worker)
            continue;
        p->n_speaker_mails++;
        p->speakers_us = w->now_us;
        p->n_speakers = mail->n_speakers;
        memcpy(p->speakers, mail->speakers, sizeof(p->speakers));
    }
}

static void on_stream_mail(struct fake_peer *p, const struct mail_stream *mail)
{
    fake_must(mail->n_streams > 0, "a stream mail without a stream");
    p->n_stream_mails++;
    for (uint32_t i = 0; i < mail->n_streams; i++) {
        uint32_t at = find_section(p, mail->streams[i].mid);

        fake_must(mail->streams[i].track == p->track_of_section[at], "stream of another track");
        fake_must(mail->streams[i].reason != p->reason_of_section[at], "told already");
        p->reason_of_section[at] = mail->streams[i].reason;
    }
}

static void on_want_mail(struct fake_peer *p, const struct message_want *want)
{
    uint32_t at = 0;

    while (at < p->n_sections && p->tracks[at].id != want->track)
        at++;
    fake_must(at < p->n_sections, "want for no track");
    p->n_wants++;
    p->want_us = p->world->now_us;
    p->want_of_section[at] = 0;
    for (uint32_t i = 0; i < want->n_layers; i++)
        p->want_of_section[at] |= (uint8_t)(want->layers[i].active << i);
    if (p->obeys)
        fake_peer_obey(p, at);
}

static void on_forwarder_send_to_worker(void *owner, uint32_t worker, struct mail *mail)
{
    struct fake_world *w = owner;

    fake_must(worker < w->n_workers, "mail for no worker");
    (void)!mailbox_push(&w->boxes[worker], mail);
}

static void on_need_mail(struct fake_peer *p, const struct mail_need *mail)
{
    p->n_needs++;
    p->need_audio = mail->audio;
    p->need_video = mail->video;
}

static void on_quality_mail(struct fake_peer *p, struct mail_quality *mail)
{
    message_quality_free(p->quality);
    p->quality = mail->quality;
    mail->quality = NULL;
}

static void on_forwarder_post(void *owner, struct mail *mail)
{
    struct fake_world *w = owner;
    struct fake_peer *p = find_peer(w, ((const struct mail_participant *)mail)->participant);

    fake_must(p || mail->type == MAIL_STOPPED || mail->type == MAIL_MAPPED, "mail for nobody");
    switch (mail->type) {
    case MAIL_STATE:
        on_state_mail(p, (const struct mail_state *)mail);
        break;
    case MAIL_SLOTS:
        on_slots_mail(p, (const struct mail_slots *)mail);
        break;
    case MAIL_NEED:
        on_need_mail(p, (const struct mail_need *)mail);
        break;
    case MAIL_SPEAKERS:
        on_speakers_mail(w, (const struct mail_speakers *)mail);
        break;
    case MAIL_STREAM:
        on_stream_mail(p, (const struct mail_stream *)mail);
        break;
    case MAIL_WANT:
        on_want_mail(p, &((const struct mail_want *)mail)->want);
        break;
    case MAIL_QUALITY:
        on_quality_mail(p, (struct mail_quality *)mail);
        break;
    case MAIL_MAPPED:
        w->n_mapped++;
        w->mapped = ((const struct mail_mapped *)mail)->address;
        break;
    case MAIL_GONE:
        p->gone = true;
        break;
    case MAIL_STOPPED:
        w->stopped = true;
        break;
    case MAIL_PONG:
    case MAIL_AGENT:
        break;
    default:
        fake_must(false, "mail in the wrong direction");
    }
    mail_free(mail);
}

static struct sockaddr_storage by_path(const struct fake_peer *p,
                                       const struct sockaddr_storage *real)
{
    struct sockaddr_storage address;

    path_address(&address, p->path, p->path_number, real);
    return address;
}

static void deliver_up(struct fake_world *w, struct fake_peer *p)
{
    struct forwarder *forwarder = w->forwarders[p->worker];
    uint8_t data[NETEM_DATAGRAM_MAX];
    uint64_t path;
    size_t len;

    if (w->stalled[p->worker])
        return;
    while (netem_pop(p->up, w->now_us, &path, data, &len)) {
        struct packet *packet = packet_new(forwarder_pool(forwarder));

        if (!packet)
            continue;
        fake_must(len <= PACKET_CAPACITY, "datagram too long");
        memcpy(packet->data, data, len);
        packet->len = (uint16_t)len;
        packet->from = address_of((uint16_t)path);
        packet->to = local_of((uint8_t)(path >> 16));
        if (p->path != PATH_KINDS) {
            packet->from = by_path(p, &packet->from);
            packet->to = (struct local_address){0};
        }
        packet->arrival_us = w->now_us;
        forwarder_receive(forwarder, &packet, 1, w->now_us);
    }
}

static uint64_t next_random(struct fake_world *w)
{
    w->mail_seed = w->mail_seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return w->mail_seed >> 33;
}

static void read_mail(struct fake_world *w, uint32_t worker)
{
    struct mail *next;

    for (struct mail *mail = mailbox_take(&w->boxes[worker]); mail; mail = next) {
        next = mail->next;
        forwarder_mail(w->forwarders[worker], mail, w->now_us);
    }
}

static void run_worker(struct fake_world *w, uint32_t worker)
{
    struct forwarder *forwarder = w->forwarders[worker];

    if (w->stalled[worker])
        return;
    if (w->mail_delay_ms == 0 || next_random(w) % w->mail_delay_ms == 0)
        read_mail(w, worker);
    if (forwarder_deadline(forwarder) <= w->now_us)
        (void)forwarder_advance(forwarder, w->now_us);
    forwarder_flush(forwarder);
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
        for (uint32_t i = 0; i < w->n_workers; i++)
            run_worker(w, i);
    }
}

struct fake_world *fake_world_new(const struct netem_config *link,
                                  const struct forwarder_limits *limits)
{
    return fake_world_new_spread(link, limits, 1);
}

struct fake_world *fake_world_new_spread(const struct netem_config *link,
                                         const struct forwarder_limits *limits, uint32_t workers)
{
    static const struct forwarder_handler handler = {.send = on_forwarder_send,
                                                     .post = on_forwarder_post,
                                                     .send_to_worker = on_forwarder_send_to_worker};
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
    fake_must(workers <= FAKE_MAX_WORKERS, "too many workers");
    for (w->n_workers = 0; w->n_workers < workers; w->n_workers++) {
        config.index = w->n_workers;
        mailbox_init(&w->boxes[w->n_workers]);
        fake_must(forwarder_new(&w->forwarders[w->n_workers], &config, &handler, w) == 0,
                  "no forwarder");
    }
    w->forwarder = w->forwarders[0];
    return w;
}

struct fake_world *fake_world_free(struct fake_world *w)
{
    for (uint32_t i = 0; i < w->n_peers; i++)
        w->peers[i] = fake_peer_free(w->peers[i]);
    for (uint32_t i = 0; i < w->n_workers; i++) {
        struct mail *next;

        w->forwarders[i] = forwarder_free(w->forwarders[i]);
        for (struct mail *mail = mailbox_take(&w->boxes[i]); mail; mail = next) {
            next = mail->next;
            mail_free(mail);
        }
    }
    w->identity = dtls_identity_free(w->identity);
    fake_must(packet_pool_used(w->pool) == 0, "clients leak packets");
    w->pool = packet_pool_free(w->pool);
    free(w);
    return NULL;
}

void fake_world_send(struct fake_world *w, uint32_t worker, struct mail *mail)
{
    if (w->mail_delay_ms == 0)
        forwarder_mail(w->forwarders[worker], mail, w->now_us);
    else
        (void)!mailbox_push(&w->boxes[worker], mail);
}

static struct mail *mail_of(enum mail_type type, uint32_t participant)
{
    struct mail_participant *mail = calloc(1, sizeof(*mail));

    fake_must(mail != NULL, "no memory");
    mail->mail.type = (int)type;
    mail->participant = participant;
    return &mail->mail;
}

void fake_world_stop(struct fake_world *w)
{
    for (uint32_t i = 0; i < w->n_workers; i++)
        fake_world_send(w, i, mail_of(MAIL_STOP, 0));
}

/* ------------------------------------------------------------------ control */

static uint32_t count_members(const struct fake_world *w, uint32_t room, uint32_t worker)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < w->n_peers; i++)
        n += w->peers[i]->joined && w->peers[i]->room == room && w->peers[i]->worker == worker;
    return n;
}

/* Is `worker` another one than that of `p`, with somebody of its room? */
static bool is_other(const struct fake_peer *p, uint32_t worker)
{
    return worker != p->worker && count_members(p->world, p->room, worker) > 0;
}

static void publish(struct fake_peer *p)
{
    for (uint32_t i = 0; i < p->world->n_workers; i++) {
        if (is_other(p, i))
            fake_world_send(p->world, i, fake_peer_mail(p, MAIL_PUBLISHER));
    }
}

void fake_control_join(struct fake_peer *p)
{
    struct fake_world *w = p->world;
    bool first = count_members(w, p->room, p->worker) == 0;

    p->joined = true;
    for (uint32_t i = 0; i < w->n_peers && first; i++) {
        struct fake_peer *other = w->peers[i];

        if (other->joined && other->room == p->room && other->worker != p->worker)
            fake_world_send(w, p->worker, fake_peer_mail(other, MAIL_PUBLISHER));
    }
    fake_world_send(w, p->worker, fake_peer_mail(p, MAIL_JOIN));
    publish(p);
}

void fake_control_update(struct fake_peer *p)
{
    publish(p);
}

void fake_control_leave(struct fake_peer *p)
{
    struct fake_world *w = p->world;

    fake_world_send(w, p->worker, mail_of(MAIL_LEAVE, p->id));
    if (!p->joined)
        return;
    p->joined = false;
    for (uint32_t i = 0; i < w->n_workers; i++) {
        if (is_other(p, i))
            fake_world_send(w, i, mail_of(MAIL_UNPUBLISH, p->id));
    }
    if (count_members(w, p->room, p->worker) == 0) {
        struct mail_room *mail = calloc(1, sizeof(*mail));

        fake_must(mail != NULL, "no memory");
        mail->mail.type = MAIL_CLOSE_ROOM;
        mail->room = p->room;
        fake_world_send(w, p->worker, &mail->mail);
    }
}

void fake_control_mute(struct fake_peer *p, uint32_t section, bool muted)
{
    p->tracks[section].muted = muted;
    for (uint32_t i = 0; i < p->world->n_workers; i++) {
        struct mail_mute *mail;

        if (i != p->worker && !is_other(p, i))
            continue;
        mail = calloc(1, sizeof(*mail));
        fake_must(mail != NULL, "no memory");
        mail->mail.type = MAIL_MUTE;
        mail->participant = p->id;
        mail->track = p->tracks[section].id;
        mail->muted = muted;
        fake_world_send(p->world, i, &mail->mail);
    }
}

void fake_peer_view(struct fake_peer *p, const struct message_view *view)
{
    struct mail_view *mail = calloc(1, sizeof(*mail));

    fake_must(mail != NULL, "no memory");
    mail->mail.type = MAIL_VIEW;
    mail->participant = p->id;
    mail->n_views = 1;
    mail->views = calloc(1, sizeof(*mail->views));
    fake_must(mail->views != NULL, "no memory");
    mail->views[0] = *view;
    fake_world_send(p->world, p->worker, &mail->mail);
}

void fake_peer_subscribe(struct fake_peer *p, uint32_t track, bool subscribed)
{
    struct mail_subscribe *mail = calloc(1, sizeof(*mail));

    fake_must(mail != NULL, "no memory");
    mail->mail.type = MAIL_SUBSCRIBE;
    mail->participant = p->id;
    mail->track = track;
    mail->subscribed = subscribed;
    fake_world_send(p->world, p->worker, &mail->mail);
}
