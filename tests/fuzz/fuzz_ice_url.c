/* Addresses of STUN and TURN servers, and entries of the setting that lists them. */

#include "sfu/ice_servers.h"
#include "signaling/ice_url.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct ice_server server;
    struct ice_url url;

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (ice_url_parse(&url, text) == 0)
        assert(url.port > 0 && url.host[0] && strlen(url.host) <= ICE_URL_HOST_MAX);
    if (ice_url_parse_stun(&url, text) == 0)
        assert(url.port > 0 && url.host[0] && url.kind == ICE_URL_STUN);
    if (ice_server_parse(&server, text) == 0)
        assert(!server.user[0] == !server.password[0] && server.text[0]);
    free(text);
    return 0;
}
