#include "sfu/config.h"

#include "media/seal.h"
#include "signaling/message.h"
#include "signaling/negotiation.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <cyaml/cyaml.h>
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum key_type {
    KEY_NUMBER,
    KEY_SWITCH,
    KEY_AUTO,
    KEY_LISTEN,
    KEY_ADDRESS,
    KEY_ADVERTISE,
    KEY_PATH,
    KEY_LOG_LEVEL,
    KEY_SEAL,
};

struct key {
    const char *name;
    enum key_type type;
    size_t offset;        /* of the member in struct config */
    uint32_t min, max;    /* NUMBER: allowed range */
    const char *preset;   /* as text; NULL: empty */
    const char *argument; /* what the help calls the value */
    const char *help;
};

#define NUMBER(member, least, most, preset_text, what)                                          \
    {                                                                                           \
        .name = #member, .type = KEY_NUMBER, .offset = offsetof(struct config, member),         \
        .min = (least), .max = (most), .preset = (preset_text), .argument = "N", .help = (what) \
    }

/* The manual: --help and the documentation are made from this table. */
static const struct key keys[] = {
    {"listen", KEY_LISTEN, 0, 0, 0, "[::]:8080", "ADDR:PORT",
     "where the page and the signaling are served;\n:PORT is every address, [::] takes IPv4 too"},
    NUMBER(udp_port, 0, 65535, "7882", "media port of the first worker, N + 1 of the second..."),
    {"udp_address", KEY_ADDRESS, offsetof(struct config, udp_address), 0, 0, NULL, "ADDR",
     "take media on this address only"},
    NUMBER(workers, 0, CONFIG_MAX_WORKERS, "0", "media threads; 0: one per core"),
    NUMBER(room_spread, 1, 100000, "24",
           "participants of one room on a worker before it takes\nanother worker, too"),
    {"pin_workers", KEY_SWITCH, offsetof(struct config, pin_workers), 0, 0, "no", "yes|no",
     "bind each worker to a core"},
    {"advertise", KEY_ADVERTISE, 0, 0, 0, NULL, "ADDR",
     "tell clients to send media here, such as the public\naddress of a NAT; repeat for more "
     "(a list in the file,\ncommas in the environment); default: every local one"},
    {"web_root", KEY_PATH, offsetof(struct config, web_root), 0, 0, NULL, "DIR",
     "serve the page from here, not the one built in"},
    {"admin_token", KEY_PATH, offsetof(struct config, admin_token), 0, 0, NULL, "TOKEN",
     "who sends \"Authorization: Bearer TOKEN\" may read\n/metrics and /v1; default: programs on this "
     "machine may"},
    {"log_level", KEY_LOG_LEVEL, offsetof(struct config, log_level), 0, 0, "info", "LEVEL",
     "trace, debug, info, warn or error"},
    {"seal", KEY_SEAL, offsetof(struct config, seal), 0, 0, "auto", "HOW",
     "library that encrypts and decrypts: libipsec-mb,\nlibsrtp2, or auto for the fastest here"},
    NUMBER(pad_runs, 0, 255, "48",
           "bytes by which a packet may be padded, so that several\nof one length go to the kernel "
           "as one; 0: never pad"),
    NUMBER(coalesce_ms, 0, 20, "0",
           "milliseconds for which a packet may wait for others to\nthe same client: less CPU time "
           "for more delay"),
    {"audio_red", KEY_AUTO, offsetof(struct config, audio_red), 0, 0, "auto", "auto|off",
     "where packets are lost, send sound twice (RED) to who\ntakes that; off: what is encrypted end "
     "to end stays as it is"},
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
    NUMBER(max_messages_per_s, 1, 100000, "100", "messages of one WebSocket in a second"),
    NUMBER(max_connections, 1, 1000000, "10000", "HTTP connections and WebSockets at a time"),
    NUMBER(max_connections_per_address, 1, 1000000, "2000", "the same from one address"),
    NUMBER(request_timeout_s, 1, 3600, "10", "seconds in which an HTTP request must be complete"),
    NUMBER(join_timeout_s, 1, 3600, "30", "seconds in which a WebSocket must have joined a room"),
    NUMBER(stop_timeout_s, 0, 60, "3", "seconds that clients get to take the good-bye"),
};

