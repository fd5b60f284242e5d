#include "signaling/sdp_transport.h"

#include "signaling/sdp_token.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* RFC 8839 asks for ice-char; we ask for what fits a STUN user name, "ours:theirs". */
static int read_ice_text(struct sdp_cursor *c, const char *name, const char *value, size_t min,
                         const char **ret)
{
    size_t len = strlen(value);

    if (len < min || len > PLAN_UFRAG_MAX) {
        return sdp_fail(c->error, -EBADMSG, "sdp_syntax",
                        "line %" PRIu32 ": a=%s has %zu characters, %zu to %d are allowed", c->line,
                        name, len, min, PLAN_UFRAG_MAX);
    }
    for (size_t i = 0; i < len; i++) {
        if (value[i] <= ' ' || value[i] == ':' || value[i] > '~') {
            return sdp_fail(c->error, -EBADMSG, "sdp_syntax",
                            "line %" PRIu32 ": a=%s has a character that is not allowed", c->line,
                            name);
        }
    }
    *ret = value;
    return 0;
}

int sdp_transport_ice_ufrag(struct sdp_cursor *c, char *value)
{
    return read_ice_text(c, "ice-ufrag", value, 4, &c->section->ufrag);
}

int sdp_transport_ice_pwd(struct sdp_cursor *c, char *value)
{
    return read_ice_text(c, "ice-pwd", value, 22, &c->section->pwd);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

/* "AB:CD:..." @return number of bytes, capacity at most; 0: malformed or too many */
static size_t read_hex(uint8_t *out, size_t capacity, const char *text)
{
    size_t len = 0;

    for (;;) {
        int high = hex_digit(text[0]);
        int low = high < 0 ? -1 : hex_digit(text[1]);

        if (low < 0 || len == capacity)
            return 0;
        out[len++] = (uint8_t)(high << 4 | low);
        if (text[2] == '\0')
            return len;
        if (text[2] != ':')
            return 0;
        text += 3;
    }
}

/* The hashes we take, RFC 8122. sha-1 is broken, and no browser of today has nothing better. */
static const struct {
    const char *name;
    size_t len; /* [bytes] */
} hashes[] = {{"sha-256", 32}, {"sha-384", 48}, {"sha-512", 64}};

/* a=fingerprint:<hash> <hex>; of several (RFC 8122, section 5) the strongest counts. */
int sdp_transport_fingerprint(struct sdp_cursor *c, char *value)
{
    struct sdp_section *section = c->section;
    struct plan_fingerprint fingerprint = {.len = 0};
    const char *hash = sdp_token_cut(&value, ' ');
    const char *hex = sdp_token_cut(&value, ' ');
    size_t i = 0;

    if (!hash || !hex)
        return sdp_cursor_fail(c, "a=fingerprint needs a hash and its bytes");
    while (i < ARRAY_LEN(hashes) && strcasecmp(hash, hashes[i].name) != 0)
        i++;
    if (i == ARRAY_LEN(hashes)) {
        section->fingerprint_unknown = true;
        return 0;
    }
    fingerprint.len = read_hex(fingerprint.bytes, sizeof(fingerprint.bytes), hex);
    if (fingerprint.len == 0)
        return sdp_cursor_fail(c, "a=fingerprint is not bytes in hex with colons between");
    if (fingerprint.len != hashes[i].len) {
        return sdp_fail(c->error, -EBADMSG, "sdp_syntax",
                        "line %" PRIu32 ": a=fingerprint has %zu bytes, %s needs %zu", c->line,
                        fingerprint.len, hashes[i].name, hashes[i].len);
    }
    memcpy(fingerprint.hash, hashes[i].name, sizeof(fingerprint.hash));
    if (section->fingerprint_inherited || fingerprint.len > section->fingerprint.len)
        section->fingerprint = fingerprint;
    section->fingerprint_inherited = false;
    return 0;
}

int sdp_transport_setup(struct sdp_cursor *c, char *value)
{
    for (enum sdp_setup setup = SDP_SETUP_ACTPASS; setup <= SDP_SETUP_HOLDCONN; setup++) {
        if (strcasecmp(value, sdp_setup_name(setup)) == 0) {
            c->section->setup = setup;
            return 0;
        }
    }
    return sdp_cursor_fail(c, "a=setup is none of actpass, active, passive, holdconn");
}

static bool is_address(const char *text)
{
    struct in6_addr address;

    return strlen(text) < sizeof(((struct plan_candidate *)0)->address) &&
           (inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1);
}

static bool is_candidate_type(const char *type)
{
    return strcmp(type, "host") == 0 || strcmp(type, "srflx") == 0 || strcmp(type, "prflx") == 0 ||
           strcmp(type, "relay") == 0;
}

/* The words of a candidate up to its type, RFC 8839, section 5.1. */
enum { FOUNDATION, COMPONENT, TRANSPORT, PRIORITY, ADDRESS, PORT, TYP, TYPE, WORDS };

/* @return true if we can use a candidate with these words, and then *ret is set */
static bool usable(struct plan_candidate *ret, char *const words[WORDS], uint32_t component,
                   uint32_t port)
{
    bool tcp = strcasecmp(words[TRANSPORT], "tcp") == 0;

    /* Component 2 is RTCP, which we mux; Firefox lists it nevertheless. Names (mDNS) and zones are
     * no addresses to us: the client's checks tell where it is. */
    if (component != 1 || (!tcp && strcasecmp(words[TRANSPORT], "udp") != 0) ||
        !is_address(words[ADDRESS]) || !is_candidate_type(words[TYPE]))
        return false;
    ret->component = 1;
    ret->tcp = tcp;
    ret->port = (uint16_t)port;
    (void)snprintf(ret->address, sizeof(ret->address), "%s", words[ADDRESS]);
    (void)snprintf(ret->type, sizeof(ret->type), "%s", words[TYPE]);
    (void)snprintf(ret->foundation, sizeof(ret->foundation), "%s", words[FOUNDATION]);
    return true;
}

int sdp_transport_candidate(struct sdp_cursor *c, char *value)
{
    struct sdp_section *section = c->section;
    struct plan_candidate candidate = {.port = 0};
    char *words[WORDS];
    const char *name;
    const char *word;
    uint32_t component;
    uint32_t port;

    for (size_t i = 0; i < WORDS; i++) {
        words[i] = sdp_token_cut(&value, ' ');
        if (!words[i])
            return sdp_cursor_fail(c, "a=candidate is too short");
    }
    if (strcmp(words[TYP], "typ") != 0 || strlen(words[FOUNDATION]) > 32 ||
        !sdp_token_number_str(words[COMPONENT], 256, &component) ||
        !sdp_token_number_str(words[PRIORITY], UINT32_MAX, &candidate.priority) ||
        !sdp_token_number_str(words[PORT], UINT16_MAX, &port))
        return sdp_cursor_fail(c, "a=candidate is malformed");
    while ((name = sdp_token_cut(&value, ' ')) && (word = sdp_token_cut(&value, ' '))) {
        if (strcmp(name, "tcptype") == 0)
            candidate.tcp_passive = strcmp(word, "passive") == 0;
    }
    /* A machine with many interfaces is no error: the first ones do, checks find the rest. */
    if (usable(&candidate, words, component, port) && section->n_candidates < PLAN_MAX_CANDIDATES)
        section->candidates[section->n_candidates++] = candidate;
    return 0;
}
