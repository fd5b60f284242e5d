#include "sfu/notify.h"

#include "tests/tap.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void what_is_said_arrives_as_a_datagram(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char name[64], heard[64] = "";
    int len = snprintf(name, sizeof(name), "@sluice-test-%d", (int)getpid());
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    memcpy(address.sun_path + 1, name + 1, (size_t)len - 1);
    CHECK_EQ(bind(fd, (struct sockaddr *)&address,
                  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)len)),
             0);
    CHECK_EQ(notify_send(name, "READY=1"), 0);
    CHECK_EQ(recv(fd, heard, sizeof(heard) - 1, MSG_DONTWAIT), 7);
    CHECK_STR(heard, "READY=1");
    (void)close(fd);
    CHECK_EQ(notify_send(name, "READY=1"), -ECONNREFUSED);
}

static void nobody_wants_to_know(void)
{
    char longest[200];

    memset(longest, 'x', sizeof(longest));
    longest[0] = '/';
    longest[sizeof(longest) - 1] = '\0';
    CHECK_EQ(notify_send(NULL, "READY=1"), 0);
    CHECK_EQ(notify_send("", "READY=1"), 0);
    CHECK_EQ(notify_send("vsock:2:1234", "READY=1"), -EINVAL);
    CHECK_EQ(notify_send(longest, "READY=1"), -EINVAL);
    CHECK(notify_send("/nonexistent/socket", "READY=1") < 0);
}

static void the_watchdog_is_fed_twice_in_its_time(void)
{
    CHECK_EQ(notify_watchdog_us("30000000", NULL, 7), 15000000);
    CHECK_EQ(notify_watchdog_us("30000000", "7", 7), 15000000);
    CHECK_EQ(notify_watchdog_us("30000000", "8", 7), 0); /* of another process */
    CHECK_EQ(notify_watchdog_us(NULL, NULL, 7), 0);
    CHECK_EQ(notify_watchdog_us("0", NULL, 7), 0);
    CHECK_EQ(notify_watchdog_us("-5", NULL, 7), 0);
    CHECK_EQ(notify_watchdog_us("soon", NULL, 7), 0);
}

TAP_CASES(CASE(what_is_said_arrives_as_a_datagram), CASE(nobody_wants_to_know),
          CASE(the_watchdog_is_fed_twice_in_its_time))
