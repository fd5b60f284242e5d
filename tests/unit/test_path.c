#include "media/path.h"

#include "media/address.h"
#include "media/udp_socket.h"
#include "tests/socket_address.h"
#include "tests/tap.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static struct sockaddr_storage path(enum path_kind kind, uint32_t number,
                                    const struct sockaddr_storage *peer)
{
    struct sockaddr_storage address;

    path_address(&address, kind, number, peer);
    return address;
}

static void a_path_is_another_address_than_its_peers(void)
{
    struct sockaddr_storage peer = ipv4("192.0.2.7", 5004);
    struct sockaddr_storage other = ipv4("192.0.2.8", 5004);
    struct sockaddr_storage a = path(PATH_TCP, 1, &peer);
    struct sockaddr_storage same = path(PATH_TCP, 1, &peer);
    struct sockaddr_storage later = path(PATH_TCP, 2, &peer);
    struct sockaddr_storage agent = path(PATH_AGENT, 1, &peer);
    struct sockaddr_storage moved = path(PATH_TCP, 1, &other);

    CHECK(!path_is(&peer) && path_is(&a) && path_is(&agent));
    CHECK(address_equal(&a, &same) && address_identical(&a, &same));
    CHECK(!address_equal(&a, &peer) && !address_identical(&a, &peer));
    CHECK(!address_equal(&a, &later) && !address_identical(&a, &later));
    CHECK(!address_equal(&a, &agent) && !address_identical(&a, &agent));
    CHECK(address_equal(&a, &moved)); /* its number says which one it is */
    CHECK_EQ(path_kind(&agent), PATH_AGENT);
    CHECK_EQ(path_number(&later), 2);
}

static void a_path_keeps_the_address_of_its_peer(void)
{
    struct sockaddr_storage v4 = ipv4("192.0.2.7", 5004);
    struct sockaddr_storage v6 = ipv6("2001:db8::7", 5006);
    struct sockaddr_storage a = path(PATH_TCP, 7, &v4);
    struct sockaddr_storage b = path(PATH_AGENT, 8, &v6);
    struct sockaddr_storage peer;
    char text[ADDRESS_TEXT_MAX];

    CHECK(address_equal(path_peer(&a, &peer), &v4));
    CHECK(address_equal(path_peer(&b, &peer), &v6));
    CHECK(address_equal(path_peer(&v6, &peer), &v6));
    CHECK_STR(address_text(&a, text), "tcp 192.0.2.7:5004");
    CHECK_STR(address_text(&b, text), "agent [2001:db8::7]:5006");
}

static void runs_end_where_the_way_changes(void)
{
    struct sockaddr_storage v4 = ipv4("192.0.2.7", 5004);
    struct sockaddr_storage v6 = ipv6("2001:db8::7", 5006);
    struct sockaddr_storage a = path(PATH_TCP, 1, &v4);
    struct sockaddr_storage again = a;
    struct sockaddr_storage b = path(PATH_TCP, 2, &v4);
    struct datagram datagrams[] = {{.to = &v4},    {.to = &v6}, {.to = &a}, {.to = &a},
                                   {.to = &again}, {.to = &b},  {.to = &v4}};

    CHECK_EQ(path_run(datagrams, 7), 2);
    CHECK_EQ(path_run(datagrams + 2, 5), 3);
    CHECK_EQ(path_run(datagrams + 2, 2), 2);
    CHECK_EQ(path_run(datagrams + 5, 2), 1);
    CHECK_EQ(path_run(datagrams + 6, 1), 1);
}

TAP_CASES(CASE(a_path_is_another_address_than_its_peers),
          CASE(a_path_keeps_the_address_of_its_peer), CASE(runs_end_where_the_way_changes))
