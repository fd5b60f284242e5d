/*
 * A feedback packet (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1): base
 * sequence number, status count, reference time [64 ms], feedback count; then one symbol per
 * packet, packed into 16-bit chunks; then one delta [250 us] per packet that arrived.
 *
 * Zero bytes fill the last word without the padding bit, as the RTCP of GStreamer drops compounds
 * whose padding is no multiple of 4.
 */
#include "media/transport_feedback.h"

#include "media/base/clock.h"
#include "media/seq.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>

static const int64_t DELTA_US = 250 * US;
static const int64_t DELTAS_PER_REFERENCE = 256; /* reference time in 64 ms */

enum { REFERENCE_MASK = 0xffffff };

/* What happened to a packet, as on the wire; also the bytes of its delta. */
enum symbol { NOT_RECEIVED, SMALL_DELTA, LARGE_DELTA, RESERVED };

enum {
    CHUNK_VECTOR = 0x8000,   /* else run length */
    CHUNK_TWO_BITS = 0x4000, /* of a vector: two bits per symbol */
    RUN_MAX = 0x1fff,
    ONE_BIT_SYMBOLS = 14,
    TWO_BIT_SYMBOLS = 7,   /* no chunk but the last holds fewer */
    TYPICAL_BITS = 68 * 8, /* of a feedback packet, with heads */
    SHARE = 20,            /* of what arrives that feedback takes: one part of so many */
    FIXED_LEN = 20,        /* RTCP header, SSRCs and the fields before the chunks */
};

void feedback_recorder_init(struct feedback_recorder *r)
{
    *r = (struct feedback_recorder){.newest = -1, .next = -1, .interval_us = FEEDBACK_MIN_US};
    for (size_t i = 0; i < FEEDBACK_WINDOW; i++)
        r->arrival_us[i] = NEVER_US;
}

static int64_t *arrival_of(struct feedback_recorder *r, int64_t seq)
{
    return &r->arrival_us[seq % FEEDBACK_WINDOW];
}

/* Make `seq` the newest; numbers that enter the window have not arrived. */
static void advance(struct feedback_recorder *r, int64_t seq)
{
    int64_t oldest = seq - FEEDBACK_WINDOW + 1;
    int64_t first = r->newest + 1;

    if (first < oldest)
        first = oldest;
    for (int64_t s = first; s < seq; s++)
        *arrival_of(r, s) = NEVER_US;
    if (r->next < oldest)
        r->next = oldest;
    r->newest = seq;
}

void feedback_recorder_on_packet(struct feedback_recorder *r, uint16_t seq16, int64_t now_us)
{
    int64_t seq;

    if (r->newest < 0) {
        r->next = SEQ_FIRST_CYCLE + seq16;
        r->newest = r->next - 1;
    }
    seq = seq_unwrap(r->newest, seq16);
    if (seq > r->newest)
        advance(r, seq);
    else if (seq <= r->newest - FEEDBACK_WINDOW || *arrival_of(r, seq) != NEVER_US)
        return;
    *arrival_of(r, seq) = now_us;
    if (seq < r->next) /* reported lost: report again, from here */
        r->next = seq;
}

/* Statuses of one packet to be written. */
struct batch {
    int64_t base; /* unwrapped sequence number of the first */
    int64_t reference;
    size_t count;
    size_t delta_bytes;
    uint8_t symbols[FEEDBACK_MAX_PACKETS];
    int16_t deltas[FEEDBACK_MAX_PACKETS]; /* of those that arrived */
};

static size_t wire_len(size_t count, size_t delta_bytes)
{
    size_t chunks = (count + TWO_BIT_SYMBOLS - 1) / TWO_BIT_SYMBOLS; /* at most */

    return (FIXED_LEN + 2 * chunks + delta_bytes + 3) / 4 * 4;
}

/* Append the status of the next packet. @return false: it does not fit into this feedback */
static bool batch_add(struct batch *b, int64_t arrival_us, int64_t *last, size_t room)
{
    int64_t delta = arrival_us / DELTA_US - *last;
    enum symbol symbol = delta >= 0 && delta <= UINT8_MAX ? SMALL_DELTA : LARGE_DELTA;

    if (arrival_us == NEVER_US)
        symbol = NOT_RECEIVED;
    else if (delta < INT16_MIN || delta > INT16_MAX)
        return false;
    if (b->count == FEEDBACK_MAX_PACKETS || wire_len(b->count + 1, b->delta_bytes + symbol) > room)
        return false;
    if (symbol != NOT_RECEIVED) {
        b->deltas[b->count] = (int16_t)delta;
        *last += delta;
    }
    b->symbols[b->count++] = (uint8_t)symbol;
    b->delta_bytes += symbol;
    return true;
}

