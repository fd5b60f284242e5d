#include "sfu/slot_allocator.h"

#include "media/base/attributes.h"
#include "tests/tap.h"

enum { MAX_PLACES = 8, MAX_TRACKS = 16 };

/** Slots of one subscriber, and tracks of others: track ids are 10 * participant + n. */
struct scene {
    struct slot_place places[SLOT_KINDS][MAX_PLACES];
    size_t n_places[SLOT_KINDS];
    struct slot_track tracks[MAX_TRACKS];
    size_t n_tracks;
    uint32_t refused_track; /* no slot takes it, but index `refused_but` */
    size_t refused_but;
    size_t max_bound;      /* of each kind; 0: no limit */
    bool held[SLOT_KINDS]; /* as the last run said */
    uint32_t moves;        /* of slots from one track to another, in the last run */
};

static bool accepts(void *owner, enum media_kind kind, size_t place, size_t track)
{
    const struct scene *scene = owner;

    (void)kind;
    return scene->tracks[track].track != scene->refused_track || place == scene->refused_but;
}

static struct scene scene_of(size_t audio, size_t video)
{
    return (struct scene){.n_places = {audio, video}, .refused_but = MAX_PLACES};
}

static void publish(struct scene *scene, uint32_t track, enum media_kind kind)
{
    scene->tracks[scene->n_tracks++] = (struct slot_track){
        .track = track, .participant = track / 10, .kind = kind};
}

static void end(struct scene *scene, uint32_t track)
{
    size_t kept = 0;

    for (size_t i = 0; i < scene->n_tracks; i++) {
        if (scene->tracks[i].track != track)
            scene->tracks[kept++] = scene->tracks[i];
    }
    scene->n_tracks = kept;
}

/* Change what a track may have. */
static void rate(struct scene *scene, uint32_t track, enum slot_priority priority, uint64_t rank)
{
    for (size_t i = 0; i < scene->n_tracks; i++) {
        if (scene->tracks[i].track == track) {
            scene->tracks[i].priority = priority;
            scene->tracks[i].rank = rank;
            scene->tracks[i].claims = true;
        }
    }
}

static uint32_t count_moves(const struct scene *before, const struct scene *after)
{
    uint32_t n = 0;

    for (int kind = 0; kind < SLOT_KINDS; kind++) {
        for (size_t i = 0; i < after->n_places[kind]; i++) {
            uint32_t was = before->places[kind][i].track;

            n += was != 0 && after->places[kind][i].track != was;
        }
    }
    return n;
}

static void run(struct scene *scene)
{
    struct scene before = *scene;
    struct slot_allocation a = {
        .tracks = scene->tracks,
        .n_tracks = scene->n_tracks,
        .places = {scene->places[0], scene->places[1]},
        .n_places = {scene->n_places[0], scene->n_places[1]},
        .max_bound = {scene->max_bound, scene->max_bound},
        .accepts = accepts,
        .owner = scene,
    };

    slot_allocator_run(&a);
    memcpy(scene->held, a.held, sizeof(a.held));
    scene->moves = count_moves(&before, scene);
}

static uint32_t audio_at(const struct scene *scene, size_t i)
{
    return scene->places[KIND_AUDIO][i].track;
}

static uint32_t video_at(const struct scene *scene, size_t i)
{
    return scene->places[KIND_VIDEO][i].track;
}

static void tracks_fill_slots_in_order_of_publishing(void)
{
    struct scene s = scene_of(0, 3);

    publish(&s, 10, KIND_VIDEO);
    publish(&s, 20, KIND_VIDEO);
    publish(&s, 30, KIND_VIDEO);
    publish(&s, 40, KIND_VIDEO);
    run(&s);
    CHECK_EQ(video_at(&s, 0), 10);
    CHECK_EQ(video_at(&s, 1), 20);
    CHECK_EQ(video_at(&s, 2), 30);
    CHECK_EQ(s.places[KIND_VIDEO][1].participant, 2);
}

static void a_binding_never_moves_while_both_live(void)
{
    struct scene s = scene_of(2, 3);

    publish(&s, 10, KIND_VIDEO);
    publish(&s, 20, KIND_VIDEO);
    publish(&s, 30, KIND_VIDEO);
    publish(&s, 40, KIND_VIDEO);
    run(&s);
    end(&s, 10);
    run(&s);
    CHECK_EQ(video_at(&s, 0), 40);
    CHECK_EQ(video_at(&s, 1), 20);
    CHECK_EQ(video_at(&s, 2), 30);
    publish(&s, 21, KIND_AUDIO);
    run(&s);
    CHECK_EQ(video_at(&s, 1), 20);
}

