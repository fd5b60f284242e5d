/* The certificate of the signaling port. */
#include "sfu/server_internal.h"

#include "media/base/clock.h"
#include "media/base/log.h"
#include "sfu/start.h"
#include "signaling/tls.h"

#include <errno.h>
#include <inttypes.h>

enum {
    CHECK_S = 5, /* the files are looked at so often */
    DAY_S = 86400,
    WARN_DAYS = 7, /* renewals come 30 days before the end: something is wrong then */
};

/* Browsers refuse it after that. */
static void warn_of_expiry(const struct server *s)
{
    int64_t left_s = tls_server_expires_s(s->tls) - clock_wall_us() / SECOND;

    if (left_s < 0)
        log_warn("server", "the certificate has expired: renew %s", s->config.tls_cert);
    else if (left_s < WARN_DAYS * DAY_S)
        log_warn("server", "the certificate expires soon: days=%" PRId64 "; renew %s",
                 left_s / DAY_S, s->config.tls_cert);
}

int server_open_tls(struct server *s, struct config_error *error)
{
    const char *cert = s->config.tls_cert;
    const char *key = s->config.tls_key[0] ? s->config.tls_key : cert;
    char why[TLS_ERROR_SIZE];
    int err;

    if (!cert[0])
        return 0;
    err = tls_server_new(&s->tls, cert, key, why);
    if (err < 0)
        return start_fail(error, err, "%s", why);
    warn_of_expiry(s);
    s->tls_checked_us = s->started_us;
    return 0;
}

static int tell(const struct server *s, int err, const char *why)
{
    if (err < 0) {
        log_error("server", "the new certificate is not used, the old one stays: %s", why);
        return err;
    }
    log_info("server", "the certificate was read anew: file=%s", s->config.tls_cert);
    warn_of_expiry(s);
    return 0;
}

int server_reload_certificate(struct server *s)
{
    char why[TLS_ERROR_SIZE];

    return s->tls ? tell(s, tls_server_reload(s->tls, why), why) : 0;
}

void server_check_tls(struct server *s, int64_t now_us)
{
    char why[TLS_ERROR_SIZE];
    int changed;

    if (!s->tls || now_us - s->tls_checked_us < CHECK_S * SECOND)
        return;
    s->tls_checked_us = now_us;
    changed = tls_server_check(s->tls, why);
    if (changed != 0)
        (void)tell(s, changed, why);
}
