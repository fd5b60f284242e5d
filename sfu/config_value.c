#include "media/seal.h"
#include "sfu/config_keys.h"
#include "signaling/address_prefix.h"
#include "signaling/http_origin.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Texts become values. */

int config_fail(struct config_error *error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(error->message, sizeof(error->message), format, args);
    va_end(args);
    return -EINVAL;
}

/* A decimal number and nothing else. */
static int read_number(uint32_t *ret, const char *text, uint32_t min, uint32_t max)
{
    unsigned long long value;
    char *end;

    if (!isdigit((unsigned char)text[0]))
        return -EINVAL;
    errno = 0;
    value = strtoull(text, &end, 10);
    if (errno || *end || value < min || value > max)
        return -EINVAL;
    *ret = (uint32_t)value;
    return 0;
}

const char *config_check_address(const char *text)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (inet_pton(AF_INET, text, &v4) == 1 || inet_pton(AF_INET6, text, &v6) == 1)
        return NULL;
    return "an IPv4 or IPv6 address, not a name";
}

const char *config_check_web_url(const char *text)
{
    size_t scheme = strncmp(text, "https://", 8) == 0  ? 8
                    : strncmp(text, "http://", 7) == 0 ? 7
                                                       : 0;

    if (scheme > 0 && text[scheme] && !strpbrk(text, " \t\r\n"))
        return NULL;
    return "a URL with https:// or http://";
}

const char *config_check_origin(const char *text)
{
    struct http_origins origins = {0};

    return http_origins_add(&origins, text) == 0 ? NULL
                                                 : "https://HOST[:PORT], http://..., null or *";
}

const char *config_check_prefix(const char *text)
{
    struct address_prefix prefix;

    return address_prefix_parse(&prefix, text) == 0 ? NULL
                                                    : "an address, or a network as 10.0.0.0/8";
}

/* Copy an address [len characters] that must be a literal. */
static int read_address(char ret[CONFIG_ADDRESS_MAX + 1], const char *text, size_t len)
{
    char copy[CONFIG_ADDRESS_MAX + 1];

    if (len > CONFIG_ADDRESS_MAX)
        return -EINVAL;
    memcpy(copy, text, len);
    copy[len] = '\0';
    if (config_check_address(copy))
        return -EINVAL;
    memcpy(ret, copy, len + 1);
    return 0;
}

/* "8080", ":8080", "127.0.0.1:8080", "[::1]:8080" or "localhost:8080". */
static int read_listen(struct config *c, const char *text)
{
    const char *colon = strrchr(text, ':');
    const char *port = colon ? colon + 1 : text;
    const char *host = text;
    size_t len = colon ? (size_t)(colon - text) : 0;
    char address[CONFIG_ADDRESS_MAX + 1] = "::";
    uint32_t number;

    if (read_number(&number, port, 0, 65535) < 0)
        return -EINVAL;
    if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
        host++;
        len -= 2;
    } else if (len && memchr(host, ':', len)) {
        return -EINVAL; /* "::1:80" says too little */
    }
    if (len == strlen("localhost") && strncmp(host, "localhost", len) == 0)
        (void)snprintf(address, sizeof(address), "127.0.0.1");
    else if (len && read_address(address, host, len) < 0)
        return -EINVAL;
    memcpy(c->listen_address, address, sizeof(address));
    c->listen_port = number;
    c->listen_given = true;
    return 0;
}

static int set_number(uint32_t *ret, const struct config_key *key, const char *value,
                      struct config_error *error)
{
    if (read_number(ret, value, key->min, key->max) == 0)
        return 0;
    return config_fail(error, "%s is \"%s\", but must be a number from %u to %u", key->name, value,
                       key->min, key->max);
}

static int set_switch(bool *ret, const struct config_key *key, const char *value,
                      struct config_error *error)
{
    if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
        return config_fail(error, "%s is \"%s\", but must be yes or no", key->name, value);
    *ret = strcmp(value, "yes") == 0;
    return 0;
}

static int set_auto(bool *ret, const struct config_key *key, const char *value,
                    struct config_error *error)
{
    if (strcmp(value, "auto") != 0 && strcmp(value, "off") != 0)
        return config_fail(error, "%s is \"%s\", but must be auto or off", key->name, value);
    *ret = strcmp(value, "auto") == 0;
    return 0;
}

static int set_tcp_port(uint32_t *ret, const struct config_key *key, const char *value,
                        struct config_error *error)
{
    if (strcmp(value, "auto") == 0)
        *ret = CONFIG_TCP_AUTO;
    else if (strcmp(value, "no") == 0)
        *ret = 0;
    else if (read_number(ret, value, 0, UINT16_MAX) < 0)
        return config_fail(error, "%s is \"%s\", but must be auto, no, or a port", key->name,
                           value);
    return 0;
}

