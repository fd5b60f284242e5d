#include "media/rtcp.h"

#include "tests/tap.h"

#include <errno.h>

static const struct rtcp_feedback TO = {.sender = 0x11111111, .media = 0x22222222};

/* Take the only packet out of what was written. */
static struct rtcp_packet only(const struct writer *w)
{
    struct reader compound = reader_of(w->data, w->len);
    struct rtcp_packet p;
    struct rtcp_packet none;

    CHECK(writer_ok(w));
    CHECK_EQ(rtcp_next(&compound, &p), 1);
    CHECK_EQ(rtcp_next(&compound, &none), 0);
    return p;
}

static void compound_is_walked_to_its_end(void)
{
    static const uint8_t data[] = {0x80, 201, 0, 1, 0, 0, 0, 7, 0x81, 203, 0, 1, 0, 0, 0, 9};
    struct reader compound = reader_of(data, sizeof(data));
    struct rtcp_packet p;

    CHECK_EQ(rtcp_next(&compound, &p), 1);
    CHECK_EQ(p.type, RTCP_RR);
    CHECK_EQ(p.count, 0);
    CHECK_EQ(reader_left(&p.body), 4);
    CHECK_EQ(rtcp_next(&compound, &p), 1);
    CHECK_EQ(p.type, RTCP_BYE);
    CHECK_EQ(p.count, 1);
    CHECK_EQ(rtcp_next(&compound, &p), 0);
    CHECK_EQ(rtcp_next(&compound, &p), 0);
}

static void check_bad_compound(const uint8_t *data, size_t len)
{
    struct reader compound = reader_of(data, len);
    struct rtcp_packet p;

    CHECK_EQ(rtcp_next(&compound, &p), -EBADMSG);
    CHECK_EQ(rtcp_next(&compound, &p), -EBADMSG);
}

static void broken_compound_stays_broken(void)
{
    static const uint8_t long_one[] = {0x80, 201, 0, 2, 0, 0, 0, 7};
    static const uint8_t version[] = {0x40, 201, 0, 1, 0, 0, 0, 7};
    static const uint8_t no_padding[] = {0xa0, 201, 0, 1, 0, 0, 0, 0};
    static const uint8_t much_padding[] = {0xa0, 201, 0, 1, 0, 0, 0, 5};
    static const uint8_t empty_padding[] = {0xa0, 201, 0, 0};

    check_bad_compound(long_one, sizeof(long_one));
    check_bad_compound(long_one, 3);
    check_bad_compound(version, sizeof(version));
    check_bad_compound(no_padding, sizeof(no_padding));
    check_bad_compound(much_padding, sizeof(much_padding));
    check_bad_compound(empty_padding, sizeof(empty_padding));
}

static void padding_is_not_body(void)
{
    static const uint8_t data[] = {0xa0, 201, 0, 2, 0, 0, 0, 7, 9, 9, 9, 3};
    struct reader compound = reader_of(data, sizeof(data));
    struct rtcp_packet p;

    CHECK_EQ(rtcp_next(&compound, &p), 1);
    CHECK_EQ(reader_left(&p.body), 5);
    CHECK_EQ(rtcp_next(&compound, &p), 0);
}

static void check_report(const struct rtcp_report *a, const struct rtcp_report *b)
{
    CHECK_EQ(a->ssrc, b->ssrc);
    CHECK_EQ(a->fraction_lost, b->fraction_lost);
    CHECK_EQ(a->total_lost, b->total_lost);
    CHECK_EQ(a->highest_seq, b->highest_seq);
    CHECK_EQ(a->jitter, b->jitter);
    CHECK_EQ(a->last_sr, b->last_sr);
    CHECK_EQ(a->delay_since_sr, b->delay_since_sr);
}

static const struct rtcp_report REPORTS[] = {
    {.ssrc = 1, .fraction_lost = 255, .total_lost = -1, .highest_seq = 0x10002, .jitter = 3},
    {.ssrc = 2, .total_lost = 0x7fffff, .last_sr = 0xcafebabe, .delay_since_sr = 65536},
    {.ssrc = 3, .total_lost = -0x800000},
};

