#include "media/egress.h"

#include "media/base/clock.h"
#include "media/base/reader.h"
#include "media/egress_entry.h"
#include "media/egress_pace.h"
#include "media/packet.h"
#include "media/path.h"
#include "media/rtp.h"
#include "media/run_plan.h"
#include "media/seal.h"
#include "media/send_history.h"
#include "media/send_names.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    SLAB_ENTRIES = 512,
    CHUNK_BYTES = 256 * 1024, /* sealed at a time: stays in the second-level cache until sent */
    CHUNK_DATAGRAMS = UDP_SEND_BATCH,
    OUT_ALIGN = 16,            /* ciphers like it */
    CONTROL_BYTES = 64 * 1024, /* of STUN, DTLS and SRTCP between two calls of send */
    PADDING_BIT = 0x20,        /* of the first byte of an RTP packet */
    SEQ_AT = 2,
    SSRC_AT = 8,
};

struct slab {
    struct slab *next;
    struct egress_entry entries[SLAB_ENTRIES];
};

/* The datagrams of one call of send. */
struct chunk {
    struct seal_packet sealing[CHUNK_DATAGRAMS];
    struct egress_entry *entries[CHUNK_DATAGRAMS];
    struct egress_peer *peers[CHUNK_DATAGRAMS]; /* whose they are */
    struct datagram datagrams[CHUNK_DATAGRAMS];
    size_t n, used; /* entries laid out; bytes of `bytes` taken */
    _Alignas(EGRESS_CACHE_LINE) uint8_t bytes[CHUNK_BYTES];
};

/* Datagrams that were finished by others, waiting to go first. */
struct control {
    struct datagram datagrams[CHUNK_DATAGRAMS];
    struct sockaddr_storage to[CHUNK_DATAGRAMS];
    struct local_address from[CHUNK_DATAGRAMS];
    size_t n, used;
    uint8_t bytes[CONTROL_BYTES];
};

struct egress {
    void (*send)(void *owner, const struct datagram *datagrams, size_t n);
    void *owner;
    struct list waiting;          /* egress_peer.link, in the order of their first packets */
    struct list ready;            /* the same of those that leave at the end of the turn */
    struct deadline_heap holding; /* egress_peer.pace.timer of those that hold packets */
    size_t queued;                /* entries of all peers */
    int64_t wait_us;
    int64_t now_us;
    uint32_t send_time; /* the same, as rtp_send_time() */
    uint32_t overhead;  /* bytes of a packet of the peer that is laid out, besides its own */
    uint16_t tag_len;   /* of which by sealing */
    uint16_t pad_max;
    bool holds_nothing; /* all that is queued leaves now */
    struct slab *slabs;
    struct egress_entry *free;
    struct egress_stats stats;
    struct control control;
    struct chunk chunk;
};

struct egress *egress_new(void (*send)(void *owner, const struct datagram *datagrams, size_t n),
                          void *owner)
{
    /* Not calloc(): 450 KiB that are written before they are read. */
    struct egress *e = aligned_alloc(_Alignof(struct egress), sizeof(*e));

    if (!e)
        return NULL;
    e->send = send;
    e->owner = owner;
    list_init(&e->waiting);
    list_init(&e->ready);
    deadline_heap_init(&e->holding);
    e->holds_nothing = false;
    e->queued = 0;
    e->wait_us = 0;
    e->now_us = 0;
    e->send_time = 0;
    e->overhead = e->tag_len = 0;
    e->pad_max = 0;
    e->slabs = NULL;
    e->free = NULL;
    e->stats = (struct egress_stats){0};
    e->control.n = e->control.used = 0;
    e->chunk.n = e->chunk.used = 0;
    return e;
}

static struct egress_peer *first_peer(const struct list *peers)
{
    return CONTAINER_OF(peers->next, struct egress_peer, link);
}

/* @return the peer whose held packets are due next, taken out; NULL: none by then */
static struct egress_peer *take_holding(struct egress *e, int64_t by_us)
{
    struct deadline_node *timer = deadline_heap_take_due(&e->holding, by_us);

    return timer ? CONTAINER_OF(timer, struct egress_peer, pace.timer) : NULL;
}

struct egress *egress_free(struct egress *e)
{
    struct egress_peer *peer;

