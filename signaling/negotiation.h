/**
 * @file negotiation.h  Offer/answer (RFC 8829, RFC 3264) of one peer connection, both sides, and
 * what it leads to: the media plan. The client always offers, the server always answers.
 *
 * The server's state survives re-offers: slots keep their SSRCs, recycled m-lines their place.
 * Knows SDP and no media; sfu/ and client/ turn a plan into transports and tracks.
 * Not thread-safe, but a plan that is made is never changed, and threads may share it.
 */
#ifndef SIGNALING_NEGOTIATION_H
#define SIGNALING_NEGOTIATION_H

#include "media/base/attributes.h"
#include "media/base/codec.h"
#include "media/base/extension.h"
#include "media/base/text.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SDP_MAX_BYTES = 256 * 1024,
    PLAN_MAX_SECTIONS = 128,  /* m-lines of one connection, stopped ones included */
    PLAN_MAX_CODECS = 16,     /* payload types kept per m-line, without RTX */
    PLAN_MAX_LAYERS = 3,      /* simulcast layers of one m-line */
    PLAN_MAX_CANDIDATES = 32, /* kept of the peer's; more are no error */
    PLAN_MID_MAX = 32,
    PLAN_RID_MAX = 16,
    PLAN_FMTP_MAX = 160,
    PLAN_UFRAG_MAX = 256,
    PLAN_PWD_MAX = 256,
};

/** A payload type both sides agreed on. */
struct plan_codec {
    enum codec codec;
    uint8_t pt;     /* the offerer's number */
    uint8_t rtx_pt; /* 0: no retransmission format */
    bool nack, pli, fir, transport_cc, remb, ccfb;
    const char *fmtp; /* as answered, at most PLAN_FMTP_MAX - 1 bytes; NULL or "": none */
};

/** What an m-line is for. Names are from the client's side, for both sides. */
enum section_use {
    SECTION_REJECTED, /* port 0: nothing in common, over a limit, or a kind we do not know */
    SECTION_STOPPED,  /* inactive, or port 0: may go on, or be recycled with another mid */
    SECTION_PUBLISH,  /* client -> server: one track */
    SECTION_SLOT,     /* server -> client: carries whatever is bound to it */
    SECTION_DATA,     /* SCTP; rejected until data channels are there */
};

/** @return "rejected" etc.; static storage */
const char *section_use_name(enum section_use use);

/** One incoming encoding of a PUBLISH section. */
struct plan_layer {
    char rid[PLAN_RID_MAX + 1]; /* "" without simulcast */
    uint32_t ssrc, rtx_ssrc; /* from a=ssrc and a=ssrc-group:FID; 0: not told (simulcast by rid) */
};

struct plan_section {
    enum section_use use;
    enum media_kind kind;
    struct plan_codec codecs[PLAN_MAX_CODECS]; /* in order of preference */
    uint8_t n_codecs;
    char mid[PLAN_MID_MAX + 1];
    struct extension_map extensions;
    bool rtcp_rsize;
    /* PUBLISH */
    uint8_t n_layers;                          /* 1..PLAN_MAX_LAYERS */
    struct plan_layer layers[PLAN_MAX_LAYERS]; /* lowest first, as in a=simulcast */
    uint32_t max_bps; /* to be sent at most, all layers, heads not counted; 0: no limit */
    /* SLOT */
    uint32_t slot;           /* 0.. among the slots of this kind; one that is
                                STOPPED as inactive keeps number and SSRCs */
    uint32_t ssrc, rtx_ssrc; /* the server's, fixed; rtx_ssrc 0: no RTX */
};

struct plan_fingerprint {
    char hash[8]; /* "sha-256", "sha-384", "sha-512" */
    size_t len;   /* [bytes] */
    uint8_t bytes[64];
};

/** A candidate as in a=candidate, reduced to what we use. */
struct plan_candidate {
    uint32_t priority;
    uint16_t port;
    uint8_t component; /* 1; others are dropped when reading */
    bool tcp, tcp_passive;
    char type[8]; /* "host", "srflx", "prflx", "relay" */
    char foundation[33];
    char address[64]; /* IPv4 or IPv6 literal (names are dropped) */
};

/** What the other side is, and every m-line. Strings and sections live as long as the plan: who
 *  copies a section or a codec needs a reference to the plan. */
struct media_plan {
    atomic_uint references;
    struct plan_text *texts;                               /* what fmtp points into; private */
    bool failed;                                           /* while it is made: no memory */
    char ufrag[PLAN_UFRAG_MAX + 1], pwd[PLAN_PWD_MAX + 1]; /* the peer's */
    struct plan_fingerprint fingerprint;                   /* the peer's */
    bool dtls_client;                                      /* this side sends the ClientHello */
    bool ice_lite;                                         /* the peer is */
    uint32_t n_candidates;
    struct plan_candidate *candidates; /* the peer's, at most PLAN_MAX_CANDIDATES */
    uint32_t n_sections;
    struct plan_section *sections; /* in the order of the SDP */
};

/** Deep copy. @return 0; -ENOMEM. Free with media_plan_unref(). */
MUST_USE int media_plan_copy(struct media_plan **ret, const struct media_plan *plan);
/** One more holder, in any thread. @return plan */
struct media_plan *media_plan_ref(struct media_plan *plan);
/** Give up a plan; the last holder frees it. NULL is fine. @return NULL */
struct media_plan *media_plan_unref(struct media_plan *plan);

/** Codecs the room takes, best first, and limits. */
struct negotiation_policy {
    enum codec audio[8], video[8]; /* CODEC_NONE ends the list */
    uint32_t max_sections, max_publish, max_audio_slots, max_video_slots;
    bool plays_only; /* the peer sends nothing: a sendrecv m-line is a slot (WHEP) */
};

