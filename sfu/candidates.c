#include "sfu/candidates.h"

#include "sfu/config.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct gathering {
    struct plan_candidate *candidates;
    uint32_t count;
    uint16_t port;
};

static void add(struct gathering *g, const char *address)
{
    struct plan_candidate *candidate;

    for (uint32_t i = 0; i < g->count; i++) {
        if (strcmp(g->candidates[i].address, address) == 0)
            return;
    }
    if (g->count == PLAN_MAX_CANDIDATES)
        return;
    candidate = &g->candidates[g->count];
    *candidate = (struct plan_candidate){
        .port = g->port,
        .component = 1,
        .type = "host",
        /* RFC 8445 section 5.1.2.1: host is 126, then our order, then the component */
        .priority = UINT32_C(126) << 24 | (UINT32_C(65535) - g->count) << 8 | 255,
    };
    (void)snprintf(candidate->address, sizeof(candidate->address), "%s", address);
    (void)snprintf(candidate->foundation, sizeof(candidate->foundation), "%u", g->count + 1);
    g->count++;
}

/* @return its text, or NULL if it is nothing to tell peers */
static const char *usable_address(const struct ifaddrs *interface, char out[INET6_ADDRSTRLEN])
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
        if (IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr))
            return NULL;
        return inet_ntop(AF_INET6, &v6.sin6_addr, out, INET6_ADDRSTRLEN);
    }
    return NULL;
}

static void add_interfaces(struct gathering *g, const struct ifaddrs *interfaces, bool loopback)
{
    char text[INET6_ADDRSTRLEN];

    for (const struct ifaddrs *i = interfaces; i; i = i->ifa_next) {
        const char *address = usable_address(i, text);

        if (address && !!(i->ifa_flags & IFF_LOOPBACK) == loopback)
            add(g, address);
    }
}

uint32_t candidates_gather(const struct config *config, uint16_t port,
                           struct plan_candidate ret[PLAN_MAX_CANDIDATES])
{
    struct gathering g = {.candidates = ret, .port = port};
    struct ifaddrs *interfaces = NULL;

    for (uint32_t i = 0; i < config->advertise.n; i++)
        add(&g, config->advertise.text[i]);
    if (!g.count && config->udp_address[0])
        add(&g, config->udp_address);
    if (g.count || getifaddrs(&interfaces) < 0)
        return g.count;
    add_interfaces(&g, interfaces, false);
    add_interfaces(&g, interfaces, true);
    freeifaddrs(interfaces);
    return g.count;
}
