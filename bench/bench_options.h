/** @file bench_options.h  The command line of sluice-bench. Thread: any, no shared state. */
#ifndef BENCH_BENCH_OPTIONS_H
#define BENCH_BENCH_OPTIONS_H

#include "bench/scenario.h"
#include "media/base/attributes.h"
#include "media/base/text.h"
#include "media/srtp.h"

#include <stdbool.h>
#include <stdint.h>

enum { BENCH_OPTIONS_ERROR_MAX = 255 };

enum target_kind { TARGET_SLUICE, TARGET_WHIP, TARGET_JANUS };
/** @return "sluice", "whip", "janus"; static storage */
const char *target_kind_name(enum target_kind kind);

/** Strings are of argv, or constants; NULL: not given. */
struct bench_options {
    bool help, version, json, gro, quiet, plain, no_reports, poll;
    bool count_syscalls, largest;
    struct scenario scenario;
    enum target_kind target;
    const char *sluice, *janus, *whip, *whep;
    const char *room; /* what names of rooms begin with */
    int64_t bitrate_bps, fps, audio_bytes;
    int64_t seconds, warm_up, timeout;
    int64_t concurrency; /* endpoints that join at a time */
    int64_t feedback_ms; /* between transport-wide feedback of a subscriber; 0: none */
    int64_t verify;      /* endpoints whose packets are decrypted and checked */
    int64_t server_pid;  /* 0: not given */
    enum srtp_profile profile;
};

/**
 * Read the command line.
 *
 * @param error  on failure says what is wrong; room for BENCH_OPTIONS_ERROR_MAX + 1
 * @return 0 (also if help or version is set: nothing else counts then); -EINVAL
 */
MUST_USE int bench_options_parse(struct bench_options *ret, int argc, char *const *argv,
                                 char *error);

/** Append the text of --help. */
void bench_options_help(struct text *out);

#endif
