#include "signaling/message_output.h"

#include "signaling/json_text.h"

#include <inttypes.h>

void output_string(struct text *out, const char *name, const char *value)
{
    text_printf(out, ",\"%s\":", name);
    json_append_string(out, value);
}

void output_word(struct text *out, const char *name, const char *value)
{
    if (value[0])
        output_string(out, name, value);
}

void output_number(struct text *out, const char *name, uint64_t value)
{
    text_printf(out, ",\"%s\":%" PRIu64, name, value);
}

void output_if_any(struct text *out, const char *name, uint64_t value)
{
    if (value)
        output_number(out, name, value);
}

void output_bool(struct text *out, const char *name, bool value)
{
    text_printf(out, ",\"%s\":%s", name, value ? "true" : "false");
}
