#include "signaling/turn_credentials.h"

#include "tests/tap.h"

static void they_are_what_coturn_computes(void)
{
    struct turn_credentials made;

    /* printf %s 1700000000:ada | openssl dgst -sha1 -hmac north -binary | base64 */
    CHECK_EQ(turn_credentials_make(&made, "north", "ada", 1700000000), 0);
    CHECK_STR(made.username, "1700000000:ada");
    CHECK_STR(made.credential, "ndZ88ryT1whVxdkcRLepT9D1MpM=");
}

static void another_secret_makes_another_password(void)
{
    struct turn_credentials a;
    struct turn_credentials b;

    CHECK_EQ(turn_credentials_make(&a, "north", "ada", 1700000000), 0);
    CHECK_EQ(turn_credentials_make(&b, "south", "ada", 1700000000), 0);
    CHECK_STR(a.username, b.username);
    CHECK(strcmp(a.credential, b.credential) != 0);
}

static void an_identity_is_cut_and_made_plain(void)
{
    char identity[TURN_IDENTITY_MAX + 20] = "p:1 \xc3\xa4\n";
    struct turn_credentials made;

    CHECK_EQ(turn_credentials_make(&made, "north", identity, 5), 0);
    CHECK_STR(made.username, "5:p_1____");
    memset(identity, 'x', sizeof(identity) - 1);
    identity[sizeof(identity) - 1] = '\0';
    CHECK_EQ(turn_credentials_make(&made, "north", identity, INT64_MAX), 0);
    CHECK_EQ(strlen(made.username), 19 + 1 + TURN_IDENTITY_MAX);
}

static void nobody_has_a_name_too(void)
{
    struct turn_credentials made;

    CHECK_EQ(turn_credentials_make(&made, "north", "", 1700000000), 0);
    CHECK_STR(made.username, "1700000000:");
    CHECK_EQ(strlen(made.credential), TURN_CREDENTIAL_LEN);
}

TAP_CASES(CASE(they_are_what_coturn_computes), CASE(another_secret_makes_another_password),
          CASE(an_identity_is_cut_and_made_plain), CASE(nobody_has_a_name_too))
