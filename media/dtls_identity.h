/**
 * @file dtls_identity.h  What dtls.c takes from an identity: OpenSSL's objects that all sessions
 * share, and what they call back. For those two files only.
 */
#ifndef MEDIA_DTLS_IDENTITY_H
#define MEDIA_DTLS_IDENTITY_H

#include "media/base/attributes.h"
#include "media/dtls.h"

#include <openssl/ssl.h>

/* OpenSSL's numbers, which hide our enumerators of the same names. */
#undef SRTP_AEAD_AES_128_GCM
#undef SRTP_AEAD_AES_256_GCM

/** Certificate, key, ciphers and options; certificates of peers are left to the caller. */
SSL_CTX *dtls_identity_context(const struct dtls_identity *identity);

/** The lower end of a session's OpenSSL stack, where records become datagrams. */
const BIO_METHOD *dtls_identity_method(const struct dtls_identity *identity);

/** Digest of `certificate` by `hash`. @return 0; -EIO: OpenSSL failed */
MUST_USE int dtls_identity_digest(struct dtls_fingerprint *ret, const X509 *certificate,
                                  enum fingerprint_hash hash);

/** In dtls.c: compares the peer's certificate with the session's fingerprint. @return 1: it is it
 */
int dtls_verify_certificate(X509_STORE_CTX *store, void *unused);

/** In dtls.c: make what dtls_identity_method() gives. @return it, or NULL: no memory */
BIO_METHOD *dtls_method_new(void);

#endif
