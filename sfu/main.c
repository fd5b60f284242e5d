/* The server's command line. */

#include "media/base/log.h"
#include "sfu/command_token.h"
#include "sfu/config.h"
#include "sfu/doctor.h"
#include "sfu/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_USAGE = 2 };

/** A command: the first word, if it is no option. */
struct command {
    const char *name;
    int (*run)(int argc, char **argv); /* argv[0] is the name; @return exit code */
    const char *help;                  /* one line */
};

static int run_serve(int argc, char **argv);

static const struct command commands[] = {
    {"doctor", doctor_run, "look whether machine, network and relays are as a server needs them"},
    {"serve", run_serve, "host calls; what sluice does without a command, too"},
    {"token", command_token, "make a token, for servers that let in who has one"},
};

static void print_help(void)
{
    (void)printf("sluice " SLUICE_VERSION
                 ": group calls. One process, one HTTP port, one UDP port per worker.\n"
                 "\n"
                 "Usage: sluice [command] [options]\n"
                 "\n"
                 "Commands (sluice COMMAND --help tells more):\n");
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        (void)printf("  %-39s  %s\n", commands[i].name, commands[i].help);
    (void)printf(
        "\n"
        "Examples:\n"
        "  sluice                                   serve http://localhost:8080\n"
        "  sluice --open yes                        for whoever reaches it, without tokens\n"
        "  sluice --keys app:@/etc/sluice.key       for who has a token, see sluice token\n"
        "  sluice --advertise 203.0.113.7           behind a NAT with that address\n"
        "  sluice --config /etc/sluice.yaml --workers 4\n"
        "  SLUICE_LOG_LEVEL=debug sluice            every option is a variable, too\n"
        "\n"
        "Options [default]:\n"
        "  --config FILE                   read settings from a YAML file: the same "
        "names with _ for -\n"
        "  -h, --help                      print this\n"
        "  -V, --version                   print the version\n");
    config_print_help(stdout);
    (void)printf("\n"
                 "Flags go over the environment (SLUICE_UDP_PORT for --udp-port), and that over "
                 "the file.\n"
                 "Exit code: 0 after SIGTERM or SIGINT, 1 when it could not run, 2 for a wrong "
                 "setting.\n");
}

static void print_access(const struct config *config)
{
    const char *text =
        "It is open, without a token, and so for this machine only. For others: --keys "
        "and tokens\n(see sluice token --help), or --open yes.";

    if (config->keys.n > 0)
        text = "Clients need a token: sluice token --room demo --identity ada makes one.";
    else if (config->open)
        text = "It is open: whoever reaches it may come in, without a token.";
    (void)puts(text);
}

static void print_banner(const struct server *s, const struct config *config)
{
    char url[96];
    bool everywhere = strcmp(config->listen_address, "::") == 0 || config->listen_address[0] == '0';

    (void)printf("sluice " SLUICE_VERSION " serves %s\n", server_url(s, url));
    if (everywhere) {
        (void)printf("Every network of this machine can reach it; --listen 127.0.0.1:%u keeps it "
                     "here.\n",
                     (unsigned)server_port(s));
        if (!config->tls_cert[0])
            (void)printf("Browsers give camera and microphone only to localhost and https pages: "
                         "see --tls-cert.\n");
    }
    print_access(config);
    (void)fflush(stdout);
}

/** The command line, to be read again. */
struct arguments {
    int argc;
    const char *const *argv;
};

static int load_again(void *owner, struct config *ret, struct config_error *error)
{
    const struct arguments *arguments = owner;
    enum config_action action;

    return config_load(ret, arguments->argc, arguments->argv, (const char *const *)environ, &action,
                       error);
}

static int serve(const struct config *config, struct arguments *arguments)
{
    struct server_loader loader = {.owner = arguments, .load = load_again};
    struct config_error error;
    struct server *s = NULL;
    int err = server_new(&s, config, &error);

    if (err < 0) {
        (void)fprintf(stderr, "sluice: %s\n", error.message);
        return EXIT_FAILURE;
    }
    server_set_loader(s, &loader);
    err = server_handle_signals(s);
    if (err == 0) {
        print_banner(s, config);
        err = server_run(s);
    }
    if (err < 0)
        (void)fprintf(stderr, "sluice: stopped by an error: %s\n", err_name(err));
    server_free(s);
    return err < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int run_serve(int argc, char **argv)
{
    static struct config config;
    struct arguments arguments = {argc, (const char *const *)argv};
    struct config_error error;
    enum config_action action;

    if (config_load(&config, argc, (const char *const *)argv, (const char *const *)environ, &action,
                    &error) < 0) {
        (void)fprintf(stderr, "sluice: %s\n", error.message);
        return EXIT_USAGE;
    }
    if (action == CONFIG_HELP) {
        print_help();
        return EXIT_SUCCESS;
    }
    if (action == CONFIG_VERSION) {
        (void)printf("sluice " SLUICE_VERSION "\n");
        return EXIT_SUCCESS;
    }
    log_set_level((enum log_level)config.log_level);
    log_set_format((enum log_format)config.log_format);
    return serve(&config, &arguments);
}

int main(int argc, char **argv)
{
    if (argc < 2 || argv[1][0] == '-')
        return run_serve(argc, argv);
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    }
    (void)fprintf(stderr, "sluice: there is no command \"%s\"; sluice --help lists them\n",
                  argv[1]);
    return EXIT_USAGE;
}
