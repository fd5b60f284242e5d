/** @file attributes.h  Compiler hints used in every header. */
#ifndef MEDIA_BASE_ATTRIBUTES_H
#define MEDIA_BASE_ATTRIBUTES_H

/** The result must not be ignored. */
#define MUST_USE __attribute__((warn_unused_result))

/** printf-like: `format` and `first` are 1-based argument positions. */
#define PRINTF_LIKE(format, first) __attribute__((__format__(__printf__, format, first)))

/** Branch hints for the packet path. */
#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

/** Have the cache line at `ptr`, which is about to be written, come into the cache. */
#define PREFETCH(ptr) __builtin_prefetch(ptr, 1)

/** The struct of type `type` whose member `member` is at `ptr`. */
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/** Number of elements of the array `a`. */
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
