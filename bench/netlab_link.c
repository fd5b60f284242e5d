/* A link between two network namespaces in user space: two TUN devices, and what comes out of one
 * goes into the other as bench/netem.h decides, in real time. bench/netlab --help says more. */
#include "bench/netem_script.h"
#include "media/base/attributes.h"
#include "media/base/clock.h"
#include "media/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum {
    READ_AT_ONCE = 128, /* datagrams of one side before the other has its turn */
    KERNEL_QUEUE =
        4000, /* datagrams a device keeps for us: a scheduling delay, not a link's queue */
    LINE_SPACE = 64 * 1024,    /* bytes of commands that were not read to their end yet */
    SCRIPT_FILE_MAX = 1 << 20, /* bytes */
    NAMESPACE_PATH_MAX = 4096,
};

/* The far side is where the node is: up is what it sends. */
enum side { NEAR, FAR, SIDES };

struct link {
    const char *namespaces[SIDES];
    const char *names[SIDES]; /* of the devices */
    int tun[SIDES];
    int epoll, timer, signals;
    bool input; /* commands come by standard input, whose end is ours */
    struct netem_script script;
    struct netem *directions[NETEM_DIRECTIONS];
    uint64_t refused[NETEM_DIRECTIONS]; /* by the device */
    int64_t started_us;
    char line[LINE_SPACE];
    size_t line_len;
    bool ended;
};

static const char usage[] =
    "Usage: netlab_link [OPTIONS]\n"
    "\n"
    "Make a TUN device in each of two network namespaces and carry packets between them as a link\n"
    "would. Needs CAP_NET_ADMIN and /dev/net/tun. \"up\" is from far to near.\n"
    "\n"
    "  --near NAMESPACE    a name of `ip netns`, or a path; default: this one\n"
    "  --far NAMESPACE     the same, or \"new\": one of its own, /proc/PID/ns/net while it runs\n"
    "  --near-name DEVICE  default: link0\n"
    "  --far-name DEVICE   default: eth0\n"
    "  --script TEXT       what the link does, and changes with time; may be repeated\n"
    "  --script-file FILE  the same from a file\n"
    "  --no-input          do not read standard input, run until a signal\n"
    "\n"
    "Prints {\"t\":\"ready\",\"pid\":N} once both devices are up (without addresses). Reads lines from\n"
    "standard input: \"stats\" prints statistics, \"quit\" or its end is the end, everything else is script.\n"
    "Statistics are printed at the end as well, also after SIGTERM or SIGINT. A script is, e.g.,\n"
    "  down rate=300k delay=50ms queue=64k; up delay=50ms loss=1%; at=60s down rate=5M\n"
    "with the keys rate queue delay jitter loss burst reorder duplicate blackout overhead seed.\n";

static int complain(const char *what, const char *name)
{
    int err = errno;

    (void)fprintf(stderr, "netlab_link: %s %s: %s\n", what, name, strerrordesc_np(err));
    return -err;
}

/* --- devices */

