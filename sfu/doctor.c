#include "sfu/doctor.h"

#include "media/base/text.h"
#include "sfu/config.h"
#include "signaling/json_text.h"

#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    EXIT_USAGE = 2,
    LINE_MAX_BYTES = 4096,
    MAX_ARGUMENTS = 256,
    TOPIC_COLUMN = 18,
};

const char *doctor_level_name(enum doctor_level level)
{
    static const char *const names[] = {
        [DOCTOR_OK] = "OK", [DOCTOR_WARN] = "WARN", [DOCTOR_FAIL] = "FAIL"};

    return names[level];
}

static void print_json(struct doctor *d, enum doctor_level level, const char *const fields[3])
{
    static const char *const names[] = {"topic", "message", "remedy"};
    struct text line;

    text_init(&line, LINE_MAX_BYTES);
    text_printf(&line, "{\"level\":\"%s\"", doctor_level_name(level));
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (!fields[i])
            continue;
        text_printf(&line, ",\"%s\":", names[i]);
        json_append_string(&line, fields[i]);
    }
    text_append(&line, "}\n");
    (void)fputs(text_str(&line), d->out);
    text_done(&line);
}

void doctor_say(struct doctor *d, enum doctor_level level, const char *topic, const char *remedy,
                const char *format, ...)
{
    char message[1024];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    d->n[level]++;
    if (d->json) {
        print_json(d, level, (const char *const[]){topic, message, remedy});
    } else {
        (void)fprintf(d->out, "%-5s %-*s %s\n", doctor_level_name(level), TOPIC_COLUMN, topic,
                      message);
        if (remedy)
            (void)fprintf(d->out, "%*s -> %s\n", 6 + TOPIC_COLUMN - 3, "", remedy);
    }
    (void)fflush(d->out); /* the next one may take seconds */
}

static void print_help(void)
{
    (void)printf(
        "sluice doctor: is everything as a server needs it? Each line is OK, WARN or FAIL, with "
        "what to do.\n"
        "\n"
        "Usage: sluice doctor [options] [settings]\n"
        "\n"
        "Options:\n"
        "  --turn       try every TURN server of ice_servers: connect, allocate, relay a datagram\n"
        "  --ca FILE    certificates (PEM) to trust with turns:, not the system's\n"
        "  --insecure   take any certificate of a TURN server\n"
        "  --json       one JSON object per line\n"
        "  -h, --help   print this\n"
        "\n"
        "Settings are those of the server: --config FILE, flags, environment; see sluice --help.\n"
        "Give those that the server runs with, and run it on the same machine as the same user.\n"
        "Exit code: 0 when nothing failed, 1 when something did, 2 for a wrong setting.\n");
}

/* Take our own options out of the command line. @return how many are left; -1: one is wrong */
static int take_options(struct doctor *d, int argc, char **argv, const char **rest)
{
    int n = 0;

    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--turn") == 0)
            d->turn = true;
        else if (strcmp(argv[i], "--json") == 0)
            d->json = true;
        else if (strcmp(argv[i], "--insecure") == 0)
            d->insecure = true;
        else if (strcmp(argv[i], "--ca") == 0 && i + 1 < argc)
            d->ca_file = argv[++i];
        else if (strncmp(argv[i], "--ca=", 5) == 0)
            d->ca_file = argv[i] + 5;
        else if (n == MAX_ARGUMENTS)
            return -1;
        else
            rest[n++] = argv[i];
    }
    rest[n] = NULL;
    return n;
}

static void check_all(struct doctor *d)
{
    doctor_check_ports(d);
    doctor_check_addresses(d);
    doctor_check_access(d);
    doctor_check_certificate(d);
    doctor_check_system(d);
    if (d->turn)
        doctor_check_turn(d);
}

static void sum_up(struct doctor *d)
{
    if (d->json)
        return;
    (void)fprintf(d->out, "\n%u well, %u to look at, %u wrong\n", (unsigned)d->n[DOCTOR_OK],
                  (unsigned)d->n[DOCTOR_WARN], (unsigned)d->n[DOCTOR_FAIL]);
}

int doctor_run(int argc, char **argv)
{
    static struct config config;
    const char *rest[MAX_ARGUMENTS + 1];
    struct doctor d = {.config = &config, .out = stdout};
    struct config_error error;
    enum config_action action;
    int n = take_options(&d, argc, argv, rest);

    if (n < 0) {
        (void)fprintf(stderr, "sluice: too many arguments\n");
        return EXIT_USAGE;
    }
    if (config_load(&config, n, rest, (const char *const *)environ, &action, &error) < 0) {
        doctor_say(&d, DOCTOR_FAIL, "settings", NULL, "%s", error.message);
        return EXIT_USAGE;
    }
    if (action != CONFIG_RUN) {
        print_help();
        return EXIT_SUCCESS;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    check_all(&d);
    sum_up(&d);
    return d.n[DOCTOR_FAIL] > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
