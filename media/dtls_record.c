#include "media/dtls_record.h"

#include "media/base/writer.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/ssl.h>

enum {
    VERSION_1_2 = 0xfefd,
    KEY_MAX = 32,
    IV_LEN = 12,      /* of a nonce */
    GCM_SALT_LEN = 4, /* its part that is not in the record: RFC 5288 section 3 */
    EXPLICIT_LEN = 8, /* and the one that is */
    TAG_LEN = 16,
    AAD_LEN = 13,
    SEQ_BITS = 48,
    WINDOW_BITS = 64,
};

/** What differs between ciphers. */
struct cipher {
    int nid;
    const EVP_CIPHER *(*get)(void);
    size_t key_len, salt_len; /* salt_len: of the key block */
};

static const struct cipher ciphers[] = {
    {NID_aes_128_gcm, EVP_aes_128_gcm, 16, GCM_SALT_LEN},
    {NID_aes_256_gcm, EVP_aes_256_gcm, 32, GCM_SALT_LEN},
    {NID_chacha20_poly1305, EVP_chacha20_poly1305, 32, IV_LEN}, /* RFC 7905 */
};

/** Keys of one direction. */
struct direction {
    uint8_t key[KEY_MAX], salt[IV_LEN];
};

/* A cipher context would be 1 kB each way, and records are rare: one is made for each. */
struct dtls_records {
    const struct cipher *cipher;
    struct direction local, remote;
    uint64_t next_seq, next_nonce; /* of what we send */
    uint64_t newest, seen;         /* received: the highest number; bit i: newest - i was there */
};

bool dtls_record_read(struct reader *datagram, struct dtls_record *ret)
{
    uint64_t epoch_seq;

    *ret = (struct dtls_record){.type = reader_u8(datagram)};
    ret->version_major = reader_u8(datagram);
    reader_skip(datagram, 1);
    epoch_seq = reader_u64(datagram);
    ret->epoch = (uint16_t)(epoch_seq >> SEQ_BITS);
    ret->seq = epoch_seq & ((UINT64_C(1) << SEQ_BITS) - 1);
    ret->len = reader_u16(datagram);
    ret->fragment = reader_bytes(datagram, ret->len);
    return reader_ok(datagram);
}

/* RFC 5246 section 6.3. The digest is the cipher suite's. */
static bool derive(const SSL *ssl, const EVP_MD *digest, uint8_t *out, size_t len)
{
    static const char label[] = "key expansion";
    uint8_t master[SSL_MAX_MASTER_KEY_LENGTH];
    uint8_t seed[sizeof(label) - 1 + 2 * SSL3_RANDOM_SIZE];
    size_t master_len = SSL_SESSION_get_master_key(SSL_get_session(ssl), master, sizeof(master));
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, OSSL_KDF_NAME_TLS1_PRF, NULL);
    EVP_KDF_CTX *context = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    char digest_name[32];
    OSSL_PARAM params[] = {
        OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_DIGEST, digest_name, 0),
        OSSL_PARAM_octet_string(OSSL_KDF_PARAM_SECRET, master, master_len),
        OSSL_PARAM_octet_string(OSSL_KDF_PARAM_SEED, seed, sizeof(seed)),
        OSSL_PARAM_END,
    };
    bool ok;

    (void)snprintf(digest_name, sizeof(digest_name), "%s", EVP_MD_get0_name(digest));
    params[0].data_size = strlen(digest_name);
    memcpy(seed, label, sizeof(label) - 1);
    (void)SSL_get_server_random(ssl, seed + sizeof(label) - 1, SSL3_RANDOM_SIZE);
    (void)SSL_get_client_random(ssl, seed + sizeof(label) - 1 + SSL3_RANDOM_SIZE, SSL3_RANDOM_SIZE);
    ok = context && master_len > 0 && EVP_KDF_derive(context, out, len, params) == 1;
    explicit_bzero(master, sizeof(master));
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
    return ok;
}

