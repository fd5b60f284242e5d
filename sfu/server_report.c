#include "sfu/server_report.h"

#include "media/base/clock.h"
#include "media/base/text.h"
#include "sfu/directory.h"
#include "sfu/forwarder.h"
#include "sfu/limits.h"
#include "sfu/process_usage.h"
#include "sfu/server.h"
#include "sfu/session.h"
#include "sfu/webhooks.h"
#include "signaling/http_server.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

/** A counter of the workers. */
struct metric {
    const char *name; /* without "sluice_"; "_total" makes it a counter */
    size_t offset;    /* in struct forwarder_stats */
    const char *help;
};

#define METRIC(metric_name, member, what)                                                         \
    {                                                                                             \
        .name = (metric_name), .offset = offsetof(struct forwarder_stats, member), .help = (what) \
    }

static const struct metric metrics[] = {
    METRIC("participants", participants, "Participants on the worker now"),
    METRIC("tracks", tracks, "Published tracks now, replicas of other workers' included"),
    METRIC("subscriptions", subscriptions, "Slots now, free ones included"),
    METRIC("participants_joined_total", joined, "Participants that joined"),
    METRIC("participants_connected_total", connected, "Participants whose media connected"),
    METRIC("participants_failed_total", failed, "Participants whose media could not connect"),
    METRIC("participants_left_total", left, "Participants that left"),
    METRIC("receive_datagrams_total", receive_datagrams, "Datagrams received"),
    METRIC("receive_bytes_total", receive_bytes, "Bytes received"),
    METRIC("send_datagrams_total", send_datagrams, "Datagrams sent"),
    METRIC("send_bytes_total", send_bytes, "Bytes sent"),
    METRIC("rtp_in_total", rtp_in, "RTP packets received"),
    METRIC("rtcp_in_total", rtcp_in, "RTCP compounds received"),
    METRIC("rtp_out_total", rtp_out, "RTP packets sent for the first time"),
    METRIC("rtx_out_total", rtx_out, "RTP packets sent again"),
    METRIC("padded_out_total", padded_out, "Packets padded to be sent as one with others"),
    METRIC("padding_bytes_out_total", padding_bytes_out, "Bytes of that padding"),
    METRIC("padding_in_total", padding_in, "Packets received that are padding alone"),
    METRIC("recovered_in_total", recovered_in, "Packets received again after a loss"),
    METRIC("silence_left_out_total", silence_left_out, "Packets of silence that were not sent on"),
    METRIC("nacks_out_total", nacks_out, "Packets asked of publishers again"),
    METRIC("nacks_in_total", nacks_in, "Packets that subscribers asked for again"),
    METRIC("nacks_unknown_total", nack_unknown, "Of those: never sent, or of another stream"),
    METRIC("nacks_gone_total", nack_gone, "Of those: no longer kept"),
    METRIC("nacks_limited_total", nack_limited, "Of those: asked for too often or too much"),
    METRIC("lost_in_total", lost_in, "Losses of publishers that needed a key frame"),
    METRIC("key_frames_out_total", key_frames_out, "Key frames asked of publishers"),
    METRIC("key_frames_in_total", key_frames_in, "Key frames that subscribers asked for"),
    METRIC("key_frames_answered_total", key_frames_answered, "Of those: on their way already"),
    METRIC("key_frames_limited_total", key_frames_limited, "Of those: too many of one subscriber"),
    METRIC("feedback_out_total", feedback_out, "Transport-wide feedback packets sent"),
    METRIC("feedback_in_total", feedback_in, "Transport-wide feedback packets received"),
    METRIC("probe_out_total", probe_out, "Packets sent to find out what a path carries"),
    METRIC("probe_bytes_out_total", probe_bytes_out, "Their bytes"),
    METRIC("estimates_total", estimates, "How often what a path carries was looked at"),
    METRIC("relay_out_total", relay_out, "Packets handed to other workers"),
    METRIC("relay_out_batches_total", relay_out_batches, "Batches of those"),
    METRIC("relay_in_batches_total", relay_in_batches, "Batches of packets from other workers"),
    METRIC("relay_in_total", relay_in, "Packets from other workers"),
    METRIC("tcp_paths", tcp_paths, "Media connections over TCP now"),
    METRIC("tcp_accepted_total", tcp_accepted, "Media connections over TCP that came"),
    METRIC("tcp_refused_total", tcp_refused, "Of those: over a limit, or no ICE check came first"),
    METRIC("tcp_expired_total", tcp_expired, "Of those: closed, as they were nobody's, or silent"),
    METRIC("drop_tcp_total", drop_tcp, "Datagrams that had no place on a TCP connection"),
    METRIC("drop_send_total", drop_send, "Datagrams that the kernel did not take"),
    METRIC("drop_pool_total", drop_pool, "Datagrams received while no buffer was left"),
    METRIC("drop_unknown_total", drop_unknown, "Datagrams of nobody we know"),
    METRIC("drop_kind_total", drop_kind, "Datagrams of no kind we know"),
    METRIC("drop_ice_total", drop_ice, "STUN that is malformed or not authentic"),
    METRIC("drop_transport_total", drop_transport, "Media that is not authentic, or replayed"),
    METRIC("drop_unrouted_total", drop_unrouted, "RTP of no track"),
    METRIC("drop_payload_type_total", drop_payload_type, "RTP in a format not agreed on"),
    METRIC("drop_muted_total", drop_muted, "RTP of muted tracks"),
    METRIC("drop_duplicate_total", drop_duplicate, "RTP that was here already"),
    METRIC("drop_rtx_total", drop_rtx, "RTX that is malformed"),
    METRIC("drop_relay_total", drop_relay, "Packets for a worker too far behind"),
    METRIC("drop_unasked_total", drop_unasked, "Packets of other workers nobody wants"),
    METRIC("drop_codec_total", drop_codec, "Packets a subscriber has no format for"),
    METRIC("drop_waiting_total", drop_waiting, "Packets before a subscriber's key frame"),
    METRIC("drop_old_total", drop_old, "Packets from before a subscriber's stream began"),
    METRIC("drop_queue_total", drop_queue, "Packets for a subscriber with a full queue"),
    METRIC("drop_rtcp_total", drop_rtcp, "Malformed RTCP"),
    METRIC("drop_view_total", drop_view, "Views of no slot, or of too many tracks"),
    METRIC("drop_memory_total", drop_memory, "What was left out for lack of memory"),
};