static void an_ended_track_frees_its_slot(void)
{
    struct scene s = scene_of(1, 0);

    publish(&s, 10, KIND_AUDIO);
    run(&s);
    end(&s, 10);
    run(&s);
    CHECK_EQ(audio_at(&s, 0), 0);
    CHECK_EQ(s.places[KIND_AUDIO][0].participant, 0);
}

static void audio_and_video_of_one_share_an_index(void)
{
    struct scene s = scene_of(4, 4);

    publish(&s, 10, KIND_AUDIO); /* audio only */
    publish(&s, 20, KIND_VIDEO);
    publish(&s, 21, KIND_AUDIO);
    publish(&s, 31, KIND_AUDIO);
    publish(&s, 30, KIND_VIDEO);
    run(&s);
    for (size_t i = 0; i < 4; i++) {
        if (video_at(&s, i))
            CHECK_EQ(s.places[KIND_AUDIO][i].participant, s.places[KIND_VIDEO][i].participant);
    }
    publish(&s, 11, KIND_VIDEO); /* it turns the camera on later */
    run(&s);
    for (size_t i = 0; i < 4; i++) {
        if (video_at(&s, i))
            CHECK_EQ(s.places[KIND_AUDIO][i].participant, s.places[KIND_VIDEO][i].participant);
    }
}

static void a_track_takes_any_slot_rather_than_none(void)
{
    struct scene s = scene_of(2, 2);

    publish(&s, 10, KIND_AUDIO);
    publish(&s, 20, KIND_AUDIO);
    publish(&s, 30, KIND_VIDEO);
    publish(&s, 40, KIND_VIDEO);
    run(&s);
    CHECK_EQ(video_at(&s, 0), 30);
    CHECK_EQ(video_at(&s, 1), 40);
}

static void a_slot_takes_only_codecs_it_can(void)
{
    struct scene s = scene_of(0, 2);

    s.refused_track = 10;
    publish(&s, 10, KIND_VIDEO);
    publish(&s, 20, KIND_VIDEO);
    run(&s);
    CHECK_EQ(video_at(&s, 0), 20);
    CHECK_EQ(video_at(&s, 1), 0);
    s.refused_but = 1;
    run(&s);
    CHECK_EQ(video_at(&s, 0), 20);
    CHECK_EQ(video_at(&s, 1), 10);
    s.refused_but = MAX_PLACES; /* another offer took the codec away */
    run(&s);
    CHECK_EQ(video_at(&s, 1), 0);
}

static void absent_slots_stay_empty(void)
{
    struct scene s = scene_of(0, 3);

    publish(&s, 10, KIND_VIDEO);
    publish(&s, 20, KIND_VIDEO);
    publish(&s, 30, KIND_VIDEO);
    s.places[KIND_VIDEO][1].absent = true;
    run(&s);
    CHECK_EQ(video_at(&s, 0), 10);
    CHECK_EQ(video_at(&s, 1), 0);
    CHECK_EQ(video_at(&s, 2), 20);
    s.places[KIND_VIDEO][0].absent = true;
    run(&s);
    CHECK_EQ(video_at(&s, 0), 0);
    CHECK(s.places[KIND_VIDEO][0].absent);
}

static void check_only_at(const struct scene *s, size_t i)
{
    for (size_t k = 0; k < i; k++) {
        CHECK(!audio_at(s, i) || audio_at(s, i) != audio_at(s, k));
        CHECK(!video_at(s, i) || video_at(s, i) != video_at(s, k));
    }
}

static void no_track_is_in_two_slots(void)
{
    uint32_t state = 1;
    struct scene s = scene_of(4, 4);

    for (int round = 0; round < 2000; round++) {
        uint32_t track;

        state = state * 1664525 + 1013904223;
        track = 10 + (state >> 16) % 60;
        end(&s, track);
        if (state >> 31 && s.n_tracks < MAX_TRACKS)
            publish(&s, track, track % 2 ? KIND_AUDIO : KIND_VIDEO);
        run(&s);
        for (size_t i = 0; i < 4; i++)
            check_only_at(&s, i);
    }
}

