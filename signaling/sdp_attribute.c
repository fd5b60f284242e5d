#include "signaling/sdp_attribute.h"

#include "signaling/sdp_token.h"
#include "signaling/sdp_transport.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

static bool in_bundle(const struct sdp *sdp, const char *mid)
{
    for (uint32_t i = 0; i < sdp->n_bundle; i++) {
        if (strcmp(sdp->bundle[i], mid) == 0)
            return true;
    }
    return false;
}

/* a=group:BUNDLE <mid>... (RFC 9143); other groups, and a second one, mean nothing to us. */
static int read_group(struct sdp_cursor *c, char *value)
{
    struct sdp *sdp = c->sdp;
    const char *semantics = sdp_token_cut(&value, ' ');
    const char *mid;

    if (!semantics || strcmp(semantics, "BUNDLE") != 0 || sdp->n_bundle > 0)
        return 0;
    while ((mid = sdp_token_cut(&value, ' '))) {
        if (in_bundle(sdp, mid))
            continue;
        if (sdp->n_bundle == PLAN_MAX_SECTIONS)
            return sdp_cursor_limit(c, "mids in a=group", PLAN_MAX_SECTIONS);
        sdp->bundle[sdp->n_bundle++] = mid;
    }
    return 0;
}

static int read_mid(struct sdp_cursor *c, char *value)
{
    if (!sdp_token_valid(value, PLAN_MID_MAX)) {
        return sdp_fail(c->error, -EBADMSG, "sdp_syntax",
                        "line %" PRIu32 ": a=mid is not a word of 1 to %d characters", c->line,
                        PLAN_MID_MAX);
    }
    c->section->mid = value;
    return 0;
}

static bool read_direction(const char *word, enum sdp_direction *ret)
{
    for (enum sdp_direction direction = SDP_SENDRECV; direction <= SDP_INACTIVE; direction++) {
        if (strcmp(word, sdp_direction_name(direction)) == 0) {
            *ret = direction;
            return true;
        }
    }
    return false;
}

static bool has_extension(const struct sdp_section *section, uint8_t id, enum extension extension)
{
    for (uint32_t i = 0; i < section->n_extensions; i++) {
        if (section->extensions[i].id == id || section->extensions[i].extension == extension)
            return true;
    }
    return false;
}

/* a=extmap:<id>[/<direction>] <uri> [<attributes>], RFC 8285 */
static int read_extmap(struct sdp_cursor *c, char *value)
{
    struct sdp_section *section = c->section;
    struct sdp_extension entry = {.direction = SDP_SENDRECV};
    char *id_and_direction = sdp_token_cut(&value, ' ');
    const char *uri = sdp_token_cut(&value, ' ');
    const char *id_text = id_and_direction ? sdp_token_cut(&id_and_direction, '/') : NULL;
    const char *direction = id_and_direction ? sdp_token_cut(&id_and_direction, '/') : NULL;
    uint32_t id;

    if (!id_text || !uri || !sdp_token_number_str(id_text, UINT16_MAX, &id))
        return sdp_cursor_fail(c, "a=extmap needs a number and a URI");
    if (direction && !read_direction(direction, &entry.direction))
        return sdp_cursor_fail(c, "a=extmap has a direction that is none");
    entry.directed = direction != NULL;
    entry.extension = extension_by_uri(uri, strlen(uri));
    /* 15 is reserved in one-byte headers; above 255 are ids still to be chosen (RFC 8285). */
    if (entry.extension == EXTENSION_COUNT || id == 0 || id == 15 || id > UINT8_MAX)
        return 0;
    entry.id = (uint8_t)id;
    if (has_extension(section, entry.id, entry.extension))
        return 0;
    section->extensions[section->n_extensions++] = entry;
    return 0;
}

/* Cut "<pt> " off. @return 0 and *ret: the format, NULL if the m-line has no such; -EBADMSG */
static int read_pt(struct sdp_cursor *c, char **value, struct sdp_format **ret)
{
    const char *word = sdp_token_cut(value, ' ');
    uint32_t pt;

    if (!word || !sdp_token_number_str(word, SDP_MAX_FORMATS - 1, &pt))
        return sdp_cursor_fail(c, "a payload type is not 0 to 127");
    *ret = NULL;
    for (uint32_t i = 0; i < c->section->n_formats; i++) {
        if (c->section->formats[i].pt == pt)
            *ret = &c->section->formats[i];
    }
    return 0;
}

/* a=rtpmap:<pt> <name>/<clock rate>[/<channels>] */
static int read_rtpmap(struct sdp_cursor *c, char *value)
{
    struct sdp_format *format = NULL;
    int err = read_pt(c, &value, &format);
    const char *name;
    const char *clock_rate;
    const char *channels;
    uint32_t rate;
    uint32_t count = 0;

    if (err < 0)
        return err;
    name = sdp_token_cut(&value, '/');
    clock_rate = sdp_token_cut(&value, '/');
    channels = sdp_token_cut(&value, '/');
    if (!name || !clock_rate || !sdp_token_number_str(clock_rate, UINT32_MAX, &rate) ||
        (channels && !sdp_token_number_str(channels, UINT8_MAX, &count)))
        return sdp_cursor_fail(c, "a=rtpmap needs a name and a clock rate");
    if (!format || format->name[0] != '\0')
        return 0;
    format->name = name;
    format->clock_rate = rate;
    format->channels = (uint8_t)count;
    return 0;
}

