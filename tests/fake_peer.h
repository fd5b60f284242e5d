/**
 * @file fake_peer.h  WebRTC clients for a forwarder under test, and the world they live in: real
 * offers and answers, real DTLS and SRTP, checks of ICE, sources and sinks, over simulated links in
 * simulated time. The world also plays the control thread.
 *
 * Setting up aborts with a message where it fails; what a test is about it looks at itself.
 */
#ifndef TESTS_FAKE_PEER_H
#define TESTS_FAKE_PEER_H

#include "bench/netem_script.h"
#include "media/base/attributes.h"
#include "media/path.h"
#include "media/transport.h"
#include "sfu/forwarder.h"
#include "sfu/mail.h"
#include "signaling/negotiation.h"
#include "tests/fake_media.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { FAKE_MAX_PEERS = 64, FAKE_MAX_SECTIONS = 24, FAKE_MAX_WORKERS = 3 };

struct fake_world;
struct feedback_recorder;

/** Abort with `what` unless it holds: setting up has failed. */
static inline void fake_must(bool holds, const char *what)
{
    if (holds)
        return;
    (void)fprintf(stderr, "fake_peer: %s\n", what);
    abort();
}

struct fake_peer {
    struct fake_world *world;
    uint32_t id;           /* participant */
    uint32_t worker, room; /* where it lives; worker: to be changed before it joins */
    uint32_t layers;       /* of simulcast, in each video that it publishes; 0: without */
    uint16_t port;         /* of its address; change it to move */
    uint8_t host; /* last byte of the server's address that it sends to; change it likewise */
    bool joined;
    /* What it sends comes by this path; kind PATH_KINDS, as at first: by UDP. Change it to move. */
    enum path_kind path;
    uint32_t path_number;
    struct netem *up, *down;
    struct netem_script *script;     /* changes of them to come; NULL: none were told */
    struct negotiation *negotiation; /* the server's side */
    struct negotiation_local local;  /* the client's */
    struct negotiation_local server; /* what the server says of itself to it */
    uint32_t n_sections;
    struct offer_section sections[FAKE_MAX_SECTIONS];
    uint64_t version;
    struct media_plan *answer;                   /* the client's view */
    struct mail_track tracks[FAKE_MAX_SECTIONS]; /* by section; id 0: none */
    struct dtls_identity *identity;
    struct transport *transport;
    bool checks;      /* sends connectivity checks */
    bool nominates;   /* with USE-CANDIDATE */
    bool no_reports;  /* sends no sender reports */
    bool obeys;       /* stops what is not wanted, and goes on with it with a key frame */
    bool no_feedback; /* does not tell how what it receives arrives */
    bool sends_pli;   /* when a packet that it asked for does not come */
    struct feedback_recorder *arrivals; /* for that; NULL: nothing with a number came */
    uint64_t padding;                   /* packets of padding alone that came */
    int64_t check_us;                   /* when the next one is due */
    uint64_t n_checks;                  /* sent so far: each is a transaction of its own */
    bool strips_extensions;             /* from its offers: what GStreamer is like */
    bool wants_remb;                    /* offers REMB for what it publishes */
    uint16_t transport_seq;
    struct fake_source *sources[FAKE_MAX_SECTIONS]; /* by section, once connected; or NULL */
    struct fake_source *upper[FAKE_MAX_SECTIONS][PLAN_MAX_LAYERS - 1]; /* layers above the first */
    struct fake_sink *sinks[FAKE_MAX_SECTIONS];                        /* by section, or NULL */
    int64_t source_wait_us;             /* before sources begin; 0: at once */
    uint32_t last_path;                 /* number of the path that it was sent by; 0: by UDP */
    uint16_t last_to;                   /* port that the server sent to last */
    uint8_t last_from, last_reply_from; /* hosts it sent from: media and DTLS, replies to checks */
    uint64_t feedback, remb;            /* transport-wide feedback packets, REMB */
    uint64_t remb_bps;                  /* of the last */
    uint64_t reports;                   /* report blocks about its sources */
    /* what control was told */
    bool connected, gone, ended;
    enum peer_state end;
    char reason[96];
    uint32_t epoch, n_slot_mails, n_needs, need_audio, need_video;
    struct message_quality *quality; /* the last word; NULL: none yet */
    uint32_t track_of_section[FAKE_MAX_SECTIONS], publisher_of_section[FAKE_MAX_SECTIONS];
    int64_t slots_us; /* when the last MAIL_SLOTS came */
    /* what the last MAIL_SPEAKERS told, and when it came */
    uint32_t n_speakers, n_speaker_mails;
    struct message_speaker speakers[MESSAGE_MAX_SPEAKERS];
    int64_t speakers_us;
    uint8_t reason_of_section[FAKE_MAX_SECTIONS]; /* enum stream_reason */
    uint8_t want_of_section[FAKE_MAX_SECTIONS];   /* wanted encodings, a set */
    uint32_t n_stream_mails, n_wants;
    int64_t want_us; /* when the last MAIL_WANT came */
};

