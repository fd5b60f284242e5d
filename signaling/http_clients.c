#include "signaling/http_clients.h"

#include "signaling/rate_limiter.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    KEY_LEN = 9,           /* family, and 32 or 64 bits */
    MAX_ADDRESSES = 65536, /* whose openings are counted */
    BURST_S = 10,          /* seconds' worth of openings that may come at once, after a pause */
};

struct http_client {
    uint32_t n;
    uint8_t key[KEY_LEN];
};

void http_clients_init(struct http_clients *c)
{
    *c = (struct http_clients){0};
    map_init(&c->by_address);
}

void http_clients_done(struct http_clients *c)
{
    assert(c->n == 0);
    map_done(&c->by_address);
    c->openings = rate_limiter_free(c->openings);
}

int http_clients_limit_openings(struct http_clients *c, uint32_t per_s)
{
    if (c->openings) {
        rate_limiter_set(c->openings, per_s, per_s * BURST_S);
        return 0;
    }
    return per_s ? rate_limiter_new(&c->openings, MAX_ADDRESSES, per_s, per_s * BURST_S) : 0;
}

static void set_v4(uint8_t key[KEY_LEN], const void *address)
{
    key[0] = 4;
    memcpy(key + 1, address, 4);
}

/* @return true for a loopback address */
static bool make_key(uint8_t key[KEY_LEN], const struct sockaddr *address)
{
    struct sockaddr_in6 v6;
    struct sockaddr_in v4;

    memset(key, 0, KEY_LEN);
    if (address->sa_family == AF_INET) {
        memcpy(&v4, address, sizeof(v4));
        set_v4(key, &v4.sin_addr);
    } else if (address->sa_family == AF_INET6) {
        memcpy(&v6, address, sizeof(v6));
        if (IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr))
            return true;
        if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
            set_v4(key, &v6.sin6_addr.s6_addr[12]);
        } else {
            key[0] = 6;
            memcpy(key + 1, &v6.sin6_addr, KEY_LEN - 1);
        }
    }
    return key[0] == 4 && key[1] == 127;
}

/* @return ms to wait; 0: it may open another one now */
static uint32_t count_opening(struct http_clients *c, const uint8_t key[KEY_LEN], int64_t now_us)
{
    char text[2 * KEY_LEN + 1];

    if (!c->openings)
        return 0;
    for (size_t i = 0; i < KEY_LEN; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", key[i]);
    return rate_limiter_take(c->openings, text, 1, now_us);
}

struct http_client *http_clients_enter(struct http_clients *c, const struct sockaddr *address,
                                       int64_t now_us, uint32_t *wait_ms)
{
    uint8_t key[KEY_LEN];
    bool limited = (!make_key(key, address) || c->limit_loopback) &&
                   !address_prefixes_have(&c->exempt, address);
    struct http_client *client = map_get(&c->by_address, key, KEY_LEN);

    *wait_ms = limited ? count_opening(c, key, now_us) : 0;
    if (*wait_ms > 0 || c->n >= c->max || (client && limited && client->n >= c->max_per_address))
        return NULL;
    if (!client) {
        client = calloc(1, sizeof(*client));
        if (!client)
            return NULL;
        memcpy(client->key, key, KEY_LEN);
        if (map_put(&c->by_address, key, KEY_LEN, client) < 0) {
            free(client);
            return NULL;
        }
    }
    client->n++;
    c->n++;
    return client;
}

void http_clients_leave(struct http_clients *c, struct http_client *client)
{
    assert(client->n > 0 && c->n > 0);
    c->n--;
    if (--client->n > 0)
        return;
    (void)map_remove(&c->by_address, client->key, KEY_LEN);
    free(client);
}
