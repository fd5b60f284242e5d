#include "media/speaker_detector.h"

#include "media/base/attributes.h"
#include "tests/tap.h"

enum { MAX_SOURCES = 16, NOISE = 68, VOICE = 32, PACKETS_PER_S = 50 };

/** A room of sources, each at a level that the test sets, and a second detector that is told. */
struct scene {
    struct speaker_detector *detector, *other;
    uint32_t n;
    struct speaker *speakers[MAX_SOURCES], *copies[MAX_SOURCES];
    uint8_t levels[MAX_SOURCES]; /* what they send now; 255: nothing */
    uint8_t jitter;              /* of levels [dB] */
    uint32_t random;
    int64_t now_us;
    unsigned changed;   /* since it was last looked at */
    uint32_t n_reports; /* likewise */
    uint32_t n_ends;
};

static struct scene s;

static uint32_t next_random(void)
{
    s.random = s.random * 1664525 + 1013904223;
    return s.random >> 16;
}

static void on_report(void *owner, const struct speaker *speaker,
                      const struct speaker_report *report)
{
    (void)owner;
    s.n_reports++;
    s.n_ends += report->state == SPEAKER_QUIET;
    (void)speaker_take_report(s.copies[speaker->id - 1], report, s.now_us);
}

static void begin_at(uint32_t n, uint32_t seed, uint8_t first_level)
{
    static const struct speaker_handler reports = {.on_report = on_report};
    static const struct speaker_handler none = {0};

    s = (struct scene){.n = n, .now_us = 1000 * SECOND, .random = seed};
    s.detector = speaker_detector_new(&reports, NULL);
    s.other = speaker_detector_new(&none, NULL);
    CHECK(s.detector && s.other);
    for (uint32_t i = 0; i < n; i++) {
        s.levels[i] = NOISE;
        s.speakers[i] = speaker_new(s.detector, i + 1, first_level, s.now_us);
        s.copies[i] = speaker_new(s.other, i + 1, 127, s.now_us);
        CHECK(s.speakers[i] && s.copies[i]);
    }
}

static void begin(uint32_t n, uint32_t seed)
{
    begin_at(n, seed, NOISE);
}

static void finish(void)
{
    for (uint32_t i = 0; i < s.n; i++) {
        s.speakers[i] = speaker_free(s.speakers[i]);
        s.copies[i] = speaker_free(s.copies[i]);
    }
    s.detector = speaker_detector_free(s.detector);
    s.other = speaker_detector_free(s.other);
}

static uint8_t vary(uint8_t level)
{
    return (uint8_t)(s.jitter ? level + next_random() % s.jitter - s.jitter / 2 : level);
}

static void run(int ms)
{
    for (int64_t end_us = s.now_us + ms * MS; s.now_us < end_us; s.now_us += 20 * MS) {
        for (uint32_t i = 0; i < s.n; i++) {
            if (s.levels[i] != 255)
                (void)speaker_hear(s.speakers[i], vary(s.levels[i]), false, s.now_us);
        }
        if (speaker_detector_deadline(s.detector) <= s.now_us)
            s.changed |= speaker_detector_advance(s.detector, s.now_us);
        if (speaker_detector_deadline(s.other) <= s.now_us)
            (void)speaker_detector_advance(s.other, s.now_us);
    }
}

/* Speech of `ms`: syllables of 160 to 280 ms with 40 to 80 ms of pause. */
static void talk(uint32_t who, int ms)
{
    int64_t end_us = s.now_us + ms * MS;

    while (s.now_us < end_us) {
        s.levels[who] = (uint8_t)(VOICE - 6 + next_random() % 12);
        run(160 + 20 * (int)(next_random() % 7));
        s.levels[who] = NOISE;
        run(40 + 20 * (int)(next_random() % 3));
    }
}

static uint32_t dominant(void)
{
    const struct speaker *d = speaker_detector_dominant(s.detector);

    return d ? d->id : 0;
}

