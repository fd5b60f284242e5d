#include "sfu/directory.h"

#include "tests/tap.h"

#include <errno.h>

enum { MAX_EVENTS = 64 };

/* One event as a member got it. */
struct seen {
    const struct directory_member *to;
    enum message_type type;
    enum message_change change;
    struct message_participant participant;
    struct message_track track;
    char code[32];
};

static struct seen events[MAX_EVENTS];
static size_t n_events;
static struct directory *directory;
static struct directory_member ada, bob, eve;

static void keep(struct directory_member *to, struct message *event)
{
    struct seen *seen = &events[n_events++];

    CHECK(n_events < MAX_EVENTS);
    *seen = (struct seen){
        .to = to, .type = event->type, .change = event->change, .track = event->track};
    if (event->n_participants)
        seen->participant = event->participants[0];
    (void)snprintf(seen->code, sizeof(seen->code), "%s", event->code);
}

static void make_with(struct directory_limits limits, uint32_t workers)
{
    static const struct directory_handler handler = {.deliver = keep};

    n_events = 0;
    ada = (struct directory_member){.name = "Ada"};
    bob = (struct directory_member){.name = "Bob"};
    eve = (struct directory_member){.name = "Eve"};
    CHECK_EQ(directory_new(&directory, &limits, workers, &handler), 0);
}

static void make(void)
{
    make_with((struct directory_limits){10, 10, 10}, 1);
}

static void join(struct directory_member *m, const char *room)
{
    CHECK_EQ(directory_enter(directory, m, room), 0);
    directory_place(directory, m);
    directory_announce(directory, m);
}

static void leave(struct directory_member *m)
{
    directory_leave(directory, m, "left", "left the room");
}

static void end(void)
{
    leave(&ada);
    leave(&bob);
    leave(&eve);
    directory = directory_free(directory);
}

static struct message_track track_of(const char *mid, enum media_kind kind, const char *source)
{
    struct message_track track = {.kind = kind};

    (void)snprintf(track.mid, sizeof(track.mid), "%s", mid);
    (void)snprintf(track.source, sizeof(track.source), "%s", source);
    return track;
}

static void room_lives_from_its_first_member_to_its_last(void)
{
    make();
    CHECK_EQ(directory_rooms(directory), 0);
    join(&ada, "demo");
    join(&bob, "demo");
    CHECK_EQ(directory_rooms(directory), 1);
    CHECK(ada.room == bob.room);
    CHECK_STR(directory_room_name(ada.room), "demo");
    leave(&ada);
    CHECK_EQ(directory_rooms(directory), 1);
    leave(&bob);
    CHECK_EQ(directory_rooms(directory), 0);
    CHECK_EQ(directory_participants(directory), 0);
    end();
}

static void room_made_again_has_a_new_number(void)
{
    uint32_t number;

    make();
    join(&ada, "demo");
    number = directory_room_number(ada.room);
    CHECK(number);
    leave(&ada);
    join(&ada, "demo");
    CHECK(directory_room_number(ada.room) != number);
    end();
}

static void ids_are_never_zero_and_never_the_same(void)
{
    uint32_t first;

    make();
    join(&ada, "demo");
    join(&bob, "other");
    first = ada.id;
    CHECK(ada.id && bob.id && ada.id != bob.id);
    CHECK(directory_find(directory, ada.id) == &ada);
    leave(&ada);
    CHECK_EQ(ada.id, 0);
    CHECK(!directory_find(directory, first));
    join(&ada, "demo");
    CHECK(ada.id != first && ada.id != bob.id);
    end();
}

static void others_hear_of_a_join_and_a_leave(void)
{
    uint32_t id;

    make();
    join(&ada, "demo");
    CHECK_EQ(n_events, 0);
    join(&bob, "demo");
    CHECK_EQ(n_events, 1);
    CHECK(events[0].to == &ada);
    CHECK_EQ(events[0].type, MESSAGE_PARTICIPANT);
    CHECK_EQ(events[0].change, CHANGE_JOIN);
    CHECK_EQ(events[0].participant.id, bob.id);
    CHECK_STR(events[0].participant.name, "Bob");
    id = bob.id;
    directory_leave(directory, &bob, "disconnected", "");
    CHECK_EQ(n_events, 2);
    CHECK(events[1].to == &ada);
    CHECK_EQ(events[1].change, CHANGE_LEAVE);
    CHECK_EQ(events[1].participant.id, id);
    CHECK_STR(events[1].code, "disconnected");
    directory_leave(directory, &bob, "left", "");
    CHECK_EQ(n_events, 2);
    end();
}

static void nobody_hears_of_another_room(void)
{
    make();
    join(&ada, "demo");
    join(&bob, "other");
    leave(&bob);
    CHECK_EQ(n_events, 0);
    end();
}

