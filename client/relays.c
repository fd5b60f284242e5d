#include "client/relays.h"

#include "client/tls_bridge.h"
#include "signaling/message.h"
#include "signaling/tls.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct relays {
    struct relays_config config;
    struct tls_context *tls; /* NULL: not needed yet */
    struct ice_agent_servers servers;
    struct tls_bridge *bridges[ICE_AGENT_MAX_RELAYS]; /* by relay; NULL: reached as it is */
    char error[TLS_BRIDGE_ERROR_MAX + 1];
};

int relays_new(struct relays **ret, const struct relays_config *config)
{
    struct relays *r = calloc(1, sizeof(*r));

    if (!r)
        return -ENOMEM;
    r->config = *config;
    *ret = r;
    return 0;
}

struct relays *relays_free(struct relays *r)
{
    if (!r)
        return NULL;
    for (size_t i = 0; i < ICE_AGENT_MAX_RELAYS; i++)
        tls_bridge_free(r->bridges[i]);
    tls_free(r->tls);
    free(r);
    return NULL;
}

static int fail(struct relays *r, int err, const char *format, ...) PRINTF_LIKE(3, 4);
/* Remember why. @return `err` */
static int fail(struct relays *r, int err, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(r->error, sizeof(r->error), format, args);
    va_end(args);
    return err;
}

static int open_bridge(struct relays *r, const struct ice_url *url, struct ice_relay *relay)
{
    struct tls_bridge_target target = {
        .host = url->host, .address = relay->address, .port = url->port};
    struct tls_bridge **bridge = &r->bridges[r->servers.n_relays];
    char error[TLS_ERROR_SIZE];
    int err;

    if (!r->tls) {
        err = tls_client_new(&r->tls, r->config.ca_file, r->config.insecure, error);
        if (err < 0)
            return fail(r, err, "%s", error);
    }
    err = tls_bridge_new(bridge, r->config.base, r->tls, &target);
    if (err < 0)
        return fail(r, err, "cannot listen on loopback for %s: %s", url->host,
                    strerrordesc_np(-err));
    relay->tls = true;
    relay->port = tls_bridge_port(*bridge);
    (void)snprintf(relay->address, sizeof(relay->address), "127.0.0.1");
    return 0;
}

static int add_relay(struct relays *r, const struct ice_url *url, const char *user,
                     const char *password)
{
    struct ice_relay relay = {.port = url->port, .tcp = url->kind != ICE_URL_TURN_UDP};
    int err;

    if (r->servers.n_relays == ICE_AGENT_MAX_RELAYS)
        return fail(r, -ENOSPC, "more than %d TURN servers", ICE_AGENT_MAX_RELAYS);
    if (strlen(user) > ICE_AGENT_SECRET_MAX || strlen(password) > ICE_AGENT_SECRET_MAX)
        return fail(r, -E2BIG, "user or password of %s is too long", url->host);
    if (ice_url_resolve(url, relay.address, sizeof(relay.address)) < 0)
        return fail(r, -EHOSTUNREACH, "there is no host %s", url->host);
    (void)snprintf(relay.user, sizeof(relay.user), "%s", user);
    (void)snprintf(relay.password, sizeof(relay.password), "%s", password);
    if (url->kind == ICE_URL_TURN_TLS) {
        err = open_bridge(r, url, &relay);
        if (err < 0)
            return err;
    }
    r->servers.relays[r->servers.n_relays++] = relay;
    return 0;
}

static int add_stun(struct relays *r, const struct ice_url *url)
{
    char address[ICE_ADDRESS_MAX + 1];

    if (r->servers.stun_address[0])
        return fail(r, -ENOSPC, "more than one STUN server");
    if (ice_url_resolve(url, address, sizeof(address)) < 0)
        return fail(r, -EHOSTUNREACH, "there is no host %s", url->host);
    memcpy(r->servers.stun_address, address, sizeof(address));
    r->servers.stun_port = url->port;
    return 0;
}

int relays_add(struct relays *r, const struct ice_url *url, const char *user, const char *password)
{
    return url->kind == ICE_URL_STUN ? add_stun(r, url) : add_relay(r, url, user, password);
}

void relays_add_all(struct relays *r, const struct message_ice_server *servers, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t j = 0; j < servers[i].n_urls; j++) {
            struct ice_url url;
            int err = ice_url_parse(&url, servers[i].urls[j]);

            if (err < 0)
                (void)fail(r, err, "%s is of a kind that we do not know", servers[i].urls[j]);
            else if (relays_add(r, &url, servers[i].username, servers[i].credential) < 0)
                continue; /* relays_error() tells */
        }
    }
}

const struct ice_agent_servers *relays_servers(const struct relays *r)
{
    return &r->servers;
}

const char *relays_error(const struct relays *r)
{
    for (size_t i = 0; i < r->servers.n_relays; i++) {
        if (r->bridges[i] && tls_bridge_error(r->bridges[i])[0])
            return tls_bridge_error(r->bridges[i]);
    }
    return r->error;
}
