#include "bench/call_tracer.h"
#include "tests/tap.h"

#include <errno.h>

static void the_last_line_of_the_table_is_the_sum(void)
{
    uint64_t calls = 0;

    CHECK_EQ(call_tracer_parse("    calls syscall\n"
                               "--------- ----------------\n"
                               "     1200 sendmmsg\n"
                               "       34 epoll_wait\n"
                               "--------- ----------------\n"
                               "     1234 total\n",
                               &calls),
             0);
    CHECK_EQ(calls, 1234);
}

static void a_complaint_is_no_table(void)
{
    uint64_t calls = 5;

    CHECK_EQ(call_tracer_parse("strace: attach: ptrace(PTRACE_SEIZE, 1): Operation not permitted\n",
                               &calls),
             -ENODATA);
    CHECK_EQ(call_tracer_parse("", &calls), -ENODATA);
    CHECK_EQ(calls, 5);
}

static void a_process_that_is_not_there_gives_no_number(void)
{
    struct call_tracer t;
    uint64_t calls;

    CHECK_EQ(call_tracer_start(&t, 0x7ffffff0), 0);
    CHECK_EQ(call_tracer_stop(&t, &calls), -ENODATA);
}

TAP_CASES(CASE(the_last_line_of_the_table_is_the_sum), CASE(a_complaint_is_no_table),
          CASE(a_process_that_is_not_there_gives_no_number))
