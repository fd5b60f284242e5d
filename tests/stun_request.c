#include "tests/stun_request.h"

#include "media/base/reader.h"
#include "media/base/writer.h"

#include <errno.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

enum {
    BINDING_REQUEST = 0x0001,
    BINDING_SUCCESS = 0x0101,
    BINDING_ERROR = 0x0111,
    HEADER_LEN = 20,
    LENGTH_AT = 2,
    USERNAME = 0x0006,
    MESSAGE_INTEGRITY = 0x0008,
    ERROR_CODE = 0x0009,
    XOR_MAPPED_ADDRESS = 0x0020,
    PRIORITY = 0x0024,
    USE_CANDIDATE = 0x0025,
    FINGERPRINT = 0x8028,
    ICE_CONTROLLED = 0x8029,
    ICE_CONTROLLING = 0x802A,
    HMAC_LEN = 20,
};
static const uint32_t cookie = 0x2112A442;
static const uint32_t fingerprint_mask = 0x5354554e;

static uint32_t crc32_of(const uint8_t *data, size_t len)
{
    uint32_t crc = 0xffffffff;

    for (size_t i = 0; i < len; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

static void write_attribute(struct writer *w, uint16_t type, const void *value, size_t len)
{
    static const uint8_t zeros[3];

    writer_u16(w, type);
    writer_u16(w, (uint16_t)len);
    writer_bytes(w, value, len);
    writer_bytes(w, zeros, -len & 3);
}

/* The length field counts the attribute that is about to be written: RFC 8489 section 14.5. */
static void expect_attribute(struct writer *w, size_t len)
{
    writer_patch_u16(w, LENGTH_AT, (uint16_t)(w->len - HEADER_LEN + 4 + len));
}

static void write_integrity(struct writer *w, const char *password)
{
    uint8_t digest[EVP_MAX_MD_SIZE];

    expect_attribute(w, HMAC_LEN);
    (void)HMAC(EVP_sha1(), password, (int)strlen(password), w->data, w->len, digest, NULL);
    write_attribute(w, MESSAGE_INTEGRITY, digest, HMAC_LEN);
}

size_t stun_request_write(uint8_t *out, const struct stun_request *request)
{
    static const uint8_t tie_breaker[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    static const uint8_t priority[4] = {0x6e, 0, 1, 0xff};
    struct writer w = writer_of(out, STUN_REQUEST_MAX);

    writer_u16(&w, BINDING_REQUEST);
    writer_u16(&w, 0);
    writer_u32(&w, cookie);
    writer_bytes(&w, request->id, sizeof(request->id));
    if (request->username)
        write_attribute(&w, USERNAME, request->username, strlen(request->username));
    write_attribute(&w, PRIORITY, priority, sizeof(priority));
    write_attribute(&w, request->role == STUN_REQUEST_CONTROLLED ? ICE_CONTROLLED : ICE_CONTROLLING,
                    tie_breaker, sizeof(tie_breaker));
    if (request->use_candidate)
        write_attribute(&w, USE_CANDIDATE, NULL, 0);
    if (request->extra)
        write_attribute(&w, request->extra, NULL, 0);
    if (request->raw)
        writer_bytes(&w, request->raw, request->raw_len);
    if (request->password)
        write_integrity(&w, request->password);
    writer_patch_u16(&w, LENGTH_AT, (uint16_t)(w.len - HEADER_LEN));
    if (request->no_fingerprint)
        return w.len;
    expect_attribute(&w, 4);
    writer_u16(&w, FINGERPRINT);
    writer_u16(&w, 4);
    writer_u32(&w, crc32_of(out, w.len - 4) ^ fingerprint_mask);
    return w.len;
}

/* Undo the XOR of RFC 8489 section 14.2. */
static void read_mapped(struct stun_reply *ret, struct reader value)
{
    uint8_t key[16];
    uint8_t host[16] = {0};
    struct writer w = writer_of(key, sizeof(key));
    uint8_t family = (uint8_t)(reader_skip(&value, 1), reader_u8(&value));
    uint16_t port = htons((uint16_t)(reader_u16(&value) ^ cookie >> 16));
    size_t host_len = family == 2 ? 16 : 4;
    const uint8_t *bytes = reader_bytes(&value, host_len);

    writer_u32(&w, cookie);
    writer_bytes(&w, ret->id, sizeof(ret->id));
    for (size_t i = 0; bytes && i < host_len; i++)
        host[i] = bytes[i] ^ key[i];
    if (family == 2) {
        struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = port};

        memcpy(&in6.sin6_addr, host, sizeof(in6.sin6_addr));
        memcpy(&ret->mapped, &in6, sizeof(in6));
    } else {
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = port};

        memcpy(&in.sin_addr, host, sizeof(in.sin_addr));
        memcpy(&ret->mapped, &in, sizeof(in));
    }
}

/* @return true if the 20 bytes at `at` + 4 authenticate what is before `at` */
static bool check_integrity(const uint8_t *data, size_t at, const char *password)
{
    uint8_t copy[STUN_REQUEST_MAX];
    uint8_t digest[EVP_MAX_MD_SIZE];
    struct writer w = writer_of(copy, sizeof(copy));

    writer_bytes(&w, data, at);
    expect_attribute(&w, HMAC_LEN);
    (void)HMAC(EVP_sha1(), password, (int)strlen(password), copy, w.len, digest, NULL);
    return writer_ok(&w) && memcmp(digest, data + at + 4, HMAC_LEN) == 0;
}

int stun_reply_read(struct stun_reply *ret, const uint8_t *data, size_t len, const char *password)
{
    struct reader r = reader_of(data, len);
    bool fingerprint = false;
    uint16_t type = reader_u16(&r);
    uint16_t body_len = reader_u16(&r);
    const uint8_t *id = (reader_skip(&r, 4), reader_bytes(&r, 12));

    *ret = (struct stun_reply){.success = type == BINDING_SUCCESS};
    if (!id || body_len != reader_left(&r) || (type != BINDING_SUCCESS && type != BINDING_ERROR))
        return -EBADMSG;
    memcpy(ret->id, id, sizeof(ret->id));
    while (reader_left(&r) > 0) {
        size_t at = r.at;
        uint16_t attribute = reader_u16(&r);
        uint16_t value_len = reader_u16(&r);
        struct reader value = reader_sub(&r, value_len);

        reader_skip(&r, -(size_t)value_len & 3);
        if (!reader_ok(&r) || fingerprint)
            return -EBADMSG;
        if (attribute == XOR_MAPPED_ADDRESS) {
            read_mapped(ret, value);
        } else if (attribute == ERROR_CODE) {
            uint32_t code = reader_u32(&value);

            ret->error_code = (int)((code >> 8 & 7) * 100 + (code & 0xff));
        } else if (attribute == MESSAGE_INTEGRITY) {
            ret->integrity = value_len == HMAC_LEN && check_integrity(data, at, password);
        } else if (attribute == FINGERPRINT) {
            fingerprint = reader_u32(&value) == (crc32_of(data, at) ^ fingerprint_mask);
        }
    }
    return fingerprint ? 0 : -EBADMSG;
}
