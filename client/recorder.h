/**
 * @file recorder.h  Writes what is heard and seen: everybody together, and each alone.
 *
 * All sound files begin at the same moment and grow by 20 ms per tick, with silence where nothing
 * is heard, so they stay aligned with each other and with the clock. Not thread-safe.
 */
#ifndef CLIENT_RECORDER_H
#define CLIENT_RECORDER_H

#include "media/base/attributes.h"

#include <stddef.h>
#include <stdint.h>

struct recorder;
struct video_frame;

enum { RECORDER_MAX_VOICES = 1024, RECORDER_NAME_MAX = 128 };

struct recorder_config {
    const char *all;   /* WAV file; NULL: none. Strings are borrowed */
    const char *each;  /* folder for WAV files, made if it is not there; NULL: none */
    const char *video; /* folder for IVF files, likewise */
    uint16_t channels; /* 1, 2 */
};

/** @return 0; -ENOMEM; -errno of making the folders and the file */
MUST_USE int recorder_new(struct recorder **ret, const struct recorder_config *config);
/** Finish all files. NULL is fine. @return NULL */
struct recorder *recorder_free(struct recorder *r);

/** A participant (0: unknown) is heard in this tick: 20 ms, once or more, which are mixed. */
void recorder_add(struct recorder *r, uint32_t participant, const char *name,
                  const int16_t *samples);
/** The tick is over. @return 0; -errno of writing, which are kept: further calls do nothing */
MUST_USE int recorder_tick(struct recorder *r);

/** A whole frame of video. @return as recorder_tick() */
MUST_USE int recorder_video(struct recorder *r, const struct video_frame *frame, const char *name);

/** Write the name of a participant's file without its ending, "Ada-p-0000002a". @return `out` */
const char *recorder_file_name(uint32_t participant, const char *name, char out[RECORDER_NAME_MAX]);

#endif