static int fail(struct config_error *error, const char *format, ...) PRINTF_LIKE(2, 3);

static int fail(struct config_error *error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(error->message, sizeof(error->message), format, args);
    va_end(args);
    return -EINVAL;
}

static const struct key *find_key(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        if (strcmp(keys[i].name, name) == 0)
            return &keys[i];
    }
    return NULL;
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

static bool is_address(const char *text)
{
    struct in_addr v4;
    struct in6_addr v6;

    return inet_pton(AF_INET, text, &v4) == 1 || inet_pton(AF_INET6, text, &v6) == 1;
}

/* Copy an address [len characters] that must be a literal. */
static int read_address(char ret[CONFIG_ADDRESS_MAX + 1], const char *text, size_t len)
{
    char copy[CONFIG_ADDRESS_MAX + 1];

    if (len > CONFIG_ADDRESS_MAX)
        return -EINVAL;
    memcpy(copy, text, len);
    copy[len] = '\0';
    if (!is_address(copy))
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
    return 0;
}

/* One address, or several with commas. */
static int read_advertise(struct config *c, const char *text)
{
    for (;;) {
        size_t len = strcspn(text, ",");

        if (c->n_advertise == CONFIG_MAX_ADVERTISE)
            return -E2BIG;
        if (read_address(c->advertise[c->n_advertise], text, len) < 0)
            return -EINVAL;
        c->n_advertise++;
        if (!text[len])
            return 0;
        text += len + 1;
    }
}

static int set_number(uint32_t *ret, const struct key *key, const char *value,
                      struct config_error *error)
{
    if (read_number(ret, value, key->min, key->max) == 0)
        return 0;
    return fail(error, "%s is \"%s\", but must be a number from %u to %u", key->name, value,
                key->min, key->max);
}

static int set_switch(bool *ret, const struct key *key, const char *value,
                      struct config_error *error)
{
    if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
        return fail(error, "%s is \"%s\", but must be yes or no", key->name, value);
    *ret = strcmp(value, "yes") == 0;
    return 0;
}

static int set_auto(bool *ret, const struct key *key, const char *value, struct config_error *error)
{
    if (strcmp(value, "auto") != 0 && strcmp(value, "off") != 0)
        return fail(error, "%s is \"%s\", but must be auto or off", key->name, value);
    *ret = strcmp(value, "auto") == 0;
    return 0;
}

static int set_log_level(uint32_t *ret, const char *value, struct config_error *error)
{
    int level = log_level_parse(value);

    if (level < 0)
        return fail(error, "log_level is \"%s\", but must be trace, debug, info, warn or error",
                    value);
    *ret = (uint32_t)level;
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
    return fail(error, "seal is \"%s\", but must be %s, %s or %s", value,
                seal_backend_name(SEAL_AUTO), seal_backend_name(SEAL_IPSEC_MB),
                seal_backend_name(SEAL_SRTP));
}

static int set_path(char *ret, const struct key *key, const char *value, struct config_error *error)
{
    if (strlen(value) > CONFIG_PATH_MAX)
        return fail(error, "%s is longer than %d characters", key->name, CONFIG_PATH_MAX);
    memcpy(ret, value, strlen(value) + 1);
    return 0;
}

static int set_advertise(struct config *c, const char *value, struct config_error *error)
{
    switch (read_advertise(c, value)) {
    case 0:
        return 0;
    case -E2BIG:
        return fail(error, "advertise has more than %d addresses", CONFIG_MAX_ADVERTISE);
    default:
        return fail(error, "advertise is \"%s\", but must be an IPv4 or IPv6 address, not a name",
                    value);
    }
}

