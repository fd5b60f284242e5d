/** @file frame_sender.h  One frame of a source: written, sealed, sent by one call. One thread. */
#ifndef BENCH_FRAME_SENDER_H
#define BENCH_FRAME_SENDER_H

#include <stddef.h>
#include <stdint.h>

struct endpoint;
struct frame_sender;
struct source;

/** @return NULL: no memory */
struct frame_sender *frame_sender_new(void);
/** NULL is fine. @return NULL */
struct frame_sender *frame_sender_free(struct frame_sender *s);

/** Send the next frame of `source`, which is the connected endpoint's: datagram by datagram, as
 *  browsers do. @return packets that the kernel did not take */
size_t frame_sender_send(struct frame_sender *s, struct endpoint *e, struct source *source,
                         int64_t wall_us);

#endif
