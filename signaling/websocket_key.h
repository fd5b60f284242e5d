/** @file websocket_key.h  Sec-WebSocket-Key of the opening handshake (RFC 6455 section 4). */
#ifndef SIGNALING_WEBSOCKET_KEY_H
#define SIGNALING_WEBSOCKET_KEY_H

#include <stdbool.h>

enum { WEBSOCKET_KEY_LEN = 24 };

/** Write a new random key, NUL-terminated. */
void websocket_key_new(char out[WEBSOCKET_KEY_LEN + 1]);

/** @return true if `key` is the base64 of 16 bytes */
bool websocket_key_valid(const char *key);

#endif
