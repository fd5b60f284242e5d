/* What a TURN server says: to a client that knows nothing yet, and to one that was challenged. With
 * an odd first byte the transaction is the one that was asked for. */

#include "media/turn_client.h"

#include <assert.h>
#include <string.h>

enum {
    HEAD_LEN = 20,
    TRANSACTION_AT = 4,
    TRANSACTION_LEN = 16,
};

static void receive(struct turn_client *c, const uint8_t *data, size_t len)
{
    struct turn_news news;
    enum turn_event event = turn_client_receive(c, data, len, &news);

    if (event == TURN_DATA)
        assert(news.data >= data && news.data + news.len <= data + len);
    if (event == TURN_REFUSED)
        assert(strlen(news.reason) <= TURN_REASON_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct turn_client *c = NULL;
    uint8_t asked[TURN_MESSAGE_MAX];
    uint8_t told[TURN_MESSAGE_MAX];

    if (size < 1 || size > TURN_MESSAGE_MAX || turn_client_new(&c, "ada", "secret") < 0)
        return 0;
    for (int i = 0; i < 2; i++) {
        if (turn_client_allocate(c, asked) < HEAD_LEN)
            break;
        memcpy(told, data + 1, size - 1);
        if ((data[0] & 1) && size > HEAD_LEN)
            memcpy(told + TRANSACTION_AT, asked + TRANSACTION_AT, TRANSACTION_LEN);
        receive(c, told, size - 1);
    }
    turn_client_free(c);
    return 0;
}
