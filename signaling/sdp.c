#include "signaling/sdp.h"

#include "signaling/sdp_attribute.h"
#include "signaling/sdp_token.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int sdp_fail(struct negotiation_error *error, int err, const char *code, const char *format, ...)
{
    va_list args;

    (void)snprintf(error->code, sizeof(error->code), "%s", code);
    va_start(args, format);
    (void)vsnprintf(error->message, sizeof(error->message), format, args);
    va_end(args);
    return err;
}

int sdp_cursor_fail(const struct sdp_cursor *c, const char *what)
{
    return sdp_fail(c->error, -EBADMSG, "sdp_syntax", "line %" PRIu32 ": %s", c->line, what);
}

int sdp_cursor_limit(const struct sdp_cursor *c, const char *what, int max)
{
    return sdp_fail(c->error, -E2BIG, "sdp_limit", "line %" PRIu32 ": more than %d %s", c->line,
                    max, what);
}

static bool uses_rtp(const char *protocol)
{
    return strstr(protocol, "RTP/") != NULL;
}

static int read_formats(struct sdp_cursor *c, char *formats)
{
    struct sdp_section *section = c->section;
    uint32_t pt;
    char *word;

    while ((word = sdp_token_cut(&formats, ' '))) {
        if (!sdp_token_number_str(word, SDP_MAX_FORMATS - 1, &pt))
            return sdp_cursor_fail(c, "a payload type is not 0 to 127");
        if (sdp_section_format(section, (uint8_t)pt))
            continue;
        section->formats[section->n_formats++] = (struct sdp_format){
            .pt = (uint8_t)pt, .name = "", .fmtp = ""};
    }
    return 0;
}

/* m=<media> <port>[/<count>] <protocol> <format>... */
static int read_media(struct sdp_cursor *c, char *value)
{
    struct sdp *sdp = c->sdp;
    struct sdp_section *section = &sdp->sections[sdp->n_sections++];
    const char *media = sdp_token_cut(&value, ' ');
    char *port_and_count = sdp_token_cut(&value, ' ');
    const char *protocol = sdp_token_cut(&value, ' ');
    const char *port_text = port_and_count ? sdp_token_cut(&port_and_count, '/') : NULL;
    uint32_t port;

    *section = sdp->session;
    c->section = section;
    section->line = c->line;
    section->fingerprint_inherited = true;
    if (!media || !sdp_token_valid(media, 32))
        return sdp_cursor_fail(c, "m= names no media");
    if (!port_text || !sdp_token_number_str(port_text, UINT16_MAX, &port))
        return sdp_cursor_fail(c, "m= has no port");
    if (!protocol || strlen(protocol) > 64)
        return sdp_cursor_fail(c, "m= has no protocol");
    section->media = media;
    section->port = (uint16_t)port;
    section->protocol = protocol;
    if (uses_rtp(protocol)) {
        const char *first = value;

        while (*first == ' ')
            first++;
        section->format = first;
        if (*first == '\0')
            return sdp_cursor_fail(c, "m= has no payload type");
        return read_formats(c, value);
    }
    section->format = sdp_token_cut(&value, ' ');
    if (!section->format || !sdp_token_valid(section->format, 64))
        return sdp_cursor_fail(c, "m= has no format");
    return 0;
}

/* b=<type>:<number>; what is no number there is no reason to refuse the whole. */
static void read_bandwidth(struct sdp_cursor *c, const char *value)
{
    static const char tias[] = "TIAS:";
    uint32_t bps;

    if (c->section == &c->sdp->session) /* of all together */
        return;
    if (strncmp(value, tias, strlen(tias)) == 0 &&
        sdp_token_number_str(value + strlen(tias), UINT32_MAX, &bps))
        c->section->max_bps = bps;
}

/* One line without its end. */
static int read_line(struct sdp_cursor *c, char *line, bool first)
{
    if (first && strcmp(line, "v=0") != 0)
        return sdp_cursor_fail(c, "a session description begins with v=0");
    if (line[0] == '\0' || line[1] != '=')
        return sdp_cursor_fail(c, "a line must look like x=...");
    if (line[0] == 'm')
        return read_media(c, line + 2);
    if (line[0] == 'a')
        return sdp_attribute_read(c, line + 2);
    if (line[0] == 'b')
        read_bandwidth(c, line + 2);
    if (!strchr("vosiuepcbtrzk", line[0]))
        c->sdp->n_unknown++;
    return 0;
}

static bool has_control_character(const char *line, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (((unsigned char)line[i] < ' ' && line[i] != '\t') || line[i] == 0x7f)
            return true;
    }
    return false;
}