static void one_not_announced_is_as_if_it_were_not_there(void)
{
    struct message_track track = track_of("0", KIND_AUDIO, "microphone");
    struct message roster = {0};

    make();
    join(&ada, "demo");
    CHECK_EQ(directory_enter(directory, &bob, "demo"), 0);
    CHECK_EQ(directory_set_tracks(directory, &bob, &track, 1), 0);
    CHECK_EQ(directory_roster(&ada, &roster), 0);
    CHECK_EQ(roster.n_participants, 0);
    free(roster.participants);
    join(&eve, "demo"); /* bob must not hear of it: it is not in its snapshot either */
    CHECK_EQ(n_events, 1);
    CHECK(events[0].to == &ada);
    leave(&bob);
    CHECK_EQ(n_events, 1);
    end();
}

static void hidden_one_is_told_of_others_and_they_not_of_it(void)
{
    struct message roster = {0};

    make();
    join(&ada, "demo");
    eve.hidden = true;
    join(&eve, "demo");
    join(&bob, "demo");
    leave(&bob);
    leave(&eve);
    CHECK_EQ(n_events, 4); /* Bob came and went */
    for (size_t i = 0; i < 4; i++)
        CHECK(events[i].to == (i % 2 == 0 ? &ada : &eve));
    CHECK_EQ(directory_roster(&ada, &roster), 0);
    CHECK_EQ(roster.n_participants, 0);
    free(roster.participants);
    end();
}

static void roster_lists_the_others_with_their_tracks_but_not_their_mids(void)
{
    struct message_track track = track_of("a0", KIND_AUDIO, "microphone");
    struct message roster = {0};

    make();
    join(&ada, "demo");
    join(&bob, "demo");
    CHECK_EQ(directory_set_tracks(directory, &ada, &track, 1), 0);
    CHECK_EQ(directory_roster(&bob, &roster), 0);
    CHECK_EQ(roster.n_participants, 1);
    CHECK_EQ(roster.participants[0].id, ada.id);
    CHECK_EQ(roster.participants[0].n_tracks, 1);
    CHECK_EQ(roster.participants[0].tracks[0].id, ada.tracks[0].id);
    CHECK_EQ(roster.participants[0].tracks[0].participant, ada.id);
    CHECK_STR(roster.participants[0].tracks[0].mid, "");
    free(roster.participants);
    end();
}

static void change_of_tracks_is_told_track_by_track(void)
{
    struct message_track tracks[3] = {track_of("0", KIND_AUDIO, "microphone"),
                                      track_of("1", KIND_VIDEO, "camera")};
    uint32_t audio;

    make();
    join(&bob, "demo");
    join(&ada, "demo");
    n_events = 0;
    CHECK_EQ(directory_set_tracks(directory, &ada, tracks, 2), 0);
    CHECK_EQ(n_events, 2);
    CHECK_EQ(events[0].type, MESSAGE_TRACK);
    CHECK_EQ(events[0].change, CHANGE_JOIN);
    CHECK_EQ(events[0].track.participant, ada.id);
    CHECK_STR(events[0].track.mid, "");
    audio = ada.tracks[0].id;
    CHECK(audio && ada.tracks[1].id && audio != ada.tracks[1].id);

    tracks[0].muted = true;                          /* the same, muted */
    tracks[1] = track_of("5", KIND_VIDEO, "screen"); /* a new one; "1" is gone */
    n_events = 0;
    CHECK_EQ(directory_set_tracks(directory, &ada, tracks, 2), 0);
    CHECK_EQ(n_events, 3);
    CHECK_EQ(events[0].change, CHANGE_LEAVE);
    CHECK_EQ(events[1].change, CHANGE_UPDATE);
    CHECK_EQ(events[1].track.id, audio);
    CHECK(events[1].track.muted);
    CHECK_EQ(events[2].change, CHANGE_JOIN);
    CHECK_STR(events[2].track.source, "screen");

    n_events = 0;
    CHECK_EQ(directory_set_tracks(directory, &ada, tracks, 2), 0);
    CHECK_EQ(n_events, 0);
    end();
}

static void recycled_mid_of_another_kind_is_another_track(void)
{
    struct message_track track = track_of("0", KIND_AUDIO, "microphone");
    uint32_t id;

    make();
    join(&ada, "demo");
    CHECK_EQ(directory_set_tracks(directory, &ada, &track, 1), 0);
    id = ada.tracks[0].id;
    track = track_of("0", KIND_VIDEO, "camera");
    CHECK_EQ(directory_set_tracks(directory, &ada, &track, 1), 0);
    CHECK(ada.tracks[0].id != id);
    end();
}

