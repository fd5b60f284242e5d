#include "signaling/sdp_token.h"

#include <string.h>
#include <strings.h>

char *sdp_token_cut(char **at, char separator)
{
    char *word = *at;
    char *end;

    while (*word == separator)
        word++;
    if (*word == '\0') {
        *at = word;
        return NULL;
    }
    end = word;
    while (*end != '\0' && *end != separator)
        end++;
    *at = *end == '\0' ? end : end + 1;
    *end = '\0';
    return word;
}

bool sdp_token_next(const char **at, char separator, struct sdp_span *word)
{
    const char *start = *at;
    const char *end;

    while (*start == separator)
        start++;
    end = start;
    while (*end != '\0' && *end != separator)
        end++;
    *at = end;
    *word = (struct sdp_span){start, (size_t)(end - start)};
    return end != start;
}

bool sdp_token_is(struct sdp_span word, const char *s)
{
    return strlen(s) == word.len && strncasecmp(word.start, s, word.len) == 0;
}

bool sdp_token_number(struct sdp_span word, uint32_t max, uint32_t *ret)
{
    uint64_t value = 0;

    if (word.len == 0)
        return false;
    for (size_t i = 0; i < word.len; i++) {
        if (word.start[i] < '0' || word.start[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(word.start[i] - '0');
        if (value > max)
            return false;
    }
    *ret = (uint32_t)value;
    return true;
}

bool sdp_token_number_str(const char *s, uint32_t max, uint32_t *ret)
{
    return sdp_token_number((struct sdp_span){s, strlen(s)}, max, ret);
}

static bool is_token_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`{|}~", c) != NULL);
}

bool sdp_token_valid(const char *s, size_t max_len)
{
    size_t len = strlen(s);

    if (len == 0 || len > max_len)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!is_token_char(s[i]))
            return false;
    }
    return true;
}

static struct sdp_span trimmed(struct sdp_span span)
{
    while (span.len > 0 && (span.start[0] == ' ' || span.start[0] == '\t')) {
        span.start++;
        span.len--;
    }
    while (span.len > 0 && (span.start[span.len - 1] == ' ' || span.start[span.len - 1] == '\t'))
        span.len--;
    return span;
}

bool sdp_token_fmtp(const char *fmtp, const char *key, struct sdp_span *value)
{
    struct sdp_span parameter;

    while (fmtp && sdp_token_next(&fmtp, ';', &parameter)) {
        const char *equals = memchr(parameter.start, '=', parameter.len);
        struct sdp_span name = parameter;

        if (!equals)
            continue;
        name.len = (size_t)(equals - parameter.start);
        if (!sdp_token_is(trimmed(name), key))
            continue;
        *value = trimmed((struct sdp_span){equals + 1, parameter.len - name.len - 1});
        return true;
    }
    return false;
}

uint32_t sdp_token_fmtp_number(const char *fmtp, const char *key, uint32_t absent)
{
    struct sdp_span value;
    uint32_t number;

    if (sdp_token_fmtp(fmtp, key, &value) && sdp_token_number(value, UINT32_MAX, &number))
        return number;
    return absent;
}
