#include "sfu/session_limits.h"

#include "sfu/config.h"
#include "sfu/limits.h"
#include "sfu/session_internal.h"

#include <stdio.h>

/* A refused frame is read for its id alone: only where that costs little. */
enum { MAX_READ_REFUSED = 1024 };

void session_limits_set_address(struct session *s, const char *address)
{
    (void)snprintf(s->rates.address, sizeof(s->rates.address), "%s", address);
}

static uint32_t take(struct token_bucket *b, uint32_t per_s, size_t n, int64_t now_us)
{
    uint64_t burst = (uint64_t)per_s * SESSION_LIMITS_BURST_S;

    return token_bucket_take(b, per_s, burst < UINT32_MAX ? (uint32_t)burst : UINT32_MAX,
                             n < UINT32_MAX ? (uint32_t)n : UINT32_MAX, now_us);
}

static void refuse_request(struct session *s, uint64_t id, uint32_t wait_ms, int64_t now_us)
{
    struct limits_stats *stats = limits_stats_of(s->host->limits);
    struct message error = {.type = MESSAGE_ERROR, .id = id};

    if (token_bucket_take(&s->rates.refusals, SESSION_LIMITS_REFUSED_PER_S, SESSION_LIMITS_REFUSALS,
                          1, now_us) > 0) {
        if (stats)
            stats->dismissed++;
        session_dismiss(s, "rate_limited", "too many messages", now_us);
        return;
    }
    (void)limits_refuse(&error, wait_ms, "you ask too often");
    session_send(s, &error);
}

/* @return the id of the request; 0: it has none, or is not worth to be read */
static uint64_t id_of(const char *json, size_t len)
{
    struct message error = {0};
    struct message m;
    uint64_t id;

    if (len > MAX_READ_REFUSED)
        return 0;
    if (message_parse(&m, json, len, &error) < 0)
        return error.id;
    id = m.id;
    message_done(&m);
    return id;
}

bool session_limits_frame(struct session *s, const char *json, size_t len, int64_t now_us)
{
    const struct config *config = s->host->config;
    struct limits_stats *stats = limits_stats_of(s->host->limits);
    uint32_t wait_ms = take(&s->rates.messages, config->max_messages_per_s, 1, now_us);

    if (wait_ms > 0) {
        if (stats)
            stats->messages++;
    } else {
        wait_ms = take(&s->rates.bytes, config->max_bytes_per_s, len, now_us);
        if (wait_ms > 0 && stats)
            stats->bytes++;
    }
    if (wait_ms == 0)
        return true;
    refuse_request(s, id_of(json, len), wait_ms, now_us);
    return false;
}

/* How many tokens a request takes of the bucket for what moves streams to this client. */
static uint32_t views_of(const struct message *m)
{
    if (m->type == MESSAGE_VIEW)
        return m->n_views;
    return m->type == MESSAGE_SUBSCRIBE || m->type == MESSAGE_UNSUBSCRIBE;
}

/* Requests that each of the others in the room may be told of, or that cost a negotiation. */
static bool is_change(const struct message *m)
{
    return m->type == MESSAGE_OFFER || m->type == MESSAGE_MUTE || m->type == MESSAGE_CALL;
}

bool session_limits_request(struct session *s, const struct message *m, int64_t now_us)
{
    const struct config *config = s->host->config;
    struct limits_stats *stats = limits_stats_of(s->host->limits);
    uint32_t n_views = views_of(m);
    uint32_t wait_ms = 0;

    if (n_views > 0) {
        wait_ms = take(&s->rates.views, config->max_views_per_s, n_views, now_us);
        if (wait_ms > 0 && stats)
            stats->views++;
    } else if (is_change(m)) {
        wait_ms = take(&s->rates.changes, config->max_changes_per_s, 1, now_us);
        if (wait_ms > 0 && stats)
            stats->changes++;
    }
    if (wait_ms == 0)
        return true;
    refuse_request(s, m->id, wait_ms, now_us);
    return false;
}

int session_limits_enter(struct session *s, int64_t now_us, struct message *error)
{
    return limits_enter(s->host->limits, s->rates.address, now_us, error);
}

void session_limits_failed(const struct session *s, int64_t now_us)
{
    limits_failed(s->host->limits, s->rates.address, now_us);
}

int session_limits_identify(const struct session *s, int64_t now_us, struct message *error)
{
    return limits_identify(s->host->limits, s->grants.identity, now_us, error);
}