static void write_head(struct text *out, const char *name, const char *type, const char *help)
{
    text_printf(out, "# HELP sluice_%s %s\n# TYPE sluice_%s %s\n", name, help, name, type);
}

static const char *type_of(const char *name)
{
    size_t len = strlen(name);

    return len > 6 && strcmp(name + len - 6, "_total") == 0 ? "counter" : "gauge";
}

static void write_metric(const struct metric *m, const struct server_report *source,
                         struct text *out)
{
    write_head(out, m->name, type_of(m->name), m->help);
    for (uint32_t i = 0; i < source->status->workers; i++) {
        uint64_t value;

        memcpy(&value, (const char *)&source->workers[i] + m->offset, sizeof(value));
        text_printf(out, "sluice_%s{worker=\"%" PRIu32 "\"} %" PRIu64 "\n", m->name, i, value);
    }
}

static void write_value(struct text *out, const char *name, const char *help, uint64_t value)
{
    write_head(out, name, type_of(name), help);
    text_printf(out, "sluice_%s %" PRIu64 "\n", name, value);
}

/* How many are well off, and how many not. */
static void write_scores(const struct server_report *source, struct text *out)
{
    static const char *const words[] = {"bad", "fair", "good"};
    uint64_t n[ARRAY_LEN(words)] = {0};
    const struct directory_room *room = NULL;
    size_t cursor = 0;

    while ((room = directory_next_room(source->directory, &cursor))) {
        struct directory_member *m = NULL;

        while ((m = directory_next_member(room, m))) {
            const struct message_quality *q = session_quality(session_of(m));

            if (q)
                n[q->score >= 70 ? 2 : q->score >= 30]++;
        }
    }
    write_head(out, "participants_quality", "gauge", "Participants by how well it goes for them");
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        text_printf(out, "sluice_participants_quality{level=\"%s\"} %" PRIu64 "\n", words[i], n[i]);
}

