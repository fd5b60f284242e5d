/**
 * @file speaker_detector.h  Who of a room speaks, in which order, and who is the dominant speaker.
 *
 * After Volfin and Cohen (see speech_activity.c): the dominant speaker is replaced by somebody
 * whose activity is larger over an immediate, a medium and a long time (c1 > 3, c2 > 2, c3 > 0.2),
 * or, once it has fallen silent, by who speaks most and for more than a moment: neither a cough nor
 * noise nor an interjection does it.
 *
 * A source begins to speak with its first packet well above its noise, and ends after a pause. The
 * order is of those who speak, the stronger first; who begins comes behind those who are heard now,
 * but before those who pause or make but short noises, and neighbours change places only by a clear
 * margin. So with n places to give, the first n stay in them. Of those who do not speak, the last
 * one that did comes first.
 *
 * Sources without levels are taken to speak while they send sound at all. They come behind all that
 * are known to speak, and are never dominant.
 *
 * A packet costs O(1), a decision O(sources that speak), every SPEAKER_TICK_US while any does.
 * Decisions are made of what was known SPEAKER_DELAY_BINS earlier: detectors that are told of the
 * same sources by reports (another thread's, say) decide alike.
 *
 * Sources are sounds of one room; ids are the caller's. Not thread-safe; sans-I/O.
 */
#ifndef MEDIA_SPEAKER_DETECTOR_H
#define MEDIA_SPEAKER_DETECTOR_H

#include "media/base/attributes.h"
#include "media/base/clock.h"
#include "media/base/list.h"
#include "media/speech_activity.h"

#include <stdbool.h>
#include <stdint.h>

#define SPEAKER_TICK_US (100 * MS)
/** A source that says no more is silent after this, at the latest. */
#define SPEAKER_PAUSE_US (400 * MS)

enum {
    SPEAKER_DELAY_BINS = 6, /* more than a tick */
    SPEAKER_REPORT_BINS = SPEECH_KEPT_BINS,
};

enum speaker_state {
    SPEAKER_QUIET,
    SPEAKER_SPEAKING,
    SPEAKER_SOUNDING, /* sends something that may be speech: it tells no levels */
};
const char *speaker_state_name(enum speaker_state state);

struct speaker_detector;

/** One source. Its members may be read, and are the detector's to change but for two. */
struct speaker {
    struct list link; /* in the detector's speaking or sounding */
    struct speaker_detector *detector;
    void *owner;     /* the caller's to set */
    bool background; /* likewise: never dominant, as what a screen plays is no person */
    uint32_t id;
    enum speaker_state state;
    bool remote;    /* known by reports */
    bool confirmed; /* has spoken for more than a moment since it began */
    bool dominant;
    int64_t began_us;            /* when it last did */
    uint64_t rank;               /* in the order, more is earlier; 0: never said anything */
    uint64_t dominated;          /* more: dominant more lately; 0: never */
    int64_t averaged, reported;  /* bins: up to where */
    int32_t average_x256;        /* of strengths, in its recent past */
    struct speech_scores scores; /* as of the last decision */
    struct speech_activity activity;
};

/** What another detector is told of a source. */
struct speaker_report {
    enum speaker_state state;
    uint8_t level; /* of its voice [-dBov] */
    uint8_t n;     /* bins */
    int64_t first; /* of them */
    uint8_t strengths[SPEAKER_REPORT_BINS];
};

struct speaker_handler {
    /** A source that is not remote began, went on (once per tick) or ended. NULL: not needed. */
    void (*on_report)(void *owner, const struct speaker *s, const struct speaker_report *report);
};

/** What speaker_detector_advance() changed, a set. */
enum { SPEAKER_CHANGED_ORDER = 1, SPEAKER_CHANGED_DOMINANT = 2 };

/** @param handler  copied. @return NULL: no memory */
struct speaker_detector *speaker_detector_new(const struct speaker_handler *handler, void *owner);
/** Free it without speakers. NULL is fine. @return NULL */
struct speaker_detector *speaker_detector_free(struct speaker_detector *d);

/** @param level  its first one [-dBov]. @return a source, or NULL: no memory */
struct speaker *speaker_new(struct speaker_detector *d, uint32_t id, uint8_t level, int64_t now_us);
/** It is no more; nothing is reported. NULL is fine. @return NULL */
struct speaker *speaker_free(struct speaker *s);

/** A packet of that level came. @param voice  its V bit. @return true: it began to speak with it */
bool speaker_hear(struct speaker *s, uint8_t level, bool voice, int64_t now_us);

/** A packet with sound but without a level came. @return true: it began to sound with it */
bool speaker_hear_sound(struct speaker *s, int64_t now_us);

/** What another detector reports of it. @return true: it began to speak, or sound */
bool speaker_take_report(struct speaker *s, const struct speaker_report *report, int64_t now_us);

/** It says nothing from now on (muted). @return true: it did */
bool speaker_stop(struct speaker *s);

/** Decide if it is time. @return a set of what changed, also by what came since the last time */
unsigned speaker_detector_advance(struct speaker_detector *d, int64_t now_us);

/** @return when speaker_detector_advance() has work [us], or NEVER_US: nobody speaks */
int64_t speaker_detector_deadline(const struct speaker_detector *d);

/** @return the dominant speaker, also while it pauses; NULL: none */
struct speaker *speaker_detector_dominant(const struct speaker_detector *d);

/** Walk those that speak, in order, then those that sound. @param after  NULL: begin
 *  @return the next one, or NULL at the end */
struct speaker *speaker_detector_next(const struct speaker_detector *d,
                                      const struct speaker *after);

#endif
