/**
 * @file server_report.h  Metrics for Prometheus. What is said of quality is at most a few seconds
 * old: it is what clients were told last (MAIL_QUALITY). Thread: control.
 */
#ifndef SFU_SERVER_REPORT_H
#define SFU_SERVER_REPORT_H

#include <stdint.h>

struct directory;
struct forwarder_stats;
struct http_stats;
struct limits_stats;
struct process_usage;
struct server_status;
struct text;
struct webhook_stats;

/** What is reported on; borrowed for the call. */
struct server_report {
    const struct directory *directory;
    const struct server_status *status;
    const struct http_stats *http;
    const struct limits_stats *limits;     /* NULL: none are kept */
    const struct forwarder_stats *workers; /* status->workers of them */
    const struct webhook_stats *webhooks;
    const struct process_usage *process;
};

/** Append all metrics in Prometheus' text format. */
void server_report_metrics(const struct server_report *source, struct text *out);

#endif
