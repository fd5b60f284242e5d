#include "sfu/ice_servers.h"

#include "sfu/config.h"
#include "signaling/turn_credentials.h"
#include "tests/tap.h"

#include <errno.h>

static const int64_t NOW_S = 1700000000;

static struct config config;
static struct message_ice_server servers[MESSAGE_MAX_ICE_SERVERS];

static void set_up(const char *secret)
{
    config_init(&config);
    config.turn_ttl_s = 600;
    (void)snprintf(config.turn_secret, sizeof(config.turn_secret), "%s", secret);
}

static void put(const char *entry)
{
    (void)snprintf(config.ice_servers.text[config.ice_servers.n++],
                   sizeof(config.ice_servers.text[0]), "%s", entry);
}

static int check_error(const char *word)
{
    struct config_error error = {0};
    int err = ice_servers_check(&config, &error);

    if (err < 0 && !strstr(error.message, word))
        printf("# %s\n", error.message);
    return err < 0 && strstr(error.message, word) ? err : 0;
}

static void nothing_is_told_by_default(void)
{
    set_up("");
    CHECK_EQ(ice_servers_fill(&config, "ada", NOW_S, servers), 0);
}

static void passwords_are_made_of_secret_time_and_identity(void)
{
    struct turn_credentials expected;

    set_up("north");
    put("turn:turn.example.org");
    CHECK_EQ(turn_credentials_make(&expected, "north", "ada", NOW_S + 600), 0);
    CHECK_EQ(ice_servers_fill(&config, "ada", NOW_S, servers), 1);
    CHECK_STR(servers[0].username, "1700000600:ada");
    CHECK_STR(servers[0].credential, expected.credential);
    CHECK_EQ(servers[0].n_urls, 1);
    CHECK_STR(servers[0].urls[0], "turn:turn.example.org");
}

static void urls_of_the_same_credentials_are_one_server(void)
{
    set_up("north");
    put("turn:a:3478?transport=udp");
    put("stun:a");
    put("turn:a:3478?transport=tcp");
    put("turns:a:443");
    CHECK_EQ(ice_servers_fill(&config, "ada", NOW_S, servers), 2);
    CHECK_EQ(servers[0].n_urls, 3);
    CHECK_STR(servers[0].urls[2], "turns:a:443");
    CHECK_EQ(servers[1].n_urls, 1);
    CHECK_STR(servers[1].urls[0], "stun:a");
    CHECK_STR(servers[1].username, "");
    CHECK_STR(servers[1].credential, "");
}

static void a_fixed_account_needs_no_secret(void)
{
    set_up("");
    put("turn:a user pass:word");
    CHECK_EQ(check_error(""), 0);
    CHECK_EQ(ice_servers_fill(&config, "ada", NOW_S, servers), 1);
    CHECK_STR(servers[0].urls[0], "turn:a");
    CHECK_STR(servers[0].username, "user");
    CHECK_STR(servers[0].credential, "pass:word");
}

static void a_relay_without_any_credentials_is_refused(void)
{
    set_up("");
    put("turn:a");
    CHECK_EQ(check_error("turn_secret"), -EINVAL);
    CHECK_EQ(ice_servers_fill(&config, "ada", NOW_S, servers), 0);
}

static void sixteen_urls_of_one_account_fit_and_no_more(void)
{
    set_up("north");
    for (int i = 0; i < MESSAGE_MAX_ICE_SERVERS * MESSAGE_MAX_ICE_URLS - 1; i++)
        put("turn:a");
    CHECK_EQ(check_error(""), 0);
    CHECK_EQ(ice_servers_fill(&config, "ada", NOW_S, servers), MESSAGE_MAX_ICE_SERVERS);
    CHECK_EQ(servers[MESSAGE_MAX_ICE_SERVERS - 1].n_urls, MESSAGE_MAX_ICE_URLS - 1);
    put("stun:a");
    CHECK_EQ(check_error("too many"), -EINVAL);
}

static void five_accounts_are_refused(void)
{
    static const char *const entries[] = {"turn:a 1 x", "turn:a 2 x", "turn:a 3 x", "turn:a 4 x",
                                          "turn:a 5 x"};

    set_up("");
    for (size_t i = 0; i < ARRAY_LEN(entries); i++)
        put(entries[i]);
    CHECK_EQ(check_error("too many"), -EINVAL);
}

static void what_is_wrong_is_refused_without_telling_the_password(void)
{
    static const char *const wrong[] = {"",
                                        " turn:a",
                                        "turn:a user",
                                        "turn:a user pass more",
                                        "turn:a  pass",
                                        "stun:a user pass",
                                        "http://a"};
    struct config_error error = {0};
    struct ice_server server;

    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        CHECK_EQ(ice_server_parse(&server, wrong[i]), -EINVAL);
    CHECK_EQ(ice_server_parse(&server, "stuns:a"), -ENOTSUP);
    set_up("");
    put("turn:a user hush more");
    CHECK_EQ(ice_servers_check(&config, &error), -EINVAL);
    CHECK(!strstr(error.message, "hush"));
    CHECK(strstr(error.message, "turn:a") != NULL);
}

TAP_CASES(CASE(nothing_is_told_by_default), CASE(passwords_are_made_of_secret_time_and_identity),
          CASE(urls_of_the_same_credentials_are_one_server), CASE(a_fixed_account_needs_no_secret),
          CASE(a_relay_without_any_credentials_is_refused),
          CASE(sixteen_urls_of_one_account_fit_and_no_more), CASE(five_accounts_are_refused),
          CASE(what_is_wrong_is_refused_without_telling_the_password))
