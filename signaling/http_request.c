#include "signaling/http_request.h"

#include "signaling/json_text.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

/* RFC 9110 section 5.6.2 */
static bool is_token_char(char c)
{
    return isalnum((unsigned char)c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token(const char *s)
{
    if (!*s)
        return false;
    while (is_token_char(*s))
        s++;
    return !*s;
}

static int refuse(struct http_problem *problem, int status, const char *code, const char *detail)
{
    *problem = (struct http_problem){.status = status, .code = code, .detail = detail};
    return -EBADMSG;
}

static int bad_request(struct http_problem *problem, const char *detail)
{
    return refuse(problem, 400, "bad_request", detail);
}

/* The line at *at without its end, which becomes NUL; *at moves on to the next one. */
static char *take_line(char **at)
{
    char *line = *at;
    char *end = strchr(line, '\n');

    if (!end) {
        *at = line + strlen(line);
        return line;
    }
    *at = end + 1;
    *end = '\0';
    if (end > line && end[-1] == '\r')
        end[-1] = '\0';
    return line;
}

static enum http_method parse_method(const char *name)
{
    static const char *const names[] = {
        [HTTP_GET] = "GET",     [HTTP_HEAD] = "HEAD",     [HTTP_POST] = "POST",
        [HTTP_PUT] = "PUT",     [HTTP_DELETE] = "DELETE", [HTTP_OPTIONS] = "OPTIONS",
        [HTTP_PATCH] = "PATCH",
    };

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(names[i], name) == 0)
            return (enum http_method)i;
    }
    return HTTP_OTHER;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* @return the byte that %xx at `s` stands for, or -EBADMSG */
static int decode_byte(const char *s)
{
    int high = hex_digit(s[1]);
    int low = high < 0 ? -1 : hex_digit(s[2]);

    return low < 0 ? -EBADMSG : high * 16 + low;
}

/* Decode %xx in place. @return 0; -EBADMSG, also for what no path of ours can contain */
static int decode_segment(char *s)
{
    char *out = s;

    for (; *s; s++) {
        int c = (unsigned char)*s;

        if (c == '%') {
            c = decode_byte(s);
            s += 2;
        }
        if (c < ' ' || c == 0x7F || c == '/' || c == '\\')
            return -EBADMSG;
        *out++ = (char)c;
    }
    *out = '\0';
    return 0;
}

/* `path` begins with '/'. */
static int parse_path(struct http_request *r, char *path)
{
    path[strcspn(path, "#")] = '\0';
    r->query = path + strcspn(path, "?");
    if (*r->query) {
        path[r->query - path] = '\0';
        r->query++;
    }
    if (strcmp(path, "/") == 0)
        return 0;
    while (path) {
        char *segment = path + 1;

        path = strchr(segment, '/');
        if (path)
            *path = '\0';
        if (decode_segment(segment) < 0)
            return -EBADMSG;
        if (r->n_segments < HTTP_MAX_SEGMENTS)
            r->segments[r->n_segments] = segment;
        if (r->n_segments <= HTTP_MAX_SEGMENTS)
            r->n_segments++;
    }
    return 0;
}

/* Forms of a target: RFC 9112 section 3.2 */
static int parse_target(struct http_request *r, char *target)
{
    if (strcmp(target, "*") == 0 && r->method == HTTP_OPTIONS)
        return 0;
    if (strncasecmp(target, "http://", 7) == 0)
        target = strchr(target + 7, '/');
    if (!target || target[0] != '/')
        return -EBADMSG;
    return parse_path(r, target);
}

/* Decode one value of the query, in form encoding; a % that encodes nothing stays what it is. */
static void decode_value(const char *s, char *out, size_t size)
{
    size_t len = 0;

    for (; *s && *s != '&' && len < size - 1; s++) {
        int c = *s == '%' ? decode_byte(s) : -EBADMSG;

        if (c >= 0)
            s += 2;
        else
            c = *s == '+' ? ' ' : (unsigned char)*s;
        out[len++] = (char)(c < ' ' || c == 0x7F ? ' ' : c);
    }
    out[len] = '\0';
}

void http_request_parameter(const struct http_request *r, const char *name, char *out, size_t size)
{
    char value[HTTP_MAX_PARAMETER + 1] = ""; /* longer than `out`, so that characters stay whole */
    size_t len = strlen(name);

    assert(size <= HTTP_MAX_PARAMETER);
    for (const char *s = r->query; s; s = strchr(s, '&')) {
        s += *s == '&';
        if (strncmp(s, name, len) == 0 && s[len] == '=') {
            decode_value(s + len + 1, value, sizeof(value));
            break;
        }
    }
    utf8_copy(out, size, value);
}

/* A token (RFC 6750: b64token) of `len` characters. */
static void copy_token(char *out, size_t size, const char *token, size_t len)
{
    static const char chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-._~+/=";

    out[0] = '\0';
    if (len >= size || strspn(token, chars) < len)
        return;
    memcpy(out, token, len);
    out[len] = '\0';
}

static bool find_bearer(const struct http_request *r, char *out, size_t size)
{
    static const char scheme[] = "Bearer ";
    const char *given = http_request_field(r, "Authorization");

    if (!given || strncasecmp(given, scheme, sizeof(scheme) - 1) != 0)
        return false;
    given += sizeof(scheme) - 1;
    given += strspn(given, " ");
    copy_token(out, size, given, strlen(given));
    return true;
}

void http_request_token(const struct http_request *r, char *out, size_t size)
{
    static const char name[] = "access_token=";

    out[0] = '\0';
    if (find_bearer(r, out, size))
        return;
    for (const char *s = r->query; s; s = strchr(s, '&')) {
        s += *s == '&';
        if (strncmp(s, name, sizeof(name) - 1) == 0) {
            s += sizeof(name) - 1;
            copy_token(out, size, s, strcspn(s, "&"));
            return;
        }
    }
}

static int parse_request_line(struct http_request *r, char *line, struct http_problem *problem)
{
    char *target = strchr(line, ' ');
    char *version = target ? strchr(target + 1, ' ') : NULL;

    if (!version)
        return bad_request(problem, "no request line");
    *target++ = '\0';
    *version++ = '\0';
    if (!is_token(line))
        return bad_request(problem, "no method");
    if (strncmp(version, "HTTP/", 5) != 0)
        return bad_request(problem, "no HTTP version");
    if (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0)
        return refuse(problem, 505, "http_version", "only HTTP/1.1 and HTTP/1.0");
    r->method = parse_method(line);
    r->persistent = version[7] == '1';
    if (parse_target(r, target) < 0)
        return bad_request(problem, "bad request target");
    return 0;
}

static bool is_field_value(const char *value)
{
    for (; *value; value++) {
        if (((unsigned char)*value < ' ' && *value != '\t') || *value == 0x7F)
            return false;
    }
    return true;
}

static int parse_field(struct http_request *r, char *line, struct http_problem *problem)
{
    char *value = strchr(line, ':');

    if (!value)
        return bad_request(problem, "a header field without a colon");
    *value++ = '\0';
    if (!is_token(line)) /* also a blank before the colon, and a folded line */
        return bad_request(problem, "bad name of a header field");
    value += strspn(value, " \t");
    for (size_t len = strlen(value); len > 0 && strchr(" \t", value[len - 1]); len--)
        value[len - 1] = '\0';
    if (!is_field_value(value))
        return bad_request(problem, "control characters in a header field");
    if (r->n_fields == HTTP_MAX_FIELDS)
        return refuse(problem, 431, "header_too_large", "too many header fields");
    r->fields[r->n_fields++] = (struct http_field){.name = line, .value = value};
    return 0;
}

const char *http_request_field(const struct http_request *r, const char *name)
{
    for (uint32_t i = 0; i < r->n_fields; i++) {
        if (strcasecmp(r->fields[i].name, name) == 0)
            return r->fields[i].value;
    }
    return NULL;
}

static bool list_has(const char *list, const char *token)
{
    size_t len = strlen(token);

    while (*list) {
        list += strspn(list, " \t,");

        size_t item = strcspn(list, " \t,;");

        if (item == len && strncasecmp(list, token, len) == 0)
            return true;
        list += strcspn(list, ",");
    }
    return false;
}

bool http_request_lists(const struct http_request *r, const char *name, const char *token)
{
    for (uint32_t i = 0; i < r->n_fields; i++) {
        if (strcasecmp(r->fields[i].name, name) == 0 && list_has(r->fields[i].value, token))
            return true;
    }
    return false;
}

static uint32_t count_fields(const struct http_request *r, const char *name)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < r->n_fields; i++)
        n += strcasecmp(r->fields[i].name, name) == 0;
    return n;
}

