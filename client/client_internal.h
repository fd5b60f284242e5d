/**
 * @file client_internal.h  What client.c and client_direct.c share; nobody else includes it.
 */
#ifndef CLIENT_CLIENT_INTERNAL_H
#define CLIENT_CLIENT_INTERNAL_H

#include "client/client.h"
#include "client/verdict.h"
#include "media/base/attributes.h"

#include <stdbool.h>
#include <stdint.h>

struct audio_source;
struct call;
struct event;
struct event_base;
struct media_link;
struct message;
struct options;
struct peer_call;
struct recorder;
struct relays;
struct streams;
struct tls_context;
struct video_sender;

/** Joining anew after the call, or its media, was lost (client_rejoin.c). */
struct client_rejoin {
    bool had_media;   /* they were connected once: without that a failure is told at once */
    bool leaving;     /* the old call says good-bye: its end is no news */
    uint32_t tries;   /* since `since_us` */
    int64_t since_us; /* when it was lost; 0: it is not */
    int64_t due_us;   /* the next try; NEVER_US */
    char room[MESSAGE_ROOM_MAX + 1]; /* "": that of the options */
    char *token;                     /* owned; NULL: that of the options */
};

struct client {
    const struct options *options;
    char *reason;
    enum client_result result;
    bool ended;         /* result and reason are set */
    bool must_be_found; /* the server is no ICE-lite one: it asks for our candidates */
    struct event_base *base;
    struct event *timer, *readable, *interrupt, *terminate;
    struct audio_source *source;
    struct video_sender *video;
    struct recorder *recorder;
    struct relays *relays;
    bool over_server; /* media do go over the server, after a direct call */
    bool has_relays;  /* those that the server told of were added */
    struct media_link *link;
    struct streams *streams;
    struct call *call;
    struct peer_call *peer;  /* of direct calls; NULL: none are asked for */
    struct tls_context *tls; /* whom we trust */
    struct verdict verdict;
    int64_t since_us, next_tick_us; /* next_tick_us: NEVER_US before we have joined */
    int64_t leave_us, kill_us;      /* when to leave; when to stop waiting for it */
    int64_t statistics_us;
    struct client_rejoin rejoin;
    int64_t lost_us; /* the link to the other client is: when to take it for lost; NEVER_US */
};

/** The run is over; the first reason counts. */
void client_end(struct client *c, enum client_result result, const char *format, ...)
    PRINTF_LIKE(3, 4);

/** Say goodbye; what it came to is decided now, as a server may well be slow to answer. */
void client_leave(struct client *c, int64_t now_us);

/** Have the next turn at `deadline_us`, or within a second. */
void client_arm(struct client *c, int64_t deadline_us);

/** A new media connection, to the server, in place of the one to another client. @return 0; -errno
 */
MUST_USE int client_go_to_server(struct client *c);

/** Connect to the server and join, as at the start. @return 0; -errno: c->reason says why */
MUST_USE int client_connect(struct client *c);
/** Free what client_connect() made, and all that came of it. */
void client_disconnect(struct client *c);

/** The call has ended, or its media have failed: shall we join anew? @return false: no, the run is
 *  over */
bool client_rejoin_later(struct client *c, int64_t now_us);
/** Do so when it is due. */
void client_rejoin_advance(struct client *c, int64_t now_us);
/** Media are connected. */
void client_rejoin_done(struct client *c);

/** Make c->peer, if direct calls are asked for. @return 0; -ENOMEM */
MUST_USE int client_make_peer(struct client *c);

/** Addresses were gathered: the other one of a direct call gets all at once. */
void client_describe_to_peer(struct client *c);

/** The link to the other one failed: the server may be about to say why. */
void client_on_peer_lost(struct client *c, int64_t now_us);
/** It did not. @return true: media go over the server now; false: nothing else is left */
bool client_leave_peer(struct client *c);

/** Any message of the server. */
void client_on_message(void *owner, const struct message *m);

#endif
