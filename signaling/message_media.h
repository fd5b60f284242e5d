/**
 * @file message_media.h  What signaling messages say of media in a call: how a stream is seen, who
 * speaks, what is paused and why, which layers nobody needs, how well it goes. Plain values, part
 * of struct message and of mail between threads.
 */
#ifndef SIGNALING_MESSAGE_MEDIA_H
#define SIGNALING_MESSAGE_MEDIA_H

#include <stdbool.h>
#include <stdint.h>

struct text;

enum {
    MESSAGE_MID_MAX = 32,
    MESSAGE_RID_MAX = 16,
    MESSAGE_MAX_LAYERS = 3,          /* simulcast encodings of a track */
    MESSAGE_MAX_VIEWS = 128,         /* in one view */
    MESSAGE_MAX_SPEAKERS = 16,       /* in one speakers */
    MESSAGE_MAX_STREAMS = 128,       /* in one stream */
    MESSAGE_MAX_SCORES = 2048,       /* participants in one quality */
    MESSAGE_MAX_QUALITY_TRACKS = 32, /* in one quality */
    MESSAGE_MAX_SUBSCRIPTIONS = 128, /* in one quality */
    MESSAGE_VIEW_SIDE_MAX = 16384,   /* of a picture [pixels] */
    MESSAGE_VIEW_FPS_MAX = 240,      /* [frames/s] */
    MESSAGE_LEVEL_SILENCE = 127,     /* RFC 6464: -127 dBov */
    MESSAGE_SCORE_MAX = 100,
    MESSAGE_LAYER_NONE = 255, /* nothing is sent */
};

/** Who comes first when not all can be had. */
enum view_priority {
    VIEW_NORMAL,  /* the server judges: screens, then who speaks, then the rest */
    VIEW_SPEAKER, /* like somebody who speaks */
    VIEW_SCREEN,  /* like a shared screen */
    VIEW_PINNED,  /* before all others; the track gets a slot and keeps it */
};
const char *view_priority_name(enum view_priority priority);

/** How a client shows one stream; it takes the place of what was said of it before. */
struct message_view {
    uint32_t track;                /* 0: the one in slot `mid` */
    char mid[MESSAGE_MID_MAX + 1]; /* "" when track is given */
    uint16_t width, height;        /* as shown [device pixels]; 0: as large as there is */
    uint16_t fps;                  /* at most [frames/s]; 0: as many as there are */
    uint8_t priority;              /* enum view_priority */
    bool paused;                   /* not shown at all: send nothing */
};

/** Somebody who speaks. */
struct message_speaker {
    uint32_t participant;
    uint8_t level; /* loudness as RFC 6464 has it: 0 loudest, 127 silence [-dBov] */
    bool dominant; /* at most the first of a list */
};

/** Why nothing comes in a slot that is bound. */
enum stream_reason {
    STREAM_ACTIVE,    /* it does come */
    STREAM_BANDWIDTH, /* the subscriber's path has no room for it */
    STREAM_VIEW,      /* the subscriber asked for that */
    STREAM_MUTED,     /* the publisher muted it */
    STREAM_NOT_SENT,  /* the publisher sends nothing */
};
const char *stream_reason_name(enum stream_reason reason);

struct message_stream {
    char mid[MESSAGE_MID_MAX + 1];
    uint32_t track;
    uint8_t reason; /* enum stream_reason */
};

/** Which encodings of a track somebody needs. */
struct message_want_layer {
    char rid[MESSAGE_RID_MAX + 1]; /* "" of a track without simulcast */
    bool active;
};
struct message_want {
    uint32_t track, n_layers;
    struct message_want_layer layers[MESSAGE_MAX_LAYERS]; /* lowest first */
    uint32_t max_fps;                                     /* 0: no limit */
};

/** How well a participant is seen and heard, and sees and hears. */
struct message_score {
    uint32_t participant;
    uint8_t score; /* 0 (not at all) to MESSAGE_SCORE_MAX */
};

/** One encoding that a publisher sends. */
struct quality_layer {
    char rid[MESSAGE_RID_MAX + 1];
    uint32_t rate_bps;
    uint16_t width, height, fps; /* 0: not known */
    bool active;                 /* it flows */
};

/** A track of one's own, as the server receives it. */
struct quality_track {
    uint32_t track, rate_bps, loss_permille, jitter_ms, rtt_ms;
    uint32_t n_layers;
    struct quality_layer layers[MESSAGE_MAX_LAYERS];
};

/** What one gets in a slot. */
struct quality_subscription {
    char mid[MESSAGE_MID_MAX + 1];
    uint32_t track, rate_bps, loss_permille;
    uint8_t layer, target;                /* encodings, now and wanted; MESSAGE_LAYER_NONE: none */
    uint8_t spatial, temporal;            /* highest layers of it that are sent */
    uint32_t key_frames, freezes_avoided; /* since the slot carries the track */
};

struct message_quality {
    uint8_t score;                                                       /* one's own */
    uint32_t estimate_bps, rtt_ms, up_loss_permille, down_loss_permille; /* 0: not known */
    uint32_t n_participants, n_tracks, n_subscriptions;
    struct message_score *participants;         /* owned, like the others */
    struct quality_track *tracks;               /* one's own */
    struct quality_subscription *subscriptions; /* one's own */
};

/** Append the members of a quality's JSON object, as docs/PROTOCOL.md has them. */
void message_quality_write(struct text *out, const struct message_quality *q);

/** Free what `q` owns, and `q`. NULL is fine. @return NULL */
struct message_quality *message_quality_free(struct message_quality *q);

#endif
