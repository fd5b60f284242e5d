#include "tests/certificate.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static EVP_PKEY *ca_key;
static X509 *ca;
static long next_serial = 1;

static void must(bool holds, const char *what)
{
    if (holds)
        return;
    printf("Bail out! cannot make a certificate: %s\n", what);
    (void)fflush(stdout);
    _exit(1);
}

static void add_extension(X509 *cert, int nid, const char *value)
{
    X509V3_CTX context;
    X509_EXTENSION *extension;

    X509V3_set_ctx(&context, ca ? ca : cert, cert, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    must(extension && X509_add_ext(cert, extension, -1) == 1, value);
    X509_EXTENSION_free(extension);
}

/* `names` NULL: the authority, signed by itself. */
static X509 *make(const char *name, EVP_PKEY *key, const char *names, long valid_s)
{
    X509 *cert = X509_new();
    X509_NAME *subject = cert ? X509_get_subject_name(cert) : NULL;

    must(subject && X509_set_version(cert, 2) == 1 &&
             ASN1_INTEGER_set(X509_get_serialNumber(cert), next_serial++) == 1 &&
             X509_gmtime_adj(X509_getm_notBefore(cert), valid_s < 0 ? 2 * valid_s : -60) &&
             X509_gmtime_adj(X509_getm_notAfter(cert), valid_s) &&
             X509_set_pubkey(cert, key) == 1 &&
             X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name,
                                        -1, -1, 0) == 1 &&
             X509_set_issuer_name(cert, ca ? X509_get_subject_name(ca) : subject) == 1,
         name);
    add_extension(cert, NID_basic_constraints, names ? "CA:FALSE" : "critical,CA:TRUE");
    if (names)
        add_extension(cert, NID_subject_alt_name, names);
    must(X509_sign(cert, ca ? ca_key : key, EVP_sha256()) > 0, "signature");
    return cert;
}

static void write_cert(const char *path, X509 *cert)
{
    FILE *file = fopen(path, "w");

    must(file && PEM_write_X509(file, cert) == 1, path);
    must(fclose(file) == 0, path);
}

static void write_key(const char *path, EVP_PKEY *key)
{
    FILE *file = fopen(path, "w");

    must(file && PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1, path);
    must(fclose(file) == 0, path);
}

void certificate_renew(struct certificate *c, const char *names, long valid_s)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert;

    must(key, "key");
    cert = make("sluice test", key, names, valid_s);
    write_cert(c->cert_file, cert);
    write_key(c->key_file, key);
    X509_free(cert);
    EVP_PKEY_free(key);
}

void certificate_init(struct certificate *c, const char *names, long valid_s)
{
    char folder[] = "/tmp/sluice-test-XXXXXX";

    must(mkdtemp(folder), "folder");
    (void)snprintf(c->ca_file, sizeof(c->ca_file), "%s/ca.pem", folder);
    (void)snprintf(c->cert_file, sizeof(c->cert_file), "%s/cert.pem", folder);
    (void)snprintf(c->key_file, sizeof(c->key_file), "%s/key.pem", folder);
    ca = NULL;
    ca_key = EVP_EC_gen("P-256");
    must(ca_key, "key");
    ca = make("sluice test authority", ca_key, NULL, 3600);
    write_cert(c->ca_file, ca);
    certificate_renew(c, names, valid_s);
}

void certificate_done(struct certificate *c)
{
    (void)unlink(c->ca_file);
    (void)unlink(c->cert_file);
    (void)unlink(c->key_file);
    *strrchr(c->ca_file, '/') = '\0';
    (void)rmdir(c->ca_file);
    X509_free(ca);
    EVP_PKEY_free(ca_key);
    ca = NULL;
    ca_key = NULL;
}
