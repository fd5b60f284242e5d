#include "sfu/doctor.h"

#include "media/base/clock.h"
#include "media/tcp_socket.h"
#include "media/udp_socket.h"
#include "sfu/access.h"
#include "sfu/config.h"
#include "sfu/start.h"
#include "signaling/tls.h"
#include "signaling/token_keys.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

/* What `sluice doctor` looks at on this machine. */

enum {
    ASK_MS = 2000,
    SMALL_BUFFER = 1024 * 1024, /* a UDP receive buffer below loses packets in bursts */
    RESERVED_DESCRIPTORS = 64,  /* for everything that is no connection */
    DAY_S = 24 * 3600,
    SOON_DAYS = 14,          /* ACME clients renew 30 days before */
    EARLIEST_S = 1735689600, /* 2025: before this program was written */
};

/* Ports */

/* Is it a sluice that listens there? */
static bool answers_as_sluice(const struct config *c)
{
    static const char request[] = "GET /healthz HTTP/1.0\r\n\r\n";
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port = htons((uint16_t)c->listen_port)};
    char answer[2048] = "";
    size_t len = 0;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct pollfd readable = {.fd = fd, .events = POLLIN};

    if (fd < 0)
        return false;
    (void)inet_pton(AF_INET, c->listen_address, &address.sin_addr);
    if (address.sin_addr.s_addr == htonl(INADDR_ANY))
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
        send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) > 0) {
        while (len < sizeof(answer) - 1 && poll(&readable, 1, ASK_MS) > 0) {
            ssize_t got = recv(fd, answer + len, sizeof(answer) - 1 - len, 0);

            if (got <= 0)
                break;
            len += (size_t)got;
        }
    }
    (void)close(fd);
    return strstr(answer, "\"on_worker\"") != NULL;
}

/* Say what opening a port came to. */
static void say_port(struct doctor *d, const char *topic, int err)
{
    if (err == 0) {
        doctor_say(d, DOCTOR_OK, topic, NULL, "free");
    } else if (err == -EADDRINUSE && d->running) {
        doctor_say(d, DOCTOR_OK, topic, NULL, "in use by the sluice that runs");
    } else if (err == -EADDRINUSE) {
        doctor_say(d, DOCTOR_FAIL, topic,
                   "end the other program (ss -lnptu shows it), or choose another port",
                   "in use by another program");
    } else if (err == -EACCES) {
        doctor_say(d, DOCTOR_FAIL, topic,
                   "choose one above 1023, or grant CAP_NET_BIND_SERVICE (systemd: "
                   "AmbientCapabilities)",
                   "needs a privilege that this user does not have");
    } else if (err == -EADDRNOTAVAIL) {
        doctor_say(d, DOCTOR_FAIL, topic, "correct listen or udp_address",
                   "the address to bind is none of this machine");
    } else {
        doctor_say(d, DOCTOR_FAIL, topic, NULL, "cannot be opened: %s", strerrordesc_np(-err));
    }
}

static void check_http_port(struct doctor *d)
{
    const struct config *c = d->config;
    char topic[32];
    int fd;
    int err = tcp_socket_listen(&fd, c->listen_address, (uint16_t)c->listen_port);

    (void)snprintf(topic, sizeof(topic), "HTTP port %" PRIu32, c->listen_port);
    if (err == 0)
        (void)close(fd);
    if (err == -EADDRINUSE && c->tls_cert[0]) {
        d->running = true; /* most likely: it would have to be asked by TLS */
        doctor_say(d, DOCTOR_OK, topic, NULL, "in use; by the sluice that runs, if one does");
        return;
    }
    d->running = err == -EADDRINUSE && answers_as_sluice(c);
    say_port(d, topic, err);
}

static void check_udp_ports(struct doctor *d)
{
    const struct config *c = d->config;
    const char *address = c->udp_address[0] ? c->udp_address : NULL;
    uint32_t n = start_worker_count(c);
    struct udp_socket *s;
    char topic[32];
    int err = 0;
    uint32_t i;

    if (c->udp_port == 0)
        return;
    for (i = 0; i < n && err == 0; i++) {
        err = udp_socket_new(&s, address, (uint16_t)(c->udp_port + i));
        if (err == 0)
            udp_socket_free(s);
    }
    if (err == 0 && n > 1) {
        (void)snprintf(topic, sizeof(topic), "UDP %" PRIu32 "-%" PRIu32, c->udp_port,
                       c->udp_port + n - 1);
    } else {
        (void)snprintf(topic, sizeof(topic), "UDP port %" PRIu32, c->udp_port + i - 1);
    }
    say_port(d, topic, err);
}

static void check_tcp_port(struct doctor *d)
{
    const struct config *c = d->config;
    const char *address = c->udp_address[0] ? c->udp_address : NULL;
    uint32_t port = c->tcp_port == CONFIG_TCP_AUTO ? c->udp_port : c->tcp_port;
    char topic[32];
    int fd;
    int err;

    if (port == 0)
        return;
    err = tcp_socket_listen(&fd, address, (uint16_t)port);
    if (err == 0)
        (void)close(fd);
    (void)snprintf(topic, sizeof(topic), "TCP port %" PRIu32, port);
    say_port(d, topic, err);
}

void doctor_check_ports(struct doctor *d)
{
    check_http_port(d);
    check_udp_ports(d);
    check_tcp_port(d);
}

/* Who may come in, and by what */

static bool is_for_this_machine(const struct config *c)
{
    return strncmp(c->listen_address, "127.", 4) == 0 || strcmp(c->listen_address, "::1") == 0;
}

