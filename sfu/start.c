#include "sfu/start.h"

#include "media/base/clock.h"
#include "media/base/log.h"
#include "sfu/relay_out.h"
#include "sfu/worker.h"
#include "signaling/http_server.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

enum {
    RESERVED_DESCRIPTORS = 64,  /* for everything that is no connection */
    SMALL_BUFFER = 1024 * 1024, /* a UDP receive buffer below loses packets in bursts [bytes] */
};

_Static_assert((int)CONFIG_MAX_WORKERS <= (int)RELAY_MAX_WORKERS, "each has a bit");

int start_fail(struct config_error *error, int err, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(error->message, sizeof(error->message), format, args);
    va_end(args);
    return err;
}

void start_fit_descriptors(struct config *config)
{
    struct rlimit limit;
    rlim_t most;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0 && getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    most = limit.rlim_cur > 2 * RESERVED_DESCRIPTORS ? limit.rlim_cur - RESERVED_DESCRIPTORS
                                                     : limit.rlim_cur / 2;
    if (config->max_connections <= most)
        return;
    log_warn(
        "server",
        "fewer connections than max_connections, as descriptors allow no more; raise ulimit -n: "
        "max_connections=%" PRIu32 " using=%ju",
        config->max_connections, (uintmax_t)most);
    config->max_connections = (uint32_t)most;
}

uint32_t start_worker_count(const struct config *config)
{
    cpu_set_t cores;
    int count;

    if (config->workers)
        return config->workers;
    if (sched_getaffinity(0, sizeof(cores), &cores) < 0)
        return 1;
    count = CPU_COUNT(&cores);
    return count > CONFIG_MAX_WORKERS ? CONFIG_MAX_WORKERS : (uint32_t)count;
}

/* Of the cores we may use, each in turn. */
static void choose_core(struct worker_config *config)
{
    cpu_set_t cores;
    uint32_t n;

    if (sched_getaffinity(0, sizeof(cores), &cores) < 0 || CPU_COUNT(&cores) == 0) {
        log_warn("server", "cannot tell which cores there are: workers are not pinned");
        return;
    }
    n = config->index % (uint32_t)CPU_COUNT(&cores);
    for (uint32_t i = 0; i < CPU_SETSIZE && !config->pinned; i++) {
        config->pinned = CPU_ISSET(i, &cores) && n-- == 0;
        config->core = i;
    }
}

void start_configure_worker(const struct config *config, uint32_t index, struct worker_config *ret)
{
    *ret = (struct worker_config){
        .index = index,
        .address = config->udp_address[0] ? config->udp_address : NULL,
        .port = (uint16_t)(config->udp_port ? config->udp_port + index : 0),
        .limits = forwarder_default_limits,
        .max_tcp = config->tcp_port ? config->max_tcp_paths : 0,
        .max_tcp_per_address = config->max_tcp_paths_per_address,
    };
    ret->limits.max_participants = config->max_participants;
    ret->limits.pad_runs = (uint16_t)config->pad_runs;
    ret->limits.coalesce_us = config->coalesce_ms * MS;
    ret->limits.max_audio_streams = config->max_audio_streams;
    ret->limits.no_red = !config->audio_red;
    ret->agents = config->ice_full ? config : NULL;
    if (config->pin_workers)
        choose_core(ret);
}

int start_worker_failed(const struct config *config, const struct worker_config *wanted, int err,
                        struct config_error *error)
{
    unsigned port = wanted->port;

    switch (err) {
    case -EADDRINUSE:
        return start_fail(error, err,
                          "UDP port %u is in use: another sluice? Try --udp-port %" PRIu32, port,
                          config->udp_port < 60000 ? config->udp_port + 100 : 7882);
    case -EACCES:
        return start_fail(error, err, "UDP port %u needs root: try one above 1023", port);
    case -EINVAL:
    case -EADDRNOTAVAIL:
        return start_fail(error, err, "udp_address %s is not an address of this machine",
                          config->udp_address);
    case -ENOTSUP:
        return start_fail(error, err, "cannot start: libsrtp2 does not work here");
    default:
        return start_fail(error, err, "UDP port %u cannot be opened: %s", port,
                          strerrordesc_np(-err));
    }
}

