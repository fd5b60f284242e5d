#include "signaling/message_whep.h"

#include "signaling/message_input.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { MAX_TEMPORAL = 7, MAX_BODY = 4096 };

const char whep_event_names[] = "active,inactive,layers,viewercount,muted";

const char *whep_event_name(enum whep_event event)
{
    static const char *const names[WHEP_EVENT_COUNT] = {
        [WHEP_ACTIVE] = "active",           [WHEP_INACTIVE] = "inactive", [WHEP_LAYERS] = "layers",
        [WHEP_VIEWERCOUNT] = "viewercount", [WHEP_MUTED] = "muted",
    };

    return names[event];
}

static int find_event(const json_t *value, struct message *error)
{
    const char *name = json_string_value(value);

    for (int i = 0; name && i < WHEP_EVENT_COUNT; i++) {
        if (strcmp(whep_event_name((enum whep_event)i), name) == 0)
            return i;
    }
    return input_fail(error, "unknown_event", "events are %s, not \"%.40s\"", whep_event_names,
                      name ? name : "(no text)");
}

int whep_events_read(uint32_t *ret, const char *json, size_t len, struct message *error)
{
    json_error_t why;
    json_t *list;
    uint32_t set = 0;
    int event = 0;

    if (len == 0) {
        *ret = (1U << WHEP_EVENT_COUNT) - 1;
        return 0;
    }
    if (len > MAX_BODY)
        return input_fail(error, "bad_json", "more than %d bytes", MAX_BODY);
    list = json_loadb(json, len, JSON_REJECT_DUPLICATES, &why);
    if (!json_is_array(list)) {
        json_decref(list);
        return input_fail(error, "bad_json", "the body must be a list of names of events");
    }
    for (size_t i = 0; i < json_array_size(list) && event >= 0; i++) {
        event = find_event(json_array_get(list, i), error);
        if (event >= 0)
            set |= 1U << event;
    }
    json_decref(list);
    if (event < 0)
        return event;
    *ret = set;
    return 0;
}

/* mediaId is a number in a string. */
static int read_section(const struct input *in, struct whep_layer *ret)
{
    const char *text = NULL;
    int err = input_string(in, "mediaId", &text);

    if (err < 0 || !text)
        return err;
    if (!is_made_of(text, "0123456789", 3))
        return input_bad_field(in, "mediaId", "is no number of an m-line");
    ret->section = 0;
    for (; *text; text++)
        ret->section = ret->section * 10 + (uint32_t)(*text - '0');
    return ret->section <= WHEP_MAX_SECTION
               ? 0
               : input_bad_field(in, "mediaId", "is no number of an m-line");
}

/* `encodingId` is what drafts before called it. */
static int read_rid(const struct input *in, struct whep_layer *ret)
{
    const char *name = input_find(in, "rid") ? "rid" : "encodingId";
    const char *text = NULL;
    int err = input_string(in, name, &text);

    if (err < 0 || !text)
        return err;
    if (!is_made_of(text, word_chars, MESSAGE_RID_MAX))
        return input_bad_field(in, "rid", "is no rid");
    (void)snprintf(ret->rid, sizeof(ret->rid), "%s", text);
    return 0;
}

static int read_temporal(const struct input *in, struct whep_layer *ret)
{
    uint32_t most = WHEP_ANY;
    int err = input_u32(in, "temporalLayerId", MAX_TEMPORAL, &ret->temporal);

    if (err == 0)
        err = input_u32(in, "maxTemporalLayerId", MAX_TEMPORAL, &most);
    if (most < ret->temporal)
        ret->temporal = most;
    return err;
}

static int read_spatial(const struct input *in)
{
    uint32_t lowest = 0;
    int err = input_u32(in, "spatialLayerId", 0, &lowest);

    return err < 0 ? err : input_u32(in, "maxSpatialLayerId", 0, &lowest);
}

static int read_layer(const struct input *in, struct whep_layer *ret)
{
    int err = read_section(in, ret);

    if (err == 0)
        err = read_rid(in, ret);
    if (err == 0)
        err = read_temporal(in, ret);
    if (err == 0)
        err = read_spatial(in);
    if (err == 0)
        err = input_u32(in, "maxWidth", WHEP_MAX_SIZE, &ret->width);
    if (err == 0)
        err = input_u32(in, "maxHeight", WHEP_MAX_SIZE, &ret->height);
    return err;
}

int whep_layer_read(struct whep_layer *ret, const char *json, size_t len, struct message *error)
{
    struct whep_layer layer = {.section = WHEP_ANY, .temporal = WHEP_ANY};
    struct input in = {.error = error};
    json_t *object = NULL;
    int err;

    if (len > MAX_BODY)
        return input_fail(error, "bad_json", "more than %d bytes", MAX_BODY);
    err = input_load(&object, json, len, error);
    if (err < 0)
        return err;
    in.object = object;
    err = read_layer(&in, &layer);
    json_decref(object);
    if (err == 0)
        *ret = layer;
    return err;
}
