#include "signaling/message_session.h"

#include "media/base/text.h"
#include "signaling/json_text.h"

#include <inttypes.h>

static int read_name_and_token(const struct input *in, const char *name,
                               struct message_session *ret)
{
    int err = input_word(in, name, word_chars, ret->id, sizeof(ret->id) - 1);

    if (err < 0)
        return err;
    return input_word(in, "token", word_chars, ret->token, sizeof(ret->token) - 1);
}

int message_read_session(const struct input *in, struct message_session *ret)
{
    const json_t *value = input_find(in, "session");
    struct input object;
    int err;

    if (!value)
        return 0;
    err = input_enter(in, &object, value, "session", INPUT_NO_INDEX);
    if (err < 0)
        return err;
    err = read_name_and_token(&object, "id", ret);
    if (err < 0)
        return err;
    return input_u32(&object, "resume_s", UINT32_MAX, &ret->resume_s);
}

int message_read_resume(const struct input *in, struct message *m)
{
    return read_name_and_token(in, "session", &m->session); /* seq is read with that of events */
}

void message_write_session(struct text *out, const struct message_session *session)
{
    if (!session->id[0])
        return;
    text_append(out, ",\"session\":{\"id\":");
    json_append_string(out, session->id);
    text_append(out, ",\"token\":");
    json_append_string(out, session->token);
    text_printf(out, ",\"resume_s\":%" PRIu32 "}", session->resume_s);
}

void message_write_resume(struct text *out, const struct message *m)
{
    text_append(out, ",\"session\":");
    json_append_string(out, m->session.id);
    text_append(out, ",\"token\":");
    json_append_string(out, m->session.token);
}
