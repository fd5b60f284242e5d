#include "bench/call_tracer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TABLE_MAX = 16 * 1024, NOT_FOUND = 127 };

static void run_strace(pid_t pid, int output)
{
    char number[16];

    (void)snprintf(number, sizeof(number), "%d", (int)pid);
    (void)dup2(output, STDERR_FILENO);
    (void)execlp("strace", "strace", "-f", "-c", "-qq", "-U", "calls,name", "-p", number,
                 (char *)NULL);
    _exit(NOT_FOUND);
}

int call_tracer_start(struct call_tracer *t, pid_t pid)
{
    int pipe_fds[2];

    if (pipe2(pipe_fds, O_CLOEXEC) < 0)
        return -errno;
    t->strace = fork();
    if (t->strace == 0)
        run_strace(pid, pipe_fds[1]);
    (void)close(pipe_fds[1]);
    t->output = pipe_fds[0];
    if (t->strace > 0)
        return 0;
    (void)close(t->output);
    return -EAGAIN;
}

int call_tracer_parse(const char *table, uint64_t *calls)
{
    const char *total = strstr(table, " total");
    const char *line = total;

    while (line && line > table && line[-1] != '\n')
        line--;
    if (!line)
        return -ENODATA;
    *calls = strtoull(line, NULL, 10);
    return 0;
}

int call_tracer_stop(struct call_tracer *t, uint64_t *calls)
{
    char table[TABLE_MAX];
    size_t len = 0;
    ssize_t n;

    (void)kill(t->strace, SIGINT); /* it detaches, then prints */
    while (len < sizeof(table) - 1 &&
           (n = read(t->output, table + len, sizeof(table) - 1 - len)) > 0)
        len += (size_t)n;
    table[len] = '\0';
    (void)close(t->output);
    (void)waitpid(t->strace, NULL, 0);
    return call_tracer_parse(table, calls);
}