static int parse_content_length(struct http_request *r, const char *value)
{
    enum { MAX_DIGITS = 18 };
    size_t digits = strspn(value, "0123456789");

    if (digits == 0 || digits > MAX_DIGITS || value[digits])
        return -EBADMSG;
    for (; *value; value++)
        r->content_length = r->content_length * 10 + (uint64_t)(*value - '0');
    return 0;
}

/* RFC 9112 section 6: two ways to tell the length are how requests are smuggled. */
static int parse_framing(struct http_request *r, bool is_1_1, struct http_problem *problem)
{
    const char *length = http_request_field(r, "Content-Length");
    const char *coding = http_request_field(r, "Transfer-Encoding");

    if (coding) {
        if (length || !is_1_1)
            return bad_request(problem, "Transfer-Encoding contradicts the rest of the header");
        if (strcasecmp(coding, "chunked") != 0 || count_fields(r, "Transfer-Encoding") > 1)
            return refuse(problem, 501, "transfer_encoding", "only chunked is supported");
        r->chunked = true;
    }
    if (length && (count_fields(r, "Content-Length") > 1 || parse_content_length(r, length) < 0))
        return bad_request(problem, "bad Content-Length");
    return 0;
}

static int parse_fields_we_need(struct http_request *r, struct http_problem *problem)
{
    bool is_1_1 = r->persistent;
    const char *expect = http_request_field(r, "Expect");
    int err = parse_framing(r, is_1_1, problem);

    if (err < 0)
        return err;
    if (is_1_1 && count_fields(r, "Host") != 1)
        return bad_request(problem, "there must be one Host field");
    if (expect && strcasecmp(expect, "100-continue") != 0)
        return refuse(problem, 417, "expectation", "only 100-continue is supported");
    r->wants_continue = expect && is_1_1;
    if (http_request_lists(r, "Connection", "close"))
        r->persistent = false;
    return 0;
}

int http_request_parse(struct http_request *r, char *head, struct http_problem *problem)
{
    int err;

    *r = (struct http_request){0};
    err = parse_request_line(r, take_line(&head), problem);
    if (err < 0)
        return err;
    while (*head) {
        char *line = take_line(&head);

        if (!*line)
            break;
        err = parse_field(r, line, problem);
        if (err < 0)
            return err;
    }
    return parse_fields_we_need(r, problem);
}
