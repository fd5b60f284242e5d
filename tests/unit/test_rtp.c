#include "media/rtp.h"

#include "tests/tap.h"

#include <errno.h>

/* The fixed header: version 2, marker, pt 96, seq 0x1234, ts 0x01020304, ssrc 0xa1a2a3a4. */
#define FIXED(first) (first), 0xe0, 0x12, 0x34, 1, 2, 3, 4, 0xa1, 0xa2, 0xa3, 0xa4

static struct rtp_header parse(const uint8_t *data, size_t len)
{
    struct rtp_header h;

    CHECK_EQ(rtp_parse(&h, data, len), 0);
    return h;
}

static void check_bad(const uint8_t *data, size_t len)
{
    struct rtp_header h;

    CHECK_EQ(rtp_parse(&h, data, len), -EBADMSG);
}

static void fixed_header_is_read(void)
{
    static const uint8_t data[] = {FIXED(0x80), 9, 8, 7};
    struct rtp_header h = parse(data, sizeof(data));

    CHECK(h.marker);
    CHECK_EQ(h.pt, 96);
    CHECK_EQ(h.seq, 0x1234);
    CHECK_EQ(h.ts, 0x01020304);
    CHECK_EQ(h.ssrc, 0xa1a2a3a4);
    CHECK_EQ(h.header_len, 12);
    CHECK_EQ(h.payload_len, 3);
    CHECK_EQ(h.padding_len, 0);
    CHECK_EQ(h.n_extensions, 0);
}

static void csrcs_belong_to_the_header(void)
{
    static const uint8_t data[] = {FIXED(0x82), 0, 0, 0, 1, 0, 0, 0, 2, 9};
    struct rtp_header h = parse(data, sizeof(data));

    CHECK_EQ(h.n_csrcs, 2);
    CHECK_EQ(h.header_len, 20);
    CHECK_EQ(h.payload_len, 1);
    check_bad(data, 19);
}

static void one_byte_extensions_are_read(void)
{
    static const uint8_t data[] = {
        FIXED(0x90), 0xbe, 0xde, 0, 3, 0x10, 'a', 0,    0x21, 'b',
        'c',         0,    0x52, 1, 2, 3,    0,   0x77, /* a head of element 7, but of the payload
                                                         */
    };
    struct rtp_header h = parse(data, sizeof(data));
    const struct rtp_extension *e = rtp_find_extension(&h, 2);

    CHECK_EQ(h.n_extensions, 3);
    CHECK(e != NULL);
    CHECK_EQ(e->len, 2);
    CHECK_MEM(data + e->offset, "bc", 2);
    CHECK_EQ(rtp_find_extension(&h, 5)->len, 3);
    CHECK(!rtp_find_extension(&h, 3));
    CHECK(!rtp_find_extension(&h, 0));
    CHECK_EQ(h.header_len, 28);
    CHECK_EQ(h.payload_len, 1);
}

static void two_byte_extensions_are_read(void)
{
    static const uint8_t data[] = {FIXED(0x90), 0x10, 0x05, 0, 2, 0xc8, 2, 'x', 'y', 0, 3, 0, 0, 7};
    struct rtp_header h = parse(data, sizeof(data));

    CHECK_EQ(h.n_extensions, 2);
    CHECK_EQ(rtp_find_extension(&h, 200)->len, 2);
    CHECK_MEM(data + rtp_find_extension(&h, 200)->offset, "xy", 2);
    CHECK_EQ(rtp_find_extension(&h, 3)->len, 0);
    CHECK_EQ(h.payload_len, 1);
}

static void id_15_ends_the_one_byte_form(void)
{
    static const uint8_t data[] = {FIXED(0x90), 0xbe, 0xde, 0, 2, 0x10, 1, 0xff, 0, 0x20, 2, 0, 0};
    struct rtp_header h = parse(data, sizeof(data));

    CHECK_EQ(h.n_extensions, 1);
    CHECK_EQ(h.header_len, 24);
}

static void unknown_profile_is_skipped_whole(void)
{
    static const uint8_t data[] = {FIXED(0x90), 0x12, 0x34, 0, 1, 0xff, 0xff, 0xff, 0xff, 5};
    struct rtp_header h = parse(data, sizeof(data));

    CHECK_EQ(h.n_extensions, 0);
    CHECK_EQ(h.header_len, 20);
    CHECK_EQ(h.payload_len, 1);
}

