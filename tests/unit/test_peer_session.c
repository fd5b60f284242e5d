#include "client/peer_session.h"

#include "media/base/clock.h"
#include "tests/tap.h"

/* One of two, and what it says and comes to. */
struct peer {
    struct peer_session *session;
    struct message_peer said[8];
    size_t n_said, n_read;
    struct media_plan *plan;
    char failure[160];
};

static struct peer ada, bob;

static void keep(void *owner, const struct message_peer *m)
{
    struct peer *peer = owner;
    struct message_peer *said = &peer->said[peer->n_said++];

    *said = *m;
    said->sdp = strdup(m->sdp);
}

static void on_plan(void *owner, const struct media_plan *plan)
{
    struct peer *peer = owner;

    CHECK(!peer->plan);
    CHECK_EQ(media_plan_copy(&peer->plan, plan), 0);
}

static void on_failed(void *owner, const char *why)
{
    struct peer *peer = owner;

    (void)snprintf(peer->failure, sizeof(peer->failure), "%s", why);
}

static const struct peer_session_handler handler = {
    .send = keep, .on_plan = on_plan, .on_failed = on_failed};

static struct negotiation_local local_of(const char *ufrag)
{
    struct negotiation_local local = {
        .pwd = "0123456789abcdef01234567",
        .fingerprint = {.hash = "sha-256", .len = 32},
        .n_candidates = 1,
        .candidates = {{.address = "192.0.2.1",
                        .port = 4000,
                        .component = 1,
                        .type = "host",
                        .priority = 1,
                        .foundation = "1"}},
        .cname = "cname",
    };

    (void)snprintf(local.ufrag, sizeof(local.ufrag), "%s", ufrag);
    return local;
}

/* "": it does not know yet what to say of itself. */
static void make(struct peer *peer, struct peer_session_config config, const char *ufrag)
{
    struct negotiation_local local = local_of(ufrag);

    *peer = (struct peer){0};
    CHECK_EQ(peer_session_new(&peer->session, &config, &handler, peer), 0);
    if (ufrag[0])
        peer_session_set_local(peer->session, &local);
}

static void end_one(struct peer *peer)
{
    peer->session = peer_session_free(peer->session);
    peer->plan = media_plan_unref(peer->plan);
    for (size_t i = 0; i < peer->n_said; i++)
        message_peer_done(&peer->said[i]);
}

static void end(void)
{
    end_one(&ada);
    end_one(&bob);
}

static const struct peer_session_config everything = {
    .publish_audio = true, .publish_video = true, .receive_audio = true, .receive_video = true};

static const struct plan_section *find(const struct media_plan *plan, enum section_use use,
                                       enum media_kind kind)
{
    for (uint32_t i = 0; i < plan->n_sections; i++) {
        if (plan->sections[i].use == use && plan->sections[i].kind == kind)
            return &plan->sections[i];
    }
    return NULL;
}

/* What one sends is what the other one expects. */
static void check_flow(const struct peer *from, const struct peer *to, enum media_kind kind)
{
    const struct plan_section *sent = find(from->plan, SECTION_PUBLISH, kind);
    const struct plan_section *expected = find(to->plan, SECTION_SLOT, kind);

    CHECK(sent);
    CHECK(expected);
    CHECK_STR(sent->mid, expected->mid);
    CHECK(sent->layers[0].ssrc);
    CHECK_EQ(sent->layers[0].ssrc, expected->ssrc);
    CHECK_EQ(sent->layers[0].rtx_ssrc, expected->rtx_ssrc);
    CHECK_EQ(sent->codecs[0].codec, kind == KIND_AUDIO ? CODEC_OPUS : CODEC_VP8);
    CHECK_EQ(sent->codecs[0].pt, expected->codecs[0].pt);
}

static struct peer_session_config as_caller(struct peer_session_config config)
{
    config.caller = true;
    return config;
}

