/**
 * @file certificate.h  Certificates for tests of TLS, made on the spot: an authority, and those it
 * signs. Everything lies in a new folder, which certificate_done() removes.
 */
#ifndef TESTS_CERTIFICATE_H
#define TESTS_CERTIFICATE_H

enum { CERTIFICATE_MAX_PATH = 128 };

/** Names of PEM files; ca_file is the same for all of one folder. */
struct certificate {
    char ca_file[CERTIFICATE_MAX_PATH], cert_file[CERTIFICATE_MAX_PATH],
        key_file[CERTIFICATE_MAX_PATH];
};

/** Make the folder, an authority in it, and a certificate for `names`, such as
 *  "DNS:sluice.test,IP:127.0.0.1", valid for `valid_s` from now (negative: it has expired). Ends
 * the process on failure. */
void certificate_init(struct certificate *c, const char *names, long valid_s);

/** Write another certificate of the same authority, with another key, to the same files. */
void certificate_renew(struct certificate *c, const char *names, long valid_s);

void certificate_done(struct certificate *c);

#endif
