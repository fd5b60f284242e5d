#include "sfu/config_reload.h"

#include "sfu/config_keys.h"
#include "tests/tap.h"

#include <errno.h>

enum { MAX_CHANGES = 32 };

static struct config before, after;
static struct config_error error;
static struct config_change changes[MAX_CHANGES];
static size_t n_changes;

static void keep_change(void *owner, const struct config_change *change)
{
    (void)owner;
    CHECK(n_changes < MAX_CHANGES);
    changes[n_changes++] = *change;
}

static void begin(void)
{
    config_init(&before);
    CHECK_EQ(config_set(&before, "listen", "127.0.0.1:8080", &error), 0);
    after = before;
    n_changes = 0;
}

static void set(const char *key, const char *value)
{
    CHECK_EQ(config_set(&after, key, value, &error), 0);
}

static void check_change(const char *key, const char *old, const char *now)
{
    n_changes = 0;
    config_compare(&before, &after, keep_change, NULL);
    CHECK_EQ(n_changes, 1);
    CHECK_STR(changes[0].key, key);
    CHECK_STR(changes[0].before, old);
    CHECK_STR(changes[0].after, now);
    after = before;
}

static void what_is_the_same_is_not_told(void)
{
    begin();
    config_compare(&before, &after, keep_change, NULL);
    CHECK_EQ(n_changes, 0);
}

static void every_type_is_told_as_it_is_written(void)
{
    begin();
    set("max_rooms", "7");
    check_change("max_rooms", "10000", "7");
    set("log_level", "debug");
    check_change("log_level", "info", "debug");
    set("log_format", "json");
    check_change("log_format", "text", "json");
    set("listen", "[::1]:9000");
    check_change("listen", "[127.0.0.1]:8080", "[::1]:9000");
    set("web_root", "/srv");
    check_change("web_root", "", "/srv");
    set("advertise", "192.0.2.1,192.0.2.2");
    check_change("advertise", "", "192.0.2.1,192.0.2.2");
    set("pin_workers", "yes");
    check_change("pin_workers", "no", "yes");
    set("audio_red", "off");
    check_change("audio_red", "auto", "off");
    set("ice", "full");
    check_change("ice", "lite", "full");
    set("seal", "libsrtp2");
    check_change("seal", "auto", "libsrtp2");
    set("tcp_port", "no");
    check_change("tcp_port", "auto", "no");
}

static void secrets_are_not_told(void)
{
    begin();
    set("admin_token", "hunter2");
    check_change("admin_token", "", "...");
    set("turn_secret", "hunter2");
    check_change("turn_secret", "", "...");
    set("webhook_secret", "hunter2");
    check_change("webhook_secret", "", "...");
    set("keys", "a:hunter2hunter2hunter2hunter2hunter2,b:hunter3hunter2hunter2hunter2hunter2");
    check_change("keys", "", "... (2)");
    set("ice_servers", "turn:x user hunter2");
    check_change("ice_servers", "", "... (1)");
    set("webhooks", "https://user:hunter2@x.example/");
    check_change("webhooks", "", "... (1)");
}

static void every_name_of_the_list_is_a_setting(void)
{
    size_t n = 0;

    for (size_t i = 0; i < config_n_keys; i++)
        n += config_needs_restart(config_keys[i].name);
    CHECK_EQ(n, 19);
    CHECK(config_needs_restart("udp_port"));
    CHECK(!config_needs_restart("max_rooms"));
}

static void what_can_hold_at_once_does(void)
{
    begin();
    set("max_rooms", "7");
    set("workers", "3");
    set("admin_token", "new");
    set("advertise", "192.0.2.1");
    CHECK_EQ(config_take(&before, &after, &error), 0);
    CHECK_EQ(before.max_rooms, 7);
    CHECK_EQ(before.workers, 0);
    CHECK_STR(before.admin_token, "new");
    CHECK_EQ(before.advertise.n, 1);
}

static void a_server_for_all_does_not_lose_its_keys(void)
{
    begin();
    CHECK_EQ(config_set(&before, "listen", "[::]:8080", &error), 0);
    CHECK_EQ(config_set(&before, "keys", "a:hunter2hunter2hunter2hunter2hunter2", &error), 0);
    CHECK_EQ(config_take(&before, &after, &error),
             -EINVAL); /* would listen to this machine alone */
    CHECK(error.message[0]);
    CHECK_EQ(before.keys.n, 1);
}

TAP_CASES(CASE(what_is_the_same_is_not_told), CASE(every_type_is_told_as_it_is_written),
          CASE(secrets_are_not_told), CASE(every_name_of_the_list_is_a_setting),
          CASE(what_can_hold_at_once_does), CASE(a_server_for_all_does_not_lose_its_keys))