static void sender_report_reads_back(void)
{
    struct rtcp_sender_info info = {
        .ssrc = 5, .ntp = UINT64_C(0x0102030405060708), .rtp_ts = 9, .packets = 10, .octets = 11};
    uint8_t data[128];
    struct writer w = writer_of(data, sizeof(data));
    struct rtcp_report reports[RTCP_MAX_REPORTS];
    struct rtcp_sender_info read;
    struct rtcp_packet p;

    rtcp_write_sr(&w, &info, REPORTS, 3);
    CHECK_EQ(w.len, 28 + 3 * 24);
    p = only(&w);
    CHECK_EQ(rtcp_read_sr(&p, &read, NULL), 3);
    CHECK_EQ(rtcp_read_sr(&p, &read, reports), 3);
    CHECK_EQ(read.ssrc, 5);
    CHECK_EQ(read.ntp, info.ntp);
    CHECK_EQ(read.rtp_ts, 9);
    CHECK_EQ(read.packets, 10);
    CHECK_EQ(read.octets, 11);
    for (size_t i = 0; i < 3; i++)
        check_report(&reports[i], &REPORTS[i]);
}

static void receiver_report_reads_back(void)
{
    uint8_t data[128];
    struct writer w = writer_of(data, sizeof(data));
    struct rtcp_report reports[RTCP_MAX_REPORTS];
    struct rtcp_packet p;
    uint32_t sender = 0;

    rtcp_write_rr(&w, 77, REPORTS, 3);
    p = only(&w);
    CHECK_EQ(rtcp_read_rr(&p, &sender, reports), 3);
    CHECK_EQ(sender, 77);
    for (size_t i = 0; i < 3; i++)
        check_report(&reports[i], &REPORTS[i]);
}

static void report_count_beyond_the_body_is_refused(void)
{
    uint8_t data[128];
    struct writer w = writer_of(data, sizeof(data));
    struct rtcp_sender_info info;
    struct rtcp_packet p;
    uint32_t sender;

    rtcp_write_rr(&w, 77, REPORTS, 1);
    p = only(&w);
    p.count = 2;
    CHECK_EQ(rtcp_read_rr(&p, &sender, NULL), -EBADMSG);
    p.count = 1;
    CHECK_EQ(rtcp_read_sr(&p, &info, NULL), -EBADMSG); /* another type */
    p.body.len = 3;
    p.count = 0;
    CHECK_EQ(rtcp_read_rr(&p, &sender, NULL), -EBADMSG);
}

static void profile_extension_after_the_reports_is_fine(void)
{
    static const uint8_t data[] = {0x80, 201, 0, 2, 0, 0, 0, 7, 1, 2, 3, 4};
    struct reader compound = reader_of(data, sizeof(data));
    struct rtcp_packet p;
    uint32_t sender;

    CHECK_EQ(rtcp_next(&compound, &p), 1);
    CHECK_EQ(rtcp_read_rr(&p, &sender, NULL), 0);
    CHECK_EQ(sender, 7);
}

static void nack_names_what_is_missing(void)
{
    static const uint16_t seqs[] = {65530, 65535, 0, 10, 11, 27, 100};
    uint8_t data[64];
    struct writer w = writer_of(data, sizeof(data));
    struct rtcp_feedback fb;
    struct rtcp_packet p;
    uint16_t read[16];

    rtcp_write_nack(&w, &TO, seqs, 7);
    CHECK_EQ(w.len, 12 + 3 * 4); /* pairs 65530..10, 11..27 and 100 */
    p = only(&w);
    CHECK_EQ(rtcp_read_nack(&p, &fb, read, 16), 7);
    CHECK_EQ(fb.sender, TO.sender);
    CHECK_EQ(fb.media, TO.media);
    CHECK_MEM(read, seqs, sizeof(seqs));
    CHECK_EQ(rtcp_read_nack(&p, &fb, read, 2), 2);
}

