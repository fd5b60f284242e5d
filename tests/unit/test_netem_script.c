#include "bench/netem_script.h"

#include "media/base/clock.h"
#include "tests/tap.h"

#include <errno.h>
#include <string.h>

static char error[NETEM_SCRIPT_ERROR_MAX];

static int parse(struct netem_statement *ret, const char *text)
{
    return netem_statement_parse(ret, text, strlen(text), error);
}

static int add(struct netem_script *s, const char *text, int64_t now_us)
{
    return netem_script_add(s, text, strlen(text), now_us, error);
}

static void every_key_is_read(void)
{
    struct netem_statement s;
    struct netem_config c = {0};

    CHECK_EQ(parse(&s, " rate=300k delay=50ms\tqueue=64k jitter=1.5ms loss=5% burst=0.01/8 "
                       "reorder=2%/30ms duplicate=.25 blackout=2s/30s overhead=28 seed=7 at=1m"),
             1);
    netem_statement_apply(&s, &c);
    CHECK(s.up && s.down && !s.clear);
    CHECK_EQ(s.at_us, 60 * SECOND);
    CHECK_EQ(c.rate_bps, 300000);
    CHECK_EQ(c.delay_us, 50 * MS);
    CHECK_EQ(c.queue_bytes, 64000);
    CHECK_EQ(c.queue_us, 0);
    CHECK_EQ(c.jitter_us, 1500);
    CHECK(c.loss == 0.05 && c.burst_start == 0.01 && c.burst_len == 8);
    CHECK(c.reorder == 0.02 && c.reorder_us == 30 * MS && c.duplicate == 0.25);
    CHECK(!c.blackout && c.blackout_us == 2 * SECOND && c.blackout_period_us == 30 * SECOND);
    CHECK_EQ(c.overhead, 28);
    CHECK_EQ(c.seed, 7);
}

static void forms_of_a_value(void)
{
    struct netem_statement s;

    CHECK(parse(&s, "rate=2.5M") == 1 && s.values.rate_bps == 2500000);
    CHECK(parse(&s, "rate=none") == 1 && s.values.rate_bps == 0 && s.keys != 0);
    CHECK(parse(&s, "queue=200ms") == 1 && s.values.queue_us == 200 * MS);
    CHECK(parse(&s, "delay=0") == 1 && s.values.delay_us == 0);
    CHECK(parse(&s, "delay=250us") == 1 && s.values.delay_us == 250);
    CHECK(parse(&s, "reorder=1%") == 1 && s.values.reorder == 0.01 && s.values.reorder_us == 0);
    CHECK(parse(&s, "burst=0") == 1 && s.values.burst_start == 0);
    CHECK(parse(&s, "loss=100%") == 1 && s.values.loss == 1);
    CHECK(parse(&s, "blackout=on") == 1 && s.values.blackout);
    CHECK(parse(&s, "blackout=off") == 1 && !s.values.blackout);
    CHECK(parse(&s, "down rate=1k # slow") == 1 && s.down && !s.up);
}

static void empty_statements_say_nothing(void)
{
    struct netem_statement s;

    CHECK_EQ(parse(&s, ""), 0);
    CHECK_EQ(parse(&s, " \t\r"), 0);
    CHECK_EQ(parse(&s, "# rate=1M"), 0);
}

static void what_is_wrong_is_said(void)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"rate=300", "rate wants bit/s"},
        {"rate=200G", "rate wants bit/s"},
        {"rate=-1M", "rate wants"},
        {"rate=1MM", "rate wants"},
        {"rate=1.2.3k", "rate wants"},
        {"rate=inf", "rate wants"},
        {"rate=0x10k", "rate wants"},
        {"delay=50", "delay wants a time"},
        {"delay=25000m", "delay wants a time"},
        {"delay=", "delay wants a time"},
        {"queue=0", "queue wants"},
        {"queue=2G", "queue wants"},
        {"loss=101%", "loss wants a share"},
        {"loss=1.5", "loss wants a share"},
        {"burst=1%", "burst wants"},
        {"burst=1%/0.5", "burst wants"},
        {"burst=1%/10001", "burst wants"},
        {"reorder=1%/0", "reorder wants"},
        {"blackout=maybe", "blackout wants"},
        {"blackout=on/5s", "blackout wants"},
        {"blackout=5s/5s", "blackout wants"},
        {"overhead=201", "overhead wants"},
        {"overhead=1.5", "overhead wants"},
        {"seed=1e3", "seed wants"},
        {"loss=1% loss=2%", "loss is given twice"},
        {"speed=3M", "there is no \"speed\""},
        {"sideways", "\"sideways\" is no key=value"},
        {"=", "there is no \"\""},
        {"rate=\x80", "a word is too long or has strange characters"},
        {"rate=0000000000000000000000000000000000000000000000000000000000000001M",
         "a word is too long"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct netem_statement s;

        CHECK_EQ(parse(&s, cases[i].text), -EINVAL);
        error[strlen(cases[i].why)] = '\0';
        CHECK_STR(error, cases[i].why);
    }
}

