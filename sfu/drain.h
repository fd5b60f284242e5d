/**
 * @file drain.h  Emptying a server: nobody new is let in, who is there may stay until a deadline,
 * and then the server may end. Sans-I/O; embedded by value. Thread: control.
 */
#ifndef SFU_DRAIN_H
#define SFU_DRAIN_H

#include "media/base/attributes.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    DRAIN_RETRY_MS = 5000, /* who is turned away may ask again, or another server */
    DRAIN_URL_MAX = 255,
};

/** Zero-initialised: not draining. */
struct drain {
    bool on;
    bool stop;                            /* the server ends when it is empty */
    bool sent_away;                       /* the deadline is over */
    int64_t deadline_us;                  /* INT64_MAX: none */
    char redirect_url[DRAIN_URL_MAX + 1]; /* where clients are sent; "": nowhere */
};

/** What is to be done now. */
enum drain_step {
    DRAIN_WAIT,
    DRAIN_SEND_AWAY, /* everybody; told once */
    DRAIN_STOP,      /* nobody is left, and the server was to end */
};

/**
 * Begin, or go on with other wishes.
 *
 * @param left_us  until the deadline; < 0: there is none
 * @param url      "" or at most DRAIN_URL_MAX characters; copied
 */
void drain_begin(struct drain *d, int64_t left_us, bool stop, const char *url, int64_t now_us);

/** Let people in again. */
void drain_cancel(struct drain *d);

/** Say what to do; ask about once per second. @param participants  there are now */
MUST_USE enum drain_step drain_advance(struct drain *d, uint32_t participants, int64_t now_us);

/** @return seconds to the deadline, rounded up; -1: there is none */
int64_t drain_left_s(const struct drain *d, int64_t now_us);

#endif
