#include "signaling/token.h"

#include "tests/tap.h"
#include "tests/token_data.h"

#include <errno.h>

static const int64_t NOW_S = 1700000000;

static struct token_keys keys;
static struct grants grants;
static char why[TOKEN_WHY_MAX];

static void add(const char *kid, const char *text)
{
    char error[TOKEN_KEY_ERROR_MAX];

    CHECK_EQ(token_keys_add_file(&keys, kid, text, strlen(text), error), 0);
}

static int verify(const char *token)
{
    memset(&grants, 0, sizeof(grants));
    return token_verify(&keys, token, NOW_S, &grants, why);
}

static void check_good(const char *token)
{
    CHECK_EQ(verify(token), 0);
    CHECK_STR(grants.identity, "ada");
    CHECK_STR(grants.name, "Ada");
    CHECK_STR(grants.room, "demo");
}

static void end(void)
{
    token_keys_clear(&keys);
}

static void tokens_that_others_made_are_good(void)
{
    add("", secret_text);
    check_good(token_hs256);
    check_good(token_hs256_kid);
    end();
    add("r1", rsa_public);
    check_good(token_rs256);
    end();
    add("e1", ec_public);
    check_good(token_es256);
    end();
    add("", jwks_text);
    check_good(token_hs256);
    check_good(token_rs256);
    check_good(token_es256);
    end();
}

static void public_key_is_no_secret(void)
{
    add("", rsa_public);
    CHECK_EQ(verify(token_confused), -EBADMSG);
    CHECK_STR(why, "there is no key for it");
    add("", secret_text);
    CHECK_EQ(verify(token_confused), -EBADMSG);
    CHECK_STR(why, "its signature is wrong");
    end();
}

static void token_must_be_signed(void)
{
    add("", jwks_text);
    CHECK_EQ(verify(token_none), -EBADMSG);
    CHECK_STR(why, "there is no key for it");
    end();
}

static void other_algorithms_have_no_key(void)
{
    add("", jwks_text);
    CHECK_EQ(verify(token_hs512), -EBADMSG);
    CHECK_STR(why, "there is no key for it");
    end();
}

static void critical_headers_are_not_understood(void)
{
    add("", secret_text);
    CHECK_EQ(verify(token_crit), -EBADMSG);
    CHECK_STR(why, "it has critical headers");
    end();
}

static void kid_chooses_the_key(void)
{
    add("s2", secret_text);
    CHECK_EQ(verify(token_hs256_kid), -EBADMSG);
    CHECK_STR(why, "there is no key for it");
    add("s1", secret_text);
    check_good(token_hs256_kid);
    end();
}

static void without_kid_all_keys_of_the_algorithm_are_tried(void)
{
    add("a", rsa_public);
    add("b", "another secret that is long enough for it");
    CHECK_EQ(verify(token_hs256), -EBADMSG);
    CHECK_STR(why, "its signature is wrong");
    add("c", secret_text);
    check_good(token_hs256);
    end();
}

static void any_changed_byte_breaks_it(void)
{
    char token[sizeof(token_hs256)];

    add("", secret_text);
    for (size_t i = 0; i + 1 < sizeof(token); i++) {
        memcpy(token, token_hs256, sizeof(token));
        token[i] = token[i] == 'A' ? 'Q' : 'A';
        CHECK_EQ(verify(token), -EBADMSG);
    }
    end();
}

static void what_is_no_token_is_refused(void)
{
    char token[MESSAGE_TOKEN_MAX + 2];

    add("", secret_text);
    CHECK_EQ(verify(""), -EBADMSG);
    CHECK_EQ(verify("."), -EBADMSG);
    CHECK_EQ(verify(".."), -EBADMSG);
    CHECK_EQ(verify("a.b.c"), -EBADMSG);
    memset(token, 'a', sizeof(token) - 1);
    token[sizeof(token) - 1] = '\0';
    CHECK_EQ(verify(token), -EBADMSG);
    CHECK_STR(why, "it is too long");
    end();
}

static void time_counts_with_a_leeway(void)
{
    struct grants g = {.room = "demo", .join = true, .expires_s = NOW_S + 60};
    char *token = NULL;

    add("", secret_text);
    CHECK_EQ(token_sign(&keys, &g, NOW_S, &token), 0);
    CHECK_EQ(token_verify(&keys, token, NOW_S + 60 + TOKEN_LEEWAY_S - 1, &grants, why), 0);
    CHECK_EQ(grants.expires_s, NOW_S + 60);
    CHECK_EQ(token_verify(&keys, token, NOW_S + 60 + TOKEN_LEEWAY_S, &grants, why), -EKEYEXPIRED);
    free(token);
    end();
}

static void token_of_tomorrow_is_not_valid_yet(void)
{
    /* {"nbf":1700000100,"sluice":{"room":"demo"}} by secret_text */
    add("", secret_text);
    CHECK_EQ(token_verify(&keys, token_later, NOW_S, &grants, why), -EAGAIN);
    CHECK_EQ(token_verify(&keys, token_later, NOW_S + 100 - TOKEN_LEEWAY_S, &grants, why), 0);
    end();
}

static void check_signs(const char *kid, const char *key, const char *other)
{
    struct grants g = {.identity = "ada", .name = "Ada", .room = "demo", .join = true};
    char *token = NULL;

    add(kid, key);
    CHECK_EQ(token_sign(&keys, &g, NOW_S, &token), 0);
    end();
    add(kid, other);
    check_good(token);
    CHECK(!grants.publish);
    free(token);
    end();
}

static void each_kind_of_key_signs(void)
{
    check_signs("", secret_text, secret_text);
    check_signs("k", secret_text, secret_text);
    check_signs("r", rsa_private, rsa_public);
    check_signs("", ec_private, ec_public);
}

static void first_key_that_can_signs(void)
{
    struct grants g = {.identity = "ada", .name = "Ada", .room = "demo"};
    char *token = NULL;

    add("", rsa_public);
    CHECK_EQ(token_sign(&keys, &g, NOW_S, &token), -ENOKEY);
    add("", ec_private);
    add("", secret_text);
    CHECK_EQ(token_sign(&keys, &g, NOW_S, &token), 0);
    end();
    add("", ec_public);
    check_good(token);
    free(token);
    end();
}

TAP_CASES(CASE(tokens_that_others_made_are_good), CASE(public_key_is_no_secret),
          CASE(token_must_be_signed), CASE(other_algorithms_have_no_key),
          CASE(critical_headers_are_not_understood), CASE(kid_chooses_the_key),
          CASE(without_kid_all_keys_of_the_algorithm_are_tried), CASE(any_changed_byte_breaks_it),
          CASE(what_is_no_token_is_refused), CASE(time_counts_with_a_leeway),
          CASE(token_of_tomorrow_is_not_valid_yet), CASE(each_kind_of_key_signs),
          CASE(first_key_that_can_signs))
