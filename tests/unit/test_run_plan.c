#include "media/run_plan.h"

#include "media/udp_socket.h"
#include "tests/tap.h"

#include <string.h>

enum { TEXT_MAX = 1024, RANDOM_ROUNDS = 20000, RANDOM_PACKETS = 12 };

/* Read packets such as "a60 b120!": a letter for the SSRC, the length, '!' if it must not be
 * padded.
 */
static size_t read_packets(const char *text, uint16_t pad_max, struct run_packet *ret)
{
    size_t n = 0;

    while (*text) {
        char *end;

        ret[n] = (struct run_packet){.ssrc = (uint8_t)text[0],
                                     .len = (uint16_t)strtoul(text + 1, &end, 10),
                                     .pad_max = pad_max};
        if (*end == '!') {
            ret[n].pad_max = 0;
            end++;
        }
        n++;
        text = *end == ' ' ? end + 1 : end;
    }
    return n;
}

/* @return how many of the planned packets from number `from` on the socket takes as one */
static size_t measure_run(const struct run_packet *packets, const struct run_plan *plan,
                          size_t from, size_t n)
{
    const struct run_packet *first = &packets[plan->order[from]];
    size_t size = (size_t)first->len + first->pad;
    size_t bytes = size;
    size_t run = 1;
    size_t last = size;

    while (from + run < n && run < UDP_RUN_MAX && last == size) {
        const struct run_packet *packet = &packets[plan->order[from + run]];

        last = (size_t)packet->len + packet->pad;
        if (last > size || bytes + last > UDP_RUN_BYTES_MAX)
            break;
        bytes += last;
        run++;
    }
    return run;
}

/* Write what leaves, a '|' between runs and "+7" after a packet with padding. @return runs */
static size_t write_plan(const struct run_packet *packets, const struct run_plan *plan, size_t n,
                         char *out)
{
    size_t at = 0;
    size_t runs = 0;

    out[0] = '\0';
    for (size_t i = 0; i < n; runs++) {
        size_t end = i + measure_run(packets, plan, i, n);

        at += (size_t)snprintf(out + at, TEXT_MAX - at, "%s", runs ? " |" : "");
        for (; i < end && at < TEXT_MAX; i++) {
            const struct run_packet *packet = &packets[plan->order[i]];

            at += (size_t)snprintf(out + at, TEXT_MAX - at, "%s%c%u", at ? " " : "",
                                   (char)packet->ssrc, packet->len);
            if (packet->pad)
                at += (size_t)snprintf(out + at, TEXT_MAX - at, "+%u", packet->pad);
        }
    }
    return runs;
}

static void check_plan(uint16_t pad_max, const char *text, const char *expected)
{
    struct run_packet packets[RUN_PLAN_MAX];
    size_t n = read_packets(text, pad_max, packets);
    struct run_plan plan;
    char out[TEXT_MAX];

    run_plan_make(&plan, packets, n);
    CHECK_EQ(plan.n_runs, write_plan(packets, &plan, n, out));
    CHECK_STR(out, expected);
}

static void nothing_is_no_run(void)
{
    struct run_plan plan;

    run_plan_make(&plan, NULL, 0);
    CHECK_EQ(plan.n_runs, 0);
}

static void one_packet_is_a_run_as_it_is(void)
{
    check_plan(64, "v1200", "v1200");
}

static void equal_packets_are_one_run(void)
{
    check_plan(64, "v1200 v1200 v1200", "v1200 v1200 v1200");
}

static void shorter_packet_ends_a_run(void)
{
    check_plan(64, "v1200 v1200 v400 v1200 v1200 v300", "v1200 v1200 v400 | v1200 v1200 v300");
}

static void frame_cut_nearly_equal_is_evened_out(void)
{
    check_plan(64, "v1187 v1188 v1187 v1188 v1187", "v1187+1 v1188 v1187+1 v1188 v1187");
}

static void first_packets_may_be_the_shorter_ones(void)
{
    check_plan(64, "v1140 v1160 v1200 v900", "v1140+60 v1160+40 v1200 v900");
}

