/**
 * @file track.h  One published source: its layers, and who subscribes to it.
 *
 * Owned by the publishing participant, or by its stand-in on another worker of the room (then it is
 * a replica), listed in the room in order of publishing. Thread: the worker's own.
 */
#ifndef SFU_TRACK_H
#define SFU_TRACK_H

#include "media/base/attributes.h"
#include "media/base/clock.h"
#include "media/base/list.h"
#include "media/silence_gate.h"
#include "sfu/forward.h"
#include "sfu/layer_want.h"
#include "sfu/track_layer.h"
#include "sfu/track_measure.h"
#include "signaling/negotiation.h"

#include <stdbool.h>
#include <stdint.h>

struct actor;
struct core;
struct packet;
struct room;
struct rtcp_sender_info;
struct speaker;
struct subscription;
struct track_set;
struct track_ladder;

enum { TRACK_MAX_BURST = 256 }; /* packets given to one subscription at once */

/** A key frame of that age does for who joins now: a picture at once, at the price of a short rush
 *  through what was missed. */
#define TRACK_YOUNG_US (500 * MS)
/** A publisher that has not answered by then is taken to ignore requests for key frames. */
#define TRACK_PATIENCE_US (1 * SECOND)

/** How a packet came. */
enum track_path {
    TRACK_PLAIN,
    TRACK_RTX,         /* as RTX, still wrapped */
    TRACK_RELAYED,     /* to a replica, after its original took it in */
    TRACK_RELAYED_RTX, /* likewise, as RTX before */
};

struct track {
    struct list room_link; /* in the room's tracks */
    struct list live;      /* subscriptions that packets go to */
    struct list idle;      /* subscriptions of subscribers that are not connected */
    struct core *core;
    struct actor *publisher;  /* asks the source for what subscribers miss */
    uint32_t id, participant; /* numbers of the track and of its publisher */
    enum media_kind kind;
    uint32_t max_bps;            /* its publisher is to send it with at most; 0: no limit */
    struct room *room;           /* NULL: in none */
    const struct track_set *set; /* of its publisher; NULL: in none */
    bool screen;                 /* of what a screen shows or plays */
    bool muted;
    bool has_fresh;                  /* some live subscription is fresh */
    uint8_t flowing;                 /* layers that flow, a set */
    uint8_t wanted_layers;           /* those that somebody gets, or would if they flowed: a set */
    bool wishes_changed;             /* and that is to be found out anew */
    uint8_t asked_layers;            /* of a replica: what its original was asked for */
    bool asked;                      /* of a replica: its original is being sent */
    bool levels_asked;               /* of a replica: this one is told how loud it is */
    struct extension_map extensions; /* of the publisher's bundle */
    int64_t asked_us;                /* of a replica: since when it is sent */
    uint64_t relay_to;               /* workers with a replica that want it, a set */
    uint64_t relay_wants[PLAN_MAX_LAYERS]; /* those of them that want each layer */
    uint64_t relay_gets[PLAN_MAX_LAYERS];  /* and that are sent it: another, if it does not flow */
    /* of audio */
    struct speaker *speaker; /* in the room's; NULL: it has made no sound yet */
    struct silence_gate silence;
    uint64_t levels_to;                          /* workers that are told how loud it is, a set */
    const struct plan_section *section;          /* the publisher's m-line; kept current by it */
    struct track_layer *layers[PLAN_MAX_LAYERS]; /* NULL until something arrives */
    struct track_layer *best;                    /* highest that flows; NULL: none */
    struct track_measure measure;                /* how it came lately */
    struct layer_want want;                 /* what the publisher, or the original, is to send */
    struct track_ladder *ladder;            /* see track_ladder(); NULL: nobody asked for it yet */
    struct list waiting_link;               /* in core->waiting_tracks */
    struct forward *waiting, *last_waiting; /* not handed to the subscriptions yet */
};

/**
 * @param publisher   borrowed: must outlive the track
 * @param section     borrowed; replace with track_set_section() before it goes
 * @param extensions  ids of the publisher's bundle
 * @return the track, or NULL: no memory
 */
