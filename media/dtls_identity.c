#include "media/dtls_identity.h"

#include "media/base/random.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

enum {
    VALID_FROM_S = -24 * 3600, /* clocks of peers may be behind; browsers do not look */
    VALID_TO_S = 30 * 24 * 3600,
    NAME_LEN = 16,
    PEER_CERTIFICATES_MAX = 16 * 1024, /* bytes a peer may make us collect; RSA-4096 has 1.3 kB */
};

struct dtls_identity {
    SSL_CTX *context;
    BIO_METHOD *method;
    struct dtls_fingerprint fingerprint;
};

int dtls_identity_digest(struct dtls_fingerprint *ret, const X509 *certificate,
                         enum fingerprint_hash hash)
{
    const EVP_MD *digests[] = {
        [FINGERPRINT_SHA256] = EVP_sha256(),
        [FINGERPRINT_SHA384] = EVP_sha384(),
        [FINGERPRINT_SHA512] = EVP_sha512(),
    };
    unsigned int len = 0;

    *ret = (struct dtls_fingerprint){.hash = hash};
    if (!X509_digest(certificate, digests[hash], ret->bytes, &len))
        return -EIO;
    ret->len = len;
    return 0;
}

SSL_CTX *dtls_identity_context(const struct dtls_identity *identity)
{
    return identity->context;
}

const BIO_METHOD *dtls_identity_method(const struct dtls_identity *identity)
{
    return identity->method;
}

const struct dtls_fingerprint *dtls_identity_fingerprint(const struct dtls_identity *identity)
{
    return &identity->fingerprint;
}

/* A name that tells nothing: the certificate identifies the peer by its fingerprint. */
static bool set_names(X509 *certificate)
{
    X509_NAME *name = X509_get_subject_name(certificate);
    char text[NAME_LEN + 1];

    random_name(text, NAME_LEN);
    return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)text, -1, -1,
                                      0) &&
           X509_set_issuer_name(certificate, name) &&
           ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), random_u64() >> 1);
}

/* @return a self-signed certificate for `key`, or NULL */
static X509 *make_certificate(EVP_PKEY *key)
{
    X509 *certificate = X509_new();

    if (!certificate)
        return NULL;
    if (X509_set_version(certificate, X509_VERSION_3) && set_names(certificate) &&
        X509_gmtime_adj(X509_getm_notBefore(certificate), VALID_FROM_S) &&
        X509_gmtime_adj(X509_getm_notAfter(certificate), VALID_TO_S) &&
        X509_set_pubkey(certificate, key) && X509_sign(certificate, key, EVP_sha256()))
        return certificate;
    X509_free(certificate);
    return NULL;
}

static bool configure(SSL_CTX *context)
{
    char groups[] = "X25519:P-256:P-384"; /* not const for OpenSSL's macro */

    SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
                                     SSL_OP_NO_COMPRESSION | SSL_OP_NO_QUERY_MTU |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(context, dtls_verify_certificate, NULL);
    SSL_CTX_set_max_send_fragment(context, DTLS_MTU); /* sizes a buffer of each session */
    SSL_CTX_set_max_cert_list(context, PEER_CERTIFICATES_MAX);
    return SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION) &&
           SSL_CTX_set_max_proto_version(context, DTLS1_2_VERSION) &&
           SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") &&
           SSL_CTX_set1_groups_list(context, groups) &&
           /* The server's order decides: the fastest first. 0 is success here. */
           SSL_CTX_set_tlsext_use_srtp(
               context, "SRTP_AEAD_AES_128_GCM:SRTP_AEAD_AES_256_GCM:SRTP_AES128_CM_SHA1_80") == 0;
}

int dtls_identity_new(struct dtls_identity **ret)
{
    struct dtls_identity *identity = calloc(1, sizeof(*identity));
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = key ? make_certificate(key) : NULL;
    int err = -ENOMEM;

    if (!identity || !certificate)
        goto out;
    identity->context = SSL_CTX_new(DTLS_method());
    identity->method = dtls_method_new();
    if (!identity->context || !identity->method || !configure(identity->context) ||
        !SSL_CTX_use_certificate(identity->context, certificate) ||
        !SSL_CTX_use_PrivateKey(identity->context, key))
        goto out;
    err = dtls_identity_digest(&identity->fingerprint, certificate, FINGERPRINT_SHA256);
    if (err < 0)
        goto out;
    *ret = identity;
    identity = NULL;
out:
    X509_free(certificate);
    EVP_PKEY_free(key);
    dtls_identity_free(identity);
    return err;
}

struct dtls_identity *dtls_identity_free(struct dtls_identity *identity)
{
    if (!identity)
        return NULL;
    SSL_CTX_free(identity->context);
    BIO_meth_free(identity->method);
    free(identity);
    return NULL;
}
