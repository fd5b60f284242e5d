#include "sfu/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int notify_send(const char *path, const char *state)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t len = path ? strlen(path) : 0;
    ssize_t sent;
    int fd;
    int err;

    if (len == 0)
        return 0;
    if ((path[0] != '/' && path[0] != '@') || len >= sizeof(to.sun_path))
        return -EINVAL;
    memcpy(to.sun_path, path, len);
    if (path[0] == '@')
        to.sun_path[0] = '\0';
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    sent = sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT,
                  (const struct sockaddr *)&to,
                  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
    err = sent < 0 ? -errno : 0;
    (void)close(fd);
    return err;
}

int notify(const char *state)
{
    return notify_send(getenv("NOTIFY_SOCKET"), state); /* NOLINT(concurrency-mt-unsafe) */
}

int64_t notify_watchdog_us(const char *usec, const char *pid, int64_t self)
{
    char *end;
    long long us;

    if (!usec || (pid && strtoll(pid, NULL, 10) != self))
        return 0;
    us = strtoll(usec, &end, 10);
    return *end == '\0' && us > 0 ? us / 2 : 0;
}
