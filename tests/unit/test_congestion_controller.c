/* The controller by its interface; what it makes of a path is in test_congestion.c. */
#include "media/congestion_controller.h"

#include "media/base/clock.h"
#include "tests/tap.h"

enum { PACKET = 1200 };

static struct congestion_controller *c;
static int64_t now_us;
static uint16_t next_seq;

static void begin(const struct congestion_config *config)
{
    c = congestion_controller_free(c);
    now_us = 1000 * SECOND;
    next_seq = 65500;
    CHECK_EQ(congestion_controller_new(&c, config, now_us), 0);
}

static void end(void)
{
    c = congestion_controller_free(c);
}

static struct congestion_stats stats(void)
{
    struct congestion_stats s;

    congestion_controller_stats(c, &s);
    return s;
}

static uint64_t estimate(void)
{
    return congestion_controller_estimate(c);
}

/* What is sent in 100 ms at `bps`. @return packets, their results in `ret` (room for 200) */
static size_t send(uint64_t bps, struct congestion_result *ret)
{
    size_t n = (size_t)(bps / 10 / 8 / PACKET) + 1;

    for (size_t i = 0; i < n; i++) {
        ret[i] = (struct congestion_result){.seq = next_seq++,
                                            .received = true,
                                            .len = PACKET,
                                            .sent_us = now_us + (int64_t)i * 100 * MS / (int64_t)n};
        ret[i].arrival_us = ret[i].sent_us + 25 * MS - 7777777;
    }
    congestion_controller_on_sent(c, (uint32_t)n * PACKET, now_us);
    now_us += 100 * MS;
    return n;
}

/* Send at `bps` over a path without limits for `duration_us`, and hear of it 50 ms later. */
static void pass(uint64_t bps, int64_t duration_us)
{
    struct congestion_result results[200];

    for (int64_t end_us = now_us + duration_us; now_us < end_us;) {
        size_t n = send(bps, results);

        congestion_controller_on_feedback(c, results, n, now_us + 50 * MS);
        CHECK(congestion_controller_advance(c, now_us + 50 * MS) > now_us + 50 * MS);
    }
}

/* Send into the dark. */
static void pass_unheard(uint64_t bps, int64_t duration_us)
{
    struct congestion_result results[200];

    for (int64_t end_us = now_us + duration_us; now_us < end_us;) {
        (void)send(bps, results);
        (void)congestion_controller_advance(c, now_us);
    }
}

static void it_starts_with_what_it_is_told(void)
{
    const struct congestion_config config = {.start_bps = 500000, .max_bps = 400000};

    begin(NULL);
    CHECK_EQ(estimate(), 300000);
    CHECK_EQ(congestion_controller_pacing(c), 750000);
    CHECK_EQ(stats().state, CONGESTION_WAITING);
    CHECK_EQ(stats().acked_bps, 0);
    CHECK_EQ(stats().loss_bps, UINT64_MAX);
    begin(&config);
    CHECK_EQ(estimate(), 400000);
    end();
}

static void it_grows_with_what_arrives(void)
{
    begin(NULL);
    for (int i = 0; i < 100; i++)
        pass(estimate(), 100 * MS);
    CHECK(estimate() > 550000);
    CHECK_EQ(stats().state, CONGESTION_STEADY);
    CHECK(!stats().application_limited);
    CHECK(stats().acked_bps > 400000);
    CHECK(stats().queue_us < 5 * MS);
    CHECK(stats().rtt_us >= 59 * MS); /* of the last of ten packets, and its feedback */
    CHECK(stats().rtt_us <= 61 * MS);
    congestion_controller_set_rtt(c, 80 * MS);
    CHECK_EQ(stats().rtt_us, 80 * MS);
    end();
}

static void rtt_stays_in_its_bounds(void)
{
    begin(NULL);
    congestion_controller_set_rtt(c, -5);
    CHECK_EQ(stats().rtt_us, MS);
    congestion_controller_set_rtt(c, INT64_MAX);
    CHECK_EQ(stats().rtt_us, 3 * SECOND);
    end();
}

static void sending_little_is_noticed(void)
{
    begin(NULL);
    pass(100000, 2 * SECOND);
    CHECK(stats().application_limited);
    CHECK(estimate() >= 300000);
    pass(300000, 2 * SECOND);
    CHECK(!stats().application_limited);
    end();
}

static void silence_takes_it_down_step_by_step(void)
{
    uint64_t before, then;

    begin(NULL);
    pass(300000, 2 * SECOND);
    before = estimate();
    pass_unheard(300000, 400 * MS);
    CHECK_EQ(estimate(), before);
    pass_unheard(300000, 600 * MS);
    CHECK_EQ(stats().state, CONGESTION_SILENT);
    then = estimate();
    CHECK(then < before && then > before / 2);
    pass_unheard(300000, 60 * SECOND);
    CHECK_EQ(estimate(), before / 10);
    pass(300000, 100 * MS); /* and a word brings it back */
    CHECK(estimate() >= before * 6 / 10);
    CHECK_EQ(stats().state, CONGESTION_STEADY);
    end();
}