static int read_fmtp(struct sdp_cursor *c, char *value)
{
    struct sdp_format *format = NULL;
    int err = read_pt(c, &value, &format);

    if (err == 0 && format && format->fmtp[0] == '\0')
        format->fmtp = value;
    return err;
}

static const struct {
    const char *name, *parameter; /* NULL: none */
    enum sdp_feedback bit;
} feedbacks[] = {
    {"nack", NULL, SDP_NACK},           {"nack", "pli", SDP_NACK_PLI},
    {"ccm", "fir", SDP_CCM_FIR},        {"transport-cc", NULL, SDP_TRANSPORT_CC},
    {"goog-remb", NULL, SDP_GOOG_REMB}, {"ack", "ccfb", SDP_ACK_CCFB},
};

static uint8_t feedback_bit(const char *name, const char *parameter)
{
    for (size_t i = 0; i < ARRAY_LEN(feedbacks); i++) {
        if (strcasecmp(name, feedbacks[i].name) != 0)
            continue;
        if (feedbacks[i].parameter ? parameter && strcasecmp(parameter, feedbacks[i].parameter) == 0
                                   : !parameter)
            return (uint8_t)feedbacks[i].bit;
    }
    return 0;
}

/* a=rtcp-fb:<pt or *> <type> [<parameter>], RFC 4585 */
static int read_rtcp_fb(struct sdp_cursor *c, char *value)
{
    struct sdp_format *format = NULL;
    bool of_all = value[0] == '*' && (value[1] == ' ' || value[1] == '\0');
    const char *name;
    const char *parameter;
    int err;

    if (of_all) {
        (void)sdp_token_cut(&value, ' ');
    } else {
        err = read_pt(c, &value, &format);
        if (err < 0)
            return err;
    }
    name = sdp_token_cut(&value, ' ');
    parameter = sdp_token_cut(&value, ' ');
    if (!name)
        return sdp_cursor_fail(c, "a=rtcp-fb names no feedback");
    if (of_all)
        c->section->feedback_of_all |= feedback_bit(name, parameter);
    else if (format)
        format->feedback |= feedback_bit(name, parameter);
    return 0;
}

static bool rid_valid(const char *id)
{
    size_t len = strlen(id);

    if (len == 0 || len > PLAN_RID_MAX)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!((id[i] >= '0' && id[i] <= '9') || (id[i] >= 'A' && id[i] <= 'Z') ||
              (id[i] >= 'a' && id[i] <= 'z') || id[i] == '-' || id[i] == '_'))
            return false;
    }
    return true;
}

/* a=rid:<id> <direction> [pt=<pt>,...][;<restriction>...], RFC 8851 */
static int read_rid(struct sdp_cursor *c, char *value)
{
    struct sdp_section *section = c->section;
    const char *id = sdp_token_cut(&value, ' ');
    const char *direction = sdp_token_cut(&value, ' ');
    struct sdp_rid rid = {.id = id, .pts = ""};
    char *restriction;

    if (!id || !rid_valid(id)) {
        return sdp_fail(c->error, -EBADMSG, "sdp_syntax",
                        "line %" PRIu32 ": a=rid is not a name of 1 to %d characters", c->line,
                        PLAN_RID_MAX);
    }
    if (!direction || (strcmp(direction, "send") != 0 && strcmp(direction, "recv") != 0))
        return sdp_cursor_fail(c, "a=rid is neither send nor recv");
    if (section->n_rids == SDP_MAX_RIDS)
        return sdp_cursor_limit(c, "a=rid", SDP_MAX_RIDS);
    rid.send = strcmp(direction, "send") == 0;
    while ((restriction = sdp_token_cut(&value, ';'))) {
        if (strncmp(restriction, "pt=", 3) == 0)
            rid.pts = restriction + 3;
    }
    section->rids[section->n_rids++] = rid;
    return 0;
}

/* a=simulcast:<direction> <list> [<direction> <list>], RFC 8853 */
static int read_simulcast(struct sdp_cursor *c, char *value)
{
    const char *direction;
    const char *list;

    while ((direction = sdp_token_cut(&value, ' '))) {
        list = sdp_token_cut(&value, ' ');
        if (!list || (strcmp(direction, "send") != 0 && strcmp(direction, "recv") != 0))
            return sdp_cursor_fail(c, "a=simulcast needs send or recv and a list of rids");
        if (strcmp(direction, "send") == 0)
            c->section->simulcast_send = list;
    }
    return 0;
}

