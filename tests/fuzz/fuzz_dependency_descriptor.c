/* Descriptors of one stream, each after its length: what is read of them is written and read again,
 * and so are the copies that subscribers get. */
#include "media/dependency_descriptor.h"
#include "tests/dd_writer.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CAPACITY = 4096 };

static void assert_same(const struct dd_frame *a, const struct dd_frame *b)
{
    assert(a->begins == b->begins && a->ends == b->ends && a->template_id == b->template_id);
    assert(a->has_structure == b->has_structure && a->number == b->number);
    assert(a->sid == b->sid && a->tid == b->tid && a->dtis == b->dtis);
    assert(a->n_fdiffs == b->n_fdiffs);
    assert(memcmp(a->fdiffs, b->fdiffs, sizeof(a->fdiffs)) == 0);
    assert(memcmp(a->chain_diffs, b->chain_diffs, sizeof(a->chain_diffs)) == 0);
}

static void write_again(const struct dd_structure *s, const struct dd_frame *f)
{
    struct dd_writer w = {.structure = s, .custom = f->number & 1};
    struct dd_structure read_s = *s;
    struct dd_frame read_f;
    uint8_t out[CAPACITY];
    size_t len = dd_writer_write(&w, f, out, sizeof(out));

    assert(len >= DD_HEAD_LEN && dd_read(&read_f, &read_s, out, len) == 0);
    assert_same(f, &read_f);
    assert(f->has_active == read_f.has_active && f->active_targets == read_f.active_targets);
    assert(memcmp(s, &read_s, sizeof(*s)) == 0);
}

static void copy(const struct dd_structure *s, const struct dd_frame *f, const uint8_t *data,
                 size_t len)
{
    uint16_t number = (uint16_t)(f->number + 7);
    struct dd_structure read_s = *s;
    struct dd_frame expected = *f;
    struct dd_frame read_f;
    uint8_t out[DD_MAX_LEN];
    int copied = dd_write_number(out, sizeof(out), data, len, number);

    expected.number = number;
    assert(copied == (int)len && dd_read(&read_f, &read_s, out, len) == 0);
    assert_same(&expected, &read_f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dd_structure s = {.n_templates = 0};
    size_t len;

    for (size_t at = 0; at < size; at += len) {
        struct dd_frame f;

        len = data[at++];
        if (len > size - at)
            len = size - at;
        if (dd_read(&f, &s, data + at, len) < 0)
            continue;
        write_again(&s, &f);
        copy(&s, &f, data + at, len);
    }
    return 0;
}
