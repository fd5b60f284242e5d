/**
 * @file srtp_context.h  libsrtp2 contexts as srtp_libsrtp.c and seal_srtp.c make them; for those
 * two only. Owner of the libsrtp2 dependency together with them.
 */
#ifndef MEDIA_SRTP_CONTEXT_H
#define MEDIA_SRTP_CONTEXT_H

#include "media/base/attributes.h"
#include "media/srtp.h"

#include <srtp2/srtp.h>
#include <stdbool.h>

/** Start libsrtp2, before threads; again does no harm. @return 0; -ENOTSUP: the library lacks AEAD
 *  or will not start */
MUST_USE int srtp_context_start(void);

/**
 * Make a context for one direction and any SSRC; srtp_dealloc() frees it.
 *
 * @param keys  their lengths are right
 * @return 0; -ENOMEM; -EIO: libsrtp2 refuses
 */
MUST_USE int srtp_context_new(srtp_t *ret, const struct srtp_keys *keys, bool outbound);

/** @return what a status of libsrtp2 is for our callers: 0 or -errno as in srtp.h */
int srtp_context_error(srtp_err_status_t status);

#endif