static void two_agree_on_both_kinds_both_ways(void)
{
    make(&ada, as_caller(everything), "adaA");
    make(&bob, everything, "bobB");
    CHECK_EQ(ada.n_said, 1);
    CHECK_EQ(ada.said[0].n_tracks, 2);
    peer_session_receive(bob.session, &ada.said[0], 0);
    CHECK_EQ(bob.n_said, 1);
    CHECK_EQ(bob.said[0].type, PEER_ANSWER);
    CHECK_EQ(bob.said[0].n_tracks, 2);
    peer_session_receive(ada.session, &bob.said[0], 0);
    CHECK(ada.plan);
    CHECK(bob.plan);
    for (int kind = KIND_AUDIO; kind <= KIND_VIDEO; kind++) {
        check_flow(&ada, &bob, (enum media_kind)kind);
        check_flow(&bob, &ada, (enum media_kind)kind);
    }
    CHECK(ada.plan->dtls_client != bob.plan->dtls_client);
    CHECK_STR(bob.plan->ufrag, "adaA");
    CHECK_STR(ada.plan->ufrag, "bobB");
    CHECK_EQ(ada.plan->n_candidates, 1);
    end();
}

static void who_only_listens_sends_nothing(void)
{
    make(&ada, as_caller(everything), "adaA");
    make(&bob, (struct peer_session_config){.receive_audio = true}, "bobB");
    peer_session_receive(bob.session, &ada.said[0], 0);
    CHECK_EQ(bob.said[0].n_tracks, 0);
    peer_session_receive(ada.session, &bob.said[0], 0);
    check_flow(&ada, &bob, KIND_AUDIO);
    CHECK(!find(ada.plan, SECTION_SLOT, KIND_AUDIO));
    CHECK(!find(ada.plan, SECTION_PUBLISH, KIND_VIDEO));
    end();
}

/* What a browser does: a description without candidates, and each on its own. */
static void candidates_that_come_one_by_one_are_waited_for(void)
{
    struct message_peer candidate = {.type = PEER_CANDIDATE};
    char *lines;

    make(&ada, as_caller(everything), "adaA");
    for (int with_end = 0; with_end < 2; with_end++) {
        struct message_peer offer = ada.said[0];

        make(&bob, everything, "bobB");
        offer.sdp = strdup(offer.sdp);
        while ((lines = strstr(offer.sdp, "a=end-of-candidates")))
            memcpy(lines, "a=x", 3); /* of no meaning */
        peer_session_receive(bob.session, &offer, 0);
        CHECK(!bob.plan);
        CHECK_EQ(peer_session_advance(bob.session, 0), PEER_SESSION_WAIT_MS * MS);
        (void)snprintf(candidate.candidate, sizeof(candidate.candidate), "%s",
                       "candidate:9 1 udp 77 192.0.2.9 9000 typ host");
        peer_session_receive(bob.session, &candidate, 0);
        candidate.candidate[0] = '\0';
        if (with_end)
            peer_session_receive(bob.session, &candidate, 0);
        else
            CHECK_EQ(peer_session_advance(bob.session, PEER_SESSION_WAIT_MS * MS), NEVER_US);
        CHECK(bob.plan);
        CHECK_EQ(bob.plan->n_candidates, 2);
        CHECK_EQ(bob.plan->candidates[0].port, 9000);
        message_peer_done(&offer);
        end_one(&bob);
    }
    end_one(&ada);
    bob = (struct peer){0};
}

static void an_offer_waits_until_we_know_our_addresses(void)
{
    struct negotiation_local local = local_of("bobB");

    make(&ada, as_caller(everything), "adaA");
    make(&bob, everything, "");
    peer_session_receive(bob.session, &ada.said[0], 0);
    CHECK_EQ(bob.n_said, 0);
    peer_session_set_local(bob.session, &local);
    CHECK_EQ(bob.n_said, 1);
    CHECK(bob.plan);
    end();
}

static void what_cannot_be_used_is_told_in_words(void)
{
    struct message_peer nonsense = {.type = PEER_OFFER, .n = 1, .sdp = (char[]){"v=0\r\n"}};

    make(&ada, as_caller(everything), "adaA");
    make(&bob, everything, "bobB");
    peer_session_receive(ada.session, &nonsense, 0); /* it offers itself */
    CHECK_EQ(peer_session_advance(ada.session, 0), NEVER_US);
    peer_session_receive(bob.session, &nonsense, 0);
    CHECK_EQ(peer_session_advance(bob.session, SECOND), NEVER_US);
    CHECK(bob.failure[0]);
    CHECK(!bob.plan);
    end();
}

TAP_CASES(CASE(two_agree_on_both_kinds_both_ways), CASE(who_only_listens_sends_nothing),
          CASE(candidates_that_come_one_by_one_are_waited_for),
          CASE(an_offer_waits_until_we_know_our_addresses),
          CASE(what_cannot_be_used_is_told_in_words))
