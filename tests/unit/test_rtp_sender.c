#include "client/rtp_sender.h"

#include "client/incoming.h"
#include "client/reports.h"
#include "media/base/clock.h"
#include "media/egress.h"
#include "media/packet.h"
#include "media/seal.h"
#include "tests/tap.h"

#include <errno.h>

enum { SSRC = 0x1111, RTX_SSRC = 0x2222, PT = 96, RTX_PT = 97, MAX_SENT = 64 };
enum { MID_ID = 1, TRANSPORT_CC_ID = 3, LEVEL_ID = 4 };

/* A stream whose packets are decrypted as they leave. */
struct fixture {
    struct packet_pool *pool;
    struct egress *egress;
    struct egress_peer peer;
    struct seal_session *seal;
    struct srtp_session *peer_srtp;
    struct rtp_path path;
    struct rtp_sender sender;
    size_t n;
    struct {
        uint8_t data[PACKET_CAPACITY];
        struct rtp_header rtp;
    } sent[MAX_SENT];
};

static struct fixture f;

static void on_send(void *owner, const struct datagram *datagrams, size_t n)
{
    (void)owner;
    for (size_t i = 0; i < n; i++, f.n++) {
        size_t len = datagrams[i].len;

        CHECK(f.n < MAX_SENT);
        memcpy(f.sent[f.n].data, datagrams[i].data, len);
        CHECK_EQ(srtp_session_unprotect_rtp(f.peer_srtp, f.sent[f.n].data, &len), 0);
        CHECK_EQ(rtp_parse(&f.sent[f.n].rtp, f.sent[f.n].data, len), 0);
    }
}

static void init(void)
{
    struct rtp_sender_config config = {.ssrc = SSRC,
                                       .rtx_ssrc = RTX_SSRC,
                                       .pt = PT,
                                       .rtx_pt = RTX_PT,
                                       .clock_rate = 90000,
                                       .store = 64,
                                       .mid = "video0"};
    struct srtp_keys keys = {.profile = SRTP_AEAD_AES_128_GCM};
    static bool started;

    CHECK(started || srtp_global_init() == 0);
    started = true;
    srtp_profile_lengths(keys.profile, &keys.key_len, &keys.salt_len);
    memset(&f, 0, sizeof(f));
    config.extensions.id[EXTENSION_MID] = MID_ID;
    config.extensions.id[EXTENSION_TRANSPORT_CC] = TRANSPORT_CC_ID;
    config.extensions.id[EXTENSION_AUDIO_LEVEL] = LEVEL_ID;
    f.pool = packet_pool_new(256);
    f.egress = egress_new(on_send, NULL);
    CHECK(f.pool && f.egress);
    CHECK_EQ(seal_session_new(&f.seal, &keys), 0);
    CHECK_EQ(srtp_session_new(&f.peer_srtp, &keys), 0);
    egress_peer_init(&f.peer);
    f.peer.session = f.seal;
    f.path = (struct rtp_path){.egress = f.egress, .peer = &f.peer, .transport_seq = 65535};
    CHECK_EQ(rtp_sender_init(&f.sender, &config), 0);
}

static void done(void)
{
    rtp_sender_done(&f.sender);
    egress_peer_done(f.egress, &f.peer);
    egress_free(f.egress);
    seal_session_free(f.seal);
    srtp_session_free(f.peer_srtp);
    CHECK_EQ(packet_pool_used(f.pool), 0);
    packet_pool_free(f.pool);
}

static int send_one(uint8_t byte, uint32_t ts, int level, int64_t now_us)
{
    struct rtp_outgoing out = {
        .payload = packet_new(f.pool), .ts = ts, .marker = true, .level = level};
    int err;

    CHECK(out.payload);
    out.payload->data[0] = byte;
    out.payload->len = 1;
    err = rtp_sender_send(&f.sender, &f.path, &out, now_us);
    packet_unref(out.payload);
    return err;
}

static uint8_t payload_of(size_t i, size_t at)
{
    return f.sent[i].data[f.sent[i].rtp.header_len + at];
}

