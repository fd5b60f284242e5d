#include "signaling/message_call.h"

#include "media/base/text.h"
#include "signaling/message.h"
#include "signaling/message_call_input.h"
#include "signaling/message_output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *room_mode_name(enum room_mode mode)
{
    static const char *const names[] = {[ROOM_SFU] = "sfu", [ROOM_DIRECT] = "direct"};

    return names[mode];
}

const char *call_role_name(enum call_role role)
{
    static const char *const names[] = {
        [ROLE_NONE] = "", [ROLE_CALLER] = "caller", [ROLE_CALLEE] = "callee"};

    return names[role];
}

const char *call_id_text(uint32_t id, char out[MESSAGE_CALL_ID_MAX])
{
    (void)snprintf(out, MESSAGE_CALL_ID_MAX, "c-%08x", id);
    return out;
}

uint32_t call_id_parse(const char *text)
{
    return message_id_parse(text, 'c');
}

/* Reading */

/* @return index of the field's word among `n` words; `otherwise` if it is absent; -EBADMSG */
static int read_choice(const struct input *in, const char *name, const char *const *words, int n,
                       int otherwise, const char *wrong)
{
    const char *word = NULL;
    int err = input_string(in, name, &word);

    if (err < 0)
        return err;
    if (!word)
        return otherwise;
    for (int i = 0; i < n; i++) {
        if (strcmp(word, words[i]) == 0)
            return i;
    }
    return input_bad_field(in, name, wrong);
}

static int read_media(const struct input *in, struct message *m)
{
    static const char *const words[] = {"audio", "video"};
    int choice = read_choice(in, "media", words, ARRAY_LEN(words), 0, "is neither audio nor video");

    m->call.video = choice == 1;
    return choice < 0 ? choice : 0;
}

static int read_role(const struct input *in, struct message *m)
{
    static const char *const words[] = {"", "caller", "callee"};
    int choice = read_choice(in, "role", words, ARRAY_LEN(words), ROLE_NONE,
                             "is neither caller nor callee");

    if (choice < 0)
        return choice;
    m->call.role = (uint8_t)choice;
    return 0;
}

int message_read_mode(const struct input *in, struct message *m)
{
    static const char *const words[] = {"sfu", "direct"};
    int choice = read_choice(in, "mode", words, ARRAY_LEN(words), ROOM_SFU,
                             "is neither sfu nor direct");

    if (choice < 0)
        return choice;
    m->call.mode = (uint8_t)choice;
    return read_role(in, m);
}

int message_read_room(const struct input *in, struct message *m)
{
    if (!input_find(in, "mode"))
        return input_bad_field(in, "mode", "is missing");
    return message_read_mode(in, m);
}

int message_read_call_id(const struct input *in, struct message *m)
{
    return input_id(in, "call", call_id_parse, &m->call.id);
}

int message_read_call(const struct input *in, struct message *m)
{
    int err = read_media(in, m);

    if (err < 0)
        return err;
    if (!input_find(in, "from"))
        return input_id(in, "to", participant_id_parse, &m->call.to);
    err = input_id(in, "from", participant_id_parse, &m->call.from);
    if (err < 0)
        return err;
    err = input_text(in, "name", m->name, sizeof(m->name));
    if (err < 0)
        return err;
    return message_read_call_id(in, m);
}

static int read_why(const struct input *in, const char *name, struct message *m)
{
    int err = input_optional_word(in, name, m->code, sizeof(m->code) - 1);

    if (err < 0)
        return err;
    return input_text(in, "message", m->text, sizeof(m->text));
}

int message_read_call_end(const struct input *in, struct message *m)
{
    int err = message_read_call_id(in, m);

    return err < 0 ? err : read_why(in, "reason", m);
}

int message_read_ended(const struct input *in, struct message *m)
{
    int err = message_read_call_id(in, m);

    if (err < 0)
        return err;
    err = read_why(in, "code", m);
    if (err < 0)
        return err;
    return m->code[0] ? 0 : input_bad_field(in, "code", "is missing");
}

