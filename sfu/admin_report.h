/**
 * @file admin_report.h  What /v1 tells, as JSON: docs/openapi.yaml has the schemas. What is said of
 * media is at most a few seconds old: it is what clients were told last (MAIL_QUALITY).
 * Thread: control.
 */
#ifndef SFU_ADMIN_REPORT_H
#define SFU_ADMIN_REPORT_H

#include <stdint.h>

struct directory;
struct directory_member;
struct directory_room;
struct drain;
struct message_track;
struct server_status;
struct session_host;
struct text;

/** Append the server: version, what is there, limits. */
void admin_report_server(const struct session_host *host, const struct server_status *status,
                         struct text *out);

/** Append the list of rooms, without who is in them. */
void admin_report_rooms(const struct directory *d, struct text *out);

/** Append one room with its participants. */
void admin_report_room(const struct directory *d, const struct directory_room *room,
                       struct text *out);

/** Append a list of who is in the room; one of them; what all of them publish; one of that. */
void admin_report_participants(const struct directory_room *room, struct text *out);
void admin_report_participant(struct directory_member *m, struct text *out);
void admin_report_tracks(const struct directory_room *room, struct text *out);
void admin_report_track(const struct message_track *track, struct text *out);

/** Append whether the server is being emptied. */
void admin_report_drain(const struct drain *d, uint32_t participants, int64_t now_us,
                        struct text *out);

#endif