    if (!e)
        return NULL;
    while ((peer = take_holding(e, NEVER_US)))
        egress_peer_done(e, peer);
    deadline_heap_done(&e->holding);
    while (!list_empty(&e->waiting))
        egress_peer_done(e, first_peer(&e->waiting));
    while (!list_empty(&e->ready))
        egress_peer_done(e, first_peer(&e->ready));
    while (e->slabs) {
        struct slab *slab = e->slabs;

        e->slabs = slab->next;
        free(slab);
    }
    free(e);
    return NULL;
}

void egress_pad_runs(struct egress *e, uint16_t bytes)
{
    assert(bytes <= EGRESS_PAD_MAX);
    e->pad_max = bytes;
}

void egress_coalesce(struct egress *e, int64_t wait_us)
{
    e->wait_us = wait_us;
}

void egress_set_time(struct egress *e, int64_t now_us)
{
    e->now_us = now_us;
    e->send_time = rtp_send_time(now_us);
}

void egress_peer_init(struct egress_peer *peer)
{
    *peer = (struct egress_peer){0};
}

static bool add_slab(struct egress *e)
{
    struct slab *slab = aligned_alloc(_Alignof(struct slab), sizeof(*slab));

    if (!slab)
        return false;
    slab->next = e->slabs;
    e->slabs = slab;
    for (size_t i = SLAB_ENTRIES; i-- > 0;) { /* the first is taken first */
        slab->entries[i].next = e->free;
        e->free = &slab->entries[i];
    }
    return true;
}

static struct egress_entry *take_entry(struct egress *e)
{
    struct egress_entry *entry;

    if (!e->free && !add_slab(e))
        return NULL;
    entry = e->free;
    e->free = entry->next;
    PREFETCH(e->free);
    e->queued++;
    return entry;
}

static void give_entry_back(struct egress *e, struct egress_entry *entry)
{
    entry->packet = packet_unref(entry->packet);
    entry->next = e->free;
    e->free = entry;
    e->queued--;
}

/* The queue is empty: nothing is to be sent until something comes. */
static void end_queue(struct egress_peer *peer)
{
    peer->queue.last = NULL;
    peer->queued_bytes = 0;
    list_unlink(&peer->link);
}

/* Take the first entry out of the queue, and the peer out of the list with the last. */
static struct egress_entry *take_first(struct egress_peer *peer)
{
    struct egress_entry *entry = peer->queue.first;

    peer->queue.first = entry->next;
    PREFETCH(peer->queue.first);
    peer->queued--;
    if (!peer->queue.first)
        end_queue(peer);
    return entry;
}

/* Put the peer, whose first packet came, among those that wait or leave. */
static void link_peer(struct egress *e, struct egress_peer *peer)
{
    peer->waits = e->wait_us > 0;
    peer->since_us = NEVER_US;
    list_append(peer->waits ? &e->waiting : &e->ready, &peer->link);
}

static void make_ready(struct egress *e, struct egress_peer *peer)
{
    peer->waits = false;
    list_unlink(&peer->link);
    list_append(&e->ready, &peer->link);
}

static void append_entry(struct egress *e, struct egress_peer *peer, struct egress_entry *entry)
{
    if (peer->queue.last) {
        peer->queue.last->next = entry;
    } else {
        peer->queue.first = entry;
        link_peer(e, peer);
    }
    peer->queue.last = entry;
    peer->queued++;
    peer->queued_bytes += entry->payload_len;
    if (peer->waits &&
        (peer->queued >= EGRESS_WAIT_PACKETS || peer->queued_bytes >= EGRESS_WAIT_BYTES))
        make_ready(e, peer);
}

void egress_peer_set_pace(struct egress *e, struct egress_peer *peer, uint64_t bps)
{
    if (bps == peer->pace.bps)
        return;
    egress_pace_set(&peer->pace, bps, e->now_us);
    if (peer->pace.n_held > 0) /* to be looked at anew; it is in the heap, which need not grow */
        (void)!deadline_heap_set(&e->holding, &peer->pace.timer, e->now_us);
}

void egress_peer_done(struct egress *e, struct egress_peer *peer)
{
    egress_pace_release(peer);
    deadline_heap_remove(&e->holding, &peer->pace.timer);
    while (peer->queue.first)
        give_entry_back(e, take_first(peer));
}

