#include "media/base/log_json.h"

#include "media/base/utf8.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum {
    RESERVE = 4,     /* bytes that are kept for what ends a string and the object */
    MAX_VALUE = 512, /* bytes of a value, or of the sentence, before they are escaped */
    MAX_KEY = 32,
};

/* Bytes that stop to come when it is full. */
struct line {
    char *out;
    size_t len, size;
};

/** A copy of a va_list that functions can take on. */
struct arguments {
    va_list list;
};

static bool has_room(const struct line *l, size_t len)
{
    return l->len + len + RESERVE <= l->size;
}

static void put(struct line *l, const char *bytes, size_t len)
{
    if (!has_room(l, len))
        return;
    memcpy(l->out + l->len, bytes, len);
    l->len += len;
}

static void put_text(struct line *l, const char *text)
{
    put(l, text, strlen(text));
}

/* One character of a string in JSON. */
static void put_escaped(struct line *l, const char *s, size_t n)
{
    char escape[8];

    if (n == 0) {
        put_text(l, "\xEF\xBF\xBD");
    } else if (n == 1 && ((unsigned char)*s < ' ' || *s == 127)) {
        (void)snprintf(escape, sizeof(escape), "\\u%04x", (unsigned)(unsigned char)*s);
        put_text(l, escape);
    } else if (n == 1 && (*s == '"' || *s == '\\')) {
        escape[0] = '\\';
        escape[1] = *s;
        put(l, escape, 2);
    } else {
        put(l, s, n);
    }
}

static void put_string(struct line *l, const char *s)
{
    put_text(l, "\"");
    for (size_t n; *s; s += n ? n : 1) {
        n = utf8_char_len(s);
        put_escaped(l, s, n);
    }
    l->out[l->len++] = '"'; /* kept in reserve */
}

/* Conversions */

struct conversion {
    char type, length; /* length: 'L' for ll; 0: none */
    bool has_precision, star;
    int precision;
};

/* @param at  behind the '%'. @return behind the conversion */
static const char *read_conversion(const char *at, struct conversion *ret)
{
    *ret = (struct conversion){0};
    at += strspn(at, "-+ #0123456789");
    if (*at == '.') {
        ret->has_precision = true;
        ret->star = *++at == '*';
        at += ret->star;
        for (; isdigit((unsigned char)*at); at++)
            ret->precision = ret->precision * 10 + (*at - '0');
    }
    for (; *at && strchr("hljzt", *at); at++)
        ret->length = (char)(ret->length == 'l' ? 'L' : *at);
    ret->type = *at;
    return *at ? at + 1 : at;
}

static intmax_t take_signed(char length, struct arguments *a)
{
    switch (length) {
    case 'l':
    case 'z': /* as wide, wherever this runs */
    case 't':
        return va_arg(a->list, long);
    case 'L':
        return va_arg(a->list, long long);
    case 'j':
        return va_arg(a->list, intmax_t);
    default:
        return va_arg(a->list, int);
    }
}

static uintmax_t take_unsigned(char length, struct arguments *a)
{
    switch (length) {
    case 'l':
    case 'z':
    case 't':
        return va_arg(a->list, unsigned long);
    case 'L':
        return va_arg(a->list, unsigned long long);
    case 'j':
        return va_arg(a->list, uintmax_t);
    default:
        return va_arg(a->list, unsigned);
    }
}

static bool is_integer(char type)
{
    return type && strchr("diuxXo", type);
}

static void put_integer(struct line *l, const struct conversion *c, struct arguments *a)
{
    char digits[32];

    if (c->type == 'd' || c->type == 'i')
        (void)snprintf(digits, sizeof(digits), "%jd", take_signed(c->length, a));
    else if (c->type == 'u')
        (void)snprintf(digits, sizeof(digits), "%ju", take_unsigned(c->length, a));
    else
        (void)snprintf(digits, sizeof(digits), "%jx", take_unsigned(c->length, a));
    put_text(l, digits);
}

static void put_argument(struct line *l, struct conversion *c, struct arguments *a)
{
    char buffer[64];
    const char *s;
    char one;

    if (c->star)
        c->precision = va_arg(a->list, int);
    if (is_integer(c->type)) {
        put_integer(l, c, a);
        return;
    }
    switch (c->type) {
    case 's':
        s = va_arg(a->list, const char *);
        s = s ? s : "(null)";
        for (size_t i = 0; (!c->has_precision || i < (size_t)c->precision) && s[i]; i++)
            put(l, s + i, 1);
        break;
    case 'c':
        one = (char)va_arg(a->list, int);
        put(l, &one, one != '\0');
        break;
    case 'f':
    case 'e':
    case 'g':
        (void)snprintf(buffer, sizeof(buffer), "%.*f", c->has_precision ? c->precision : 6,
                       va_arg(a->list, double));
        put_text(l, buffer);
        break;
    case 'p':
        (void)snprintf(buffer, sizeof(buffer), "%p", va_arg(a->list, void *));
        put_text(l, buffer);
        break;
    default:
        break; /* none of ours: the compiler checks formats */
    }
}

