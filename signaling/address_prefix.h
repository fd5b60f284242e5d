/**
 * @file address_prefix.h  Lists of addresses and networks ("10.0.0.0/8", "2001:db8::1"): whom we
 * believe what they say of others. Plain values; any thread.
 */
#ifndef SIGNALING_ADDRESS_PREFIX_H
#define SIGNALING_ADDRESS_PREFIX_H

#include "media/base/attributes.h"

#include <stdbool.h>
#include <stdint.h>

struct sockaddr;

enum { ADDRESS_PREFIX_MAX = 16 };

/** One of them; IPv4 as IPv4-mapped IPv6. */
struct address_prefix {
    uint8_t bytes[16];
    uint8_t bits; /* 0 to 128 */
};

struct address_prefixes {
    uint32_t n;
    struct address_prefix list[ADDRESS_PREFIX_MAX];
};

/** @return 0; -EINVAL: `text` is neither an address nor ADDRESS/BITS */
MUST_USE int address_prefix_parse(struct address_prefix *ret, const char *text);

/** Add one. @return 0; -EINVAL: see address_prefix_parse(); -ENOSPC */
MUST_USE int address_prefixes_add(struct address_prefixes *p, const char *text);

/** @return true if the address is in one of them; false for what is neither IPv4 nor IPv6 */
bool address_prefixes_have(const struct address_prefixes *p, const struct sockaddr *address);

#endif
