/**
 * @file tls.h  TLS on bufferevents, either side: OpenSSL through libevent_openssl (owner of that
 * dependency).
 *
 * TLS 1.2 with forward secrecy and authenticated ciphers, and 1.3; no renegotiation, no
 * compression. A server that reads certificates anew uses them for connections made from then on.
 * Whoever closes without TLS's close_notify is taken to have closed: HTTP and WebSocket have
 * lengths of their own. Thread: that of the event_base. The process must ignore SIGPIPE.
 */
#ifndef SIGNALING_TLS_H
#define SIGNALING_TLS_H

#include "media/base/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bufferevent;
struct event_base;
struct tls_context;

enum { TLS_ERROR_SIZE = 256 }; /* of every `error` below; a sentence without full stop */

/**
 * Server side: read a certificate and its key.
 *
 * @param cert_file  PEM, ours first, then those that lead to the root; the name is copied
 * @param key_file   PEM, without pass phrase; may be the same file
 * @param error      says why, on failure
 * @return 0; -EINVAL: a file cannot be read or is not what it should be, or they do not belong
 *         together; -ENOMEM
 */
MUST_USE int tls_server_new(struct tls_context **ret, const char *cert_file, const char *key_file,
                            char error[TLS_ERROR_SIZE]);

/** Read the files again, now. Keeps the old certificate on failure. @return as tls_server_new() */
MUST_USE int tls_server_reload(struct tls_context *t, char error[TLS_ERROR_SIZE]);

/**
 * Look whether the files have changed, and read them again once they are the same in two calls: a
 * certificate and its key are seldom written at the same moment. Call it every few seconds.
 *
 * @return 1: read again; 0: nothing new; -errno as tls_server_new(), once for each change
 */
MUST_USE int tls_server_check(struct tls_context *t, char error[TLS_ERROR_SIZE]);

/** @return until when our certificate is valid [Unix seconds] */
int64_t tls_server_expires_s(const struct tls_context *t);

/** Write the names and addresses that our certificate is for, with commas between; "": none. */
void tls_server_names(const struct tls_context *t, char *out, size_t capacity);

/**
 * Client side.
 *
 * @param ca_file   PEM of whom to trust; NULL: whom the system trusts
 * @param insecure  trust everybody: for trying things out
 * @return 0; -EINVAL: the file; -ENOMEM
 */
MUST_USE int tls_client_new(struct tls_context **ret, const char *ca_file, bool insecure,
                            char error[TLS_ERROR_SIZE]);

/**
 * Serve TLS on an accepted socket. BEV_EVENT_CONNECTED tells the end of the handshake; what is
 * written before goes out after it. The owner limits how long it may take.
 *
 * @param fd  the bufferevent's on success, and closed with it
 * @return to be freed with bufferevent_free(); NULL: no memory
 */
MUST_USE struct bufferevent *tls_accept(struct tls_context *t, struct event_base *base, int fd);

/**
 * Make the client's end, for bufferevent_socket_connect(). BEV_EVENT_CONNECTED tells that the
 * server is who it should be.
 *
 * @param host  DNS name or address that the certificate must be for; copied
 * @return to be freed with bufferevent_free(); NULL: no memory
 */
MUST_USE struct bufferevent *tls_connect(struct tls_context *t, struct event_base *base,
                                         const char *host);

/** Nothing more comes from us: tell the peer, at once. What is in the output buffer gets lost. */
void tls_finish(struct bufferevent *b);

/** Inside BEV_EVENT_ERROR or BEV_EVENT_EOF: write why it ended, for people. @return `out`; "" if
 * TLS has no part in it (the socket's error is in errno then) */
const char *tls_error(struct bufferevent *b, char out[TLS_ERROR_SIZE]);

/** Connections that are open stay. NULL is fine. @return NULL */
struct tls_context *tls_free(struct tls_context *t);

#endif