struct egress_head *egress_push(struct egress *e, struct egress_peer *peer, struct packet *packet,
                                uint16_t payload_offset, uint16_t payload_len)
{
    struct egress_entry *entry = NULL;

    assert(packet ? payload_offset + payload_len <= packet->len : payload_len == 0);
    if (e->queued >= EGRESS_TURN_MAX)
        egress_flush(e);
    if (peer->session && peer->queued < EGRESS_QUEUE_MAX)
        entry = take_entry(e);
    if (!entry) {
        peer->dropped++;
        e->stats.dropped++;
        return NULL;
    }
    entry->next = NULL;
    entry->packet = packet ? packet_ref(packet) : NULL;
    entry->payload_offset = payload_offset;
    entry->payload_len = payload_len;
    entry->head.head_len = entry->head.lead_len = 0;
    entry->head.may_pad = false;
    entry->head.transport_seq_at = entry->head.send_time_at = 0;
    entry->head.class = EGRESS_MEDIA;
    append_entry(e, peer, entry);
    return &entry->head;
}

static void send_datagrams(struct egress *e, const struct datagram *datagrams, size_t n)
{
    if (n == 0)
        return;
    for (size_t i = 0; i < n; i++)
        e->stats.bytes += datagrams[i].len;
    e->stats.datagrams += n;
    e->send(e->owner, datagrams, n);
}

static void send_control(struct egress *e)
{
    send_datagrams(e, e->control.datagrams, e->control.n);
    e->control.n = e->control.used = 0;
}

int egress_push_datagram(struct egress *e, const struct sockaddr_storage *to,
                         const struct local_address *from, const uint8_t *data, size_t len)
{
    struct control *control = &e->control;
    uint8_t *copy;

    if (len > PACKET_CAPACITY)
        return -EMSGSIZE;
    if (control->n == CHUNK_DATAGRAMS || len > sizeof(control->bytes) - control->used)
        send_control(e);
    copy = control->bytes + control->used;
    memcpy(copy, data, len);
    control->to[control->n] = *to;
    control->from[control->n] = *from;
    control->datagrams[control->n] = (struct datagram){.to = &control->to[control->n],
                                                       .from = &control->from[control->n],
                                                       .data = copy,
                                                       .len = len};
    control->n++;
    control->used += len;
    return 0;
}

/* Count what sealing the chunk's packet `at` came to. @return true if there is something to send */
static bool count_sealed(struct egress *e, size_t at)
{
    struct egress_peer *peer = e->chunk.peers[at];
    uint16_t len = e->chunk.sealing[at].out_len;

    if (len == 0) {
        peer->dropped++;
        e->stats.dropped++;
        return false;
    }
    peer->packets++;
    peer->bytes += len;
    return true;
}

/* Seal and send what is laid out. */
static void send_chunk(struct egress *e)
{
    struct chunk *chunk = &e->chunk;
    size_t n = 0;

    (void)seal_batch(chunk->sealing, chunk->n);
    for (size_t i = 0; i < chunk->n; i++) {
        const struct seal_packet *sealed = &chunk->sealing[i];
        const struct egress_peer *peer = chunk->peers[i];

        give_entry_back(e, chunk->entries[i]);
        if (count_sealed(e, i))
            chunk->datagrams[n++] = (struct datagram){
                .to = &peer->to, .from = &peer->from, .data = sealed->out, .len = sealed->out_len};
    }
    send_datagrams(e, chunk->datagrams, n);
    chunk->n = chunk->used = 0;
}

/* Copy the payload to its place in `out`, to be sealed there, and pad it (RFC 3550 section 5.1). */
static void pad(struct egress *e, struct egress_entry *entry, struct seal_packet *packet,
                uint8_t bytes)
{
    uint8_t *payload = packet->out + packet->head_len + packet->lead_len;

    entry->head.bytes[0] |= PADDING_BIT;
    if (packet->payload_len > 0)
        memcpy(payload, packet->payload, packet->payload_len);
    memset(payload + packet->payload_len, 0, bytes - 1U);
    packet->payload = payload;
    packet->payload_len = (uint16_t)(packet->payload_len + bytes);
    payload[packet->payload_len - 1] = bytes;
    e->stats.padded++;
    e->stats.padding_bytes += bytes;
}

