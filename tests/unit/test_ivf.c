#include "client/ivf.h"

#include "client/little_endian.h"
#include "tests/tap.h"

#include <errno.h>
#include <unistd.h>

static size_t make(uint8_t *out, uint32_t frame_len)
{
    memset(out, 0, IVF_HEADER_LEN + IVF_FRAME_HEADER_LEN + frame_len);
    memcpy(out, "DKIF", 4);
    little_endian_put(out + 6, IVF_HEADER_LEN, 2);
    memcpy(out + 8, "VP80", 4);
    little_endian_put(out + 12, 640, 2);
    little_endian_put(out + 14, 360, 2);
    little_endian_put(out + 16, 30, 4);
    little_endian_put(out + 20, 1, 4);
    little_endian_put(out + IVF_HEADER_LEN, frame_len, 4);
    return IVF_HEADER_LEN + IVF_FRAME_HEADER_LEN + frame_len;
}

static void what_is_written_is_read_again(void)
{
    char path[] = "/tmp/test_ivf_XXXXXX";
    int fd = mkstemp(path);
    struct ivf_writer *w = NULL;
    struct ivf ivf;
    struct ivf_frame frame;

    CHECK(fd >= 0);
    close(fd);
    CHECK_EQ(ivf_writer_new(&w, path, 320, 240, 90000), 0);
    CHECK_EQ(ivf_writer_put(w, (const uint8_t *)"first", 5, 0), 0);
    CHECK_EQ(ivf_writer_put(w, (const uint8_t *)"second", 6, UINT64_C(1) << 33), 0);
    ivf_writer_free(w);
    CHECK_EQ(ivf_open(&ivf, path), 0);
    CHECK_EQ(unlink(path), 0);
    CHECK_STR(ivf.fourcc, "VP80");
    CHECK_EQ(ivf.width, 320);
    CHECK_EQ(ivf.height, 240);
    CHECK_EQ(ivf.rate, 90000);
    for (int round = 0; round < 2; round++) {
        CHECK_EQ(ivf_next(&ivf, &frame), 1);
        CHECK_EQ(frame.len, 5);
        CHECK_MEM(frame.data, "first", 5);
        CHECK_EQ(ivf_next(&ivf, &frame), 1);
        CHECK_MEM(frame.data, "second", 6);
        CHECK_EQ(frame.pts, INT64_C(1) << 33);
        CHECK_EQ(ivf_next(&ivf, &frame), 0);
        ivf_rewind(&ivf);
    }
    ivf_done(&ivf);
}

static void a_file_that_was_cut_off_ends_with_its_last_whole_frame(void)
{
    uint8_t file[128];
    size_t len = make(file, 20);
    struct ivf ivf;
    struct ivf_frame frame;

    for (size_t cut = IVF_HEADER_LEN + 1; cut < len; cut++) {
        CHECK_EQ(ivf_parse(&ivf, file, cut), 0);
        CHECK_EQ(ivf_next(&ivf, &frame), -EBADMSG);
    }
    CHECK_EQ(ivf_parse(&ivf, file, len), 0);
    CHECK_EQ(ivf_next(&ivf, &frame), 1);
    CHECK_EQ(ivf_next(&ivf, &frame), 0);
}

static void a_frame_beyond_the_limit_is_refused(void)
{
    uint8_t file[128];
    size_t len = make(file, 20);
    struct ivf ivf;
    struct ivf_frame frame;

    little_endian_put(file + IVF_HEADER_LEN, IVF_MAX_FRAME_BYTES + 1, 4);
    CHECK_EQ(ivf_parse(&ivf, file, len), 0);
    CHECK_EQ(ivf_next(&ivf, &frame), -EBADMSG);
}

static void what_is_no_ivf_is_refused(void)
{
    uint8_t file[128];
    size_t len = make(file, 20);
    struct ivf ivf;

    CHECK_EQ(ivf_parse(&ivf, file, IVF_HEADER_LEN - 1), -EBADMSG);
    little_endian_put(file + 16, 0, 4); /* rate */
    CHECK_EQ(ivf_parse(&ivf, file, len), -EBADMSG);
    make(file, 20);
    little_endian_put(file + 6, 31, 2); /* length of the header */
    CHECK_EQ(ivf_parse(&ivf, file, len), -EBADMSG);
    little_endian_put(file + 6, 129, 2);
    CHECK_EQ(ivf_parse(&ivf, file, len), -EBADMSG);
    memcpy(file, "RIFF", 4);
    CHECK_EQ(ivf_parse(&ivf, file, len), -EBADMSG);
}

TAP_CASES(CASE(what_is_written_is_read_again),
          CASE(a_file_that_was_cut_off_ends_with_its_last_whole_frame),
          CASE(a_frame_beyond_the_limit_is_refused), CASE(what_is_no_ivf_is_refused))
