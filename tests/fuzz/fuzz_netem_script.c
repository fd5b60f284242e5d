/* Any bytes: as a script of a link, run to its end; a link made of it takes datagrams. */
#include "bench/netem_script.h"
#include "media/base/clock.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_config(const struct netem_config *c)
{
    assert(c->loss >= 0 && c->loss <= 1 && c->duplicate >= 0 && c->duplicate <= 1);
    assert(c->delay_us >= 0 && c->jitter_us >= 0 && c->reorder_us >= 0);
    assert(c->rate_bps == 0 || c->rate_bps >= 1000);
    assert(c->blackout_us == 0 || c->blackout_us < c->blackout_period_us);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct netem_script script;
    struct netem_config plain = {0};
    struct netem *links[NETEM_DIRECTIONS] = {netem_new(&plain), netem_new(&plain)};
    char error[NETEM_SCRIPT_ERROR_MAX] = "";
    uint8_t datagram[NETEM_DATAGRAM_MAX] = {0};
    size_t len;
    int64_t now_us = 0;

    netem_script_init(&script);
    if (netem_script_add(&script, (const char *)data, size, 0, error) < 0) {
        assert(script.n == 0 && strlen(error) > 0);
        now_us = NEVER_US;
    }
    while (now_us != NEVER_US) {
        int64_t next_us = netem_script_advance(&script, now_us, links);

        for (int d = 0; d < NETEM_DIRECTIONS; d++) {
            check_config(&script.config[d]);
            netem_push(links[d], 0, datagram, 1200, now_us);
            netem_push(links[d], 0, datagram, 40, now_us);
            while (netem_pop(links[d], now_us, NULL, datagram, &len))
                assert(len == 1200 || len == 40);
        }
        assert(next_us > now_us);
        now_us = next_us;
    }
    netem_free(links[0]);
    netem_free(links[1]);
    return 0;
}
