#include "media/stun_probe.h"

#include "media/address.h"
#include "media/base/random.h"
#include "media/base/reader.h"
#include "media/base/writer.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

enum {
    BINDING_REQUEST = 0x0001,
    BINDING_SUCCESS = 0x0101,
    BINDING_ERROR = 0x0111,
    MAPPED_ADDRESS = 0x0001,
    XOR_MAPPED_ADDRESS = 0x0020,
    FAMILY_IPV4 = 1,
    FAMILY_IPV6 = 2,
    COOKIE_LEN = 4,
    TRANSACTION_LEN = 12,
};
static const uint32_t COOKIE = 0x2112a442;

const char *stun_probe_state_name(enum stun_probe_state state)
{
    static const char *const names[] = {[STUN_PROBE_IDLE] = "idle",
                                        [STUN_PROBE_ASKING] = "asking",
                                        [STUN_PROBE_DONE] = "done",
                                        [STUN_PROBE_FAILED] = "failed"};

    return names[state];
}

void stun_probe_start(struct stun_probe *p, const struct sockaddr_storage *server, int64_t now_us)
{
    *p = (struct stun_probe){.state = STUN_PROBE_ASKING, .server = *server, .next_us = now_us};
    random_bytes(p->transaction, sizeof(p->transaction));
}

bool stun_probe_poll(struct stun_probe *p, int64_t now_us, uint8_t out[STUN_PROBE_LEN])
{
    struct writer w = writer_of(out, STUN_PROBE_LEN);

    if (p->state != STUN_PROBE_ASKING || now_us < p->next_us)
        return false;
    if (p->tries == STUN_PROBE_TRIES) {
        p->state = STUN_PROBE_FAILED;
        return false;
    }
    p->next_us = now_us + (STUN_PROBE_RTO_US << p->tries++);
    writer_u16(&w, BINDING_REQUEST);
    writer_u16(&w, 0);
    writer_u32(&w, COOKIE);
    writer_bytes(&w, p->transaction, sizeof(p->transaction));
    return true;
}

int64_t stun_probe_deadline(const struct stun_probe *p)
{
    return p->state == STUN_PROBE_ASKING ? p->next_us : NEVER_US;
}

/* Read an address of which all bytes but the family are under `mask`. @return false: it is none */
static bool read_address(struct sockaddr_storage *ret, struct reader *value,
                         const uint8_t mask[COOKIE_LEN + TRANSACTION_LEN])
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    uint16_t family = reader_u16(value) & 0xff; /* the first byte is to be ignored */
    uint16_t port = (uint16_t)(reader_u16(value) ^ (mask[0] << 8 | mask[1]));
    size_t len = family == FAMILY_IPV4 ? 4 : 16;
    const uint8_t *bytes = reader_bytes(value, len);
    uint8_t plain[16];

    if (!bytes || reader_left(value) != 0 || (family != FAMILY_IPV4 && family != FAMILY_IPV6))
        return false;
    for (size_t i = 0; i < len; i++)
        plain[i] = bytes[i] ^ mask[i];
    in.sin_port = in6.sin6_port = htons(port);
    memcpy(&in.sin_addr, plain, sizeof(in.sin_addr));
    memcpy(&in6.sin6_addr, plain, len);
    *ret = (struct sockaddr_storage){0};
    if (family == FAMILY_IPV4)
        memcpy(ret, &in, sizeof(in));
    else
        memcpy(ret, &in6, sizeof(in6));
    address_unmap(ret);
    return port > 0;
}

/* Look for our address, in the form that NATs leave alone before the other. */
static int read_attributes(struct stun_probe *p, struct reader *r)
{
    uint8_t mask[COOKIE_LEN + TRANSACTION_LEN] = {0x21, 0x12, 0xa4, 0x42};
    static const uint8_t none[sizeof(mask)];
    bool found = false;

    memcpy(mask + COOKIE_LEN, p->transaction, sizeof(p->transaction));
    while (reader_left(r) > 0) {
        uint16_t type = reader_u16(r);
        uint16_t len = reader_u16(r);
        struct reader value = reader_sub(r, len);

        if (reader_left(r) > 0)
            reader_skip(r, (size_t)(-len & 3));
        if (!reader_ok(r))
            return -EBADMSG;
        if (type == XOR_MAPPED_ADDRESS)
            return read_address(&p->mapped, &value, mask) ? 0 : -EBADMSG;
        if (type == MAPPED_ADDRESS)
            found = read_address(&p->mapped, &value, none);
    }
    return found ? 0 : -EBADMSG;
}

int stun_probe_receive(struct stun_probe *p, const uint8_t *data, size_t len,
                       const struct sockaddr_storage *from)
{
    struct reader r = reader_of(data, len);
    uint16_t type = reader_u16(&r);
    uint16_t body_len = reader_u16(&r);
    uint32_t cookie = reader_u32(&r);
    const uint8_t *transaction = reader_bytes(&r, TRANSACTION_LEN);
    int err;

    if (p->state != STUN_PROBE_ASKING || !transaction || cookie != COOKIE ||
        (type != BINDING_SUCCESS && type != BINDING_ERROR) ||
        memcmp(transaction, p->transaction, TRANSACTION_LEN) != 0 ||
        !address_equal(from, &p->server))
        return -ENOENT;
    if (body_len != reader_left(&r))
        return -EBADMSG;
    err = type == BINDING_SUCCESS ? read_attributes(p, &r) : 0;
    if (err == 0)
        p->state = type == BINDING_SUCCESS ? STUN_PROBE_DONE : STUN_PROBE_FAILED;
    return err;
}
