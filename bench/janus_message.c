#include "bench/janus_message.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ reading */

static const char *string_of(const json_t *object, const char *name)
{
    const char *value = json_string_value(json_object_get(object, name));

    return value ? value : "";
}

static uint64_t number_of(const json_t *object, const char *name)
{
    json_int_t value = json_integer_value(json_object_get(object, name));

    return value > 0 ? (uint64_t)value : 0;
}

static void read_error(struct janus_message *m, int code, const char *reason)
{
    m->error_code = code;
    (void)snprintf(m->error, sizeof(m->error), "%s", reason);
}

static void read_plugin(struct janus_message *m, const json_t *data)
{
    const char *what = string_of(data, "videoroom");
    const json_t *code = json_object_get(data, "error_code");

    if (code) {
        m->kind = JANUS_ERROR;
        read_error(m, (int)json_integer_value(code), string_of(data, "error"));
    } else if (strcmp(what, "joined") == 0) {
        m->kind = JANUS_JOINED;
        m->id = number_of(data, "id");
    } else if (strcmp(what, "attached") == 0) {
        m->kind = JANUS_ATTACHED;
    }
}

static void read_root(struct janus_message *m, const json_t *root)
{
    const char *type = string_of(root, "janus");
    const json_t *error = json_object_get(root, "error");
    const json_t *data = json_object_get(json_object_get(root, "plugindata"), "data");

    if (strcmp(type, "success") == 0) {
        m->kind = JANUS_SUCCESS;
        m->id = number_of(json_object_get(root, "data"), "id");
    } else if (strcmp(type, "event") == 0) {
        m->kind = JANUS_EVENT;
    } else if (strcmp(type, "error") == 0) {
        m->kind = JANUS_ERROR;
        read_error(m, (int)json_integer_value(json_object_get(error, "code")),
                   string_of(error, "reason"));
    } else if (strcmp(type, "hangup") == 0) {
        m->kind = JANUS_HANGUP;
        read_error(m, 0, string_of(root, "reason"));
    }
    if (data)
        read_plugin(m, data);
}

int janus_message_parse(struct janus_message *ret, const char *text, size_t len)
{
    json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
    const char *sdp;
    int err = -EBADMSG;

    if (!json_is_string(json_object_get(root, "janus")))
        goto out;
    *ret = (struct janus_message){0};
    read_root(ret, root);
    sdp = json_string_value(json_object_get(json_object_get(root, "jsep"), "sdp"));
    ret->sdp = sdp ? strdup(sdp) : NULL;
    err = 0;
out:
    json_decref(root);
    return err;
}

void janus_message_done(struct janus_message *m)
{
    free(m->sdp);
    m->sdp = NULL;
}

/* ------------------------------------------------------------------ writing */

/* @param type  of Janus; @param body, jsep  stolen; may be NULL */
static char *write_request(const struct janus_address *to, const char *type, json_t *body,
                           json_t *jsep)
{
    json_t *root = json_pack("{s:s, s:s}", "janus", type, "transaction", type);
    char *text = NULL;

    if (root && to->session)
        (void)json_object_set_new(root, "session_id", json_integer((json_int_t)to->session));
    if (root && to->handle)
        (void)json_object_set_new(root, "handle_id", json_integer((json_int_t)to->handle));
    if (root && strcmp(type, "attach") == 0)
        (void)json_object_set_new(root, "plugin", json_string("janus.plugin.videoroom"));
    if (root && body)
        (void)json_object_set(root, "body", body);
    if (root && jsep)
        (void)json_object_set(root, "jsep", jsep);
    if (root)
        text = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    json_decref(body);
    json_decref(jsep);
    return text;
}

char *janus_request(const struct janus_address *to, const char *type)
{
    return write_request(to, type, NULL, NULL);
}

char *janus_request_room(const struct janus_address *to, uint64_t room, uint32_t publishers)
{
    return write_request(to, "message",
                         json_pack("{s:s, s:I, s:i, s:i, s:s, s:s, s:b}", "request", "create",
                                   "room", (json_int_t)room, "publishers", (int)publishers,
                                   "bitrate", 0, "audiocodec", "opus", "videocodec", "vp8",
                                   "notify_joining", false),
                         NULL);
}

char *janus_request_join(const struct janus_address *to, uint64_t room)
{
    return write_request(to, "message",
                         json_pack("{s:s, s:s, s:I}", "request", "join", "ptype", "publisher",
                                   "room", (json_int_t)room),
                         NULL);
}

char *janus_request_subscribe(const struct janus_address *to, uint64_t room, const uint64_t *feeds,
                              size_t n)
{
    json_t *streams = json_array();

    for (size_t i = 0; i < n; i++)
        (void)json_array_append_new(streams, json_pack("{s:I}", "feed", (json_int_t)feeds[i]));
    return write_request(to, "message",
                         json_pack("{s:s, s:s, s:I, s:o}", "request", "join", "ptype", "subscriber",
                                   "room", (json_int_t)room, "streams", streams),
                         NULL);
}

char *janus_request_sdp(const struct janus_address *to, const char *request, const char *sdp)
{
    const char *type = strcmp(request, "publish") == 0 ? "offer" : "answer";

    return write_request(to, "message", json_pack("{s:s}", "request", request),
                         json_pack("{s:s, s:s}", "type", type, "sdp", sdp));
}
