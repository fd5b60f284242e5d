#include "client/client.h"
#include "client/options.h"
#include "media/base/log.h"

#include <stdio.h>

static int print_help(void)
{
    struct text text;

    text_init(&text, 64 * 1024);
    options_help(&text);
    (void)fputs(text_str(&text), stdout);
    text_done(&text);
    return CLIENT_OK;
}

int main(int argc, char **argv)
{
    struct options options;
    char error[OPTIONS_ERROR_MAX + 1];
    char reason[CLIENT_REASON_MAX + 1];
    enum client_result result;

    if (options_parse(&options, argc, argv, error) < 0) {
        (void)fprintf(stderr, "sluice-client: %s\nTry: sluice-client --help\n", error);
        return CLIENT_USAGE;
    }
    if (options.help)
        return print_help();
    if (options.version) {
        (void)printf("sluice-client %s\n", SLUICE_VERSION);
        return CLIENT_OK;
    }
    log_set_level((enum log_level)log_level_parse(options.log_level));
    result = client_run(&options, reason);
    if (result != CLIENT_OK)
        (void)fprintf(stderr, "sluice-client: %s\n", reason);
    return (int)result;
}
