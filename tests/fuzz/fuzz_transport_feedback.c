/*
 * The first byte chooses: the rest is the body of a feedback packet to read, or a schedule of
 * arrivals to record, write and read back.
 */
#include "media/transport_feedback.h"

#include "media/base/clock.h"

#include <assert.h>

enum { MTU = 1200 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct feedback_status statuses[FEEDBACK_MAX_PACKETS];

static void read_body(const uint8_t *data, size_t size)
{
    struct rtcp_packet p = {
        .count = RTPFB_TRANSPORT_CC, .type = RTCP_RTPFB, .body = reader_of(data, size)};
    struct rtcp_feedback fb;
    uint8_t count;
    int n = feedback_read(&p, &fb, &count, statuses, FEEDBACK_MAX_PACKETS);

    assert(n < 0 || (n > 0 && n <= FEEDBACK_MAX_PACKETS));
    for (int i = 1; i < n; i++)
        assert(statuses[i].seq == (uint16_t)(statuses[i - 1].seq + 1));
}

static void check_written(const struct writer *w, size_t packets)
{
    struct reader compound = reader_of(w->data, w->len);
    struct rtcp_packet p;

    assert(writer_ok(w));
    while (rtcp_next(&compound, &p) == 1) {
        struct rtcp_feedback fb;
        uint8_t count;
        int n = feedback_read(&p, &fb, &count, statuses, FEEDBACK_MAX_PACKETS);

        assert(n > 0);
        (void)n;
        packets--;
    }
    assert(packets == 0 && reader_ok(&compound));
}

/* Each arrival: step of the number, step of the time. 0, 0 writes feedback. */
static void record(struct reader *r)
{
    static struct feedback_recorder recorder;
    int64_t now_us = SECOND;
    uint16_t seq = 0;

    feedback_recorder_init(&recorder);
    while (reader_left(r) >= 3) {
        uint8_t space[MTU];
        struct writer w = writer_of(space, sizeof(space));
        uint8_t step = reader_u8(r);
        uint16_t time = reader_u16(r);

        seq = (uint16_t)(seq + (step < 128 ? step : (step - 192) * 64));
        now_us += (int64_t)time * time;
        if (step != 0 || time != 0)
            feedback_recorder_on_packet(&recorder, seq, now_us);
        else
            check_written(&w, feedback_recorder_write(&recorder, &w, 1, 2, now_us));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader r = reader_of(data, size);

    if (reader_u8(&r) & 1)
        record(&r);
    else if (size > 0)
        read_body(data + 1, size - 1);
    return 0;
}
