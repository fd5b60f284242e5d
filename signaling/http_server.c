#include "signaling/http_server.h"

#include "signaling/http_internal.h"
#include "signaling/websocket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { BACKLOG = 1024, ACCEPT_PAUSE_MS = 100 };

const struct http_config http_default_config = {
    .address = "::",
    .port = 8080,
    .max_connections = 10000,
    .max_connections_per_address = 500,
    .max_header_bytes = 16 * 1024,
    .max_body_bytes = 256 * 1024,
    .timeout_s = 10,
};

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
                      int len, void *arg)
{
    (void)listener;
    (void)len;
    http_arrival_accept(arg, fd, address);
}

/* Most likely no descriptor is left. The connection stays in the backlog, so the listener would
 * wake us again at once, and for nothing. */
static void on_accept_error(struct evconnlistener *listener, void *arg)
{
    static const struct timeval pause = {.tv_usec = ACCEPT_PAUSE_MS * 1000};
    struct http_server *s = arg;

    s->stats.accept_errors++;
    (void)evconnlistener_disable(listener);
    (void)event_add(s->accept_again, &pause);
}

static void on_accept_again(evutil_socket_t fd, short what, void *arg)
{
    struct http_server *s = arg;

    (void)fd;
    (void)what;
    if (s->listener)
        (void)evconnlistener_enable(s->listener);
}

/* @return length of the address, or -EINVAL */
static int parse_address(struct sockaddr_storage *out, const char *address, uint16_t port)
{
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};

    if (inet_pton(AF_INET, address, &v4.sin_addr) == 1) {
        memcpy(out, &v4, sizeof(v4));
        return sizeof(v4);
    }
    if (inet_pton(AF_INET6, address, &v6.sin6_addr) == 1) {
        memcpy(out, &v6, sizeof(v6));
        return sizeof(v6);
    }
    return -EINVAL;
}

static uint16_t bound_port(struct evconnlistener *listener)
{
    struct sockaddr_storage address = {0};
    socklen_t len = sizeof(address);
    struct sockaddr_in6 v6;
    struct sockaddr_in v4;

    if (getsockname(evconnlistener_get_fd(listener), (struct sockaddr *)&address, &len) < 0)
        return 0;
    memcpy(&v4, &address, sizeof(v4));
    memcpy(&v6, &address, sizeof(v6));
    return ntohs(address.ss_family == AF_INET ? v4.sin_port : v6.sin6_port);
}

static int listen_on(struct http_server *s, const char *address, uint16_t port)
{
    enum { FLAGS = LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE };
    struct sockaddr_storage socket_address = {0};
    int len = parse_address(&socket_address, address, port);

    if (len < 0)
        return len;
    errno = 0;
    s->listener = evconnlistener_new_bind(s->base, on_accept, s, FLAGS, BACKLOG,
                                          (struct sockaddr *)&socket_address, len);
    if (!s->listener)
        return errno ? -errno : -ENOMEM;
    evconnlistener_set_error_cb(s->listener, on_accept_error);
    s->port = bound_port(s->listener);
    return 0;
}

/* Copy `text` if there is one. @return 0; -ENOMEM */
static int keep_text(const char *text, char **ret)
{
    *ret = text && text[0] ? strdup(text) : NULL;
    return text && text[0] && !*ret ? -ENOMEM : 0;
}

int http_server_new(struct http_server **ret, struct event_base *base,
                    const struct http_config *config, const struct http_handler *handler,
                    void *owner)
{
    struct http_server *s = calloc(1, sizeof(*s));
    int err = -ENOMEM;

    if (!s)
        return -ENOMEM;
    s->base = base;
    s->config = *config;
    s->handler = *handler;
    s->owner = owner;
    list_init(&s->connections);
    list_init(&s->exchanges);
    http_clients_init(&s->clients);
    s->clients.max = config->max_connections;
    s->clients.max_per_address = config->max_connections_per_address;
    s->clients.limit_loopback = config->limit_loopback;
    s->clients.exempt = config->trusted_proxies;
    (void)signal(SIGPIPE, SIG_IGN); /* NOLINT(cert-err33-c): it cannot fail */

    if (http_clients_limit_openings(&s->clients, config->max_openings_per_s) < 0)
        goto fail;
    s->accept_again = evtimer_new(base, on_accept_again, s);
    if (!s->accept_again || keep_text(config->web_root, &s->web_root) < 0 ||
        keep_text(config->admin_token, &s->admin_token) < 0)
        goto fail;
    err = listen_on(s, config->address, config->port);
    if (err < 0)
        goto fail;
    s->config.address = s->config.web_root = s->config.admin_token = NULL; /* were the caller's */
    *ret = s;
    return 0;
fail:
    http_server_free(s);
    return err;
}

int http_server_reconfigure(struct http_server *s, const struct http_config *config)
{
    char *token;

    if (keep_text(config->admin_token, &token) < 0)
        return -ENOMEM;
    free(s->admin_token);
    s->admin_token = token;
    s->clients.max = config->max_connections;
    s->clients.max_per_address = config->max_connections_per_address;
    s->clients.exempt = s->config.trusted_proxies = config->trusted_proxies;
    s->config.proxy_protocol = config->proxy_protocol;
    s->config.origins = config->origins;
    s->config.max_body_bytes = config->max_body_bytes;
    s->config.timeout_s = config->timeout_s;
    return http_clients_limit_openings(&s->clients, config->max_openings_per_s);
}

void http_server_stop_accepting(struct http_server *s)
{
    if (s->listener)
        evconnlistener_free(s->listener);
    s->listener = NULL;
}

struct http_server *http_server_free(struct http_server *s)
{
    if (!s)
        return NULL;
    http_server_stop_accepting(s);
    LIST_FOREACH_SAFE(it, &s->connections) {
        http_connection_free(CONTAINER_OF(it, struct http_connection, link));
    }
    while (list_take_first(&s->exchanges) != NULL)
        continue; /* without connection by now, each ends with the answer of the handler */
    http_clients_done(&s->clients);
    if (s->accept_again)
        event_free(s->accept_again);
    free(s->web_root);
    free(s->admin_token);
    free(s);
    return NULL;
}

void http_server_use_tls(struct http_server *s, struct tls_context *tls)
{
    s->tls = tls;
}

uint16_t http_server_port(const struct http_server *s)
{
    return s->port;
}

const struct http_stats *http_server_stats(const struct http_server *s)
{
    return &s->stats;
}
