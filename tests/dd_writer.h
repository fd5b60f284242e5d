/**
 * @file dd_writer.h  Write dependency descriptors, as publishers do.
 */
#ifndef TESTS_DD_WRITER_H
#define TESTS_DD_WRITER_H

#include "media/dependency_descriptor.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What to write. */
struct dd_writer {
    const struct dd_structure *structure; /* that template ids refer to */
    bool custom; /* tell DTIs, fdiffs and chains although they are the template's */
};

/**
 * Write what dd_read() makes `frame` of again. What differs from its template is told.
 *
 * @return length [bytes]; 0: more than `capacity`, or no such template
 */
size_t dd_writer_write(const struct dd_writer *w, const struct dd_frame *frame, uint8_t *out,
                       size_t capacity);

/** @return a frame like the template with `index` */
struct dd_frame dd_writer_frame(const struct dd_structure *s, uint8_t index, uint16_t number);

#endif
