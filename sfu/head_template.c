#include "sfu/head_template.h"

#include "media/base/writer.h"
#include "media/dependency_descriptor.h"

#include <string.h>

enum {
    FIRST_BYTE = 0x81, /* version 2, one CSRC */
    EXTENDED = 0x10,   /* the X bit */
    PADDING = 0x20,    /* the P bit */
    PROFILE_ONE_BYTE = 0xbede,
    PROFILE_TWO_BYTE = 0x1000,
    ONE_BYTE_MAX_ID = 14,
    ONE_BYTE_MAX_LEN = 16,
    PROFILE_AT = 16, /* in the packet: after twelve bytes and the CSRC */
};

static bool needs_two_byte(const struct plan_section *section)
{
    /* Descriptors of key frames exceed 16 bytes, and a stream should keep to one form. */
    if (section->extensions.id[EXTENSION_DEPENDENCY_DESCRIPTOR])
        return true;
    for (size_t i = 0; i < EXTENSION_COUNT; i++) {
        if (section->extensions.id[i] > ONE_BYTE_MAX_ID)
            return true;
    }
    return section->extensions.id[EXTENSION_MID] && strlen(section->mid) > ONE_BYTE_MAX_LEN;
}

static void write_element_head(const struct head_template *t, struct writer *w, uint8_t id,
                               uint8_t len)
{
    if (t->two_byte) {
        writer_u8(w, id);
        writer_u8(w, len);
    } else {
        writer_u8(w, (uint8_t)(id << 4 | (len - 1)));
    }
}

static bool has_rtx(const struct plan_section *section)
{
    return section->rtx_ssrc != 0;
}

static bool has_nack(const struct plan_section *section)
{
    for (size_t i = 0; i < section->n_codecs; i++) {
        if (section->codecs[i].nack)
            return true;
    }
    return false;
}

static bool any_extension(const struct extension_map *ids)
{
    for (size_t i = 0; i < EXTENSION_COUNT; i++) {
        if (ids->id[i])
            return true;
    }
    return false;
}

/* Reserve an element of `len` bytes whose value is written when a packet leaves.
 * @return where it goes in the header; 0: it was not negotiated */
static uint8_t reserve(const struct head_template *t, struct writer *w, enum extension extension,
                       uint8_t len)
{
    uint8_t at;

    if (!t->ids.id[extension])
        return 0;
    write_element_head(t, w, t->ids.id[extension], len);
    at = (uint8_t)w->len;
    for (uint8_t i = 0; i < len; i++)
        writer_u8(w, 0);
    return at;
}

/* Fill up to whole words, and say how many there are. @return length of the header [bytes] */
static size_t end_extensions(uint8_t *head, size_t len)
{
    size_t words;

    while (len % 4 != 0)
        head[len++] = 0;
    words = (len - PROFILE_AT) / 4 - 1;
    head[PROFILE_AT + 2] = (uint8_t)(words >> 8);
    head[PROFILE_AT + 3] = (uint8_t)words;
    return len;
}