static void collect(struct feedback_recorder *r, struct batch *b, size_t room, int64_t now_us)
{
    int64_t first_us = NEVER_US;
    int64_t last;

    for (int64_t s = r->next; s <= r->newest && first_us == NEVER_US; s++)
        first_us = *arrival_of(r, s);
    if (first_us == NEVER_US)
        first_us = now_us;
    b->base = r->next;
    b->reference = first_us / DELTA_US / DELTAS_PER_REFERENCE;
    b->count = b->delta_bytes = 0;
    last = b->reference * DELTAS_PER_REFERENCE;
    for (int64_t s = r->next; s <= r->newest; s++) {
        if (!batch_add(b, *arrival_of(r, s), &last, room))
            break;
    }
}

/* Leading symbols that are equal, and leading ones that fit a one-bit vector. */
static void measure(const uint8_t *symbols, size_t count, size_t *run, size_t *one_bit)
{
    *run = *one_bit = 0;
    while (*run < count && *run < RUN_MAX && symbols[*run] == symbols[0])
        (*run)++;
    while (*one_bit < count && *one_bit < ONE_BIT_SYMBOLS && symbols[*one_bit] != LARGE_DELTA)
        (*one_bit)++;
}

static uint16_t vector_chunk(const uint8_t *symbols, size_t n, unsigned bits)
{
    unsigned chunk = CHUNK_VECTOR | (bits == 2 ? CHUNK_TWO_BITS : 0);

    for (size_t i = 0; i < n; i++)
        chunk |= (unsigned)symbols[i] << (ONE_BIT_SYMBOLS - bits * (i + 1));
    return (uint16_t)chunk;
}

/* Write the chunk that holds most symbols. @return how many it holds */
static size_t write_chunk(struct writer *w, const uint8_t *symbols, size_t count)
{
    size_t run;
    size_t one_bit;
    size_t two_bits = count < TWO_BIT_SYMBOLS ? count : TWO_BIT_SYMBOLS;

    measure(symbols, count, &run, &one_bit);
    if (one_bit < ONE_BIT_SYMBOLS && one_bit < count)
        one_bit = 0; /* its vector would claim the symbols that follow */
    if (run >= one_bit && run >= two_bits) {
        writer_u16(w, (uint16_t)((unsigned)symbols[0] << 13 | run));
        return run;
    }
    if (one_bit >= two_bits) {
        writer_u16(w, vector_chunk(symbols, one_bit, 1));
        return one_bit;
    }
    writer_u16(w, vector_chunk(symbols, two_bits, 2));
    return two_bits;
}

static void write_batch(struct writer *w, const struct batch *b, const struct rtcp_feedback *fb,
                        uint8_t feedback_count)
{
    size_t start = rtcp_begin_feedback(w, RTCP_RTPFB, RTPFB_TRANSPORT_CC, fb);

    writer_u16(w, (uint16_t)b->base);
    writer_u16(w, (uint16_t)b->count);
    writer_u24(w, (uint32_t)b->reference & REFERENCE_MASK);
    writer_u8(w, feedback_count);
    for (size_t i = 0; i < b->count;)
        i += write_chunk(w, b->symbols + i, b->count - i);
    for (size_t i = 0; i < b->count; i++) {
        if (b->symbols[i] == SMALL_DELTA)
            writer_u8(w, (uint8_t)b->deltas[i]);
        else if (b->symbols[i] == LARGE_DELTA)
            writer_u16(w, (uint16_t)b->deltas[i]);
    }
    rtcp_end_feedback(w, start);
}

size_t feedback_recorder_write(struct feedback_recorder *r, struct writer *w, uint32_t sender,
                               uint32_t media, int64_t now_us)
{
    struct rtcp_feedback fb = {.sender = sender, .media = media};
    struct batch b;
    size_t n = 0;

    while (r->newest >= 0 && r->next <= r->newest) {
        collect(r, &b, writer_left(w), now_us);
        if (b.count == 0)
            break;
        write_batch(w, &b, &fb, r->feedback_count++);
        assert(writer_ok(w));
        r->next += (int64_t)b.count;
        r->last_sent_us = now_us;
        n++;
    }
    return n;
}

int64_t feedback_recorder_deadline(const struct feedback_recorder *r)
{
    if (r->newest < 0 || r->next > r->newest)
        return NEVER_US;
    return r->last_sent_us + r->interval_us;
}

void feedback_recorder_set_rate(struct feedback_recorder *r, uint64_t bps)
{
    uint64_t us = bps > 0 ? TYPICAL_BITS * SHARE * (uint64_t)SECOND / bps : FEEDBACK_MAX_US;

    if (us < FEEDBACK_MIN_US)
        us = FEEDBACK_MIN_US;
    r->interval_us = us < FEEDBACK_MAX_US ? (int64_t)us : FEEDBACK_MAX_US;
}