/* Lines of sdp->text [len bytes], which end in LF or CRLF; empty ones are skipped. */
static int read_lines(struct sdp_cursor *c, size_t len)
{
    char *line = c->sdp->text;
    char *end = line + len;
    bool first = true;
    int err;

    while (line < end) {
        char *newline = memchr(line, '\n', (size_t)(end - line));
        char *next = newline ? newline + 1 : end;
        size_t line_len = (size_t)((newline ? newline : end) - line);

        c->line++;
        if (line_len > 0 && line[line_len - 1] == '\r')
            line_len--;
        if (line_len > SDP_LINE_MAX) {
            return sdp_fail(c->error, -E2BIG, "sdp_limit",
                            "line %" PRIu32 ": %zu bytes, %d are allowed", c->line, line_len,
                            SDP_LINE_MAX);
        }
        if (has_control_character(line, line_len))
            return sdp_cursor_fail(c, "a control character");
        line[line_len] = '\0';
        if (line_len > 0) {
            err = read_line(c, line, first);
            if (err < 0)
                return err;
            first = false;
        }
        line = next;
    }
    return first ? sdp_cursor_fail(c, "nothing but empty lines") : 0;
}

/* a=rtcp-fb:* may stand before the payload types it is about. */
static void spread_feedback(struct sdp_section *section)
{
    for (uint32_t i = 0; i < section->n_formats; i++)
        section->formats[i].feedback |= section->feedback_of_all;
}

/* Number of m-lines in text [len bytes]. */
static size_t count_sections(const char *text, size_t len)
{
    size_t count = 0;

    for (size_t i = 0; i + 1 < len; i++)
        count += text[i] == 'm' && text[i + 1] == '=' && (i == 0 || text[i - 1] == '\n');
    return count;
}

static const struct sdp_section nothing_said = {
    .media = "",
    .protocol = "",
    .format = "",
    .mid = "",
    .ufrag = "",
    .pwd = "",
    .simulcast_send = "",
};

int sdp_read(struct sdp **ret, const char *text, size_t len, struct negotiation_error *error)
{
    size_t n_sections;
    struct sdp *sdp;
    struct sdp_cursor c = {.error = error};
    int err = -ENOMEM;

    if (len > SDP_MAX_BYTES)
        return sdp_fail(error, -E2BIG, "sdp_too_large", "%zu bytes, %d are allowed", len,
                        SDP_MAX_BYTES);
    n_sections = count_sections(text, len);
    if (n_sections > PLAN_MAX_SECTIONS)
        return sdp_fail(error, -E2BIG, "too_many_sections", "%zu m-lines, %d are allowed",
                        n_sections, PLAN_MAX_SECTIONS);
    sdp = calloc(1, sizeof(*sdp));
    if (!sdp)
        goto fail;
    sdp->session = nothing_said;
    sdp->text = malloc(len + 1);
    sdp->sections = calloc(n_sections + 1, sizeof(*sdp->sections));
    if (!sdp->text || !sdp->sections)
        goto fail;
    if (len > 0)
        memcpy(sdp->text, text, len);
    c.sdp = sdp;
    c.section = &sdp->session;
    err = read_lines(&c, len);
    if (err < 0)
        goto fail;
    for (uint32_t i = 0; i < sdp->n_sections; i++)
        spread_feedback(&sdp->sections[i]);
    *ret = sdp;
    return 0;
fail:
    if (err == -ENOMEM)
        (void)sdp_fail(error, err, "no_memory", "out of memory");
    sdp_free(sdp);
    return err;
}

struct sdp *sdp_free(struct sdp *sdp)
{
    if (!sdp)
        return NULL;
    free(sdp->sections);
    free(sdp->text);
    free(sdp);
    return NULL;
}

bool sdp_section_live(const struct sdp_section *section)
{
    return section->port != 0 || section->bundle_only;
}

const struct sdp_format *sdp_section_format(const struct sdp_section *section, uint8_t pt)
{
    for (uint32_t i = 0; i < section->n_formats; i++) {
        if (section->formats[i].pt == pt)
            return &section->formats[i];
    }
    return NULL;
}

const char *sdp_direction_name(enum sdp_direction direction)
{
    switch (direction) {
    case SDP_SENDRECV:
        return "sendrecv";
    case SDP_SENDONLY:
        return "sendonly";
    case SDP_RECVONLY:
        return "recvonly";
    case SDP_INACTIVE:
        return "inactive";
    }
    assert(false); /* not a direction */
    return "inactive";
}

enum sdp_direction sdp_direction_reverse(enum sdp_direction direction)
{
    if (direction == SDP_SENDONLY)
        return SDP_RECVONLY;
    if (direction == SDP_RECVONLY)
        return SDP_SENDONLY;
    return direction;
}

const char *sdp_setup_name(enum sdp_setup setup)
{
    switch (setup) {
    case SDP_SETUP_NONE:
        return "none";
    case SDP_SETUP_ACTPASS:
        return "actpass";
    case SDP_SETUP_ACTIVE:
        return "active";
    case SDP_SETUP_PASSIVE:
        return "passive";
    case SDP_SETUP_HOLDCONN:
        return "holdconn";
    }
    assert(false); /* not a setup */
    return "none";
}
