/**
 * @file frame_vpx.h  Payload descriptors of VP8 (RFC 7741 section 4.2) and VP9 (RFC 9628 section
 * 4.2), and the size in a VP8 key frame. Part of frame_info.h. Pure.
 */
#ifndef MEDIA_FRAME_VPX_H
#define MEDIA_FRAME_VPX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct frame_info;

/** @param ret  written whole; a malformed payload says nothing but where the frame ends
 *  @param marker  of the packet: ends the frame */
void frame_vp8_read(struct frame_info *ret, const uint8_t *payload, size_t len, bool marker);

/** @param ret  written whole; a malformed payload says nothing */
void frame_vp9_read(struct frame_info *ret, const uint8_t *payload, size_t len);

#endif
