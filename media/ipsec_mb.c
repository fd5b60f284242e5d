#include "media/ipsec_mb.h"

#include "media/base/writer.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { SHA1_BLOCK_LEN = 64 };

/* The state of each thread. */

/* Written once, before any use. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t thread_key;
static bool is_usable;

static IMB_MGR *new_manager(void)
{
    const uint64_t needed = IMB_FEATURE_AESNI | IMB_FEATURE_PCLMULQDQ | IMB_FEATURE_SELF_TEST_PASS;
    IMB_MGR *manager = alloc_mb_mgr(0);

    if (!manager)
        return NULL;
    init_mb_mgr_auto(manager, NULL);
    if ((manager->features & needed) == needed)
        return manager;
    free_mb_mgr(manager);
    return NULL;
}

/* @return a manager that uses SHA instructions; NULL: there are none, or no memory */
static IMB_MGR *new_hasher(void)
{
    IMB_MGR *manager = alloc_mb_mgr(0);

    if (!manager)
        return NULL;
    init_mb_mgr_sse(manager);
    if (manager->features & IMB_FEATURE_SHANI)
        return manager;
    free_mb_mgr(manager);
    return NULL;
}

static void free_thread(void *data)
{
    struct ipsec_mb *mb = data;

    if (mb->hasher && mb->hasher != mb->manager)
        free_mb_mgr(mb->hasher);
    if (mb->manager)
        free_mb_mgr(mb->manager);
    explicit_bzero(mb, sizeof(*mb));
    free(mb);
}

static void probe(void)
{
    IMB_MGR *manager = new_manager();

    if (!manager)
        return;
    is_usable = pthread_key_create(&thread_key, free_thread) == 0;
    free_mb_mgr(manager);
}

bool ipsec_mb_usable(void)
{
    return pthread_once(&once, probe) == 0 && is_usable;
}

static void note_calls(struct ipsec_mb *mb)
{
    mb->gcm128 = (struct ipsec_mb_gcm_calls){
        .expand = mb->manager->gcm128_pre,
        .encrypt = mb->manager->gcm128_enc,
        .decrypt = mb->manager->gcm128_dec,
        .init = mb->manager->gcm128_init,
        .update = mb->manager->gcm128_enc_update,
        .finalize = mb->manager->gcm128_enc_finalize,
    };
    mb->gcm256 = (struct ipsec_mb_gcm_calls){
        .expand = mb->manager->gcm256_pre,
        .encrypt = mb->manager->gcm256_enc,
        .decrypt = mb->manager->gcm256_dec,
        .init = mb->manager->gcm256_init,
        .update = mb->manager->gcm256_enc_update,
        .finalize = mb->manager->gcm256_enc_finalize,
    };
}

struct ipsec_mb *ipsec_mb_of_thread(void)
{
    struct ipsec_mb *mb = pthread_getspecific(thread_key);

    if (LIKELY(mb))
        return mb;
    mb = aligned_alloc(alignof(struct ipsec_mb), sizeof(*mb));
    if (!mb)
        return NULL;
    *mb = (struct ipsec_mb){.manager = new_manager()};
    if (!mb->manager || pthread_setspecific(thread_key, mb) != 0) {
        free_thread(mb);
        return NULL;
    }
    mb->hasher = new_hasher();
    if (!mb->hasher)
        mb->hasher = mb->manager;
    note_calls(mb);
    return mb;
}

/* Keys and where ciphers begin */

void *ipsec_mb_alloc(size_t alignment, size_t len)
{
    size_t rounded = (len + alignment - 1) / alignment * alignment;
    void *memory = aligned_alloc(alignment, rounded);

    if (memory)
        memset(memory, 0, rounded);
    return memory;
}

