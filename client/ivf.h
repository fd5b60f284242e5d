/**
 * @file ivf.h  IVF files, the simplest container of VP8: one header, then frames with a timestamp.
 *
 * Plain values. Not thread-safe.
 */
#ifndef CLIENT_IVF_H
#define CLIENT_IVF_H

#include "media/base/attributes.h"

#include <stddef.h>
#include <stdint.h>

enum {
    IVF_HEADER_LEN = 32,
    IVF_FRAME_HEADER_LEN = 12,
    IVF_MAX_BYTES = 512 * 1024 * 1024,      /* largest file read */
    IVF_MAX_FRAME_BYTES = 16 * 1024 * 1024, /* largest frame read */
};

/** An IVF file in memory. */
struct ivf {
    char fourcc[5]; /* "VP80" */
    uint16_t width, height;
    uint32_t rate, scale; /* a timestamp step is scale / rate seconds; neither is 0 */
    const uint8_t *data;  /* the whole file */
    size_t len, at;       /* `at`: next frame header */
    uint8_t *file;        /* owned if ivf_open() read it, else NULL */
};

struct ivf_frame {
    const uint8_t *data; /* lies in the file */
    size_t len;
    uint64_t pts; /* in steps of scale / rate seconds */
};

/** Read the header of an IVF in memory. @param data  borrowed as long as `ret` is used
 *  @return 0; -EBADMSG: not an IVF */
MUST_USE int ivf_parse(struct ivf *ret, const uint8_t *data, size_t len);

/** Read a file; ivf_done() it. @return as ivf_parse(); -EFBIG; -errno of open and read */
MUST_USE int ivf_open(struct ivf *ret, const char *path);
void ivf_done(struct ivf *ivf);

/** Take the next frame. @return 1: *ret is set; 0: the end; -EBADMSG: cut off or too large */
MUST_USE int ivf_next(struct ivf *ivf, struct ivf_frame *ret);

/** Go back to the first frame. */
void ivf_rewind(struct ivf *ivf);

/** Writes VP8 frames as they come. */
struct ivf_writer;

/** Create or overwrite `path`; timestamps are in 1/`rate` s. @return 0; -ENOMEM; -errno of open */
MUST_USE int ivf_writer_new(struct ivf_writer **ret, const char *path, uint16_t width,
                            uint16_t height, uint32_t rate);
/** Finish the header and close. NULL is fine. @return NULL */
struct ivf_writer *ivf_writer_free(struct ivf_writer *w);
/** Append a frame. @return 0; -EIO */
MUST_USE int ivf_writer_put(struct ivf_writer *w, const uint8_t *data, size_t len, uint64_t pts);

#endif
