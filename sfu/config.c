#include "sfu/config.h"

#include "sfu/config_keys.h"
#include "sfu/ice_servers.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void config_init(struct config *c)
{
    struct config_error error;

    *c = (struct config){0};
    for (size_t i = 0; i < config_n_keys; i++) {
        if (config_keys[i].preset &&
            config_set(c, config_keys[i].name, config_keys[i].preset, &error) < 0)
            abort(); /* a default in the table is wrong: the first test sees it */
    }
    c->listen_given = false;
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

    for (size_t i = 0; i < config_n_keys; i++) {
        const char *value = find_variable(environment, config_keys[i].name);

        if (!value || !*value)
            continue;
        config_clear_list(c, &config_keys[i]);
        if (config_set(c, config_keys[i].name, value, &inner) < 0)
            return config_fail(error, "in the environment (SLUICE_...): %.400s", inner.message);
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
        return config_fail(error, "\"%s\" is not an option; sluice --help lists them", arg);
    for (size_t i = 2; i < len; i++)
        ret->key[i - 2] = (char)(arg[i] == '-' ? '_' : arg[i]);
    ret->key[len - 2] = '\0';
    if (!config_find_key(ret->key) && strcmp(ret->key, "config") != 0)
        return config_fail(error, "there is no option %.*s; sluice --help lists them", (int)len,
                           arg);
    ret->value = arg[len] ? arg + len + 1 : NULL;
    if (!ret->value && *at + 1 < argc)
        ret->value = argv[++*at];
    if (!ret->value)
        return config_fail(error, "%s needs a value; see sluice --help", arg);
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
    bool seen[CONFIG_MAX_KEYS] = {false};
    const struct config_key *key;
    struct flag flag = {0};
    int err;

    for (int at = 1; at < argc;) {
        err = next_flag(&flag, argc, argv, &at, error);
        if (err < 0)
            return err;
        if (strcmp(flag.key, "config") == 0)
            continue;
        key = config_find_key(flag.key);
        if (key && !seen[key - config_keys]) {
            seen[key - config_keys] = true; /* flags replace a list of file and environment */
            config_clear_list(c, key);
        }
        err = config_set(c, flag.key, flag.value, error);
        if (err < 0)
            return err;
    }
    return 0;
}

static bool is_open_to_all(const struct config *c)
{
    return c->keys.n == 0 && !c->open && strncmp(c->listen_address, "127.", 4) != 0 &&
           strcmp(c->listen_address, "::1") != 0;
}

int config_check(const struct config *c, struct config_error *error)
{
    uint32_t most = c->workers ? c->workers : 1;

    if (is_open_to_all(c)) {
        return config_fail(error,
                           "listen is %s, where others reach this server, and there are no keys to "
                           "tell who may come in. Set one, --keys app:$(openssl rand -hex 32), and "
                           "give people tokens of it (sluice token --help); or say --open yes, and "
                           "whoever reaches it may open rooms; or --listen 127.0.0.1:%u, for this "
                           "machine only",
                           c->listen_address, c->listen_port);
    }
    if (c->udp_port && c->udp_port + most - 1 > 65535)
        return config_fail(error, "udp_port %u leaves no ports for %u workers; choose one up to %u",
                           c->udp_port, most, 65536 - most);
    if (c->max_tracks > c->max_sections)
        return config_fail(error, "max_tracks is %u, but max_sections allows %u m-lines",
                           c->max_tracks, c->max_sections);
    if (c->tls_key[0] && !c->tls_cert[0])
        return config_fail(error, "tls_key is of no use without tls_cert");
    if (c->webhooks.n > 0 && !c->webhook_secret[0]) {
        return config_fail(error, "webhooks needs webhook_secret, by which receivers know that "
                                  "events are yours");
    }
    return ice_servers_check(c, error);
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
    if (err == 0 && !c->listen_given && (c->keys.n > 0 || c->open))
        (void)snprintf(c->listen_address, sizeof(c->listen_address), "::");
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
    for (size_t i = 0; i < config_n_keys; i++) {
        char flag[64];
        int len = snprintf(flag, sizeof(flag), "--%s %s", config_keys[i].name,
                           config_keys[i].argument);

        for (int at = 2; at < len && flag[at] != ' '; at++)
            flag[at] = (char)(flag[at] == '_' ? '-' : flag[at]);
        (void)fprintf(out, "  %-31s ", flag);
        print_lines(out, config_keys[i].help, config_keys[i].preset);
    }
}