static void mute_is_told_once(void)
{
    struct message_track track = track_of("0", KIND_AUDIO, "microphone");

    make();
    join(&ada, "demo");
    join(&bob, "demo");
    CHECK_EQ(directory_set_tracks(directory, &bob, &track, 1), 0);
    n_events = 0;
    CHECK_EQ(directory_mute(directory, &bob, bob.tracks[0].id, true, false), 0);
    CHECK_EQ(directory_mute(directory, &bob, bob.tracks[0].id, true, false), 0);
    CHECK_EQ(n_events, 1);
    CHECK_EQ(events[0].change, CHANGE_UPDATE);
    CHECK(events[0].track.muted);
    CHECK_EQ(directory_mute(directory, &ada, bob.tracks[0].id, true, false), -ENOENT);
    end();
}

static void each_limit_has_its_error_and_leaves_nothing_behind(void)
{
    make_with((struct directory_limits){.rooms = 1, .participants = 9, .participants_per_room = 1},
              1);
    CHECK_EQ(directory_enter(directory, &ada, "not a name"), -EINVAL);
    CHECK_EQ(directory_enter(directory, &ada, ""), -EINVAL);
    join(&ada, "demo");
    CHECK_EQ(directory_enter(directory, &bob, "demo"), -EDQUOT);
    CHECK_EQ(directory_enter(directory, &bob, "other"), -ENFILE);
    CHECK_EQ(bob.id, 0);
    CHECK(!bob.room);
    leave(&ada);
    join(&bob, "other");
    end();

    make_with((struct directory_limits){.rooms = 9, .participants = 1, .participants_per_room = 9},
              1);
    join(&ada, "demo");
    CHECK_EQ(directory_enter(directory, &bob, "other"), -EUSERS);
    CHECK_EQ(directory_rooms(directory), 1);
    end();
}

static void room_takes_no_more_than_one_roster_can_list(void)
{
    struct directory_member *many = calloc(MESSAGE_MAX_PARTICIPANTS, sizeof(*many));

    CHECK(many);
    make_with(
        (struct directory_limits){.rooms = 1, .participants = 9999, .participants_per_room = 9999},
        1);
    for (size_t i = 0; i < MESSAGE_MAX_PARTICIPANTS; i++)
        CHECK_EQ(directory_enter(directory, &many[i], "demo"), 0);
    CHECK_EQ(directory_enter(directory, &ada, "demo"), -EDQUOT);
    ada.hidden = true;
    CHECK_EQ(directory_enter(directory, &ada, "demo"), 0);
    leave(&many[0]);
    CHECK_EQ(directory_enter(directory, &bob, "demo"), 0);
    for (size_t i = 0; i < MESSAGE_MAX_PARTICIPANTS; i++)
        leave(&many[i]);
    end();
    free(many);
}

static void new_room_goes_to_the_worker_with_the_fewest_members(void)
{
    struct directory_member more[3] = {0};

    make_with((struct directory_limits){10, 10, 10, .room_spread = 10}, 2);
    join(&ada, "first");
    join(&more[0], "first");
    join(&more[2], "first");
    join(&bob, "second");
    join(&eve, "third");
    CHECK_EQ(ada.worker, 0);
    CHECK_EQ(bob.worker, 1);
    CHECK_EQ(eve.worker, 1);
    CHECK_EQ(directory_load(directory, 0), 3);
    CHECK_EQ(directory_load(directory, 1), 2);
    leave(&ada);
    leave(&more[0]);
    leave(&more[2]);
    join(&more[1], "fourth");
    CHECK_EQ(more[1].worker, 0);
    leave(&more[1]);
    CHECK_EQ(directory_load(directory, 0), 0);
    end();
}

enum { MANY = 30 };

static struct directory_member many[MANY];

/* Let some members enter a room. */
static void fill(const char *room, uint32_t first, uint32_t n)
{
    for (uint32_t i = first; i < first + n; i++) {
        many[i] = (struct directory_member){.name = "one of many"};
        CHECK_EQ(directory_enter(directory, &many[i], room), 0);
        directory_place(directory, &many[i]);
    }
}

static void make_spread(uint32_t room_spread, uint32_t workers)
{
    make_with((struct directory_limits){100, 100, 100, .room_spread = room_spread}, workers);
}

static void end_many(uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        leave(&many[i]);
    end();
}

static void small_room_stays_on_one_worker(void)
{
    make_spread(5, 3);
    fill("small", 0, 5);
    for (uint32_t i = 1; i < 5; i++)
        CHECK_EQ(many[i].worker, many[0].worker);
    CHECK_EQ(directory_room_members(many[0].room, many[0].worker), 5);
    end_many(5);
}

