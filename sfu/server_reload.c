#include "media/base/clock.h"
#include "media/base/log.h"
#include "sfu/access.h"
#include "sfu/config_reload.h"
#include "sfu/limits.h"
#include "sfu/server_internal.h"
#include "sfu/session_caps.h"
#include "sfu/start.h"
#include "sfu/webhooks.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

/* Other settings while the server runs. */

struct tally {
    uint32_t changed, waiting;
};

static void log_change(void *owner, const struct config_change *change)
{
    struct tally *tally = owner;

    if (change->restart) {
        tally->waiting++;
        log_warn("config",
                 "a setting differs, but needs a restart: key=%s before=\"%s\" after=\"%s\"",
                 change->key, change->before, change->after);
        return;
    }
    tally->changed++;
    log_info("config", "a setting changes: key=%s before=\"%s\" after=\"%s\"", change->key,
             change->before, change->after);
}

/* What those do who have copies. */
static int apply(struct server *s, int64_t now_us)
{
    struct directory_limits limits = server_directory_limits(s);
    const struct directory_room *room = NULL;
    struct http_config http;
    size_t cursor = 0;
    int err, failed = 0;

    log_set_level((enum log_level)s->config.log_level);
    log_set_format((enum log_format)s->config.log_format);
    directory_set_limits(s->host.directory, &limits);
    limits_set(s->host.limits, &s->config);
    start_configure_http(&s->config, &http);
    err = http_server_reconfigure(s->http, &http);
    failed = err < 0 ? err : failed;
    err = webhooks_configure(s->webhooks, &s->config);
    failed = err < 0 ? err : failed;
    server_refresh_candidates(s, now_us);
    while ((room = directory_next_room(s->host.directory, &cursor)))
        session_caps_settle_room(&s->host, directory_room_name(room));
    return failed;
}

/* The keys are read by the settings' names for them: those first, for a file may be broken. */
static int take(struct server *s, const struct config *next, struct config_error *error)
{
    struct config *before = malloc(sizeof(*before));
    int err;

    if (!before)
        return start_fail(error, -ENOMEM, "out of memory");
    *before = s->config;
    err = config_take(&s->config, next, error);
    if (err == 0) {
        err = access_reload(s->host.access, error);
        if (err < 0)
            s->config = *before;
    }
    free(before);
    return err;
}

static int reload(struct server *s, struct config *next, struct config_error *error)
{
    struct config *before = malloc(sizeof(*before));
    struct tally tally = {0};
    int err;

    if (!before)
        return start_fail(error, -ENOMEM, "out of memory");
    *before = s->config;
    err = s->loader.load ? s->loader.load(s->loader.owner, next, error) : 0;
    if (err == 0) {
        start_fit_descriptors(next);
        err = take(s, next, error);
    }
    if (err == 0) {
        config_compare(before, next, log_change, &tally);
        if (apply(s, clock_now_us()) < 0)
            log_error("config", "out of memory: not all settings have changed");
        log_info("config", "settings were read again: changed=%" PRIu32 " need_restart=%" PRIu32,
                 tally.changed, tally.waiting);
    }
    free(before);
    return err;
}

void server_set_loader(struct server *s, const struct server_loader *loader)
{
    s->loader = *loader;
}

int server_reload(struct server *s)
{
    struct config *next = malloc(sizeof(*next));
    struct config_error error;
    int err;

    if (!next)
        return -ENOMEM;
    *next = s->config;
    err = reload(s, next, &error);
    if (err < 0)
        log_error("config", "the settings stay as they are: error=\"%s\"", error.message);
    (void)server_reload_certificate(s);
    free(next);
    return err;
}
