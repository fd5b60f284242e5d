#include "media/base/random.h"

#include "media/base/attributes.h"
#include "tests/tap.h"

#include <ctype.h>

static void every_byte_is_filled_and_no_more(void)
{
    uint8_t seen[65] = {0};

    for (int tries = 0; tries < 64; tries++) {
        uint8_t bytes[65] = {0};

        random_bytes(bytes, 64);
        for (size_t i = 0; i < ARRAY_LEN(bytes); i++)
            seen[i] |= bytes[i];
    }
    for (size_t i = 0; i < 64; i++)
        CHECK(seen[i] != 0);
    CHECK_EQ(seen[64], 0);
}

static void numbers_differ(void)
{
    CHECK(random_u64() != random_u64());
    CHECK(random_u32() != random_u32() || random_u32() != random_u32());
}

static void name_has_its_length_and_alphabet(void)
{
    char name[301];

    for (size_t len = 0; len < sizeof(name); len++) {
        random_name(name, len);
        CHECK_EQ(strlen(name), len);
        for (size_t i = 0; i < len; i++)
            CHECK(isalnum((unsigned char)name[i]));
    }
}

static void names_use_every_letter(void)
{
    bool seen[256] = {0};
    char name[4001];
    size_t letters = 0;

    random_name(name, sizeof(name) - 1);
    for (size_t i = 0; i < sizeof(name) - 1; i++) {
        letters += !seen[(unsigned char)name[i]];
        seen[(unsigned char)name[i]] = true;
    }
    CHECK_EQ(letters, 62);
}

TAP_CASES(CASE(every_byte_is_filled_and_no_more), CASE(numbers_differ),
          CASE(name_has_its_length_and_alphabet), CASE(names_use_every_letter))