static void repeated_number_is_asked_for_once(void)
{
    static const uint16_t seqs[] = {5, 5, 6, 6};
    uint8_t data[64];
    struct writer w = writer_of(data, sizeof(data));
    struct rtcp_feedback fb;
    struct rtcp_packet p;
    uint16_t read[16];

    rtcp_write_nack(&w, &TO, seqs, 4);
    p = only(&w);
    CHECK_EQ(rtcp_read_nack(&p, &fb, read, 16), 2);
    CHECK_EQ(read[1], 6);
}

static void nack_of_nothing_is_not_written(void)
{
    uint8_t data[64];
    struct writer w = writer_of(data, sizeof(data));

    rtcp_write_nack(&w, &TO, NULL, 0);
    CHECK_EQ(w.len, 0);
    CHECK(writer_ok(&w));
}

static void empty_or_cut_nack_is_refused(void)
{
    static const uint8_t data[] = {0x81, 205, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 5, 0, 0};
    struct reader compound = reader_of(data, sizeof(data));
    struct rtcp_feedback fb;
    struct rtcp_packet p;
    uint16_t seqs[17];

    CHECK_EQ(rtcp_next(&compound, &p), 1);
    CHECK_EQ(rtcp_read_nack(&p, &fb, seqs, 17), 1);
    for (p.body.len = 0; p.body.len < 12; p.body.len++)
        CHECK_EQ(rtcp_read_nack(&p, &fb, seqs, 17), -EBADMSG);
}

static void pli_reads_back(void)
{
    uint8_t data[64];
    struct writer w = writer_of(data, sizeof(data));
    struct rtcp_feedback fb;
    struct rtcp_packet p;
    uint32_t ssrc;

    rtcp_write_pli(&w, &TO);
    CHECK_EQ(w.len, 12);
    p = only(&w);
    CHECK_EQ(rtcp_read_pli(&p, &fb), 0);
    CHECK_EQ(fb.sender, TO.sender);
    CHECK_EQ(fb.media, TO.media);
    CHECK_EQ(rtcp_read_fir(&p, &fb, &ssrc, 1), -EBADMSG);
}

static void fir_target_is_in_its_entry(void)
{
    uint8_t data[64];
    struct writer w = writer_of(data, sizeof(data));
    struct rtcp_feedback fb;
    struct rtcp_packet p;
    uint32_t ssrcs[2];

    rtcp_write_fir(&w, &TO, 9);
    CHECK_EQ(w.len, 20);
    CHECK_EQ(data[16], 9);
    p = only(&w);
    CHECK_EQ(rtcp_read_fir(&p, &fb, ssrcs, 2), 1);
    CHECK_EQ(fb.media, 0); /* RFC 5104 section 4.3.1.2 */
    CHECK_EQ(ssrcs[0], TO.media);
    CHECK_EQ(rtcp_read_fir(&p, &fb, ssrcs, 0), 0);
    p.body.len -= 4;
    CHECK_EQ(rtcp_read_fir(&p, &fb, ssrcs, 2), -EBADMSG);
}

static void remb_keeps_18_bits(void)
{
    static const uint64_t rates[] = {0, 1, 0x3ffff, 0x40000, 2500000, UINT64_MAX};
    static const uint32_t ssrcs[] = {1, 2};

    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        uint8_t data[64];
        struct writer w = writer_of(data, sizeof(data));
        struct rtcp_feedback fb;
        struct rtcp_packet p;
        uint64_t read = 1;

        rtcp_write_remb(&w, &TO, rates[i], ssrcs, 2);
        CHECK_EQ(w.len, 28);
        p = only(&w);
        CHECK_EQ(rtcp_read_remb(&p, &fb, &read), 0);
        CHECK(read <= rates[i]);
        CHECK(rates[i] - read <= rates[i] >> 17);
    }
}

static void remb_beyond_64_bits_is_refused(void)
{
    uint8_t data[64];
    struct writer w = writer_of(data, sizeof(data));
    struct rtcp_feedback fb;
    struct rtcp_packet p;
    uint64_t rate;

    rtcp_write_remb(&w, &TO, 1000, NULL, 0);
    data[17] = 0xff;
    p = only(&w);
    CHECK_EQ(rtcp_read_remb(&p, &fb, &rate), -EBADMSG);
    data[17] = 0;
    data[16] = 1; /* one source, which is not there */
    CHECK_EQ(rtcp_read_remb(&p, &fb, &rate), -EBADMSG);
    data[12] = 'X';
    CHECK_EQ(rtcp_read_remb(&p, &fb, &rate), -ENOENT);
}

