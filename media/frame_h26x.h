/**
 * @file frame_h26x.h  Key frames and picture sizes of H.264 (RFC 6184) and H.265 (RFC 7798). Part
 * of frame_info.h. Pure.
 */
#ifndef MEDIA_FRAME_H26X_H
#define MEDIA_FRAME_H26X_H

#include <stddef.h>
#include <stdint.h>

struct frame_info;

/**
 * A key frame starts with a sequence parameter set, or the first slice of an IDR picture, alone, in
 * a STAP, or at the start of an FU.
 *
 * @param ret  blank before; a malformed payload says nothing
 */
void frame_h264_read(struct frame_info *ret, const uint8_t *payload, size_t len);

/** The same of H.265: a video or sequence parameter set, or the first slice of an IRAP picture. */
void frame_h265_read(struct frame_info *ret, const uint8_t *payload, size_t len);

#endif
