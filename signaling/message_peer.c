#include "signaling/message_peer.h"

#include "signaling/json_text.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char *const type_names[] = {
    [PEER_OFFER] = "offer",
    [PEER_ANSWER] = "answer",
    [PEER_CANDIDATE] = "candidate",
};

static enum message_peer_type type_of(const char *name)
{
    for (int i = PEER_OFFER; i <= PEER_CANDIDATE; i++) {
        if (name && strcmp(type_names[i], name) == 0)
            return (enum message_peer_type)i;
    }
    return PEER_OTHER;
}

static int read_description(const json_t *object, struct message_peer *m)
{
    const char *sdp = json_string_value(json_object_get(object, "sdp"));
    json_int_t n = json_integer_value(json_object_get(object, "n"));

    if (!sdp || n < 0)
        return -EBADMSG;
    m->n = (uint64_t)n;
    m->sdp = strdup(sdp);
    return m->sdp ? 0 : -EBADMSG;
}

/* RTCIceCandidate.toJSON(); null, or an empty one, ends them. */
static int read_candidate(const json_t *object, struct message_peer *m)
{
    const json_t *candidate = json_object_get(object, "candidate");
    const char *text = json_string_value(json_object_get(candidate, "candidate"));

    if (!candidate || json_is_null(candidate))
        return 0;
    if (!text || strlen(text) > PEER_CANDIDATE_MAX || strpbrk(text, "\r\n"))
        return -EBADMSG;
    utf8_copy(m->candidate, sizeof(m->candidate), text);
    return 0;
}

int message_peer_parse(struct message_peer *ret, const char *text, size_t len)
{
    json_error_t problem;
    json_t *root;
    int err = 0;

    if (len > MESSAGE_RELAY_MAX)
        return -EBADMSG;
    root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &problem);
    if (!json_is_object(root)) {
        json_decref(root);
        return -EBADMSG;
    }
    *ret = (struct message_peer){0};
    ret->type = type_of(json_string_value(json_object_get(root, "type")));
    if (ret->type == PEER_OFFER || ret->type == PEER_ANSWER)
        err = read_description(root, ret);
    else if (ret->type == PEER_CANDIDATE)
        err = read_candidate(root, ret);
    json_decref(root);
    return err;
}

void message_peer_done(struct message_peer *m)
{
    free(m->sdp);
    m->sdp = NULL;
}

static void write_tracks(struct text *out, const struct message_peer *m)
{
    text_append(out, ",\"tracks\":[");
    for (uint32_t i = 0; i < m->n_tracks; i++) {
        const struct message_track_offer *track = &m->tracks[i];

        text_append(out, i > 0 ? ",{\"mid\":" : "{\"mid\":");
        json_append_string(out, track->mid);
        text_printf(out, ",\"kind\":\"%s\",\"source\":", media_kind_name(track->kind));
        json_append_string(out, track->source);
        text_printf(out, ",\"muted\":%s}", track->muted ? "true" : "false");
    }
    text_append(out, "]");
}

static void write_candidate(struct text *out, const struct message_peer *m)
{
    text_append(out, ",\"candidate\":");
    if (!m->candidate[0]) {
        text_append(out, "null");
        return;
    }
    text_append(out, "{\"candidate\":");
    json_append_string(out, m->candidate);
    text_append(out, ",\"sdpMLineIndex\":0}");
}

int message_peer_write(struct text *out, const struct message_peer *m)
{
    assert(m->type != PEER_OTHER);
    text_printf(out, "{\"type\":\"%s\"", type_names[m->type]);
    if (m->type == PEER_CANDIDATE) {
        write_candidate(out, m);
    } else {
        text_printf(out, ",\"n\":%" PRIu64 ",\"sdp\":", m->n);
        json_append_string(out, m->sdp);
        write_tracks(out, m);
    }
    text_append(out, "}");
    return text_ok(out) ? 0 : -EMSGSIZE;
}
