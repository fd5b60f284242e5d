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

static void run(struct scene *scene)
{
    struct slot_allocation a = {
        .tracks = scene->tracks,
        .n_tracks = scene->n_tracks,
        .places = {scene->places[0], scene->places[1]},
        .n_places = {scene->n_places[0], scene->n_places[1]},
        .accepts = accepts,
        .owner = scene,
    };

    slot_allocator_run(&a);
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

TAP_CASES(CASE(tracks_fill_slots_in_order_of_publishing),
          CASE(a_binding_never_moves_while_both_live), CASE(an_ended_track_frees_its_slot),
          CASE(audio_and_video_of_one_share_an_index),
          CASE(a_track_takes_any_slot_rather_than_none), CASE(a_slot_takes_only_codecs_it_can),
          CASE(absent_slots_stay_empty), CASE(no_track_is_in_two_slots))