static void last_packet_may_be_the_longest(void)
{
    check_plan(64, "v1150 v1150 v1200", "v1150+50 v1150+50 v1200");
}

static void speakers_are_one_run(void)
{
    check_plan(64, "a60 b95 c120 d80", "a60+60 b95+25 c120 d80");
}

static void padding_has_a_limit(void)
{
    check_plan(32, "a60 b92", "a60+32 b92");
    check_plan(32, "a60 b93", "b93 a60");
    check_plan(32, "a60 b93 c93 d150", "b93 c93 a60 | d150");
}

static void without_padding_equal_packets_are_runs_still(void)
{
    check_plan(0, "v1200 v1200 v1199 v1200", "v1200 v1200 v1199 | v1200");
}

static void packet_that_must_not_be_padded_is_not(void)
{
    check_plan(64, "v1190! v1200 v1190", "v1190 | v1200 v1190");
    check_plan(64, "v1190 v1200! v1190!", "v1190+10 v1200 v1190");
    check_plan(64, "v1200 v1190! v1200", "v1200 v1190 | v1200");
}

static void audio_moves_to_the_end_of_a_run_of_video(void)
{
    check_plan(64, "a100 v1200 v1200 v1200", "v1200 v1200 v1200 a100");
    check_plan(64, "v1200 v1200 a100 v1200 v1200", "v1200 v1200 v1200 v1200 a100");
}

static void order_stays_where_another_saves_nothing(void)
{
    check_plan(64, "v1200 v1200 a100", "v1200 v1200 a100");
    check_plan(64, "a100 v1200 v1200 v700", "a100 | v1200 v1200 v700");
    check_plan(64, "v1200 v1200 a100 v1200 v700", "v1200 v1200 a100 | v1200 v700");
    check_plan(64, "v1200 v700 w1200 w700", "v1200 v700 | w1200 w700");
}

static void interleaved_streams_are_sorted_out(void)
{
    check_plan(64, "a100 v1200 b110 v1200 c90 v1200", "v1200 v1200 v1200 a100 | b110 c90");
    check_plan(64, "v1200 w1190 v1200 w1190 v700 w1190",
               "v1200 w1190+10 v1200 w1190+10 w1190+10 v700");
}

static void packets_of_one_ssrc_never_overtake(void)
{
    check_plan(64, "v100 v1200 v1200", "v100 | v1200 v1200");
    check_plan(64, "a100 a1200 v1200 a1200", "a100 | a1200 v1200 a1200");
}

static void a_run_has_the_most_packets_and_bytes_the_kernel_takes(void)
{
    struct run_packet packets[RUN_PLAN_MAX];
    struct run_plan plan;
    char out[TEXT_MAX];

    for (size_t i = 0; i < RUN_PLAN_MAX; i++)
        packets[i] = (struct run_packet){.ssrc = 'v', .len = (uint16_t)(990 + i % 2), .pad_max = 9};
    run_plan_make(&plan, packets, RUN_PLAN_MAX);
    CHECK_EQ(plan.n_runs, 1);
    CHECK_EQ(write_plan(packets, &plan, RUN_PLAN_MAX, out), 1);
    for (size_t i = 0; i < RUN_PLAN_MAX; i++)
        packets[i].len = (uint16_t)(1200 + i % 2);
    run_plan_make(&plan, packets, RUN_PLAN_MAX);
    CHECK_EQ(plan.n_runs, 2);
    CHECK_EQ(write_plan(packets, &plan, RUN_PLAN_MAX, out), 2);
}

static void lengths_near_the_end_of_their_type_are_fine(void)
{
    struct run_packet packets[3] = {
        {.ssrc = 1, .len = UINT16_MAX, .pad_max = 255},
        {.ssrc = 1, .len = UINT16_MAX - 1, .pad_max = 255},
        {.ssrc = 2, .len = 1, .pad_max = UINT16_MAX},
    };
    struct run_plan plan;

    run_plan_make(&plan, packets, 3);
    CHECK_EQ(plan.n_runs, 3);
}