/* Note under which number a packet leaves that will be told of by its own. */
static void note_name(struct egress_peer *peer, const uint8_t *header, uint16_t number)
{
    struct reader r = reader_of(header, RTP_HEADER_LEN);
    uint16_t seq;

    reader_skip(&r, SEQ_AT);
    seq = reader_u16(&r);
    reader_skip(&r, SSRC_AT - SEQ_AT - 2);
    send_names_put(peer->names, reader_u32(&r), seq, number);
}

/* Write what is known now that the packet leaves. @param len  on the wire [bytes] */
static void stamp(const struct egress *e, struct egress_peer *peer, struct egress_head *head,
                  size_t len)
{
    uint16_t seq = peer->transport_seq;

    peer->wire_bytes += len;
    if (head->send_time_at) {
        uint8_t *at = head->bytes + head->send_time_at;

        at[0] = (uint8_t)(e->send_time >> 16);
        at[1] = (uint8_t)(e->send_time >> 8);
        at[2] = (uint8_t)e->send_time;
    }
    if (!head->transport_seq_at && !peer->names)
        return;
    peer->transport_seq++;
    peer->numbered_bytes += len;
    if (head->transport_seq_at) {
        head->bytes[head->transport_seq_at] = (uint8_t)(seq >> 8);
        head->bytes[head->transport_seq_at + 1] = (uint8_t)seq;
    }
    if (UNLIKELY(peer->names != NULL))
        note_name(peer, head->bytes, seq);
    if (peer->history)
        send_history_put(peer->history, seq, (uint16_t)len, peer->probe, e->now_us);
}

/* Give `entry` its place in the chunk, sending the chunk first if it is full. */
static void lay_out(struct egress *e, struct egress_peer *peer, struct egress_entry *entry,
                    uint16_t padding)
{
    struct egress_head *head = &entry->head;
    struct chunk *chunk = &e->chunk;
    size_t len = egress_entry_len(entry) + padding;
    size_t room = len + SRTP_TRAILER_MAX;
    struct seal_packet *packet;

    assert(head->head_len + head->lead_len <= EGRESS_HEAD_MAX);
    room = (room + OUT_ALIGN - 1) / OUT_ALIGN * OUT_ALIGN;
    if (chunk->n == CHUNK_DATAGRAMS || room > sizeof(chunk->bytes) - chunk->used)
        send_chunk(e);
    stamp(e, peer, head, len + e->overhead);
    packet = &chunk->sealing[chunk->n];
    *packet = (struct seal_packet){
        .session = peer->session,
        .head = head->bytes,
        .head_len = head->head_len,
        .lead_len = head->lead_len,
        .payload = entry->packet ? entry->packet->data + entry->payload_offset : NULL,
        .payload_len = entry->payload_len,
        .out = chunk->bytes + chunk->used,
    };
    if (padding > 0)
        pad(e, entry, packet, (uint8_t)padding);
    chunk->entries[chunk->n] = entry;
    chunk->peers[chunk->n] = peer;
    chunk->n++;
    chunk->used += room;
}

static struct run_packet run_packet_of(const struct egress *e, const struct egress_entry *entry)
{
    const uint8_t *head = entry->head.bytes;
    bool may_pad = entry->head.may_pad && !(head[0] & PADDING_BIT);
    struct run_packet packet = {
        .len = (uint16_t)(egress_entry_len(entry) + e->tag_len),
        .pad_max = may_pad ? e->pad_max : 0,
    };

    memcpy(&packet.ssrc, head + SSRC_AT, sizeof(packet.ssrc)); /* only compared */
    return packet;
}

/* Lay out some of the peer's packets, in runs. */
static void lay_out_runs(struct egress *e, struct egress_peer *peer)
{
    struct egress_entry *entries[RUN_PLAN_MAX];
    struct run_packet packets[RUN_PLAN_MAX];
    struct run_plan plan;
    size_t n = 0;

    while (peer->queue.first && n < RUN_PLAN_MAX) {
        entries[n] = take_first(peer);
        packets[n] = run_packet_of(e, entries[n]);
        n++;
    }
    run_plan_make(&plan, packets, n);
    for (size_t i = 0; i < n; i++)
        lay_out(e, peer, entries[plan.order[i]], packets[plan.order[i]].pad);
}

