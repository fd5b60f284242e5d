#include "signaling/http_internal.h"

#include <errno.h>
#include <event2/buffer.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_PATH = 512, MAX_FILE = 8 * 1024 * 1024, MAX_ETAG = 48 };

static const char *content_type(const char *path)
{
    static const struct {
        const char *suffix, *type;
    } types[] = {
        {".html", "text/html; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".mjs", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".json", "application/json"},
        {".map", "application/json"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".jpg", "image/jpeg"},
        {".webp", "image/webp"},
        {".ico", "image/x-icon"},
        {".woff2", "font/woff2"},
        {".wasm", "application/wasm"},
        {".mp3", "audio/mpeg"},
        {".ogg", "audio/ogg"},
        {".txt", "text/plain; charset=utf-8"},
    };
    const char *suffix = strrchr(path, '.');

    for (size_t i = 0; suffix && i < ARRAY_LEN(types); i++) {
        if (strcmp(types[i].suffix, suffix) == 0)
            return types[i].type;
    }
    return "application/octet-stream";
}

/* "/" is index.html, "/client/a/b" is a/b. A name that begins with a dot is nobody's business, and
 * with it no path leads out of the folder: segments have no '/' inside. */
static bool find_path(const struct http_request *r, char out[MAX_PATH])
{
    size_t len = 0;

    if (r->n_segments == 0) {
        (void)snprintf(out, MAX_PATH, "index.html");
        return true;
    }
    if (r->n_segments < 2 || r->n_segments > HTTP_MAX_SEGMENTS ||
        strcmp(r->segments[0], "client") != 0)
        return false;
    for (uint32_t i = 1; i < r->n_segments; i++) {
        const char *segment = r->segments[i];
        int n = snprintf(out + len, MAX_PATH - len, "%s%s", i > 1 ? "/" : "", segment);

        if (segment[0] == '\0' || segment[0] == '.' || n < 0 || (size_t)n >= MAX_PATH - len)
            return false;
        len += (size_t)n;
    }
    return true;
}

static void not_found(struct http_exchange *x)
{
    http_reply_problem(x, 404, "not_found", "nothing is here");
}

/* Scripts, styles and pictures from here only; the WebSocket may be another server's. */
static void add_fields(struct http_exchange *x, const char *etag)
{
    static const char policy[] =
        "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data: blob:; "
        "media-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'self'";

    http_exchange_field(x, "ETag", etag);
    http_exchange_field(x, "Cache-Control", "no-cache");
    http_exchange_field(x, "X-Content-Type-Options", "nosniff");
    http_exchange_field(x, "Referrer-Policy", "no-referrer");
    http_exchange_field(x, "Content-Security-Policy", policy);
}

/* Send `body`, which is freed, unless the client has it already. */
static void send_file(struct http_exchange *x, const char *path, const char *etag,
                      struct evbuffer *body)
{
    const char *known = http_request_field(x->connection->request, "If-None-Match");

    add_fields(x, etag);
    if (known && (strstr(known, etag) || strcmp(known, "*") == 0)) {
        evbuffer_free(body);
        http_exchange_send(x, 304, NULL);
        return;
    }
    http_exchange_field(x, "Content-Type", content_type(path));
    http_exchange_send(x, 200, body);
}

static void serve_built_in(struct http_exchange *x, const char *path)
{
    const struct http_file *file = http_built_in_files;
    struct evbuffer *body;

    while (file->path && strcmp(file->path, path) != 0)
        file++;
    if (!file->path) {
        not_found(x);
        return;
    }
    body = evbuffer_new();
    if (!body || evbuffer_add_reference(body, file->data, file->len, NULL, NULL) < 0) {
        if (body)
            evbuffer_free(body);
        http_reply_problem(x, 503, "busy", "out of memory");
        return;
    }
    send_file(x, path, file->etag, body);
}

/* Not mapped: whoever edits the page while it is read would crash us. @return NULL: cannot read */
static struct evbuffer *read_file(int fd, size_t len)
{
    struct evbuffer *body = evbuffer_new();

    while (body && len > 0) {
        int n = evbuffer_read(body, fd, (int)len);

        if (n <= 0) {
            evbuffer_free(body);
            return NULL;
        }
        len -= (size_t)n;
    }
    return body;
}

static void serve_open_file(struct http_exchange *x, const char *path, int fd)
{
    struct stat info;
    struct evbuffer *body;
    char etag[MAX_ETAG];

    if (fstat(fd, &info) < 0 || !S_ISREG(info.st_mode) || info.st_size > MAX_FILE) {
        not_found(x);
        return;
    }
    body = read_file(fd, (size_t)info.st_size);
    if (!body) {
        not_found(x);
        return;
    }
    (void)snprintf(etag, sizeof(etag), "\"%" PRIx64 "-%" PRIx64 "\"",
                   (uint64_t)info.st_mtim.tv_sec * 1000000000 + (uint64_t)info.st_mtim.tv_nsec,
                   (uint64_t)info.st_size);
    send_file(x, path, etag, body);
}

static void serve_web_root(struct http_exchange *x, const char *path)
{
    char full[PATH_MAX];
    int n = snprintf(full, sizeof(full), "%s/%s", x->connection->server->web_root, path);
    int fd = n > 0 && (size_t)n < sizeof(full)
                 ? open(full, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
                 : -1;

    if (fd < 0) {
        not_found(x);
        return;
    }
    serve_open_file(x, path, fd);
    (void)close(fd);
}

void http_static_serve(struct http_exchange *x)
{
    const struct http_request *r = x->connection->request;
    char path[MAX_PATH];

    if (!find_path(r, path))
        not_found(x);
    else if (r->method != HTTP_GET && r->method != HTTP_HEAD)
        http_reply_not_allowed(x, "GET, HEAD");
    else if (x->connection->server->web_root)
        serve_web_root(x, path);
    else
        serve_built_in(x, path);
}
