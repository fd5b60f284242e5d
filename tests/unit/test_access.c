#include "sfu/access.h"

#include "media/base/clock.h"
#include "media/base/log.h"
#include "sfu/config.h"
#include "signaling/message.h"
#include "signaling/token.h"
#include "tests/same_grants.h"
#include "tests/tap.h"
#include "tests/token_data.h"

#include <errno.h>
#include <unistd.h>

static const int64_t NOW_S = 1700000000;

static struct config config;
static struct access *access_under_test;
static struct grants grants;
static struct message error;
static char path[] = "/tmp/sluice-test-key-XXXXXX";

static void begin(const char *entry)
{
    struct config_error why;

    log_set_level(LOG_ERROR);
    config_init(&config);
    if (entry)
        CHECK_EQ(config_set(&config, "keys", entry, &why), 0);
    CHECK_EQ(access_new(&access_under_test, &config, &why), 0);
}

static void begin_with_secret(void)
{
    char entry[128];

    (void)snprintf(entry, sizeof(entry), "app:%s", secret_text);
    begin(entry);
}

static void end(void)
{
    access_under_test = access_free(access_under_test);
}

static void write_file(const char *text)
{
    FILE *file = fopen(path, "we");

    CHECK(file);
    CHECK(fputs(text, file) >= 0);
    CHECK_EQ(fclose(file), 0);
}

/* @return an entry of `keys` for a file with `text` */
static const char *make_file(const char *id, const char *text)
{
    static char entry[128];
    int fd;

    memcpy(path + sizeof(path) - 7, "XXXXXX", 6);
    fd = mkstemp(path);
    CHECK(fd >= 0);
    (void)close(fd);
    write_file(text);
    (void)snprintf(entry, sizeof(entry), "%s@%s", id, path);
    return entry;
}

static int admit(const char *token, enum access_want want, const char *room)
{
    error = (struct message){0};
    return access_admit(access_under_test, token, want, room, NOW_S, &grants, &error);
}

static void check_denied(const char *token, enum access_want want, const char *room,
                         const char *code)
{
    CHECK_EQ(admit(token, want, room), -EACCES);
    CHECK_STR(error.code, code);
    CHECK(error.text[0]);
}

/* A token of the secret. */
static const char *token_of(const struct grants *g)
{
    static char text[MESSAGE_TOKEN_MAX + 1];
    char why[TOKEN_KEY_ERROR_MAX], *token = NULL;
    struct token_keys keys = {0};

    CHECK_EQ(token_keys_add_secret(&keys, "app", secret_text, strlen(secret_text), why), 0);
    CHECK_EQ(token_sign(&keys, g, NOW_S, &token), 0);
    (void)snprintf(text, sizeof(text), "%s", token);
    free(token);
    token_keys_clear(&keys);
    return text;
}

static void without_keys_everybody_may_but_administer(void)
{
    begin(NULL);
    CHECK(access_is_open(access_under_test));
    CHECK_EQ(admit(NULL, ACCESS_JOIN, "demo"), 0);
    CHECK(grants.publish && grants.subscribe && grants.data && !grants.admin && !grants.record);
    CHECK_EQ(admit("nonsense", ACCESS_WHIP, "demo"), 0);
    check_denied(NULL, ACCESS_ADMIN, NULL, "token_missing");
    end();
    CHECK(access_is_open(NULL));
}

static void with_a_key_everybody_needs_a_token(void)
{
    begin_with_secret();
    CHECK(!access_is_open(access_under_test));
    check_denied(NULL, ACCESS_JOIN, "demo", "token_missing");
    check_denied("", ACCESS_WHEP, "demo", "token_missing");
    check_denied("nonsense", ACCESS_JOIN, "demo", "token_bad");
    check_denied(token_rs256, ACCESS_JOIN, "demo", "token_bad");
    CHECK_EQ(admit(token_hs256, ACCESS_JOIN, "demo"), 0);
    CHECK_STR(grants.identity, "ada");
    end();
}

static void token_is_for_its_room(void)
{
    struct grants any = {.room = "*", .join = true};

    begin_with_secret();
    check_denied(token_hs256, ACCESS_JOIN, "other", "token_room");
    CHECK_EQ(admit(token_of(&any), ACCESS_JOIN, "other"), 0);
    end();
}

static void token_is_for_its_time(void)
{
    struct grants old = {.room = "demo", .join = true, .expires_s = NOW_S - 3600};

    begin_with_secret();
    check_denied(token_of(&old), ACCESS_JOIN, "demo", "token_expired");
    check_denied(token_later, ACCESS_JOIN, "demo", "token_not_yet");
    end();
}

static void each_want_needs_its_grant(void)
{
    struct grants none = {.room = "demo"}, listener = {.room = "demo", .join = true};
    struct grants hidden = {.room = "demo", .join = true, .publish = true, .hidden = true};

    listener.subscribe = true;
    begin_with_secret();
    check_denied(token_of(&none), ACCESS_JOIN, "demo", "not_allowed");
    check_denied(token_of(&none), ACCESS_WHIP, "demo", "not_allowed");
    CHECK_EQ(admit(token_of(&listener), ACCESS_JOIN, "demo"), 0);
    CHECK_EQ(admit(token_of(&listener), ACCESS_WHEP, "demo"), 0);
    check_denied(token_of(&listener), ACCESS_WHIP, "demo", "not_allowed");
    check_denied(token_of(&hidden), ACCESS_WHIP, "demo", "not_allowed");
    check_denied(token_of(&hidden), ACCESS_WHEP, "demo", "not_allowed");
    end();
}

