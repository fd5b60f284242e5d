#include "media/send_names.h"

#include "tests/tap.h"

#include <errno.h>

static struct send_names names; /* large */

static void a_packet_is_found_by_its_stream_and_number(void)
{
    send_names_init(&names);
    CHECK_EQ(send_names_find(&names, 0, 0), -ENOENT);
    send_names_put(&names, 7, 65535, 100);
    send_names_put(&names, 7, 0, 101);
    send_names_put(&names, 8, 0, 102);
    CHECK_EQ(send_names_find(&names, 7, 65535), 100);
    CHECK_EQ(send_names_find(&names, 7, 0), 101);
    CHECK_EQ(send_names_find(&names, 8, 0), 102);
    CHECK_EQ(send_names_find(&names, 8, 1), -ENOENT);
    send_names_put(&names, 7, 0, 103); /* sent again */
    CHECK_EQ(send_names_find(&names, 7, 0), 103);
}

static void a_stream_remembers_as_many_as_there_are_places(void)
{
    send_names_init(&names);
    for (uint32_t i = 0; i <= SEND_NAMES; i++)
        send_names_put(&names, 5, (uint16_t)i, (uint16_t)(i + 1));
    CHECK_EQ(send_names_find(&names, 5, 0), -ENOENT);
    for (uint32_t i = 1; i <= SEND_NAMES; i++)
        CHECK_EQ(send_names_find(&names, 5, (uint16_t)i), i + 1);
}

TAP_CASES(CASE(a_packet_is_found_by_its_stream_and_number),
          CASE(a_stream_remembers_as_many_as_there_are_places))
