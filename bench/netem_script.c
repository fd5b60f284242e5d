#include "bench/netem_script.h"

#include "media/base/clock.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WORD_MAX = 63, /* bytes of a word, or of a value */
    MAX_OVERHEAD = 200,
    MAX_BURST = 10000,
};
static const double max_time_us = 24.0 * 3600 * SECOND;
static const double max_bytes = 1e9;
static const double min_bps = 1000;
static const double max_bps = 100e9;

enum key {
    KEY_RATE,
    KEY_QUEUE,
    KEY_DELAY,
    KEY_JITTER,
    KEY_LOSS,
    KEY_BURST,
    KEY_REORDER,
    KEY_DUPLICATE,
    KEY_BLACKOUT,
    KEY_OVERHEAD,
    KEY_SEED,
    KEY_AT,
    KEYS
};

static const char *const key_names[KEYS] = {"rate",     "queue",    "delay",   "jitter",
                                            "loss",     "burst",    "reorder", "duplicate",
                                            "blackout", "overhead", "seed",    "at"};

/* How to write the value of a key, for those who did not. */
static const char *const key_forms[KEYS] = {
    "bit/s from 1k to 100G, or none",
    "bytes as 64k, or a time as 200ms",
    "a time as 50ms",
    "a time as 10ms",
    "a share as 5% or 0.05",
    "a share and a length as 1%/8",
    "a share as 2%, or a share and a time as 2%/30ms",
    "a share as 1%",
    "on, off, or a time and a period as 2s/30s",
    "bytes, at most 200",
    "a number",
    "a time as 10s",
};

const char *netem_direction_name(enum netem_direction d)
{
    return d == NETEM_UP ? "up" : "down";
}

static int complain(char *error, const char *format, ...) PRINTF_LIKE(2, 3);
static int complain(char *error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(error, NETEM_SCRIPT_ERROR_MAX, format, args);
    va_end(args);
    return -EINVAL;
}

/* --- values */

/* Read the number that `text` begins with. @return what follows it, or NULL: there is none */
static const char *read_number(const char *text, double *ret)
{
    size_t digits = strspn(text, "0123456789.");
    char *end;

    if (digits == 0)
        return NULL;
    *ret = strtod(text, &end); /* signs, "inf" and "nan" begin with no digit */
    return end == text + digits ? end : NULL;
}

struct unit {
    const char *name;
    double factor;
};

/* Read a number with one of `units`, at most `max`. */
static bool read_scaled(const char *text, const struct unit *units, double max, double *ret)
{
    double value;
    const char *unit = read_number(text, &value);

    if (!unit)
        return false;
    for (; units->name; units++) {
        if (strcmp(unit, units->name) == 0) {
            *ret = value * units->factor;
            return *ret <= max;
        }
    }
    return unit[0] == '\0' && value == 0 && (*ret = 0, true);
}

static bool read_time(const char *text, int64_t *ret_us)
{
    static const struct unit units[] = {{"us", 1},
                                        {"ms", (double)MS},
                                        {"s", (double)SECOND},
                                        {"m", 60 * (double)SECOND},
                                        {NULL, 0}};
    double value;

    if (!read_scaled(text, units, max_time_us, &value))
        return false;
    *ret_us = llround(value);
    return true;
}

static bool read_amount(const char *text, double max, double *ret)
{
    static const struct unit units[] = {{"", 1}, {"k", 1e3}, {"M", 1e6}, {"G", 1e9}, {NULL, 0}};

    return read_scaled(text, units, max, ret);
}

static bool read_share(const char *text, double *ret)
{
    static const struct unit units[] = {{"", 1}, {"%", 0.01}, {NULL, 0}};

    return read_scaled(text, units, 1, ret);
}

/* Cut `text` at its slash. @return what follows it, or NULL: there is none */
static char *cut(char *text)
{
    char *slash = strchr(text, '/');

    if (!slash)
        return NULL;
    *slash = '\0';
    return slash + 1;
}

static bool read_rate(const char *text, struct netem_config *c)
{
    double value;

    if (strcmp(text, "none") == 0) {
        c->rate_bps = 0;
        return true;
    }
    if (!read_amount(text, max_bps, &value) || value < min_bps)
        return false;
    c->rate_bps = (uint64_t)value;
    return true;
}