static void admin_is_for_a_room_or_for_all(void)
{
    struct grants all = {.admin = true}, one = {.room = "demo", .admin = true};

    begin_with_secret();
    CHECK_EQ(admit(token_of(&all), ACCESS_ADMIN, NULL), 0);
    CHECK_EQ(admit(token_of(&all), ACCESS_ADMIN, "demo"), 0);
    check_denied(token_of(&all), ACCESS_JOIN, "demo", "token_room");
    CHECK_EQ(admit(token_of(&one), ACCESS_ADMIN, "demo"), 0);
    check_denied(token_of(&one), ACCESS_ADMIN, NULL, "not_allowed");
    check_denied(token_of(&one), ACCESS_ADMIN, "other", "not_allowed");
    check_denied(token_hs256, ACCESS_ADMIN, "demo", "not_allowed");
    end();
}

static void keys_come_from_files(void)
{
    begin(make_file("r1:", rsa_public));
    CHECK_EQ(admit(token_rs256, ACCESS_JOIN, "demo"), 0);
    end();
    (void)unlink(path);
    begin(make_file("", jwks_text));
    CHECK_EQ(admit(token_rs256, ACCESS_JOIN, "demo"), 0);
    CHECK_EQ(admit(token_es256, ACCESS_JOIN, "demo"), 0);
    CHECK_EQ(admit(token_hs256, ACCESS_JOIN, "demo"), 0);
    end();
    (void)unlink(path);
}

static void file_that_changes_is_read_again(void)
{
    begin(make_file("", rsa_public));
    check_denied(token_es256, ACCESS_JOIN, "demo", "token_bad");
    write_file(jwks_text);
    access_advance(access_under_test, SECOND);
    CHECK_EQ(admit(token_es256, ACCESS_JOIN, "demo"), 0);
    write_file(rsa_public);
    access_advance(access_under_test, 2 * SECOND); /* it has just looked */
    CHECK_EQ(admit(token_es256, ACCESS_JOIN, "demo"), 0);
    access_advance(access_under_test, (ACCESS_LOOK_S + 1) * SECOND);
    check_denied(token_es256, ACCESS_JOIN, "demo", "token_bad");
    (void)unlink(path);
    end();
}

static void file_that_is_broken_changes_nothing(void)
{
    struct config_error why;

    begin(make_file("", jwks_text));
    write_file("{");
    access_advance(access_under_test, SECOND);
    CHECK_EQ(access_reload(access_under_test, &why), -EINVAL);
    CHECK_EQ(admit(token_es256, ACCESS_JOIN, "demo"), 0);
    (void)unlink(path);
    access_advance(access_under_test, (ACCESS_LOOK_S + 1) * SECOND);
    CHECK_EQ(admit(token_es256, ACCESS_JOIN, "demo"), 0);
    end();
}

static void check_entry(const char *entry, const char *reason)
{
    struct access *a = NULL;
    struct config_error why;

    config_init(&config);
    CHECK_EQ(config_set(&config, "keys", entry, &why), 0);
    CHECK_EQ(access_new(&a, &config, &why), -EINVAL);
    CHECK(strstr(why.message, reason));
}

static void what_is_no_key_is_refused_without_telling_it(void)
{
    struct access *a = NULL;
    struct config_error why;

    check_entry("@/nonexistent", "@/nonexistent: No such file");
    check_entry("app:@/nonexistent", "No such file");
    check_entry("just-a-secret-without-an-id-of-its-own", "must be ID:SECRET");
    check_entry(":0123456789abcdef0123456789abcdef", "must be ID:SECRET");
    check_entry("app:tooshort", "the key \"app\"");
    config_init(&config);
    CHECK_EQ(config_set(&config, "keys", "app:tooshort", &why), 0);
    CHECK_EQ(access_new(&a, &config, &why), -EINVAL);
    CHECK(!strstr(why.message, "tooshort"));
}

static void token_is_renewed_before_it_expires(void)
{
    struct grants g = {.identity = "ada", .room = "demo", .join = true, .expires_s = NOW_S + 600};
    char *token = NULL;

    begin_with_secret();
    CHECK(!access_must_renew(access_under_test, &g, NOW_S));
    CHECK(access_must_renew(access_under_test, &g, NOW_S + 480));
    CHECK_EQ(access_renew(access_under_test, &g, NOW_S + 480, &token), 0);
    CHECK_EQ(g.expires_s, NOW_S + 480 + config.token_ttl_s);
    CHECK(!access_must_renew(access_under_test, &g, NOW_S + 480));
    CHECK_EQ(admit(token, ACCESS_JOIN, "demo"), 0);
    CHECK(same_grants(&grants, &g));
    free(token);
    g.expires_s = 0;
    CHECK(!access_must_renew(access_under_test, &g, NOW_S));
    end();
}

static void who_cannot_sign_renews_nothing(void)
{
    struct grants g = {.room = "demo", .join = true, .expires_s = NOW_S + 1};

    begin(make_file("", rsa_public));
    CHECK(!access_must_renew(access_under_test, &g, NOW_S));
    (void)unlink(path);
    end();
}

TAP_CASES(CASE(without_keys_everybody_may_but_administer), CASE(with_a_key_everybody_needs_a_token),
          CASE(token_is_for_its_room), CASE(token_is_for_its_time), CASE(each_want_needs_its_grant),
          CASE(admin_is_for_a_room_or_for_all), CASE(keys_come_from_files),
          CASE(file_that_changes_is_read_again), CASE(file_that_is_broken_changes_nothing),
          CASE(what_is_no_key_is_refused_without_telling_it),
          CASE(token_is_renewed_before_it_expires), CASE(who_cannot_sign_renews_nothing))
