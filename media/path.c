#include "media/path.h"

#include "media/address.h"
#include "media/udp_socket.h"

#include <assert.h>
#include <netinet/in.h>
#include <string.h>

/* What lies in the sockaddr_storage. What tells paths apart comes first, for address_identical().
 */
struct layout {
    sa_family_t family;
    uint16_t kind;
    uint32_t number;
    struct sockaddr_in6 peer; /* or a sockaddr_in */
};
_Static_assert(sizeof(struct layout) <= sizeof(struct sockaddr_storage), "it lies in there");

const char *path_kind_name(enum path_kind kind)
{
    static const char *const names[PATH_KINDS] = {[PATH_TCP] = "tcp", [PATH_AGENT] = "agent"};

    return names[kind];
}

static struct layout layout_of(const struct sockaddr_storage *address)
{
    struct layout layout;

    assert(path_is(address));
    memcpy(&layout, address, sizeof(layout));
    return layout;
}

void path_address(struct sockaddr_storage *ret, enum path_kind kind, uint32_t number,
                  const struct sockaddr_storage *peer)
{
    struct layout layout = {.family = PATH_FAMILY, .kind = (uint16_t)kind, .number = number};

    memcpy(&layout.peer, peer, sizeof(layout.peer));
    *ret = (struct sockaddr_storage){0};
    memcpy(ret, &layout, sizeof(layout));
}

enum path_kind path_kind(const struct sockaddr_storage *address)
{
    return (enum path_kind)layout_of(address).kind;
}

uint32_t path_number(const struct sockaddr_storage *address)
{
    return layout_of(address).number;
}

const struct sockaddr_storage *path_peer(const struct sockaddr_storage *address,
                                         struct sockaddr_storage *ret)
{
    struct layout layout;

    if (!path_is(address)) {
        *ret = *address;
        return ret;
    }
    layout = layout_of(address);
    *ret = (struct sockaddr_storage){0};
    memcpy(ret, &layout.peer, sizeof(layout.peer));
    return ret;
}

size_t path_run(const struct datagram *datagrams, size_t n)
{
    const struct sockaddr_storage *first = datagrams[0].to;
    size_t run = 1;

    if (!path_is(first)) {
        while (run < n && !path_is(datagrams[run].to))
            run++;
        return run;
    }
    while (run < n && (datagrams[run].to == first || address_equal(datagrams[run].to, first)))
        run++;
    return run;
}
