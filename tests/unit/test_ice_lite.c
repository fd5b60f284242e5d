#include "media/ice_lite.h"

#include "media/base/clock.h"
#include "tests/stun_request.h"
#include "tests/tap.h"

#include <errno.h>
#include <netinet/in.h>

static const struct ice_credentials ours = {"ourufrag", "ourpasswordofthirtycharacters1"};
static const struct ice_credentials theirs = {"them", "theirpasswordofmanycharacters2"};

static struct sockaddr_storage peer_at(uint16_t port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_storage address = {0};

    in.sin_addr.s_addr = htonl(0xc0000201);
    memcpy(&address, &in, sizeof(in));
    return address;
}

static struct ice_lite *make(int64_t now_us)
{
    struct ice_lite *ice = NULL;

    CHECK_EQ(ice_lite_new(&ice, &ours, &theirs, now_us), 0);
    return ice;
}

/* A check from `port` at `now_us`. */
static struct ice_result check(struct ice_lite *ice, uint16_t port, bool nominate, int64_t now_us)
{
    struct stun_request request = {
        .username = "ourufrag:them", .password = ours.pwd, .use_candidate = nominate};
    struct sockaddr_storage from = peer_at(port);
    uint8_t data[STUN_REQUEST_MAX];
    uint8_t reply[ICE_REPLY_MAX];
    static uint8_t number;
    struct ice_result result;
    size_t len;

    request.id[0] = ++number;
    len = stun_request_write(data, &request);
    CHECK_EQ(ice_lite_receive(ice, data, len, &from, now_us, reply, &result), 0);
    CHECK(result.authenticated && result.reply_len > 0);
    return result;
}

static bool path_is(const struct ice_lite *ice, uint16_t port)
{
    struct sockaddr_storage expected = peer_at(port);

    return ice_lite_path(ice) && address_equal(ice_lite_path(ice), &expected);
}

static bool proven(const struct ice_lite *ice, uint16_t port)
{
    struct sockaddr_storage from = peer_at(port);

    return ice_lite_proven(ice, &from);
}

static void fresh_credentials_are_valid_and_differ(void)
{
    struct ice_credentials a;
    struct ice_credentials b;

    ice_credentials_make(&a);
    ice_credentials_make(&b);
    CHECK(ice_credentials_valid(&a) && ice_credentials_valid(&b));
    CHECK_EQ(strlen(a.ufrag), ICE_LOCAL_UFRAG);
    CHECK_EQ(strlen(a.pwd), ICE_LOCAL_PWD);
    CHECK(strcmp(a.ufrag, b.ufrag) != 0 && strcmp(a.pwd, b.pwd) != 0);
}

static void a_ufrag_tells_its_tag(void)
{
    struct ice_credentials c;

    for (uint32_t tag = 0; tag < ICE_MAX_TAG; tag++) {
        ice_credentials_make_tagged(&c, tag);
        CHECK(ice_credentials_valid(&c));
        CHECK_EQ(ice_ufrag_tag(c.ufrag), (int)tag);
    }
    CHECK_EQ(ice_ufrag_tag(""), -EBADMSG);
    CHECK_EQ(ice_ufrag_tag(":abc"), -EBADMSG);
}

static void credentials_have_limits(void)
{
    struct ice_credentials c = ours;
    struct ice_lite *ice = NULL;

    (void)snprintf(c.ufrag, sizeof(c.ufrag), "abc");
    CHECK(!ice_credentials_valid(&c));
    CHECK_EQ(ice_lite_new(&ice, &ours, &c, 0), -EINVAL);
    (void)snprintf(c.ufrag, sizeof(c.ufrag), "ab:d");
    CHECK(!ice_credentials_valid(&c));
    memset(c.ufrag, 'u', ICE_UFRAG_MAX);
    c.ufrag[ICE_UFRAG_MAX] = '\0';
    CHECK(ice_credentials_valid(&c));
    c.ufrag[ICE_UFRAG_MAX] = 'u';
    CHECK(!ice_credentials_valid(&c));
    c = ours;
    c.pwd[ICE_PWD_MIN - 1] = '\0';
    CHECK(!ice_credentials_valid(&c));
}

