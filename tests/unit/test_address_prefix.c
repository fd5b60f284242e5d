#include "signaling/address_prefix.h"

#include "tests/tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* @return whether the list has the address */
static bool have(const struct address_prefixes *p, const char *text)
{
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct sockaddr_in v4 = {.sin_family = AF_INET};

    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        return address_prefixes_have(p, (const struct sockaddr *)&v4);
    CHECK_EQ(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
    return address_prefixes_have(p, (const struct sockaddr *)&v6);
}

static void an_empty_list_has_nobody(void)
{
    struct address_prefixes p = {0};

    CHECK(!have(&p, "0.0.0.0"));
    CHECK(!have(&p, "::"));
}

static void an_address_has_itself_only(void)
{
    struct address_prefixes p = {0};

    CHECK_EQ(address_prefixes_add(&p, "192.0.2.7"), 0);
    CHECK_EQ(address_prefixes_add(&p, "2001:db8::1"), 0);
    CHECK(have(&p, "192.0.2.7"));
    CHECK(have(&p, "::ffff:192.0.2.7"));
    CHECK(!have(&p, "192.0.2.6"));
    CHECK(have(&p, "2001:db8::1"));
    CHECK(!have(&p, "2001:db8::2"));
}

static void a_network_has_its_addresses(void)
{
    struct address_prefixes p = {0};

    CHECK_EQ(address_prefixes_add(&p, "10.1.0.0/15"), 0);
    CHECK_EQ(address_prefixes_add(&p, "2001:db8:8000::/33"), 0);
    CHECK(have(&p, "10.0.255.255"));
    CHECK(have(&p, "10.1.2.3"));
    CHECK(!have(&p, "10.2.0.0"));
    CHECK(have(&p, "2001:db8:ffff::1"));
    CHECK(!have(&p, "2001:db8:7fff::1"));
}

static void a_network_of_all_ipv4_has_no_ipv6(void)
{
    struct address_prefixes p = {0};

    CHECK_EQ(address_prefixes_add(&p, "0.0.0.0/0"), 0);
    CHECK(have(&p, "1.2.3.4"));
    CHECK(!have(&p, "2001:db8::1"));
    CHECK_EQ(address_prefixes_add(&p, "::/0"), 0);
    CHECK(have(&p, "2001:db8::1"));
}

static void other_texts_are_refused(void)
{
    static const char *const texts[] = {"",          "localhost",   "10.0.0.0/33", "10.0.0.0/",
                                        "10.0/8",    "10.0.0.0/-1", "::/129",      "10.0.0.0/8 ",
                                        "1.2.3.4:5", "[::1]",       "/8",          "::1/0001"};
    struct address_prefix p;

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        CHECK_EQ(address_prefix_parse(&p, texts[i]), -EINVAL);
}

static void a_list_has_an_end(void)
{
    struct address_prefixes p = {0};

    for (uint32_t i = 0; i < ADDRESS_PREFIX_MAX; i++)
        CHECK_EQ(address_prefixes_add(&p, "10.0.0.0/8"), 0);
    CHECK_EQ(address_prefixes_add(&p, "10.0.0.0/8"), -ENOSPC);
}

static void who_has_no_such_address_is_in_no_list(void)
{
    struct sockaddr local = {.sa_family = AF_UNIX};
    struct address_prefixes p = {0};

    CHECK_EQ(address_prefixes_add(&p, "::/0"), 0);
    CHECK(!address_prefixes_have(&p, &local));
}

TAP_CASES(CASE(an_empty_list_has_nobody), CASE(an_address_has_itself_only),
          CASE(a_network_has_its_addresses), CASE(a_network_of_all_ipv4_has_no_ipv6),
          CASE(other_texts_are_refused), CASE(a_list_has_an_end),
          CASE(who_has_no_such_address_is_in_no_list))