/* Takes symbols out of chunks. */
struct symbol_reader {
    struct reader r;
    uint16_t chunk;
    unsigned left; /* symbols of `chunk` not taken yet */
};

static void next_chunk(struct symbol_reader *s)
{
    s->chunk = reader_u16(&s->r);
    if (!(s->chunk & CHUNK_VECTOR))
        s->left = s->chunk & RUN_MAX;
    else
        s->left = s->chunk & CHUNK_TWO_BITS ? TWO_BIT_SYMBOLS : ONE_BIT_SYMBOLS;
}

/* Take one symbol; `left` > 0. */
static enum symbol take_symbol(struct symbol_reader *s)
{
    s->left--;
    if (!(s->chunk & CHUNK_VECTOR))
        return (enum symbol)(s->chunk >> 13 & 3);
    if (s->chunk & CHUNK_TWO_BITS)
        return (enum symbol)(s->chunk >> (s->left * 2) & 3);
    return (enum symbol)(s->chunk >> s->left & 1);
}

/* Take the rest of the chunk, at most `max` symbols. @return how many; *bytes those of their
 * deltas; 0: an empty run, the end, or a reserved symbol */
static size_t sum_chunk(struct symbol_reader *s, size_t max, size_t *bytes)
{
    size_t n = s->left < max ? s->left : max;
    size_t sum = 0;

    /* A run in one step: 65,535 statuses take 20 bytes to send, and must not take long to read. */
    if (!(s->chunk & CHUNK_VECTOR)) {
        enum symbol symbol = take_symbol(&(struct symbol_reader){.chunk = s->chunk, .left = 1});

        *bytes = n * symbol;
        return symbol == RESERVED ? 0 : n;
    }
    for (size_t i = 0; i < n; i++) {
        enum symbol symbol = take_symbol(s);

        if (symbol == RESERVED)
            return 0;
        sum += symbol;
    }
    *bytes = sum;
    return n;
}

/* Go over all symbols. @return a reader over the deltas, bad unless they are all there */
static struct reader find_deltas(struct symbol_reader symbols, size_t count)
{
    size_t delta_bytes = 0;

    while (count > 0) {
        size_t bytes = 0;
        size_t n;

        next_chunk(&symbols);
        n = sum_chunk(&symbols, count, &bytes);
        if (n == 0) {
            symbols.r.failed = true;
            break;
        }
        count -= n;
        delta_bytes += bytes;
    }
    if (reader_left(&symbols.r) < delta_bytes)
        symbols.r.failed = true;
    return symbols.r;
}

static int64_t take_delta(struct reader *deltas, enum symbol symbol)
{
    if (symbol == SMALL_DELTA)
        return reader_u8(deltas);
    return symbol == LARGE_DELTA ? (int16_t)reader_u16(deltas) : 0;
}

int feedback_read(const struct rtcp_packet *p, struct rtcp_feedback *fb, uint8_t *feedback_count,
                  struct feedback_status *out, size_t max)
{
    struct symbol_reader symbols = {.left = 0};
    struct reader *r = &symbols.r;
    struct rtcp_feedback fixed;
    int err = rtcp_open_feedback(p, RTCP_RTPFB, RTPFB_TRANSPORT_CC, &fixed, r);
    uint16_t base = reader_u16(r);
    size_t count = reader_u16(r);
    int64_t time = reader_u24(r) * DELTAS_PER_REFERENCE;
    uint8_t number = reader_u8(r);
    struct reader deltas = find_deltas(symbols, count);

    if (err < 0 || count == 0 || !reader_ok(&deltas))
        return -EBADMSG;
    count = count < max ? count : max;
    for (size_t i = 0; i < count; i++) {
        enum symbol symbol;

        if (symbols.left == 0)
            next_chunk(&symbols);
        symbol = take_symbol(&symbols);
        time += take_delta(&deltas, symbol);
        out[i] = (struct feedback_status){
            .seq = (uint16_t)(base + i),
            .received = symbol != NOT_RECEIVED,
            .arrival_us = symbol != NOT_RECEIVED ? time * DELTA_US : 0,
        };
    }
    *fb = fixed;
    *feedback_count = number;
    return (int)count;
}

int64_t feedback_unwrap_us(int64_t previous_us, int64_t arrival_us)
{
    static const int64_t cycle_us = (REFERENCE_MASK + 1) * 64 * MS;
    int64_t ahead = (arrival_us - previous_us) % cycle_us;

    if (ahead < -cycle_us / 2)
        ahead += cycle_us;
    else if (ahead >= cycle_us / 2)
        ahead -= cycle_us;
    return previous_us + ahead;
}
