#include "tests/sdp_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sdp_text_add(struct sdp_text *s, const char *format, ...)
{
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(s->data + s->len, sizeof(s->data) - s->len, format, args);
    va_end(args);
    if (len < 0 || s->len + (size_t)len + 3 > sizeof(s->data))
        abort();
    s->len += (size_t)len;
    memcpy(s->data + s->len, "\r\n", 3);
    s->len += 2;
}

void sdp_text_begin(struct sdp_text *s, const char *bundle)
{
    s->len = 0;
    sdp_text_add(s, "v=0");
    sdp_text_add(s, "o=- 1 1 IN IP4 127.0.0.1");
    sdp_text_add(s, "s=-");
    sdp_text_add(s, "t=0 0");
    if (bundle[0] != '\0')
        sdp_text_add(s, "a=group:BUNDLE %s", bundle);
}

void sdp_text_media(struct sdp_text *s, const char *media_line, const char *mid,
                    const char *direction)
{
    sdp_text_add(s, "m=%s", media_line);
    sdp_text_add(s, "c=IN IP4 0.0.0.0");
    sdp_text_add(s, "a=ice-ufrag:peer");
    sdp_text_add(s, "a=ice-pwd:peerpeerpeerpeerpeerpeer");
    sdp_text_add(s, "a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:"
                    "10:11:12:13:14:15:16:17:18:19:1a:1b:1c:1d:1e:1f");
    sdp_text_add(s, "a=setup:actpass");
    sdp_text_add(s, "a=mid:%s", mid);
    sdp_text_add(s, "a=%s", direction);
    sdp_text_add(s, "a=rtcp-mux");
}

void sdp_text_audio(struct sdp_text *s, const char *mid, const char *direction)
{
    sdp_text_media(s, "audio 9 UDP/TLS/RTP/SAVPF 111 63 0", mid, direction);
    sdp_text_add(s, "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid");
    sdp_text_add(s, "a=extmap:3 http://www.ietf.org/id/"
                    "draft-holmer-rmcat-transport-wide-cc-extensions-01");
    sdp_text_add(s, "a=rtpmap:111 opus/48000/2");
    sdp_text_add(s, "a=rtcp-fb:111 transport-cc");
    sdp_text_add(s, "a=fmtp:111 minptime=10;useinbandfec=1");
    sdp_text_add(s, "a=rtpmap:63 red/48000/2");
    sdp_text_add(s, "a=fmtp:63 111/111");
}

void sdp_text_video(struct sdp_text *s, const char *mid, const char *direction)
{
    sdp_text_media(s, "video 9 UDP/TLS/RTP/SAVPF 96 97", mid, direction);
    sdp_text_add(s, "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid");
    sdp_text_add(s, "a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id");
    sdp_text_add(s, "a=extmap:3 http://www.ietf.org/id/"
                    "draft-holmer-rmcat-transport-wide-cc-extensions-01");
    sdp_text_add(s, "a=rtpmap:96 VP8/90000");
    sdp_text_add(s, "a=rtcp-fb:96 transport-cc");
    sdp_text_add(s, "a=rtcp-fb:96 nack");
    sdp_text_add(s, "a=rtcp-fb:96 nack pli");
    sdp_text_add(s, "a=rtpmap:97 rtx/90000");
    sdp_text_add(s, "a=fmtp:97 apt=96");
}

void sdp_text_replace(struct sdp_text *s, const char *from, const char *to)
{
    char *at = strstr(s->data, from);
    size_t from_len = strlen(from);
    size_t to_len = strlen(to);

    if (!at || s->len + to_len >= sizeof(s->data))
        abort();
    memmove(at + to_len, at + from_len, s->len - (size_t)(at - s->data) - from_len + 1);
    memcpy(at, to, to_len);
    s->len = s->len - from_len + to_len;
}

void sdp_text_load(struct sdp_text *s, const char *name)
{
    const char *top = getenv("SLUICE_SOURCE_DIR"); /* NOLINT(concurrency-mt-unsafe) */
    char path[4096];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/tests/data/%s", top ? top : ".", name);
    file = fopen(path, "rb");
    if (!file)
        abort();
    s->len = fread(s->data, 1, sizeof(s->data) - 1, file);
    s->data[s->len] = '\0';
    (void)fclose(file);
}

bool sdp_text_has(const char *sdp, int section, const char *line)
{
    size_t len = strlen(line);
    int current = -1;

    for (const char *end; (end = strstr(sdp, "\r\n")); sdp = end + 2) {
        if (strncmp(sdp, "m=", 2) == 0)
            current++;
        if (current == section && (size_t)(end - sdp) == len && memcmp(sdp, line, len) == 0)
            return true;
    }
    return false;
}

size_t sdp_text_count(const char *sdp, const char *prefix)
{
    size_t count = 0;

    for (const char *end; (end = strstr(sdp, "\r\n")); sdp = end + 2)
        count += strncmp(sdp, prefix, strlen(prefix)) == 0;
    return count;
}

struct negotiation_local sdp_text_local(void)
{
    struct negotiation_local local = {
        .ufrag = "ours",
        .pwd = "oursoursoursoursoursours",
        .fingerprint = {.hash = "sha-256", .len = 32},
        .ice_lite = true,
        .n_candidates = 1,
        .candidates = {{.address = "192.0.2.1",
                        .port = 7882,
                        .component = 1,
                        .type = "host",
                        .priority = 2130706431,
                        .foundation = "1"}},
        .cname = "sluice",
    };

    for (size_t i = 0; i < local.fingerprint.len; i++)
        local.fingerprint.bytes[i] = (uint8_t)(0xa0 + i);
    return local;
}
