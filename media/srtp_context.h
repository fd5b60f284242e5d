/**
 * @file srtp_context.h  libsrtp2 contexts as srtp.c and seal_srtp.c make them; for those two only.
 */
#ifndef MEDIA_SRTP_CONTEXT_H
#define MEDIA_SRTP_CONTEXT_H

#include "media/base/attributes.h"
#include "media/srtp.h"

#include <srtp2/srtp.h>
#include <stdbool.h>

/**
 * Make a context for one direction and any SSRC; srtp_dealloc() frees it.
 *
 * @return 0; -EINVAL: unknown profile or wrong key lengths; -ENOMEM; -EIO: libsrtp2 refuses
 */
MUST_USE int srtp_context_new(srtp_t *ret, const struct srtp_keys *keys, bool outbound);

/** @return what a status of libsrtp2 is for our callers: 0 or -errno as in srtp.h */
int srtp_context_error(srtp_err_status_t status);

/** @return bytes of the authentication tag of `profile` */
size_t srtp_context_tag_len(enum srtp_profile profile);

#endif
