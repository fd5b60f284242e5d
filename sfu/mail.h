/**
 * @file mail.h  What the control thread and the workers tell each other. Messages carry ids, never
 * pointers to the other thread's objects; what they own goes with them. A media plan never changes
 * and is shared.
 */
#ifndef SFU_MAIL_H
#define SFU_MAIL_H

#include "media/base/mailbox.h"
#include "media/ice_lite.h"
#include "signaling/message.h"
#include "signaling/negotiation.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum mail_type {
    /* control -> worker */
    MAIL_JOIN,      /* struct mail_join */
    MAIL_UPDATE,    /* struct mail_join again: after a re-offer */
    MAIL_MUTE,      /* struct mail_mute */
    MAIL_CAP,       /* struct mail_cap: how much of a track is taken from its publisher */
    MAIL_VIEW,      /* struct mail_view: how it shows what it gets */
    MAIL_SUBSCRIBE, /* struct mail_subscribe */
    MAIL_REFRESH,   /* struct mail_participant: tell again what its client was told */
    MAIL_LEAVE,     /* struct mail_participant: free it; answered with MAIL_GONE */
    MAIL_STOP,      /* struct mail: close every transport, then MAIL_STOPPED */
    MAIL_PROBE,     /* struct mail_probe: ask these STUN servers, and tell what they see of us */
    MAIL_PING,      /* struct mail: answered with MAIL_PONG */
    /* control -> worker, of a room that is on others, too */
    MAIL_PUBLISHER,  /* struct mail_join: who publishes on another one; again after a re-offer */
    MAIL_UNPUBLISH,  /* struct mail_participant: that publisher is gone */
    MAIL_CLOSE_ROOM, /* struct mail_room: nobody of it is here any more */
    /* worker -> worker */
    MAIL_RELAY_START,     /* struct mail_relay: send us this track */
    MAIL_RELAY_STOP,      /* struct mail_relay: no more of it */
    MAIL_RELAY_LISTEN,    /* struct mail_relay: tell us how loud it is */
    MAIL_RELAY_IGNORE,    /* struct mail_relay: no more of that */
    MAIL_RELAY_KEY_FRAME, /* struct mail_relay: we need one */
    MAIL_RELAY_BATCH,     /* struct relay_batch (sfu/relay_batch.h): packets */
    MAIL_TCP,             /* struct mail_tcp: a connection of a participant there */
    /* worker -> control */
    MAIL_STATE,    /* struct mail_state */
    MAIL_SLOTS,    /* struct mail_slots */
    MAIL_NEED,     /* struct mail_need */
    MAIL_SPEAKERS, /* struct mail_speakers */
    MAIL_STREAM,   /* struct mail_stream */
    MAIL_WANT,     /* struct mail_want */
    MAIL_QUALITY,  /* struct mail_quality */
    MAIL_MAPPED,   /* struct mail_mapped */
    MAIL_GONE,     /* struct mail_participant: nothing of it is left on the worker */
    MAIL_PONG,
    MAIL_AGENT, /* struct mail_agent */
    MAIL_STOPPED,
};

/** A track of a participant, as control numbered it. */
struct mail_track {
    uint32_t id;
    char mid[PLAN_MID_MAX + 1];
    enum media_kind kind;
    bool muted;
    bool screen; /* of what a screen shows (text must be legible, movement may stutter) or plays */
    uint32_t max_bps; /* its publisher is to send it with at most; 0: no limit */
};

enum { MAIL_AGENT_CANDIDATES = 16 };

/** An ICE agent of a worker that waits for a peer (sfu/agent_paths.h). */
struct mail_agent {
    struct mail mail;
    uint32_t worker;
    int64_t since_us; /* when it knew its candidates */
    struct ice_credentials credentials;
    uint32_t n_candidates;
    struct plan_candidate candidates[MAIL_AGENT_CANDIDATES];
};

struct mail_join {
    struct mail mail;
    uint32_t participant, room; /* room: number of the room, unique while it lives */
    uint32_t worker;            /* MAIL_PUBLISHER: where it lives */
    bool deaf;                  /* it may subscribe to nothing: its slots stay empty */
    char ufrag[PLAN_UFRAG_MAX + 1], pwd[PLAN_PWD_MAX + 1]; /* ours */
    struct media_plan *plan;                               /* a reference */
    uint32_t n_tracks;
    struct mail_track tracks[MESSAGE_MAX_TRACKS]; /* every PUBLISH section's */
};

struct mail_mute {
    struct mail mail;
    uint32_t participant, track;
    bool muted;
};

struct mail_cap {
    struct mail mail;
    uint32_t participant, track;
    uint32_t max_bps; /* 0: no limit */
};

/** Each entry replaces what was said of its stream before; mids are slots of the participant, and
 *  tracks are of its room. */
struct mail_view {
    struct mail mail;
    uint32_t participant, n_views;
    struct message_view *views; /* owned */
};

/** May the track come in a slot of the participant? At first all may. */
struct mail_subscribe {
    struct mail mail;
    uint32_t participant, track;
    bool subscribed;
};

/** How each mail of a worker about a participant begins. */
struct mail_participant {
    struct mail mail;
    uint32_t participant;
};

struct mail_room {
    struct mail mail;
    uint32_t room;
};

struct mail_relay {
    struct mail mail;
    uint32_t worker; /* who sends this */
    uint32_t participant, track;
    uint8_t layer;  /* KEY_FRAME: of which */
    uint8_t layers; /* START: those that are wanted, a set; again when it changes */
    bool any;       /* KEY_FRAME: we have none at all, and asked before */
};

enum { MAIL_MAX_PROBES = 2 }; /* STUN servers, one of each family */

struct mail_probe {
    struct mail mail;
    uint32_t n_servers;
    struct sockaddr_storage servers[MAIL_MAX_PROBES];
};

/** What a server saw of a worker's UDP socket. */
struct mail_mapped {
    struct mail mail;
    uint32_t worker, server;         /* server: which one of mail_probe */
    struct sockaddr_storage address; /* ss_family AF_UNSPEC: it did not answer */
};

struct mail_tcp {
    struct mail mail;
    int fd; /* owned; -1: none */
    struct sockaddr_storage peer;
};

enum peer_state { PEER_CONNECTED, PEER_FAILED, PEER_CLOSED, PEER_CONSENT_LOST };

struct mail_state {
    struct mail mail;
    uint32_t participant;
    enum peer_state state;
    char reason[96]; /* for people */
};

struct mail_slots {
    struct mail mail;
    uint32_t participant, epoch, n_slots;
    struct message_slot *slots; /* owned; every slot that changed */
};

struct mail_need {
    struct mail mail;
    uint32_t participant, audio, video; /* slots wanted in all */
};

/** Who speaks, for all of the room on the worker that sends this. */
struct mail_speakers {
    struct mail mail;
    uint32_t participant, room; /* participant: any of those */
    uint32_t n_speakers;
    struct message_speaker speakers[MESSAGE_MAX_SPEAKERS]; /* dominant first */
};

/** What began or ceased to come in slots, and why. */
struct mail_stream {
    struct mail mail;
    uint32_t participant, n_streams;
    struct message_stream *streams; /* owned */
};

/** Which encodings of a track of the participant anybody needs, in place of what was said before.
 */
struct mail_want {
    struct mail mail;
    uint32_t participant;
    struct message_want want;
};

struct mail_quality {
    struct mail mail;
    uint32_t participant;
    struct message_quality *quality; /* owned */
};

/** Free a mail of any type and what it owns. NULL is fine. */
void mail_free(struct mail *mail);

#endif
