#include "sfu/refuse.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

int refuse(struct message *error, const char *code, const char *format, ...)
{
    va_list args;

    (void)snprintf(error->code, sizeof(error->code), "%s", code);
    va_start(args, format);
    (void)vsnprintf(error->text, sizeof(error->text), format, args);
    va_end(args);
    return -EINVAL;
}

int refuse_no_memory(struct message *error)
{
    return refuse(error, "overloaded", "the server is out of memory");
}
