#include "media/ice.h"

#include <errno.h>
#include <string.h>

const char *ice_state_name(enum ice_state state)
{
    switch (state) {
    case ICE_NEW:
        return "new";
    case ICE_GATHERING:
        return "gathering";
    case ICE_GATHERED:
        return "gathered";
    case ICE_CHECKING:
        return "checking";
    case ICE_CONNECTED:
        return "connected";
    case ICE_FAILED:
        return "failed";
    }
    return "?";
}

const char *ice_candidate_type_name(enum ice_candidate_type type)
{
    switch (type) {
    case ICE_HOST:
        return "host";
    case ICE_SERVER_REFLEXIVE:
        return "srflx";
    case ICE_PEER_REFLEXIVE:
        return "prflx";
    case ICE_RELAYED:
        return "relay";
    }
    return "?";
}

int ice_candidate_type_parse(const char *name)
{
    for (enum ice_candidate_type type = ICE_HOST; type <= ICE_RELAYED; type++) {
        if (strcmp(name, ice_candidate_type_name(type)) == 0)
            return (int)type;
    }
    return -EINVAL;
}
