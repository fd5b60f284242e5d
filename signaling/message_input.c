#include "signaling/message_input.h"

#include "signaling/json_text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char word_chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
const char room_chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._~-";
const char mid_chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                         "!#$%&'*+-.^_`{|}~";

bool is_made_of(const char *text, const char *chars, size_t max_len)
{
    size_t len = strspn(text, chars);

    return len > 0 && len <= max_len && text[len] == '\0';
}

int input_fail(struct message *error, const char *code, const char *format, ...)
{
    char text[sizeof(error->text)];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    error->type = MESSAGE_ERROR;
    utf8_copy(error->code, sizeof(error->code), code);
    utf8_copy(error->text, sizeof(error->text), text);
    return -EBADMSG;
}

int input_bad_field(const struct input *in, const char *name, const char *what)
{
    return input_fail(in->error, "bad_field", "%s%s %s", in->path, name, what);
}

/* jansson recurses, and allows 2048 levels. */
static bool is_too_deep(const char *text, size_t len)
{
    bool in_string = false;
    int depth = 0;

    for (size_t i = 0; i < len; i++) {
        if (in_string) {
            if (text[i] == '\\')
                i++;
            else if (text[i] == '"')
                in_string = false;
        } else if (text[i] == '"') {
            in_string = true;
        } else if (text[i] == '[' || text[i] == '{') {
            if (++depth > MESSAGE_MAX_DEPTH)
                return true;
        } else if (text[i] == ']' || text[i] == '}') {
            depth--;
        }
    }
    return false;
}

int input_load(json_t **ret, const char *text, size_t len, struct message *error)
{
    json_error_t problem;
    json_t *root;

    if (is_too_deep(text, len))
        return input_fail(error, "too_deep", "more than %d levels of JSON", MESSAGE_MAX_DEPTH);
    root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &problem);
    if (!root)
        return input_fail(error, "bad_json", "line %d, column %d: %s", problem.line, problem.column,
                          problem.text);
    if (!json_is_object(root)) {
        json_decref(root);
        return input_fail(error, "bad_json", "it must be an object");
    }
    *ret = root;
    return 0;
}

const json_t *input_find(const struct input *in, const char *name)
{
    const json_t *value = json_object_get(in->object, name);

    return json_is_null(value) ? NULL : value;
}

int input_number(const struct input *in, const char *name, uint64_t max, uint64_t *ret)
{
    const json_t *value = input_find(in, name);

    if (!value)
        return 0;
    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        (uint64_t)json_integer_value(value) > max)
        return input_bad_field(in, name, "is no whole number, or out of range");
    *ret = (uint64_t)json_integer_value(value);
    return 0;
}

int input_u32(const struct input *in, const char *name, uint32_t max, uint32_t *ret)
{
    uint64_t number = *ret;
    int err = input_number(in, name, max, &number);

    *ret = (uint32_t)number;
    return err;
}

int input_bool(const struct input *in, const char *name, bool *ret)
{
    const json_t *value = input_find(in, name);

    if (!value)
        return 0;
    if (!json_is_boolean(value))
        return input_bad_field(in, name, "is neither true nor false");
    *ret = json_is_true(value);
    return 0;
}

int input_string(const struct input *in, const char *name, const char **ret)
{
    const json_t *value = input_find(in, name);

    *ret = json_string_value(value);
    return value && !*ret ? input_bad_field(in, name, "is no string") : 0;
}

int input_text(const struct input *in, const char *name, char *out, size_t size)
{
    const char *text = NULL;
    int err = input_string(in, name, &text);

    if (err < 0 || !text)
        return err;
    utf8_copy(out, size, text);
    for (; *out; out++) {
        if ((unsigned char)*out < ' ' || *out == 0x7F)
            *out = ' ';
    }
    return 0;
}

int input_word(const struct input *in, const char *name, const char *chars, char *out,
               size_t max_len)
{
    const char *word = NULL;
    int err = input_string(in, name, &word);

    if (err < 0)
        return err;
    if (!word)
        return out[0] ? 0 : input_bad_field(in, name, "is missing");
    if (!is_made_of(word, chars, max_len))
        return input_bad_field(in, name, "is empty, too long, or has characters it must not have");
    utf8_copy(out, max_len + 1, word);
    return 0;
}

int input_optional_word(const struct input *in, const char *name, char *out, size_t max_len)
{
    return input_find(in, name) ? input_word(in, name, word_chars, out, max_len) : 0;
}

int input_id(const struct input *in, const char *name, uint32_t (*parse)(const char *text),
             uint32_t *ret)
{
    const char *text = NULL;
    int err = input_string(in, name, &text);

    if (err < 0)
        return err;
    *ret = text ? parse(text) : 0;
    return *ret ? 0 : input_bad_field(in, name, "is no id");
}

int input_enter(const struct input *in, struct input *out, const json_t *value, const char *name,
                int index)
{
    out->object = value;
    out->error = in->error;
    if (index == INPUT_NO_INDEX)
        (void)snprintf(out->path, sizeof(out->path), "%.20s%s.", in->path, name);
    else
        (void)snprintf(out->path, sizeof(out->path), "%.20s%s[%d].", in->path, name, index);
    return json_is_object(value) ? 0
                                 : input_fail(in->error, "bad_field", "%s is no object", out->path);
}

int input_list_len(const struct input *in, const char *name, size_t max, const char *code)
{
    const json_t *list = input_find(in, name);

    if (!list)
        return 0;
    if (!json_is_array(list))
        return input_bad_field(in, name, "is no list");
    if (json_array_size(list) > max)
        return input_fail(in->error, code, "%s%s has more than %zu entries", in->path, name, max);
    return (int)json_array_size(list);
}

int input_list(const struct input *in, const char *name,
               int (*read)(const struct input *in, void *out), void *out, size_t size)
{
    const json_t *list = input_find(in, name);
    struct input entry;

    for (size_t i = 0; i < json_array_size(list); i++) {
        int err = input_enter(in, &entry, json_array_get(list, i), name, (int)i);

        if (err < 0)
            return err;
        err = read(&entry, (char *)out + i * size);
        if (err < 0)
            return err;
    }
    return 0;
}

int input_bounded_list(const struct input *in, const char *name,
                       int (*read)(const struct input *in, void *out), void *out, size_t size,
                       size_t max)
{
    int n = input_list_len(in, name, max,
                           strcmp(name, "tracks") == 0 ? "too_many_tracks" : "bad_field");
    int err = n < 0 ? n : input_list(in, name, read, out, size);

    return err < 0 ? err : n;
}
