#include "sfu/process_usage.h"

#include "tests/tap.h"

#include <fcntl.h>
#include <unistd.h>

static void it_is_of_this_process(void)
{
    struct process_usage usage, more;
    int fd;

    process_usage_read(&usage);
    CHECK(usage.resident_bytes > 100000);
    CHECK(usage.virtual_bytes >= usage.resident_bytes);
    CHECK(usage.descriptors >= 3 && usage.descriptors < usage.max_descriptors);
    fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0);
    process_usage_read(&more);
    CHECK_EQ(more.descriptors, usage.descriptors + 1);
    CHECK(more.cpu_us >= usage.cpu_us);
    CHECK_EQ(close(fd), 0);
}

TAP_CASES(CASE(it_is_of_this_process))