static bool read_queue(const char *text, struct netem_config *c)
{
    double bytes;

    c->queue_bytes = 0;
    c->queue_us = 0;
    if (read_amount(text, max_bytes, &bytes) && bytes >= 1) {
        c->queue_bytes = (size_t)bytes;
        return true;
    }
    return read_time(text, &c->queue_us) && c->queue_us > 0;
}

static bool read_burst(char *text, struct netem_config *c)
{
    const char *len = cut(text);
    double value = 0;

    if (!read_share(text, &c->burst_start) || (!len && c->burst_start > 0))
        return false;
    if (len && (!read_amount(len, MAX_BURST, &value) || value < 1))
        return false;
    c->burst_len = value;
    return true;
}

static bool read_reorder(char *text, struct netem_config *c)
{
    const char *time = cut(text);

    c->reorder_us = 0;
    return read_share(text, &c->reorder) &&
           (!time || (read_time(time, &c->reorder_us) && c->reorder_us > 0));
}

static bool read_blackout(char *text, struct netem_config *c)
{
    const char *period = cut(text);

    c->blackout = !period && strcmp(text, "on") == 0;
    c->blackout_us = 0;
    c->blackout_period_us = 0;
    if (!period)
        return c->blackout || strcmp(text, "off") == 0;
    return read_time(text, &c->blackout_us) && read_time(period, &c->blackout_period_us) &&
           c->blackout_us > 0 && c->blackout_us < c->blackout_period_us;
}

static bool read_whole(const char *text, double max, double *ret)
{
    return text[strspn(text, "0123456789")] == '\0' && read_amount(text, max, ret);
}

static bool read_value(struct netem_statement *s, enum key key, char *text)
{
    struct netem_config *c = &s->values;
    double value = 0;
    bool ok = false;

    switch (key) {
    case KEY_RATE:
        return read_rate(text, c);
    case KEY_QUEUE:
        return read_queue(text, c);
    case KEY_DELAY:
        return read_time(text, &c->delay_us);
    case KEY_JITTER:
        return read_time(text, &c->jitter_us);
    case KEY_LOSS:
        return read_share(text, &c->loss);
    case KEY_BURST:
        return read_burst(text, c);
    case KEY_REORDER:
        return read_reorder(text, c);
    case KEY_DUPLICATE:
        return read_share(text, &c->duplicate);
    case KEY_BLACKOUT:
        return read_blackout(text, c);
    case KEY_OVERHEAD:
        ok = read_whole(text, MAX_OVERHEAD, &value);
        c->overhead = (size_t)value;
        return ok;
    case KEY_SEED:
        ok = read_whole(text, 1e15, &value);
        c->seed = (uint64_t)value;
        return ok;
    case KEY_AT:
        return read_time(text, &s->at_us);
    case KEYS:
        break;
    }
    return false;
}

/* --- statements */

static int read_word(struct netem_statement *s, char *word, char *error)
{
    char *value = strchr(word, '=');

    if (strcmp(word, "up") == 0)
        s->up = true;
    else if (strcmp(word, "down") == 0)
        s->down = true;
    else if (strcmp(word, "clear") == 0)
        s->clear = true;
    else if (!value)
        return complain(error, "\"%s\" is no key=value, and not up, down or clear", word);
    if (!value)
        return 0;
    *value++ = '\0';
    for (int key = 0; key < KEYS; key++) {
        if (strcmp(word, key_names[key]) != 0)
            continue;
        if (s->keys & (1U << key))
            return complain(error, "%s is given twice", word);
        s->keys |= 1U << key;
        if (!read_value(s, (enum key)key, value))
            return complain(error, "%s wants %s", word, key_forms[key]);
        return 0;
    }
    return complain(error, "there is no \"%s\"", word);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

int netem_statement_parse(struct netem_statement *ret, const char *text, size_t len, char *error)
{
    struct netem_statement s = {0};
    char word[WORD_MAX + 1];
    size_t at = 0;
    int words = 0;
    int err;

    for (;;) {
        size_t n = 0;

        while (at < len && is_blank(text[at]))
            at++;
        if (at == len || text[at] == '#')
            break;
        for (; at < len && !is_blank(text[at]) && text[at] != '#'; at++) {
            if (n == WORD_MAX || text[at] < '!' || text[at] > '~')
                return complain(error, "a word is too long or has strange characters");
            word[n++] = text[at];
        }
        word[n] = '\0';
        words++;
        err = read_word(&s, word, error);
        if (err < 0)
            return err;
    }
    if (words == 0)
        return 0;
    if (!s.up && !s.down)
        s.up = s.down = true;
    *ret = s;
    return 1;
}

#define MEMBER(key, member)                                  \
    {                                                        \
        1U << (key), offsetof(struct netem_config, member),  \
            sizeof(((const struct netem_config *)0)->member) \
    }

/* What of a configuration belongs to which key. */
static const struct {
    uint32_t key;
    size_t at, size;
} members[] = {
    MEMBER(KEY_RATE, rate_bps),        MEMBER(KEY_QUEUE, queue_bytes),
    MEMBER(KEY_QUEUE, queue_us),       MEMBER(KEY_DELAY, delay_us),
    MEMBER(KEY_JITTER, jitter_us),     MEMBER(KEY_LOSS, loss),
    MEMBER(KEY_BURST, burst_start),    MEMBER(KEY_BURST, burst_len),
    MEMBER(KEY_REORDER, reorder),      MEMBER(KEY_REORDER, reorder_us),
    MEMBER(KEY_DUPLICATE, duplicate),  MEMBER(KEY_BLACKOUT, blackout),
    MEMBER(KEY_BLACKOUT, blackout_us), MEMBER(KEY_BLACKOUT, blackout_period_us),
    MEMBER(KEY_OVERHEAD, overhead),    MEMBER(KEY_SEED, seed),
};

void netem_statement_apply(const struct netem_statement *s, struct netem_config *config)
{
    if (s->clear)
        *config = (struct netem_config){.seed = config->seed};
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        if (s->keys & members[i].key)
            memcpy((uint8_t *)config + members[i].at, (const uint8_t *)&s->values + members[i].at,
                   members[i].size);
    }
}