static void the_first_in_rank_get_what_is_free(void)
{
    struct scene s = scene_of(2, 0);

    for (uint32_t i = 1; i <= 5; i++)
        publish(&s, 10 * i, KIND_AUDIO);
    rate(&s, 30, PRIORITY_NORMAL, 7);
    rate(&s, 50, PRIORITY_NORMAL, 9);
    run(&s);
    CHECK_EQ(audio_at(&s, 0), 50);
    CHECK_EQ(audio_at(&s, 1), 30);
}

static void who_speaks_takes_the_place_of_who_was_silent_longest(void)
{
    struct scene s = scene_of(3, 0);

    for (uint32_t i = 1; i <= 5; i++)
        publish(&s, 10 * i, KIND_AUDIO);
    run(&s);
    rate(&s, 10, PRIORITY_NORMAL, 2);
    rate(&s, 20, PRIORITY_NORMAL, 1);
    rate(&s, 30, PRIORITY_NORMAL, 3);
    rate(&s, 50, PRIORITY_NORMAL, 100);
    run(&s);
    CHECK_EQ(s.moves, 1);
    CHECK_EQ(audio_at(&s, 0), 10);
    CHECK_EQ(audio_at(&s, 1), 50);
    CHECK_EQ(audio_at(&s, 2), 30);
}

static void of_equals_the_last_published_gives_way(void)
{
    struct scene s = scene_of(3, 0);

    for (uint32_t i = 1; i <= 5; i++)
        publish(&s, 10 * i, KIND_AUDIO);
    run(&s);
    rate(&s, 50, PRIORITY_NORMAL, 100);
    run(&s);
    CHECK_EQ(audio_at(&s, 2), 50);
    CHECK_EQ(audio_at(&s, 1), 20);
}

static void who_does_not_claim_waits_for_a_free_slot(void)
{
    struct scene s = scene_of(1, 0);

    publish(&s, 10, KIND_AUDIO);
    publish(&s, 20, KIND_AUDIO);
    run(&s);
    s.tracks[1].rank = 5; /* spoke last, but is silent */
    run(&s);
    CHECK_EQ(audio_at(&s, 0), 10);
    end(&s, 10);
    run(&s);
    CHECK_EQ(audio_at(&s, 0), 20);
}

static void classes_go_before_ranks(void)
{
    struct scene s = scene_of(0, 2);

    publish(&s, 10, KIND_VIDEO);
    publish(&s, 20, KIND_VIDEO);
    publish(&s, 30, KIND_VIDEO);
    publish(&s, 40, KIND_VIDEO);
    run(&s);
    rate(&s, 30, PRIORITY_PINNED, 0);
    rate(&s, 40, PRIORITY_SCREEN, 0);
    rate(&s, 10, PRIORITY_SPEAKER, 99);
    rate(&s, 20, PRIORITY_SPEAKER, 98);
    run(&s);
    CHECK_EQ(video_at(&s, 0), 40);
    CHECK_EQ(video_at(&s, 1), 30);
    CHECK_EQ(s.moves, 2);
}

static void a_fixed_slot_waits_but_for_pins_and_screens(void)
{
    struct scene s = scene_of(0, 1);

    publish(&s, 10, KIND_VIDEO);
    publish(&s, 20, KIND_VIDEO);
    run(&s);
    s.places[KIND_VIDEO][0].fixed = true;
    rate(&s, 20, PRIORITY_SPEAKER, 1);
    run(&s);
    CHECK_EQ(video_at(&s, 0), 10);
    CHECK(s.held[KIND_VIDEO]);
    rate(&s, 20, PRIORITY_SCREEN, 0);
    run(&s);
    CHECK_EQ(video_at(&s, 0), 20);
    CHECK(!s.held[KIND_VIDEO]);
}

static void speakers_move_one_video_slot_at_a_time(void)
{
    struct scene s = scene_of(0, 3);

    for (uint32_t i = 1; i <= 6; i++)
        publish(&s, 10 * i, KIND_VIDEO);
    run(&s);
    rate(&s, 50, PRIORITY_SPEAKER, 1);
    rate(&s, 60, PRIORITY_SPEAKER, 2);
    run(&s);
    CHECK_EQ(s.moves, 1);
    CHECK_EQ(video_at(&s, 2), 60);
    CHECK(s.held[KIND_VIDEO]);
    run(&s);
    CHECK_EQ(video_at(&s, 1), 50);
    CHECK(!s.held[KIND_VIDEO]);
}

