#include "sfu/ipv6_flags.h"

#include <linux/if_addr.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TEXT_MAX = 8192,
    HEX_LEN = 32, /* of an address */
    SCOPE_GLOBAL = 0,
    BAD = IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_DEPRECATED,
};

/* @return -1: no digit */
static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_address(uint8_t ret[16], const char *hex)
{
    for (size_t i = 0; i < 16; i++) {
        int high = hex_digit(hex[2 * i]);
        int low = high < 0 ? -1 : hex_digit(hex[2 * i + 1]);

        if (low < 0)
            return false;
        ret[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* address interface prefix scope flags name, all hexadecimal */
static void parse_line(struct ipv6_flags *ret, const char *line)
{
    enum { INTERFACE, PREFIX, SCOPE, FLAGS, NUMBERS };
    struct ipv6_flags_entry *entry = &ret->entries[ret->n];
    unsigned long numbers[NUMBERS];

    if (ret->n == IPV6_FLAGS_MAX || strcspn(line, " \n") != HEX_LEN ||
        !read_address(entry->address, line))
        return;
    line += HEX_LEN;
    for (size_t i = 0; i < NUMBERS; i++) {
        char *end;

        if (*line != ' ' || line[1] == '\n')
            return;
        numbers[i] = strtoul(line, &end, 16);
        line = end;
    }
    if (numbers[SCOPE] != SCOPE_GLOBAL)
        return;
    entry->interface = (uint32_t)numbers[INTERFACE];
    entry->flags = (uint8_t)numbers[FLAGS];
    ret->n++;
}

void ipv6_flags_parse(struct ipv6_flags *ret, const char *text)
{
    ret->n = 0;
    while (*text) {
        parse_line(ret, text);
        text += strcspn(text, "\n");
        text += *text == '\n';
    }
}

void ipv6_flags_read(struct ipv6_flags *ret)
{
    char text[TEXT_MAX];
    FILE *file = fopen("/proc/net/if_inet6", "re");
    size_t len = 0;

    if (file) {
        len = fread(text, 1, sizeof(text) - 1, file);
        (void)fclose(file);
    }
    text[len] = '\0';
    ipv6_flags_parse(ret, text);
}

static bool has_stable(const struct ipv6_flags *f, uint32_t interface)
{
    for (size_t i = 0; i < f->n; i++) {
        if (f->entries[i].interface == interface &&
            !(f->entries[i].flags & (BAD | IFA_F_TEMPORARY)))
            return true;
    }
    return false;
}

bool ipv6_flags_usable(const struct ipv6_flags *f, const uint8_t address[16])
{
    for (size_t i = 0; i < f->n; i++) {
        const struct ipv6_flags_entry *entry = &f->entries[i];

        if (memcmp(entry->address, address, sizeof(entry->address)) != 0)
            continue;
        if (entry->flags & BAD)
            return false;
        return !(entry->flags & IFA_F_TEMPORARY) || !has_stable(f, entry->interface);
    }
    return true;
}