static void write_limits(const struct limits_stats *limits, struct text *out)
{
    const struct {
        const char *what;
        uint64_t n;
    } refused[] = {
        {"joins", limits->joins},           {"failures", limits->failures},
        {"identities", limits->identities}, {"messages", limits->messages},
        {"bytes", limits->bytes},           {"changes", limits->changes},
        {"views", limits->views},
    };

    write_head(out, "rate_limited_total", "counter", "What was refused because it came too often");
    for (size_t i = 0; i < ARRAY_LEN(refused); i++)
        text_printf(out, "sluice_rate_limited_total{what=\"%s\"} %" PRIu64 "\n", refused[i].what,
                    refused[i].n);
    write_value(out, "rate_dismissed_total", "Sessions ended as they did not wait",
                limits->dismissed);
}

static void write_webhooks(const struct webhook_stats *stats, struct text *out)
{
    write_value(out, "webhook_events_total", "Events there were receivers for", stats->events);
    write_value(out, "webhook_queued", "Events that wait for their receiver, now", stats->queued);
    write_value(out, "webhook_delivered_total", "Events that a receiver has taken",
                stats->counters.delivered);
    write_value(out, "webhook_failed_tries_total", "Times that a receiver has not taken one",
                stats->counters.failed_tries);
    write_value(out, "webhook_dropped_total", "Events that a receiver will not get",
                stats->counters.dropped);
}

static void write_http(const struct http_stats *http, struct text *out)
{
    write_value(out, "http_connections", "HTTP connections and WebSockets now", http->connections);
    write_value(out, "websockets", "WebSockets now", http->open_websockets);
    write_value(out, "websockets_opened_total", "WebSockets opened", http->websockets);
    write_value(out, "http_requests_total", "HTTP requests understood", http->requests);
    write_value(out, "http_refused_total", "HTTP connections over a limit", http->refused);
    write_value(out, "http_bad_requests_total", "HTTP requests that were not understood",
                http->bad_requests);
    write_value(out, "tls_errors_total", "TLS handshakes that failed or took too long",
                http->tls_errors);
    write_value(out, "messages_in_total", "Messages from clients", http->messages_in);
    write_value(out, "messages_out_total", "Messages to clients", http->messages_out);
    write_value(out, "websocket_errors_total", "WebSockets closed for what they did",
                http->ws_errors);
    write_value(out, "accept_errors_total", "Connections there was no descriptor for",
                http->accept_errors);
    write_value(out, "http_too_fast_total",
                "Of the refused: from an address that opened too many in a second", http->too_fast);
}

/* By the names that every program has. */
static void write_process(const struct process_usage *usage, struct text *out)
{
    const struct {
        const char *name, *type, *help;
        uint64_t value;
    } rows[] = {
        {"resident_memory_bytes", "gauge", "Memory in use", usage->resident_bytes},
        {"virtual_memory_bytes", "gauge", "Address space in use", usage->virtual_bytes},
        {"open_fds", "gauge", "Descriptors in use", usage->descriptors},
        {"max_fds", "gauge", "Descriptors that may be in use", usage->max_descriptors},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        text_printf(out, "# HELP process_%s %s\n# TYPE process_%s %s\nprocess_%s %" PRIu64 "\n",
                    rows[i].name, rows[i].help, rows[i].name, rows[i].type, rows[i].name,
                    rows[i].value);
    }
    text_printf(out,
                "# HELP process_cpu_seconds_total CPU time of all threads\n"
                "# TYPE process_cpu_seconds_total counter\n"
                "process_cpu_seconds_total %" PRId64 ".%06" PRId64 "\n",
                usage->cpu_us / SECOND, usage->cpu_us % SECOND);
}

static void write_build(struct text *out)
{
    write_head(out, "build_info", "gauge", "What runs here");
    text_append(out, "sluice_build_info{version=\"" SLUICE_VERSION "\"} 1\n");
}

void server_report_metrics(const struct server_report *source, struct text *out)
{
    const struct server_status *status = source->status;

    write_build(out);
    write_process(source->process, out);
    write_value(out, "rooms", "Rooms now", status->rooms);
    write_value(out, "sessions", "WebSockets, WHIP and WHEP sessions now", status->sessions);
    write_value(out, "uptime_seconds", "Since the start", (uint64_t)status->uptime_s);
    write_value(out, "draining", "1 while nobody new is let in", status->draining);
    write_value(out, "stopping", "1 while the server is stopping", status->stopping);
    write_http(source->http, out);
    if (source->limits)
        write_limits(source->limits, out);
    write_webhooks(source->webhooks, out);
    for (size_t i = 0; i < ARRAY_LEN(metrics); i++)
        write_metric(&metrics[i], source, out);
    write_scores(source, out);
}
