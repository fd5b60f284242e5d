#include "sfu/webhook_signature.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int webhook_sign(char out[WEBHOOK_SIGNATURE_MAX], const char *secret, int64_t time_s,
                 const char *body, size_t len)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned digest_len = 0;
    char time[24];
    size_t time_len = (size_t)snprintf(time, sizeof(time), "%" PRId64 ".", time_s);
    unsigned char *signed_text = malloc(time_len + len);
    int n;

    if (!signed_text)
        return -ENOMEM;
    memcpy(signed_text, time, time_len);
    memcpy(signed_text + time_len, body, len);
    if (!HMAC(EVP_sha256(), secret, (int)strlen(secret), signed_text, time_len + len, digest,
              &digest_len))
        digest_len = 0;
    free(signed_text);
    if (digest_len == 0)
        return -ENOMEM;
    n = snprintf(out, WEBHOOK_SIGNATURE_MAX, "t=%" PRId64 ",v1=", time_s);
    for (unsigned i = 0; i < digest_len; i++)
        n += snprintf(out + n, WEBHOOK_SIGNATURE_MAX - (size_t)n, "%02x", digest[i]);
    return 0;
}
