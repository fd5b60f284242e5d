#include "sfu/candidates.h"

#include "media/address.h"
#include "sfu/config.h"
#include "sfu/ipv6_flags.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* RFC 8445 section 5.1.2.1; of TCP RFC 6544 section 4.2 wants less than of UDP. */
enum {
    PREFERENCE_HOST = 126,
    PREFERENCE_SRFLX = 100,
    PREFERENCE_HOST_TCP = 90,
    TCP_PASSIVE = 4 << 13, /* the direction's part of a TCP candidate's local preference */
    COMPONENT = 1,
};

/* ------------------------------------------------------------------ advertise */

static bool is_literal(const char *text)
{
    uint8_t address[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

/* @return 0: it is no port */
static uint16_t read_port(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    unsigned long port = digits > 0 && digits < 6 && !text[digits] ? strtoul(text, NULL, 10) : 0;

    return port <= UINT16_MAX ? (uint16_t)port : 0;
}

/* Read "HOST:PORT", "[HOST]:PORT" or "HOST" alone, which is what has more than one colon.
 * @return false: the host is too long, or the port is none */
static bool split(const char *text, char *host, size_t capacity, uint16_t *port)
{
    const char *colon = strrchr(text, ':');
    size_t len = strlen(text);

    *port = 0;
    if (text[0] == '[' && colon && colon[-1] == ']') {
        text++;
        len = (size_t)(colon - text) - 1;
    } else if (text[0] == '[' || !colon || strchr(text, ':') != colon) {
        colon = NULL;
    } else {
        len = (size_t)(colon - text);
    }
    if (len == 0 || len >= capacity)
        return false;
    memcpy(host, text, len);
    host[len] = '\0';
    if (!colon)
        return true;
    *port = read_port(colon + 1);
    return *port > 0;
}

static bool is_stun(const char *text)
{
    return strncmp(text, "stun:", 5) == 0;
}

static bool is_name(const char *text)
{
    if (strspn(text, "0123456789.") == strlen(text))
        return false; /* an address that is none */
    for (; *text; text++) {
        if (!isalnum((unsigned char)*text) && *text != '-' && *text != '.')
            return false;
    }
    return true;
}

static const char *check_stun(const char *text)
{
    char host[CANDIDATES_HOST_MAX + 1];
    uint16_t port;

    if (split(text, host, sizeof(host), &port) && port > 0 && (is_literal(host) || is_name(host)))
        return NULL;
    return "stun:HOST:PORT";
}

const char *candidates_check(const char *text)
{
    struct candidates_address address;

    if (is_stun(text))
        return check_stun(text + 5);
    if (strcmp(text, "local") == 0)
        return NULL;
    if (split(text, address.text, sizeof(address.text), &address.port) && is_literal(address.text))
        return NULL;
    return "an IPv4 or IPv6 address, not a name (clients are told what others see; a name may "
           "change), ADDR:PORT where a NAT maps other ports, local, or stun:HOST:PORT";
}

bool candidates_stun_server(const struct config *config, char host[CANDIDATES_HOST_MAX + 1],
                            uint16_t *port)
{
    for (uint32_t i = 0; i < config->advertise.n; i++) {
        const char *text = config->advertise.text[i];

        if (is_stun(text))
            return split(text + 5, host, CANDIDATES_HOST_MAX + 1, port);
    }
    return false;
}

/* ------------------------------------------------------------------ addresses */

static void add(struct candidates *c, const char *text, uint16_t port)
{
    struct candidates_address *address;

    for (uint32_t i = 0; i < c->n; i++) {
        if (strcmp(c->addresses[i].text, text) == 0 && c->addresses[i].port == port)
            return;
    }
    if (c->n == CANDIDATES_MAX)
        return;
    address = &c->addresses[c->n++];
    (void)snprintf(address->text, sizeof(address->text), "%s", text);
    address->port = port;
}

/* @return its text, or NULL if it is nothing to tell peers */
static const char *usable_address(const struct ifaddrs *interface, const struct ipv6_flags *flags,
                                  char out[INET6_ADDRSTRLEN])
{
    const struct sockaddr *address = interface->ifa_addr;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (!address || !(interface->ifa_flags & IFF_UP))
        return NULL;
    if (address->sa_family == AF_INET) {
        memcpy(&v4, address, sizeof(v4));
        if (ntohl(v4.sin_addr.s_addr) >> 16 == 0xa9fe) /* 169.254.0.0/16 */
            return NULL;
        return inet_ntop(AF_INET, &v4.sin_addr, out, INET6_ADDRSTRLEN);
    }
    if (address->sa_family == AF_INET6) {
        memcpy(&v6, address, sizeof(v6));
        if (IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr) || !ipv6_flags_usable(flags, v6.sin6_addr.s6_addr))
            return NULL;
        return inet_ntop(AF_INET6, &v6.sin6_addr, out, INET6_ADDRSTRLEN);
    }
    return NULL;
}

static void add_interfaces(struct candidates *c, const struct ifaddrs *interfaces,
                           const struct ipv6_flags *flags, bool loopback)
{
    char text[INET6_ADDRSTRLEN];

    for (const struct ifaddrs *i = interfaces; i; i = i->ifa_next) {
        const char *address = usable_address(i, flags, text);

        if (address && !!(i->ifa_flags & IFF_LOOPBACK) == loopback)
            add(c, address, 0);
    }
}

static void add_local(struct candidates *c, const struct config *config)
{
    struct ifaddrs *interfaces = NULL;
    struct ipv6_flags flags;

    if (config->udp_address[0]) {
        add(c, config->udp_address, 0);
        return;
    }
    if (getifaddrs(&interfaces) < 0)
        return;
    ipv6_flags_read(&flags);
    add_interfaces(c, interfaces, &flags, false);
    if (config->advertise.n == 0)
        add_interfaces(c, interfaces, &flags, true);
    freeifaddrs(interfaces);
}

void candidates_gather(struct candidates *ret, const struct config *config)
{
    bool local = config->advertise.n == 0;

    ret->n = 0;
    for (uint32_t i = 0; i < config->advertise.n; i++) {
        const char *text = config->advertise.text[i];
        struct candidates_address address;

        if (is_stun(text) || strcmp(text, "local") == 0)
            local = true;
        else if (split(text, address.text, sizeof(address.text), &address.port))
            add(ret, address.text, address.port);
    }
    if (local)
        add_local(ret, config);
}

/* ------------------------------------------------------------------ of a worker */

/* Append one. @return it, to be given its address */
static struct plan_candidate *append(struct plan_candidate *list, uint32_t *n, uint8_t preference,
                                     uint16_t local_preference, const char *type)
{
    struct plan_candidate *candidate = &list[*n];

    *candidate = (struct plan_candidate){
        .component = COMPONENT,
        .priority = (uint32_t)preference << 24 | (uint32_t)local_preference << 8 |
                    (256 - COMPONENT),
    };
    (void)snprintf(candidate->type, sizeof(candidate->type), "%s", type);
    (void)snprintf(candidate->foundation, sizeof(candidate->foundation), "%u", ++*n);
    return candidate;
}

static void append_udp(const struct candidates *all, const struct candidates_worker *worker,
                       struct plan_candidate *ret, uint32_t *n)
{
    for (uint32_t i = 0; i < all->n; i++) {
        const struct candidates_address *address = &all->addresses[i];
        struct plan_candidate *candidate = append(ret, n, PREFERENCE_HOST,
                                                  (uint16_t)(UINT16_MAX - i), "host");

        (void)snprintf(candidate->address, sizeof(candidate->address), "%s", address->text);
        candidate->port = address->port ? (uint16_t)(address->port + worker->index)
                                        : worker->udp_port;
    }
}

static bool is_known(const struct plan_candidate *list, uint32_t n, const char *address,
                     uint16_t port)
{
    for (uint32_t i = 0; i < n; i++) {
        if (list[i].port == port && strcmp(list[i].address, address) == 0)
            return true;
    }
    return false;
}

/* Without a NAT the server sees what we know already. */
static void append_mapped(const struct candidates_worker *worker, struct plan_candidate *ret,
                          uint32_t *n)
{
    for (uint32_t i = 0; i < worker->n_mapped && *n < PLAN_MAX_CANDIDATES; i++) {
        struct plan_candidate *candidate;
        char text[INET6_ADDRSTRLEN];
        uint16_t port = address_port(&worker->mapped[i]);

        if (!address_host(&worker->mapped[i], text, sizeof(text)) || is_known(ret, *n, text, port))
            continue;
        candidate = append(ret, n, PREFERENCE_SRFLX, (uint16_t)(UINT16_MAX - i), "srflx");
        (void)snprintf(candidate->address, sizeof(candidate->address), "%s", text);
        candidate->port = port;
    }
}

static void append_tcp(const struct candidates *all, const struct candidates_worker *worker,
                       struct plan_candidate *ret, uint32_t *n)
{
    bool as_udp = worker->tcp_port == worker->first_udp_port;

    for (uint32_t i = 0; i < all->n && *n < PLAN_MAX_CANDIDATES; i++) {
        const struct candidates_address *address = &all->addresses[i];
        struct plan_candidate *candidate = append(
            ret, n, PREFERENCE_HOST_TCP, (uint16_t)(TCP_PASSIVE + CANDIDATES_MAX - i), "host");

        (void)snprintf(candidate->address, sizeof(candidate->address), "%s", address->text);
        candidate->port = address->port && as_udp ? address->port : worker->tcp_port;
        candidate->tcp = candidate->tcp_passive = true;
    }
}

uint32_t candidates_of_worker(const struct candidates *all, const struct candidates_worker *worker,
                              struct plan_candidate ret[PLAN_MAX_CANDIDATES])
{
    uint32_t n = 0;

    append_udp(all, worker, ret, &n);
    append_mapped(worker, ret, &n);
    if (worker->tcp_port)
        append_tcp(all, worker, ret, &n);
    return n;
}
