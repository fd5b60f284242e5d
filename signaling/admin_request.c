#include "signaling/admin_request.h"

#include "signaling/message_input.h"
#include "signaling/token.h"
#include "signaling/token_claims.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static int read_number(const struct input *in, const char *name, uint32_t max,
                       struct admin_number *ret)
{
    ret->given = input_find(in, name) != NULL;
    return input_u32(in, name, max, &ret->value);
}

static int read_limits(const struct input *in, struct admin_request *r)
{
    int err = read_number(in, "max_participants", ADMIN_MAX_PARTICIPANTS, &r->max_participants);

    if (err < 0)
        return err;
    return read_number(in, "max_room_kbps", ADMIN_MAX_KBPS, &r->max_room_kbps);
}

/* Nobody's microphone is turned on from afar. */
static int read_muted(const struct input *in, struct admin_request *r)
{
    int err = input_bool(in, "muted", &r->muted);

    if (err < 0)
        return err;
    if (input_find(in, "muted") && !r->muted)
        return input_bad_field(in, "muted", "can only be true: participants unmute themselves");
    return 0;
}

static int read_mute_track(const struct input *in, struct admin_request *r)
{
    int err = read_muted(in, r);

    if (err < 0)
        return err;
    return r->muted ? 0 : input_bad_field(in, "muted", "is missing");
}

static int read_mute_participant(const struct input *in, struct admin_request *r)
{
    const char *kind = NULL;
    bool hold = false;
    int err = read_muted(in, r);

    if (err < 0)
        return err;
    err = input_bool(in, "hold", &hold);
    if (err < 0)
        return err;
    r->hold = (struct admin_number){input_find(in, "hold") != NULL, hold};
    if (!r->muted && !r->hold.given)
        return input_bad_field(in, "muted", "is missing, and hold, too");
    err = input_string(in, "kind", &kind);
    if (err < 0)
        return err;
    r->kinds = ADMIN_AUDIO | ADMIN_VIDEO;
    if (kind && strcmp(kind, "audio") == 0)
        r->kinds = ADMIN_AUDIO;
    else if (kind && strcmp(kind, "video") == 0)
        r->kinds = ADMIN_VIDEO;
    else if (kind)
        return input_bad_field(in, "kind", "is neither audio nor video");
    return 0;
}

static int read_move(const struct input *in, struct admin_request *r)
{
    int err = input_word(in, "room", room_chars, r->to_room, MESSAGE_ROOM_MAX);

    if (err < 0)
        return err;
    if (!room_name_valid(r->to_room))
        return input_bad_field(in, "room", "may not name a room");
    return input_text(in, "token", r->token, sizeof(r->token));
}

static int read_drain(const struct input *in, struct admin_request *r)
{
    const char *url = NULL;
    int err = read_number(in, "deadline_s", ADMIN_MAX_DEADLINE_S, &r->deadline_s);

    if (err < 0)
        return err;
    err = input_bool(in, "stop", &r->stop);
    if (err < 0)
        return err;
    err = input_string(in, "redirect_url", &url);
    if (err < 0 || !url || !url[0])
        return err;
    if (strlen(url) >= sizeof(r->redirect_url))
        return input_bad_field(in, "redirect_url", "is too long");
    if (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0)
        return input_bad_field(in, "redirect_url", "is no URL with http or https");
    return input_text(in, "redirect_url", r->redirect_url, sizeof(r->redirect_url));
}

/* The claims of the token, as docs/TOKENS.md has them. */
static int read_claims(const struct input *in, struct admin_request *r)
{
    char *text = json_dumps(in->object, JSON_COMPACT);
    struct token_claims claims;
    char why[TOKEN_WHY_MAX];
    int err;

    if (!text)
        return input_fail(in->error, "overloaded", "out of memory");
    err = token_claims_read(&claims, text, why, sizeof(why));
    free(text);
    if (err < 0)
        return input_fail(in->error, "bad_field", "%s", why);
    r->grants = claims.grants;
    return read_number(in, "expires_in_s", ADMIN_MAX_EXPIRY_S, &r->expires_in_s);
}

static int read_body(const struct input *in, struct admin_request *r)
{
    switch (r->action) {
    case ADMIN_LIMIT_ROOM:
        return read_limits(in, r);
    case ADMIN_MUTE_PARTICIPANT:
        return read_mute_participant(in, r);
    case ADMIN_MOVE:
        return read_move(in, r);
    case ADMIN_MUTE_TRACK:
        return read_mute_track(in, r);
    case ADMIN_DRAIN:
        return read_drain(in, r);
    case ADMIN_MAKE_TOKEN:
        return read_claims(in, r);
    case ADMIN_SERVER:
    case ADMIN_ROOMS:
    case ADMIN_ROOM:
    case ADMIN_CLOSE_ROOM:
    case ADMIN_PARTICIPANTS:
    case ADMIN_PARTICIPANT:
    case ADMIN_KICK:
    case ADMIN_TRACKS:
    case ADMIN_TRACK:
    case ADMIN_DRAIN_STATE:
    case ADMIN_UNDRAIN:
        break;
    }
    return 0;
}

int admin_request_parse(struct admin_request *r, const char *text, size_t len,
                        struct message *error)
{
    struct input in = {.error = error};
    json_t *root = NULL;
    int err;

    *error = (struct message){.type = MESSAGE_ERROR};
    if (len > ADMIN_BODY_MAX)
        return input_fail(error, "too_large", "a body has at most %d bytes", ADMIN_BODY_MAX);
    err = input_load(&root, len > 0 ? text : "{}", len > 0 ? len : 2, error);
    if (err < 0)
        return err;
    in.object = root;
    err = read_body(&in, r);
    json_decref(root);
    return err;
}
