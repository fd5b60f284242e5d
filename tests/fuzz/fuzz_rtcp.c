/* Any bytes: every packet of the compound through every reader; what reads back is written. */
#include "media/rtcp.h"

#include "media/transport_feedback.h"

#include <assert.h>

enum { MAX = 64, SPACE = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_reports(const struct rtcp_packet *p)
{
    struct rtcp_report reports[RTCP_MAX_REPORTS];
    struct rtcp_sender_info info;
    uint32_t sender;
    uint8_t space[SPACE];
    struct writer w = writer_of(space, sizeof(space));
    int n = rtcp_read_sr(p, &info, reports);

    if (n >= 0) {
        assert(n <= RTCP_MAX_REPORTS);
        rtcp_write_sr(&w, &info, reports, (size_t)n);
        assert(writer_ok(&w) && ntp_to_wall_us(info.ntp) != INT64_MAX);
    }
    n = rtcp_read_rr(p, &sender, reports);
    if (n >= 0) {
        assert(n <= RTCP_MAX_REPORTS);
        rtcp_write_rr(&w, sender, reports, (size_t)n);
        assert(writer_ok(&w));
    }
}

static void read_nack(const struct rtcp_packet *p)
{
    struct rtcp_feedback fb;
    uint16_t seqs[MAX];
    uint8_t space[SPACE];
    struct writer w = writer_of(space, sizeof(space));
    int n = rtcp_read_nack(p, &fb, seqs, MAX);

    if (n < 0)
        return;
    assert(n > 0 && n <= MAX);
    rtcp_write_nack(&w, &fb, seqs, (size_t)n);
    assert(writer_ok(&w));
}

static void read_others(const struct rtcp_packet *p)
{
    struct rtcp_feedback fb;
    struct feedback_status statuses[MAX];
    uint32_t ssrcs[RTCP_MAX_REPORTS];
    uint8_t space[SPACE];
    struct writer w = writer_of(space, sizeof(space));
    uint64_t bps;
    uint64_t again = 0;
    uint8_t count;
    struct rtcp_packet written;
    struct reader compound;

    if (rtcp_read_pli(p, &fb) == 0)
        rtcp_write_pli(&w, &fb);
    if (rtcp_read_fir(p, &fb, ssrcs, RTCP_MAX_REPORTS) > 0)
        rtcp_write_fir(&w, &fb, 1);
    if (rtcp_read_bye(p, ssrcs) > 0)
        rtcp_write_bye(&w, ssrcs, p->count, "why");
    if (feedback_read(p, &fb, &count, statuses, MAX) > 0)
        (void)feedback_unwrap_us(0, statuses[0].arrival_us);
    w.len = 0;
    if (rtcp_read_remb(p, &fb, &bps) < 0)
        return;
    rtcp_write_remb(&w, &fb, bps, NULL, 0);
    compound = reader_of(w.data, w.len);
    if (rtcp_next(&compound, &written) == 1 && rtcp_read_remb(&written, &fb, &again) < 0)
        again = 0;
    assert(again == bps);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader compound = reader_of(data, size);
    struct rtcp_packet p;

    while (rtcp_next(&compound, &p) == 1) {
        read_reports(&p);
        read_nack(&p);
        read_others(&p);
    }
    return 0;
}
