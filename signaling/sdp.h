/**
 * @file sdp.h  A session description (RFC 8866) as read: what WebRTC needs of it, nothing decided.
 *
 * Tolerant: lines may end in LF or CRLF, lines and attributes we do not know are skipped. What we
 * do know must be well-formed; an error names the line. Not thread-safe.
 */
#ifndef SIGNALING_SDP_H
#define SIGNALING_SDP_H

#include "media/base/attributes.h"
#include "signaling/negotiation.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SDP_LINE_MAX = 8192,   /* [bytes]; a BUNDLE group of PLAN_MAX_SECTIONS long mids fits */
    SDP_MAX_FORMATS = 128, /* every payload type once */
    SDP_MAX_RIDS = 16,     /* a=rid lines of an m-line */
    SDP_MAX_SSRCS = 32,    /* SSRCs of an m-line; three layers with RTX need 6 */
    SDP_MAX_SSRC_GROUPS = 16,
    SDP_MAX_GROUP_SSRCS = 8,
};

enum sdp_direction { SDP_SENDRECV, SDP_SENDONLY, SDP_RECVONLY, SDP_INACTIVE };

/** a=setup (RFC 4145); NONE: not said. */
enum sdp_setup {
    SDP_SETUP_NONE,
    SDP_SETUP_ACTPASS,
    SDP_SETUP_ACTIVE,
    SDP_SETUP_PASSIVE,
    SDP_SETUP_HOLDCONN,
};

/** Bits of sdp_format.feedback (a=rtcp-fb). */
enum sdp_feedback {
    SDP_NACK = 1,
    SDP_NACK_PLI = 2,
    SDP_CCM_FIR = 4,
    SDP_TRANSPORT_CC = 8,
    SDP_GOOG_REMB = 16,
    SDP_ACK_CCFB = 32, /* RFC 8888 */
};

/** A payload type of an m-line. */
struct sdp_format {
    uint8_t pt;
    uint8_t channels; /* 0: not said */
    uint8_t feedback;
    uint32_t clock_rate;
    const char *name; /* "" without a=rtpmap */
    const char *fmtp; /* "" without a=fmtp */
};

struct sdp_extension {
    uint8_t id; /* 1..255 */
    enum extension extension;
    enum sdp_direction direction; /* of the side that wrote it */
    bool directed;                /* direction was written */
};

struct sdp_rid {
    const char *id;
    bool send;       /* else recv */
    const char *pts; /* "96,97" if restricted to payload types, else "" */
};

enum sdp_group_semantics { SDP_GROUP_FID, SDP_GROUP_SIM };

struct sdp_ssrc_group {
    enum sdp_group_semantics semantics;
    uint32_t n_ssrcs;
    uint32_t ssrcs[SDP_MAX_GROUP_SSRCS];
};

/** An m-line with its attributes. What stands before the first m-line is every m-line's default. */
struct sdp_section {
    uint32_t line;        /* of the m-line */
    const char *media;    /* "audio", "video", "application", ... */
    const char *protocol; /* "UDP/TLS/RTP/SAVPF" */
    const char *format;   /* the first, as written */
    uint16_t port;
    const char *mid;  /* "" if not said */
    uint32_t max_bps; /* b=TIAS; 0: not said. b=AS counts heads, too: we know better */
    enum sdp_direction direction;
    bool bundle_only, rtcp_mux, rtcp_rsize, extmap_allow_mixed;
    bool ice_lite; /* of all, so only said before the first m-line */

    const char *ufrag, *pwd; /* "" if not said */
    enum sdp_setup setup;
    struct plan_fingerprint fingerprint; /* strongest of those we know; len 0: none */
    bool fingerprint_inherited;          /* from before the first m-line */
    bool fingerprint_unknown;            /* there was one with a hash we do not take */
    uint32_t n_candidates;               /* the first that we can use */
    struct plan_candidate candidates[PLAN_MAX_CANDIDATES];

    uint8_t feedback_of_all; /* a=rtcp-fb:* */
    uint32_t n_formats;
    struct sdp_format formats[SDP_MAX_FORMATS];
    uint32_t n_extensions;
    struct sdp_extension extensions[EXTENSION_COUNT]; /* those we know, each once */
    uint32_t n_rids;
    struct sdp_rid rids[SDP_MAX_RIDS];
    const char *simulcast_send; /* "q;h,h2;~f"; "" if not said */
    uint32_t n_ssrcs;
    uint32_t ssrcs[SDP_MAX_SSRCS];
    uint32_t n_groups;
    struct sdp_ssrc_group groups[SDP_MAX_SSRC_GROUPS];
};

struct sdp {
    struct sdp_section session; /* attributes before the first m-line */
    uint32_t n_bundle;
    const char *bundle[PLAN_MAX_SECTIONS]; /* mids of the first BUNDLE group */
    uint32_t n_unknown;                    /* lines we skipped because we do not know them */
    uint32_t n_sections;
    struct sdp_section *sections;
    char *text; /* what the strings above point into */
};

/**
 * Read a session description.
 *
 * @param text  [len bytes] borrowed
 * @param ret   on success the caller's; sdp_free() it
 * @return 0; -EBADMSG: malformed; -E2BIG: over a limit; -ENOMEM; error is set
 */
MUST_USE int sdp_read(struct sdp **ret, const char *text, size_t len,
                      struct negotiation_error *error);
struct sdp *sdp_free(struct sdp *sdp);

/** Set `error`. @return err */
int sdp_fail(struct negotiation_error *error, int err, const char *code, const char *format, ...)
    PRINTF_LIKE(4, 5);

/** @return true if the m-line is in use: port 0 is a rejection unless it is a=bundle-only */
bool sdp_section_live(const struct sdp_section *section);

/** @return the format with this payload type, or NULL */
const struct sdp_format *sdp_section_format(const struct sdp_section *section, uint8_t pt);

/** @return "sendrecv" etc.; static storage */
const char *sdp_direction_name(enum sdp_direction direction);

/** @return the same seen from the other side: sendonly is recvonly there */
enum sdp_direction sdp_direction_reverse(enum sdp_direction direction);

/** @return "actpass" etc.; static storage */
const char *sdp_setup_name(enum sdp_setup setup);

#endif