static void a_limit_leaves_slots_empty(void)
{
    struct scene s = scene_of(4, 0);

    s.max_bound = 2;
    for (uint32_t i = 1; i <= 4; i++)
        publish(&s, 10 * i, KIND_AUDIO);
    run(&s);
    CHECK_EQ(audio_at(&s, 1), 20);
    CHECK_EQ(audio_at(&s, 2), 0);
    rate(&s, 40, PRIORITY_NORMAL, 1);
    run(&s);
    CHECK_EQ(audio_at(&s, 1), 40);
    CHECK_EQ(audio_at(&s, 2), 0);
}

static void a_claim_takes_only_a_slot_that_fits(void)
{
    struct scene s = scene_of(0, 2);

    publish(&s, 10, KIND_VIDEO);
    publish(&s, 20, KIND_VIDEO);
    publish(&s, 30, KIND_VIDEO);
    run(&s);
    s.refused_track = 30;
    s.refused_but = 0;
    rate(&s, 10, PRIORITY_SPEAKER, 1);
    rate(&s, 30, PRIORITY_SPEAKER, 2);
    run(&s);
    CHECK_EQ(video_at(&s, 0), 30);
    CHECK_EQ(video_at(&s, 1), 20);
}

static uint32_t draw(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 16;
}

static const struct slot_track *track_of(const struct scene *s, uint32_t id)
{
    const struct slot_track *found = NULL;

    for (size_t i = 0; i < s->n_tracks; i++)
        found = s->tracks[i].track == id ? &s->tracks[i] : found;
    return found;
}

/* Nobody who claims a slot waits while somebody with less has one, unless a move is held back. */
static void check_claims(const struct scene *s, enum media_kind kind)
{
    for (size_t i = 0; i < s->n_tracks; i++) {
        const struct slot_track *track = &s->tracks[i];
        bool bound = false;

        for (size_t k = 0; k < s->n_places[kind]; k++)
            bound = bound || s->places[kind][k].track == track->track;
        if (bound || !track->claims || track->kind != kind)
            continue;
        for (size_t k = 0; k < s->n_places[kind]; k++) {
            const struct slot_track *other = track_of(s, s->places[kind][k].track);

            CHECK(other != NULL);
            CHECK(other->priority > track->priority ||
                  (other->priority == track->priority && other->rank >= track->rank));
        }
    }
}

static void any_history_ends_with_the_first_in_rank(void)
{
    uint32_t state = 7;
    struct scene s = scene_of(3, 3);

    for (int round = 0; round < 2000; round++) {
        uint32_t track = 10 + draw(&state) % 60;
        struct scene same;

        end(&s, track);
        if (draw(&state) % 4 && s.n_tracks < MAX_TRACKS)
            publish(&s, track, track % 2 ? KIND_AUDIO : KIND_VIDEO);
        rate(&s, track, (enum slot_priority)(draw(&state) % PRIORITIES), draw(&state) % 5);
        if (draw(&state) % 3 == 0 && s.n_tracks > 0)
            s.tracks[draw(&state) % s.n_tracks].claims = false;
        run(&s);
        for (int i = 0; i < 4 && s.held[KIND_VIDEO]; i++)
            run(&s);
        CHECK(!s.held[KIND_VIDEO] && !s.held[KIND_AUDIO]);
        check_claims(&s, KIND_AUDIO);
        check_claims(&s, KIND_VIDEO);
        same = s;
        run(&s); /* and there it rests */
        CHECK_MEM(same.places, s.places, sizeof(s.places));
    }
}

TAP_CASES(CASE(the_first_in_rank_get_what_is_free),
          CASE(who_speaks_takes_the_place_of_who_was_silent_longest),
          CASE(of_equals_the_last_published_gives_way),
          CASE(who_does_not_claim_waits_for_a_free_slot), CASE(classes_go_before_ranks),
          CASE(a_fixed_slot_waits_but_for_pins_and_screens),
          CASE(speakers_move_one_video_slot_at_a_time), CASE(a_limit_leaves_slots_empty),
          CASE(a_claim_takes_only_a_slot_that_fits), CASE(any_history_ends_with_the_first_in_rank),
          CASE(tracks_fill_slots_in_order_of_publishing),
          CASE(a_binding_never_moves_while_both_live), CASE(an_ended_track_frees_its_slot),
          CASE(audio_and_video_of_one_share_an_index),
          CASE(a_track_takes_any_slot_rather_than_none), CASE(a_slot_takes_only_codecs_it_can),
          CASE(absent_slots_stay_empty), CASE(no_track_is_in_two_slots))
