/**
 * @file whip_internal.h  What the files of WHIP and WHEP share; nobody else includes it.
 */
#ifndef SFU_WHIP_INTERNAL_H
#define SFU_WHIP_INTERNAL_H

#include "sfu/whip.h"

enum { WHIP_ETAG_LEN = 16 };

/** One session and what HTTP knows of it. */
struct whip_resource {
    struct session *session;      /* owned */
    char etag[WHIP_ETAG_LEN + 1]; /* of the ICE session: RFC 9725 section 4.3.1 */
};

#endif
