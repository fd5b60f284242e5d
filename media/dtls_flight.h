/**
 * @file dtls_flight.h  The repeats of one DTLS flight (RFC 6347 section 4.2.4), made in advance and
 * sent when they are due; part of `media/dtls`.
 *
 * OpenSSL times its repeats with the real clock, which our callers' time cannot reach, and sending
 * our datagrams again as they were does not help a peer that has had them: to it they are replays.
 * So dtls.c makes OpenSSL write every flight several times at once, each time with new record
 * numbers, and the copies wait here. Unanswered after the last one, they are sent from the first
 * again, for peers that had none.
 */
#ifndef MEDIA_DTLS_FLIGHT_H
#define MEDIA_DTLS_FLIGHT_H

#include "media/base/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DTLS_FLIGHT_COPIES = 10,   /* OpenSSL gives up at the thirteenth */
    DTLS_FLIGHT_DATAGRAMS = 4, /* of one copy; what does not fit is left out */
};

struct dtls_flight;

/** @return an empty one, or NULL: no memory */
struct dtls_flight *dtls_flight_new(void);
/** NULL is fine. @return NULL */
struct dtls_flight *dtls_flight_free(struct dtls_flight *f);

/** A new flight is being sent: forget the old one's copies, repeat first after 100 ms. */
void dtls_flight_begin(struct dtls_flight *f, int64_t now_us);

/** What is added from now on is the next copy. @return false: it is the last one */
MUST_USE bool dtls_flight_next_copy(struct dtls_flight *f);

/** @return true between dtls_flight_next_copy() and dtls_flight_end_copy() */
bool dtls_flight_copying(const struct dtls_flight *f);
void dtls_flight_end_copy(struct dtls_flight *f);

/** Add records [len bytes, at most DTLS_MTU] to the copy, in a datagram with others if they fit:
 *  OpenSSL repeats every message on its own. Without memory they are left out. */
void dtls_flight_add(struct dtls_flight *f, const uint8_t *data, size_t len);

/** Send the next copy if it is due. */
void dtls_flight_advance(struct dtls_flight *f, int64_t now_us,
                         void (*send)(void *owner, const uint8_t *data, size_t len), void *owner);

/** @return when dtls_flight_advance() has something to send [us], or NEVER_US */
int64_t dtls_flight_deadline(const struct dtls_flight *f);

#endif
