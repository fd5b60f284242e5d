#include "sfu/command_token.h"

#include "media/base/clock.h"
#include "sfu/access.h"
#include "sfu/config.h"
#include "signaling/message_input.h"
#include "signaling/token.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_USAGE = 2 };

static const int64_t MAX_TTL_S = INT64_C(10) * 366 * 86400;

static void print_help(void)
{
    (void)printf(
        "sluice token: make a token, the proof of who somebody is and what it may do.\n"
        "\n"
        "Usage: sluice token --room ROOM --identity WHO [options]\n"
        "\n"
        "Options [default]:\n"
        "  --room ROOM          the room it is for; \"*\": any\n"
        "  --identity WHO       your name for the person\n"
        "  --name NAME          what the others in the room see [what it says itself]\n"
        "  --ttl TIME           how long it holds: 90s, 15m, 1h, 7d, or never [1h]\n"
        "  --publish WHAT       yes, no, or sources such as microphone,screen [yes]\n"
        "  --subscribe yes|no   get what others publish [yes]\n"
        "  --data yes|no        send messages [yes]\n"
        "  --hidden             be there without being seen, and publish nothing\n"
        "  --admin              use /v1: for the room, or for all without --room\n"
        "  --record             start and stop recording\n"
        "  --key KEY            sign with this: ID:SECRET, ID:@FILE or @FILE\n"
        "                       [the first of `keys` that can, of the settings]\n"
        "  --config FILE        settings of the server, as sluice takes them [SLUICE_CONFIG]\n"
        "  -h, --help           print this\n"
        "\n"
        "Prints the token and nothing else. A new secret: openssl rand -hex 32 > sluice.key\n"
        "\n"
        "Examples:\n"
        "  sluice token --key app:@sluice.key --room demo --identity ada --name Ada\n"
        "  sluice token --config /etc/sluice.yaml --room demo --identity tv --publish no --ttl 7d\n"
        "  sluice-client --room demo --send tone:440 --token \"$(sluice token --room demo --identity "
        "tone)\"\n"
        "\n"
        "Exit code: 0; 1 when a key cannot be used; 2 for a wrong command line.\n");
}

/* Options */

static int fail(char *error, const char *format, ...) PRINTF_LIKE(2, 3);

static int fail(char *error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(error, TOKEN_OPTION_ERROR_MAX, format, args);
    va_end(args);
    return -EINVAL;
}

static int read_room(struct token_options *o, const char *value, char *error)
{
    if (strcmp(value, "*") != 0 && !room_name_valid(value))
        return fail(error, "--room: 1 to %d of A-Z a-z 0-9 . _ ~ -, or *", MESSAGE_ROOM_MAX);
    (void)snprintf(o->grants.room, sizeof(o->grants.room), "%s", value);
    return 0;
}

static int read_identity(struct token_options *o, const char *value, char *error)
{
    if (!*value || strlen(value) > MESSAGE_NAME_MAX)
        return fail(error, "--identity: 1 to %d bytes", MESSAGE_NAME_MAX);
    (void)snprintf(o->grants.identity, sizeof(o->grants.identity), "%s", value);
    return 0;
}

static int read_name(struct token_options *o, const char *value, char *error)
{
    if (strlen(value) > MESSAGE_NAME_MAX)
        return fail(error, "--name: at most %d bytes", MESSAGE_NAME_MAX);
    (void)snprintf(o->grants.name, sizeof(o->grants.name), "%s", value);
    return 0;
}

static int64_t seconds_of(char unit)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};

    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (units[i].unit == unit)
            return units[i].seconds;
    }
    return 0;
}

static int read_ttl(struct token_options *o, const char *value, char *error)
{
    char *end = NULL;
    int64_t n, unit;

    if (strcmp(value, "never") == 0) {
        o->ttl_s = 0;
        return 0;
    }
    errno = 0;
    n = isdigit((unsigned char)value[0]) ? strtoll(value, &end, 10) : 0;
    unit = end && *end && !end[1] ? seconds_of(*end) : 0;
    if (errno || n < 1 || !unit || n > MAX_TTL_S / unit)
        return fail(error, "--ttl: a number with s, m, h or d, up to 10 years, or never");
    o->ttl_s = n * unit;
    return 0;
}

static int read_switch(bool *ret, const char *option, const char *value, char *error)
{
    if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
        return fail(error, "--%s: yes or no", option);
    *ret = strcmp(value, "yes") == 0;
    return 0;
}

static int add_source(struct grants *g, const char *word, size_t len, char *error)
{
    char *source = g->sources[g->n_sources];

    if (g->n_sources == GRANTS_MAX_SOURCES)
        return fail(error, "--publish: at most %d sources", GRANTS_MAX_SOURCES);
    if (len > MESSAGE_SOURCE_MAX)
        len = 0; /* refused below */
    memcpy(source, word, len);
    source[len] = '\0';
    if (!is_made_of(source, word_chars, MESSAGE_SOURCE_MAX))
        return fail(error, "--publish: yes, no, or words with commas: microphone,camera");
    g->n_sources++;
    return 0;
}

static int read_publish(struct token_options *o, const char *value, char *error)
{
    o->grants.n_sources = 0;
    if (strcmp(value, "yes") == 0 || strcmp(value, "no") == 0)
        return read_switch(&o->grants.publish, "publish", value, error);
    o->grants.publish = true;
    for (;;) {
        size_t len = strcspn(value, ",");

        if (add_source(&o->grants, value, len, error) < 0)
            return -EINVAL;
        if (!value[len])
            return 0;
        value += len + 1;
    }
}

