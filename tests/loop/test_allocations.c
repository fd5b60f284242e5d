/* What the packet path must not do: allocate. malloc() and its kin are ours here, and count. */

#include "bench/forward_world.h"
#include "media/base/clock.h"
#include "media/seal.h"
#include "sfu/forwarder.h"
#include "tests/tap.h"

#include <errno.h>

enum { SUBSCRIBERS = 5, PROBES_MAX = 100, BURST = 8, PACKETS = 10000, WARM_BURSTS = 300 };

#ifdef __has_feature /* clang says it thus */
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED
#endif

static uint64_t allocations;

#ifdef SANITIZED
static const bool can_count = false; /* the sanitizer's allocator is in their place */
#else
static const bool can_count = true;

/* NOLINTBEGIN(readability-identifier-naming,readability-inconsistent-declaration-parameter-name) */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size)
{
    allocations++;
    return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    allocations++;
    return __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
    allocations++;
    return __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    allocations++;
    return __libc_memalign(alignment, size);
}
/* NOLINTEND(readability-identifier-naming,readability-inconsistent-declaration-parameter-name) */
#endif

/* Let a burst of packets through. @return how often something was allocated */
static uint64_t forward_burst(struct forward_world *w)
{
    struct packet *packets[BURST];
    uint64_t before;
    uint64_t made;

    CHECK_EQ(forward_world_make(w, packets, BURST), BURST);
    before = allocations;
    forwarder_receive(w->forwarder, packets, BURST, w->now_us);
    forwarder_flush(w->forwarder);
    made = allocations - before;
    forward_world_pass(w, 1 * MS);
    return made;
}

/* Probes of the paths left out. */
static uint64_t media_sent(const struct forward_world *w)
{
    struct forwarder_stats stats;

    forwarder_stats(w->forwarder, &stats);
    return w->sent - stats.probe_out;
}

static void forwarding_10000_packets_allocates_nothing(void)
{
    struct forward_world *w;
    uint64_t made = 0;
    uint64_t sent;

    if (!can_count || seal_set_backend(SEAL_IPSEC_MB) == -ENOTSUP)
        SKIP("allocations of others cannot be told from ours here");
    w = forward_world_new(SUBSCRIBERS);
    CHECK(w && allocations > 0);
    for (int i = 0; i < WARM_BURSTS; i++) /* until the store is full */
        (void)forward_burst(w);
    sent = media_sent(w);
    for (int i = 0; i < PACKETS / BURST; i++)
        made += forward_burst(w);
    CHECK_EQ(media_sent(w) - sent, PACKETS * SUBSCRIBERS);
    CHECK_EQ(made, 0);
    (void)forward_world_free(w);
}

TAP_CASES(CASE(forwarding_10000_packets_allocates_nothing))
