/* Bodies of WHEP's extensions: the first byte tells which. What is read is within its limits. */
#include "signaling/message_whep.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_events(const char *json, size_t len)
{
    struct message error = {0};
    uint32_t events;

    if (whep_events_read(&events, json, len, &error) < 0)
        assert(error.code[0] && error.text[0]);
    else
        assert(events < 1U << WHEP_EVENT_COUNT);
}

static void read_layer(const char *json, size_t len)
{
    struct message error = {0};
    struct whep_layer layer;

    if (whep_layer_read(&layer, json, len, &error) < 0) {
        assert(error.code[0] && error.text[0]);
        return;
    }
    assert(layer.section == WHEP_ANY || layer.section <= WHEP_MAX_SECTION);
    assert(layer.width <= WHEP_MAX_SIZE && layer.height <= WHEP_MAX_SIZE);
    assert(strlen(layer.rid) <= MESSAGE_RID_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] == 'e')
        read_events((const char *)data + 1, size - 1);
    else
        read_layer((const char *)data + 1, size - 1);
    return 0;
}
