/**
 * @file config_reload.h  Settings that change while the server runs: what differs, and what of it
 * can hold at once. Thread: any, no shared state.
 */
#ifndef SFU_CONFIG_RELOAD_H
#define SFU_CONFIG_RELOAD_H

#include "media/base/attributes.h"
#include "sfu/config.h"

#include <stdbool.h>
#include <stdint.h>

enum { CONFIG_VALUE_MAX = 200 };

/** A setting that differs. Values are cut to fit, and "..." for a secret that is set. */
struct config_change {
    const char *key;
    bool restart; /* it holds from the next start on */
    char before[CONFIG_VALUE_MAX + 1], after[CONFIG_VALUE_MAX + 1];
};

/** Tell each setting that differs, in the order of the help. */
void config_compare(const struct config *before, const struct config *after,
                    void (*tell)(void *owner, const struct config_change *change), void *owner);

/**
 * Make of `c`, which holds now, what can hold at once of `next`.
 *
 * @return 0; -EINVAL: together with what needs a restart that makes no sense; `error` says why, and
 *         `c` is as before
 */
MUST_USE int config_take(struct config *c, const struct config *next, struct config_error *error);

/** @return true if the setting holds from the next start on only */
bool config_needs_restart(const char *key);

#endif