void doctor_check_access(struct doctor *d)
{
    static struct token_keys keys; /* large */
    struct config_error error;
    const struct config *c = d->config;

    if (c->keys.n > 0 && access_read_keys(&keys, c, &error) < 0) {
        doctor_say(d, DOCTOR_FAIL, "access", "correct keys", "%s", error.message);
    } else if (c->keys.n > 0) {
        token_keys_clear(&keys);
        doctor_say(d, DOCTOR_OK, "access", NULL, "clients need a token of one of %" PRIu32 " keys",
                   c->keys.n);
    } else if (is_for_this_machine(c)) {
        doctor_say(d, DOCTOR_OK, "access", NULL,
                   "open, without tokens, for this machine (and a reverse proxy on it)");
    } else {
        doctor_say(d, DOCTOR_WARN, "access",
                   "set keys: and give people tokens (sluice token --help)",
                   "open: whoever reaches %s may use this server and its TURN passwords",
                   c->listen_address);
    }
}

static void say_expiry(struct doctor *d, int64_t expires_s)
{
    int64_t left_s = expires_s - clock_wall_us() / SECOND;
    time_t at = (time_t)expires_s;
    struct tm tm;
    char date[32] = "";

    if (gmtime_r(&at, &tm))
        (void)strftime(date, sizeof(date), "%Y-%m-%d", &tm);
    if (left_s <= 0) {
        doctor_say(d, DOCTOR_FAIL, "certificate", "renew it", "has expired: %s", date);
    } else if (left_s < (int64_t)SOON_DAYS * DAY_S) {
        doctor_say(d, DOCTOR_WARN, "certificate", "renew it; does the ACME client's timer run?",
                   "expires soon: %s", date);
    } else {
        doctor_say(d, DOCTOR_OK, "certificate", NULL, "fits its key, valid until %s", date);
    }
}

void doctor_check_certificate(struct doctor *d)
{
    const struct config *c = d->config;
    struct tls_context *tls;
    char error[TLS_ERROR_SIZE];
    char names[512];

    if (!c->tls_cert[0] && is_for_this_machine(c)) {
        doctor_say(d, DOCTOR_OK, "certificate", NULL,
                   "none: a reverse proxy is to have one, if others are to use cameras");
        return;
    }
    if (!c->tls_cert[0]) {
        doctor_say(d, DOCTOR_WARN, "certificate",
                   "set tls_cert and tls_key, or put a reverse proxy before this port",
                   "none: browsers give camera and microphone to https pages only");
        return;
    }
    if (tls_server_new(&tls, c->tls_cert, c->tls_key[0] ? c->tls_key : c->tls_cert, error) < 0) {
        doctor_say(d, DOCTOR_FAIL, "certificate", "correct tls_cert and tls_key", "%s", error);
        return;
    }
    say_expiry(d, tls_server_expires_s(tls));
    tls_server_names(tls, names, sizeof(names));
    doctor_say(d, names[0] ? DOCTOR_OK : DOCTOR_FAIL, "certificate",
               names[0] ? NULL : "get one with the name of this server",
               names[0] ? "is for %s" : "is for no name%s", names);
    tls_free(tls);
}

/* The system */

static void check_buffers(struct doctor *d)
{
    struct udp_socket *s;
    int bytes;

    if (udp_socket_new(&s, NULL, 0) < 0)
        return; /* the ports have told */
    bytes = udp_socket_buffer_bytes(s);
    udp_socket_free(s);
    if (bytes >= SMALL_BUFFER) {
        doctor_say(d, DOCTOR_OK, "socket buffers", NULL, "%d KiB", bytes / 1024);
    } else {
        doctor_say(d, DOCTOR_WARN, "socket buffers",
                   "echo net.core.rmem_max=4194304 >/etc/sysctl.d/60-sluice.conf; sysctl --system",
                   "%d KiB: bursts of packets may be lost", bytes / 1024);
    }
}

static void check_descriptors(struct doctor *d)
{
    struct rlimit limit;
    uint64_t wanted = (uint64_t)d->config->max_connections + RESERVED_DESCRIPTORS;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    if (limit.rlim_max >= wanted) {
        doctor_say(d, DOCTOR_OK, "open files", NULL, "%ju may be open", (uintmax_t)limit.rlim_max);
    } else {
        doctor_say(d, DOCTOR_WARN, "open files",
                   "systemd: LimitNOFILE=65536; shell: ulimit -Hn 65536; or lower max_connections",
                   "%ju may be open, %" PRIu64
                   " are needed for max_connections: the limit is lowered",
                   (uintmax_t)limit.rlim_max, wanted);
    }
}

static void check_clock(struct doctor *d)
{
    struct timex clock = {0}; /* asks only */
    int state = adjtimex(&clock);

    if (clock_wall_us() / SECOND < EARLIEST_S) {
        doctor_say(d, DOCTOR_FAIL, "clock", "set it, and keep it right: apt install chrony",
                   "is wrong by years: certificates, tokens and TURN passwords will not hold");
    } else if (state < 0) {
        doctor_say(d, DOCTOR_OK, "clock", NULL, "plausible; the system does not say more");
    } else if (clock.status & STA_UNSYNC) {
        doctor_say(d, DOCTOR_WARN, "clock", "apt install chrony, or systemd-timesyncd",
                   "is not synchronised: tokens and TURN passwords depend on it");
    } else {
        doctor_say(d, DOCTOR_OK, "clock", NULL, "synchronised");
    }
}

void doctor_check_system(struct doctor *d)
{
    check_buffers(d);
    check_descriptors(d);
    check_clock(d);
}
