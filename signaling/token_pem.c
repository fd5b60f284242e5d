#include "signaling/token_pem.h"

#include <errno.h>
#include <limits.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COORDINATE = 32, POINT = 1 + 2 * COORDINATE };

void token_pem_forget_errors(void)
{
    ERR_clear_error();
}

void token_pem_wipe(void *secret, size_t len)
{
    if (secret)
        OPENSSL_cleanse(secret, len);
    free(secret);
}

void token_pem_done(struct token_pem *pem)
{
    free(pem->public_key);
    token_pem_wipe(pem->private_key, pem->private_key ? strlen(pem->private_key) : 0);
    *pem = (struct token_pem){0};
}

static int fail(char error[TOKEN_KEY_ERROR_MAX], int err, const char *text)
{
    (void)snprintf(error, TOKEN_KEY_ERROR_MAX, "%s", text);
    return err;
}

/* Never ask on the terminal.
 * NOLINTNEXTLINE(readability-non-const-parameter): OpenSSL's type */
static int no_password(char *buffer, int size, int writing, void *owner)
{
    (void)buffer;
    (void)size;
    (void)writing;
    (void)owner;
    return -1;
}

static EVP_PKEY *read_certificate(BIO *file)
{
    X509 *certificate = PEM_read_bio_X509(file, NULL, no_password, NULL);
    EVP_PKEY *key = certificate ? X509_get_pubkey(certificate) : NULL;

    X509_free(certificate);
    return key;
}

/* @return the key, or NULL; *is_private tells which half is there */
static EVP_PKEY *read_any(const char *text, size_t len, bool *is_private)
{
    BIO *file = BIO_new_mem_buf(text, (int)len);
    EVP_PKEY *key;

    if (!file)
        return NULL;
    key = PEM_read_bio_PrivateKey(file, NULL, no_password, NULL);
    *is_private = key != NULL;
    if (!key && BIO_reset(file) == 1)
        key = PEM_read_bio_PUBKEY(file, NULL, no_password, NULL);
    if (!key && BIO_reset(file) == 1)
        key = read_certificate(file);
    BIO_free(file);
    return key;
}

static int find_alg(const EVP_PKEY *key, enum token_alg *ret, char error[TOKEN_KEY_ERROR_MAX])
{
    char curve[32] = "";

    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA) {
        *ret = TOKEN_RS256;
        if (EVP_PKEY_get_bits(key) >= TOKEN_MIN_RSA_BITS)
            return 0;
        return fail(error, -EINVAL, "the RSA key has less than 2048 bits");
    }
    if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC)
        return fail(error, -EINVAL, "the key is neither RSA nor ECDSA");
    if (EVP_PKEY_get_group_name(key, curve, sizeof(curve), NULL) != 1 ||
        strcmp(curve, "prime256v1") != 0)
        return fail(error, -EINVAL, "the ECDSA key is not on the curve P-256");
    *ret = TOKEN_ES256;
    return 0;
}

/* @return what was written, as a string of its own; NULL: no memory */
static char *take_text(BIO *out)
{
    char *data = NULL;
    long len = BIO_get_mem_data(out, &data); /* not terminated */
    char *text = len > 0 ? malloc((size_t)len + 1) : NULL;

    if (text) {
        memcpy(text, data, (size_t)len);
        text[len] = '\0';
    }
    return text;
}

static char *write_public(const EVP_PKEY *key)
{
    BIO *out = BIO_new(BIO_s_mem());
    char *text = out && PEM_write_bio_PUBKEY(out, key) == 1 ? take_text(out) : NULL;

    BIO_free(out);
    return text;
}

static char *write_private(const EVP_PKEY *key)
{
    BIO *out = BIO_new(BIO_s_secmem());
    char *text = NULL;

    if (out && PEM_write_bio_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL) == 1)
        text = take_text(out);
    BIO_free(out);
    return text;
}

/* Takes `key`. */
static int make_pem(struct token_pem *ret, EVP_PKEY *key, bool is_private,
                    char error[TOKEN_KEY_ERROR_MAX])
{
    struct token_pem pem = {0};
    int err = find_alg(key, &pem.alg, error);

    if (err == 0) {
        pem.public_key = write_public(key);
        pem.private_key = is_private ? write_private(key) : NULL;
        if (!pem.public_key || (is_private && !pem.private_key))
            err = fail(error, -ENOMEM, "out of memory");
    }
    EVP_PKEY_free(key);
    token_pem_forget_errors();
    if (err < 0)
        token_pem_done(&pem);
    else
        *ret = pem;
    return err;
}

int token_pem_read(struct token_pem *ret, const char *text, size_t len,
                   char error[TOKEN_KEY_ERROR_MAX])
{
    bool is_private = false;
    EVP_PKEY *key = len <= INT_MAX ? read_any(text, len, &is_private) : NULL;

    token_pem_forget_errors();
    if (!key)
        return fail(error, -EINVAL,
                    "no private key without password, public key or certificate is in it");
    return make_pem(ret, key, is_private, error);
}

/* @return the key that `params` describe, or NULL. Takes them. */
static EVP_PKEY *make_key(const char *type, OSSL_PARAM_BLD *builder)
{
    OSSL_PARAM *params = builder ? OSSL_PARAM_BLD_to_param(builder) : NULL;
    EVP_PKEY_CTX *context = params ? EVP_PKEY_CTX_new_from_name(NULL, type, NULL) : NULL;
    EVP_PKEY *key = NULL;

    if (context && EVP_PKEY_fromdata_init(context) == 1 &&
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(builder);
    return key;
}

int token_pem_of_rsa(struct token_pem *ret, const unsigned char *n, size_t n_len,
                     const unsigned char *e, size_t e_len, char error[TOKEN_KEY_ERROR_MAX])
{
    BIGNUM *modulus = n_len <= INT_MAX ? BN_bin2bn(n, (int)n_len, NULL) : NULL;
    BIGNUM *exponent = e_len <= INT_MAX ? BN_bin2bn(e, (int)e_len, NULL) : NULL;
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY *key = NULL;

    if (modulus && exponent && builder &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus) == 1 &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent) == 1) {
        key = make_key("RSA", builder);
        builder = NULL;
    }
    OSSL_PARAM_BLD_free(builder);
    BN_free(modulus);
    BN_free(exponent);
    token_pem_forget_errors();
    return key ? make_pem(ret, key, false, error) : fail(error, -EINVAL, "n, e are no RSA key");
}

int token_pem_of_p256(struct token_pem *ret, const unsigned char x[COORDINATE],
                      const unsigned char y[COORDINATE], char error[TOKEN_KEY_ERROR_MAX])
{
    unsigned char point[POINT] = {POINT_CONVERSION_UNCOMPRESSED};
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY *key = NULL;

    memcpy(point + 1, x, COORDINATE);
    memcpy(point + 1 + COORDINATE, y, COORDINATE);
    if (builder &&
        OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) ==
            1 &&
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, POINT) == 1) {
        key = make_key("EC", builder);
        builder = NULL;
    }
    OSSL_PARAM_BLD_free(builder);
    token_pem_forget_errors();
    return key ? make_pem(ret, key, false, error) : fail(error, -EINVAL, "x, y are not on P-256");
}
