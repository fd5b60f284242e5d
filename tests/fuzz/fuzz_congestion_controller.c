/* Any results, clocks and reports. Each step begins with a byte that says what comes. */
#include "media/congestion_controller.h"

#include "media/base/clock.h"
#include "media/base/reader.h"

#include <assert.h>
#include <stdlib.h>

enum { MAX_RESULTS = 64, MAX_STEPS = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Times as peers could tell them: usual ones, and any. */
static int64_t any_time(struct reader *r, uint8_t how, int64_t usual_us)
{
    if (how & 1)
        return (int64_t)((uint64_t)reader_u32(r) << 32 | reader_u32(r));
    return usual_us + (int64_t)reader_u16(r) * 16;
}

static void feed(struct congestion_controller *c, struct reader *r, int64_t now_us)
{
    struct congestion_result results[MAX_RESULTS];
    uint8_t how = reader_u8(r);
    size_t n = reader_u8(r) % MAX_RESULTS;
    uint16_t seq = reader_u16(r);

    for (size_t i = 0; i < n; i++) {
        uint8_t kind = reader_u8(r);

        results[i] = (struct congestion_result){
            .seq = (uint16_t)(seq + i),
            .received = kind & 1,
            .probe = how & 4 ? kind >> 5 : 0,
            .len = how & 8 ? reader_u32(r) : (uint32_t)kind * 5,
        };
        results[i].sent_us = any_time(r, how, now_us - SECOND);
        results[i].arrival_us = any_time(r, how >> 1, now_us);
    }
    congestion_controller_on_feedback(c, results, n, now_us);
}

static void step(struct congestion_controller *c, struct reader *r, int64_t now_us)
{
    struct congestion_probe probe;

    switch (reader_u8(r) % 8) {
    case 0:
    case 1:
        feed(c, r, now_us);
        break;
    case 2:
        congestion_controller_on_sent(c, reader_u32(r), now_us);
        break;
    case 3:
        congestion_controller_on_remb(c, (uint64_t)reader_u32(r) << 32 | reader_u32(r), now_us);
        break;
    case 4:
        congestion_controller_on_loss_report(c, reader_u8(r), now_us);
        break;
    case 5:
        congestion_controller_set_rtt(c, any_time(r, reader_u8(r), 0));
        break;
    case 6:
        congestion_controller_set_wanted(c, (uint64_t)reader_u32(r) << 32 | reader_u32(r), now_us);
        break;
    default:
        assert(congestion_controller_advance(c, now_us) > now_us);
        while (congestion_controller_take_probe(c, &probe, now_us))
            assert(probe.id != 0 && probe.bps > 0 && probe.min_packets > 0);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader r = reader_of(data, size);
    const struct congestion_config config = {
        .start_bps = reader_u32(&r), .min_bps = reader_u16(&r), .max_bps = reader_u32(&r)};
    uint64_t min_bps = config.min_bps ? config.min_bps : CONGESTION_MIN_BPS;
    uint64_t max_bps = config.max_bps ? config.max_bps : CONGESTION_MAX_BPS;
    int64_t now_us = (int64_t)reader_u32(&r) * SECOND;
    struct congestion_controller *c;
    struct congestion_stats stats;

    if (congestion_controller_new(&c, &config, now_us) < 0)
        abort();
    if (max_bps < min_bps)
        max_bps = min_bps;
    for (int i = 0; i < MAX_STEPS && reader_left(&r) > 0; i++) {
        uint16_t pause = reader_u16(&r);

        now_us += pause & 1 ? (int64_t)pause * 16 : (int64_t)pause * MS;
        step(c, &r, now_us);
        congestion_controller_stats(c, &stats);
        assert(stats.estimate_bps >= min_bps && stats.estimate_bps <= max_bps);
        assert(congestion_controller_pacing(c) > 0);
        assert(stats.queue_us >= 0 && stats.loss >= 0 && stats.loss <= 1);
    }
    congestion_controller_free(c);
    return 0;
}