/* Are the peer's packets of one length, but for a last one that may be shorter? */
static bool is_one_run(const struct egress_peer *peer)
{
    const struct egress_entry *entry = peer->queue.first;
    size_t len = egress_entry_len(entry);

    while (entry->next && egress_entry_len(entry) == len)
        entry = entry->next;
    return !entry->next && egress_entry_len(entry) <= len;
}

static void lay_out_peer(struct egress *e, struct egress_peer *peer)
{
    /* A stream has no runs to save. */
    bool plans = e->pad_max > 0 && !path_is(&peer->to) && !is_one_run(peer);

    if (UNLIKELY(peer->measured != peer->session)) { /* once: it is far away in memory */
        peer->measured = peer->session;
        peer->tag_len = (uint16_t)seal_overhead(peer->session);
    }
    e->tag_len = peer->tag_len;
    e->overhead = peer->tag_len + egress_wire_overhead(peer);
    while (peer->queue.first) {
        if (plans)
            lay_out_runs(e, peer);
        else
            lay_out(e, peer, take_first(peer), 0);
    }
}

/* The same as far as its pace allows. */
static void lay_out_paced(struct egress *e, struct egress_peer *peer)
{
    uint64_t before = peer->wire_bytes;
    int64_t next_us;

    egress_pace_choose(peer, e->holds_nothing, e->now_us);
    if (peer->queue.first)
        lay_out_peer(e, peer);
    else
        end_queue(peer);
    next_us = egress_pace_sent(peer, (uint32_t)(peer->wire_bytes - before), e->now_us);
    if (deadline_heap_set(&e->holding, &peer->pace.timer, next_us) == 0)
        return;
    egress_pace_release(peer); /* no memory: nobody would come back for them */
    lay_out_peer(e, peer);
}

static void flush_ready(struct egress *e)
{
    send_control(e);
    while (!list_empty(&e->ready)) {
        struct egress_peer *peer = first_peer(&e->ready);
        struct egress_peer *next = first_peer(&peer->link);

        /* The next one's first packet, and where the one after it is. */
        if (&next->link != &e->ready) {
            PREFETCH(next->queue.first);
            PREFETCH(next->link.next);
        }
        if (peer->pace.bps > 0 || peer->pace.n_held > 0)
            lay_out_paced(e, peer);
        else
            lay_out_peer(e, peer);
    }
    send_chunk(e);
    e->stats.flushes++;
}

void egress_flush(struct egress *e)
{
    struct egress_peer *peer;

    while (!list_empty(&e->waiting))
        make_ready(e, first_peer(&e->waiting));
    while ((peer = take_holding(e, NEVER_US)))
        make_ready(e, peer);
    e->holds_nothing = true;
    flush_ready(e);
    e->holds_nothing = false;
}

/* Those whose first packet came in this turn are the last ones. */
static void note_time(struct egress *e, int64_t now_us)
{
    for (struct list *link = e->waiting.prev; link != &e->waiting; link = link->prev) {
        struct egress_peer *peer = CONTAINER_OF(link, struct egress_peer, link);

        if (peer->since_us != NEVER_US)
            break;
        peer->since_us = now_us;
    }
}

static int64_t waiting_deadline(const struct egress *e)
{
    int64_t since_us = list_empty(&e->waiting) ? NEVER_US : first_peer(&e->waiting)->since_us;

    return since_us == NEVER_US ? NEVER_US : since_us + e->wait_us;
}

void egress_flush_due(struct egress *e, int64_t now_us)
{
    struct egress_peer *peer;

    egress_set_time(e, now_us);
    note_time(e, now_us);
    while (waiting_deadline(e) <= now_us)
        make_ready(e, first_peer(&e->waiting));
    while ((peer = take_holding(e, now_us)))
        make_ready(e, peer);
    flush_ready(e);
}

int64_t egress_deadline(const struct egress *e)
{
    int64_t waiting_us = waiting_deadline(e);
    int64_t holding_us = deadline_heap_next_us(&e->holding);

    return waiting_us < holding_us ? waiting_us : holding_us;
}

const struct egress_stats *egress_stats(const struct egress *e)
{
    return &e->stats;
}