static int enter_namespace(const char *name)
{
    char path[NAMESPACE_PATH_MAX];
    int fd;
    int err = 0;

    if (strcmp(name, "new") == 0)
        return unshare(CLONE_NEWNET) < 0 ? complain("cannot make a", "namespace") : 0;
    (void)snprintf(path, sizeof(path), "%s%s", strchr(name, '/') ? "" : "/run/netns/", name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return complain("cannot open", path);
    if (setns(fd, CLONE_NEWNET) < 0)
        err = complain("cannot enter", path);
    close(fd);
    return err;
}

/* Raise the device, and have it keep what we are late for. */
static int raise_device(const char *name)
{
    struct ifreq request = {0};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int err = 0;

    if (fd < 0)
        return complain("cannot make a", "socket");
    (void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
    request.ifr_qlen = KERNEL_QUEUE;
    if (ioctl(fd, SIOCSIFTXQLEN, &request) < 0)
        err = complain("cannot lengthen the queue of", name);
    if (err == 0 && ioctl(fd, SIOCGIFFLAGS, &request) < 0)
        err = complain("cannot read flags of", name);
    request.ifr_flags |= IFF_UP;
    if (err == 0 && ioctl(fd, SIOCSIFFLAGS, &request) < 0)
        err = complain("cannot raise", name);
    close(fd);
    return err;
}

/* @return descriptor of a new device in the namespace we are in, or -errno */
static int open_device(const char *name)
{
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    int err;

    if (fd < 0)
        return complain("cannot open", "/dev/net/tun");
    (void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
    err = ioctl(fd, TUNSETIFF, &request) < 0 ? complain("cannot make the device", name)
                                             : raise_device(name);
    if (err == 0)
        return fd;
    close(fd);
    return err;
}

static int open_sides(struct link *l)
{
    /* Both names are as seen from where we began, and "new" is where we stay. */
    int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

    if (home < 0)
        return complain("cannot open", "/proc/self/ns/net");
    for (int side = 0; side < SIDES; side++) {
        int err = 0;

        if (setns(home, CLONE_NEWNET) < 0)
            err = complain("cannot enter", "/proc/self/ns/net");
        if (err == 0 && l->namespaces[side])
            err = enter_namespace(l->namespaces[side]);
        if (err == 0)
            l->tun[side] = open_device(l->names[side]);
        if (err < 0 || l->tun[side] < 0) {
            close(home);
            return err < 0 ? err : l->tun[side];
        }
    }
    close(home);
    return 0;
}

/* --- packets */

static enum netem_direction direction_from(enum side side)
{
    return side == FAR ? NETEM_UP : NETEM_DOWN;
}

static void take_in(struct link *l, enum side side, int64_t now_us)
{
    uint8_t data[NETEM_DATAGRAM_MAX];

    for (int i = 0; i < READ_AT_ONCE; i++) {
        ssize_t len = read(l->tun[side], data, sizeof(data));

        if (len <= 0)
            return;
        netem_push(l->directions[direction_from(side)], 0, data, (size_t)len, now_us);
    }
}

static void give_out(struct link *l, enum side side, int64_t now_us)
{
    enum netem_direction d = side == FAR ? NETEM_DOWN : NETEM_UP;
    uint8_t data[NETEM_DATAGRAM_MAX];
    size_t len;

    while (netem_pop(l->directions[d], now_us, NULL, data, &len))
        if (write(l->tun[side], data, len) < 0)
            l->refused[d]++;
}

/* --- commands and statistics */

static void describe_direction(struct text *t, const struct link *l, enum netem_direction d)
{
    const struct netem_stats *s = netem_stats(l->directions[d]);
    const struct netem_config *c = netem_config(l->directions[d]);

    text_printf(t,
                ",\"%s\":{\"packets_in\":%" PRIu64 ",\"packets_out\":%" PRIu64
                ",\"bytes_in\":%" PRIu64 ",\"bytes_out\":%" PRIu64 ",\"lost\":%" PRIu64
                ",\"overflowed\":%" PRIu64 ",\"blacked_out\":%" PRIu64 ",\"duplicated\":%" PRIu64
                ",\"reordered\":%" PRIu64 ",\"refused\":%" PRIu64 ",\"queue_max_ms\":%.1f",
                netem_direction_name(d), s->pushed, s->delivered, s->pushed_bytes,
                s->delivered_bytes, s->lost, s->overflowed, s->blacked_out, s->duplicated,
                s->reordered, l->refused[d], (double)s->queue_max_us / (double)MS);
    text_printf(t, ",\"rate_bps\":%" PRIu64 ",\"delay_ms\":%.1f,\"loss\":%g,\"blackout\":%s}",
                c->rate_bps, (double)c->delay_us / (double)MS, c->loss,
                c->blackout ? "true" : "false");
}

static void print_statistics(const struct link *l, int64_t now_us)
{
    struct text t;

    text_init(&t, LINE_SPACE);
    text_printf(&t, "{\"t\":\"stats\",\"at_s\":%.3f",
                (double)(now_us - l->started_us) / (double)SECOND);
    for (int d = 0; d < NETEM_DIRECTIONS; d++)
        describe_direction(&t, l, (enum netem_direction)d);
    (void)printf("%s}\n", text_str(&t));
    (void)fflush(stdout);
    text_done(&t);
}

static void obey(struct link *l, const char *line, size_t len, int64_t now_us)
{
    char error[NETEM_SCRIPT_ERROR_MAX];

    if (len == 5 && memcmp(line, "stats", 5) == 0)
        print_statistics(l, now_us);
    else if (len == 4 && memcmp(line, "quit", 4) == 0)
        l->ended = true;
    else if (netem_script_add(&l->script, line, len, now_us, error) < 0)
        (void)fprintf(stderr, "netlab_link: %s\n", error);
}

static void take_commands(struct link *l, int64_t now_us)
{
    ssize_t got = read(STDIN_FILENO, l->line + l->line_len, sizeof(l->line) - l->line_len);
    char *line = l->line;
    char *end;

    if (got <= 0) {
        l->ended = true;
        return;
    }
    l->line_len += (size_t)got;
    while ((end = memchr(line, '\n', l->line_len)) != NULL) {
        obey(l, line, (size_t)(end - line), now_us);
        l->line_len -= (size_t)(end + 1 - line);
        line = end + 1;
    }
    memmove(l->line, line, l->line_len);
    if (l->line_len == sizeof(l->line))
        l->line_len = 0; /* nobody writes such a line */
}

/* --- the loop */

static int watch(const struct link *l, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

    return epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &event) < 0
               ? complain("cannot watch", "a descriptor")
               : 0;
}

static int open_loop(struct link *l)
{
    const struct sched_param soon = {.sched_priority = 1};
    sigset_t signals;
    int err;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
    l->signals = signalfd(-1, &signals, SFD_CLOEXEC);
    l->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (l->signals < 0 || l->timer < 0 || l->epoll < 0)
        return complain("cannot open the", "loop");
    /* A busy machine must not add a delay of its own. Not allowed: then it does. */
    (void)sched_setscheduler(0, SCHED_RR, &soon);
    err = watch(l, l->signals);
    if (err == 0)
        err = watch(l, l->timer);
    for (int side = 0; err == 0 && side < SIDES; side++)
        err = watch(l, l->tun[side]);
    if (err == 0 && l->input)
        err = watch(l, STDIN_FILENO);
    return err;
}

static void set_timer(const struct link *l, int64_t at_us)
{
    struct itimerspec when = {0};

    if (at_us != NEVER_US) {
        when.it_value.tv_sec = at_us / SECOND;
        when.it_value.tv_nsec = at_us % SECOND * 1000 + (at_us == 0);
    }
    (void)timerfd_settime(l->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

static void turn(struct link *l)
{
    struct epoll_event events[8];
    int n = epoll_wait(l->epoll, events, (int)ARRAY_LEN(events), -1);
    int64_t now_us = clock_now_us();

    for (int i = 0; i < n; i++) {
        int fd = events[i].data.fd;

        if (fd == l->tun[NEAR])
            take_in(l, NEAR, now_us);
        else if (fd == l->tun[FAR])
            take_in(l, FAR, now_us);
        else if (fd == l->signals)
            l->ended = true;
        else if (fd == STDIN_FILENO && l->input)
            take_commands(l, now_us);
    }
}

static void run(struct link *l)
{
    int64_t armed_us = NEVER_US;

    while (!l->ended) {
        int64_t now_us = clock_now_us();
        int64_t next_us = netem_script_advance(&l->script, now_us, l->directions);

        give_out(l, NEAR, now_us);
        give_out(l, FAR, now_us);
        for (int d = 0; d < NETEM_DIRECTIONS; d++)
            if (netem_deadline(l->directions[d]) < next_us)
                next_us = netem_deadline(l->directions[d]);
        if (next_us != armed_us)
            set_timer(l, next_us);
        armed_us = next_us;
        turn(l);
    }
    print_statistics(l, clock_now_us());
}

/* --- options */

static int add_script(struct link *l, const char *text, size_t len)
{
    char error[NETEM_SCRIPT_ERROR_MAX];
    int err = netem_script_add(&l->script, text, len, l->started_us, error);

    if (err < 0)
        (void)fprintf(stderr, "netlab_link: %s\n", error);
    return err;
}

static int add_script_file(struct link *l, const char *path)
{
    FILE *file = fopen(path, "re");
    char *text;
    size_t len;
    int err;

    if (!file)
        return complain("cannot open", path);
    text = malloc(SCRIPT_FILE_MAX);
    len = text ? fread(text, 1, SCRIPT_FILE_MAX, file) : 0;
    (void)fclose(file);
    err = text ? add_script(l, text, len) : -ENOMEM;
    free(text);
    return err;
}

/* @return 0; 1: help was asked for; -errno */
static int read_options(struct link *l, int argc, char **argv)
{
    static const struct option options[] = {{"near", required_argument, NULL, 'n'},
                                            {"far", required_argument, NULL, 'f'},
                                            {"near-name", required_argument, NULL, 'N'},
                                            {"far-name", required_argument, NULL, 'F'},
                                            {"script", required_argument, NULL, 's'},
                                            {"script-file", required_argument, NULL, 'S'},
                                            {"no-input", no_argument, NULL, 'i'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    int err = 0;
    int c;

    /* NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread */
    while (err == 0 && (c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'n':
            l->namespaces[NEAR] = optarg;
            break;
        case 'f':
            l->namespaces[FAR] = optarg;
            break;
        case 'N':
            l->names[NEAR] = optarg;
            break;
        case 'F':
            l->names[FAR] = optarg;
            break;
        case 's':
            err = add_script(l, optarg, strlen(optarg));
            break;
        case 'S':
            err = add_script_file(l, optarg);
            break;
        case 'i':
            l->input = false;
            break;
        case 'h':
            return 1;
        default:
            err = -EINVAL;
        }
    }
    return err == 0 && optind < argc ? -EINVAL : err;
}

static int open_directions(struct link *l)
{
    (void)netem_script_advance(&l->script, l->started_us, NULL); /* what holds from the beginning */
    for (int d = 0; d < NETEM_DIRECTIONS; d++) {
        struct netem_config config = l->script.config[d];

        config.seed = 2 * config.seed + (uint64_t)d; /* they lose different packets */
        l->directions[d] = netem_new(&config);
        if (!l->directions[d])
            return -ENOMEM;
    }
    return 0;
}

int main(int argc, char **argv)
{
    static struct link l = {.names = {"link0", "eth0"}, .tun = {-1, -1}, .input = true};
    int err;

    l.started_us = clock_now_us();
    err = read_options(&l, argc, argv);
    if (err == 1)
        (void)fputs(usage, stdout);
    if (err != 0)
        return err == 1 ? 0 : 2;
    if (open_directions(&l) < 0 || open_sides(&l) < 0 || open_loop(&l) < 0)
        return 1;
    (void)printf("{\"t\":\"ready\",\"pid\":%d}\n", (int)getpid());
    (void)fflush(stdout);
    run(&l);
    for (int d = 0; d < NETEM_DIRECTIONS; d++)
        l.directions[d] = netem_free(l.directions[d]);
    return 0;
}