/* @return the n-th of those that speak or sound, from 0 */
static uint32_t at(uint32_t n)
{
    const struct speaker *speaker = speaker_detector_next(s.detector, NULL);

    for (; speaker && n > 0; n--)
        speaker = speaker_detector_next(s.detector, speaker);
    return speaker ? speaker->id : 0;
}

static bool is_before(uint32_t a, uint32_t b)
{
    return s.speakers[a - 1]->rank > s.speakers[b - 1]->rank;
}

static void nobody_speaks_where_there_is_noise_alone(void)
{
    for (uint32_t seed = 1; seed <= 20; seed++) {
        begin_at(8, seed, NOISE - 8);
        s.jitter = 8;
        for (uint32_t i = 0; i < s.n; i++)
            s.levels[i] = (uint8_t)(NOISE - 8 + i * 2);
        run(10000);
        CHECK_EQ(at(0), 0);
        CHECK_EQ(dominant(), 0);
        CHECK_EQ(s.n_reports, 0);
        CHECK_EQ(speaker_detector_deadline(s.detector), NEVER_US);
        finish();
    }
}

static void the_first_voiced_packet_begins(void)
{
    begin(3, 1);
    run(1000);
    CHECK(speaker_hear(s.speakers[1], VOICE, false, s.now_us));
    CHECK(!speaker_hear(s.speakers[1], VOICE, false, s.now_us + 20 * MS));
    CHECK_EQ(at(0), 2);
    CHECK(is_before(2, 1));
    CHECK_EQ(s.n_reports, 1);
    finish();
}

static void who_speaks_alone_is_dominant_soon(void)
{
    for (uint32_t seed = 1; seed <= 20; seed++) {
        begin(3, seed);
        run(500);
        talk(1, 500);
        CHECK_EQ(dominant(), 2);
        CHECK(s.speakers[1]->confirmed);
        finish();
    }
}

static void a_cough_takes_nothing_over(void)
{
    for (uint32_t seed = 1; seed <= 20; seed++) {
        begin(3, seed);
        run(500);
        s.levels[2] = 10;
        run(80);
        s.levels[2] = NOISE;
        CHECK(!s.speakers[2]->confirmed);
        run(1000);
        CHECK_EQ(dominant(), 0);
        talk(0, 3000);
        CHECK_EQ(dominant(), 1);
        s.levels[2] = 10; /* over the voice of the first */
        s.levels[0] = VOICE;
        run(100);
        s.levels[2] = NOISE;
        talk(0, 1000);
        CHECK_EQ(dominant(), 1);
        finish();
    }
}

static void a_change_of_speakers_shows_within_half_a_second(void)
{
    for (uint32_t seed = 1; seed <= 50; seed++) {
        begin(4, seed);
        s.jitter = 6;
        run(20 * (int)(seed % 7));
        talk(0, 4000);
        CHECK_EQ(dominant(), 1);
        s.levels[0] = NOISE;
        s.levels[3] = VOICE;
        run(500);
        CHECK_EQ(dominant(), 4);
        CHECK_EQ(at(0), 4);
        CHECK_EQ(at(1), 0);
        CHECK(is_before(4, 1) && is_before(1, 2));
        finish();
    }
}

static void two_at_once_do_not_alternate(void)
{
    for (uint32_t seed = 1; seed <= 20; seed++) {
        uint32_t first;
        uint32_t changes = 0;

        begin(4, seed);
        s.levels[0] = VOICE;
        run(1000);
        first = dominant();
        s.levels[1] = VOICE - 3;
        for (int i = 0; i < 100; i++) {
            s.levels[0] = next_random() % 5 == 0 ? NOISE : VOICE;
            s.levels[1] = next_random() % 5 == 0 ? NOISE : VOICE;
            run(100);
            changes += dominant() != first;
            first = dominant();
        }
        CHECK(changes <= 5); /* in 10 s */
        finish();
    }
}

static void who_pauses_is_replaced_by_who_goes_on(void)
{
    begin(2, 1);
    s.levels[0] = VOICE;
    run(2000);
    s.levels[1] = VOICE;
    run(1500);
    CHECK_EQ(dominant(), 1);
    s.levels[0] = NOISE;
    run(700);
    CHECK_EQ(dominant(), 2);
    finish();
}

