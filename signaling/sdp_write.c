#include "signaling/sdp_write.h"

#include "signaling/sdp_token.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

void sdp_write_session(struct text *out, const struct sdp_write_session *session)
{
    text_printf(out, "v=0\r\no=- %" PRIu64 " %" PRIu64 " IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n",
                session->id, session->version);
    if (session->n_bundle > 0) {
        text_append(out, "a=group:BUNDLE");
        for (uint32_t i = 0; i < session->n_bundle; i++)
            text_printf(out, " %s", session->bundle[i]);
        text_append(out, "\r\n");
    }
    if (session->ice_lite)
        text_append(out, "a=ice-lite\r\n");
    if (session->extmap_allow_mixed)
        text_append(out, "a=extmap-allow-mixed\r\n");
    text_append(out, "a=msid-semantic:WMS *\r\n");
}

static void write_candidates(struct text *out, const struct negotiation_local *local)
{
    for (uint32_t i = 0; i < local->n_candidates && i < PLAN_MAX_CANDIDATES; i++) {
        const struct plan_candidate *candidate = &local->candidates[i];

        text_printf(out, "a=candidate:%s 1 %s %" PRIu32 " %s %u typ %s", candidate->foundation,
                    candidate->tcp ? "tcp" : "udp", candidate->priority, candidate->address,
                    candidate->port, candidate->type);
        /* RFC 8839: anything but a host candidate tells its base; which address that is, is none
         * of the peer's business. */
        if (strcmp(candidate->type, "host") != 0)
            text_append(out, strchr(candidate->address, ':') ? " raddr :: rport 0"
                                                             : " raddr 0.0.0.0 rport 0");
        if (candidate->tcp)
            text_append(out, candidate->tcp_passive ? " tcptype passive" : " tcptype active");
        text_append(out, "\r\n");
    }
    text_append(out, "a=end-of-candidates\r\n");
}

static void write_fingerprint(struct text *out, const struct plan_fingerprint *fingerprint)
{
    text_printf(out, "a=fingerprint:%s ", fingerprint->hash);
    for (size_t i = 0; i < fingerprint->len; i++)
        text_printf(out, "%s%02X", i > 0 ? ":" : "", fingerprint->bytes[i]);
    text_append(out, "\r\n");
}

void sdp_write_ice(struct text *out, const struct negotiation_local *local)
{
    text_printf(out, "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\n", local->ufrag, local->pwd);
    write_candidates(out, local);
}

static void write_transport(struct text *out, const struct sdp_write_section *section)
{
    const struct negotiation_local *local = section->local;

    sdp_write_ice(out, local);
    write_fingerprint(out, &local->fingerprint);
    text_printf(out, "a=setup:%s\r\n", sdp_setup_name(section->setup));
    text_append(out, "a=rtcp-mux\r\n");
    if (local->rtcp_mux_only)
        text_append(out, "a=rtcp-mux-only\r\n");
    if (section->plan->rtcp_rsize)
        text_append(out, "a=rtcp-rsize\r\n");
}

/* An extension offered for one direction is answered for the other one (RFC 8285, section 7). */
static const char *extension_direction(const struct sdp_section *offered, enum extension extension)
{
    for (uint32_t i = 0; offered && i < offered->n_extensions; i++) {
        const struct sdp_extension *item = &offered->extensions[i];

        if (item->extension == extension && item->directed)
            return sdp_direction_name(sdp_direction_reverse(item->direction));
    }
    return NULL;
}

static void write_extensions(struct text *out, const struct sdp_write_section *section)
{
    if (section->extmap_allow_mixed)
        text_append(out, "a=extmap-allow-mixed\r\n");
    for (enum extension i = 0; i < EXTENSION_COUNT; i++) {
        const char *direction = extension_direction(section->offered, i);
        uint8_t id = section->plan->extensions.id[i];

        if (id != 0)
            text_printf(out, "a=extmap:%u%s%s %s\r\n", id, direction ? "/" : "",
                        direction ? direction : "", extension_uri(i));
    }
}

/* RFC 7587 section 6.1: of Opus, which in Chromium keeps to this and not to b=TIAS. What the offer
 * said of it stands at the end, and holds if it is less. */
static void write_fmtp(struct text *out, const struct plan_codec *codec, uint32_t max_bps)
{
    static const char limit[] = ";maxaveragebitrate";
    enum { LEAST_BPS = 6000, MOST_BPS = 510000 };
    const char *fmtp = codec->fmtp ? codec->fmtp : "";
    const char *offered = strstr(fmtp, limit);
    bool limited = codec->codec == CODEC_OPUS && max_bps > 0 &&
                   max_bps < sdp_token_fmtp_number(fmtp, limit + 1, MOST_BPS);

    if (fmtp[0] == '\0')
        return;
    if (!limited) {
        text_printf(out, "a=fmtp:%u %s\r\n", codec->pt, fmtp);
        return;
    }
    text_printf(out, "a=fmtp:%u %.*s%s=%" PRIu32 "\r\n", codec->pt,
                (int)(offered ? offered - fmtp : (ptrdiff_t)strlen(fmtp)), fmtp, limit,
                max_bps > LEAST_BPS ? max_bps : LEAST_BPS);
}