static void packets_count_and_carry_their_extensions(void)
{
    const struct rtp_extension *element;

    init();
    CHECK_EQ(send_one('a', 1000, 30, 0), 0);
    CHECK_EQ(send_one('b', 4000, 90, 0), 0);
    egress_flush(f.egress);
    CHECK_EQ(f.n, 2);
    CHECK_EQ(f.sent[0].rtp.ssrc, SSRC);
    CHECK_EQ(f.sent[0].rtp.pt, PT);
    CHECK_EQ(f.sent[0].rtp.ts, 1000);
    CHECK(f.sent[0].rtp.marker);
    CHECK_EQ((uint16_t)(f.sent[0].rtp.seq + 1), f.sent[1].rtp.seq);
    CHECK_EQ(payload_of(1, 0), 'b');
    element = rtp_find_extension(&f.sent[0].rtp, MID_ID);
    CHECK(element && element->len == 6);
    CHECK_MEM(f.sent[0].data + element->offset, "video0", 6);
    element = rtp_find_extension(&f.sent[1].rtp, TRANSPORT_CC_ID);
    CHECK(element && f.sent[1].data[element->offset] == 0); /* 65535, then 0 */
    element = rtp_find_extension(&f.sent[0].rtp, LEVEL_ID);
    CHECK_EQ(f.sent[0].data[element->offset], 0x80 | 30); /* voice */
    element = rtp_find_extension(&f.sent[1].rtp, LEVEL_ID);
    CHECK_EQ(f.sent[1].data[element->offset], 90);
    done();
}

static void the_mid_is_left_out_once_the_peer_reports(void)
{
    struct rtcp_report report = {.ssrc = SSRC};

    init();
    rtp_sender_on_report(&f.sender, &report, SECOND);
    CHECK_EQ(send_one('a', 0, RTP_SENDER_NO_LEVEL, SECOND), 0);
    egress_flush(f.egress);
    CHECK(!rtp_find_extension(&f.sent[0].rtp, MID_ID));
    CHECK(!rtp_find_extension(&f.sent[0].rtp, LEVEL_ID));
    done();
}

static void what_is_missed_is_sent_again_once_a_round_trip(void)
{
    uint16_t seqs[2];

    init();
    CHECK_EQ(send_one('a', 7, RTP_SENDER_NO_LEVEL, 0), 0);
    egress_flush(f.egress);
    seqs[0] = f.sent[0].rtp.seq;
    seqs[1] = (uint16_t)(seqs[0] - 1); /* never sent */
    rtp_sender_on_nack(&f.sender, &f.path, seqs, 2, 50 * MS);
    rtp_sender_on_nack(&f.sender, &f.path, seqs, 2, 51 * MS);
    egress_flush(f.egress);
    CHECK_EQ(f.n, 2);
    CHECK_EQ(f.sent[1].rtp.ssrc, RTX_SSRC);
    CHECK_EQ(f.sent[1].rtp.pt, RTX_PT);
    CHECK_EQ(f.sent[1].rtp.ts, 7);
    CHECK_EQ(f.sent[1].rtp.payload_len, 3);
    CHECK_EQ(payload_of(1, 0) << 8 | payload_of(1, 1), seqs[0]);
    CHECK_EQ(payload_of(1, 2), 'a');
    done();
}

static void without_keys_no_number_is_used_up(void)
{
    uint16_t seq;

    init();
    seq = f.sender.seq;
    f.peer.session = NULL;
    CHECK_EQ(send_one('a', 0, RTP_SENDER_NO_LEVEL, 0), -ENOBUFS);
    CHECK_EQ(f.sender.seq, seq);
    done();
}

static void a_report_extrapolates_the_timestamp(void)
{
    struct rtcp_sender_info info;

    init();
    CHECK_EQ(rtp_sender_report(&f.sender, 0, 0, &info), -EAGAIN);
    CHECK_EQ(send_one('a', 5000, RTP_SENDER_NO_LEVEL, SECOND), 0);
    CHECK_EQ(rtp_sender_report(&f.sender, SECOND + 100 * MS, 1000 * SECOND, &info), 0);
    CHECK_EQ(info.ssrc, SSRC);
    CHECK_EQ(info.rtp_ts, 5000 + 9000);
    CHECK_EQ(info.packets, 1);
    CHECK_EQ(ntp_to_wall_us(info.ntp), 1000 * SECOND);
    done();
}

