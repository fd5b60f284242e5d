#include "media/key_frame_request.h"

#include <assert.h>

void key_frame_request_init(struct key_frame_request *k, int64_t interval_us)
{
    assert(interval_us >= 0);
    *k = (struct key_frame_request){.interval_us = interval_us};
}

void key_frame_request_want(struct key_frame_request *k)
{
    k->wishes++;
    k->wanted = true;
}

void key_frame_request_cancel(struct key_frame_request *k)
{
    k->wanted = false;
    k->repeating = false;
}

void key_frame_request_on_key_frame(struct key_frame_request *k)
{
    k->key_frames++;
    key_frame_request_cancel(k);
}

void key_frame_request_set_rtt(struct key_frame_request *k, int64_t rtt_us)
{
    assert(rtt_us >= 0);
    k->rtt_us = rtt_us;
}

int64_t key_frame_request_deadline(const struct key_frame_request *k)
{
    int64_t pause_us = k->interval_us;

    if (!k->wanted)
        return NEVER_US;
    if (!k->asked)
        return 0;
    if (k->repeating && 2 * k->rtt_us > pause_us)
        pause_us = 2 * k->rtt_us;
    return k->asked_us + pause_us;
}

bool key_frame_request_poll(struct key_frame_request *k, int64_t now_us)
{
    if (now_us < key_frame_request_deadline(k))
        return false;
    k->requests++;
    k->repeats += k->repeating;
    k->asked = k->repeating = true;
    k->asked_us = now_us;
    return true;
}

bool key_frame_allowance_take(struct key_frame_allowance *a, int64_t now_us)
{
    int64_t from_us = a->spent_us > now_us ? a->spent_us : now_us;

    if (from_us - now_us > (KEY_FRAME_ALLOWANCE - 1) * KEY_FRAME_ALLOWANCE_US)
        return false;
    a->spent_us = from_us + KEY_FRAME_ALLOWANCE_US;
    return true;
}