static void a_silent_sender_waits_for_nothing(void)
{
    begin(NULL);
    pass(300000, 2 * SECOND);
    CHECK(congestion_controller_advance(c, now_us + 60 * SECOND) > now_us);
    CHECK_EQ(stats().state, CONGESTION_STEADY);
    end();
}

static void before_any_feedback_silence_means_nothing(void)
{
    begin(NULL);
    pass_unheard(300000, 60 * SECOND);
    CHECK_EQ(estimate(), 300000);
    CHECK_EQ(stats().state, CONGESTION_WAITING);
    end();
}

static void remb_and_reports_count_as_long_as_nothing_better_comes(void)
{
    begin(NULL);
    congestion_controller_on_remb(c, 800000, now_us);
    CHECK_EQ(estimate(), 800000);
    CHECK_EQ(stats().state, CONGESTION_REPORTED);
    congestion_controller_on_remb(c, UINT64_MAX, now_us);
    CHECK_EQ(estimate(), 100000000);
    congestion_controller_on_remb(c, 0, now_us);
    CHECK_EQ(estimate(), 30000);
    congestion_controller_on_remb(c, 800000, now_us);
    congestion_controller_on_loss_report(c, 128, now_us);
    CHECK_EQ(estimate(), 600000);
    CHECK(stats().loss > 0.1);
    for (int i = 0; i < 20; i++)
        congestion_controller_on_loss_report(c, 0, now_us);
    CHECK_EQ(estimate(), 800000); /* not beyond REMB */
    pass(300000, 100 * MS);
    congestion_controller_on_remb(c, 50000, now_us);
    congestion_controller_on_loss_report(c, 255, now_us);
    CHECK(estimate() >= 800000);
    end();
}

static void lost_packets_are_counted(void)
{
    begin(NULL);
    for (int i = 0; i < 100; i++) {
        struct congestion_result results[200];
        size_t n = send(300000, results);

        results[1].received = false;
        congestion_controller_on_feedback(c, results, n, now_us + 50 * MS);
    }
    CHECK(stats().loss > 0.2);
    CHECK(stats().loss < 0.3);
    end();
}

static void lost_feedback_is_no_low_rate(void)
{
    struct congestion_result results[200];
    uint64_t before;

    begin(NULL);
    pass(500000, 2 * SECOND);
    before = stats().acked_bps;
    (void)send(500000, results); /* nobody tells of these */
    (void)send(500000, results);
    pass(500000, 100 * MS);
    CHECK(stats().acked_bps > before * 95 / 100);
    CHECK(stats().acked_bps < before * 105 / 100);
    end();
}

static void probes_are_handed_out_and_believed(void)
{
    struct congestion_probe probe;
    struct congestion_result results[10];

    begin(NULL);
    congestion_controller_set_wanted(c, 3000000, now_us);
    CHECK(congestion_controller_advance(c, now_us) > now_us);
    CHECK(congestion_controller_take_probe(c, &probe, now_us));
    CHECK_EQ(probe.bps, 900000);
    for (int i = 0; i < 10; i++) {
        results[i] = (struct congestion_result){.seq = (uint16_t)i,
                                                .received = true,
                                                .probe = probe.id,
                                                .len = 250,
                                                .sent_us = now_us + i * 2 * MS,
                                                .arrival_us = i * 2 * MS};
    }
    congestion_controller_on_sent(c, 2500, now_us);
    congestion_controller_on_feedback(c, results, 10, now_us + 70 * MS);
    CHECK(estimate() > 900000);
    CHECK(estimate() < 1000000);
    end();
}

static void states_have_names(void)
{
    CHECK_STR(congestion_state_name(CONGESTION_WAITING), "waiting");
    CHECK_STR(congestion_state_name(CONGESTION_STEADY), "steady");
    CHECK_STR(congestion_state_name(CONGESTION_DRAINING), "draining");
    CHECK_STR(congestion_state_name(CONGESTION_LOSSY), "lossy");
    CHECK_STR(congestion_state_name(CONGESTION_SILENT), "silent");
    CHECK_STR(congestion_state_name(CONGESTION_REPORTED), "reported");
}

TAP_CASES(CASE(it_starts_with_what_it_is_told), CASE(it_grows_with_what_arrives),
          CASE(rtt_stays_in_its_bounds), CASE(sending_little_is_noticed),
          CASE(silence_takes_it_down_step_by_step), CASE(a_silent_sender_waits_for_nothing),
          CASE(before_any_feedback_silence_means_nothing),
          CASE(remb_and_reports_count_as_long_as_nothing_better_comes),
          CASE(lost_packets_are_counted), CASE(lost_feedback_is_no_low_rate),
          CASE(probes_are_handed_out_and_believed), CASE(states_have_names))
