#include "signaling/http_origin.h"

#include "tests/tap.h"

#include <errno.h>

static const struct http_origins nobody;

static void a_page_of_the_server_is_allowed(void)
{
    CHECK(http_origin_allowed(&nobody, "http://calls.example:8080", "calls.example:8080"));
    CHECK(http_origin_allowed(&nobody, "https://calls.example", "calls.example"));
    CHECK(http_origin_allowed(&nobody, "https://Calls.Example", "calls.example:443"));
    CHECK(http_origin_allowed(&nobody, "http://[::1]:8080", "[::1]:8080"));
    CHECK(http_origin_allowed(&nobody, "http://calls.example", "calls.example:80"));
}

static void other_pages_are_not(void)
{
    CHECK(!http_origin_allowed(&nobody, "https://evil.example", "calls.example"));
    CHECK(!http_origin_allowed(&nobody, "https://calls.example:444", "calls.example"));
    CHECK(!http_origin_allowed(&nobody, "https://calls.example", "calls.example:80"));
    CHECK(!http_origin_allowed(&nobody, "https://calls.example.evil", "calls.example"));
    CHECK(!http_origin_allowed(&nobody, "null", "null"));
    CHECK(!http_origin_allowed(&nobody, "calls.example", "calls.example"));
    CHECK(!http_origin_allowed(&nobody, "", "calls.example"));
    CHECK(!http_origin_allowed(&nobody, "https://", ""));
    CHECK(!http_origin_allowed(&nobody, "https://calls.example", NULL));
}

static void those_that_are_listed_are(void)
{
    struct http_origins o = {0};

    CHECK_EQ(http_origins_add(&o, "https://app.example:443"), 0);
    CHECK_EQ(http_origins_add(&o, "http://localhost:3000"), 0);
    CHECK(http_origin_allowed(&o, "https://app.example", "calls.example"));
    CHECK(http_origin_allowed(&o, "http://localhost:3000", "calls.example"));
    CHECK(!http_origin_allowed(&o, "http://app.example", "calls.example"));
    CHECK(!http_origin_allowed(&o, "https://sub.app.example", "calls.example"));
    CHECK(!http_origin_allowed(&o, "null", "calls.example"));
    CHECK_EQ(http_origins_add(&o, "null"), 0);
    CHECK(http_origin_allowed(&o, "null", "calls.example"));
}

static void a_star_is_everybody(void)
{
    struct http_origins o = {0};

    CHECK_EQ(http_origins_add(&o, "*"), 0);
    CHECK(http_origin_allowed(&o, "https://evil.example", "calls.example"));
    CHECK(http_origin_allowed(&o, "null", NULL));
}

static void what_is_no_origin_is_refused(void)
{
    static const char *const texts[] = {
        "",
        "app.example",
        "https://",
        "https://app.example/",
        "ftp://app.example",
        "https://*.example",
        "https://user@app.example",
        "https://a b",
        "javascript://x",
    };
    char longer[HTTP_ORIGIN_MAX + 2] = "https://";
    struct http_origins o = {0};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        CHECK_EQ(http_origins_add(&o, texts[i]), -EINVAL);
    memset(longer + 8, 'a', sizeof(longer) - 9);
    CHECK_EQ(http_origins_add(&o, longer), -EINVAL);
    longer[HTTP_ORIGIN_MAX] = '\0';
    CHECK_EQ(http_origins_add(&o, longer), 0);
}

static void a_list_has_an_end(void)
{
    struct http_origins o = {0};

    for (int i = 0; i < HTTP_ORIGINS_MAX; i++)
        CHECK_EQ(http_origins_add(&o, "https://app.example"), 0);
    CHECK_EQ(http_origins_add(&o, "https://app.example"), -ENOSPC);
    CHECK_EQ(http_origins_add(&o, "*"), 0);
}

TAP_CASES(CASE(a_page_of_the_server_is_allowed), CASE(other_pages_are_not),
          CASE(those_that_are_listed_are), CASE(a_star_is_everybody),
          CASE(what_is_no_origin_is_refused), CASE(a_list_has_an_end))
