#include "signaling/turn_credentials.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

/* coturn takes the digits before the first colon for the time, and any text behind it. */
static void write_username(char out[TURN_USERNAME_MAX + 1], const char *identity, int64_t expires_s)
{
    int len = snprintf(out, TURN_USERNAME_MAX + 1, "%" PRId64 ":", expires_s);
    char *at = out + len;

    for (size_t i = 0; i < TURN_IDENTITY_MAX && identity[i]; i++) {
        *at++ = identity[i];
        if (!isalnum((unsigned char)identity[i]) && !strchr("._~@-", identity[i]))
            at[-1] = '_';
    }
    *at = '\0';
}

int turn_credentials_make(struct turn_credentials *ret, const char *secret, const char *identity,
                          int64_t expires_s)
{
    struct turn_credentials made;
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned digest_len = 0;

    write_username(made.username, identity, expires_s);
    if (!HMAC(EVP_sha1(), secret, (int)strlen(secret), (const unsigned char *)made.username,
              strlen(made.username), digest, &digest_len))
        return -ENOMEM;
    (void)EVP_EncodeBlock((unsigned char *)made.credential, digest, (int)digest_len);
    *ret = made;
    return 0;
}
