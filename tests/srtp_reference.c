#include "tests/srtp_reference.h"

#include "media/base/reader.h"
#include "media/base/writer.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_LEN = 16,
    GCM_IV_LEN = 12,
    GCM_TAG_LEN = 16,
    CM_TAG_LEN = 10,
    RTCP_HEADER_LEN = 8,
    ENCRYPTED = 0x80, /* E bit of the SRTCP index */
};

/* Labels of RFC 3711 section 4.3.1; those of RTCP are 3 more. */
enum label { LABEL_KEY, LABEL_AUTH, LABEL_SALT, LABEL_RTCP };

static bool is_gcm(const struct srtp_reference *r)
{
    return r->profile != SRTP_AES_CM_128_HMAC_SHA1_80;
}

static const EVP_CIPHER *choose(enum srtp_profile profile, const EVP_CIPHER *aes_128,
                                const EVP_CIPHER *aes_256)
{
    return profile == SRTP_AEAD_AES_256_GCM ? aes_256 : aes_128;
}

/* A failure here is one of the test's own. */
static void must(int result)
{
    if (result <= 0)
        abort();
}

static void crypt_ctr(const EVP_CIPHER *cipher, const uint8_t *key, const uint8_t *iv,
                      uint8_t *data, size_t len)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int done;

    must(context != NULL);
    must(EVP_EncryptInit_ex(context, cipher, NULL, key, iv));
    must(EVP_EncryptUpdate(context, data, &done, data, (int)len));
    EVP_CIPHER_CTX_free(context);
}

static void derive(enum srtp_profile profile, const uint8_t *master, int label, uint8_t *out,
                   size_t len)
{
    uint8_t iv[BLOCK_LEN] = {0};
    size_t key_len;
    size_t salt_len;

    srtp_profile_lengths(profile, &key_len, &salt_len);
    memcpy(iv, master + key_len, salt_len);
    iv[7] ^= (uint8_t)label;
    memset(out, 0, len);
    crypt_ctr(choose(profile, EVP_aes_128_ctr(), EVP_aes_256_ctr()), master, iv, out, len);
}

static void derive_all(struct srtp_reference *ret, enum srtp_profile profile, const uint8_t *master,
                       int first_label)
{
    *ret = (struct srtp_reference){.profile = profile};
    derive(profile, master, first_label + LABEL_KEY, ret->key, sizeof(ret->key));
    derive(profile, master, first_label + LABEL_AUTH, ret->auth, sizeof(ret->auth));
    derive(profile, master, first_label + LABEL_SALT, ret->salt, sizeof(ret->salt));
}

void srtp_reference_derive_rtp(struct srtp_reference *ret, enum srtp_profile profile,
                               const uint8_t *master)
{
    derive_all(ret, profile, master, 0);
}

void srtp_reference_derive_rtcp(struct srtp_reference *ret, enum srtp_profile profile,
                                const uint8_t *master)
{
    derive_all(ret, profile, master, LABEL_RTCP);
}

static uint32_t u32_at(const uint8_t *data)
{
    struct reader r = reader_of(data, 4);

    return reader_u32(&r);
}

/* Encrypt data[from..len) and append the tag; `extra` [4 bytes, may be NULL] is authenticated too.
 */
static size_t seal_gcm(const struct srtp_reference *r, const uint8_t *iv, uint8_t *data,
                       size_t from, size_t len, const uint8_t *extra)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int done;

    must(context != NULL);
    must(EVP_EncryptInit_ex(context, choose(r->profile, EVP_aes_128_gcm(), EVP_aes_256_gcm()), NULL,
                            r->key, iv));
    must(EVP_EncryptUpdate(context, NULL, &done, data, (int)from));
    if (extra)
        must(EVP_EncryptUpdate(context, NULL, &done, extra, 4));
    must(EVP_EncryptUpdate(context, data + from, &done, data + from, (int)(len - from)));
    must(EVP_EncryptFinal_ex(context, data + len, &done));
    must(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, GCM_TAG_LEN, data + len));
    EVP_CIPHER_CTX_free(context);
    return len + GCM_TAG_LEN;
}

