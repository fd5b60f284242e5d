/** @file sdp_token.h  Words and numbers of an SDP line (RFC 8866, section 9). */
#ifndef SIGNALING_SDP_TOKEN_H
#define SIGNALING_SDP_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A part of a string; not NUL-terminated. */
struct sdp_span {
    const char *start;
    size_t len;
};

/**
 * Cut the next word off `*at`, which is modified: separators before it are skipped, the one behind
 * it becomes NUL.
 *
 * @return the word, never empty; NULL at the end
 */
char *sdp_token_cut(char **at, char separator);

/** The same without modifying: `*word` is the next word. @return false at the end */
bool sdp_token_next(const char **at, char separator, struct sdp_span *word);

/** @return true if `word` is the string `s`, letters in any case */
bool sdp_token_is(struct sdp_span word, const char *s);

/** @return true and `*ret` if `word` is a decimal number of at most `max`, digits only */
bool sdp_token_number(struct sdp_span word, uint32_t max, uint32_t *ret);

/** The same for a whole string. */
bool sdp_token_number_str(const char *s, uint32_t max, uint32_t *ret);

/** @return true if `s` is 1..`max_len` characters of RFC 8866's `token` */
bool sdp_token_valid(const char *s, size_t max_len);

/**
 * Find parameter `key` (any case) in "key=value;key=value"; NULL has none.
 *
 * @return true and its value, which may be empty; blanks around it are left out
 */
bool sdp_token_fmtp(const char *fmtp, const char *key, struct sdp_span *value);

/** @return the number that `key` has in `fmtp`, or `absent` if it has none */
uint32_t sdp_token_fmtp_number(const char *fmtp, const char *key, uint32_t absent);

#endif
