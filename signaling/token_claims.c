#include "signaling/token_claims.h"

#include "signaling/json_text.h"
#include "signaling/message_input.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* NumericDate is seconds, and may have a fraction (RFC 7519 section 2). */
static const int64_t MAX_DATE_S = INT64_C(1) << 53;

/** Claims that are read, and where to say what is wrong. */
struct claims {
    const json_t *root;
    char *why;
    size_t why_size;
};

static int fail(const struct claims *c, const char *format, ...) PRINTF_LIKE(2, 3);

static int fail(const struct claims *c, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(c->why, c->why_size, format, args);
    va_end(args);
    return -EBADMSG;
}

static int read_date(const struct claims *c, const char *name, int64_t *ret)
{
    const json_t *value = json_object_get(c->root, name);
    double seconds = json_number_value(value);

    if (!value)
        return 0;
    if (!json_is_number(value) || !(seconds >= 1 && seconds <= (double)MAX_DATE_S))
        return fail(c, "%s is no time", name);
    *ret = (int64_t)seconds;
    return 0;
}

/* Cut, two of them could be the same. */
static int read_identity(const struct claims *c, char out[MESSAGE_NAME_MAX + 1])
{
    const json_t *value = json_object_get(c->root, "sub");
    const char *text = json_string_value(value);

    if (!value)
        return 0;
    if (!text || strlen(text) > MESSAGE_NAME_MAX)
        return fail(c, "sub is no text of at most %d bytes", MESSAGE_NAME_MAX);
    for (size_t i = 0; text[i]; i++) {
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7F)
            return fail(c, "sub has control characters");
    }
    (void)snprintf(out, MESSAGE_NAME_MAX + 1, "%s", text);
    return 0;
}

static int read_name(const struct claims *c, char *out, size_t size)
{
    struct message error;
    struct input in = {.object = c->root, .error = &error};

    return input_text(&in, "name", out, size) < 0 ? fail(c, "name is no text") : 0;
}

static int read_room(const struct claims *c, const json_t *value, struct grants *g)
{
    const char *room = json_string_value(value);

    if (!room || (strcmp(room, "*") != 0 && !room_name_valid(room)))
        return fail(c, "sluice.room is no name of a room");
    (void)snprintf(g->room, sizeof(g->room), "%s", room);
    return 0;
}

static int read_source(const struct claims *c, const json_t *value, struct grants *g)
{
    const char *source = json_string_value(value);

    if (!source || !is_made_of(source, word_chars, MESSAGE_SOURCE_MAX))
        return fail(c, "sluice.publish has a source that is no word");
    (void)snprintf(g->sources[g->n_sources++], MESSAGE_SOURCE_MAX + 1, "%s", source);
    return 0;
}

static int read_publish(const struct claims *c, const json_t *value, struct grants *g)
{
    size_t n = json_array_size(value);
    int err = 0;

    if (json_is_boolean(value)) {
        g->publish = json_is_true(value);
        return 0;
    }
    if (!json_is_array(value) || n > GRANTS_MAX_SOURCES)
        return fail(c, "sluice.publish is neither true nor false nor a list of at most %d sources",
                    GRANTS_MAX_SOURCES);
    g->publish = n > 0;
    for (size_t i = 0; i < n && err == 0; i++)
        err = read_source(c, json_array_get(value, i), g);
    return err;
}

/** A grant that is there or not. */
struct flag {
    const char *name;
    size_t offset; /* of the bool in struct grants */
    bool preset;   /* with a room, without a word */
};

static const struct flag flags[] = {
    {"join", offsetof(struct grants, join), true},
    {"subscribe", offsetof(struct grants, subscribe), true},
    {"data", offsetof(struct grants, data), true},
    {"hidden", offsetof(struct grants, hidden), false},
    {"admin", offsetof(struct grants, admin), false},
    {"record", offsetof(struct grants, record), false},
};

static bool *flag_of(struct grants *g, const struct flag *flag)
{
    return (bool *)((char *)g + flag->offset);
}

static const struct flag *find_flag(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        if (strcmp(flags[i].name, name) == 0)
            return &flags[i];
    }
    return NULL;
}

