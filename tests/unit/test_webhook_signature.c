#include "sfu/webhook_signature.h"

#include "tests/tap.h"

static void it_is_what_other_programs_make_of_it(void)
{
    char out[WEBHOOK_SIGNATURE_MAX];

    /* printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac whsec */
    CHECK_EQ(webhook_sign(out, "whsec", 1700000000, "{\"a\":1}", 7), 0);
    CHECK_STR(out,
              "t=1700000000,v1=8ad37ba156048ae0e0a5533c75cdf26fee88b07f93cb57ee4c80adb053012032");
}

static void time_body_and_secret_count(void)
{
    char a[WEBHOOK_SIGNATURE_MAX], b[WEBHOOK_SIGNATURE_MAX];

    CHECK_EQ(webhook_sign(a, "x", 1, "body", 4), 0);
    CHECK_EQ(webhook_sign(b, "x", 1, "bodx", 4), 0);
    CHECK(strcmp(a, b) != 0);
    CHECK_EQ(webhook_sign(b, "y", 1, "body", 4), 0);
    CHECK(strcmp(a, b) != 0);
    CHECK_EQ(webhook_sign(b, "x", 2, "body", 4), 0);
    CHECK(strcmp(a + 4, b + 4) != 0);
}

TAP_CASES(CASE(it_is_what_other_programs_make_of_it), CASE(time_body_and_secret_count))
