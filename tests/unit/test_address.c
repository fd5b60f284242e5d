#include "media/address.h"

#include "tests/socket_address.h"
#include "tests/tap.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static void address_is_written_as_people_write_it(void)
{
    struct sockaddr_storage v4 = ipv4("192.0.2.7", 5004);
    struct sockaddr_storage v6 = ipv6("2001:db8::1", 65535);
    struct sockaddr_storage none = {0};
    char text[ADDRESS_TEXT_MAX];

    CHECK_STR(address_text(&v4, text), "192.0.2.7:5004");
    CHECK_STR(address_text(&v6, text), "[2001:db8::1]:65535");
    CHECK_STR(address_text(&none, text), "?");
}

static void longest_address_fits_its_text(void)
{
    struct sockaddr_storage v6 = ipv6("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", 65535);
    char text[ADDRESS_TEXT_MAX];

    CHECK_STR(address_text(&v6, text), "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
}

static void addresses_differ_by_host_port_and_family(void)
{
    struct sockaddr_storage a = ipv4("192.0.2.7", 5004);
    struct sockaddr_storage same = ipv4("192.0.2.7", 5004);
    struct sockaddr_storage host = ipv4("192.0.2.8", 5004);
    struct sockaddr_storage port = ipv4("192.0.2.7", 5005);
    struct sockaddr_storage family = ipv6("::ffff:192.0.2.7", 5004);

    CHECK(address_equal(&a, &same));
    CHECK(!address_equal(&a, &host));
    CHECK(!address_equal(&a, &port));
    CHECK(!address_equal(&a, &family));
}

static void ipv6_scope_and_flow_do_not_count(void)
{
    struct sockaddr_storage a = ipv6("fe80::1", 1);
    struct sockaddr_storage b = a;
    struct sockaddr_in6 in6;

    memcpy(&in6, &b, sizeof(in6));
    in6.sin6_scope_id = 3;
    in6.sin6_flowinfo = 7;
    memcpy(&b, &in6, sizeof(in6));
    CHECK(address_equal(&a, &b));
}

static void key_is_zero_behind_its_end(void)
{
    struct sockaddr_storage v4 = ipv4("192.0.2.7", 5004);
    uint8_t key[ADDRESS_KEY_MAX];
    uint8_t zeros[ADDRESS_KEY_MAX] = {0};
    size_t len;

    memset(key, 0xff, sizeof(key));
    len = address_key(&v4, key);
    CHECK(len < sizeof(key));
    CHECK_MEM(key + len, zeros, sizeof(key) - len);
    v4.ss_family = AF_UNIX;
    CHECK_EQ(address_key(&v4, key), 1);
    CHECK_MEM(key, zeros, sizeof(key));
}

static void length_is_the_one_of_the_family(void)
{
    struct sockaddr_storage v4 = ipv4("192.0.2.7", 5004);
    struct sockaddr_storage v6 = ipv6("2001:db8::1", 65535);

    CHECK_EQ(address_len(&v4), sizeof(struct sockaddr_in));
    CHECK_EQ(address_len(&v6), sizeof(struct sockaddr_in6));
}

static void mapped_addresses_become_plain(void)
{
    struct sockaddr_storage v4 = ipv4("192.0.2.7", 5004);
    struct sockaddr_storage mapped = ipv6("::ffff:192.0.2.7", 5004);
    struct sockaddr_storage v6 = ipv6("2001:db8::ffff:192.0.2.7", 5004);
    struct sockaddr_storage same = v6;

    address_unmap(&mapped);
    CHECK_MEM(&mapped, &v4, sizeof(v4));
    address_unmap(&mapped);
    CHECK_MEM(&mapped, &v4, sizeof(v4));
    address_unmap(&same);
    CHECK_MEM(&same, &v6, sizeof(v6));
}

TAP_CASES(CASE(address_is_written_as_people_write_it), CASE(longest_address_fits_its_text),
          CASE(addresses_differ_by_host_port_and_family), CASE(ipv6_scope_and_flow_do_not_count),
          CASE(key_is_zero_behind_its_end), CASE(length_is_the_one_of_the_family),
          CASE(mapped_addresses_become_plain))