int config_set(struct config *c, const char *name, const char *value, struct config_error *error)
{
    const struct key *key = find_key(name);

    if (!key) {
        (void)fail(error, "there is no setting \"%s\"; sluice --help lists them", name);
        return -ENOENT;
    }

    void *member = (char *)c + key->offset;

    switch (key->type) {
    case KEY_NUMBER:
        return set_number(member, key, value, error);
    case KEY_SWITCH:
        return set_switch(member, key, value, error);
    case KEY_AUTO:
        return set_auto(member, key, value, error);
    case KEY_LISTEN:
        if (read_listen(c, value) == 0)
            return 0;
        return fail(error,
                    "listen is \"%s\", but must be ADDR:PORT such as 127.0.0.1:8080, "
                    "[::]:8080 or :8080",
                    value);
    case KEY_ADDRESS:
        if (!*value || read_address(member, value, strlen(value)) == 0)
            return 0;
        return fail(error, "%s is \"%s\", but must be an IPv4 or IPv6 address", key->name, value);
    case KEY_ADVERTISE:
        return set_advertise(c, value, error);
    case KEY_PATH:
        return set_path(member, key, value, error);
    case KEY_LOG_LEVEL:
        return set_log_level(member, value, error);
    case KEY_SEAL:
        return set_seal(member, value, error);
    }
    return -ENOENT;
}

void config_init(struct config *c)
{
    struct config_error error;

    *c = (struct config){0};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        if (keys[i].preset && config_set(c, keys[i].name, keys[i].preset, &error) < 0)
            abort(); /* a default in the table is wrong: the first test sees it */
    }
}

/* The file: every scalar is read as text, so that file, environment and flags share one reader. */

struct file_values {
    char *text[ARRAY_LEN(keys)]; /* NULL: not in the file */
    char **advertise;
    uint32_t n_advertise;
};

struct yaml_complaint {
    char what[200];
    int line; /* 0: not told */
};

/* libcyaml says what is wrong first, then where from the inside out: keep the first of both. The
 * line is that of the last thing it took in. */
static void keep_complaint(cyaml_log_t level, void *owner, const char *format, va_list args)
    __attribute__((__format__(__printf__, 3, 0)));

static void keep_complaint(cyaml_log_t level, void *owner, const char *format, va_list args)
{
    struct yaml_complaint *complaint = owner;
    char line[sizeof(complaint->what)];
    const char *start = line;

    if (level < CYAML_LOG_ERROR)
        return;
    (void)vsnprintf(line, sizeof(line), format, args);
    line[strcspn(line, "\n")] = '\0';
    if (strncmp(start, "Load: ", 6) == 0)
        start += 6;
    if (!complaint->what[0])
        (void)snprintf(complaint->what, sizeof(complaint->what), "%s", start);
    else if (!complaint->line && strstr(start, "line: "))
        complaint->line = (int)strtol(strstr(start, "line: ") + 6, NULL, 10);
}

static const cyaml_schema_value_t text_schema = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 0, CONFIG_PATH_MAX),
};

/* The schema of the file, from the table of keys. */
static void make_fields(cyaml_schema_field_t fields[ARRAY_LEN(keys) + 1])
{
    static const cyaml_schema_field_t list = CYAML_FIELD_SEQUENCE_COUNT(
        "advertise", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct file_values, advertise,
        n_advertise, &text_schema, 0, CONFIG_MAX_ADVERTISE);

    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        if (keys[i].type == KEY_ADVERTISE) {
            fields[i] = list;
            continue;
        }
        fields[i] = (cyaml_schema_field_t){
            .key = keys[i].name,
            .data_offset = (uint32_t)(offsetof(struct file_values, text) + i * sizeof(char *)),
            .value = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, char *, 0,
                                         CONFIG_PATH_MAX)},
        };
    }
    fields[ARRAY_LEN(keys)] = (cyaml_schema_field_t)CYAML_FIELD_END;
}