void head_template_init(struct head_template *t, const struct plan_section *section, uint32_t csrc)
{
    struct writer w = writer_of(t->bytes, sizeof(t->bytes));
    size_t mid_len = strlen(section->mid);

    *t = (struct head_template){
        .ids = section->extensions,
        .two_byte = needs_two_byte(section),
    };
    /* Without RTX a packet is sent again as it was, to the bit: AES-GCM under the same number must
     * not see two different packets (RFC 7714 section 8.1). */
    if (has_nack(section) && !has_rtx(section)) {
        t->ids.id[EXTENSION_TRANSPORT_CC] = 0;
        t->ids.id[EXTENSION_ABS_SEND_TIME] = 0;
    }
    t->repeatable = !t->ids.id[EXTENSION_TRANSPORT_CC] && !t->ids.id[EXTENSION_ABS_SEND_TIME];
    t->extended = any_extension(&t->ids);
    writer_u8(&w, (uint8_t)(FIRST_BYTE | (t->extended ? EXTENDED : 0)));
    (void)writer_reserve(&w, RTP_HEADER_LEN - 1);
    writer_u32(&w, csrc);
    if (t->extended) {
        writer_u16(&w, t->two_byte ? PROFILE_TWO_BYTE : PROFILE_ONE_BYTE);
        writer_u16(&w, 0);
    }
    if (t->ids.id[EXTENSION_MID] && mid_len > 0) {
        write_element_head(t, &w, t->ids.id[EXTENSION_MID], (uint8_t)mid_len);
        writer_bytes(&w, section->mid, mid_len);
    }
    t->transport_cc_at = reserve(t, &w, EXTENSION_TRANSPORT_CC, 2);
    t->abs_send_time_at = reserve(t, &w, EXTENSION_ABS_SEND_TIME, 3);
    t->fixed_len = t->padded_len = (uint8_t)w.len;
    if (t->extended)
        t->padded_len = (uint8_t)end_extensions(t->bytes, w.len);
}

static void put_u16(uint8_t *at, uint16_t v)
{
    at[0] = (uint8_t)(v >> 8);
    at[1] = (uint8_t)v;
}

/* AV1 RTP specification, A.8.3: the number follows one byte of flags and template. */
static void renumber(uint8_t *descriptor, const struct forward_extension *e, uint16_t step)
{
    if (e->kind == EXTENSION_DEPENDENCY_DESCRIPTOR && e->len >= DD_HEAD_LEN)
        put_u16(descriptor + 1, (uint16_t)((descriptor[1] << 8 | descriptor[2]) + step));
}

/* Append the publisher's extensions. @return length of the header [bytes] */
static size_t append_passed(const struct head_template *t, const struct head_fields *fields,
                            const struct forward *f, uint8_t *head)
{
    size_t len = t->fixed_len;

    for (size_t i = 0; i < f->n_extensions; i++) {
        const struct forward_extension *e = &f->extensions[i];
        uint8_t id = t->ids.id[e->kind];

        /* 2 for the element's head, 3 for padding */
        if (!id || len + 2 + e->len + 3 > HEAD_TEMPLATE_MAX)
            continue;
        if (!t->two_byte && (e->len == 0 || e->len > ONE_BYTE_MAX_LEN))
            continue;
        head[len++] = (uint8_t)(t->two_byte ? id : id << 4 | (e->len - 1));
        if (t->two_byte)
            head[len++] = e->len;
        memcpy(head + len, e->value, e->len);
        if (UNLIKELY(fields->frame_step))
            renumber(head + len, e, fields->frame_step);
        len += e->len;
    }
    return end_extensions(head, len);
}

static void put_u32(uint8_t *at, uint32_t v)
{
    put_u16(at, (uint16_t)(v >> 16));
    put_u16(at + 2, (uint16_t)v);
}

/* Without struct writer: this is done for each packet of each subscriber, `out` has room for all of
 * `bytes`, and where values go was found by writing. */
uint16_t head_template_write(const struct head_template *t, const struct head_fields *fields,
                             const struct forward *f, uint8_t *out)
{
    memcpy(out, t->bytes, HEAD_TEMPLATE_SHORT);
    if (UNLIKELY(t->padded_len > HEAD_TEMPLATE_SHORT))
        memcpy(out, t->bytes, sizeof(t->bytes));
    if (UNLIKELY(fields->padding))
        out[0] |= PADDING;
    out[1] = (uint8_t)((fields->marker ? 0x80 : 0) | fields->pt);
    put_u16(out + 2, fields->seq);
    put_u32(out + 4, fields->ts);
    put_u32(out + 8, fields->ssrc);
    if (t->extended && f->n_extensions > 0)
        return (uint16_t)append_passed(t, fields, f, out);
    return t->padded_len;
}