static int add_ssrc(struct sdp_cursor *c, uint32_t ssrc)
{
    struct sdp_section *section = c->section;

    for (uint32_t i = 0; i < section->n_ssrcs; i++) {
        if (section->ssrcs[i] == ssrc)
            return 0;
    }
    if (section->n_ssrcs == SDP_MAX_SSRCS)
        return sdp_cursor_limit(c, "SSRCs", SDP_MAX_SSRCS);
    section->ssrcs[section->n_ssrcs++] = ssrc;
    return 0;
}

/* a=ssrc:<ssrc> <attribute>, RFC 5576; of the attributes none is of use to us. */
static int read_ssrc(struct sdp_cursor *c, char *value)
{
    const char *word = sdp_token_cut(&value, ' ');
    uint32_t ssrc;

    if (!word || !sdp_token_number_str(word, UINT32_MAX, &ssrc))
        return sdp_cursor_fail(c, "a=ssrc needs a number");
    return ssrc == 0 ? 0 : add_ssrc(c, ssrc);
}

/* a=ssrc-group:<semantics> <ssrc>... */
static int read_ssrc_group(struct sdp_cursor *c, char *value)
{
    struct sdp_section *section = c->section;
    struct sdp_ssrc_group group = {.semantics = SDP_GROUP_FID};
    const char *semantics = sdp_token_cut(&value, ' ');
    const char *word;

    if (!semantics)
        return sdp_cursor_fail(c, "a=ssrc-group has no semantics");
    if (strcmp(semantics, "SIM") == 0)
        group.semantics = SDP_GROUP_SIM;
    else if (strcmp(semantics, "FID") != 0)
        return 0;
    while ((word = sdp_token_cut(&value, ' '))) {
        if (group.n_ssrcs == SDP_MAX_GROUP_SSRCS)
            return sdp_cursor_limit(c, "SSRCs in a=ssrc-group", SDP_MAX_GROUP_SSRCS);
        if (!sdp_token_number_str(word, UINT32_MAX, &group.ssrcs[group.n_ssrcs++]))
            return sdp_cursor_fail(c, "a=ssrc-group needs numbers");
    }
    if (section->n_groups == SDP_MAX_SSRC_GROUPS)
        return sdp_cursor_limit(c, "a=ssrc-group", SDP_MAX_SSRC_GROUPS);
    section->groups[section->n_groups++] = group;
    return 0;
}

/* Attributes that stand alone: where their flag is. */
static const struct {
    const char *name;
    size_t offset; /* of a bool in struct sdp_section */
} flags[] = {
    {"ice-lite", offsetof(struct sdp_section, ice_lite)},
    {"bundle-only", offsetof(struct sdp_section, bundle_only)},
    {"rtcp-mux", offsetof(struct sdp_section, rtcp_mux)},
    {"rtcp-mux-only", offsetof(struct sdp_section, rtcp_mux)},
    {"rtcp-rsize", offsetof(struct sdp_section, rtcp_rsize)},
    {"extmap-allow-mixed", offsetof(struct sdp_section, extmap_allow_mixed)},
};

static const struct {
    const char *name;
    int (*read)(struct sdp_cursor *c, char *value); /* NULL: says nothing that we need */
} attributes[] = {
    {"candidate", sdp_transport_candidate},
    {"end-of-candidates", NULL},
    {"extmap", read_extmap},
    {"fingerprint", sdp_transport_fingerprint},
    {"fmtp", read_fmtp},
    {"framerate", NULL},
    {"group", read_group},
    {"ice-options", NULL},
    {"ice-pwd", sdp_transport_ice_pwd},
    {"ice-ufrag", sdp_transport_ice_ufrag},
    {"max-message-size", NULL},
    {"maxptime", NULL},
    {"mid", read_mid},
    {"msid", NULL},
    {"msid-semantic", NULL},
    {"ptime", NULL},
    {"rid", read_rid},
    {"rtcp", NULL},
    {"rtcp-fb", read_rtcp_fb},
    {"rtcp-xr", NULL},
    {"rtpmap", read_rtpmap},
    {"sctp-port", NULL},
    {"setup", sdp_transport_setup},
    {"simulcast", read_simulcast},
    {"ssrc", read_ssrc},
    {"ssrc-group", read_ssrc_group},
};

int sdp_attribute_read(struct sdp_cursor *c, char *attribute)
{
    char *colon = strchr(attribute, ':');
    char *value = colon ? colon + 1 : attribute + strlen(attribute);
    enum sdp_direction direction;

    if (colon)
        *colon = '\0';
    if (read_direction(attribute, &direction)) {
        c->section->direction = direction;
        return 0;
    }
    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        if (strcmp(attribute, flags[i].name) == 0) {
            *(bool *)((char *)c->section + flags[i].offset) = true;
            return 0;
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(attributes); i++) {
        if (strcmp(attribute, attributes[i].name) == 0)
            return attributes[i].read ? attributes[i].read(c, value) : 0;
    }
    c->sdp->n_unknown++;
    return 0;
}
