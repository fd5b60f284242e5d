#include "bench/bench_options.h"
#include "tests/tap.h"

#include <errno.h>

static struct bench_options o;
static char error[BENCH_OPTIONS_ERROR_MAX + 1];

/* @param line  words with one blank between them */
static int parse(const char *line)
{
    static char copy[512];
    static char program[] = "sluice-bench";
    char *argv[32] = {program};
    int argc = 1;
    char *rest = copy;

    (void)snprintf(copy, sizeof(copy), "%s", line);
    error[0] = '\0';
    while (rest && *rest && argc < 32)
        argv[argc++] = strsep(&rest, " ");
    return bench_options_parse(&o, argc, argv, error);
}

static void a_scenario_and_a_server_are_enough(void)
{
    CHECK_EQ(parse("broadcast --sluice ws://h:8080"), 0);
    CHECK_EQ(o.scenario.kind, SCENARIO_BROADCAST);
    CHECK_EQ(o.scenario.subscribers, 200);
    CHECK_EQ(o.target, TARGET_SLUICE);
    CHECK_EQ(o.profile, SRTP_AEAD_AES_128_GCM);
    CHECK(o.scenario.audio && o.scenario.video && !o.scenario.one_way);
    CHECK_EQ(parse("audio --janus=ws://h:8188 --publishers=3"), 0);
    CHECK(o.scenario.audio && !o.scenario.video && o.scenario.one_way);
    CHECK_EQ(o.scenario.publishers, 3);
    CHECK_EQ(o.scenario.subscribers, 50);
}

static void what_is_wrong_is_named(void)
{
    static const struct {
        const char *line, *error;
    } cases[] = {
        {"broadcast", "name one server: --sluice, --whip and --whep, or --janus"},
        {"broadcast --sluice a --janus b",
         "name one server: --sluice, --whip and --whep, or --janus"},
        {"--sluice a", "name a scenario: broadcast, meeting, audio, rooms, join-storm or idle"},
        {"party --sluice a", "no scenario is called party"},
        {"audio rooms --sluice a", "two scenarios: rooms"},
        {"audio --sluice a --seconds 0", "--seconds: a number from 1 to 3600"},
        {"audio --sluice a --seconds 5s", "--seconds: a number from 1 to 3600"},
        {"audio --sluice a --seconds", "--seconds needs a value: N"},
        {"audio --sluice a --json=1", "--json takes no value"},
        {"audio --sluice a --speed", "unknown option: --speed"},
        {"audio --sluice a -x", "unknown option: -x"},
        {"audio --sluice a --no-audio", "neither audio nor video is left"},
        {"audio --sluice a --profile des", "--profile: any, gcm128, gcm256 or cm"},
        {"audio --whip a", "subscribers need --whep"},
        {"audio --whep a", "--whep needs --whip: somebody must publish"},
        {"meeting --sluice a --publishers 1", "--publishers: a meeting needs two"},
        {"audio --sluice a --largest", "--largest: a broadcast of which something is verified"},
        {"broadcast --sluice a --largest --verify 0",
         "--largest: a broadcast of which something is verified"},
        {"audio --sluice a --feedback 1001", "--feedback: a number from 0 to 1000"},
        {"rooms --sluice a --rooms 20000", "more than 20000 connections"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CHECK_EQ(parse(cases[i].line), -EINVAL);
        CHECK_STR(error, cases[i].error);
    }
}

static void what_browsers_do_can_be_left_out(void)
{
    CHECK_EQ(parse("broadcast --sluice a"), 0);
    CHECK(!o.plain && !o.no_reports && o.feedback_ms == 100);
    CHECK(!o.poll);
    CHECK_EQ(parse("broadcast --sluice a --plain --no-reports --poll"), 0);
    CHECK(o.plain && o.no_reports && o.poll);
    CHECK_EQ(parse("broadcast --sluice a --feedback 0 --count-syscalls --largest"), 0);
    CHECK(o.feedback_ms == 0 && o.count_syscalls && o.largest);
}

static void help_needs_nothing_else_and_names_every_scenario(void)
{
    struct text help;

    CHECK_EQ(parse("--help"), 0);
    CHECK(o.help);
    CHECK_EQ(parse("-h"), 0);
    CHECK(o.help);
    text_init(&help, 64 * 1024);
    bench_options_help(&help);
    CHECK(text_ok(&help));
    for (int i = 0; i < SCENARIO_COUNT; i++)
        CHECK(strstr(text_str(&help), scenario_kind_name((enum scenario_kind)i)) != NULL);
    text_done(&help);
}

TAP_CASES(CASE(a_scenario_and_a_server_are_enough), CASE(what_is_wrong_is_named),
          CASE(what_browsers_do_can_be_left_out),
          CASE(help_needs_nothing_else_and_names_every_scenario))
