/**
 * @file client.h  One run of sluice-client: its loop, and what it comes to.
 * Thread: the one that calls client_run(), which takes SIGINT and SIGTERM.
 */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include "client/options.h"
#include "media/base/attributes.h"

enum { CLIENT_REASON_MAX = 511 };

/** How a run ended; also the exit status. */
enum client_result {
    CLIENT_OK,     /* connected, and media flowed as asked */
    CLIENT_FAILED, /* it did not: `reason` says why */
    CLIENT_USAGE,  /* a file cannot be read or written, a host not found: likewise */
};

/** Join, do as asked, leave.
 *  @param reason  one line for people unless CLIENT_OK; room for CLIENT_REASON_MAX + 1 */
MUST_USE enum client_result client_run(const struct options *options, char *reason);

#endif