static void newcomers_come_behind_who_is_heard_but_before_who_pauses(void)
{
    begin(6, 1);
    s.levels[0] = s.levels[1] = s.levels[2] = VOICE;
    run(1000);
    s.levels[3] = VOICE;
    run(100);
    CHECK_EQ(at(3), 4);
    s.levels[3] = NOISE;
    run(240);
    s.levels[4] = VOICE;
    run(20);
    CHECK_EQ(at(3), 5);
    CHECK_EQ(at(4), 4);
    finish();
}

static void short_noises_give_way(void)
{
    begin(5, 1);
    for (int i = 0; i < 10; i++) { /* three type, each key for 20 ms */
        s.levels[i % 3] = VOICE;
        run(20);
        s.levels[i % 3] = NOISE;
        run(60);
    }
    CHECK(at(2) != 0);
    s.levels[4] = VOICE;
    run(20);
    CHECK_EQ(at(0), 5);
    CHECK_EQ(dominant(), 0);
    finish();
}

static void who_is_clearly_stronger_rises(void)
{
    begin(4, 1);
    s.levels[0] = VOICE;
    run(500);
    s.levels[1] = s.levels[2] = 50;
    run(500);
    s.levels[3] = 48; /* hardly stronger */
    run(1000);
    CHECK_EQ(at(3), 4);
    s.levels[3] = 20;
    run(1000);
    CHECK_EQ(at(1), 4);
    CHECK_EQ(at(0), 1); /* dominant */
    finish();
}

static void who_sends_no_more_has_ended(void)
{
    begin(3, 1);
    talk(0, 1000);
    s.levels[0] = VOICE;
    run(100);
    s.levels[0] = 255;
    run(SPEAKER_PAUSE_US / MS + 20);
    CHECK_EQ(at(0), 0);
    CHECK_EQ(s.speakers[0]->state, SPEAKER_QUIET);
    CHECK_EQ(dominant(), 1);
    CHECK_EQ(speaker_detector_deadline(s.detector), NEVER_US);
    CHECK_EQ(s.n_ends, 1);
    CHECK(is_before(1, 2));
    finish();
}

static void who_spoke_last_comes_first_of_the_silent(void)
{
    begin(3, 1);
    talk(2, 500);
    run(500);
    talk(0, 500);
    run(500);
    CHECK(is_before(1, 3) && is_before(3, 2));
    CHECK_EQ(s.speakers[1]->rank, 0);
    finish();
}

static void who_is_stopped_is_silent_at_once(void)
{
    begin(2, 1);
    talk(0, 1000);
    CHECK(speaker_stop(s.speakers[0]));
    CHECK(!speaker_stop(s.speakers[0]));
    CHECK_EQ(at(0), 0);
    CHECK(speaker_detector_advance(s.detector, s.now_us) & SPEAKER_CHANGED_ORDER);
    finish();
}

static void sources_without_levels_come_behind_those_with(void)
{
    begin(3, 1);
    for (int i = 0; i < 100; i++) {
        s.levels[2] = 255;
        CHECK_EQ(speaker_hear_sound(s.speakers[2], s.now_us), i == 0);
        run(20);
    }
    CHECK_EQ(at(0), 3);
    CHECK_EQ(s.speakers[2]->state, SPEAKER_SOUNDING);
    CHECK_EQ(dominant(), 0);
    CHECK(speaker_hear(s.speakers[1], VOICE, false, s.now_us));
    CHECK(is_before(2, 3) && is_before(3, 1));
    CHECK_EQ(at(1), 3);
    run(500);
    CHECK_EQ(s.speakers[2]->state, SPEAKER_QUIET);
    CHECK(!speaker_hear(s.speakers[2], NOISE, false, s.now_us)); /* its first level */
    finish();
}

static void what_a_screen_plays_is_never_dominant(void)
{
    begin(3, 1);
    s.speakers[0]->background = s.copies[0]->background = true;
    s.levels[0] = 20;
    run(3000);
    CHECK_EQ(at(0), 1);
    CHECK_EQ(dominant(), 0);
    talk(1, 600);
    CHECK_EQ(dominant(), 2);
    finish();
}

