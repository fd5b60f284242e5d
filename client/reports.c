#include "client/reports.h"

#include "client/incoming.h"
#include "client/rtp_sender.h"

enum { MAX_FIR = 16 };

static void read_reports(const struct rtcp_report *reports, int n, int64_t now_us,
                         const struct reports_handler *handler, void *owner)
{
    for (int i = 0; i < n; i++)
        handler->on_report(owner, &reports[i], now_us);
}

static void read_sr(const struct rtcp_packet *p, int64_t now_us,
                    const struct reports_handler *handler, void *owner)
{
    struct rtcp_sender_info info;
    struct rtcp_report reports[RTCP_MAX_REPORTS];
    int n = rtcp_read_sr(p, &info, reports);

    if (n < 0)
        return;
    handler->on_sender_info(owner, &info, now_us);
    read_reports(reports, n, now_us, handler, owner);
}

static void read_rr(const struct rtcp_packet *p, int64_t now_us,
                    const struct reports_handler *handler, void *owner)
{
    uint32_t sender;
    struct rtcp_report reports[RTCP_MAX_REPORTS];

    read_reports(reports, rtcp_read_rr(p, &sender, reports), now_us, handler, owner);
}

static void read_nack(const struct rtcp_packet *p, int64_t now_us,
                      const struct reports_handler *handler, void *owner)
{
    struct rtcp_feedback fb;
    uint16_t seqs[RTCP_MAX_NACKS];
    int n = rtcp_read_nack(p, &fb, seqs, RTCP_MAX_NACKS);

    if (n > 0)
        handler->on_nack(owner, fb.media, seqs, (size_t)n, now_us);
}

static void read_payload_feedback(const struct rtcp_packet *p, int64_t now_us,
                                  const struct reports_handler *handler, void *owner)
{
    struct rtcp_feedback fb;
    uint32_t ssrcs[MAX_FIR];
    int n;

    if (p->count == PSFB_PLI && rtcp_read_pli(p, &fb) == 0) {
        handler->on_key_frame_wish(owner, fb.media, now_us);
        return;
    }
    n = p->count == PSFB_FIR ? rtcp_read_fir(p, &fb, ssrcs, MAX_FIR) : 0;
    for (int i = 0; i < n; i++)
        handler->on_key_frame_wish(owner, ssrcs[i], now_us);
}

void reports_read(const uint8_t *data, size_t len, int64_t now_us,
                  const struct reports_handler *handler, void *owner)
{
    struct reader compound = reader_of(data, len);
    struct rtcp_packet p;

    while (rtcp_next(&compound, &p) > 0) {
        if (p.type == RTCP_SR)
            read_sr(&p, now_us, handler, owner);
        else if (p.type == RTCP_RR)
            read_rr(&p, now_us, handler, owner);
        else if (p.type == RTCP_RTPFB && p.count == RTPFB_NACK)
            read_nack(&p, now_us, handler, owner);
        else if (p.type == RTCP_PSFB)
            read_payload_feedback(&p, now_us, handler, owner);
    }
}

static size_t collect_reports(const struct list *incoming, struct rtcp_report *out, int64_t now_us)
{
    size_t n = 0;

    LIST_FOREACH(it, incoming) {
        struct incoming *in = CONTAINER_OF(it, struct incoming, link);

        if (!in->reported || n == RTCP_MAX_REPORTS)
            continue; /* what does not fit has its turn next time */
        in->reported = false;
        stream_receiver_report(&in->stats, &out[n++], now_us);
    }
    return n;
}

void reports_write(struct writer *w, const struct reports_subject *subject, int64_t now_us,
                   int64_t wall_us)
{
    struct rtcp_report reports[RTCP_MAX_REPORTS];
    size_t n = collect_reports(subject->incoming, reports, now_us);
    bool first = true;

    for (size_t i = 0; i < subject->n_senders; i++) {
        struct rtcp_sender_info info;

        if (rtp_sender_report(subject->senders[i], now_us, wall_us, &info) < 0)
            continue;
        rtcp_write_sr(w, &info, reports, first ? n : 0);
        first = false;
    }
    if (first)
        rtcp_write_rr(w, subject->own_ssrc, reports, n);
    rtcp_write_sdes_cname(w, subject->own_ssrc, subject->cname);
}