/* The key block: client's key, server's key, client's salt, server's salt. */
static bool derive_keys(struct dtls_records *r, const SSL *ssl, const EVP_MD *digest)
{
    struct direction *client = SSL_is_server(ssl) ? &r->remote : &r->local;
    struct direction *server = SSL_is_server(ssl) ? &r->local : &r->remote;
    size_t key_len = r->cipher->key_len;
    size_t salt_len = r->cipher->salt_len;
    uint8_t block[2 * (KEY_MAX + IV_LEN)];
    struct reader at = reader_of(block, 2 * (key_len + salt_len));

    if (!derive(ssl, digest, block, 2 * (key_len + salt_len)))
        return false;
    memcpy(client->key, reader_bytes(&at, key_len), key_len);
    memcpy(server->key, reader_bytes(&at, key_len), key_len);
    memcpy(client->salt, reader_bytes(&at, salt_len), salt_len);
    memcpy(server->salt, reader_bytes(&at, salt_len), salt_len);
    explicit_bzero(block, sizeof(block));
    return true;
}

static const struct cipher *find_cipher(int nid)
{
    for (size_t i = 0; i < ARRAY_LEN(ciphers); i++) {
        if (ciphers[i].nid == nid)
            return &ciphers[i];
    }
    return NULL;
}

int dtls_records_new(struct dtls_records **ret, const SSL *ssl, const struct dtls_sent *sent)
{
    const SSL_CIPHER *suite = SSL_get_current_cipher(ssl);
    const EVP_MD *digest = suite ? SSL_CIPHER_get_handshake_digest(suite) : NULL;
    const struct cipher *cipher = suite ? find_cipher(SSL_CIPHER_get_cipher_nid(suite)) : NULL;
    struct dtls_records *r;

    if (!cipher || !digest || !sent->any)
        return -ENOTSUP;
    r = calloc(1, sizeof(*r));
    if (!r)
        return -ENOMEM;
    r->cipher = cipher;
    r->next_seq = sent->seq + 1;
    r->next_nonce = sent->nonce + 1;
    if (!derive_keys(r, ssl, digest)) {
        dtls_records_free(r);
        return -ENOMEM;
    }
    *ret = r;
    return 0;
}

struct dtls_records *dtls_records_free(struct dtls_records *r)
{
    if (r)
        explicit_bzero(r, sizeof(*r));
    free(r);
    return NULL;
}

/* AES-GCM carries half of the nonce in the record, ChaCha20 derives it from the number. */
static bool is_gcm(const struct dtls_records *r)
{
    return r->cipher->salt_len == GCM_SALT_LEN;
}

static size_t explicit_len(const struct dtls_records *r)
{
    return is_gcm(r) ? EXPLICIT_LEN : 0;
}

/* @param nonce_explicit  of AES-GCM */
static void write_nonce(const struct dtls_records *r, const struct direction *direction,
                        uint64_t epoch_seq, const uint8_t *nonce_explicit, uint8_t out[IV_LEN])
{
    memcpy(out, direction->salt, IV_LEN);
    if (is_gcm(r)) {
        memcpy(out + GCM_SALT_LEN, nonce_explicit, EXPLICIT_LEN);
        return;
    }
    for (size_t i = 0; i < sizeof(epoch_seq); i++)
        out[IV_LEN - 1 - i] ^= (uint8_t)(epoch_seq >> 8 * i);
}

static void write_aad(uint64_t epoch_seq, uint8_t type, size_t len, uint8_t out[AAD_LEN])
{
    struct writer w = writer_of(out, AAD_LEN);

    writer_u32(&w, (uint32_t)(epoch_seq >> 32));
    writer_u32(&w, (uint32_t)epoch_seq);
    writer_u8(&w, type);
    writer_u16(&w, VERSION_1_2);
    writer_u16(&w, (uint16_t)len);
}

/** One operation of the cipher. */
struct job {
    const uint8_t *key, *nonce, *aad, *in;
    size_t len;
    uint8_t *out, *tag; /* tag: written when sealing, compared when opening */
};

