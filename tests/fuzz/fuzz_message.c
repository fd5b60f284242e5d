/* Any bytes as a message: what parses is written, and what is written parses to the same. */
#include "signaling/message.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A message of another server may have more of everything: 1,000 participants with 32 tracks. */
enum { MAX_WRITTEN = 16 * 1024 * 1024 };

static void check_error(const struct message *error)
{
    struct text json;

    assert(error->type == MESSAGE_ERROR && error->code[0] && error->text[0]);
    text_init(&json, MAX_WRITTEN);
    assert(message_write(&json, error) == 0);
    text_done(&json);
}

static void check_round_trip(const struct message *m)
{
    struct message again, error;
    struct text first, second;

    text_init(&first, MAX_WRITTEN);
    text_init(&second, MAX_WRITTEN);
    assert(message_write(&first, m) == 0);
    if (first.len <= MESSAGE_MAX_BYTES) {
        assert(message_parse(&again, text_str(&first), first.len, &error) == 0);
        assert(message_write(&second, &again) == 0);
        assert(strcmp(text_str(&first), text_str(&second)) == 0);
        message_done(&again);
    }
    text_done(&first);
    text_done(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct message m, error;

    if (message_parse(&m, (const char *)data, size, &error) < 0) {
        check_error(&error);
        return 0;
    }
    if (m.type != MESSAGE_UNKNOWN)
        check_round_trip(&m);
    message_done(&m);
    return 0;
}