static int read_grant(const struct claims *c, const char *name, const json_t *value,
                      struct grants *g)
{
    const struct flag *flag = find_flag(name);

    if (strcmp(name, "room") == 0)
        return 0; /* has been read */
    if (strcmp(name, "publish") == 0)
        return read_publish(c, value, g);
    if (!flag)
        return fail(c, "sluice.%.32s is no grant", name);
    if (!json_is_boolean(value))
        return fail(c, "sluice.%s is neither true nor false", name);
    *flag_of(g, flag) = json_is_true(value);
    return 0;
}

static int read_grants(const struct claims *c, struct grants *g)
{
    json_t *object = json_object_get(c->root, "sluice");
    const json_t *room = json_object_get(object, "room");
    int err = room ? read_room(c, room, g) : 0;
    const char *name;
    json_t *value;

    if (!json_is_object(object))
        return fail(c, "there is no object \"sluice\" with grants");
    if (err < 0)
        return err;
    g->publish = room != NULL;
    for (size_t i = 0; i < ARRAY_LEN(flags); i++)
        *flag_of(g, &flags[i]) = room && flags[i].preset;
    json_object_foreach(object, name, value)
    {
        err = read_grant(c, name, value, g);
        if (err < 0)
            return err;
    }
    return 0;
}

static int read_all(const struct claims *c, struct token_claims *ret)
{
    struct grants *g = &ret->grants;
    int err = read_date(c, "exp", &g->expires_s);

    if (err == 0)
        err = read_date(c, "nbf", &ret->not_before_s);
    if (err == 0)
        err = read_identity(c, g->identity);
    if (err == 0)
        err = read_name(c, g->name, sizeof(g->name));
    return err < 0 ? err : read_grants(c, g);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): written through `c` */
int token_claims_read(struct token_claims *ret, const char *json, char *why, size_t why_size)
{
    struct token_claims claims = {0};
    json_t *root = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
    struct claims c = {root, why, why_size};
    int err = json_is_object(root) ? read_all(&c, &claims) : fail(&c, "the claims are no object");

    json_decref(root);
    if (err == 0)
        *ret = claims;
    return err;
}

static void write_text(struct text *out, const char *name, const char *value)
{
    if (!value[0])
        return;
    text_printf(out, "\"%s\":", name);
    json_append_string(out, value);
    text_append(out, ",");
}

static void write_flag(struct text *out, const char **comma, const char *name, bool value)
{
    text_printf(out, "%s\"%s\":%s", *comma, name, value ? "true" : "false");
    *comma = ",";
}

static void write_publish(struct text *out, const struct grants *g, const char **comma)
{
    if (!g->publish || g->n_sources == 0) {
        if (g->publish != (g->room[0] != '\0'))
            write_flag(out, comma, "publish", g->publish);
        return;
    }
    text_printf(out, "%s\"publish\":[", *comma);
    for (uint32_t i = 0; i < g->n_sources; i++) {
        text_append(out, i == 0 ? "" : ",");
        json_append_string(out, g->sources[i]);
    }
    text_append(out, "]");
    *comma = ",";
}

static void write_grants(struct text *out, const struct grants *g)
{
    const char *comma = "";

    text_append(out, "\"sluice\":{");
    if (g->room[0]) {
        text_append(out, "\"room\":");
        json_append_string(out, g->room);
        comma = ",";
    }
    write_publish(out, g, &comma);
    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        bool value = *(const bool *)((const char *)g + flags[i].offset);

        if (value != (g->room[0] && flags[i].preset))
            write_flag(out, &comma, flags[i].name, value);
    }
    text_append(out, "}");
}

void token_claims_write(struct text *out, const struct grants *g, int64_t now_s)
{
    text_append(out, "{");
    write_text(out, "sub", g->identity);
    write_text(out, "name", g->name);
    text_printf(out, "\"iat\":%" PRId64 ",", now_s);
    if (g->expires_s)
        text_printf(out, "\"exp\":%" PRId64 ",", g->expires_s);
    write_grants(out, g);
    text_append(out, "}");
}
