#include "signaling/http_forwarded.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum { MAX_ENTRY = INET6_ADDRSTRLEN + sizeof("[]:65535") };

/** An address as text and for comparing. */
struct hop {
    char text[INET6_ADDRSTRLEN];
    struct sockaddr_in6 address; /* IPv4 is mapped */
};

/* Cut "1.2.3.4:5", "[::1]" and "[::1]:5" to the address. */
static char *cut_port(char *entry)
{
    char *colon = strchr(entry, ':');

    if (entry[0] == '[') {
        entry[strcspn(entry, "]")] = '\0';
        return entry + 1;
    }
    if (colon && strchr(entry, '.') && strchr(entry, '.') < colon)
        *colon = '\0';
    return entry;
}

/* @return false: `entry` is no address */
static bool read_hop(struct hop *ret, char *entry)
{
    static const uint8_t mapped[12] = {[10] = 0xFF, [11] = 0xFF};
    uint8_t *bytes = ret->address.sin6_addr.s6_addr;

    entry = cut_port(entry);
    *ret = (struct hop){.address = {.sin6_family = AF_INET6}};
    if (inet_pton(AF_INET, entry, bytes + sizeof(mapped)) == 1)
        memcpy(bytes, mapped, sizeof(mapped));
    else if (inet_pton(AF_INET6, entry, bytes) != 1)
        return false;
    if (memcmp(bytes, mapped, sizeof(mapped)) == 0)
        return inet_ntop(AF_INET, bytes + sizeof(mapped), ret->text, sizeof(ret->text)) != NULL;
    return inet_ntop(AF_INET6, bytes, ret->text, sizeof(ret->text)) != NULL;
}

/* Take the last entry off a list of `*len` characters. @return false: there is none, or it is too
 * long for an address */
static bool take_last(const char *list, size_t *len, char entry[MAX_ENTRY])
{
    size_t end = *len;
    size_t start;

    while (end > 0 && strchr(" \t", list[end - 1]))
        end--;
    start = end;
    while (start > 0 && list[start - 1] != ',')
        start--;
    *len = start > 0 ? start - 1 : 0;
    while (start < end && strchr(" \t", list[start]))
        start++;
    if (start == end || end - start >= MAX_ENTRY)
        return false;
    memcpy(entry, list + start, end - start);
    entry[end - start] = '\0';
    return true;
}

/* @return true: go on with the field before */
static bool walk(const char *list, const struct address_prefixes *trusted,
                 char address[INET6_ADDRSTRLEN])
{
    size_t len = strlen(list);
    char entry[MAX_ENTRY];
    struct hop hop;

    while (len > 0) {
        if (!take_last(list, &len, entry) || !read_hop(&hop, entry))
            return false;
        memcpy(address, hop.text, sizeof(hop.text));
        if (!address_prefixes_have(trusted, (const struct sockaddr *)&hop.address))
            return false;
    }
    return true;
}

void http_forwarded_client(const struct http_request *r, const struct address_prefixes *trusted,
                           char address[INET6_ADDRSTRLEN])
{
    for (uint32_t i = r->n_fields; i > 0; i--) {
        const struct http_field *field = &r->fields[i - 1];

        if (strcasecmp(field->name, "X-Forwarded-For") == 0 &&
            !walk(field->value, trusted, address))
            return;
    }
}