static void longest_credentials_work(void)
{
    struct ice_credentials local = {.ufrag = ""};
    struct ice_credentials remote;
    char username[STUN_USERNAME_MAX + 1];
    struct stun_request request = {.username = username, .password = local.pwd};
    struct sockaddr_storage from = peer_at(1);
    uint8_t data[STUN_REQUEST_MAX];
    uint8_t reply[ICE_REPLY_MAX];
    struct ice_lite *ice = NULL;
    struct ice_result result;
    size_t len;

    memset(local.ufrag, 'L', ICE_UFRAG_MAX);
    memset(local.pwd, 'p', ICE_PWD_MAX);
    remote = local;
    memset(remote.ufrag, 'R', ICE_UFRAG_MAX);
    (void)snprintf(username, sizeof(username), "%s:%s", local.ufrag, remote.ufrag);
    CHECK_EQ(ice_lite_new(&ice, &local, &remote, 0), 0);
    len = stun_request_write(data, &request);
    CHECK_EQ(ice_lite_receive(ice, data, len, &from, 0, reply, &result), 0);
    CHECK(result.authenticated && result.reply_len > 0);
    ice_lite_free(ice);
}

static void first_check_gives_a_path(void)
{
    struct ice_lite *ice = make(0);

    CHECK(!ice_lite_path(ice) && !proven(ice, 1000));
    CHECK(check(ice, 1000, false, MS).path_changed);
    CHECK(path_is(ice, 1000) && proven(ice, 1000));
    CHECK(!check(ice, 1000, false, 2 * MS).path_changed);
    ice_lite_free(ice);
}

static void nominated_path_wins_over_the_first(void)
{
    struct ice_lite *ice = make(0);

    check(ice, 1000, false, MS);
    CHECK(!check(ice, 1001, false, 2 * MS).path_changed);
    CHECK(path_is(ice, 1000) && proven(ice, 1001));
    CHECK(check(ice, 1001, true, 3 * MS).path_changed);
    CHECK(path_is(ice, 1001) && proven(ice, 1000));
    ice_lite_free(ice);
}

static void peer_may_move_in_the_middle_of_a_call(void)
{
    struct ice_lite *ice = make(0);

    check(ice, 1000, true, MS);
    CHECK(check(ice, 2000, true, 10 * SECOND).path_changed);
    CHECK(path_is(ice, 2000));
    CHECK(!check(ice, 1000, false, 11 * SECOND).path_changed);
    CHECK(path_is(ice, 2000));
    ice_lite_free(ice);
}

static void oldest_proven_address_goes_beyond_the_limit(void)
{
    struct ice_lite *ice = make(0);

    for (int i = 0; i < ICE_MAX_PATHS; i++)
        check(ice, (uint16_t)(1000 + i), true, i * MS);
    check(ice, 1000, false, SECOND); /* not the oldest any more */
    check(ice, 3000, false, SECOND);
    CHECK(proven(ice, 1000) && !proven(ice, 1001) && proven(ice, 1002) && proven(ice, 3000));
    CHECK(path_is(ice, 1000 + ICE_MAX_PATHS - 1));
    ice_lite_free(ice);
}

static void consent_runs_out_30_seconds_after_the_last_check(void)
{
    struct ice_lite *ice = make(5 * SECOND);

    CHECK_EQ(ice_lite_consent_deadline(ice), 35 * SECOND);
    check(ice, 1000, true, 10 * SECOND);
    CHECK_EQ(ice_lite_consent_deadline(ice), 40 * SECOND);
    ice_lite_free(ice);
}

static void media_keeps_consent(void)
{
    struct ice_lite *ice = make(0);

    check(ice, 1000, true, 10 * SECOND);
    ice_lite_keep(ice, 25 * SECOND);
    CHECK_EQ(ice_lite_consent_deadline(ice), 55 * SECOND);
    ice_lite_free(ice);
}

