/**
 * @file message_input.h  Fields of a JSON object that is being read. Used by what parses
 * messages and requests of operators only.
 *
 * Every function returns 0 or -EBADMSG with the error set, which names the field and where it is.
 * A field that is null is as good as absent; an absent field leaves the result as it is.
 */
#ifndef SIGNALING_MESSAGE_INPUT_H
#define SIGNALING_MESSAGE_INPUT_H

#include "media/base/attributes.h"
#include "signaling/message.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** An object, and where it is: "" or "tracks[3]." */
struct input {
    const json_t *object;
    char path[64];
    struct message *error;
};

enum { INPUT_NO_INDEX = -1 };

/** What words, room names and mids (RFC 4566 section 9: token) are made of. */
extern const char word_chars[], room_chars[], mid_chars[];

/** @return true if `text` has 1 to `max_len` bytes, all of them in `chars` */
bool is_made_of(const char *text, const char *chars, size_t max_len);

/** Set the error. @return -EBADMSG */
int input_fail(struct message *error, const char *code, const char *format, ...) PRINTF_LIKE(3, 4);

/** Set the error to "bad_field": the field's name, and what is wrong with it. @return -EBADMSG */
int input_bad_field(const struct input *in, const char *name, const char *what);

/**
 * Read the text of an object, strictly: no field named twice, at most MESSAGE_MAX_DEPTH levels.
 *
 * @param ret    the caller's: json_decref() it
 * @param error  on failure: "bad_json" or "too_deep"
 */
MUST_USE int input_load(json_t **ret, const char *text, size_t len, struct message *error);

/** @return the field, or NULL if it is absent or null */
const json_t *input_find(const struct input *in, const char *name);

/** Read a whole number from 0 to `max`. */
MUST_USE int input_number(const struct input *in, const char *name, uint64_t max, uint64_t *ret);
MUST_USE int input_u32(const struct input *in, const char *name, uint32_t max, uint32_t *ret);

/** Read true or false. */
MUST_USE int input_bool(const struct input *in, const char *name, bool *ret);

/** Read a string, which stays the object's; *ret is NULL if it is absent. */
MUST_USE int input_string(const struct input *in, const char *name, const char **ret);

/** Read text for people: too long is cut, control characters become blanks. */
MUST_USE int input_text(const struct input *in, const char *name, char *out, size_t size);

/** Read a word for machines, made of `chars`. Absent is an error if `out` is empty. */
MUST_USE int input_word(const struct input *in, const char *name, const char *chars, char *out,
                        size_t max_len);

/** Read a word made of word_chars. */
MUST_USE int input_optional_word(const struct input *in, const char *name, char *out,
                                 size_t max_len);

/** Read an id, which must be there. */
MUST_USE int input_id(const struct input *in, const char *name, uint32_t (*parse)(const char *text),
                      uint32_t *ret);

/** Enter the object `value` (NULL: an error), which is at `name` or, in a list, at `name`[index].
 */
MUST_USE int input_enter(const struct input *in, struct input *out, const json_t *value,
                         const char *name, int index);

/** @return the list's length, 0 if it is absent; -EBADMSG, with `code` if it is above `max` */
MUST_USE int input_list_len(const struct input *in, const char *name, size_t max, const char *code);

/** Read every entry of a list with `read`, into `out` of elements of `size` bytes. */
MUST_USE int input_list(const struct input *in, const char *name,
                        int (*read)(const struct input *in, void *out), void *out, size_t size);

/** The same, with room for `max` elements. @return how many, or -EBADMSG */
MUST_USE int input_bounded_list(const struct input *in, const char *name,
                                int (*read)(const struct input *in, void *out), void *out,
                                size_t size, size_t max);

#endif
