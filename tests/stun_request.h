/**
 * @file stun_request.h  Binding requests as an ICE peer sends them, and a look at the replies;
 * written without the library that media/stun is written on.
 */
#ifndef TESTS_STUN_REQUEST_H
#define TESTS_STUN_REQUEST_H

#include "media/base/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum { STUN_REQUEST_MAX = 1024 }; /* room for stun_request_write() */

enum stun_request_role { STUN_REQUEST_CONTROLLING, STUN_REQUEST_CONTROLLED };

struct stun_request {
    const char *username; /* "theirs:ours"; NULL: none */
    const char *password; /* NULL: no MESSAGE-INTEGRITY */
    enum stun_request_role role;
    bool use_candidate;
    const uint8_t *raw; /* attributes to add as they are, a multiple of 4 bytes; borrowed */
    size_t raw_len;
    uint16_t extra; /* type of an empty attribute to add; 0: none */
    bool no_fingerprint;
    uint8_t id[12]; /* transaction */
};

/** Write the request into `out` (STUN_REQUEST_MAX bytes). @return its length */
size_t stun_request_write(uint8_t *out, const struct stun_request *request);

/** What a reply says. */
struct stun_reply {
    bool success;
    int error_code; /* 0: none */
    bool integrity; /* MESSAGE-INTEGRITY is there and right for the password */
    uint8_t id[12];
    struct sockaddr_storage mapped; /* ss_family 0: none */
};

/** @return 0; -EBADMSG: malformed, or FINGERPRINT is missing or wrong */
MUST_USE int stun_reply_read(struct stun_reply *ret, const uint8_t *data, size_t len,
                             const char *password);

#endif
