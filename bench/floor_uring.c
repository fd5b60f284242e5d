/* The floor's sending by io_uring; empty where liburing is not there. */

#include "bench/floor_send.h"

#include <errno.h>

#ifdef HAVE_LIBURING

#include <liburing.h>
#include <stdlib.h>

struct floor_uring {
    struct io_uring ring;
    bool zerocopy;
};

int floor_uring_new(struct floor_uring **ret, bool zerocopy)
{
    struct io_uring_params params = {
        .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE,
        .cq_entries = 2 * FLOOR_MESSAGES_MAX, /* zero copy completes twice */
    };
    struct floor_uring *u = calloc(1, sizeof(*u));
    int err;

    if (!u)
        return -ENOMEM;
    u->zerocopy = zerocopy;
    err = io_uring_queue_init_params(FLOOR_MESSAGES_MAX, &u->ring, &params);
    if (err < 0) {
        free(u);
        return err;
    }
    *ret = u;
    return 0;
}

struct floor_uring *floor_uring_free(struct floor_uring *u)
{
    if (!u)
        return NULL;
    io_uring_queue_exit(&u->ring);
    free(u);
    return NULL;
}

/* Take one completion. @return how many more it announces, less itself */
static int take_completion(struct floor_uring *u, struct floor_sender *s)
{
    struct io_uring_cqe *completion;
    int change = -1;

    if (io_uring_wait_cqe(&u->ring, &completion) < 0)
        return 0;
    if (completion->flags & IORING_CQE_F_MORE)
        change = 0;
    if (!(completion->flags & IORING_CQE_F_NOTIF) && completion->res < 0)
        s->failed += s->messages[completion->user_data].header.msg_iovlen;
    io_uring_cqe_seen(&u->ring, completion);
    return change;
}

void floor_uring_send(struct floor_uring *u, struct floor_sender *s)
{
    int left = (int)s->n;

    for (size_t i = 0; i < s->n; i++) {
        struct floor_message *m = &s->messages[i];
        struct io_uring_sqe *entry = io_uring_get_sqe(&u->ring);

        if (u->zerocopy)
            io_uring_prep_sendmsg_zc(entry, m->fd, &m->header, 0);
        else
            io_uring_prep_sendmsg(entry, m->fd, &m->header, 0);
        io_uring_sqe_set_data64(entry, i);
    }
    s->calls++;
    (void)io_uring_submit_and_wait(&u->ring, (unsigned)s->n);
    while (left > 0)
        left += take_completion(u, s);
}

#else

int floor_uring_new(struct floor_uring **ret, bool zerocopy)
{
    (void)ret;
    (void)zerocopy;
    return -ENOTSUP;
}

struct floor_uring *floor_uring_free(struct floor_uring *u)
{
    (void)u;
    return NULL;
}

void floor_uring_send(struct floor_uring *u, struct floor_sender *s)
{
    (void)u;
    (void)s;
}

#endif
