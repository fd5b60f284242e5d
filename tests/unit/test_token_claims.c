#include "signaling/token_claims.h"

#include "tests/same_grants.h"
#include "tests/tap.h"

#include <errno.h>

static struct token_claims claims;
static char why[160];

static int parse(const char *json)
{
    return token_claims_read(&claims, json, why, sizeof(why));
}

static void check_refused(const char *json, const char *reason)
{
    CHECK_EQ(parse(json), -EBADMSG);
    CHECK(strstr(why, reason));
}

static void room_grants_what_people_do_in_a_call(void)
{
    CHECK_EQ(parse("{\"sub\":\"ada\",\"name\":\"Ada\",\"exp\":1700000600,\"nbf\":1700000000,"
                   "\"sluice\":{\"room\":\"demo\"}}"),
             0);
    CHECK_STR(claims.grants.identity, "ada");
    CHECK_STR(claims.grants.name, "Ada");
    CHECK_STR(claims.grants.room, "demo");
    CHECK_EQ(claims.grants.expires_s, 1700000600);
    CHECK_EQ(claims.not_before_s, 1700000000);
    CHECK(claims.grants.join && claims.grants.publish && claims.grants.subscribe);
    CHECK(claims.grants.data && claims.grants.n_sources == 0);
    CHECK(!claims.grants.hidden && !claims.grants.admin && !claims.grants.record);
}

static void without_a_room_nothing_is_granted_unasked(void)
{
    CHECK_EQ(parse("{\"sluice\":{\"admin\":true}}"), 0);
    CHECK(claims.grants.admin);
    CHECK(!claims.grants.join && !claims.grants.publish && !claims.grants.subscribe);
    CHECK(!claims.grants.data && !claims.grants.room[0]);
}

static void each_grant_can_be_given_and_denied(void)
{
    CHECK_EQ(parse("{\"sluice\":{\"room\":\"*\",\"join\":false,\"publish\":false,"
                   "\"subscribe\":false,\"data\":false,\"hidden\":true,\"admin\":true,"
                   "\"record\":true}}"),
             0);
    CHECK(!claims.grants.join && !claims.grants.publish && !claims.grants.subscribe);
    CHECK(!claims.grants.data);
    CHECK(claims.grants.hidden && claims.grants.admin && claims.grants.record);
}

static void publish_may_list_sources(void)
{
    CHECK_EQ(parse("{\"sluice\":{\"room\":\"demo\",\"publish\":[\"camera\",\"x_1\"]}}"), 0);
    CHECK(claims.grants.publish);
    CHECK_EQ(claims.grants.n_sources, 2);
    CHECK(grants_have_source(&claims.grants, KIND_VIDEO, "camera"));
    CHECK(grants_have_source(&claims.grants, KIND_AUDIO, "x_1"));
    CHECK(!grants_have_source(&claims.grants, KIND_VIDEO, "screen"));
    CHECK(!grants_have_source(&claims.grants, KIND_AUDIO, "camera"));
    CHECK_EQ(parse("{\"sluice\":{\"room\":\"demo\",\"publish\":[]}}"), 0);
    CHECK(!grants_have_source(&claims.grants, KIND_VIDEO, "camera"));
    CHECK_EQ(parse("{\"sluice\":{\"room\":\"demo\",\"hidden\":true}}"), 0);
    CHECK(!grants_have_source(&claims.grants, KIND_VIDEO, "camera"));
}

static void misspelt_grants_are_refused(void)
{
    check_refused("{\"sluice\":{\"room\":\"demo\",\"publsh\":false}}", "publsh is no grant");
    check_refused("{\"sluice\":{\"room\":\"demo\",\"join\":\"no\"}}", "neither true nor false");
    check_refused("{\"sluice\":{\"room\":\"demo\",\"publish\":\"camera\"}}", "sluice.publish");
    check_refused("{\"sluice\":{\"room\":\"demo\",\"publish\":[1]}}", "no word");
    check_refused("{\"sluice\":{\"room\":\"demo\",\"publish\":[\"a b\"]}}", "no word");
    check_refused("{\"sluice\":{\"room\":\"demo\",\"publish\":[\"1\",\"2\",\"3\",\"4\",\"5\","
                  "\"6\",\"7\",\"8\",\"9\"]}}",
                  "at most 8");
    check_refused("{\"sluice\":{\"room\":\"..\"}}", "sluice.room");
    check_refused("{\"sluice\":{\"room\":7}}", "sluice.room");
    check_refused("{\"room\":\"demo\"}", "\"sluice\"");
    check_refused("{\"sluice\":[]}", "\"sluice\"");
    check_refused("[]", "no object");
    check_refused("nonsense", "no object");
}

