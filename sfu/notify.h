/**
 * @file notify.h  What the service manager is told (sd_notify(3)): that the server is ready, reads
 * its configuration again, stops, or is alive. Datagrams to the socket that NOTIFY_SOCKET names;
 * without it nothing happens. The protocol is fixed and small, so no library is needed for it.
 * Thread: that of main().
 */
#ifndef SFU_NOTIFY_H
#define SFU_NOTIFY_H

#include "media/base/attributes.h"

#include <stdint.h>

/**
 * Send a state, such as "READY=1" or "STOPPING=1\nSTATUS=...".
 *
 * @param path  what NOTIFY_SOCKET says: a path, or "@name" in the abstract namespace; NULL or "":
 *              nobody wants to know
 * @return 0; -errno: it could not be sent, which is nothing to worry about
 */
int notify_send(const char *path, const char *state);

/** The same, to whom the environment names. */
int notify(const char *state);

/**
 * How often "WATCHDOG=1" is due, from WATCHDOG_USEC and WATCHDOG_PID.
 *
 * @param usec  text of WATCHDOG_USEC; NULL: not set
 * @param pid   text of WATCHDOG_PID, whose watchdog it is; NULL: of any
 * @param self  our own process
 * @return [us] half of the time after which we are taken for dead; 0: nobody looks
 */
int64_t notify_watchdog_us(const char *usec, const char *pid, int64_t self);

#endif