/* HMAC's state after the key padded with `pad`. */
static void hash_padded_key(IMB_MGR *manager, uint8_t *ret, const uint8_t *key, uint8_t pad)
{
    uint8_t block[SHA1_BLOCK_LEN];

    for (size_t i = 0; i < sizeof(block); i++)
        block[i] = (uint8_t)((i < SRTP_AUTH_KEY_LEN ? key[i] : 0) ^ pad);
    IMB_SHA1_ONE_BLOCK(manager, block, ret);
    explicit_bzero(block, sizeof(block));
}

void ipsec_mb_expand_cm(const struct ipsec_mb *mb, struct ipsec_mb_cm_keys *ret,
                        const struct srtp_session_keys *keys)
{
    alignas(IPSEC_MB_BLOCK_LEN) uint8_t unused[sizeof(ret->cipher)]; /* for decryption */

    IMB_AES_KEYEXP_128(mb->manager, keys->cipher_key, ret->cipher, unused);
    explicit_bzero(unused, sizeof(unused));
    hash_padded_key(mb->manager, ret->inner, keys->auth_key, 0x36);
    hash_padded_key(mb->manager, ret->outer, keys->auth_key, 0x5c);
}

/* 00 00 SSRC, then the index in 48 bits, xor salt. */
void ipsec_mb_gcm_iv(uint8_t *iv, const uint8_t *salt, uint32_t ssrc, uint64_t index)
{
    struct writer w = writer_of(iv, IPSEC_MB_GCM_IV_LEN);

    writer_u16(&w, 0);
    writer_u32(&w, ssrc);
    writer_u32(&w, (uint32_t)(index >> 16));
    writer_u16(&w, (uint16_t)index);
    for (size_t i = 0; i < IPSEC_MB_GCM_IV_LEN; i++)
        iv[i] ^= salt[i];
}

/* Salt * 2^16 xor SSRC * 2^64 xor index * 2^16. */
void ipsec_mb_cm_iv(uint8_t *iv, const uint8_t *salt, uint32_t ssrc, uint64_t index)
{
    struct writer w = writer_of(iv, IPSEC_MB_BLOCK_LEN);

    writer_u32(&w, 0);
    writer_u32(&w, ssrc);
    writer_u64(&w, index << 16);
    for (size_t i = 0; i < IPSEC_MB_BLOCK_LEN; i++)
        iv[i] ^= salt[i];
}

/* One packet, now: a burst of one spares the queue that a job goes through. */

int ipsec_mb_cm_crypt(const struct ipsec_mb *mb, const struct ipsec_mb_cm_keys *keys,
                      const uint8_t *iv, uint8_t *out, const uint8_t *source, size_t len)
{
    IMB_JOB job = {
        .enc_keys = keys->cipher,
        .dec_keys = keys->cipher,
        .key_len_in_bytes = IMB_KEY_128_BYTES,
        .iv = iv,
        .iv_len_in_bytes = IPSEC_MB_BLOCK_LEN,
        .src = source,
        .msg_len_to_cipher_in_bytes = len,
    };

    if (len == 0)
        return 0;
    job.dst = out;
    if (IMB_SUBMIT_CIPHER_BURST(mb->manager, &job, 1, IMB_CIPHER_CNTR, IMB_DIR_ENCRYPT,
                                IMB_KEY_128_BYTES) != 1)
        return -EIO;
    return 0;
}

int ipsec_mb_cm_hash(const struct ipsec_mb *mb, const struct ipsec_mb_cm_keys *keys,
                     const uint8_t *data, size_t len, uint8_t *tag)
{
    IMB_JOB job = {
        .src = data,
        .msg_len_to_hash_in_bytes = len,
        .u.HMAC._hashed_auth_key_xor_ipad = keys->inner,
        .u.HMAC._hashed_auth_key_xor_opad = keys->outer,
        .auth_tag_output_len_in_bytes = IPSEC_MB_HMAC_LEN,
    };

    job.auth_tag_output = tag;
    if (IMB_SUBMIT_HASH_BURST(mb->hasher, &job, 1, IMB_AUTH_HMAC_SHA_1) != 1)
        return -EIO;
    return 0;
}