static void changes_come_at_their_time_and_keep_the_rest(void)
{
    static struct netem_script s;

    netem_script_init(&s);
    CHECK_EQ(add(&s,
                 "# a viewer\n"
                 "down rate=300k delay=50ms; up rate=1M   # ; not a statement\n"
                 "at=70s down rate=5M\n"
                 "at=60s up loss=5%\n",
                 SECOND),
             0);
    CHECK_EQ(netem_script_advance(&s, 0, NULL), SECOND);
    CHECK_EQ(s.config[NETEM_DOWN].rate_bps, 0);
    CHECK_EQ(netem_script_advance(&s, SECOND, NULL), 61 * SECOND);
    CHECK_EQ(s.config[NETEM_DOWN].rate_bps, 300000);
    CHECK_EQ(s.config[NETEM_UP].rate_bps, 1000000);
    CHECK_EQ(netem_script_advance(&s, 61 * SECOND, NULL), 71 * SECOND);
    CHECK(s.config[NETEM_UP].loss == 0.05 && s.config[NETEM_DOWN].loss == 0);
    CHECK_EQ(netem_script_advance(&s, 100 * SECOND, NULL), NEVER_US);
    CHECK_EQ(s.config[NETEM_DOWN].rate_bps, 5000000);
    CHECK_EQ(s.config[NETEM_DOWN].delay_us, 50 * MS);
}

static void clear_leaves_what_the_statement_says(void)
{
    static struct netem_script s;

    netem_script_init(&s);
    CHECK_EQ(add(&s, "seed=3 delay=50ms loss=1%\nclear up rate=1M", 0), 0);
    CHECK_EQ(netem_script_advance(&s, 0, NULL), NEVER_US);
    CHECK(s.config[NETEM_UP].delay_us == 0 && s.config[NETEM_UP].loss == 0);
    CHECK_EQ(s.config[NETEM_UP].rate_bps, 1000000);
    CHECK_EQ(s.config[NETEM_UP].seed, 3);
    CHECK_EQ(s.config[NETEM_DOWN].delay_us, 50 * MS);
}

static void links_are_changed(void)
{
    static struct netem_script s;
    struct netem_config plain = {0};
    struct netem *links[NETEM_DIRECTIONS] = {netem_new(&plain), netem_new(&plain)};

    netem_script_init(&s);
    CHECK_EQ(add(&s, "at=1s down rate=1M", 0), 0);
    (void)netem_script_advance(&s, SECOND, links);
    CHECK_EQ(netem_config(links[NETEM_DOWN])->rate_bps, 1000000);
    CHECK_EQ(netem_config(links[NETEM_UP])->rate_bps, 0);
    netem_free(links[0]);
    netem_free(links[1]);
}

static void a_bad_line_is_named_and_adds_nothing(void)
{
    static struct netem_script s;

    netem_script_init(&s);
    CHECK_EQ(add(&s, "rate=1M\n\nup; loss=5\n", 0), -EINVAL);
    CHECK(strncmp(error, "line 3: loss wants", 18) == 0);
    CHECK_EQ(s.n, 0);
}

static void so_many_changes_wait_and_no_more(void)
{
    static struct netem_script s;

    netem_script_init(&s);
    for (int i = 0; i < NETEM_SCRIPT_MAX; i++)
        CHECK_EQ(add(&s, "at=5s loss=1%", 0), 0);
    CHECK_EQ(add(&s, "loss=1%", 0), -ENOSPC);
    CHECK_EQ(s.n, NETEM_SCRIPT_MAX);
    CHECK_EQ(netem_script_advance(&s, 5 * SECOND, NULL), NEVER_US);
    CHECK_EQ(add(&s, "loss=1%", 0), 0);
}

TAP_CASES(CASE(every_key_is_read), CASE(forms_of_a_value), CASE(empty_statements_say_nothing),
          CASE(what_is_wrong_is_said), CASE(changes_come_at_their_time_and_keep_the_rest),
          CASE(clear_leaves_what_the_statement_says), CASE(links_are_changed),
          CASE(a_bad_line_is_named_and_adds_nothing), CASE(so_many_changes_wait_and_no_more))
