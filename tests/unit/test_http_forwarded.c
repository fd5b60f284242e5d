#include "signaling/http_forwarded.h"

#include "tests/tap.h"

#include <stdio.h>

static struct address_prefixes trusted;
static char address[INET6_ADDRSTRLEN];

/* @return the client of a request of the proxy 10.0.0.1 with these fields */
static const char *client(const char *first, const char *second)
{
    struct http_request r = {
        .n_fields = 3,
        .fields = {{"x-forwarded-for", first}, {"Host", "1.1.1.1"}, {"X-Forwarded-For", second}}};

    if (trusted.n == 0) {
        CHECK_EQ(address_prefixes_add(&trusted, "10.0.0.0/8"), 0);
        CHECK_EQ(address_prefixes_add(&trusted, "2001:db8:1::/48"), 0);
    }
    (void)snprintf(address, sizeof(address), "10.0.0.1");
    http_forwarded_client(&r, &trusted, address);
    return address;
}

static void the_last_address_is_the_client(void)
{
    CHECK_STR(client("", "192.0.2.7"), "192.0.2.7");
    CHECK_STR(client("", "2001:DB8:2:0::7"), "2001:db8:2::7");
    CHECK_STR(client("", "::ffff:192.0.2.7"), "192.0.2.7");
    CHECK_STR(client("", ""), "10.0.0.1");
}

static void what_the_client_wrote_is_not_believed(void)
{
    CHECK_STR(client("", "127.0.0.1, 192.0.2.7"), "192.0.2.7");
    CHECK_STR(client("127.0.0.1", "192.0.2.7"), "192.0.2.7");
    CHECK_STR(client("", "10.0.0.9,192.0.2.7"), "192.0.2.7");
}

static void proxies_behind_proxies_are_passed_over(void)
{
    CHECK_STR(client("", "192.0.2.7, 10.0.0.3,\t2001:db8:1::9"), "192.0.2.7");
    CHECK_STR(client("1.1.1.1, 192.0.2.7", "10.0.0.3"), "192.0.2.7");
    CHECK_STR(client("", "10.0.0.3"), "10.0.0.3");
}

static void ports_are_cut_off(void)
{
    CHECK_STR(client("", "192.0.2.7:1234"), "192.0.2.7");
    CHECK_STR(client("", "[2001:db8:2::7]:1234"), "2001:db8:2::7");
    CHECK_STR(client("", "[2001:db8:2::7]"), "2001:db8:2::7");
}

static void what_is_no_address_ends_the_search(void)
{
    static const char *const words[] = {"unknown", "_hidden",     "192.0.2", "192.0.2.7,",
                                        ", ,",     "1.2.3.4.5:6", "[",       "[]",
                                        ":",       "a:b.c",       "::1%eth0"};
    char longer[300];

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        CHECK_STR(client("192.0.2.7", words[i]), "10.0.0.1");
    CHECK_STR(client("", "192.0.2.7, unknown, 10.0.0.3"), "10.0.0.3");
    memset(longer, '1', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    CHECK_STR(client("192.0.2.7", longer), "10.0.0.1");
}

TAP_CASES(CASE(the_last_address_is_the_client), CASE(what_the_client_wrote_is_not_believed),
          CASE(proxies_behind_proxies_are_passed_over), CASE(ports_are_cut_off),
          CASE(what_is_no_address_ends_the_search))