/* --- scripts */

void netem_script_init(struct netem_script *s)
{
    *s = (struct netem_script){0};
}

/* Put a statement behind those of its time or before. */
static void insert(struct netem_script *s, const struct netem_statement *statement)
{
    size_t at = s->n++;

    for (; at > 0 && s->waiting[at - 1].at_us > statement->at_us; at--)
        s->waiting[at] = s->waiting[at - 1];
    s->waiting[at] = *statement;
}

/* @return the end of the statement, and of its comment, that begins at `from` */
static size_t end_of_statement(const char *text, size_t len, size_t from)
{
    while (from < len && text[from] != '\n' && text[from] != ';' && text[from] != '#')
        from++;
    if (from < len && text[from] == '#')
        while (from < len && text[from] != '\n')
            from++;
    return from;
}

/* Read all statements; add them if told to. */
static int read_statements(struct netem_script *s, const char *text, size_t len, int64_t now_us,
                           bool add, char *error)
{
    size_t n = s->n;
    size_t line = 1;

    for (size_t from = 0; from < len; from++) {
        struct netem_statement statement = {0};
        char why[NETEM_SCRIPT_ERROR_MAX];
        size_t end = end_of_statement(text, len, from);
        int found = netem_statement_parse(&statement, text + from, end - from, why);

        if (found < 0)
            return complain(error, "line %zu: %s", line, why);
        if (found > 0 && n++ >= NETEM_SCRIPT_MAX) {
            (void)complain(error, "more than %d changes", NETEM_SCRIPT_MAX);
            return -ENOSPC;
        }
        if (found > 0 && add) {
            statement.at_us += now_us;
            insert(s, &statement);
        }
        line += end < len && text[end] == '\n';
        from = end;
    }
    return 0;
}

int netem_script_add(struct netem_script *s, const char *text, size_t len, int64_t now_us,
                     char *error)
{
    int err = read_statements(s, text, len, now_us, false, error);

    return err < 0 ? err : read_statements(s, text, len, now_us, true, error);
}

int64_t netem_script_advance(struct netem_script *s, int64_t now_us,
                             struct netem *const links[NETEM_DIRECTIONS])
{
    size_t due = 0;

    while (due < s->n && s->waiting[due].at_us <= now_us) {
        const struct netem_statement *statement = &s->waiting[due++];

        if (statement->up)
            netem_statement_apply(statement, &s->config[NETEM_UP]);
        if (statement->down)
            netem_statement_apply(statement, &s->config[NETEM_DOWN]);
    }
    for (int d = 0; due > 0 && links && d < NETEM_DIRECTIONS; d++)
        if (links[d])
            netem_change(links[d], &s->config[d]);
    s->n -= due;
    memmove(s->waiting, s->waiting + due, s->n * sizeof(s->waiting[0]));
    return s->n > 0 ? s->waiting[0].at_us : NEVER_US;
}
