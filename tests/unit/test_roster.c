#include "client/roster.h"

#include "tests/tap.h"

static void add(struct roster *r, enum message_type type, uint32_t id, const char *name,
                uint32_t track)
{
    struct message_participant participant = {.id = id, .n_tracks = track ? 1 : 0};
    struct message m = {.type = type, .n_participants = 1, .participants = &participant};

    (void)snprintf(participant.name, sizeof(participant.name), "%s", name);
    participant.tracks[0].id = track;
    CHECK_EQ(roster_update(r, &m), 0);
}

static void those_in_the_room_are_known_by_name(void)
{
    struct roster r = {0};

    add(&r, MESSAGE_JOINED, 1, "Ada", 11);
    add(&r, MESSAGE_PARTICIPANT, 2, "Bob", 0);
    CHECK_STR(roster_name(&r, 1), "Ada");
    CHECK_STR(roster_name(&r, 2), "Bob");
    CHECK_STR(roster_name(&r, 3), "");
    CHECK_EQ(roster_track(&r, 11)->participant, 1);
    CHECK(!roster_track(&r, 12));
    roster_done(&r);
}

static void tracks_come_change_and_go(void)
{
    struct roster r = {0};
    struct message m = {.type = MESSAGE_TRACK, .change = CHANGE_JOIN};

    add(&r, MESSAGE_JOINED, 1, "Ada", 0);
    m.track = (struct message_track){.id = 5, .participant = 1, .kind = KIND_VIDEO};
    CHECK_EQ(roster_update(&r, &m), 0);
    CHECK_EQ(roster_track(&r, 5)->kind, KIND_VIDEO);
    CHECK(!roster_track(&r, 5)->muted);
    m.change = CHANGE_UPDATE;
    m.track.muted = true;
    CHECK_EQ(roster_update(&r, &m), 0);
    CHECK(roster_track(&r, 5)->muted);
    m.change = CHANGE_LEAVE;
    CHECK_EQ(roster_update(&r, &m), 0);
    CHECK(!roster_track(&r, 5));
    CHECK_EQ(roster_update(&r, &m), 0); /* twice does no harm */
    roster_done(&r);
}

static void who_leaves_takes_the_tracks_but_not_the_name(void)
{
    struct roster r = {0};
    struct message_participant participant = {.id = 1};
    struct message m = {.type = MESSAGE_PARTICIPANT,
                        .change = CHANGE_LEAVE,
                        .n_participants = 1,
                        .participants = &participant};

    add(&r, MESSAGE_JOINED, 1, "Ada", 11);
    add(&r, MESSAGE_PARTICIPANT, 2, "Bob", 12);
    CHECK_EQ(roster_update(&r, &m), 0);
    CHECK(!roster_track(&r, 11));
    CHECK(roster_track(&r, 12));
    CHECK_STR(roster_name(&r, 1), "Ada");
    roster_done(&r);
}

static void many_fit(void)
{
    struct roster r = {0};

    for (uint32_t i = 1; i <= 200; i++)
        add(&r, MESSAGE_PARTICIPANT, i, i % 2 ? "odd" : "even", i);
    CHECK_STR(roster_name(&r, 199), "odd");
    CHECK_EQ(roster_track(&r, 200)->participant, 200);
    roster_done(&r);
}

TAP_CASES(CASE(those_in_the_room_are_known_by_name), CASE(tracks_come_change_and_go),
          CASE(who_leaves_takes_the_tracks_but_not_the_name), CASE(many_fit))