static int apply_values(struct config *c, const struct file_values *values, const char *path,
                        struct config_error *error)
{
    struct config_error inner;
    int err = 0;

    if (values->n_advertise)
        c->n_advertise = 0;
    for (size_t i = 0; i < ARRAY_LEN(keys) && err == 0; i++) {
        if (values->text[i])
            err = config_set(c, keys[i].name, values->text[i], &inner);
    }
    for (uint32_t i = 0; i < values->n_advertise && err == 0; i++)
        err = config_set(c, "advertise", values->advertise[i], &inner);
    if (err < 0)
        return fail(error, "%s: %.300s", path, inner.message);
    return 0;
}

int config_read_file(struct config *c, const char *path, struct config_error *error)
{
    cyaml_schema_field_t fields[ARRAY_LEN(keys) + 1];
    const cyaml_schema_value_t top = {
        CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct file_values, fields)};
    struct yaml_complaint complaint = {0};
    const cyaml_config_t yaml = {
        .log_fn = keep_complaint,
        .log_ctx = &complaint,
        .log_level = CYAML_LOG_ERROR,
        .mem_fn = cyaml_mem,
        .flags = CYAML_CFG_NO_ALIAS,
    };
    cyaml_data_t *values = NULL;
    cyaml_err_t problem;
    int err;

    make_fields(fields);
    problem = cyaml_load_file(path, &yaml, &top, &values, NULL);
    if (problem == CYAML_ERR_FILE_OPEN)
        return fail(error, "%s: cannot be read: %s", path, strerrordesc_np(errno));
    if (problem != CYAML_OK)
        return fail(error, "%s, near line %d: %s", path, complaint.line ? complaint.line : 1,
                    complaint.what[0] ? complaint.what : cyaml_strerror(problem));
    err = values ? apply_values(c, values, path, error) : 0;
    (void)cyaml_free(&yaml, &top, values, 0);
    return err;
}

/* Environment and flags */

static char upper(char c)
{
    return (char)(toupper)((unsigned char)c); /* the function, not glibc's macro of it */
}

/* SLUICE_MAX_ROOMS of "max_rooms". */
static const char *find_variable(const char *const *environment, const char *key)
{
    char name[64];
    size_t len = (size_t)snprintf(name, sizeof(name), "SLUICE_%s=", key);

    for (size_t i = 0; i < len; i++)
        name[i] = upper(name[i]);
    for (; *environment; environment++) {
        if (strncmp(*environment, name, len) == 0)
            return *environment + len;
    }
    return NULL;
}

static int read_environment(struct config *c, const char *const *environment,
                            struct config_error *error)
{
    struct config_error inner;

    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        const char *value = find_variable(environment, keys[i].name);

        if (!value || !*value)
            continue;
        if (keys[i].type == KEY_ADVERTISE)
            c->n_advertise = 0;
        if (config_set(c, keys[i].name, value, &inner) < 0)
            return fail(error, "in the environment (SLUICE_...): %.400s", inner.message);
    }
    return 0;
}

/** One flag of the command line, "--name value" or "--name=value". */
struct flag {
    char key[64];      /* as in the file */
    const char *value; /* NULL: none given */
};

/* Take the flag at argv[*at], and move on. */
static int next_flag(struct flag *ret, int argc, const char *const *argv, int *at,
                     struct config_error *error)
{
    const char *arg = argv[*at];
    size_t len = strcspn(arg, "=");

