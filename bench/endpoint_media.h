/** @file endpoint_media.h  The packets of an endpoint; for endpoint.c. One thread. */
#ifndef BENCH_ENDPOINT_MEDIA_H
#define BENCH_ENDPOINT_MEDIA_H

#include <stddef.h>
#include <stdint.h>

struct endpoint;
struct packet;

/** As struct transport_handler has it; `owner` is the endpoint. */
void endpoint_media_send(void *owner, const uint8_t *data, size_t len);
void endpoint_media_on_rtp(void *owner, struct packet *packet, int64_t now_us);
void endpoint_media_on_rtcp(void *owner, const uint8_t *data, size_t len, int64_t now_us);

/** The server will send this SSRC; 0, or no room for more: nothing happens. */
void endpoint_media_add_sink(struct endpoint *e, uint32_t ssrc);

#endif
