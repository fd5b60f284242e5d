#include "media/base/text.h"

#include "tests/tap.h"

static void nothing_appended_is_the_empty_string(void)
{
    struct text t;
    char *taken;

    text_init(&t, 10);
    CHECK(text_ok(&t));
    CHECK_STR(text_str(&t), "");
    taken = text_take(&t);
    CHECK_STR(taken, "");
    free(taken);
}

static void pieces_are_joined(void)
{
    struct text t;

    text_init(&t, 100);
    text_append(&t, "m=audio ");
    text_printf(&t, "%d %s", 9, "UDP");
    text_append_n(&t, "/TLS/ignored", 4);
    text_append_n(&t, NULL, 0);
    CHECK(text_ok(&t));
    CHECK_STR(text_str(&t), "m=audio 9 UDP/TLS");
    CHECK_EQ(t.len, strlen("m=audio 9 UDP/TLS"));
    text_done(&t);
}

static void text_as_long_as_allowed_fits(void)
{
    struct text t;

    text_init(&t, 5);
    text_append(&t, "123");
    text_printf(&t, "%d", 45);
    CHECK(text_ok(&t));
    CHECK_STR(text_str(&t), "12345");
    text_done(&t);
}

static void text_beyond_the_maximum_fails_for_ever(void)
{
    struct text t;

    text_init(&t, 5);
    text_append(&t, "1234");
    text_printf(&t, "%d", 56);
    CHECK(!text_ok(&t));
    text_append(&t, "5");
    CHECK(!text_ok(&t));
    CHECK_STR(text_str(&t), "1234");
    CHECK(!text_take(&t));
    CHECK(text_ok(&t));
    CHECK_STR(text_str(&t), "");
    text_done(&t);
}

static void long_text_grows(void)
{
    struct text t;

    text_init(&t, 100000);
    for (int i = 0; i < 10000; i++)
        text_printf(&t, "%d", i % 10);
    CHECK(text_ok(&t));
    CHECK_EQ(t.len, 10000);
    CHECK_EQ(text_str(&t)[9999], '9');
    CHECK_EQ(strlen(text_str(&t)), 10000);
    text_done(&t);
}

static void one_piece_may_be_larger_than_all_before(void)
{
    static char piece[4000];
    struct text t;

    for (size_t i = 0; i < sizeof(piece) - 1; i++)
        piece[i] = 'x';
    text_init(&t, 5000);
    text_append(&t, "abc");
    text_append(&t, piece);
    CHECK(text_ok(&t));
    CHECK_EQ(strlen(text_str(&t)), 3 + sizeof(piece) - 1);
    text_done(&t);
}

static void taken_text_leaves_an_empty_one(void)
{
    struct text t;
    char *taken;

    text_init(&t, 100);
    text_append(&t, "first");
    taken = text_take(&t);
    CHECK_STR(taken, "first");
    free(taken);
    text_append(&t, "second");
    CHECK_STR(text_str(&t), "second");
    text_done(&t);
    CHECK_STR(text_str(&t), "");
}

TAP_CASES(CASE(nothing_appended_is_the_empty_string), CASE(pieces_are_joined),
          CASE(text_as_long_as_allowed_fits), CASE(text_beyond_the_maximum_fails_for_ever),
          CASE(long_text_grows), CASE(one_piece_may_be_larger_than_all_before),
          CASE(taken_text_leaves_an_empty_one))
