#include "media/srtp_kdf.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

enum {
    BLOCK_LEN = 16,
    LABEL_AT = 7, /* of the 14-byte x: the key id, label and 48-bit index, is right-aligned */
    X_LEN = 14,
};

/* `len` bytes of AES counter mode key stream. */
static int key_stream(uint8_t *ret, size_t len, const uint8_t *key, size_t key_len,
                      const uint8_t *counter)
{
    static const uint8_t zeros[SRTP_KDF_MAX];
    const EVP_CIPHER *cipher = key_len == 16 ? EVP_aes_128_ctr() : EVP_aes_256_ctr();
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int written = 0;
    int err = 0;

    if (!context)
        return -ENOMEM;
    if (EVP_EncryptInit_ex(context, cipher, NULL, key, counter) != 1 ||
        EVP_EncryptUpdate(context, ret, &written, zeros, (int)len) != 1 || written != (int)len)
        err = -EIO;
    EVP_CIPHER_CTX_free(context);
    return err;
}

int srtp_kdf_derive(uint8_t *ret, size_t len, unsigned label, const uint8_t *master, size_t key_len,
                    size_t salt_len)
{
    uint8_t counter[BLOCK_LEN] = {0}; /* x * 2^16 */
    int err;

    if ((key_len != 16 && key_len != 32) || salt_len > X_LEN || len > SRTP_KDF_MAX)
        return -EINVAL;
    memcpy(counter, master + key_len, salt_len);
    counter[LABEL_AT] ^= (uint8_t)label;
    err = key_stream(ret, len, master, key_len, counter);
    explicit_bzero(counter, sizeof(counter));
    return err;
}

int srtp_kdf_session_keys(struct srtp_session_keys *ret, enum srtp_profile profile, unsigned whose,
                          const uint8_t *master)
{
    struct srtp_session_keys keys = {0};
    size_t key_len;
    size_t salt_len;
    int err;

    srtp_profile_lengths(profile, &key_len, &salt_len);
    err = srtp_kdf_derive(keys.cipher_key, key_len, whose + SRTP_KDF_CIPHER_KEY, master, key_len,
                          salt_len);
    if (err == 0)
        err = srtp_kdf_derive(keys.auth_key, sizeof(keys.auth_key), whose + SRTP_KDF_AUTH_KEY,
                              master, key_len, salt_len);
    if (err == 0)
        err = srtp_kdf_derive(keys.salt, salt_len, whose + SRTP_KDF_SALT, master, key_len,
                              salt_len);
    if (err == 0)
        *ret = keys;
    explicit_bzero(&keys, sizeof(keys));
    return err;
}
