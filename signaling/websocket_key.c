#include "signaling/websocket_key.h"

#include "media/base/random.h"
#include "signaling/websocket.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <string.h>

enum { KEY_BYTES = 16 };

void websocket_key_new(char out[WEBSOCKET_KEY_LEN + 1])
{
    unsigned char nonce[KEY_BYTES];

    random_bytes(nonce, sizeof(nonce));
    (void)EVP_EncodeBlock((unsigned char *)out, nonce, KEY_BYTES);
}

bool websocket_key_valid(const char *key)
{
    if (strlen(key) != WEBSOCKET_KEY_LEN || strcmp(key + WEBSOCKET_KEY_LEN - 2, "==") != 0)
        return false;
    for (size_t i = 0; i < WEBSOCKET_KEY_LEN - 2; i++) {
        if (!isalnum((unsigned char)key[i]) && key[i] != '+' && key[i] != '/')
            return false;
    }
    return true;
}

void websocket_accept_key(const char *key, char out[29])
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; /* RFC 6455 section 1.3 */
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned digest_len = 0;
    EVP_MD_CTX *hash = EVP_MD_CTX_new();

    out[0] = '\0';
    if (hash && EVP_DigestInit_ex(hash, EVP_sha1(), NULL) == 1 &&
        EVP_DigestUpdate(hash, key, strlen(key)) == 1 &&
        EVP_DigestUpdate(hash, guid, sizeof(guid) - 1) == 1 &&
        EVP_DigestFinal_ex(hash, digest, &digest_len) == 1)
        (void)EVP_EncodeBlock((unsigned char *)out, digest, (int)digest_len);
    EVP_MD_CTX_free(hash);
}
