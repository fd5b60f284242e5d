#include "bench/fleet.h"

#include "bench/frame_sender.h"
#include "media/address.h"
#include "media/dtls.h"
#include "media/packet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { POOL_PACKETS = 4096 };

static int write_address(const struct sockaddr_storage *address, char *out)
{
    struct sockaddr_in in;
    struct sockaddr_in6 in6;

    memcpy(&in, address, sizeof(in));
    memcpy(&in6, address, sizeof(in6));
    if (address->ss_family == AF_INET6)
        return inet_ntop(AF_INET6, &in6.sin6_addr, out, INET6_ADDRSTRLEN) ? 0 : -EINVAL;
    return inet_ntop(AF_INET, &in.sin_addr, out, INET6_ADDRSTRLEN) ? 0 : -EINVAL;
}

/* Ask the routing table: no datagram is sent. */
static int find_address(struct fleet *f)
{
    const struct sockaddr_storage *server = &f->config.server;
    struct sockaddr_storage local = {0};
    socklen_t len = sizeof(local);
    int fd = socket(server->ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int err = 0;

    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)server, address_len(server)) < 0 ||
        getsockname(fd, (struct sockaddr *)&local, &len) < 0)
        err = -errno;
    (void)close(fd);
    return err < 0 ? err : write_address(&local, f->address);
}

int fleet_init(struct fleet *f, const struct fleet_config *config)
{
    int err;

    f->config = *config;
    err = find_address(f);
    if (err == 0)
        err = dtls_identity_new(&f->identity);
    if (err < 0)
        return err;
    f->pool = packet_pool_new(POOL_PACKETS);
    f->receiver = receiver_new(config->gro);
    f->sender = frame_sender_new();
    return f->pool && f->receiver && f->sender ? 0 : -ENOMEM;
}

void fleet_done(struct fleet *f)
{
    f->sender = frame_sender_free(f->sender);
    f->receiver = receiver_free(f->receiver);
    f->pool = packet_pool_free(f->pool);
    f->identity = dtls_identity_free(f->identity);
}
