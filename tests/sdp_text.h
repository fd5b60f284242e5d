/**
 * @file sdp_text.h  Offers for tests, whole ones of real clients and ones made line by line, and
 * questions about what is answered.
 */
#ifndef TESTS_SDP_TEXT_H
#define TESTS_SDP_TEXT_H

#include "media/base/attributes.h"
#include "signaling/negotiation.h"

#include <stdbool.h>
#include <stddef.h>

/** A description under construction; above its space it aborts. */
struct sdp_text {
    size_t len;
    char data[512 * 1024];
};

/** Start with v=, o=, s=, t= and, unless it is "", a=group:BUNDLE {bundle}. */
void sdp_text_begin(struct sdp_text *s, const char *bundle);

/** Append "line\r\n". */
void sdp_text_add(struct sdp_text *s, const char *format, ...) PRINTF_LIKE(2, 3);

/** Append an m-line with ICE, fingerprint, actpass, rtcp-mux, mid and direction, codecs aside. */
void sdp_text_media(struct sdp_text *s, const char *media_line, const char *mid,
                    const char *direction);

/** The same, with Opus 111 and RED 63, PCMU; mid and transport-cc extensions. */
void sdp_text_audio(struct sdp_text *s, const char *mid, const char *direction);

/** The same, with VP8 96 and RTX 97; mid, rid and transport-cc extensions. */
void sdp_text_video(struct sdp_text *s, const char *mid, const char *direction);

/** Replace the first `from`, which must be there, by `to`. */
void sdp_text_replace(struct sdp_text *s, const char *from, const char *to);

/** Read tests/data/{name}; aborts if it is not there. */
void sdp_text_load(struct sdp_text *s, const char *name);

/** @return true if `line` is a whole line of m-line number `section` (-1: before the first) */
bool sdp_text_has(const char *sdp, int section, const char *line);

/** @return the number of lines of `sdp` that begin with `prefix` */
size_t sdp_text_count(const char *sdp, const char *prefix);

/** @return credentials, fingerprint and a candidate of ours; ICE-lite */
struct negotiation_local sdp_text_local(void);

#endif