/* Encrypt data[from..len): RFC 3711 section 4.1.1. */
static void encrypt_cm(const struct srtp_reference *r, uint32_t ssrc, uint64_t index, uint8_t *data,
                       size_t from, size_t len)
{
    uint8_t iv[BLOCK_LEN] = {0};
    uint8_t number[BLOCK_LEN] = {0};
    struct writer w = writer_of(number + 4, sizeof(number) - 4);

    writer_u32(&w, ssrc);
    writer_u64(&w, index << 16);
    memcpy(iv, r->salt, sizeof(r->salt));
    for (size_t i = 0; i < sizeof(iv); i++)
        iv[i] ^= number[i];
    crypt_ctr(EVP_aes_128_ctr(), r->key, iv, data + from, len - from);
}

/* Write the tag over data[0..len) at data + len. @return the end of it */
static size_t authenticate(const struct srtp_reference *r, uint8_t *data, size_t len, size_t tag_at)
{
    uint8_t digest[EVP_MAX_MD_SIZE];

    must(HMAC(EVP_sha1(), r->auth, sizeof(r->auth), data, len, digest, NULL) != NULL);
    memcpy(data + tag_at, digest, CM_TAG_LEN);
    return tag_at + CM_TAG_LEN;
}

size_t srtp_reference_seal_rtp(const struct srtp_reference *r, uint32_t roc, const uint8_t *packet,
                               size_t header_len, size_t len, uint8_t *out)
{
    uint32_t ssrc = u32_at(packet + 8);
    uint16_t seq = (uint16_t)u32_at(packet);
    uint8_t iv[GCM_IV_LEN] = {0};
    struct writer w = writer_of(iv + 2, sizeof(iv) - 2);

    memcpy(out, packet, len);
    if (is_gcm(r)) {
        writer_u32(&w, ssrc);
        writer_u32(&w, roc);
        writer_u16(&w, seq);
        for (size_t i = 0; i < sizeof(iv); i++)
            iv[i] ^= r->salt[i];
        return seal_gcm(r, iv, out, header_len, len, NULL);
    }
    encrypt_cm(r, ssrc, (uint64_t)roc << 16 | seq, out, header_len, len);
    w = writer_of(out + len, 4);
    writer_u32(&w, roc);
    return authenticate(r, out, len + 4, len);
}

static void write_rtcp_iv(const struct srtp_reference *r, uint8_t *iv, uint32_t ssrc,
                          uint32_t index)
{
    struct writer w = writer_of(iv + 2, GCM_IV_LEN - 2);

    writer_u32(&w, ssrc);
    writer_u16(&w, 0);
    writer_u32(&w, index);
    for (size_t i = 0; i < GCM_IV_LEN; i++)
        iv[i] ^= r->salt[i];
}

size_t srtp_reference_seal_rtcp(const struct srtp_reference *r, uint32_t index,
                                const uint8_t *packet, size_t len, uint8_t *out)
{
    uint32_t ssrc = u32_at(packet + 4);
    uint8_t iv[GCM_IV_LEN] = {0};
    uint8_t trailer[4];
    struct writer w = writer_of(trailer, sizeof(trailer));

    memcpy(out, packet, len);
    writer_u32(&w, (uint32_t)ENCRYPTED << 24 | index);
    if (is_gcm(r)) {
        write_rtcp_iv(r, iv, ssrc, index);
        len = seal_gcm(r, iv, out, RTCP_HEADER_LEN, len, trailer);
        memcpy(out + len, trailer, sizeof(trailer));
        return len + sizeof(trailer);
    }
    encrypt_cm(r, ssrc, index, out, RTCP_HEADER_LEN, len);
    memcpy(out + len, trailer, sizeof(trailer));
    return authenticate(r, out, len + sizeof(trailer), len + sizeof(trailer));
}

size_t srtp_reference_seal_clear_rtcp(const struct srtp_reference *r, uint32_t index,
                                      const uint8_t *packet, size_t len, uint8_t *out)
{
    uint32_t ssrc = u32_at(packet + 4);
    uint8_t iv[GCM_IV_LEN] = {0};
    uint8_t trailer[4];
    struct writer w = writer_of(trailer, sizeof(trailer));

    memcpy(out, packet, len);
    writer_u32(&w, index);
    if (is_gcm(r)) {
        write_rtcp_iv(r, iv, ssrc, index);
        len = seal_gcm(r, iv, out, len, len, trailer);
        memcpy(out + len, trailer, sizeof(trailer));
        return len + sizeof(trailer);
    }
    memcpy(out + len, trailer, sizeof(trailer));
    return authenticate(r, out, len + sizeof(trailer), len + sizeof(trailer));
}