int start_tcp(const struct config *config, struct worker *w, struct config_error *error)
{
    const char *address = config->udp_address[0] ? config->udp_address : NULL;
    uint16_t port = config->tcp_port == CONFIG_TCP_AUTO ? 0 : (uint16_t)config->tcp_port;
    unsigned shown = port ? port : worker_port(w);
    int err;

    if (!config->tcp_port)
        return 0;
    err = worker_listen_tcp(w, address, port);
    if (err == -EADDRINUSE && config->tcp_port == CONFIG_TCP_AUTO && config->udp_port)
        return start_fail(error, err,
                          "TCP port %u is in use: try another --tcp-port, or --tcp-port no", shown);
    if (err == -EADDRINUSE)
        return start_fail(error, err, "TCP port %u is in use: try another --tcp-port", shown);
    if (err == -EACCES)
        return start_fail(error, err, "TCP port %u needs root: try a --tcp-port above 1023", shown);
    return err < 0 ? start_fail(error, err, "TCP port %u cannot be opened: %s", shown,
                                strerrordesc_np(-err))
                   : 0;
}

void start_check_buffer(const struct worker *w)
{
    if (worker_buffer_bytes(w) >= SMALL_BUFFER)
        return;
    log_warn("server",
             "the UDP receive buffer is small, bursts may be lost; "
             "try sysctl -w net.core.rmem_max=4194304: bytes=%d",
             worker_buffer_bytes(w));
}

static int fail_http(const struct config *config, int err, struct config_error *error)
{
    const char *address = config->listen_address;
    uint32_t port = config->listen_port;

    if (err == -EADDRINUSE) {
        return start_fail(error, err,
                          "port %" PRIu32 " is in use: another sluice? Try --listen :%" PRIu32,
                          port, port < 65535 ? port + 1 : 8080);
    }
    if (err == -EACCES)
        return start_fail(error, err, "port %" PRIu32 " needs root: try --listen :8080", port);
    return start_fail(error, err,
                      "cannot listen on address %s, port %" PRIu32 ": %s; "
                      "try --listen 127.0.0.1:8080",
                      address, port, strerrordesc_np(-err));
}

_Static_assert((int)CONFIG_LIST_MAX <= (int)ADDRESS_PREFIX_MAX, "a list of settings fits");
_Static_assert((int)CONFIG_LIST_MAX <= (int)HTTP_ORIGINS_MAX, "likewise");

/* The texts were checked when they were set. */
static void fill_prefixes(struct address_prefixes *ret, const struct config_list *list)
{
    for (uint32_t i = 0; i < list->n; i++)
        (void)!address_prefixes_add(ret, list->text[i]);
}

void start_configure_http(const struct config *config, struct http_config *ret)
{
    *ret = http_default_config;
    ret->address = config->listen_address;
    ret->port = (uint16_t)config->listen_port;
    ret->web_root = config->web_root[0] ? config->web_root : NULL;
    ret->admin_token = config->admin_token;
    ret->max_connections = config->max_connections;
    ret->max_connections_per_address = config->max_connections_per_address;
    ret->max_openings_per_s = config->max_connects_per_s;
    ret->max_body_bytes = config->max_sdp_bytes;
    ret->timeout_s = (int)config->request_timeout_s;
    fill_prefixes(&ret->proxy_protocol, &config->proxy_protocol);
    fill_prefixes(&ret->trusted_proxies, &config->trusted_proxies);
    for (uint32_t i = 0; i < config->allowed_origins.n; i++)
        (void)!http_origins_add(&ret->origins, config->allowed_origins.text[i]);
}

int start_http(struct http_server **ret, const struct config *config, struct event_base *base,
               const struct http_handler *handler, void *owner, struct config_error *error)
{
    struct http_config wanted;
    int err;

    start_configure_http(config, &wanted);
    err = http_server_new(ret, base, &wanted, handler, owner);
    if (err < 0 && err != -EADDRINUSE && err != -EACCES && strcmp(wanted.address, "::") == 0) {
        wanted.address = "0.0.0.0"; /* a kernel without IPv6 */
        err = http_server_new(ret, base, &wanted, handler, owner);
    }
    return err < 0 ? fail_http(config, err, error) : 0;
}
