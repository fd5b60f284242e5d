/* Binding requests of strangers, and (first byte odd) of a peer that knows the password. */

#include "media/ice_lite.h"
#include "tests/stun_request.h"

#include <assert.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum { RAW_MAX = 512 };

static const struct ice_credentials ours = {"evtj", "VOkJxbRl1RmTxUk/WvJxBt"};
static const struct ice_credentials theirs = {"h6vY", "VOkJxbRl1RmTxUk/WvJxBt"};

static void receive(struct ice_lite *ice, const uint8_t *data, size_t len)
{
    struct sockaddr_storage from = {.ss_family = AF_INET6};
    char ufrag[STUN_UFRAG_MAX + 1] = "";
    uint8_t reply[ICE_REPLY_MAX];
    struct ice_result result;
    int peeked = stun_peek_ufrag(data, len, ufrag);
    int err = ice_lite_receive(ice, data, len, &from, 0, reply, &result);

    assert(peeked < 0 || strlen(ufrag) > 0);
    assert(err == 0 || (!result.authenticated && result.reply_len == 0));
    assert(!result.authenticated || peeked == 0);
    (void)peeked;
    (void)err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stun_request request = {.username = "evtj:h6vY", .password = ours.pwd};
    uint8_t written[STUN_REQUEST_MAX];
    struct ice_lite *ice = NULL;

    if (size == 0 || ice_lite_new(&ice, &ours, &theirs, 0) < 0)
        return 0;
    if (data[0] & 1) {
        request.raw = data + 1;
        request.raw_len = (size - 1 < RAW_MAX ? size - 1 : RAW_MAX) & ~(size_t)3;
        request.role = data[0] & 2 ? STUN_REQUEST_CONTROLLED : STUN_REQUEST_CONTROLLING;
        receive(ice, written, stun_request_write(written, &request));
    } else {
        receive(ice, data + 1, size - 1);
    }
    ice_lite_free(ice);
    return 0;
}
