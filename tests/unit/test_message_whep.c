#include "signaling/message_whep.h"

#include "tests/tap.h"

#include <errno.h>

static struct message error;
static uint32_t events;
static struct whep_layer layer;

static int read_events(const char *json)
{
    error = (struct message){0};
    return whep_events_read(&events, json, strlen(json), &error);
}

static int read_layer(const char *json)
{
    error = (struct message){0};
    return whep_layer_read(&layer, json, strlen(json), &error);
}

static void no_list_is_all_events(void)
{
    CHECK_EQ(read_events(""), 0);
    CHECK_EQ(events, (1U << WHEP_EVENT_COUNT) - 1);
}

static void events_are_named(void)
{
    CHECK_EQ(read_events("[\"active\", \"layers\",\"active\"]"), 0);
    CHECK_EQ(events, 1U << WHEP_ACTIVE | 1U << WHEP_LAYERS);
    CHECK_EQ(read_events("[]"), 0);
    CHECK_EQ(events, 0);
    for (int i = 0; i < WHEP_EVENT_COUNT; i++)
        CHECK(strstr(whep_event_names, whep_event_name((enum whep_event)i)));
}

static void unknown_events_are_refused(void)
{
    CHECK_EQ(read_events("[\"active\",\"scte35\"]"), -EBADMSG);
    CHECK_STR(error.code, "unknown_event");
    CHECK(strstr(error.text, "scte35"));
    CHECK_EQ(read_events("[7]"), -EBADMSG);
    CHECK_EQ(read_events("{\"active\":true}"), -EBADMSG);
    CHECK_STR(error.code, "bad_json");
    CHECK_EQ(read_events("[\"active\""), -EBADMSG);
    CHECK_EQ(read_events("\"active\""), -EBADMSG);
}

static void nothing_said_is_any_layer(void)
{
    CHECK_EQ(read_layer("{}"), 0);
    CHECK_EQ(layer.section, WHEP_ANY);
    CHECK_EQ(layer.temporal, WHEP_ANY);
    CHECK_STR(layer.rid, "");
    CHECK_EQ(layer.width + layer.height, 0);
}

static void a_layer_is_named(void)
{
    CHECK_EQ(read_layer("{\"mediaId\":\"12\",\"rid\":\"hd\",\"temporalLayerId\":2,"
                        "\"maxTemporalLayerId\":1,\"maxWidth\":640,\"maxHeight\":360,\"new\":[]}"),
             0);
    CHECK_EQ(layer.section, 12);
    CHECK_STR(layer.rid, "hd");
    CHECK_EQ(layer.temporal, 1);
    CHECK_EQ(layer.width, 640);
    CHECK_EQ(layer.height, 360);
    CHECK_EQ(read_layer("{\"encodingId\":\"q\"}"), 0);
    CHECK_STR(layer.rid, "q");
}

static void what_is_no_layer_is_refused(void)
{
    static const char *const texts[] = {
        "",
        "[]",
        "{",
        "{\"mediaId\":1}",
        "{\"mediaId\":\"\"}",
        "{\"mediaId\":\"-1\"}",
        "{\"mediaId\":\"128\"}",
        "{\"mediaId\":\"1x\"}",
        "{\"rid\":\"\"}",
        "{\"rid\":\"a b\"}",
        "{\"rid\":7}",
        "{\"temporalLayerId\":8}",
        "{\"temporalLayerId\":-1}",
        "{\"spatialLayerId\":1}",
        "{\"maxWidth\":16385}",
        "{\"rid\":\"a\",\"rid\":\"b\"}",
    };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        CHECK_EQ(read_layer(texts[i]), -EBADMSG);
        CHECK(error.code[0] && error.text[0]);
    }
}

static void a_body_has_an_end(void)
{
    char text[5000];

    memset(text, ' ', sizeof(text));
    memcpy(text, "[]", 2);
    CHECK_EQ(whep_events_read(&events, text, 4096, &error), 0);
    CHECK_EQ(whep_events_read(&events, text, 4097, &error), -EBADMSG);
    memcpy(text, "{}", 2);
    CHECK_EQ(whep_layer_read(&layer, text, 4096, &error), 0);
    CHECK_EQ(whep_layer_read(&layer, text, 4097, &error), -EBADMSG);
}

TAP_CASES(CASE(no_list_is_all_events), CASE(events_are_named), CASE(unknown_events_are_refused),
          CASE(nothing_said_is_any_layer), CASE(a_layer_is_named),
          CASE(what_is_no_layer_is_refused), CASE(a_body_has_an_end))
