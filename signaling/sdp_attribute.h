/** @file sdp_attribute.h  The a= lines of sdp.c; nobody else includes it. */
#ifndef SIGNALING_SDP_ATTRIBUTE_H
#define SIGNALING_SDP_ATTRIBUTE_H

#include "media/base/attributes.h"
#include "signaling/sdp.h"

#include <stdint.h>

/** Where the reader stands. */
struct sdp_cursor {
    struct sdp *sdp;
    struct sdp_section *section; /* &sdp->session before the first m-line */
    uint32_t line;               /* 1.. */
    struct negotiation_error *error;
};

/** Set the error to "line N: {what}". @return -EBADMSG */
int sdp_cursor_fail(const struct sdp_cursor *c, const char *what);

/** Set the error to "line N: more than {max} {what}". @return -E2BIG */
int sdp_cursor_limit(const struct sdp_cursor *c, const char *what, int max);

/**
 * Read what follows "a=" into c->section.
 *
 * @param attribute  NUL-terminated; is modified, must live as long as c->sdp
 * @return 0, unknown attributes included; -EBADMSG; -E2BIG
 */
MUST_USE int sdp_attribute_read(struct sdp_cursor *c, char *attribute);

#endif
