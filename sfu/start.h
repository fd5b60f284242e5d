/**
 * @file start.h  Starting the parts of a server from its settings, with errors that say what to do.
 */
#ifndef SFU_START_H
#define SFU_START_H

#include "media/base/attributes.h"
#include "sfu/config.h"

#include <stdint.h>

struct event_base;
struct http_config;
struct http_handler;
struct http_server;
struct worker;
struct worker_config;

/** Write `error`. @return `err` */
int start_fail(struct config_error *error, int err, const char *format, ...) PRINTF_LIKE(3, 4);

/** Raise the limit of descriptors as far as we may, and lower max_connections to what it allows:
 *  newcomers beyond are refused, nobody is lost. Logs if it had to. */
void start_fit_descriptors(struct config *config);

/** @return how many workers to run: as configured, or the cores we may use */
uint32_t start_worker_count(const struct config *config);

/** Say what worker `index` is like; the identity is left to the caller. */
void start_configure_worker(const struct config *config, uint32_t index, struct worker_config *ret);

/** Explain why worker_new() with these settings gave `err`. @return `err` */
int start_worker_failed(const struct config *config, const struct worker_config *wanted, int err,
                        struct config_error *error);

/** Have `w` take in media over TCP for all workers, if that is wanted. @return 0; -errno: error is
 *  set */
MUST_USE int start_tcp(const struct config *config, struct worker *w, struct config_error *error);

/** Warn if bursts of datagrams will be lost. */
void start_check_buffer(const struct worker *w);

/** Say what the HTTP server is like. Texts are those of `config`. */
void start_configure_http(const struct config *config, struct http_config *ret);

/** Serve HTTP. @return 0; -errno: error is set */
MUST_USE int start_http(struct http_server **ret, const struct config *config,
                        struct event_base *base, const struct http_handler *handler, void *owner,
                        struct config_error *error);

#endif