static void elements_beyond_the_maximum_are_skipped(void)
{
    uint8_t data[RTP_HEADER_LEN + 4 + 40] = {FIXED(0x90), 0x10, 0, 0, 10};
    struct rtp_header h;

    for (size_t i = 0; i < 20; i++)
        data[16 + 2 * i] = (uint8_t)(i + 1); /* with no bytes each */
    h = parse(data, sizeof(data));
    CHECK_EQ(h.n_extensions, RTP_MAX_EXTENSIONS);
    CHECK(rtp_find_extension(&h, RTP_MAX_EXTENSIONS) != NULL);
    CHECK(!rtp_find_extension(&h, RTP_MAX_EXTENSIONS + 1));
    CHECK_EQ(h.payload_len, 0);
}

static void element_that_passes_the_end_is_refused(void)
{
    static const uint8_t one[] = {FIXED(0x90), 0xbe, 0xde, 0, 1, 0x1f, 1, 2, 3, 4, 5,
                                  6,           7,    8,    9, 9, 9,    9, 9, 9, 9};
    static const uint8_t two[] = {FIXED(0x90), 0x10, 0, 0, 1, 1, 3, 1, 2, 3};
    static const uint8_t cut[] = {FIXED(0x90), 0x10, 0, 0, 1, 0, 0, 0, 1, 0};

    check_bad(one, sizeof(one));
    check_bad(two, sizeof(two));
    check_bad(cut, sizeof(cut)); /* the length byte is missing */
}

static void padding_is_not_payload(void)
{
    static const uint8_t data[] = {FIXED(0xa0), 5, 5, 0, 0, 3};
    static const uint8_t only[] = {FIXED(0xa0), 0, 2};
    static const uint8_t zero[] = {FIXED(0xa0), 1, 0};
    static const uint8_t long_one[] = {FIXED(0xa0), 1, 3};
    struct rtp_header h = parse(data, sizeof(data));

    CHECK_EQ(h.payload_len, 2);
    CHECK_EQ(h.padding_len, 3);
    h = parse(only, sizeof(only));
    CHECK_EQ(h.payload_len, 0);
    CHECK_EQ(h.padding_len, 2);
    check_bad(zero, sizeof(zero));
    check_bad(long_one, sizeof(long_one));
}

static void every_cut_of_the_header_is_refused(void)
{
    static const uint8_t data[] = {FIXED(0xb1), 0, 0, 0, 1, 0xbe, 0xde, 0, 1, 0x11, 1, 2, 0, 1};

    for (size_t len = 0; len < sizeof(data); len++)
        check_bad(data, len);
    CHECK_EQ(parse(data, sizeof(data)).header_len, 24);
}

static void other_versions_are_refused(void)
{
    static const uint8_t first[] = {0x00, 0x40, 0xc0};

    for (size_t i = 0; i < sizeof(first); i++) {
        uint8_t data[] = {FIXED(first[i])};

        check_bad(data, sizeof(data));
    }
}

static void failure_leaves_the_result_alone(void)
{
    static const uint8_t data[] = {FIXED(0x80)};
    struct rtp_header h = {.seq = 42};

    CHECK_EQ(rtp_parse(&h, data, sizeof(data) - 1), -EBADMSG);
    CHECK_EQ(h.seq, 42);
}

/* Write `w`, read it back, and compare all of it. */
static void check_round_trip(const struct rtp_write *w, bool two_bytes)
{
    uint8_t data[600];
    int len = rtp_write_header(data, sizeof(data), w);
    struct rtp_header h;

    CHECK(len >= RTP_HEADER_LEN);
    h = parse(data, (size_t)len);
    CHECK_EQ(h.header_len, len);
    CHECK_EQ(len % 4, 0);
    CHECK_EQ(h.marker, w->marker);
    CHECK_EQ(h.pt, w->pt);
    CHECK_EQ(h.seq, w->seq);
    CHECK_EQ(h.ts, w->ts);
    CHECK_EQ(h.ssrc, w->ssrc);
    CHECK_EQ(h.n_csrcs, w->n_csrcs);
    CHECK_EQ(h.n_extensions, w->n_extensions);
    for (size_t i = 0; i < w->n_extensions; i++) {
        CHECK_EQ(h.extensions[i].id, w->extensions[i].id);
        CHECK_EQ(h.extensions[i].len, w->extensions[i].len);
        CHECK_MEM(data + h.extensions[i].offset, w->extensions[i].value, h.extensions[i].len);
    }
    if (w->n_extensions > 0)
        CHECK_EQ(data[RTP_HEADER_LEN + 4 * w->n_csrcs], two_bytes ? 0x10 : 0xbe);
    for (int capacity = 0; capacity < len; capacity++)
        CHECK_EQ(rtp_write_header(data, (size_t)capacity, w), -EMSGSIZE);
}