static void large_room_takes_worker_after_worker_and_then_all_alike(void)
{
    make_spread(5, 3);
    fill("large", 0, 15);
    for (uint32_t i = 0; i < 15; i++)
        CHECK_EQ(many[i].worker, i / 5);
    fill("large", 15, 12);
    for (uint32_t i = 0; i < 3; i++)
        CHECK_EQ(directory_room_members(many[0].room, i), 9);
    end_many(27);
}

static void large_room_takes_the_least_loaded_worker_next(void)
{
    make_spread(2, 3);
    fill("other", 0, 1);
    fill("busy", 1, 2);
    fill("large", 3, 2);
    CHECK_EQ(many[0].worker, 0);
    CHECK_EQ(many[1].worker, 1);
    CHECK_EQ(many[3].worker, 2);
    fill("large", 5, 1); /* loads are 1, 2 and 2 */
    CHECK_EQ(many[5].worker, 0);
    end_many(6);
}

static void place_that_was_left_is_taken_before_another_worker(void)
{
    make_spread(2, 3);
    fill("room", 0, 2);
    fill("other", 10, 2);
    CHECK_EQ(many[10].worker, 1);
    leave(&many[0]);
    fill("room", 0, 1);
    CHECK_EQ(many[0].worker, many[1].worker);
    leave(&many[10]);
    leave(&many[11]);
    end_many(2);
}

static void room_tells_its_workers_and_members(void)
{
    uint32_t cursor = 0;

    make_spread(2, 4);
    fill("busy", 10, 2);
    fill("room", 0, 6);
    CHECK_EQ(directory_next_worker(many[0].room, UINT32_MAX, &cursor), 1);
    CHECK_EQ(directory_next_worker(many[0].room, UINT32_MAX, &cursor), 2);
    CHECK_EQ(directory_next_worker(many[0].room, UINT32_MAX, &cursor), 3);
    CHECK_EQ(directory_next_worker(many[0].room, UINT32_MAX, &cursor), -ENOENT);
    cursor = 0;
    CHECK_EQ(directory_next_worker(many[0].room, 1, &cursor), 2);
    CHECK(directory_next_member(many[0].room, NULL) == &many[0]);
    CHECK(directory_next_member(many[0].room, &many[4]) == &many[5]);
    CHECK(!directory_next_member(many[0].room, &many[5]));
    leave(&many[0]);
    leave(&many[1]);
    cursor = 0;
    CHECK_EQ(directory_next_worker(many[2].room, UINT32_MAX, &cursor), 2);
    leave(&many[10]);
    leave(&many[11]);
    end_many(6);
}

static void who_has_no_media_is_on_no_worker(void)
{
    make_spread(2, 2);
    fill("busy", 0, 1);
    CHECK_EQ(directory_enter(directory, &ada, "room"), 0);
    CHECK(!ada.placed);
    CHECK_EQ(directory_load(directory, 0) + directory_load(directory, 1), 1);
    directory_place(directory, &ada);
    CHECK_EQ(ada.worker, 1);
    directory_place(directory, &ada);
    CHECK_EQ(directory_load(directory, 1), 1);
    CHECK_EQ(directory_room_members(ada.room, 1), 1);
    directory_unplace(directory, &ada);
    directory_unplace(directory, &ada);
    CHECK_EQ(directory_load(directory, 1), 0);
    CHECK_EQ(directory_room_visible(ada.room), 1);
    leave(&ada);
    end_many(1);
}

TAP_CASES(CASE(who_has_no_media_is_on_no_worker),
          CASE(room_lives_from_its_first_member_to_its_last),
          CASE(room_made_again_has_a_new_number), CASE(ids_are_never_zero_and_never_the_same),
          CASE(others_hear_of_a_join_and_a_leave), CASE(nobody_hears_of_another_room),
          CASE(one_not_announced_is_as_if_it_were_not_there),
          CASE(hidden_one_is_told_of_others_and_they_not_of_it),
          CASE(roster_lists_the_others_with_their_tracks_but_not_their_mids),
          CASE(change_of_tracks_is_told_track_by_track),
          CASE(recycled_mid_of_another_kind_is_another_track), CASE(mute_is_told_once),
          CASE(each_limit_has_its_error_and_leaves_nothing_behind),
          CASE(room_takes_no_more_than_one_roster_can_list),
          CASE(new_room_goes_to_the_worker_with_the_fewest_members),
          CASE(small_room_stays_on_one_worker),
          CASE(large_room_takes_worker_after_worker_and_then_all_alike),
          CASE(large_room_takes_the_least_loaded_worker_next),
          CASE(place_that_was_left_is_taken_before_another_worker),
          CASE(room_tells_its_workers_and_members))