struct fake_world {
    struct forwarder *forwarder; /* of the first worker */
    uint32_t n_workers;
    struct forwarder *forwarders[FAKE_MAX_WORKERS];
    struct mailbox boxes[FAKE_MAX_WORKERS]; /* mail that a worker has not read yet */
    bool stalled[FAKE_MAX_WORKERS];         /* a worker that does nothing for now */
    /* Mean time after which a worker reads its mail [ms]. 0: mail of control at once, that of other
     * workers with the next tick. Else the seed says when, in the order in which it was posted. */
    uint32_t mail_delay_ms;
    uint64_t mail_seed;
    struct dtls_identity *identity;
    struct packet_pool *pool; /* the clients' */
    struct netem_config link; /* of peers made from now on; each gets a seed of its own */
    int64_t now_us;
    uint32_t n_peers, next_id;
    struct fake_peer *peers[FAKE_MAX_PEERS];
    bool stopped;                          /* MAIL_STOPPED came */
    uint32_t n_mapped;                     /* MAIL_MAPPED so far, and the last one's address */
    struct sockaddr_storage mapped, asked; /* asked: where the last request of that went */
    uint8_t probe[20];                     /* that request */
};

/** @param limits  NULL: the default */
struct fake_world *fake_world_new(const struct netem_config *link,
                                  const struct forwarder_limits *limits);
/** The same with several workers. */
struct fake_world *fake_world_new_spread(const struct netem_config *link,
                                         const struct forwarder_limits *limits, uint32_t workers);
/** Free the peers, and the forwarders as they are. @return NULL */
struct fake_world *fake_world_free(struct fake_world *w);

/** Let `us` of time pass. */
void fake_world_run(struct fake_world *w, int64_t us);

/** A client with `audio` and `video` published tracks and slots; it has not joined. */
struct fake_peer *fake_peer_new(struct fake_world *w, uint32_t publish_audio,
                                uint32_t publish_video, uint32_t audio_slots, uint32_t video_slots);

/** Free it; the forwarder is not told. @return NULL */
struct fake_peer *fake_peer_free(struct fake_peer *p);

/** Have its link change as a text of bench/netem_script.h says; times count from now. */
void fake_peer_link(struct fake_peer *p, const char *text);

/** Receive what has arrived, send what is due; the world does it. */
void fake_peer_advance(struct fake_peer *p);

/** Send of the video in a section what want_of_section says. */
void fake_peer_obey(struct fake_peer *p, uint32_t section);

/** @return the source of a layer of the n-th video that it publishes */
struct fake_source *fake_peer_layer(const struct fake_peer *p, uint32_t n, uint32_t layer);

/** Append an m-line. @return its section, to be changed before the offer */
struct offer_section *fake_peer_add(struct fake_peer *p, enum section_use use,
                                    enum media_kind kind);

/** Offer, and hand MAIL_JOIN (the first time) or MAIL_UPDATE to the forwarder. */
void fake_peer_offer(struct fake_peer *p, uint32_t room);

/** MAIL_LEAVE, MAIL_MUTE of the n-th section's track. */
void fake_peer_leave(struct fake_peer *p);
void fake_peer_mute(struct fake_peer *p, uint32_t section, bool muted);

/** MAIL_VIEW: what this peer says of a track, or of the slot in one of its sections. */
void fake_peer_view(struct fake_peer *p, const struct message_view *view);

/** The same of `track`: may it come into a slot? */
void fake_peer_subscribe(struct fake_peer *p, uint32_t track, bool subscribed);

/** New credentials on both sides; takes effect with the next offer. */
void fake_peer_restart_ice(struct fake_peer *p);

/** Ask for a key frame of what a slot carries. */
void fake_peer_send_pli(struct fake_peer *p, uint32_t section);

/** The sink of the n-th slot of this kind, or the n-th source. */
struct fake_sink *fake_peer_sink(const struct fake_peer *p, enum media_kind kind, uint32_t n);
struct fake_source *fake_peer_source(const struct fake_peer *p, enum media_kind kind, uint32_t n);

/** Give `mail` of control to a worker. */
void fake_world_send(struct fake_world *w, uint32_t worker, struct mail *mail);

/** MAIL_STOP to every worker. */
void fake_world_stop(struct fake_world *w);

/** Tell the workers of its room of a peer that comes (mail to its own worker is included), changed
 *  (it went before), leaves, or mutes. As the directory and the sessions do. */
void fake_control_join(struct fake_peer *p);
void fake_control_update(struct fake_peer *p);
void fake_control_leave(struct fake_peer *p);
void fake_control_mute(struct fake_peer *p, uint32_t section, bool muted);

/** Make MAIL_JOIN, MAIL_UPDATE or MAIL_PUBLISHER of a peer as it is now. */
struct mail *fake_peer_mail(struct fake_peer *p, enum mail_type type);

#endif
