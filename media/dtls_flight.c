#include "media/dtls_flight.h"

#include "media/base/clock.h"
#include "media/dtls.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* RFC 6347 section 4.2.4.1 says 1 s and up to 60 s, for the Internet of files; who joins a call
 * does not wait that long. Chrome begins with 50 ms. */
static const int64_t first_interval_us = 100 * MS;
static const int64_t longest_interval_us = 1 * SECOND;

struct copied_datagram {
    size_t len;
    uint8_t data[DTLS_MTU];
};

struct copy {
    struct copied_datagram *datagrams[DTLS_FLIGHT_DATAGRAMS];
    size_t n;
};

struct dtls_flight {
    struct copy copies[DTLS_FLIGHT_COPIES];
    size_t n_copies, next; /* next: to send */
    bool copying;
    int64_t due_us, interval_us;
};

struct dtls_flight *dtls_flight_new(void)
{
    return calloc(1, sizeof(struct dtls_flight));
}

static void clear(struct dtls_flight *f)
{
    for (size_t i = 0; i < f->n_copies; i++) {
        for (size_t j = 0; j < f->copies[i].n; j++)
            free(f->copies[i].datagrams[j]);
        f->copies[i].n = 0;
    }
    f->n_copies = f->next = 0;
    f->copying = false;
}

struct dtls_flight *dtls_flight_free(struct dtls_flight *f)
{
    if (!f)
        return NULL;
    clear(f);
    free(f);
    return NULL;
}

void dtls_flight_begin(struct dtls_flight *f, int64_t now_us)
{
    clear(f);
    f->interval_us = first_interval_us;
    f->due_us = now_us + f->interval_us;
}

bool dtls_flight_next_copy(struct dtls_flight *f)
{
    if (f->n_copies < DTLS_FLIGHT_COPIES)
        f->n_copies++;
    f->copying = true;
    return f->n_copies < DTLS_FLIGHT_COPIES;
}

bool dtls_flight_copying(const struct dtls_flight *f)
{
    return f->copying;
}

void dtls_flight_end_copy(struct dtls_flight *f)
{
    f->copying = false;
}

void dtls_flight_add(struct dtls_flight *f, const uint8_t *data, size_t len)
{
    struct copy *copy = &f->copies[f->n_copies - 1];
    struct copied_datagram *datagram = copy->n > 0 ? copy->datagrams[copy->n - 1] : NULL;

    assert(f->copying);
    if (len > DTLS_MTU)
        return;
    if (!datagram || len > DTLS_MTU - datagram->len) {
        if (copy->n == DTLS_FLIGHT_DATAGRAMS)
            return;
        datagram = malloc(sizeof(*datagram));
        if (!datagram)
            return;
        datagram->len = 0;
        copy->datagrams[copy->n++] = datagram;
    }
    memcpy(datagram->data + datagram->len, data, len);
    datagram->len += len;
}

void dtls_flight_advance(struct dtls_flight *f, int64_t now_us,
                         void (*send)(void *owner, const uint8_t *data, size_t len), void *owner)
{
    const struct copy *copy = &f->copies[f->next];

    if (now_us < dtls_flight_deadline(f))
        return;
    for (size_t i = 0; i < copy->n; i++)
        send(owner, copy->datagrams[i]->data, copy->datagrams[i]->len);
    f->next = (f->next + 1) % f->n_copies;
    f->interval_us *= 2;
    if (f->interval_us > longest_interval_us)
        f->interval_us = longest_interval_us;
    f->due_us = now_us + f->interval_us;
}

int64_t dtls_flight_deadline(const struct dtls_flight *f)
{
    return f->n_copies > 0 ? f->due_us : NEVER_US;
}
