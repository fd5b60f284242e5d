#include "sfu/doctor.h"

#include "media/address.h"
#include "sfu/candidates.h"
#include "sfu/config.h"
#include "sfu/doctor_wire.h"
#include "sfu/ice_servers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>

/* Where clients are told to send media, and whether they can. */

enum {
    TRIES = 5,
    TRY_MS = 500,
};

static bool is_private_v4(uint32_t address)
{
    static const struct {
        uint32_t net, mask;
    } nets[] = {
        {0x0a000000, 0xff000000}, {0xac100000, 0xfff00000}, {0xc0a80000, 0xffff0000},
        {0x64400000, 0xffc00000}, {0xa9fe0000, 0xffff0000}, {0x7f000000, 0xff000000},
    };

    for (size_t i = 0; i < ARRAY_LEN(nets); i++) {
        if ((address & nets[i].mask) == nets[i].net)
            return true;
    }
    return false;
}

/* Of networks that are not the internet: RFC 1918, RFC 6598, RFC 4193, link-local, loopback. */
static bool is_private(const struct sockaddr_storage *address)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;

    if (address->ss_family == AF_INET)
        return is_private_v4(ntohl(v4->sin_addr.s_addr));
    return (v6->sin6_addr.s6_addr[0] & 0xfe) == 0xfc || IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr) ||
           IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

static bool same_host(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
    if (a->ss_family != b->ss_family)
        return false;
    if (a->ss_family == AF_INET)
        return ((const struct sockaddr_in *)a)->sin_addr.s_addr ==
               ((const struct sockaddr_in *)b)->sin_addr.s_addr;
    return memcmp(&((const struct sockaddr_in6 *)a)->sin6_addr,
                  &((const struct sockaddr_in6 *)b)->sin6_addr, sizeof(struct in6_addr)) == 0;
}

static bool read_host(struct sockaddr_storage *ret, const char *text)
{
    *ret = (struct sockaddr_storage){0};
    if (inet_pton(AF_INET, text, &((struct sockaddr_in *)ret)->sin_addr) == 1)
        ret->ss_family = AF_INET;
    else if (inet_pton(AF_INET6, text, &((struct sockaddr_in6 *)ret)->sin6_addr) == 1)
        ret->ss_family = AF_INET6;
    return ret->ss_family != 0;
}

/* The address alone. */
static const char *host_text(const struct sockaddr_storage *address, char out[INET6_ADDRSTRLEN])
{
    const void *bytes = address->ss_family == AF_INET
                            ? (const void *)&((const struct sockaddr_in *)address)->sin_addr
                            : (const void *)&((const struct sockaddr_in6 *)address)->sin6_addr;

    return inet_ntop(address->ss_family, bytes, out, INET6_ADDRSTRLEN) ? out : "?";
}

/* Addresses to advertise, or of the interfaces. @return how many */
static uint32_t list(const struct config *c, bool advertised,
                     struct sockaddr_storage ret[CANDIDATES_MAX])
{
    static struct config copy; /* large */
    struct candidates all = {0};
    uint32_t n = 0;

    copy = *c;
    if (!advertised)
        copy.advertise.n = 0;
    candidates_gather(&all, &copy);
    for (uint32_t i = 0; i < all.n; i++) {
        if (!read_host(&ret[n], all.addresses[i].text))
            continue;
        if (strncmp(all.addresses[i].text, "127.", 4) != 0 &&
            strcmp(all.addresses[i].text, "::1") != 0)
            n++;
    }
    return n;
}

static bool is_among(const struct sockaddr_storage *wanted, const struct sockaddr_storage *all,
                     uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (same_host(wanted, &all[i]))
            return true;
    }
    return false;
}

static bool has_public(const struct sockaddr_storage *all, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (!is_private(&all[i]))
            return true;
    }
    return false;
}

static void judge_known(struct doctor *d, const struct sockaddr_storage *seen, bool told)
{
    char text[INET6_ADDRSTRLEN];
    char remedy[160];

    (void)host_text(seen, text);
    if (told) {
        doctor_say(d, DOCTOR_OK, "address", NULL,
                   "%s is what clients are told, and what the world sees", text);
        return;
    }
    (void)snprintf(remedy, sizeof(remedy),
                   "set advertise: [\"%s\"] and let the NAT forward the UDP ports from %" PRIu32
                   " on, with the same numbers",
                   text, d->config->udp_port);
    if (d->config->advertise.n > 0) {
        doctor_say(d, DOCTOR_FAIL, "address", remedy,
                   "clients are told %s, but the world sees this machine as %s",
                   d->config->advertise.text[0], text);
    } else {
        doctor_say(d, DOCTOR_FAIL, "address", remedy,
                   "behind a NAT: the world sees %s, and clients are told other addresses", text);
    }
}

