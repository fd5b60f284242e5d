#include "client/ivf.h"

#include "client/file.h"
#include "client/little_endian.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int ivf_parse(struct ivf *ret, const uint8_t *data, size_t len)
{
    struct ivf ivf = {.data = data, .len = len};

    if (len < IVF_HEADER_LEN || memcmp(data, "DKIF", 4) != 0)
        return -EBADMSG;
    ivf.at = (size_t)little_endian_get(data + 6, 2);
    if (ivf.at < IVF_HEADER_LEN || ivf.at > len)
        return -EBADMSG;
    memcpy(ivf.fourcc, data + 8, 4);
    ivf.width = (uint16_t)little_endian_get(data + 12, 2);
    ivf.height = (uint16_t)little_endian_get(data + 14, 2);
    ivf.rate = (uint32_t)little_endian_get(data + 16, 4);
    ivf.scale = (uint32_t)little_endian_get(data + 20, 4);
    if (ivf.rate == 0 || ivf.scale == 0)
        return -EBADMSG;
    *ret = ivf;
    return 0;
}

int ivf_open(struct ivf *ret, const char *path)
{
    uint8_t *bytes = NULL;
    size_t len = 0;
    int err = file_read(path, IVF_MAX_BYTES, &bytes, &len);

    if (err < 0)
        return err;
    err = ivf_parse(ret, bytes, len);
    if (err < 0) {
        free(bytes);
        return err;
    }
    ret->file = bytes;
    return 0;
}

void ivf_done(struct ivf *ivf)
{
    free(ivf->file);
    *ivf = (struct ivf){0};
}

int ivf_next(struct ivf *ivf, struct ivf_frame *ret)
{
    const uint8_t *header = ivf->data + ivf->at;
    size_t left = ivf->len - ivf->at;
    size_t len;

    if (left == 0)
        return 0;
    if (left < IVF_FRAME_HEADER_LEN)
        return -EBADMSG;
    len = (size_t)little_endian_get(header, 4);
    if (len > IVF_MAX_FRAME_BYTES || len > left - IVF_FRAME_HEADER_LEN)
        return -EBADMSG;
    *ret = (struct ivf_frame){
        .data = header + IVF_FRAME_HEADER_LEN, .len = len, .pts = little_endian_get(header + 4, 8)};
    ivf->at += IVF_FRAME_HEADER_LEN + len;
    return 1;
}

void ivf_rewind(struct ivf *ivf)
{
    ivf->at = (size_t)little_endian_get(ivf->data + 6, 2);
}

struct ivf_writer {
    FILE *file;
    uint16_t width, height;
    uint32_t rate, n_frames;
};

static int write_header(struct ivf_writer *w)
{
    uint8_t header[IVF_HEADER_LEN] = "DKIF";

    little_endian_put(header + 6, IVF_HEADER_LEN, 2);
    memcpy(header + 8, "VP80", 4);
    little_endian_put(header + 12, w->width, 2);
    little_endian_put(header + 14, w->height, 2);
    little_endian_put(header + 16, w->rate, 4);
    little_endian_put(header + 20, 1, 4);
    little_endian_put(header + 24, w->n_frames, 4);
    return fwrite(header, 1, sizeof(header), w->file) == sizeof(header) ? 0 : -EIO;
}

int ivf_writer_new(struct ivf_writer **ret, const char *path, uint16_t width, uint16_t height,
                   uint32_t rate)
{
    struct ivf_writer *w = calloc(1, sizeof(*w));
    int err;

    if (!w)
        return -ENOMEM;
    w->width = width;
    w->height = height;
    w->rate = rate;
    w->file = fopen(path, "wbe");
    if (!w->file) {
        err = -errno;
        goto fail;
    }
    err = write_header(w);
    if (err < 0)
        goto fail;
    *ret = w;
    return 0;
fail:
    ivf_writer_free(w);
    return err;
}

struct ivf_writer *ivf_writer_free(struct ivf_writer *w)
{
    if (!w)
        return NULL;
    if (w->file) {
        if (fseeko(w->file, 0, SEEK_SET) == 0)
            (void)write_header(w); /* nobody is left to tell */
        (void)fclose(w->file);
    }
    free(w);
    return NULL;
}

int ivf_writer_put(struct ivf_writer *w, const uint8_t *data, size_t len, uint64_t pts)
{
    uint8_t header[IVF_FRAME_HEADER_LEN];

    little_endian_put(header, len, 4);
    little_endian_put(header + 4, pts, 8);
    if (fwrite(header, 1, sizeof(header), w->file) != sizeof(header) ||
        fwrite(data, 1, len, w->file) != len)
        return -EIO;
    w->n_frames++;
    return 0;
}
