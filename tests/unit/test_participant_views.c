#include "sfu/participant_views.h"

#include "sfu/room.h"
#include "sfu/track.h"
#include "tests/tap.h"

enum { TRACKS = PARTICIPANT_MAX_VIEWS + 1 };

static struct room room;
static struct track tracks[TRACKS];

/* A room with `n` tracks, with ids from 1 on. */
static void fill_room(size_t n)
{
    room = (struct room){0};
    list_init(&room.tracks);
    for (size_t i = 0; i < n; i++) {
        tracks[i] = (struct track){.id = (uint32_t)i + 1};
        list_append(&room.tracks, &tracks[i].room_link);
    }
}

static void who_said_nothing_gets_everything(void)
{
    struct participant_views v = {0};
    struct participant_view view = participant_views_find(&v, 1, 1000);

    CHECK(!view.paused && !view.unsubscribed);
    CHECK_EQ(view.size.width + view.size.height + view.size.fps, 0);
    CHECK_EQ(view.priority, PRIORITY_NORMAL);
    CHECK(participant_views_of_track(&v, 1) == NULL);
    participant_views_done(&v);
}

static void a_track_is_what_was_said_of_it_and_else_of_its_slot(void)
{
    struct participant_views v = {0};
    struct participant_view *of_track;
    struct participant_view *of_slot;
    struct participant_view view;

    fill_room(2);
    of_slot = participant_views_edit(&v, 0, 1000, &room);
    CHECK(of_slot != NULL);
    of_slot->size = (struct ladder_view){.width = 640, .height = 360, .fps = 15};
    of_slot->priority = PRIORITY_SPEAKER;
    of_track = participant_views_edit(&v, 2, 0, &room);
    CHECK(of_track != NULL);
    of_track->size = (struct ladder_view){.width = 100, .height = 50};
    of_track->paused = true;
    view = participant_views_find(&v, 2, 1000);
    CHECK_EQ(view.size.width, 100);
    CHECK_EQ(view.size.height, 50);
    CHECK_EQ(view.size.fps, 15);
    CHECK_EQ(view.priority, PRIORITY_SPEAKER);
    CHECK(view.paused);
    view = participant_views_find(&v, 1, 1000);
    CHECK_EQ(view.size.width, 640);
    CHECK(!view.paused);
    view = participant_views_find(&v, 2, 1001);
    CHECK_EQ(view.size.fps, 0);
    participant_views_done(&v);
}

static void the_same_entry_is_found_again(void)
{
    struct participant_views v = {0};

    fill_room(1);
    for (int i = 0; i < 100; i++) {
        struct participant_view *view = participant_views_edit(&v, 1, 0, &room);

        CHECK(view != NULL);
        view->unsubscribed = true;
    }
    CHECK_EQ(v.n, 1);
    CHECK(participant_views_of_track(&v, 1)->unsubscribed);
    participant_views_done(&v);
}

static void there_are_no_more_than_the_limit(void)
{
    struct participant_views v = {0};

    fill_room(TRACKS);
    for (uint32_t i = 1; i <= PARTICIPANT_MAX_VIEWS; i++)
        CHECK(participant_views_edit(&v, i, 0, &room) != NULL);
    CHECK(participant_views_edit(&v, TRACKS, 0, &room) == NULL);
    CHECK(participant_views_edit(&v, 5, 0, &room) != NULL);
    participant_views_done(&v);
}

static void tracks_that_ended_make_room(void)
{
    struct participant_views v = {0};

    for (uint32_t round = 0; round < 50; round++) {
        fill_room(20);
        for (uint32_t i = 0; i < 20; i++) {
            tracks[i].id = 20 * round + i + 1;
            CHECK(participant_views_edit(&v, tracks[i].id, 0, &room) != NULL);
        }
    }
    CHECK(v.n <= 64);
    CHECK(participant_views_of_track(&v, 20 * 49 + 1) != NULL);
    participant_views_done(&v);
}

TAP_CASES(CASE(who_said_nothing_gets_everything),
          CASE(a_track_is_what_was_said_of_it_and_else_of_its_slot),
          CASE(the_same_entry_is_found_again), CASE(there_are_no_more_than_the_limit),
          CASE(tracks_that_ended_make_room))