static void stranger_changes_nothing(void)
{
    struct stun_request request = {
        .username = "ourufrag:them", .password = theirs.pwd, .use_candidate = true};
    struct sockaddr_storage from = peer_at(666);
    uint8_t data[STUN_REQUEST_MAX];
    uint8_t reply[ICE_REPLY_MAX];
    struct ice_result result;
    struct ice_lite *ice = make(0);
    size_t len;

    check(ice, 1000, true, MS);
    len = stun_request_write(data, &request);
    CHECK_EQ(ice_lite_receive(ice, data, len, &from, 20 * SECOND, reply, &result), -EPERM);
    CHECK(!result.authenticated && !result.path_changed && result.reply_len == 0);
    request.password = ours.pwd;
    request.username = "ourufrag:else";
    len = stun_request_write(data, &request);
    CHECK_EQ(ice_lite_receive(ice, data, len, &from, 20 * SECOND, reply, &result), -EPERM);
    CHECK(path_is(ice, 1000) && !proven(ice, 666));
    CHECK_EQ(ice_lite_consent_deadline(ice), MS + 30 * SECOND);
    ice_lite_free(ice);
}

static void role_conflict_is_answered_and_nominates_nothing(void)
{
    struct stun_request request = {.username = "ourufrag:them",
                                   .password = ours.pwd,
                                   .role = STUN_REQUEST_CONTROLLED,
                                   .use_candidate = true};
    struct sockaddr_storage from = peer_at(2000);
    uint8_t data[STUN_REQUEST_MAX];
    uint8_t reply[ICE_REPLY_MAX];
    struct ice_result result;
    struct stun_reply said;
    struct ice_lite *ice = make(0);
    size_t len = stun_request_write(data, &request);

    check(ice, 1000, false, MS);
    CHECK_EQ(ice_lite_receive(ice, data, len, &from, 2 * MS, reply, &result), 0);
    CHECK_EQ(stun_reply_read(&said, reply, result.reply_len, ours.pwd), 0);
    CHECK_EQ(said.error_code, 487);
    CHECK(path_is(ice, 1000));
    ice_lite_free(ice);
}

/* The very bytes of a check, from `port`. */
static int repeat(struct ice_lite *ice, uint8_t id, uint16_t port)
{
    struct stun_request request = {.username = "ourufrag:them",
                                   .password = ours.pwd,
                                   .use_candidate = true,
                                   .id = {[11] = id}};
    struct sockaddr_storage from = peer_at(port);
    uint8_t data[STUN_REQUEST_MAX];
    uint8_t reply[ICE_REPLY_MAX];
    struct ice_result result;

    return ice_lite_receive(ice, data, stun_request_write(data, &request), &from, 0, reply,
                            &result);
}

static void an_overheard_check_moves_nothing(void)
{
    struct ice_lite *ice = make(0);

    for (int id = 1; id <= ICE_MAX_REMEMBERED; id++)
        CHECK_EQ(repeat(ice, (uint8_t)id, 1), 0);
    for (int id = 1; id <= ICE_MAX_REMEMBERED; id++) {
        CHECK_EQ(repeat(ice, (uint8_t)id, 2), -EALREADY);
        CHECK_EQ(repeat(ice, (uint8_t)id, 1), 0); /* its sender did not get the answer */
    }
    CHECK(path_is(ice, 1) && !proven(ice, 2));
    CHECK_EQ(repeat(ice, ICE_MAX_REMEMBERED + 1, 2), 0);
    CHECK(path_is(ice, 2));
    ice_lite_free(ice);
}

TAP_CASES(CASE(fresh_credentials_are_valid_and_differ), CASE(a_ufrag_tells_its_tag),
          CASE(credentials_have_limits), CASE(longest_credentials_work),
          CASE(first_check_gives_a_path), CASE(nominated_path_wins_over_the_first),
          CASE(peer_may_move_in_the_middle_of_a_call),
          CASE(oldest_proven_address_goes_beyond_the_limit),
          CASE(consent_runs_out_30_seconds_after_the_last_check), CASE(media_keeps_consent),
          CASE(stranger_changes_nothing), CASE(an_overheard_check_moves_nothing),
          CASE(role_conflict_is_answered_and_nominates_nothing))
