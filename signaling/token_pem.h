/**
 * @file token_pem.h  Keys of tokens by OpenSSL: what is in a PEM file, and PEM of the numbers of a
 * JWK. Thread: any, no shared state.
 */
#ifndef SIGNALING_TOKEN_PEM_H
#define SIGNALING_TOKEN_PEM_H

#include "media/base/attributes.h"
#include "signaling/token_keys.h"

#include <stddef.h>

/** A key pair as PEM; texts are allocated, for token_pem_done(). */
struct token_pem {
    enum token_alg alg;
    char *public_key, *private_key; /* private_key NULL: not known */
};

/**
 * Read a private key without a password, a public key, or a certificate.
 *
 * @return 0; -EINVAL: none of them, or not RSA of 2,048 bits or P-256; -ENOMEM; error is set
 */
MUST_USE int token_pem_read(struct token_pem *ret, const char *text, size_t len,
                            char error[TOKEN_KEY_ERROR_MAX]);

/** Big-endian numbers of a JWK (RFC 7518 section 6). @return as token_pem_read() */
MUST_USE int token_pem_of_rsa(struct token_pem *ret, const unsigned char *n, size_t n_len,
                              const unsigned char *e, size_t e_len,
                              char error[TOKEN_KEY_ERROR_MAX]);
MUST_USE int token_pem_of_p256(struct token_pem *ret, const unsigned char x[32],
                               const unsigned char y[32], char error[TOKEN_KEY_ERROR_MAX]);

void token_pem_done(struct token_pem *pem);

/** Overwrite and free `len` bytes. NULL is fine. */
void token_pem_wipe(void *secret, size_t len);

/** Forget what OpenSSL noted of failures in this thread: TLS would take it for its own. */
void token_pem_forget_errors(void);

#endif
