#include "sfu/config_reload.h"

#include "media/base/log.h"
#include "media/seal.h"
#include "sfu/config_keys.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What sockets, threads and workers were made with. All others are looked at when they are needed,
 * or told by sfu/server_reload.c to whom has a copy. */
static const char *const restart_keys[] = {
    "ice",
    "listen",
    "udp_port",
    "tcp_port",
    "udp_address",
    "workers",
    "seal",
    "pin_workers",
    "open",
    "web_root",
    "tls_cert",
    "tls_key",
    "pad_runs",
    "audio_red",
    "coalesce_ms",
    "max_participants",
    "max_tcp_paths",
    "max_audio_streams",
    "max_tcp_paths_per_address",
};

bool config_needs_restart(const char *key)
{
    for (size_t i = 0; i < ARRAY_LEN(restart_keys); i++) {
        if (strcmp(restart_keys[i], key) == 0)
            return true;
    }
    return false;
}

static const void *member_of(const struct config *c, const struct config_key *key)
{
    return (const char *)c + key->offset;
}

static size_t size_of(const struct config_key *key)
{
    switch (key->type) {
    case KEY_NUMBER:
    case KEY_LOG_LEVEL:
    case KEY_LOG_FORMAT:
    case KEY_SEAL:
    case KEY_TCP_PORT:
        return sizeof(uint32_t);
    case KEY_SWITCH:
    case KEY_AUTO:
    case KEY_ICE:
        return sizeof(bool);
    case KEY_LISTEN:
    case KEY_ADDRESS:
        return CONFIG_ADDRESS_MAX + 1;
    case KEY_TEXT:
        return CONFIG_PATH_MAX + 1;
    case KEY_LIST:
        return sizeof(struct config_list);
    }
    return 0;
}

static bool is_same_list(const struct config_list *a, const struct config_list *b)
{
    if (a->n != b->n)
        return false;
    for (uint32_t i = 0; i < a->n; i++) {
        if (strcmp(a->text[i], b->text[i]) != 0)
            return false;
    }
    return true;
}

static bool is_same(const struct config *a, const struct config *b, const struct config_key *key)
{
    const void *x = member_of(a, key);
    const void *y = member_of(b, key);

    switch (key->type) {
    case KEY_LISTEN:
        return strcmp(a->listen_address, b->listen_address) == 0 &&
               a->listen_port == b->listen_port;
    case KEY_ADDRESS:
    case KEY_TEXT:
        return strcmp(x, y) == 0;
    case KEY_LIST:
        return is_same_list(x, y);
    case KEY_NUMBER:
    case KEY_LOG_LEVEL:
    case KEY_LOG_FORMAT:
    case KEY_SEAL:
    case KEY_TCP_PORT:
    case KEY_SWITCH:
    case KEY_AUTO:
    case KEY_ICE:
        break;
    }
    return memcmp(x, y, size_of(key)) == 0;
}

/* Values as text */

static void write_list(char out[CONFIG_VALUE_MAX + 1], const struct config_list *list)
{
    size_t len = 0;

    for (uint32_t i = 0; i < list->n && len < CONFIG_VALUE_MAX; i++) {
        (void)snprintf(out + len, CONFIG_VALUE_MAX + 1 - len, "%s%s", i > 0 ? "," : "",
                       list->text[i]);
        len = strlen(out);
    }
}

/* Accounts of relays, and URLs with a password in them, are not for logs either. */
static bool is_secret(const struct config_key *key)
{
    return key->secret || strcmp(key->name, "ice_servers") == 0 ||
           strcmp(key->name, "webhooks") == 0;
}

static void write_secret(char out[CONFIG_VALUE_MAX + 1], const struct config_key *key,
                         const void *member)
{
    const struct config_list *list = member;

    if (key->type == KEY_LIST && list->n > 0)
        (void)snprintf(out, CONFIG_VALUE_MAX + 1, "... (%" PRIu32 ")", list->n);
    else if (key->type != KEY_LIST && ((const char *)member)[0])
        (void)snprintf(out, CONFIG_VALUE_MAX + 1, "...");
}

static void write_number(char out[CONFIG_VALUE_MAX + 1], const char *word, uint32_t number)
{
    if (word)
        (void)snprintf(out, CONFIG_VALUE_MAX + 1, "%s", word);
    else
        (void)snprintf(out, CONFIG_VALUE_MAX + 1, "%" PRIu32, number);
}

static const char *tcp_port_name(uint32_t port)
{
    if (port == CONFIG_TCP_AUTO)
        return "auto";
    return port == 0 ? "no" : NULL;
}

static void write_value(char out[CONFIG_VALUE_MAX + 1], const struct config *c,
                        const struct config_key *key)
{
    const void *member = member_of(c, key);
    uint32_t number = 0;
    bool on = false;

    out[0] = '\0';
    if (is_secret(key)) {
        write_secret(out, key, member);
        return;
    }
    if (size_of(key) == sizeof(number))
        memcpy(&number, member, sizeof(number));
    else if (size_of(key) == sizeof(on))
        memcpy(&on, member, sizeof(on));
    switch (key->type) {
    case KEY_NUMBER:
        write_number(out, NULL, number);
        break;
    case KEY_LOG_LEVEL:
        write_number(out, log_level_name((enum log_level)number), number);
        break;
    case KEY_LOG_FORMAT:
        write_number(out, number == LOG_JSON ? "json" : "text", number);
        break;
    case KEY_SEAL:
        write_number(out, seal_backend_name((enum seal_backend)number), number);
        break;
    case KEY_TCP_PORT:
        write_number(out, tcp_port_name(number), number);
        break;
    case KEY_SWITCH:
        write_number(out, on ? "yes" : "no", number);
        break;
    case KEY_AUTO:
        write_number(out, on ? "auto" : "off", number);
        break;
    case KEY_ICE:
        write_number(out, on ? "full" : "lite", number);
        break;
    case KEY_LISTEN:
        (void)snprintf(out, CONFIG_VALUE_MAX + 1, "[%s]:%" PRIu32, c->listen_address,
                       c->listen_port);
        break;
    case KEY_ADDRESS:
    case KEY_TEXT:
        (void)snprintf(out, CONFIG_VALUE_MAX + 1, "%s", (const char *)member);
        break;
    case KEY_LIST:
        write_list(out, member);
        break;
    }
}

void config_compare(const struct config *before, const struct config *after,
                    void (*tell)(void *owner, const struct config_change *change), void *owner)
{
    for (size_t i = 0; i < config_n_keys; i++) {
        const struct config_key *key = &config_keys[i];
        struct config_change change = {.key = key->name,
                                       .restart = config_needs_restart(key->name)};

        if (is_same(before, after, key))
            continue;
        write_value(change.before, before, key);
        write_value(change.after, after, key);
        tell(owner, &change);
    }
}

int config_take(struct config *c, const struct config *next, struct config_error *error)
{
    struct config *mixed = malloc(sizeof(*mixed));
    int err;

    if (!mixed)
        return config_fail(error, "out of memory");
    *mixed = *c;
    for (size_t i = 0; i < config_n_keys; i++) {
        const struct config_key *key = &config_keys[i];

        if (!config_needs_restart(key->name))
            memcpy((char *)mixed + key->offset, member_of(next, key), size_of(key));
    }
    err = config_check(mixed, error);
    if (err == 0)
        *c = *mixed;
    free(mixed);
    return err;
}
