/**
 * @file session_media.h  What a session has negotiated: its credentials, the answers to its offers,
 * and the mail that tells the worker. Knows neither rooms nor connections.
 */
#ifndef SFU_SESSION_MEDIA_H
#define SFU_SESSION_MEDIA_H

#include "media/base/attributes.h"
#include "media/base/text.h"
#include "media/ice_lite.h"
#include "sfu/mail.h"
#include "signaling/message.h"
#include "signaling/negotiation.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;

enum { SESSION_CNAME_LEN = 16 };

/** Embedded in a session; zero-initialised, then session_media_open(). */
struct session_media {
    const struct config *config;
    struct negotiation *negotiation;
    uint32_t worker;
    struct mail_agent *agent; /* whose credentials and candidates ours are; owned; NULL: ICE-lite */
    bool plays_only;          /* the peer sends nothing; set before session_media_open() */
    /* Made for this peer, and anew with each restart of ICE. */
    char ufrag[ICE_LOCAL_UFRAG + 1], pwd[ICE_LOCAL_PWD + 1];
    char cname[SESSION_CNAME_LEN + 1];
};

/** An offer with what the client says of its m-lines; everything borrowed. */
struct session_offer {
    const char *sdp;
    size_t len;
    const struct message_track_offer *tracks;
    uint32_t n_tracks;
};

/**
 * Make credentials and an empty negotiation.
 *
 * @param config  borrowed: limits
 * @param worker  where its path will end: what our ufrag begins with (ice_ufrag_tag())
 * @return 0; -ENOMEM
 */
MUST_USE int session_media_open(struct session_media *m, const struct config *config,
                                uint32_t worker);

/** After it, and before the first answer: be reached by this agent of the worker. ICE is not
 *  restarted then. @return 0; -ENOMEM */
MUST_USE int session_media_use_agent(struct session_media *m, const struct mail_agent *agent);

/** Free what it owns; open it again or drop it. */
void session_media_done(struct session_media *m);

/**
 * Answer an offer whose tracks[] must fit it. A refused offer changes nothing. Where it restarts
 * ICE, our credentials are new, too: in the answer and in mail from here on.
 *
 * @param local   fingerprint and candidates; the credentials are written into it
 * @param answer  receives the SDP; empty on failure
 * @return 0; -EINVAL: `error` has code and text
 */
MUST_USE int session_media_answer(struct session_media *m, struct negotiation_local *local,
                                  const struct session_offer *offer, struct text *answer,
                                  struct message *error);

/**
 * The peer restarts ICE without an offer, after one was answered: `ufrag` and `pwd` are its new
 * credentials; ours in m->ufrag and m->pwd are new afterwards. Mail them as MAIL_UPDATE.
 *
 * @return 0; -EINVAL: they are no credentials, or those of before; -ENOMEM. Then nothing changed
 */
MUST_USE int session_media_restart_ice(struct session_media *m, const char *ufrag, const char *pwd);

/** @return the plan after the last answer; NULL before */
const struct media_plan *session_media_plan(const struct session_media *m);

/** Make a MAIL_JOIN with the plan, without ids and tracks. @return 0; -ENOMEM */
MUST_USE int session_media_mail(const struct session_media *m, struct mail_join **ret);

/** Write the tracks of a participant into `mail`. */
void session_media_put_tracks(struct mail_join *mail, const struct message_track *tracks,
                              uint32_t n);

#endif