static const uint8_t value[255] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17};

static void written_header_reads_back(void)
{
    struct rtp_write w = {.marker = true, .pt = 127, .seq = 65535, .ts = 0xdeadbeef, .ssrc = 7};

    check_round_trip(&w, false);
    w.marker = false;
    w.n_csrcs = RTP_MAX_CSRCS;
    for (size_t i = 0; i < RTP_MAX_CSRCS; i++)
        w.csrcs[i] = (uint32_t)i;
    check_round_trip(&w, false);
}

static void smallest_extension_form_is_written(void)
{
    struct rtp_extension_value small[] = {{.id = 1, .len = 1, .value = value},
                                          {.id = 14, .len = 16, .value = value}};
    struct rtp_extension_value large[] = {{.id = 1, .len = 1, .value = value},
                                          {.id = 2, .len = 17, .value = value}};
    struct rtp_extension_value high[] = {{.id = 15, .len = 1, .value = value},
                                         {.id = 255, .len = 255, .value = value}};
    struct rtp_extension_value empty[] = {{.id = 1, .len = 0, .value = value}};
    struct rtp_write w = {.pt = 96, .n_csrcs = 1, .csrcs = {9}, .n_extensions = 2};

    w.extensions = small;
    check_round_trip(&w, false);
    w.extensions = large;
    check_round_trip(&w, true);
    w.extensions = high;
    check_round_trip(&w, true);
    w.extensions = empty;
    w.n_extensions = 1;
    check_round_trip(&w, true);
}

static void padding_bit_is_only_a_bit(void)
{
    struct rtp_write w = {.padding = true};
    uint8_t data[RTP_HEADER_LEN];

    CHECK_EQ(rtp_write_header(data, sizeof(data), &w), RTP_HEADER_LEN);
    CHECK_EQ(data[0], 0xa0);
}

static enum datagram_kind kind_of(uint8_t first, uint8_t second)
{
    return datagram_kind((uint8_t[]){first, second}, 2);
}

static void first_bytes_tell_the_protocol(void)
{
    CHECK_EQ(kind_of(0, 1), DATAGRAM_STUN);
    CHECK_EQ(kind_of(3, 0), DATAGRAM_STUN);
    CHECK_EQ(kind_of(4, 0), DATAGRAM_UNKNOWN);
    CHECK_EQ(kind_of(19, 0), DATAGRAM_UNKNOWN);
    CHECK_EQ(kind_of(20, 0), DATAGRAM_DTLS);
    CHECK_EQ(kind_of(63, 0), DATAGRAM_DTLS);
    CHECK_EQ(kind_of(64, 0), DATAGRAM_UNKNOWN);
    CHECK_EQ(kind_of(127, 0), DATAGRAM_UNKNOWN);
    CHECK_EQ(kind_of(128, 0), DATAGRAM_RTP);
    CHECK_EQ(kind_of(191, 191), DATAGRAM_RTP);
    CHECK_EQ(kind_of(128, 192), DATAGRAM_RTCP);
    CHECK_EQ(kind_of(128, 200), DATAGRAM_RTCP);
    CHECK_EQ(kind_of(128, 223), DATAGRAM_RTCP);
    CHECK_EQ(kind_of(128, 224), DATAGRAM_RTP);
    CHECK_EQ(kind_of(192, 200), DATAGRAM_UNKNOWN);
    CHECK_EQ(datagram_kind((const uint8_t *)"\x80", 1), DATAGRAM_UNKNOWN);
    CHECK_EQ(datagram_kind(NULL, 0), DATAGRAM_UNKNOWN);
}

TAP_CASES(CASE(fixed_header_is_read), CASE(csrcs_belong_to_the_header),
          CASE(one_byte_extensions_are_read), CASE(two_byte_extensions_are_read),
          CASE(id_15_ends_the_one_byte_form), CASE(unknown_profile_is_skipped_whole),
          CASE(elements_beyond_the_maximum_are_skipped),
          CASE(element_that_passes_the_end_is_refused), CASE(padding_is_not_payload),
          CASE(every_cut_of_the_header_is_refused), CASE(other_versions_are_refused),
          CASE(failure_leaves_the_result_alone), CASE(written_header_reads_back),
          CASE(smallest_extension_form_is_written), CASE(padding_bit_is_only_a_bit),
          CASE(first_bytes_tell_the_protocol))
