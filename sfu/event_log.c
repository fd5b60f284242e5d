#include "sfu/event_log.h"

#include <stdlib.h>
#include <string.h>

/* Take the entry that *at points to out, and free it. */
static void take_out(struct event_log *l, struct event_log_entry **at)
{
    struct event_log_entry *entry = *at;

    *at = entry->next;
    if (l->end == &entry->next)
        l->end = l->first ? at : NULL;
    l->n--;
    l->bytes -= entry->len;
    free(entry);
}

static void forget_first(struct event_log *l)
{
    l->forgotten_seq = l->first->seq;
    take_out(l, &l->first);
}

void event_log_done(struct event_log *l)
{
    while (l->first)
        forget_first(l);
    *l = (struct event_log){0};
}

static void drop_type(struct event_log *l, int type)
{
    for (struct event_log_entry **at = &l->first; *at; at = &(*at)->next) {
        if ((*at)->type != type)
            continue;
        take_out(l, at);
        return;
    }
}

void event_log_forget(struct event_log *l, uint64_t seq)
{
    while (l->first)
        forget_first(l);
    l->forgotten_seq = seq;
}

void event_log_put(struct event_log *l, uint64_t seq, int type, const char *json, size_t len,
                   bool only_last)
{
    struct event_log_entry *entry;

    if (only_last)
        drop_type(l, type);
    entry = len <= EVENT_LOG_MAX_BYTES ? malloc(sizeof(*entry) + len) : NULL;
    if (!entry) {
        event_log_forget(l, seq);
        return;
    }
    while (l->n == EVENT_LOG_MAX_EVENTS || l->bytes > EVENT_LOG_MAX_BYTES - len)
        forget_first(l);
    entry->next = NULL;
    entry->seq = seq;
    entry->type = type;
    entry->len = (uint32_t)len;
    memcpy(entry->json, json, len);
    if (!l->end)
        l->end = &l->first;
    *l->end = entry;
    l->end = &entry->next;
    l->n++;
    l->bytes += (uint32_t)len;
}

void event_log_confirm(struct event_log *l, uint64_t seq)
{
    while (l->first && l->first->seq <= seq)
        forget_first(l);
}

bool event_log_reaches(const struct event_log *l, uint64_t seq)
{
    return seq >= l->forgotten_seq;
}

const struct event_log_entry *event_log_next(const struct event_log *l, uint64_t seq)
{
    const struct event_log_entry *entry = l->first;

    while (entry && entry->seq <= seq)
        entry = entry->next;
    return entry;
}
