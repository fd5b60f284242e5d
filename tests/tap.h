/**
 * @file tap.h  Test harness: cases are functions named for what must hold; output is TAP.
 *
 * A case ends at its first failed check. Checks and SKIP() belong to the thread that runs the
 * cases. With arguments, a test runs only the cases whose names contain one of them.
 */
#ifndef TESTS_TAP_H
#define TESTS_TAP_H

#include <inttypes.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tap_case {
    const char *name;
    void (*run)(void);
};

enum tap_end { TAP_RUNNING, TAP_FAILED, TAP_SKIPPED };

static jmp_buf tap_case_end;
static const char *tap_skip_reason = "";

/** End the current case. */
__attribute__((noreturn)) static inline void tap_end(enum tap_end how)
{
    longjmp(tap_case_end, (int)how); /* NOLINT(cert-err52-cpp): no destructors to miss in C */
}

static inline void tap_check(bool holds, const char *text, const char *file, int line)
{
    if (holds)
        return;
    printf("# %s:%d: %s\n", file, line, text);
    tap_end(TAP_FAILED);
}

static inline void tap_check_eq(intmax_t a, intmax_t b, const char *text, const char *file,
                                int line)
{
    if (a == b)
        return;
    printf("# %s:%d: %s: %" PRIdMAX " is not %" PRIdMAX "\n", file, line, text, a, b);
    tap_end(TAP_FAILED);
}

static inline void tap_check_str(const char *a, const char *b, const char *text, const char *file,
                                 int line)
{
    if (a == b || (a && b && strcmp(a, b) == 0))
        return;
    printf("# %s:%d: %s: \"%s\" is not \"%s\"\n", file, line, text, a ? a : "(NULL)",
           b ? b : "(NULL)");
    tap_end(TAP_FAILED);
}

static inline void tap_check_mem(const void *a, const void *b, size_t len, const char *text,
                                 const char *file, int line)
{
    const uint8_t *left = a;
    const uint8_t *right = b;
    size_t at = 0;

    while (at < len && left[at] == right[at])
        at++;
    if (at == len)
        return;
    printf("# %s:%d: %s: byte %zu of %zu: 0x%02x is not 0x%02x\n", file, line, text, at, len,
           left[at], right[at]);
    tap_end(TAP_FAILED);
}

/** The condition holds. */
#define CHECK(condition) tap_check(condition, #condition, __FILE__, __LINE__)

/** Two integers (or enums, bools) are equal. */
#define CHECK_EQ(a, b) tap_check_eq((intmax_t)(a), (intmax_t)(b), #a " == " #b, __FILE__, __LINE__)

/** Two C strings are equal; either may be NULL. */
#define CHECK_STR(a, b) tap_check_str(a, b, #a " == " #b, __FILE__, __LINE__)

/** `len` bytes are equal. */
#define CHECK_MEM(a, b, len) tap_check_mem(a, b, len, #a " == " #b, __FILE__, __LINE__)

/** Leave the case: what it needs is missing here. `why` is a string constant. */
#define SKIP(why) (tap_skip_reason = (why), tap_end(TAP_SKIPPED))

static inline bool tap_wanted(const char *name, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strstr(name, argv[i]))
            return true;
    }
    return argc < 2;
}

/* One case; its name in words. */
static inline bool tap_run_case(const struct tap_case *test, size_t number)
{
    int how = setjmp(tap_case_end);

    if (how == TAP_RUNNING)
        test->run();
    printf("%sok %zu - ", how == TAP_FAILED ? "not " : "", number);
    for (const char *c = test->name; *c; c++)
        putchar(*c == '_' ? ' ' : *c);
    if (how == TAP_SKIPPED)
        printf(" # SKIP %s", tap_skip_reason);
    putchar('\n');
    return how != TAP_FAILED;
}

static inline int tap_run(const struct tap_case *cases, size_t count, int argc, char **argv)
{
    size_t number = 0;
    bool passed = true;

    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    for (size_t i = 0; i < count; i++) {
        if (tap_wanted(cases[i].name, argc, argv))
            passed = tap_run_case(&cases[i], ++number) && passed;
    }
    printf("1..%zu\n", number);
    return passed ? EXIT_SUCCESS : EXIT_FAILURE;
}

/** One row of TAP_CASES(): a `static void name(void)`. */
#define CASE(function)                       \
    {                                        \
        .name = #function, .run = (function) \
    }

/** At the end of a test file: TAP_CASES(CASE(this_holds), CASE(that_holds)) is its main(). */
#define TAP_CASES(...)                                                       \
    int main(int argc, char **argv)                                          \
    {                                                                        \
        static const struct tap_case cases[] = {__VA_ARGS__};                \
                                                                             \
        return tap_run(cases, sizeof(cases) / sizeof(cases[0]), argc, argv); \
    }

#endif