static int read_subscribe(struct token_options *o, const char *value, char *error)
{
    return read_switch(&o->grants.subscribe, "subscribe", value, error);
}

static int read_data(struct token_options *o, const char *value, char *error)
{
    return read_switch(&o->grants.data, "data", value, error);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): as its siblings */
static int read_key(struct token_options *o, const char *value, char *error)
{
    (void)error;
    o->key = value;
    return 0;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): as its siblings */
static int read_config(struct token_options *o, const char *value, char *error)
{
    (void)error;
    o->config = value;
    return 0;
}

/** An option: with a value that is read, or a flag. */
struct option {
    const char *name;
    int (*read)(struct token_options *o, const char *value, char *error);
    size_t flag; /* without read: offset of the bool */
};

#define GRANT(member) offsetof(struct token_options, grants.member)

static const struct option options[] = {
    {"room", read_room, 0},
    {"identity", read_identity, 0},
    {"name", read_name, 0},
    {"ttl", read_ttl, 0},
    {"publish", read_publish, 0},
    {"subscribe", read_subscribe, 0},
    {"data", read_data, 0},
    {"key", read_key, 0},
    {"config", read_config, 0},
    {"hidden", NULL, GRANT(hidden)},
    {"admin", NULL, GRANT(admin)},
    {"record", NULL, GRANT(record)},
    {"help", NULL, offsetof(struct token_options, help)},
};

static const struct option *find_option(const char *arg)
{
    size_t len = strcspn(arg, "=");

    if (strcmp(arg, "-h") == 0)
        arg = "--help", len = strlen(arg);
    if (strncmp(arg, "--", 2) != 0)
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        if (strlen(options[i].name) == len - 2 && strncmp(options[i].name, arg + 2, len - 2) == 0)
            return &options[i];
    }
    return NULL;
}

/* Take the option at argv[*at], and move on. */
static int read_option(struct token_options *o, int argc, const char *const *argv, int *at,
                       char *error)
{
    const char *arg = argv[*at];
    const struct option *option = find_option(arg);
    const char *value = strchr(arg, '=');

    if (!option)
        return fail(error, "\"%.100s\" is not an option; sluice token --help lists them", arg);
    ++*at;
    if (!option->read) {
        if (value)
            return fail(error, "--%s takes no value", option->name);
        *(bool *)(void *)((char *)o + option->flag) = true;
        return 0;
    }
    if (!value && *at == argc)
        return fail(error, "--%s needs a value; see sluice token --help", option->name);
    return option->read(o, value ? value + 1 : argv[(*at)++], error);
}

static int check(struct token_options *o, char *error)
{
    struct grants *g = &o->grants;

    if (!g->room[0] && !g->admin)
        return fail(error, "--room says which room the token is for; see sluice token --help");
    if (!g->identity[0] && g->room[0])
        return fail(error, "--identity says whom the token is for; see sluice token --help");
    if (!g->room[0])
        g->join = g->publish = g->subscribe = g->data = false; /* it is for no room */
    return 0;
}

int token_options_parse(struct token_options *ret, int argc, const char *const *argv,
                        char error[TOKEN_OPTION_ERROR_MAX])
{
    *ret = (struct token_options){
        .ttl_s = 3600,
        .grants = {.join = true, .publish = true, .subscribe = true, .data = true},
    };
    for (int at = 1; at < argc;) {
        if (read_option(ret, argc, argv, &at, error) < 0)
            return -EINVAL;
        if (ret->help)
            return 0;
    }
    return check(ret, error);
}

/* Running */

/* The keys to choose from: that of the command line, or those of the server's settings. */
static int find_keys(const struct token_options *o, struct config *config,
                     struct config_error *error)
{
    const char *argv[] = {"sluice", "--config", o->config, NULL};
    enum config_action action;

    if (!o->key)
        return config_load(config, o->config ? 3 : 1, argv, (const char *const *)environ, &action,
                           error);
    config_init(config);
    return config_set(config, "keys", o->key, error);
}

static int print_token(const struct token_options *o, const struct token_keys *keys)
{
    struct grants grants = o->grants;
    int64_t now_s = clock_wall_us() / SECOND;
    char *token = NULL;
    int err;

    grants.expires_s = o->ttl_s ? now_s + o->ttl_s : 0;
    err = token_sign(keys, &grants, now_s, &token);
    if (err == 0) {
        (void)printf("%s\n", token);
        free(token);
        return EXIT_SUCCESS;
    }
    (void)fprintf(stderr, "sluice token: %s\n",
                  err == -ENOKEY && keys->n == 0
                      ? "there is no key: name one with --key, or the server's settings with "
                        "--config"
                  : err == -ENOKEY ? "none of the keys can sign: a secret or a private key can"
                                   : "the token cannot be made");
    return EXIT_FAILURE;
}

int command_token(int argc, char **argv)
{
    static struct config config;
    struct token_keys keys = {0};
    struct config_error problem;
    char error[TOKEN_OPTION_ERROR_MAX];
    struct token_options o;
    int code;

    if (token_options_parse(&o, argc, (const char *const *)argv, error) < 0) {
        (void)fprintf(stderr, "sluice token: %s\n", error);
        return EXIT_USAGE;
    }
    if (o.help) {
        print_help();
        return EXIT_SUCCESS;
    }
    if (find_keys(&o, &config, &problem) < 0 || access_read_keys(&keys, &config, &problem) < 0) {
        (void)fprintf(stderr, "sluice token: %s\n", problem.message);
        return EXIT_FAILURE;
    }
    code = print_token(&o, &keys);
    token_keys_clear(&keys);
    return code;
}