static int set_ice(bool *ret, const char *value, struct config_error *error)
{
    if (strcmp(value, "full") != 0 && strcmp(value, "lite") != 0)
        return config_fail(error, "ice is \"%s\", but must be lite or full", value);
    *ret = strcmp(value, "full") == 0;
    return 0;
}

static int set_log_level(uint32_t *ret, const char *value, struct config_error *error)
{
    int level = log_level_parse(value);

    if (level < 0)
        return config_fail(
            error, "log_level is \"%s\", but must be trace, debug, info, warn or error", value);
    *ret = (uint32_t)level;
    return 0;
}

static int set_log_format(uint32_t *ret, const char *value, struct config_error *error)
{
    int format = log_format_parse(value);

    if (format < 0)
        return config_fail(error, "log_format is \"%s\", but must be text or json", value);
    *ret = (uint32_t)format;
    return 0;
}

static int set_seal(uint32_t *ret, const char *value, struct config_error *error)
{
    for (enum seal_backend i = SEAL_AUTO; i <= SEAL_IPSEC_MB; i++) {
        if (strcmp(value, seal_backend_name(i)) == 0) {
            *ret = i;
            return 0;
        }
    }
    return config_fail(error, "seal is \"%s\", but must be %s, %s or %s", value,
                       seal_backend_name(SEAL_AUTO), seal_backend_name(SEAL_IPSEC_MB),
                       seal_backend_name(SEAL_SRTP));
}

static int check_value(const struct config_key *key, const char *value, struct config_error *error)
{
    const char *wanted = key->check ? key->check(value) : NULL;

    if (wanted)
        return config_fail(error, "%s is \"%s\", but must be %s", key->name,
                           key->secret ? "..." : value, wanted);
    return 0;
}

static int set_text(char *ret, const struct config_key *key, const char *value,
                    struct config_error *error)
{
    if (strlen(value) > CONFIG_PATH_MAX)
        return config_fail(error, "%s is longer than %d characters", key->name, CONFIG_PATH_MAX);
    if (*value && check_value(key, value, error) < 0)
        return -EINVAL;
    memcpy(ret, value, strlen(value) + 1);
    return 0;
}

/* One entry, or several with commas. */
static int add_to_list(struct config_list *list, const struct config_key *key, const char *value,
                       struct config_error *error)
{
    for (;;) {
        size_t len = strcspn(value, ",");

        if (list->n == CONFIG_LIST_MAX)
            return config_fail(error, "%s has more than %d entries", key->name, CONFIG_LIST_MAX);
        if (len > CONFIG_ENTRY_MAX)
            return config_fail(error, "an entry of %s is longer than %d characters", key->name,
                               CONFIG_ENTRY_MAX);
        memcpy(list->text[list->n], value, len);
        list->text[list->n][len] = '\0';
        if (check_value(key, list->text[list->n], error) < 0)
            return -EINVAL;
        list->n++;
        if (!value[len])
            return 0;
        value += len + 1;
    }
}

void config_clear_list(struct config *c, const struct config_key *key)
{
    if (key->type == KEY_LIST)
        ((struct config_list *)(void *)((char *)c + key->offset))->n = 0;
}

int config_set(struct config *c, const char *name, const char *value, struct config_error *error)
{
    const struct config_key *key = config_find_key(name);

    if (!key) {
        (void)config_fail(error, "there is no setting \"%s\"; sluice --help lists them", name);
        return -ENOENT;
    }

    void *member = (char *)c + key->offset;

    switch (key->type) {
    case KEY_NUMBER:
        return set_number(member, key, value, error);
    case KEY_SWITCH:
        return set_switch(member, key, value, error);
    case KEY_ICE:
        return set_ice(member, value, error);
    case KEY_AUTO:
        return set_auto(member, key, value, error);
    case KEY_LISTEN:
        if (read_listen(c, value) == 0)
            return 0;
        return config_fail(error,
                           "listen is \"%s\", but must be ADDR:PORT such as 127.0.0.1:8080, "
                           "[::]:8080 or :8080",
                           value);
    case KEY_ADDRESS:
        if (!*value || read_address(member, value, strlen(value)) == 0)
            return 0;
        return config_fail(error, "%s is \"%s\", but must be an IPv4 or IPv6 address", key->name,
                           value);
    case KEY_TEXT:
        return set_text(member, key, value, error);
    case KEY_LIST:
        return add_to_list(member, key, value, error);
    case KEY_LOG_LEVEL:
        return set_log_level(member, value, error);
    case KEY_LOG_FORMAT:
        return set_log_format(member, value, error);
    case KEY_SEAL:
        return set_seal(member, value, error);
    case KEY_TCP_PORT:
        return set_tcp_port(member, key, value, error);
    }
    return -ENOENT;
}