int message_read_accepted(const struct input *in, struct message *m)
{
    int err = message_read_call_id(in, m);

    if (err < 0)
        return err;
    err = input_id(in, "peer", participant_id_parse, &m->call.peer);
    if (err < 0)
        return err;
    err = read_role(in, m);
    if (err < 0)
        return err;
    if (m->call.role == ROLE_NONE)
        return input_bad_field(in, "role", "is missing");
    return read_media(in, m);
}

int message_read_ok(const struct input *in, struct message *m)
{
    return input_find(in, "call") ? message_read_call_id(in, m) : 0;
}

/* It is of no concern to us, but that it is JSON. */
static int read_data(const struct input *in, struct message *m)
{
    const json_t *data = input_find(in, "data");

    if (!json_is_object(data))
        return input_bad_field(in, "data", "is no object");
    m->call.data = json_dumps(data, JSON_COMPACT);
    if (!m->call.data)
        return input_bad_field(in, "data", "does not fit into memory");
    m->call.data_len = strlen(m->call.data);
    if (m->call.data_len > MESSAGE_RELAY_MAX)
        return input_fail(in->error, "relay_too_large", "data has %zu bytes, more than %d",
                          m->call.data_len, MESSAGE_RELAY_MAX);
    return 0;
}

int message_read_relay(const struct input *in, struct message *m)
{
    int err = input_find(in, "from") ? input_id(in, "from", participant_id_parse, &m->call.from)
                                     : input_id(in, "to", participant_id_parse, &m->call.to);

    return err < 0 ? err : read_data(in, m);
}

/* Writing */

static void write_participant(struct text *out, const char *name, uint32_t id)
{
    char text[MESSAGE_ID_MAX];

    if (id)
        output_string(out, name, participant_id_text(id, text));
}

static void write_id(struct text *out, const struct message *m)
{
    char text[MESSAGE_CALL_ID_MAX];

    if (m->call.id)
        output_string(out, "call", call_id_text(m->call.id, text));
}

static void write_media(struct text *out, const struct message *m)
{
    output_string(out, "media", m->call.video ? "video" : "audio");
}

void message_write_mode(struct text *out, const struct message_call *call)
{
    if (call->mode == ROOM_SFU)
        return;
    output_string(out, "mode", room_mode_name((enum room_mode)call->mode));
    output_word(out, "role", call_role_name((enum call_role)call->role));
}

static void write_call(struct text *out, const struct message *m)
{
    write_id(out, m);
    write_participant(out, "to", m->call.to);
    write_participant(out, "from", m->call.from);
    if (m->call.from)
        output_string(out, "name", m->name);
    write_media(out, m);
}

static void write_accepted(struct text *out, const struct message *m)
{
    write_id(out, m);
    output_word(out, "role", call_role_name((enum call_role)m->call.role));
    write_participant(out, "peer", m->call.peer);
    write_media(out, m);
}

static void write_end(struct text *out, const struct message *m, const char *why)
{
    write_id(out, m);
    output_word(out, why, m->code);
    output_word(out, "message", m->text);
}

static void write_relay(struct text *out, const struct message *m)
{
    write_participant(out, "to", m->call.to);
    write_participant(out, "from", m->call.from);
    text_append(out, ",\"data\":");
    text_append(out, m->call.data);
}

void message_write_call(struct text *out, const struct message *m)
{
    if (m->type == MESSAGE_CALL)
        write_call(out, m);
    else if (m->type == MESSAGE_ACCEPTED)
        write_accepted(out, m);
    else if (m->type == MESSAGE_RELAY)
        write_relay(out, m);
    else if (m->type == MESSAGE_REJECT || m->type == MESSAGE_END)
        write_end(out, m, "reason");
    else if (m->type == MESSAGE_ENDED)
        write_end(out, m, "code");
    else if (m->type == MESSAGE_ROOM && m->call.mode == ROOM_SFU)
        output_string(out, "mode", "sfu");
    else if (m->type == MESSAGE_ROOM)
        message_write_mode(out, &m->call);
    else
        write_id(out, m);
}
