/** @file report.h  What a run came to, as text. Thread: any, no shared state. */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include "bench/bench_options.h"
#include "bench/load.h"
#include "media/base/text.h"

#include <stdbool.h>

/** Append a table for people, with warnings where figures say little. */
void report_table(struct text *out, const struct bench_options *options,
                  const struct load_result *result);

/** Append one JSON object on one line. What is not known is null. */
void report_json(struct text *out, const struct bench_options *options,
                 const struct load_result *result);

/** @return packets that did not come, of those that should have */
double report_loss_percent(const struct load_result *result);
/** @return CPU time of the server in the window [us]; 0: not known */
double report_server_us(const struct load_result *result);
/** @return true if the generator had too much to do: figures are its own */
bool report_saturated(const struct load_result *result);

/** Why the generator itself is what was measured. @return 0: it is not; NULL ends the list of
 * `ret`, which has room for REPORT_WARNINGS; static storage */
enum { REPORT_WARNINGS = 12 };
int report_warnings(const struct load_result *result, const char *ret[REPORT_WARNINGS]);

#endif
