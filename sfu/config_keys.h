/**
 * @file config_keys.h  The table of settings, and what config*.c share; nobody else includes it.
 *
 * A key is one row of the table in config_keys.c: its name, type, range, default and help. File,
 * environment and flags all give a value as text to config_set(). Thread: any, no shared state.
 */
#ifndef SFU_CONFIG_KEYS_H
#define SFU_CONFIG_KEYS_H

#include "media/base/attributes.h"
#include "sfu/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum config_key_type {
    KEY_NUMBER, /* uint32_t, min to max */
    KEY_SWITCH, /* bool: yes or no */
    KEY_AUTO,   /* bool: auto or off */
    KEY_ICE,    /* bool: full or lite */
    KEY_LISTEN,
    KEY_ADDRESS,    /* char[CONFIG_ADDRESS_MAX + 1] */
    KEY_TEXT,       /* char[CONFIG_PATH_MAX + 1] */
    KEY_LIST,       /* struct config_list; each entry goes through `check`, if there is one */
    KEY_LOG_LEVEL,  /* uint32_t */
    KEY_LOG_FORMAT, /* uint32_t */
    KEY_SEAL,       /* uint32_t */
    KEY_TCP_PORT,   /* uint32_t: a port, CONFIG_TCP_AUTO, or 0 for "no" */
};

struct config_key {
    const char *name;
    enum config_key_type type;
    uint32_t min, max;    /* NUMBER: allowed range */
    bool secret;          /* not for logs */
    size_t offset;        /* of the member in struct config */
    const char *preset;   /* as text; NULL: empty */
    const char *argument; /* what the help calls the value */
    const char *help;
    const char *(*check)(const char *text); /* LIST, TEXT: see config_check_address() */
};

/** The keys, in the order of the help. */
enum { CONFIG_MAX_KEYS = 128 };
extern const struct config_key config_keys[];
extern const size_t config_n_keys; /* at most CONFIG_MAX_KEYS */

/** @return the key of that name ("max_rooms"), or NULL */
const struct config_key *config_find_key(const char *name);

/** Empty a key of type LIST: what comes replaces what was there. Others are left alone. */
void config_clear_list(struct config *c, const struct config_key *key);

/** Write `error`. @return -EINVAL */
int config_fail(struct config_error *error, const char *format, ...) PRINTF_LIKE(2, 3);

/** @return NULL if `text` is an IPv4 or IPv6 literal; else what it must be */
const char *config_check_address(const char *text);

/** @return NULL if `text` is a URL with http or https; else what it must be */
const char *config_check_web_url(const char *text);

/** @return NULL if `text` is an origin as http_origin.h has it; else what it must be */
const char *config_check_origin(const char *text);

/** @return NULL if `text` is such a literal, or a network ("10.0.0.0/8"); else what it must be */
const char *config_check_prefix(const char *text);

#endif
