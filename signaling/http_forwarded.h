/**
 * @file http_forwarded.h  For whom a reverse proxy asks: X-Forwarded-For. Believed of proxies that
 * are trusted, and of what stands in it no more than these have written. Any thread.
 */
#ifndef SIGNALING_HTTP_FORWARDED_H
#define SIGNALING_HTTP_FORWARDED_H

#include "signaling/address_prefix.h"
#include "signaling/http_request.h"

#include <netinet/in.h>

/**
 * Find the client of a request that came from a trusted proxy: from the right, the first address
 * that is none of them. What stands left of it anybody can have written.
 *
 * @param address  the proxy's; the client's afterwards, or that of the last proxy before something
 *                 that is no address
 */
void http_forwarded_client(const struct http_request *r, const struct address_prefixes *trusted,
                           char address[INET6_ADDRSTRLEN]);

#endif
