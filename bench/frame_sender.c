#include "bench/frame_sender.h"

#include "bench/endpoint.h"
#include "bench/source.h"
#include "media/seal.h"
#include "media/transport.h"

#include <stdlib.h>
#include <sys/socket.h>

enum { SEALED_MAX = SOURCE_HEAD_MAX + CONTENT_MAX + SRTP_TRAILER_MAX };

struct frame_sender {
    struct source_packet packets[SOURCE_FRAME_MAX];
    struct seal_packet sealing[SOURCE_FRAME_MAX];
    uint8_t sealed[SOURCE_FRAME_MAX][SEALED_MAX];
    struct iovec iov[SOURCE_FRAME_MAX];
    struct mmsghdr messages[SOURCE_FRAME_MAX];
};

struct frame_sender *frame_sender_new(void)
{
    return calloc(1, sizeof(struct frame_sender));
}

struct frame_sender *frame_sender_free(struct frame_sender *s)
{
    free(s);
    return NULL;
}

static void seal(struct frame_sender *s, size_t n, struct seal_session *session)
{
    for (size_t i = 0; i < n; i++) {
        s->sealing[i] = (struct seal_packet){
            .session = session,
            .head = s->packets[i].head,
            .head_len = (uint16_t)s->packets[i].head_len,
            .payload = s->packets[i].payload,
            .payload_len = (uint16_t)s->packets[i].payload_len,
            .out = s->sealed[i],
        };
    }
    (void)seal_batch(s->sealing, n);
}

size_t frame_sender_send(struct frame_sender *s, struct endpoint *e, struct source *source,
                         int64_t wall_us)
{
    size_t n = source_next_frame(source, s->packets, &e->transport_seq, wall_us);
    size_t sent = 0;

    seal(s, n, transport_seal_session(e->transport));
    for (size_t i = 0; i < n; i++) {
        s->iov[i] = (struct iovec){s->sealed[i], s->sealing[i].out_len};
        s->messages[i].msg_hdr = (struct msghdr){.msg_iov = &s->iov[i], .msg_iovlen = 1};
    }
    while (sent < n) {
        int taken = sendmmsg(e->fd, s->messages + sent, (unsigned)(n - sent), MSG_DONTWAIT);

        if (taken <= 0)
            break;
        sent += (size_t)taken;
    }
    return n - sent;
}
