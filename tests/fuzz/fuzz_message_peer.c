/* Any bytes as what another client sent: what parses is written, and parses to the same. */
#include "signaling/message_peer.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct message_peer m = {0};
    struct message_peer again = {0};
    struct text text;

    if (message_peer_parse(&m, (const char *)data, size) == 0 && m.type != PEER_OTHER) {
        text_init(&text, 8 * MESSAGE_RELAY_MAX);
        assert(message_peer_write(&text, &m) == 0);
        if (text.len <= MESSAGE_RELAY_MAX) {
            assert(message_peer_parse(&again, text_str(&text), text.len) == 0);
            assert(again.type == m.type && again.n == m.n);
            assert(strcmp(again.candidate, m.candidate) == 0);
            assert(!m.sdp || strcmp(again.sdp, m.sdp) == 0);
        }
        text_done(&text);
    }
    message_peer_done(&m);
    message_peer_done(&again);
    return 0;
}
