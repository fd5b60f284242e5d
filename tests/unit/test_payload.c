#include "media/payload.h"

#include "tests/tap.h"

#include <errno.h>

/* Two redundant blocks of 3 and 2 bytes, and the primary one. */
static const uint8_t RED[] = {0x80 | 111, 0x0f, 0x00, 3,   0x80 | 111, 0x07, 0x80, 2,
                              111,        'a',  'a',  'a', 'b',        'b',  'c'};

static void red_primary_is_the_last_block(void)
{
    CHECK_EQ(payload_red_primary(RED, sizeof(RED)), 14);
    CHECK_EQ(payload_red_primary((const uint8_t[]){111, 5}, 2), 1);
    CHECK_EQ(payload_red_primary(RED, 14), 14); /* empty: nothing to say */
    CHECK_EQ(payload_red_primary(RED, 13), -EBADMSG);
    for (size_t len = 0; len < 9; len++)
        CHECK_EQ(payload_red_primary(RED, len), -EBADMSG);
}

static void red_is_written_as_it_is_read(void)
{
    static const struct red_block blocks[] = {
        {.data = (const uint8_t *)"c", .len = 1},
        {.data = (const uint8_t *)"bb", .len = 2, .age = 480},
        {.data = (const uint8_t *)"aaa", .len = 3, .age = 960},
    };
    uint8_t out[sizeof(RED)];

    CHECK_EQ(payload_red_write(111, blocks, 3, out, sizeof(out)), sizeof(RED));
    CHECK_MEM(out, RED, sizeof(RED));
    CHECK_EQ(payload_red_write(111, blocks, 3, out, sizeof(out) - 1), -EMSGSIZE);
    CHECK_EQ(payload_red_write(111, blocks, 1, out, sizeof(out)), 2);
    CHECK_MEM(out, "oc", 2);
    CHECK_EQ(payload_red_primary(out, 2), 1);
}

static void red_headers_get_another_payload_type(void)
{
    static const uint8_t expected[] = {0x80 | 63, 0x0f, 0x00, 3, 0x80 | 63, 0x07, 0x80, 2, 63};
    uint8_t out[sizeof(expected)];

    CHECK_EQ(payload_red_headers(RED, sizeof(RED), 63, out, sizeof(out)), sizeof(out));
    CHECK_MEM(out, expected, sizeof(out));
    CHECK_EQ(payload_red_headers(RED, sizeof(RED), 63, out, sizeof(out) - 1), -EMSGSIZE);
    CHECK_EQ(payload_red_headers(RED, 13, 63, out, sizeof(out)), -EBADMSG);
}

TAP_CASES(CASE(red_primary_is_the_last_block), CASE(red_is_written_as_it_is_read),
          CASE(red_headers_get_another_payload_type))