static bool run_cipher(const struct cipher *cipher, const struct job *job, bool sealing)
{
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    int n = 0;
    bool ok;

    ok = c && EVP_CipherInit_ex(c, cipher->get(), NULL, job->key, job->nonce, sealing) == 1 &&
         EVP_CipherUpdate(c, NULL, &n, job->aad, AAD_LEN) == 1 &&
         (sealing || EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, TAG_LEN, job->tag) == 1) &&
         EVP_CipherUpdate(c, job->out, &n, job->in, (int)job->len) == 1 &&
         EVP_CipherFinal_ex(c, job->out + n, &n) == 1 &&
         (!sealing || EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, TAG_LEN, job->tag) == 1);
    EVP_CIPHER_CTX_free(c);
    if (!ok)
        ERR_clear_error();
    return ok;
}

size_t dtls_records_seal(struct dtls_records *r, enum dtls_type type, const uint8_t *data,
                         size_t len, uint8_t *out)
{
    struct writer w = writer_of(out, len + DTLS_RECORD_OVERHEAD);
    uint64_t epoch_seq = (uint64_t)DTLS_EPOCH << SEQ_BITS | r->next_seq;
    uint8_t nonce[IV_LEN];
    uint8_t aad[AAD_LEN];
    struct job job = {.key = r->local.key, .nonce = nonce, .aad = aad, .in = data, .len = len};
    const uint8_t *nonce_explicit;

    assert(len <= DTLS_PLAINTEXT_MAX);
    if (r->next_seq >> SEQ_BITS != 0)
        return 0; /* after 280 million million records */
    writer_u8(&w, (uint8_t)type);
    writer_u16(&w, VERSION_1_2);
    writer_u32(&w, (uint32_t)(epoch_seq >> 32));
    writer_u32(&w, (uint32_t)epoch_seq);
    writer_u16(&w, (uint16_t)(explicit_len(r) + len + TAG_LEN));
    nonce_explicit = out + w.len;
    if (is_gcm(r)) {
        writer_u32(&w, (uint32_t)(r->next_nonce >> 32));
        writer_u32(&w, (uint32_t)r->next_nonce);
    }
    job.out = writer_reserve(&w, len);
    job.tag = writer_reserve(&w, TAG_LEN);
    write_nonce(r, &r->local, epoch_seq, nonce_explicit, nonce);
    write_aad(epoch_seq, (uint8_t)type, len, aad);
    /* Used, whether it comes to something or not. */
    r->next_seq++;
    r->next_nonce++;
    return run_cipher(r->cipher, &job, true) ? w.len : 0;
}

static bool is_fresh(const struct dtls_records *r, uint64_t seq)
{
    if (seq > r->newest || r->seen == 0)
        return true;
    return r->newest - seq < WINDOW_BITS && !(r->seen >> (r->newest - seq) & 1);
}

static void note_received(struct dtls_records *r, uint64_t seq)
{
    if (r->seen == 0 || seq > r->newest) {
        uint64_t step = r->seen == 0 ? 0 : seq - r->newest;

        r->seen = step < WINDOW_BITS ? r->seen << step : 0;
        r->newest = seq;
    }
    r->seen |= UINT64_C(1) << (r->newest - seq);
}

int dtls_records_open(struct dtls_records *r, const struct dtls_record *record, uint8_t *out,
                      size_t *len)
{
    size_t overhead = explicit_len(r) + TAG_LEN;
    uint64_t epoch_seq = (uint64_t)record->epoch << SEQ_BITS | record->seq;
    uint8_t nonce[IV_LEN];
    uint8_t aad[AAD_LEN];
    uint8_t tag[TAG_LEN];
    struct job job = {.key = r->remote.key, .nonce = nonce, .aad = aad, .tag = tag};

    assert(record->epoch == DTLS_EPOCH);
    if (record->len < overhead || record->len - overhead > DTLS_PLAINTEXT_MAX)
        return -EBADMSG;
    if (!is_fresh(r, record->seq))
        return -EEXIST;
    job.in = record->fragment + explicit_len(r);
    job.out = out;
    job.len = record->len - overhead;
    memcpy(tag, job.in + job.len, TAG_LEN);
    write_nonce(r, &r->remote, epoch_seq, record->fragment, nonce);
    write_aad(epoch_seq, record->type, job.len, aad);
    if (!run_cipher(r->cipher, &job, false))
        return -EPERM;
    note_received(r, record->seq);
    *len = job.len;
    return 0;
}