    if (strncmp(arg, "--", 2) != 0 || len < 3 || len - 2 >= sizeof(ret->key))
        return fail(error, "\"%s\" is not an option; sluice --help lists them", arg);
    for (size_t i = 2; i < len; i++)
        ret->key[i - 2] = (char)(arg[i] == '-' ? '_' : arg[i]);
    ret->key[len - 2] = '\0';
    if (!find_key(ret->key) && strcmp(ret->key, "config") != 0)
        return fail(error, "there is no option %.*s; sluice --help lists them", (int)len, arg);
    ret->value = arg[len] ? arg + len + 1 : NULL;
    if (!ret->value && *at + 1 < argc)
        ret->value = argv[++*at];
    if (!ret->value)
        return fail(error, "%s needs a value; see sluice --help", arg);
    ++*at;
    return 0;
}

/* First walk: is the line well-formed, and does it name a file? */
static int find_file(const char **ret, int argc, const char *const *argv,
                     struct config_error *error)
{
    struct flag flag = {0};
    int err;

    for (int at = 1; at < argc;) {
        err = next_flag(&flag, argc, argv, &at, error);
        if (err < 0)
            return err;
        if (strcmp(flag.key, "config") == 0)
            *ret = flag.value;
    }
    return 0;
}

static int read_flags(struct config *c, int argc, const char *const *argv,
                      struct config_error *error)
{
    bool advertised = false;
    struct flag flag = {0};
    int err;

    for (int at = 1; at < argc;) {
        err = next_flag(&flag, argc, argv, &at, error);
        if (err < 0)
            return err;
        if (strcmp(flag.key, "config") == 0)
            continue;
        if (strcmp(flag.key, "advertise") == 0 && !advertised) {
            advertised = true; /* flags replace the list of file and environment */
            c->n_advertise = 0;
        }
        err = config_set(c, flag.key, flag.value, error);
        if (err < 0)
            return err;
    }
    return 0;
}

int config_check(const struct config *c, struct config_error *error)
{
    uint32_t most = c->workers ? c->workers : 1;

    if (c->udp_port && c->udp_port + most - 1 > 65535)
        return fail(error, "udp_port %u leaves no ports for %u workers; choose one up to %u",
                    c->udp_port, most, 65536 - most);
    if (c->max_tracks > c->max_sections)
        return fail(error, "max_tracks is %u, but max_sections allows %u m-lines", c->max_tracks,
                    c->max_sections);
    return 0;
}

static enum config_action find_action(int argc, const char *const *argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return CONFIG_HELP;
        if (strcmp(argv[i], "--version") == 0 || strcmp(argv[i], "-V") == 0)
            return CONFIG_VERSION;
    }
    return CONFIG_RUN;
}

int config_load(struct config *c, int argc, const char *const *argv, const char *const *environment,
                enum config_action *action, struct config_error *error)
{
    const char *path = find_variable(environment, "config");
    int err;

    config_init(c);
    *action = find_action(argc, argv);
    if (*action != CONFIG_RUN)
        return 0;
    err = find_file(&path, argc, argv, error);
    if (err == 0 && path && *path)
        err = config_read_file(c, path, error);
    if (err == 0)
        err = read_environment(c, environment, error);
    if (err == 0)
        err = read_flags(c, argc, argv, error);
    if (err == 0)
        err = config_check(c, error);
    return err < 0 ? -EINVAL : 0;
}

/* Print a help text of several lines, each in its column. */
static void print_lines(FILE *out, const char *text, const char *preset)
{
    for (;;) {
        size_t len = strcspn(text, "\n");

        (void)fprintf(out, "%.*s", (int)len, text);
        if (!text[len])
            break;
        (void)fprintf(out, "\n%34s", "");
        text += len + 1;
    }
    if (preset)
        (void)fprintf(out, " [%s]", preset);
    (void)fputc('\n', out);
}

void config_print_help(FILE *out)
{
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        char flag[64];
        int len = snprintf(flag, sizeof(flag), "--%s %s", keys[i].name, keys[i].argument);

        for (int at = 2; at < len && flag[at] != ' '; at++)
            flag[at] = (char)(flag[at] == '_' ? '-' : flag[at]);
        (void)fprintf(out, "  %-31s ", flag);
        print_lines(out, keys[i].help, keys[i].preset);
    }
}
