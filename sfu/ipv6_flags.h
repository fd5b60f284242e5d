/**
 * @file ipv6_flags.h  What the kernel thinks of our IPv6 addresses: /proc/net/if_inet6. Parsing is
 * pure. Not tied to a thread.
 */
#ifndef SFU_IPV6_FLAGS_H
#define SFU_IPV6_FLAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { IPV6_FLAGS_MAX = 64 }; /* addresses; of more nothing is known */

struct ipv6_flags {
    size_t n;
    struct ipv6_flags_entry {
        uint8_t address[16];
        uint32_t interface;
        uint8_t flags; /* IFA_F_* of linux/if_addr.h */
    } entries[IPV6_FLAGS_MAX];
};

/** Read the whole of the file's text; lines that are none of its are left out. */
void ipv6_flags_parse(struct ipv6_flags *ret, const char *text);

/** Read the file. Where there is none (a sandbox) nothing is known of any address. */
void ipv6_flags_read(struct ipv6_flags *ret);

/**
 * Is the address worth telling others? Not one that is not confirmed to be ours alone, is
 * deprecated, or changes every day where its interface has a stable one, too. One of which nothing
 * is known is.
 */
bool ipv6_flags_usable(const struct ipv6_flags *f, const uint8_t address[16]);

#endif
