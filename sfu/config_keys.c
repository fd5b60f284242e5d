#include "sfu/config_keys.h"

#include "sfu/candidates.h"
#include "signaling/message.h"
#include "signaling/negotiation.h"

#include <string.h>

#define NUMBER(member, least, most, preset_text, what)                                          \
    {                                                                                           \
        .name = #member, .type = KEY_NUMBER, .offset = offsetof(struct config, member),         \
        .min = (least), .max = (most), .preset = (preset_text), .argument = "N", .help = (what) \
    }

#define ROW(key, kind, member, preset_text, what_it_is, what)                    \
    {                                                                            \
        .name = #key, .type = (kind), .offset = offsetof(struct config, member), \
        .preset = (preset_text), .argument = (what_it_is), .help = (what)        \
    }

#define TEXT(member, what_it_is, what)                                                \
    {                                                                                 \
        .name = #member, .type = KEY_TEXT, .offset = offsetof(struct config, member), \
        .argument = (what_it_is), .help = (what)                                      \
    }

#define SECRET(member, what_it_is, what)                                              \
    {                                                                                 \
        .name = #member, .type = KEY_TEXT, .offset = offsetof(struct config, member), \
        .argument = (what_it_is), .help = (what), .secret = true                      \
    }

#define LIST(member, checker, what_it_is, what)                                       \
    {                                                                                 \
        .name = #member, .type = KEY_LIST, .offset = offsetof(struct config, member), \
        .argument = (what_it_is), .help = (what), .check = (checker)                  \
    }

