#include "sfu/ipv6_flags.h"

#include "tests/tap.h"

#include <arpa/inet.h>

static struct ipv6_flags flags;

static bool usable(const char *text)
{
    uint8_t address[16];

    CHECK_EQ(inet_pton(AF_INET6, text, address), 1);
    return ipv6_flags_usable(&flags, address);
}

static void addresses_that_last_are_told(void)
{
    ipv6_flags_parse(&flags, "00000000000000000000000000000001 01 80 10 80       lo\n"
                             "fe800000000000000000000000000001 02 40 20 80     eth0\n"
                             "20010db8000000000000000000000001 02 40 00 80     eth0\n"
                             "20010db8000000000000000000000002 02 40 00 01     eth0\n"
                             "20010db8000000000000000000000003 02 40 00 20     eth0\n"
                             "20010db8000000000000000000000004 02 40 00 40     eth0\n"
                             "20010db8000000000000000000000005 02 40 00 08     eth0\n"
                             "20010db8000000000000000000000006 03 40 00 01     eth1\n"
                             "20010db8000000000000000000000007 03 40 00 21     eth1\n");
    CHECK_EQ(flags.n, 7);
    CHECK(usable("2001:db8::1"));
    CHECK(!usable("2001:db8::2")); /* temporary, and there is a stable one */
    CHECK(!usable("2001:db8::3")); /* deprecated */
    CHECK(!usable("2001:db8::4")); /* tentative */
    CHECK(!usable("2001:db8::5")); /* a duplicate */
    CHECK(usable("2001:db8::6"));  /* temporary, and all there is */
    CHECK(!usable("2001:db8::7"));
    CHECK(usable("2001:db8::8")); /* nothing is known of it */
}

static void what_is_no_line_is_left_out(void)
{
    ipv6_flags_parse(&flags, "");
    CHECK_EQ(flags.n, 0);
    ipv6_flags_parse(&flags, "20010db800000000000000000000000 02 40 00 80 eth0\n"
                             "20010db800000000000000000000000g 02 40 00 80 eth0\n"
                             "20010db8000000000000000000000001 02 40\n\n"
                             "20010db8000000000000000000000001 02 40 00 20");
    CHECK_EQ(flags.n, 1);
    CHECK(!usable("2001:db8::1"));
}

static void there_may_be_many(void)
{
    static char text[IPV6_FLAGS_MAX * 2 * 80];
    size_t len = 0;

    for (int i = 0; i < IPV6_FLAGS_MAX * 2; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len,
                                "20010db80000000000000000000000%02x 02 40 00 20 eth0\n", i);
    ipv6_flags_parse(&flags, text);
    CHECK_EQ(flags.n, IPV6_FLAGS_MAX);
    ipv6_flags_read(&flags);
    CHECK(flags.n <= IPV6_FLAGS_MAX);
}

TAP_CASES(CASE(addresses_that_last_are_told), CASE(what_is_no_line_is_left_out),
          CASE(there_may_be_many))