/* Words of the form key=value */

/* @return length of the key if a word that is a member begins here, else 0 */
static size_t find_key(const char *at)
{
    size_t len = strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789_");
    const char *value = at + len + 1;
    size_t value_len;

    if (len == 0 || len > MAX_KEY || at[len] != '=')
        return 0;
    value_len = *value == '"' ? strcspn(value + 1, "\"") + 1 : strcspn(value, " ");
    return memchr(value, '%', value_len) ? len : 0;
}

/* The value, as it is. @param number  it is one integer and nothing else. @return behind it */
static const char *read_value(const char *at, struct line *plain, struct arguments *a, bool *number)
{
    bool quoted = *at == '"';
    const char *begin = at += quoted;
    struct conversion c = {0};

    *number = false;
    while (*at && *at != (quoted ? '"' : ' ')) {
        if (!quoted && (*at == ';' || *at == ','))
            break; /* of the sentence around it */
        if (*at != '%') {
            put(plain, at++, 1);
            continue;
        }
        *number = !quoted && at == begin;
        at = read_conversion(at + 1, &c);
        *number = *number && c.type && strchr("diu", c.type) && (!*at || strchr(" ;,", *at));
        put_argument(plain, &c, a);
    }
    return at + (quoted && *at == '"');
}

/* @param l  NULL: pass over it. @return behind the word */
static const char *write_member(struct line *l, const char *at, size_t key_len, struct arguments *a)
{
    char value[MAX_VALUE];
    struct line plain = {value, 0, sizeof(value) - 1};
    bool number;
    const char *end = read_value(at + key_len + 1, &plain, a, &number);

    value[plain.len] = '\0';
    if (!l || !has_room(l, key_len + sizeof(",\"\":\"") + 20))
        return end;
    put_text(l, ",\"");
    put(l, at, key_len);
    put_text(l, "\":");
    if (number)
        put_text(l, value);
    else
        put_string(l, value);
    return end;
}

/* Walk the format: what is a member goes to `members`, the rest to `sentence`; either may be NULL.
 */
static void walk(const char *format, struct arguments *a, struct line *members,
                 struct line *sentence)
{
    char unused[1];
    struct line nothing = {unused, 0, 0};
    struct conversion c;
    bool begins = true; /* a word begins here */

    for (const char *at = format; *at;) {
        size_t key_len = begins ? find_key(at) : 0;

        begins = *at == ' ';
        if (key_len > 0) {
            at = write_member(members, at, key_len, a);
        } else if (at[0] == '%' && at[1] != '%') {
            at = read_conversion(at + 1, &c);
            put_argument(sentence ? sentence : &nothing, &c, a);
        } else {
            if (sentence)
                put(sentence, at, 1);
            at += at[0] == '%' ? 2 : 1;
        }
    }
}

/* The sentence without what stood between members. */
static void trim(char *text)
{
    char *to = text;

    for (const char *from = text; *from; from++) {
        bool space = *from == ' ';

        if (space && (to == text || to[-1] == ' '))
            continue;
        *to++ = *from;
    }
    while (to > text && strchr(" :;,", to[-1]))
        to--;
    *to = '\0';
}

static void put_member(struct line *l, const char *name, const char *value)
{
    put_text(l, l->len > 1 ? ",\"" : "\"");
    put_text(l, name);
    put_text(l, "\":");
    put_string(l, value);
}

size_t log_json_write(char *out, size_t size, const struct log_head *head, const char *format,
                      va_list args)
{
    char text[MAX_VALUE];
    struct line sentence = {text, 0, sizeof(text) - 1};
    struct line l = {out, 0, size};
    struct arguments a;

    va_copy(a.list, args);
    walk(format, &a, NULL, &sentence);
    va_end(a.list);
    text[sentence.len] = '\0';
    trim(text);
    put_text(&l, "{");
    put_member(&l, "time", head->time);
    put_member(&l, "level", head->level);
    put_member(&l, "area", head->area);
    put_member(&l, "msg", text);
    va_copy(a.list, args);
    walk(format, &a, &l, NULL);
    va_end(a.list);
    out[l.len++] = '}';
    return l.len;
}