/* The manual: --help and the documentation are made from this table. */
const struct config_key config_keys[] = {
    ROW(listen, KEY_LISTEN, listen_address, "127.0.0.1:8080", "ADDR:PORT",
        "where the page and the signaling are served;\n:PORT is every address, [::] takes IPv4 "
        "too; the default\nis [::]:8080 with keys, or with --open yes;\nwithout"),
    NUMBER(udp_port, 0, 65535, "7882", "media port of the first worker, N + 1 of the second..."),
    ROW(tcp_port, KEY_TCP_PORT, tcp_port, "auto", "PORT|auto|no",
        "port where media is taken over TCP, for who has no UDP;\none for all workers; auto: the "
        "number of udp_port"),
    ROW(udp_address, KEY_ADDRESS, udp_address, NULL, "ADDR", "take media on this address only"),
    NUMBER(workers, 0, CONFIG_MAX_WORKERS, "0", "media threads; 0: one per core"),
    NUMBER(room_spread, 1, 100000, "24",
           "participants of one room on a worker before it takes\nanother worker, too"),
    ROW(pin_workers, KEY_SWITCH, pin_workers, "no", "yes|no", "bind each worker to a core"),
    LIST(
        advertise, candidates_check, "ADDR",
        "tell clients to send media here, such as the public\naddress of a NAT; ADDR:PORT where "
        "that has other ports;\nlocal: those of this machine, too; stun:HOST:PORT: what\nthat server "
        "sees of us, too; repeat for more (a list in\nthe file, commas in the environment); default: "
        "local"),
    ROW(ice, KEY_ICE, ice_full, "lite", "lite|full",
        "full: find ways to peers from behind a NAT that maps no\nports, by an agent and sockets for "
        "each, also over the\nrelays of ice_servers; lite: peers find this server"),
    {.name = "keys",
     .type = KEY_LIST,
     .offset = offsetof(struct config, keys),
     .argument = "KEY",
     .help = "let in who has a token of this key: ID:SECRET, ID:@FILE\n(secret or PEM) or @FILE "
             "(JWKS, PEM); repeat for more; the\nfirst that can signs; see sluice token --help",
     .secret = true},
    ROW(open, KEY_SWITCH, open, "no", "yes|no",
        "without keys, let in whoever reaches an address that is\nnot of this machine alone"),
    NUMBER(token_ttl_s, 10, 86400, "600",
           "seconds that tokens hold which the server makes, before\nthose of who is in a room "
           "expire"),
    TEXT(web_root, "DIR", "serve the page from here, not the one built in"),
    TEXT(tls_cert, "FILE",
         "serve https and wss with this certificate (PEM, the whole\nchain); it is read again when "
         "it changes"),
    TEXT(tls_key, "FILE", "its key (PEM); default: in the same file"),
    LIST(
        allowed_origins, config_check_origin, "ORIGIN",
        "pages of this origin may use the server, too\n(https://app.example.org; * for all); default: "
        "those that\ncame from it, and programs that are no browsers"),
    LIST(trusted_proxies, config_check_prefix, "ADDR",
         "reverse proxies whose X-Forwarded-For tells the client,\nas addresses or networks"),
    LIST(proxy_protocol, config_check_prefix, "ADDR",
         "load balancers that begin each connection with a PROXY\nheader, as addresses or networks "
         "(10.0.0.0/8)"),
    SECRET(
        admin_token, "TOKEN",
        "who sends \"Authorization: Bearer TOKEN\" may read\n/metrics and /v1; default: programs on "
        "this machine may"),
    LIST(ice_servers, NULL, "URL",
         "tell clients of this STUN or TURN server: stun:HOST[:PORT],\n"
         "turn:HOST[:PORT][?transport=udp|tcp] or turns:HOST[:PORT];\n"
         "\"turn:HOST USER PASSWORD\" for a fixed account"),
    SECRET(turn_secret, "SECRET",
           "what coturn has as static-auth-secret: clients get\npasswords that hold for a while"),
    NUMBER(turn_ttl_s, 60, 31536000, "86400", "seconds for which those passwords hold"),
    ROW(log_level, KEY_LOG_LEVEL, log_level, "info", "LEVEL", "trace, debug, info, warn or error"),
    ROW(log_format, KEY_LOG_FORMAT, log_format, "text", "FORMAT",
        "lines of the log: text, or json with one object per line"),
    ROW(seal, KEY_SEAL, seal, "auto", "HOW",
        "library that encrypts and decrypts: libipsec-mb,\nlibsrtp2, or auto for the fastest here"),
    NUMBER(pad_runs, 0, 255, "48",
           "bytes by which a packet may be padded, so that several\nof one length go to the kernel "
           "as one; 0: never pad"),
    NUMBER(coalesce_ms, 0, 20, "0",
           "milliseconds for which a packet may wait for others to\nthe same client: less CPU time "
           "for more delay"),
    ROW(audio_red, KEY_AUTO, audio_red, "auto", "auto|off",
        "where packets are lost, send sound twice (RED) to who\ntakes that; off: what is encrypted end "
        "to end stays as it is"),
    NUMBER(max_rooms, 1, 1000000, "10000", "rooms at a time"),
    NUMBER(max_participants, 1, 1000000, "10000", "participants at a time, in all rooms"),
    NUMBER(max_participants_per_room, 1, 100000, "1000", "participants of a room"),
    NUMBER(max_tracks, 1, MESSAGE_MAX_TRACKS, "8", "tracks one participant may publish"),
    NUMBER(max_audio_slots, 0, PLAN_MAX_SECTIONS, "16", "audio slots one participant may have"),
    NUMBER(max_video_slots, 0, PLAN_MAX_SECTIONS, "24", "video slots one participant may have"),
    NUMBER(max_audio_streams, 0, PLAN_MAX_SECTIONS, "0",
           "voices that one participant gets at a time, those that\nspeak; 0: as many as it has "
           "audio slots"),
    NUMBER(max_sections, 1, PLAN_MAX_SECTIONS, "128", "m-lines of one connection"),
    NUMBER(max_audio_kbps, 0, CONFIG_MAX_KBPS, "0",
           "kbit/s in which a publisher may send one track of\nsound; 0: no limit"),
    NUMBER(max_camera_kbps, 0, CONFIG_MAX_KBPS, "0", "the same of video that is not a screen"),
    NUMBER(max_screen_kbps, 0, CONFIG_MAX_KBPS, "0", "the same of a screen"),
    NUMBER(max_room_kbps, 0, CONFIG_MAX_KBPS, "0",
           "kbit/s of all video published in a room; each gets the\nsame share; 0: no limit"),
    NUMBER(max_sdp_bytes, 4096, SDP_MAX_BYTES, "262144", "bytes of one offer"),
    NUMBER(
        max_messages_per_s, 0, 100000, "100",
        "messages of one WebSocket in a second on average; here\nand in the next seven 0: no limit"),
    NUMBER(max_bytes_per_s, 0, 1000000000, "262144", "bytes of these messages"),
    NUMBER(max_changes_per_s, 0, 100000, "20",
           "of these those that others are told of: offer, mute,\ncall"),
    NUMBER(max_views_per_s, 0, 100000, "250", "streams that it may view another way in a second"),
    NUMBER(max_connects_per_s, 0, 100000, "50",
           "connections that one address may open in a second"),
    NUMBER(max_joins_per_s, 0, 100000, "50",
           "joins, resumes, and POSTs of WHIP and WHEP from one\naddress in a second"),
    NUMBER(max_failures_per_s, 0, 100000, "5", "of these those that had no good token"),
    NUMBER(max_identity_joins_per_s, 0, 100000, "10",
           "joins with tokens of one identity in a second"),
    NUMBER(max_connections, 1, 1000000, "10000", "HTTP connections and WebSockets at a time"),
    NUMBER(max_connections_per_address, 1, 1000000, "2000", "the same from one address"),
    NUMBER(max_tcp_paths, 1, 100000, "2000", "connections for media over TCP at a time"),
    NUMBER(max_tcp_paths_per_address, 1, 100000, "200", "the same from one address"),
    NUMBER(request_timeout_s, 1, 3600, "10", "seconds in which an HTTP request must be complete"),
    NUMBER(join_timeout_s, 1, 3600, "30", "seconds in which a WebSocket must have joined a room"),
    LIST(
        webhooks, config_check_web_url, "URL",
        "tell this server of rooms, participants and tracks that\ncome and go; repeat for more; needs "
        "webhook_secret"),
    SECRET(webhook_secret, "SECRET", "sign what is told with this"),
    NUMBER(
        drain_timeout_s, 0, 604800, "0",
        "seconds that calls may go on after SIGTERM, while nobody\nnew is let in; a second signal ends "
        "that"),
    NUMBER(call_timeout_s, 1, 3600, "45", "seconds for which a direct call rings"),
    NUMBER(resume_timeout_s, 0, 3600, "30",
           "seconds a participant stays without its WebSocket, to come back; 0: none"),
    NUMBER(stop_timeout_s, 0, 60, "3", "seconds that clients get to take the good-bye"),
};

const size_t config_n_keys = ARRAY_LEN(config_keys);

_Static_assert(ARRAY_LEN(config_keys) <= CONFIG_MAX_KEYS, "raise CONFIG_MAX_KEYS");

const struct config_key *config_find_key(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(config_keys); i++) {
        if (strcmp(config_keys[i].name, name) == 0)
            return &config_keys[i];
    }
    return NULL;
}