/** opus, RED, PCMU, PCMA; VP8, VP9, H264, AV1, H265; the server's default limits. */
extern const struct negotiation_policy negotiation_default_policy;

/** What this side says of itself. */
struct negotiation_local {
    char ufrag[PLAN_UFRAG_MAX + 1], pwd[PLAN_PWD_MAX + 1];
    /* The server's: these take their place where an offer restarts ICE; "": they stay. */
    char next_ufrag[PLAN_UFRAG_MAX + 1], next_pwd[PLAN_PWD_MAX + 1];
    struct plan_fingerprint fingerprint;
    bool ice_lite;
    bool rtcp_mux_only; /* say so: RFC 9725 section 4.4.1 */
    uint32_t n_candidates;
    struct plan_candidate candidates[PLAN_MAX_CANDIDATES];
    char cname[33];
    /** The server's: set max_bps of the PUBLISH sections of a plan that is made, and no more. NULL:
     *  there is no limit. */
    void (*cap)(void *owner, struct media_plan *plan);
    /** The server's: may this PUBLISH section be? If not it is rejected. NULL: each may. */
    bool (*may_publish)(void *owner, const struct plan_section *section);
    void *cap_owner; /* of both */
};

/**
 * Why an SDP was refused, for people and machines. Codes are stable:
 * -EBADMSG: "sdp_syntax", "no_media", "no_mid", "same_mid", "no_bundle", "no_ice",
 *     "no_fingerprint", "no_rtcp_mux", "bad_setup";
 * -E2BIG: "sdp_too_large", "sdp_limit", "too_many_sections", "answer_too_large";
 * -EPROTO: "section_removed", "section_changed"; of an answer: "not_our_offer", "all_rejected";
 * -ENOMEM: "no_memory".
 */
struct negotiation_error {
    char code[32];
    char message[160]; /* "line 12: a=fingerprint has 31 bytes, sha-256 needs 32" */
};

struct negotiation;

/** Server side. `policy` is copied. @return 0; -ENOMEM */
MUST_USE int negotiation_new(struct negotiation **ret, const struct negotiation_policy *policy);
struct negotiation *negotiation_free(struct negotiation *n);

/**
 * Answer an offer. A PUBLISH section answers one primary codec (and its RTX, RED); a SLOT section
 * answers all of the room's codecs that the client can take, VP8's RTX etc. included.
 *
 * Over the policy's limits m-lines are rejected, new ones before those in use. An offer with other
 * ICE credentials than the last one restarts ICE: the plan has them, and the answer has
 * local->next_ufrag and next_pwd (RFC 8839 section 4.4.1.1.1). Who is active in DTLS stays while
 * the fingerprint does.
 *
 * @param local   what the answer says of us: not kept, and to be the same in each but for
 *                candidates, and credentials after a restart
 * @param answer  initialised; what it had is replaced by the answer, by nothing on failure
 * @param error   set on failure
 * @return 0; -EBADMSG: not SDP, or without what WebRTC needs (ice-ufrag, fingerprint, mid, bundle);
 *         -E2BIG: over a limit; -EPROTO: contradicts the earlier offer (m-lines removed, mid or
 *         kind of a live m-line changed); -ENOMEM. On failure the state is as before.
 */
MUST_USE int negotiation_answer(struct negotiation *n, const struct negotiation_local *local,
                                const char *offer, size_t len, struct text *answer,
                                struct negotiation_error *error);

/** @return true if the last answered offer restarted ICE: ours are next_ufrag and next_pwd now */
bool negotiation_restarted_ice(const struct negotiation *n);

/** The peer restarts ICE without an offer (RFC 9725 section 4.4.2): the plan gets its credentials.
 *  After an answer. @return 0; -ENOMEM: nothing changed */
MUST_USE int negotiation_restart_ice(struct negotiation *n, const char *ufrag, const char *pwd);

/** @return the plan after the last answered offer; NULL before. Valid until the next answer */
const struct media_plan *negotiation_plan(const struct negotiation *n);
/** @return the same with a reference, for media_plan_unref() */
struct media_plan *negotiation_share_plan(const struct negotiation *n);

/** Client side: one m-line of an offer. */
struct offer_section {
    enum section_use use; /* PUBLISH, SLOT or STOPPED */
    enum media_kind kind;
    char mid[PLAN_MID_MAX + 1];
    bool stereo;             /* Opus: offer stereo both ways */
    uint32_t ssrc, rtx_ssrc; /* PUBLISH: ours */
    enum codec codecs[8];    /* CODEC_NONE ends the list; an empty one means all we know */
};

/**
 * Write an offer with payload types and extension ids of our own choice. The same sections with
 * more appended make a re-offer (`version` one higher).
 *
 * @return 0; -EMSGSIZE: larger than `offer` allows
 */
MUST_USE int offer_write(struct text *offer, const struct negotiation_local *local,
                         const struct offer_section *sections, uint32_t n, uint64_t session_id,
                         uint64_t version);

/**
 * Read the server's answer to that offer into a plan (SLOT sections get the server's SSRCs).
 *
 * Slots are numbered as they come, so like the server's while none was stopped.
 *
 * @param ret  new plan on success, the caller's
 * @return 0; -EBADMSG, -E2BIG: as in negotiation_answer(); -EPROTO: does not match the offer, or
 *         rejects all of it; -ENOMEM; error is set
 */
MUST_USE int answer_read(struct media_plan **ret, const char *answer, size_t len,
                         const struct offer_section *sections, uint32_t n,
                         struct negotiation_error *error);

#endif