static void write_codec(struct text *out, const struct plan_codec *codec, uint32_t max_bps)
{
    const struct codec_info *info = codec_info(codec->codec);

    text_printf(out, "a=rtpmap:%u %s/%" PRIu32, codec->pt, info->name, info->clock_rate);
    if (info->channels > 0)
        text_printf(out, "/%u", info->channels);
    text_append(out, "\r\n");
    if (codec->remb)
        text_printf(out, "a=rtcp-fb:%u goog-remb\r\n", codec->pt);
    if (codec->ccfb)
        text_printf(out, "a=rtcp-fb:%u ack ccfb\r\n", codec->pt);
    if (codec->transport_cc)
        text_printf(out, "a=rtcp-fb:%u transport-cc\r\n", codec->pt);
    if (codec->fir)
        text_printf(out, "a=rtcp-fb:%u ccm fir\r\n", codec->pt);
    if (codec->nack)
        text_printf(out, "a=rtcp-fb:%u nack\r\n", codec->pt);
    if (codec->pli)
        text_printf(out, "a=rtcp-fb:%u nack pli\r\n", codec->pt);
    write_fmtp(out, codec, max_bps);
    if (codec->rtx_pt != 0)
        text_printf(out, "a=rtpmap:%u rtx/%" PRIu32 "\r\na=fmtp:%u apt=%u\r\n", codec->rtx_pt,
                    info->clock_rate, codec->rtx_pt, codec->pt);
}

/* What we take of a publisher's simulcast. */
static void write_layers(struct text *out, const struct plan_section *plan)
{
    if (plan->n_layers == 0 || plan->layers[0].rid[0] == '\0')
        return;
    for (uint8_t i = 0; i < plan->n_layers; i++)
        text_printf(out, "a=rid:%s recv\r\n", plan->layers[i].rid);
    text_append(out, "a=simulcast:recv ");
    for (uint8_t i = 0; i < plan->n_layers; i++)
        text_printf(out, "%s%s", i > 0 ? ";" : "", plan->layers[i].rid);
    text_append(out, "\r\n");
}

static void write_ssrc(struct text *out, const struct sdp_write_section *section, uint32_t ssrc)
{
    text_printf(out, "a=ssrc:%" PRIu32 " cname:%s\r\n", ssrc, section->local->cname);
    if (section->stream[0] != '\0')
        text_printf(out, "a=ssrc:%" PRIu32 " msid:%s %s\r\n", ssrc, section->stream,
                    section->track);
}

static void write_source(struct text *out, const struct sdp_write_section *section)
{
    if (section->stream[0] != '\0')
        text_printf(out, "a=msid:%s %s\r\n", section->stream, section->track);
    if (section->ssrc == 0)
        return;
    if (section->rtx_ssrc != 0)
        text_printf(out, "a=ssrc-group:FID %" PRIu32 " %" PRIu32 "\r\n", section->ssrc,
                    section->rtx_ssrc);
    write_ssrc(out, section, section->ssrc);
    if (section->rtx_ssrc != 0)
        write_ssrc(out, section, section->rtx_ssrc);
}

/* RFC 8829, section 5.3.1; a format must stand there, whatever it is. */
static void write_rejected(struct text *out, const struct sdp_write_section *section)
{
    const struct sdp_section *offered = section->offered;

    text_printf(out, "m=%s 0 %s %s\r\nc=IN IP4 0.0.0.0\r\n",
                offered ? offered->media : media_kind_name(section->plan->kind),
                offered ? offered->protocol : "UDP/TLS/RTP/SAVPF", offered ? offered->format : "0");
    if (section->plan->mid[0] != '\0')
        text_printf(out, "a=mid:%s\r\n", section->plan->mid);
    text_append(out, "a=inactive\r\n");
}

/* RFC 8866 section 5.8 and RFC 3890: AS [kbit/s] has the heads of the packets in it (IPv4, UDP and
 * RTP; of 1200 bytes, or of 50 packets/s of sound), TIAS [bit/s] has not. Who knows both takes the
 * last. */
static void write_bandwidth(struct text *out, const struct plan_section *plan)
{
    enum { HEAD_BITS = (20 + 8 + 12) * 8, PACKET_BITS = 1200 * 8, SOUND_HZ = 50 };
    uint64_t heads_bps = plan->kind == KIND_AUDIO
                             ? HEAD_BITS * SOUND_HZ
                             : (uint64_t)plan->max_bps * HEAD_BITS / PACKET_BITS;

    if (plan->max_bps == 0 || plan->use != SECTION_PUBLISH)
        return;
    text_printf(out, "b=AS:%" PRIu64 "\r\nb=TIAS:%" PRIu32 "\r\n",
                (plan->max_bps + heads_bps + 999) / 1000, plan->max_bps);
}

void sdp_write_section(struct text *out, const struct sdp_write_section *section)
{
    const struct plan_section *plan = section->plan;

    if (!section->accepted) {
        write_rejected(out, section);
        return;
    }
    /* Port 9: where to send, the candidates tell (RFC 8840, section 4.1.1). */
    text_printf(out, "m=%s 9 %s", media_kind_name(plan->kind),
                section->offered ? section->offered->protocol : "UDP/TLS/RTP/SAVPF");
    for (uint8_t i = 0; i < plan->n_codecs; i++) {
        text_printf(out, " %u", plan->codecs[i].pt);
        if (plan->codecs[i].rtx_pt != 0)
            text_printf(out, " %u", plan->codecs[i].rtx_pt);
    }
    text_append(out, "\r\nc=IN IP4 0.0.0.0\r\n");
    write_bandwidth(out, plan);
    text_printf(out, "a=mid:%s\r\na=%s\r\n", plan->mid, sdp_direction_name(section->direction));
    write_transport(out, section);
    write_extensions(out, section);
    for (uint8_t i = 0; i < plan->n_codecs; i++)
        write_codec(out, &plan->codecs[i], plan->max_bps);
    if (section->direction == SDP_RECVONLY && plan->use == SECTION_PUBLISH)
        write_layers(out, plan);
    if (section->direction == SDP_SENDONLY)
        write_source(out, section);
}
