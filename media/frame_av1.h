/**
 * @file frame_av1.h  Key frames and picture sizes of AV1 without a dependency descriptor (AV1 RTP
 * specification, section 4). Part of frame_info.h. Pure.
 */
#ifndef MEDIA_FRAME_AV1_H
#define MEDIA_FRAME_AV1_H

#include <stddef.h>
#include <stdint.h>

struct frame_info;

/** @param ret  blank before; a malformed payload says nothing */
void frame_av1_read(struct frame_info *ret, const uint8_t *payload, size_t len);

#endif