static void times_are_numbers_of_seconds(void)
{
    CHECK_EQ(parse("{\"exp\":1700000600.5,\"sluice\":{}}"), 0);
    CHECK_EQ(claims.grants.expires_s, 1700000600);
    check_refused("{\"exp\":\"1700000600\",\"sluice\":{}}", "exp");
    check_refused("{\"exp\":0,\"sluice\":{}}", "exp");
    check_refused("{\"exp\":-5,\"sluice\":{}}", "exp");
    check_refused("{\"exp\":1e300,\"sluice\":{}}", "exp");
    check_refused("{\"nbf\":null,\"sluice\":{}}", "nbf");
}

static void identity_is_never_cut(void)
{
    char json[256];

    (void)snprintf(json, sizeof(json), "{\"sub\":\"%064d\",\"name\":\"%065d\",\"sluice\":{}}", 1,
                   2);
    CHECK_EQ(parse(json), 0);
    CHECK_EQ(strlen(claims.grants.identity), 64);
    CHECK_EQ(strlen(claims.grants.name), 64);
    (void)snprintf(json, sizeof(json), "{\"sub\":\"%065d\",\"sluice\":{}}", 1);
    check_refused(json, "sub");
    check_refused("{\"sub\":7,\"sluice\":{}}", "sub");
    check_refused("{\"sub\":\"a\\nb\",\"sluice\":{}}", "sub");
    check_refused("{\"name\":7,\"sluice\":{}}", "name");
}

/* Bit i of `which`: the i-th grant is as it is not by itself. */
static struct grants make_grants(unsigned which)
{
    struct grants g = {.join = which & 1, .subscribe = which & 2, .data = which & 4};

    g.hidden = which & 8;
    g.admin = which & 16;
    g.record = which & 32;
    g.publish = which & 64;
    if (g.publish && which & 128)
        g.n_sources = 2;
    (void)snprintf(g.sources[0], sizeof(g.sources[0]), "%s", g.n_sources ? "camera" : "");
    (void)snprintf(g.sources[1], sizeof(g.sources[1]), "%s", g.n_sources ? "screen" : "");
    (void)snprintf(g.room, sizeof(g.room), "%s", which & 256 ? "demo" : "");
    (void)snprintf(g.name, sizeof(g.name), "%s", which & 512 ? "Ada \"the first\"" : "");
    g.expires_s = which & 1024 ? 1700000600 : 0;
    return g;
}

static void what_is_written_reads_the_same(void)
{
    struct text json;

    text_init(&json, 4096);
    for (unsigned i = 0; i < 2048; i++) {
        struct grants g = make_grants(i);

        token_claims_write(&json, &g, 1700000000);
        CHECK_EQ(parse(text_str(&json)), 0);
        CHECK(same_grants(&claims.grants, &g));
        text_done(&json);
    }
}

static void usual_token_is_short(void)
{
    struct grants g = make_grants(1 | 2 | 4 | 64 | 256);
    struct text json;

    text_init(&json, 4096);
    token_claims_write(&json, &g, 1700000000);
    CHECK_STR(text_str(&json), "{\"iat\":1700000000,\"sluice\":{\"room\":\"demo\"}}");
    text_done(&json);
}

TAP_CASES(CASE(room_grants_what_people_do_in_a_call),
          CASE(without_a_room_nothing_is_granted_unasked), CASE(each_grant_can_be_given_and_denied),
          CASE(publish_may_list_sources), CASE(misspelt_grants_are_refused),
          CASE(times_are_numbers_of_seconds), CASE(identity_is_never_cut),
          CASE(what_is_written_reads_the_same), CASE(usual_token_is_short))
