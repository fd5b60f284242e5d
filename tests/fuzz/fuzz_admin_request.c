/* Any bytes as the body of a request below /v1; the first byte says of which. */
#include "signaling/admin_request.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct admin_request r = {0};
    struct message error;

    if (size == 0)
        return 0;
    r.action = (enum admin_action)(data[0] % (ADMIN_MAKE_TOKEN + 1));
    if (admin_request_parse(&r, (const char *)data + 1, size - 1, &error) < 0) {
        assert(error.code[0] && error.text[0]);
        return 0;
    }
    assert(r.max_participants.value <= ADMIN_MAX_PARTICIPANTS);
    assert(r.max_room_kbps.value <= ADMIN_MAX_KBPS && r.deadline_s.value <= ADMIN_MAX_DEADLINE_S);
    assert(strlen(r.redirect_url) < sizeof(r.redirect_url));
    assert(r.action != ADMIN_MOVE || room_name_valid(r.to_room));
    assert(r.action != ADMIN_MUTE_TRACK || r.muted);
    return 0;
}