static void the_dominant_one_may_leave(void)
{
    begin(3, 1);
    talk(0, 1000);
    CHECK_EQ(dominant(), 1);
    s.speakers[0] = speaker_free(s.speakers[0]);
    s.copies[0] = speaker_free(s.copies[0]);
    s.speakers[0] = s.speakers[2];
    s.copies[0] = s.copies[2];
    s.n = 2;
    CHECK_EQ(dominant(), 0);
    CHECK(speaker_detector_advance(s.detector, s.now_us) & SPEAKER_CHANGED_DOMINANT);
    finish();
}

static void check_alike(void)
{
    const struct speaker *theirs = speaker_detector_dominant(s.other);

    CHECK_EQ(theirs ? theirs->id : 0, dominant());
    theirs = speaker_detector_next(s.other, NULL);
    for (uint32_t i = 0; at(i); i++) {
        CHECK(theirs != NULL);
        CHECK_EQ(theirs->id, at(i));
        CHECK_EQ(theirs->confirmed, s.speakers[at(i) - 1]->confirmed);
        theirs = speaker_detector_next(s.other, theirs);
    }
    CHECK(!theirs);
}

/* A conversation: most of the time one talks, some interrupt, cough or talk together. */
static void converse(void)
{
    for (uint32_t i = 0; i < s.n; i++) {
        if (next_random() % 3 == 0)
            s.levels[i] = (uint8_t)(next_random() % 4 ? NOISE : VOICE);
    }
    run(20 + 20 * (int)(next_random() % 30));
}

static void who_is_told_decides_alike(void)
{
    for (uint32_t seed = 1; seed <= 20; seed++) {
        begin(5, seed);
        s.jitter = 10;
        for (int i = 0; i < 100; i++) {
            converse();
            run((int)((SPEAKER_TICK_US - s.now_us % SPEAKER_TICK_US) / MS) + 20);
            check_alike();
        }
        finish();
    }
}

static void reports_come_at_a_bounded_rate(void)
{
    begin(2, 1);
    s.levels[0] = VOICE;
    run(10000);
    CHECK(s.n_reports >= 95 && s.n_reports <= 105);
    s.n_reports = 0;
    s.levels[0] = NOISE;
    run(10000);
    CHECK(s.n_reports <= 5);
    finish();
}

static void whose_reports_are_lost_ends_alone(void)
{
    begin(2, 1);
    talk(0, 1000);
    s.levels[0] = VOICE;
    run(100);
    for (int i = 0; i < 10; i++) {
        s.now_us += 100 * MS;
        (void)speaker_detector_advance(s.other, s.now_us);
    }
    CHECK_EQ(s.copies[0]->state, SPEAKER_QUIET);
    CHECK_EQ(speaker_detector_deadline(s.other), NEVER_US);
    finish();
}

TAP_CASES(CASE(nobody_speaks_where_there_is_noise_alone), CASE(the_first_voiced_packet_begins),
          CASE(who_speaks_alone_is_dominant_soon), CASE(a_cough_takes_nothing_over),
          CASE(a_change_of_speakers_shows_within_half_a_second), CASE(two_at_once_do_not_alternate),
          CASE(who_pauses_is_replaced_by_who_goes_on),
          CASE(newcomers_come_behind_who_is_heard_but_before_who_pauses),
          CASE(short_noises_give_way), CASE(who_is_clearly_stronger_rises),
          CASE(who_sends_no_more_has_ended), CASE(who_spoke_last_comes_first_of_the_silent),
          CASE(who_is_stopped_is_silent_at_once),
          CASE(sources_without_levels_come_behind_those_with),
          CASE(what_a_screen_plays_is_never_dominant), CASE(the_dominant_one_may_leave),
          CASE(who_is_told_decides_alike), CASE(reports_come_at_a_bounded_rate),
          CASE(whose_reports_are_lost_ends_alone))
