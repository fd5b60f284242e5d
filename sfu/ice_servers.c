#include "sfu/ice_servers.h"

#include "sfu/config.h"
#include "signaling/turn_credentials.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Copy the characters up to the next blank, and step behind it. @return false: none, or too many */
static bool take_word(const char **at, char *ret, size_t capacity)
{
    size_t len = strcspn(*at, " ");

    if (len == 0 || len >= capacity)
        return false;
    memcpy(ret, *at, len);
    ret[len] = '\0';
    *at += len + ((*at)[len] == ' ');
    return true;
}

int ice_server_parse(struct ice_server *ret, const char *text)
{
    struct ice_server server = {0};
    int err;

    if (!take_word(&text, server.text, sizeof(server.text)))
        return -EINVAL;
    err = ice_url_parse(&server.url, server.text);
    if (err < 0)
        return err;
    if (*text) {
        if (server.url.kind == ICE_URL_STUN ||
            !take_word(&text, server.user, sizeof(server.user)) ||
            !take_word(&text, server.password, sizeof(server.password)) || *text)
            return -EINVAL;
    }
    *ret = server;
    return 0;
}

static bool same_credentials(const struct message_ice_server *a, const struct message_ice_server *b)
{
    return strcmp(a->username, b->username) == 0 && strcmp(a->credential, b->credential) == 0;
}

/* Put the one URL of `server` beside those with the same credentials, or behind all.
 * @return false: there is no place */
static bool add(struct message_ice_server *servers, uint32_t *n,
                const struct message_ice_server *server)
{
    for (uint32_t i = 0; i < *n; i++) {
        if (!same_credentials(&servers[i], server) || servers[i].n_urls == MESSAGE_MAX_ICE_URLS)
            continue;
        memcpy(servers[i].urls[servers[i].n_urls], server->urls[0], sizeof(server->urls[0]));
        servers[i].n_urls++;
        return true;
    }
    if (*n == MESSAGE_MAX_ICE_SERVERS)
        return false;
    servers[(*n)++] = *server;
    return true;
}

/* @return false: an entry that cannot be used */
static bool describe(const struct ice_server *entry, const struct turn_credentials *temporary,
                     struct message_ice_server *ret)
{
    *ret = (struct message_ice_server){.n_urls = 1};
    memcpy(ret->urls[0], entry->text, sizeof(entry->text));
    if (entry->url.kind == ICE_URL_STUN)
        return true;
    if (entry->user[0]) {
        memcpy(ret->username, entry->user, sizeof(entry->user));
        memcpy(ret->credential, entry->password, sizeof(entry->password));
        return true;
    }
    memcpy(ret->username, temporary->username, sizeof(temporary->username));
    memcpy(ret->credential, temporary->credential, sizeof(temporary->credential));
    return temporary->username[0] != '\0';
}

uint32_t ice_servers_fill(const struct config *c, const char *identity, int64_t now_s,
                          struct message_ice_server ret[MESSAGE_MAX_ICE_SERVERS])
{
    struct turn_credentials temporary = {0};
    uint32_t n = 0;

    if (c->ice_servers.n == 0)
        return 0;
    if (c->turn_secret[0] && turn_credentials_make(&temporary, c->turn_secret, identity,
                                                   now_s + (int64_t)c->turn_ttl_s) < 0)
        temporary = (struct turn_credentials){0}; /* those that need it are left out */
    for (uint32_t i = 0; i < c->ice_servers.n; i++) {
        struct message_ice_server server;
        struct ice_server entry;

        if (ice_server_parse(&entry, c->ice_servers.text[i]) == 0 &&
            describe(&entry, &temporary, &server))
            (void)add(ret, &n, &server);
    }
    return n;
}

static int fail(struct config_error *error, const char *entry, const char *what)
{
    /* Not the password behind it: errors end up in logs. */
    (void)snprintf(error->message, sizeof(error->message), "ice_servers: \"%.*s\" %s",
                   (int)strcspn(entry, " "), entry, what);
    return -EINVAL;
}

/* @return what is wrong with an entry by itself; NULL: nothing */
static const char *find_fault(const struct config *c, const char *text, struct ice_server *entry)
{
    int err = ice_server_parse(entry, text);

    if (err == -ENOTSUP)
        return "is stuns: or DTLS, which browsers do not speak either";
    if (err < 0) {
        return "must be stun:HOST[:PORT], turn:HOST[:PORT][?transport=udp|tcp] or "
               "turns:HOST[:PORT], a TURN URL with or without USER PASSWORD behind it";
    }
    if (entry->url.kind != ICE_URL_STUN && !entry->user[0] && !c->turn_secret[0])
        return "needs turn_secret (coturn's static-auth-secret), or USER PASSWORD behind it";
    return NULL;
}

int ice_servers_check(const struct config *c, struct config_error *error)
{
    static const struct turn_credentials any = {.username = "1:x", .credential = "x"};
    struct message_ice_server servers[MESSAGE_MAX_ICE_SERVERS];
    uint32_t n = 0;

    for (uint32_t i = 0; i < c->ice_servers.n; i++) {
        struct message_ice_server server;
        struct ice_server entry;
        const char *fault = find_fault(c, c->ice_servers.text[i], &entry);

        if (!fault && (!describe(&entry, &any, &server) || !add(servers, &n, &server)))
            fault = "is one too many: clients are told of 4 accounts, or of 16 URLs of one";
        if (fault)
            return fail(error, c->ice_servers.text[i], fault);
    }
    return 0;
}