/* What reports_read() told. */
static struct {
    struct rtcp_sender_info info;
    int infos, reports, nacks, wishes;
    uint32_t wished[4];
} heard;

static void on_sender_info(void *owner, const struct rtcp_sender_info *info, int64_t now_us)
{
    (void)owner;
    (void)now_us;
    heard.info = *info;
    heard.infos++;
}

static void on_report(void *owner, const struct rtcp_report *report, int64_t now_us)
{
    (void)owner;
    (void)report;
    (void)now_us;
    heard.reports++;
}

static void on_nack(void *owner, uint32_t ssrc, const uint16_t *seqs, size_t n, int64_t now_us)
{
    (void)owner;
    (void)now_us;
    CHECK_EQ(ssrc, 9);
    CHECK(n == 2 && seqs[1] == 12);
    heard.nacks++;
}

static void on_key_frame_wish(void *owner, uint32_t ssrc, int64_t now_us)
{
    (void)owner;
    (void)now_us;
    heard.wished[heard.wishes++] = ssrc;
}

static const struct reports_handler handler = {.on_sender_info = on_sender_info,
                                               .on_report = on_report,
                                               .on_nack = on_nack,
                                               .on_key_frame_wish = on_key_frame_wish};

static void reports_are_written_and_read(void)
{
    struct plan_section section = {.use = SECTION_SLOT, .kind = KIND_VIDEO, .ssrc = 0x77};
    struct incoming *in = NULL;
    struct list incoming;
    struct reports_subject subject = {.senders = {&f.sender},
                                      .n_senders = 1,
                                      .incoming = &incoming,
                                      .own_ssrc = SSRC,
                                      .cname = "me"};
    uint8_t bytes[REPORTS_MAX_BYTES];
    struct writer w = writer_of(bytes, sizeof(bytes));

    init();
    list_init(&incoming);
    CHECK_EQ(incoming_new(&in, &section, 1, NULL, NULL), 0);
    list_append(&incoming, &in->link);
    in->reported = true;
    CHECK_EQ(send_one('a', 0, RTP_SENDER_NO_LEVEL, 0), 0);
    reports_write(&w, &subject, SECOND, SECOND);
    CHECK(writer_ok(&w));
    memset(&heard, 0, sizeof(heard));
    reports_read(bytes, w.len, SECOND, &handler, NULL);
    CHECK_EQ(heard.infos, 1);
    CHECK_EQ(heard.info.ssrc, SSRC);
    CHECK_EQ(heard.reports, 1);
    w.len = 0;
    subject.n_senders = 0;
    reports_write(&w, &subject, SECOND, SECOND); /* nothing new to report on */
    reports_read(bytes, w.len, SECOND, &handler, NULL);
    CHECK_EQ(heard.infos, 1);
    CHECK_EQ(heard.reports, 1);
    incoming_free(in);
    done();
}

static void feedback_is_sorted_by_meaning(void)
{
    static const uint16_t seqs[] = {10, 12};
    struct rtcp_feedback fb = {.sender = 1, .media = 9};
    uint8_t bytes[256];
    struct writer w = writer_of(bytes, sizeof(bytes));

    rtcp_write_nack(&w, &fb, seqs, 2);
    rtcp_write_pli(&w, &fb);
    fb.media = 8;
    rtcp_write_fir(&w, &fb, 0);
    CHECK(writer_ok(&w));
    memset(&heard, 0, sizeof(heard));
    reports_read(bytes, w.len, 0, &handler, NULL);
    CHECK_EQ(heard.nacks, 1);
    CHECK_EQ(heard.wishes, 2);
    CHECK_EQ(heard.wished[0], 9);
    CHECK_EQ(heard.wished[1], 8);
    memset(&heard, 0, sizeof(heard));
    reports_read(bytes, w.len - 1, 0, &handler, NULL); /* cut off: what was whole counts */
    CHECK_EQ(heard.wishes, 1);
}

TAP_CASES(CASE(packets_count_and_carry_their_extensions),
          CASE(the_mid_is_left_out_once_the_peer_reports),
          CASE(what_is_missed_is_sent_again_once_a_round_trip),
          CASE(without_keys_no_number_is_used_up), CASE(a_report_extrapolates_the_timestamp),
          CASE(reports_are_written_and_read), CASE(feedback_is_sorted_by_meaning))
