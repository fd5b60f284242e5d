#include "sfu/track_layer.h"

#include "media/base/clock.h"
#include "media/dd_history.h"
#include "media/packet.h"
#include "sfu/forward.h"
#include "tests/dd_source.h"
#include "tests/dd_writer.h"
#include "tests/tap.h"

enum { SSRC = 0x1234, POOL = 8, DESCRIPTOR_MAX = 64 };

struct fixture {
    struct packet_pool *pool;
    struct track_layer *layer;
};

static struct fixture fixture_of(enum codec codec)
{
    struct fixture f = {.pool = packet_pool_new(POOL)};

    CHECK_EQ(track_layer_new(&f.layer, KIND_VIDEO, codec, false, SSRC), 0);
    return f;
}

static void end(struct fixture *f)
{
    CHECK(!track_layer_free(f->layer));
    CHECK_EQ(packet_pool_used(f->pool), 0);
    packet_pool_free(f->pool);
}

/* @return what is read of a packet; it is let go of, but for its place in the store */
static struct frame_info receive(struct fixture *f, uint16_t seq, const uint8_t *descriptor,
                                 size_t len)
{
    struct packet *packet = packet_new(f->pool);
    struct forward forward = {.packet = packet, .layer = f->layer};

    packet->arrival_us = seq * MS;
    packet->rtp = (struct rtp_header){.ssrc = SSRC, .seq = seq, .ts = seq / 10 * 3000U};
    if (descriptor) {
        forward.n_extensions = 1;
        forward.extensions[0] = (struct forward_extension){
            .kind = EXTENSION_DEPENDENCY_DESCRIPTOR, .len = (uint8_t)len, .value = descriptor};
    }
    (void)track_layer_receive(f->layer, packet, false, true, packet->arrival_us);
    track_layer_read_frame(f->layer, CODEC_AV1, &forward);
    packet_store_expire(&f->layer->store, NEVER_US);
    packet_unref(packet);
    return forward.frame;
}

static void note_key_frame(struct fixture *f, uint16_t seq)
{
    struct packet *packet = packet_new(f->pool);

    packet->rtp = (struct rtp_header){.ssrc = SSRC, .seq = seq, .ts = seq / 10 * 3000U};
    (void)track_layer_receive(f->layer, packet, false, false, 0);
    track_layer_note_key_frame(f->layer, packet);
    packet_unref(packet);
}

static uint16_t key_frame(const struct fixture *f)
{
    return f->layer->has_key_frame ? (uint16_t)f->layer->key_frame_seq : 0;
}

static void key_frame_begins_with_its_parameter_sets(void)
{
    struct fixture f = fixture_of(CODEC_H264);

    note_key_frame(&f, 101); /* parameter sets */
    note_key_frame(&f, 102); /* first slice, of the same picture */
    CHECK_EQ(key_frame(&f), 101);
    note_key_frame(&f, 100); /* which came late */
    CHECK_EQ(key_frame(&f), 100);
    note_key_frame(&f, 110);
    CHECK_EQ(key_frame(&f), 110);
    note_key_frame(&f, 105); /* of the one before */
    CHECK_EQ(key_frame(&f), 110);
    end(&f);
}

static void structures_are_kept_once_there_is_one(void)
{
    struct fixture f = fixture_of(CODEC_AV1);
    struct dd_source source;
    struct dd_writer w = {.structure = &source.structure};
    uint8_t first[DESCRIPTOR_MAX];
    uint8_t second[DESCRIPTOR_MAX];
    struct dd_frame frame;
    size_t first_len;
    size_t second_len;

    dd_source_init(&source, "L1T2", 0, 0);
    frame = dd_source_next(&source, false);
    first_len = dd_writer_write(&w, &frame, first, sizeof(first));
    frame = dd_source_next(&source, false);
    second_len = dd_writer_write(&w, &frame, second, sizeof(second));
    CHECK(receive(&f, 1, second, second_len).undecided);
    CHECK(!receive(&f, 2, NULL, 0).undecided);
    CHECK(!f.layer->dd);
    CHECK(receive(&f, 3, first, first_len).has_dd);
    CHECK(f.layer->dd);
    CHECK(receive(&f, 4, second, second_len).has_dd);
    CHECK(receive(&f, 2, second, second_len).undecided); /* from before */
    end(&f);
}

static void stream_that_begins_anew_has_no_structure(void)
{
    struct fixture f = fixture_of(CODEC_AV1);
    struct dd_source source;
    struct dd_writer w = {.structure = &source.structure};
    uint8_t bytes[DESCRIPTOR_MAX];
    struct dd_frame frame;
    size_t len;

    dd_source_init(&source, "L1T1", 0, 0);
    frame = dd_source_next(&source, false);
    len = dd_writer_write(&w, &frame, bytes, sizeof(bytes));
    CHECK(receive(&f, 1, bytes, len).has_dd);
    frame = dd_source_next(&source, false);
    len = dd_writer_write(&w, &frame, bytes, sizeof(bytes));
    CHECK(receive(&f, 20000, bytes, len).undecided);
    end(&f);
}

TAP_CASES(CASE(key_frame_begins_with_its_parameter_sets),
          CASE(structures_are_kept_once_there_is_one),
          CASE(stream_that_begins_anew_has_no_structure))
