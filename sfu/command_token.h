/** @file command_token.h  The command `sluice token`: print a token. */
#ifndef SFU_COMMAND_TOKEN_H
#define SFU_COMMAND_TOKEN_H

#include "media/base/attributes.h"
#include "signaling/grants.h"

#include <stdbool.h>
#include <stdint.h>

enum { TOKEN_OPTION_ERROR_MAX = 256 };

/** The command line of `sluice token`. Strings are of argv. */
struct token_options {
    struct grants grants; /* without expiry */
    const char *key;      /* NULL: those of the settings */
    const char *config;   /* file with settings; NULL: none is named */
    int64_t ttl_s;        /* 0: it never expires */
    bool help;
};

/**
 * @param argv   argv[0] is the name of the command
 * @param error  on failure says what is wrong
 * @return 0 (also if help is set: nothing else counts then); -EINVAL
 */
MUST_USE int token_options_parse(struct token_options *ret, int argc, const char *const *argv,
                                 char error[TOKEN_OPTION_ERROR_MAX]);

/** Run it. @return exit code: 1 if a key cannot be used, 2 for a wrong command line */
int command_token(int argc, char **argv);

#endif