struct track *track_new(struct core *core, struct actor *publisher, uint32_t id,
                        uint32_t participant, const struct plan_section *section,
                        const struct extension_map *extensions);
/** Unbind every subscription, leave the room, and free. NULL is fine. @return NULL */
struct track *track_free(struct track *t);

/** The publisher's plan was replaced: payload types and ids may be others. */
void track_set_section(struct track *t, const struct plan_section *section,
                       const struct extension_map *extensions);

/** Stop or resume forwarding. Resumed video asks for a key frame. */
void track_set_muted(struct track *t, bool muted);

/**
 * Take in one RTP packet of layer `at`. The subscriptions get it by track_fan_out_all(), to be
 * called before anything else is done to them: what they are looked up for once is then good for
 * a whole burst, and at a thousand of them the looking up is most of the cost.
 *
 * @param packet  borrowed, with one reference; unwrapped in place if it came as RTX
 */
void track_receive(struct track *t, uint8_t at, enum track_path path, struct packet *packet,
                   int64_t now_us);

/** Take in a sender report of layer `at`; one of another SSRC is passed over. */
void track_receive_report(struct track *t, uint8_t at, const struct rtcp_sender_info *report,
                          int64_t now_us);

/** Take in a BYE of layer `at`. */
void track_receive_bye(struct track *t, uint8_t at);

/** Let go of all that a replica received; it has no live subscription. */
void track_forget(struct track *t);

/** Hand all that waits to the subscriptions. */
void track_fan_out_all(struct core *core);

/** A subscription waits for its first key frame: look at it in this turn, by track_serve_fresh().
 */
void track_note_fresh(struct track *t);

/** Let fresh subscriptions begin with the newest key frame, if that was just now and all since is
 * in the store: many who join at once cost one key frame. Else ask the publisher for one. */
void track_serve_fresh(struct track *t, int64_t now_us);

/** @return true if a key frame at most `age_us` old and all since is in the store, and not too much
 */
bool track_has_burst(const struct track *t, const struct track_layer *layer, int64_t age_us,
                     int64_t now_us);

/** Let subscriptions that the publisher keeps waiting (some ignore requests) begin with an older
 * key frame, if all since is in the store; call about once per second. */
void track_serve_waiting(struct track *t, int64_t now_us);

/** See which layers flow, and let subscriptions aim anew; call about once per second. */
void track_choose_layer(struct track *t, int64_t now_us);

/** @return the layer to aim for by who wants `at`: the highest that flows and is not above; if
 * there is none, the lowest that flows; NULL: none ever did */
struct track_layer *track_aim(const struct track *t, uint8_t at);

/** What some subscription gets or aims for is another layer now. */
void track_note_wishes(struct track *t);

/** There is something else to be had of the track now, or it matters more: who gets it has what it
 *  gets decided anew. */
void track_note_change(struct track *t);

/** Find out what is wanted, if that changed. @return true: wanted_layers is another set now */
bool track_update_wishes(struct track *t);

/**
 * Send what the store has of `layer` from number `from` up to the newest to one subscription.
 */
void track_replay(struct track *t, struct track_layer *layer, uint16_t from,
                  struct subscription *to, int64_t now_us);

/** Find the packet with number `seq` and describe it. @return 0; -ENOENT: it is gone */
MUST_USE int track_find_packet(struct track *t, struct track_layer *layer, uint16_t seq,
                               int64_t now_us, struct forward *ret);

/** Let go of packets older than `keep_us`. */
void track_expire(struct track *t, int64_t keep_us, int64_t now_us);

/** @return index of the layer, for track_receive()'s counterpart */
uint8_t track_layer_index(const struct track *t, const struct track_layer *layer);

/** @return the format that the m-line is mainly for: the first that is not RED */
const struct plan_codec *track_codec(const struct track *t);

/** Ask for a key frame of what subscribers wait for; nothing happens for audio. */
void track_want_key_frame(struct track *t, struct track_layer *layer);

#endif
