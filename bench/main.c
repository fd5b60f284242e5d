#include "bench/bench_options.h"
#include "bench/largest.h"
#include "bench/load.h"
#include "bench/report.h"
#include "media/base/log.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { RESULT_OK, RESULT_FAILED, RESULT_USAGE, TEXT_MAX = 64 * 1024 };

static int print_help(void)
{
    struct text text;

    text_init(&text, TEXT_MAX);
    bench_options_help(&text);
    (void)fputs(text_str(&text), stdout);
    text_done(&text);
    return RESULT_OK;
}

/* Two descriptors a connection. */
static void raise_limits(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int run_largest(const struct bench_options *options)
{
    static struct largest_result result;
    struct text text;

    if (largest_run(options, &result) < 0) {
        (void)fputs("sluice-bench: interrupted\n", stderr);
        return RESULT_FAILED;
    }
    text_init(&text, TEXT_MAX);
    if (options->json)
        largest_json(&text, options, &result);
    else
        largest_table(&text, &result);
    (void)fputs(text_str(&text), stdout);
    text_done(&text);
    return RESULT_OK;
}

static int run(const struct bench_options *options)
{
    static struct load_result result;
    char reason[LOAD_REASON_MAX + 1];
    struct text text;

    if (load_run(options, &result, reason) < 0) {
        (void)fprintf(stderr, "sluice-bench: %s\n", reason);
        return RESULT_FAILED;
    }
    text_init(&text, TEXT_MAX);
    if (options->json)
        report_json(&text, options, &result);
    else
        report_table(&text, options, &result);
    (void)fputs(text_str(&text), stdout);
    text_done(&text);
    if (result.findings.wrong > 0) {
        (void)fputs("sluice-bench: payloads came that nobody sent\n", stderr);
        return RESULT_FAILED;
    }
    return RESULT_OK;
}

int main(int argc, char **argv)
{
    struct bench_options options;
    char error[BENCH_OPTIONS_ERROR_MAX + 1];

    if (bench_options_parse(&options, argc, argv, error) < 0) {
        (void)fprintf(stderr, "sluice-bench: %s\nTry: sluice-bench --help\n", error);
        return RESULT_USAGE;
    }
    if (options.help)
        return print_help();
    if (options.version) {
        (void)printf("sluice-bench %s\n", SLUICE_VERSION);
        return RESULT_OK;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    raise_limits();
    log_set_level(LOG_WARN);
    return options.largest ? run_largest(&options) : run(&options);
}