/* What holds of every plan. @return runs the socket makes of it */
static size_t check_valid(const struct run_packet *packets, const struct run_plan *plan, size_t n)
{
    bool seen[RUN_PLAN_MAX] = {false};
    char out[TEXT_MAX];

    for (size_t i = 0; i < n; i++) {
        const struct run_packet *packet = &packets[plan->order[i]];

        CHECK(plan->order[i] < n && !seen[plan->order[i]]);
        seen[plan->order[i]] = true;
        CHECK(packet->pad <= packet->pad_max);
        for (size_t j = 0; j < i; j++)
            CHECK(packets[plan->order[j]].ssrc != packet->ssrc || plan->order[j] < plan->order[i]);
    }
    return write_plan(packets, plan, n, out);
}

/* Can packets [from, to) be one run, in order? */
static bool can_be_run(const struct run_packet *packets, size_t from, size_t to)
{
    uint16_t size = 0;

    for (size_t i = from; i < to; i++)
        size = packets[i].len > size ? packets[i].len : size;
    for (size_t i = from; i + 1 < to; i++) {
        if (packets[i].len + packets[i].pad_max < size)
            return false;
    }
    return true;
}

/* @return the fewest runs in order, found by trying all */
static size_t fewest_in_order(const struct run_packet *packets, size_t n)
{
    size_t fewest[RANDOM_PACKETS + 1] = {0};

    for (size_t to = 1; to <= n; to++) {
        fewest[to] = to;
        for (size_t from = 0; from < to; from++) {
            if (can_be_run(packets, from, to) && fewest[from] + 1 < fewest[to])
                fewest[to] = fewest[from] + 1;
        }
    }
    return fewest[n];
}

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525U + 1013904223U;
    return *state >> 16;
}

static void no_order_kept_needs_fewer_runs(void)
{
    static const uint16_t lens[] = {60, 80, 100, 130, 700, 1150, 1199, 1200};
    uint32_t random = 1;

    for (size_t round = 0; round < RANDOM_ROUNDS; round++) {
        struct run_packet packets[RANDOM_PACKETS];
        size_t n = 1 + next_random(&random) % RANDOM_PACKETS;
        struct run_plan plan;
        size_t fewest;

        for (size_t i = 0; i < n; i++) {
            packets[i] = (struct run_packet){.ssrc = next_random(&random) % 3,
                                             .len = lens[next_random(&random) % ARRAY_LEN(lens)],
                                             .pad_max = next_random(&random) % 4 == 0 ? 0 : 64};
        }
        fewest = fewest_in_order(packets, n);
        run_plan_make(&plan, packets, n);
        CHECK(plan.n_runs <= fewest);
        CHECK(check_valid(packets, &plan, n) <= plan.n_runs);
        if (plan.n_runs == fewest) {
            for (size_t i = 0; i < n; i++)
                CHECK_EQ(plan.order[i], i);
        }
    }
}

TAP_CASES(CASE(nothing_is_no_run), CASE(one_packet_is_a_run_as_it_is),
          CASE(equal_packets_are_one_run), CASE(shorter_packet_ends_a_run),
          CASE(frame_cut_nearly_equal_is_evened_out), CASE(first_packets_may_be_the_shorter_ones),
          CASE(last_packet_may_be_the_longest), CASE(speakers_are_one_run),
          CASE(padding_has_a_limit), CASE(without_padding_equal_packets_are_runs_still),
          CASE(packet_that_must_not_be_padded_is_not),
          CASE(audio_moves_to_the_end_of_a_run_of_video),
          CASE(order_stays_where_another_saves_nothing), CASE(interleaved_streams_are_sorted_out),
          CASE(packets_of_one_ssrc_never_overtake),
          CASE(a_run_has_the_most_packets_and_bytes_the_kernel_takes),
          CASE(lengths_near_the_end_of_their_type_are_fine), CASE(no_order_kept_needs_fewer_runs))