static void judge_unknown(struct doctor *d, const struct sockaddr_storage *ours, uint32_t n)
{
    if (d->config->advertise.n > 0) {
        doctor_say(d, DOCTOR_OK, "address", NULL,
                   "clients are told %s; no STUN server is set that could say if that is right",
                   d->config->advertise.text[0]);
    } else if (n == 0) {
        doctor_say(d, DOCTOR_FAIL, "address", "connect it to a network, or set advertise",
                   "this machine has no address but loopback");
    } else if (has_public(ours, n)) {
        doctor_say(d, DOCTOR_OK, "address", NULL, "this machine has a public address of its own");
    } else {
        doctor_say(d, DOCTOR_WARN, "address",
                   "if others are to come from elsewhere: advertise: [PUBLIC ADDRESS]; a stun: or "
                   "turn: entry in ice_servers lets the doctor find it",
                   "this machine has only private addresses: clients of other networks cannot "
                   "reach them");
    }
}

void doctor_judge_addresses(struct doctor *d, const struct sockaddr_storage *public_address,
                            const struct sockaddr_storage *ours, uint32_t n)
{
    struct sockaddr_storage told[CANDIDATES_MAX];
    char host[CANDIDATES_HOST_MAX + 1];
    uint16_t port;

    if (candidates_stun_server(d->config, host, &port)) {
        doctor_say(d, DOCTOR_OK, "address", NULL, "asked of %s port %u while the server runs", host,
                   (unsigned)port);
        return;
    }
    if (public_address->ss_family == 0 || is_private(public_address)) {
        judge_unknown(d, ours, n); /* a STUN server beside us says nothing of the world */
        return;
    }
    if (d->config->advertise.n == 0)
        judge_known(d, public_address, is_among(public_address, ours, n));
    else
        judge_known(d, public_address, is_among(public_address, told, list(d->config, true, told)));
}

/* STUN */

static int ask(struct doctor_wire *wire, struct turn_client *client, struct sockaddr_storage *ret)
{
    uint8_t request[TURN_MESSAGE_MAX];
    uint8_t answer[TURN_MESSAGE_MAX];
    size_t len = turn_client_bind(client, request);
    struct turn_news news;

    for (int i = 0; i < TRIES && len > 0; i++) {
        int got;

        if (doctor_wire_send(wire, request, len) < 0)
            continue;
        got = doctor_wire_receive(wire, answer, TRY_MS);
        if (got > 0 && turn_client_receive(client, answer, (size_t)got, &news) == TURN_BOUND) {
            *ret = news.mapped;
            return 0;
        }
    }
    return -ETIMEDOUT;
}

/* The first entry that can be asked by UDP: relays answer, too. */
static bool find_stun(const struct config *c, struct ice_url *ret)
{
    for (uint32_t i = 0; i < c->ice_servers.n; i++) {
        struct ice_server server;

        if (ice_server_parse(&server, c->ice_servers.text[i]) < 0 ||
            (server.url.kind != ICE_URL_STUN && server.url.kind != ICE_URL_TURN_UDP))
            continue;
        *ret = server.url;
        return true;
    }
    return false;
}

int doctor_ask_stun(struct doctor *d, struct sockaddr_storage *ret)
{
    struct doctor_trust trust = {.ca_file = d->ca_file, .insecure = d->insecure};
    char error[DOCTOR_WIRE_ERROR_MAX + 1];
    struct turn_client *client = NULL;
    struct doctor_wire *wire = NULL;
    struct ice_url url;
    char address[64];
    int err;

    if (!find_stun(d->config, &url))
        return -ENOENT;
    err = ice_url_resolve(&url, address, sizeof(address));
    if (err == 0)
        err = doctor_wire_open(&wire, &url, address, &trust, error);
    if (err == 0)
        err = turn_client_new(&client, "", "");
    if (err == 0)
        err = ask(wire, client, ret);
    turn_client_free(client);
    doctor_wire_free(wire);
    return err;
}

void doctor_check_addresses(struct doctor *d)
{
    struct sockaddr_storage ours[CANDIDATES_MAX];
    struct sockaddr_storage seen = {0};
    int err = doctor_ask_stun(d, &seen);

    if (err < 0 && err != -ENOENT) {
        doctor_say(d, DOCTOR_WARN, "STUN", "does its host exist, and is UDP to it let through?",
                   "the first STUN or TURN server of ice_servers does not answer: %s",
                   strerrordesc_np(-err));
    }
    doctor_judge_addresses(d, &seen, ours, list(d->config, false, ours));
}
