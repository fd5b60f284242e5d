/**
 * @file config.h  Every setting of the server: a YAML file, over it the environment, over it flags.
 *
 * A key is documented once, in the table of config_keys.c: `max_rooms` in the file is
 * SLUICE_MAX_ROOMS in the environment and `--max-rooms` on the command line. config_file.c owns
 * the libcyaml dependency.
 * Thread: any, no shared state.
 */
#ifndef SFU_CONFIG_H
#define SFU_CONFIG_H

#include "media/base/attributes.h"
#include "media/base/log.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum {
    CONFIG_MAX_WORKERS = 64,
    CONFIG_ADDRESS_MAX = 63, /* characters of an IPv4 or IPv6 literal, zone included */
    CONFIG_PATH_MAX = 1023,
    CONFIG_TCP_AUTO = 65536, /* no port has this number */
    CONFIG_LIST_MAX = 16,    /* entries of a list */
    CONFIG_ENTRY_MAX = 511,
    CONFIG_MAX_KBPS = 4000000, /* in bit/s it has 32 bits */
};

/** A setting with several values, in the order they were given. */
struct config_list {
    uint32_t n;
    char text[CONFIG_LIST_MAX][CONFIG_ENTRY_MAX + 1];
};

struct config {
    char listen_address[CONFIG_ADDRESS_MAX + 1]; /* literal; "::" takes IPv4 too */
    uint32_t listen_port;                        /* 0: any */
    char udp_address[CONFIG_ADDRESS_MAX + 1];    /* literal to bind; "": all */
    uint32_t udp_port;                           /* of the first worker; 0: any for each */
    uint32_t tcp_port;                           /* CONFIG_TCP_AUTO: as UDP's; 0: none */
    uint32_t workers;                            /* 0: one per core */
    uint32_t room_spread; /* participants of a room on a worker, before it takes another one */
    bool pin_workers;     /* each to a core of its own */
    struct config_list advertise;          /* literal addresses; none: the interfaces' */
    bool ice_full;                         /* an ICE agent for each participant, not ICE-lite */
    struct config_list keys;               /* of tokens, see access.h; none: everybody may come */
    bool open;                             /* everybody may come, from everywhere */
    bool listen_given;                     /* not the default */
    uint32_t token_ttl_s;                  /* of tokens that take the place of others */
    char web_root[CONFIG_PATH_MAX + 1];    /* folder of the page; "": the one built in */
    char admin_token[CONFIG_PATH_MAX + 1]; /* "": reports are for clients on this machine */
    char tls_cert[CONFIG_PATH_MAX + 1];    /* of the signaling port; "": plain HTTP */
    char tls_key[CONFIG_PATH_MAX + 1];     /* "": in the same file */
    struct config_list allowed_origins;    /* whose pages may use us; "*": all */
    struct config_list trusted_proxies;    /* whose X-Forwarded-For is believed */
    struct config_list proxy_protocol;     /* addresses and networks: say for whom they connect */
    struct config_list ice_servers;        /* told to clients; each as ice_servers.h has it */
    char turn_secret[CONFIG_PATH_MAX + 1]; /* shared with the relays; "": none */
    uint32_t turn_ttl_s;                   /* passwords for the relays hold so long */
    uint32_t log_level;                    /* enum log_level */
    uint32_t log_format;                   /* enum log_format */
    uint32_t seal;                         /* enum seal_backend: who encrypts and decrypts */
    uint32_t pad_runs;                     /* padding of one packet [bytes] */
    uint32_t coalesce_ms;                  /* wait of a packet for others */
    bool audio_red;                        /* sound goes twice where packets are lost */

    uint32_t max_rooms, max_participants, max_participants_per_room;
    uint32_t max_tracks;                       /* published by one participant */
    uint32_t max_audio_slots, max_video_slots; /* of one participant */
    uint32_t max_audio_streams; /* to one participant at a time; 0: as it has slots */
    uint32_t max_sections;      /* m-lines of one connection */
    uint32_t max_audio_kbps, max_camera_kbps, max_screen_kbps; /* of one track; 0: no limit */
    uint32_t max_room_kbps; /* of all video published in a room; 0: no limit */
    uint32_t max_sdp_bytes;
    uint32_t max_messages_per_s; /* of one WebSocket; here and below 0: no limit */
    uint32_t max_bytes_per_s, max_changes_per_s, max_views_per_s;
    uint32_t max_connects_per_s, max_joins_per_s, max_failures_per_s; /* from one address */
    uint32_t max_identity_joins_per_s;
    uint32_t max_connections, max_connections_per_address;
    uint32_t max_tcp_paths, max_tcp_paths_per_address;
    uint32_t request_timeout_s;               /* an HTTP request must be complete */
    uint32_t join_timeout_s;                  /* a WebSocket must have joined a room */
    struct config_list webhooks;              /* URLs that are told of what happens */
    char webhook_secret[CONFIG_PATH_MAX + 1]; /* shared with them; "": none */
    uint32_t drain_timeout_s;  /* calls may go on after SIGTERM; 0: they end at once */
    uint32_t call_timeout_s;   /* a direct call rings */
    uint32_t resume_timeout_s; /* a participant without its WebSocket stays; 0: not at all */
    uint32_t stop_timeout_s;   /* peers have to take their good-bye */
};

/** What was wrong and what to do, for people. */
struct config_error {
    char message[512];
};

/** Set every key to its default. */
void config_init(struct config *c);

/** What the command line asks for. */
enum config_action { CONFIG_RUN, CONFIG_HELP, CONFIG_VERSION };

/**
 * Defaults, then the file (`--config` or SLUICE_CONFIG, if any), then the environment, then flags;
 * then check what depends on several keys.
 *
 * @param argv         as main() gets it
 * @param environment  "NAME=value" strings, NULL-terminated; names other than ours are ignored
 * @param action       what to do; with HELP and VERSION nothing else was looked at
 * @return 0; -EINVAL: `error` says which key, value and source
 */
MUST_USE int config_load(struct config *c, int argc, const char *const *argv,
                         const char *const *environment, enum config_action *action,
                         struct config_error *error);

/**
 * Set one key from text. Setting a list again appends.
 *
 * @param key    as in the file: "max_rooms"
 * @return 0; -ENOENT: no such key; -EINVAL: not a value of it; error is set
 */
MUST_USE int config_set(struct config *c, const char *key, const char *value,
                        struct config_error *error);

/** Read a YAML file over `c`. @return 0; -EINVAL: error is set, `c` may have changed */
MUST_USE int config_read_file(struct config *c, const char *path, struct config_error *error);

/** Check what depends on several keys. @return 0; -EINVAL: error is set */
MUST_USE int config_check(const struct config *c, struct config_error *error);

/** Print every key as a flag, with its default. */
void config_print_help(FILE *out);

#endif