static void bye_names_its_sources(void)
{
    static const uint32_t ssrcs[] = {8, 9};
    uint8_t data[64];
    struct writer w = writer_of(data, sizeof(data));
    struct rtcp_packet p;
    uint32_t read[RTCP_MAX_REPORTS];

    rtcp_write_bye(&w, ssrcs, 2, "gone");
    CHECK_EQ(w.len, 4 + 8 + 8);
    p = only(&w);
    CHECK_EQ(rtcp_read_bye(&p, read), 2);
    CHECK_EQ(read[0], 8);
    CHECK_EQ(read[1], 9);
    p.count = 5;
    CHECK_EQ(rtcp_read_bye(&p, read), -EBADMSG);
}

static void sdes_ends_on_a_word(void)
{
    static const char *const names[] = {"", "a", "ab", "abc", "abcd", "abcde"};

    for (size_t i = 0; i < 6; i++) {
        uint8_t data[64];
        struct writer w = writer_of(data, sizeof(data));
        struct rtcp_packet p;

        rtcp_write_sdes_cname(&w, 3, names[i]);
        p = only(&w);
        CHECK_EQ(p.type, RTCP_SDES);
        CHECK_EQ(p.count, 1);
        CHECK_EQ(w.len % 4, 0);
        CHECK_EQ(data[8], 1);
        CHECK_EQ(data[9], i);
        CHECK_MEM(data + 10, names[i], i);
        CHECK_EQ(data[10 + i], 0);
    }
}

static void writers_stop_at_a_full_buffer(void)
{
    static const uint32_t ssrcs[] = {8, 9};
    static const uint16_t seqs[] = {1, 100, 200};

    for (size_t room = 0; room < 140; room++) {
        uint8_t data[140];
        struct writer w = writer_of(data, room);
        struct reader compound;
        struct rtcp_packet p;
        int found = 0;

        rtcp_write_rr(&w, 77, REPORTS, 2);
        rtcp_write_sdes_cname(&w, 3, "name");
        rtcp_write_bye(&w, ssrcs, 2, "x");
        rtcp_write_nack(&w, &TO, seqs, 3);
        rtcp_write_fir(&w, &TO, 1);
        if (!writer_ok(&w))
            continue;
        compound = reader_of(w.data, w.len);
        while (rtcp_next(&compound, &p) == 1)
            found++;
        CHECK_EQ(found, 5);
    }
}

static void ntp_time_keeps_microseconds(void)
{
    static const int64_t times[] = {
        0, 1, 999999, 1700000000123456, 2085978495999999, 2085978496000000, 4000000000000001};

    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
        CHECK_EQ(ntp_to_wall_us(ntp_from_wall_us(times[i])), times[i]);
    CHECK_EQ(ntp_from_wall_us(0), UINT64_C(2208988800) << 32);
    CHECK_EQ(ntp_from_wall_us(500000) & UINT32_MAX, 1U << 31);
}

TAP_CASES(CASE(compound_is_walked_to_its_end), CASE(broken_compound_stays_broken),
          CASE(padding_is_not_body), CASE(sender_report_reads_back),
          CASE(receiver_report_reads_back), CASE(report_count_beyond_the_body_is_refused),
          CASE(profile_extension_after_the_reports_is_fine), CASE(nack_names_what_is_missing),
          CASE(repeated_number_is_asked_for_once), CASE(nack_of_nothing_is_not_written),
          CASE(empty_or_cut_nack_is_refused), CASE(pli_reads_back),
          CASE(fir_target_is_in_its_entry), CASE(remb_keeps_18_bits),
          CASE(remb_beyond_64_bits_is_refused), CASE(bye_names_its_sources),
          CASE(sdes_ends_on_a_word), CASE(writers_stop_at_a_full_buffer),
          CASE(ntp_time_keeps_microseconds))
