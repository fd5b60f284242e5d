#include "sfu/command_token.h"

#include "tests/tap.h"

#include <errno.h>

enum { MAX_ARGS = 24 };

static struct token_options options;
static char error[TOKEN_OPTION_ERROR_MAX];

/* Words with single blanks between. */
static int parse(const char *line)
{
    static char text[512];
    const char *argv[MAX_ARGS + 1] = {"token"};
    int argc = 1;
    char *rest = text;

    (void)snprintf(text, sizeof(text), "%s", line);
    while (*rest && argc < MAX_ARGS) {
        argv[argc++] = rest;
        rest += strcspn(rest, " ");
        if (*rest)
            *rest++ = '\0';
    }
    return token_options_parse(&options, argc, argv, error);
}

static void check_refused(const char *line, const char *reason)
{
    CHECK_EQ(parse(line), -EINVAL);
    CHECK(strstr(error, reason));
}

static void room_and_identity_are_enough(void)
{
    CHECK_EQ(parse("--room demo --identity ada"), 0);
    CHECK_STR(options.grants.room, "demo");
    CHECK_STR(options.grants.identity, "ada");
    CHECK_EQ(options.ttl_s, 3600);
    CHECK(options.grants.join && options.grants.publish && options.grants.subscribe);
    CHECK(options.grants.data && !options.grants.admin && !options.grants.hidden);
    CHECK(!options.key && !options.config && !options.help);
}

static void every_option_is_read(void)
{
    CHECK_EQ(parse("--room=* --identity=a --name Ada --ttl 15m --publish camera,screen "
                   "--subscribe no --data no --hidden --admin --record --key k:@f"),
             0);
    CHECK_STR(options.grants.room, "*");
    CHECK_STR(options.grants.name, "Ada");
    CHECK_EQ(options.ttl_s, 900);
    CHECK_EQ(options.grants.n_sources, 2);
    CHECK_STR(options.grants.sources[1], "screen");
    CHECK(!options.grants.subscribe && !options.grants.data);
    CHECK(options.grants.hidden && options.grants.admin && options.grants.record);
    CHECK_STR(options.key, "k:@f");
}

static void administrator_needs_no_room(void)
{
    CHECK_EQ(parse("--admin"), 0);
    CHECK(options.grants.admin && !options.grants.join && !options.grants.publish);
}

static void times_have_units(void)
{
    CHECK_EQ(parse("--admin --ttl 90s"), 0);
    CHECK_EQ(options.ttl_s, 90);
    CHECK_EQ(parse("--admin --ttl 7d"), 0);
    CHECK_EQ(options.ttl_s, 7 * 86400);
    CHECK_EQ(parse("--admin --ttl never"), 0);
    CHECK_EQ(options.ttl_s, 0);
    check_refused("--admin --ttl 5", "--ttl");
    check_refused("--admin --ttl 0s", "--ttl");
    check_refused("--admin --ttl -1h", "--ttl");
    check_refused("--admin --ttl 1hh", "--ttl");
    check_refused("--admin --ttl 4000d", "--ttl");
    check_refused("--admin --ttl 99999999999999999999d", "--ttl");
}

static void what_is_wrong_is_said(void)
{
    check_refused("", "--room");
    check_refused("--room demo", "--identity");
    check_refused("--room .. --identity a", "--room");
    check_refused("--room demo --identity a --publish a,,b", "--publish");
    check_refused("--room demo --identity a --publish 1,2,3,4,5,6,7,8,9", "at most 8");
    check_refused("--room demo --identity a --data maybe", "--data");
    check_refused("--room demo --identity a --nonsense", "\"--nonsense\" is not an option");
    check_refused("--room demo --identity a extra", "\"extra\" is not an option");
    check_refused("--room", "--room needs a value");
    check_refused("--hidden=yes", "--hidden takes no value");
}

static void help_counts_before_all_else(void)
{
    CHECK_EQ(parse("--help"), 0);
    CHECK(options.help);
    CHECK_EQ(parse("-h --nonsense"), 0);
    CHECK(options.help);
}

TAP_CASES(CASE(room_and_identity_are_enough), CASE(every_option_is_read),
          CASE(administrator_needs_no_room), CASE(times_have_units), CASE(what_is_wrong_is_said),
          CASE(help_counts_before_all_else))
