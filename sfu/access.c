#include "sfu/access.h"

#include "media/base/clock.h"
#include "media/base/log.h"
#include "sfu/config.h"
#include "sfu/refuse.h"
#include "signaling/token.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    RENEW_BEFORE_S = 120, /* so long before a token expires its bearer gets a new one */
};

/** Something that differs when one of the files of keys does. */
struct key_files {
    int64_t changed_ns;
    uint64_t bytes, inodes;
    uint32_t n;
};

struct access {
    const struct config *config;
    struct token_keys *keys;
    struct key_files files; /* as they were when they were read */
    int64_t look_us;        /* when they are looked at again */
};

static int fail(struct config_error *error, int err, const char *entry, const char *why)
{
    size_t id_len = strcspn(entry, ":"); /* what follows may be a secret */

    if (entry[0] == '@' || entry[id_len] == '\0' || entry[id_len + 1] == '@')
        (void)snprintf(error->message, sizeof(error->message), "keys: %.200s: %.200s", entry, why);
    else
        (void)snprintf(error->message, sizeof(error->message), "keys: the key \"%.*s\": %.200s",
                       (int)(id_len < TOKEN_KID_MAX ? id_len : TOKEN_KID_MAX), entry, why);
    return err;
}

/* @return the text of a file, NUL-terminated, or NULL: errno says why */
static char *read_file(const char *path, size_t *len)
{
    FILE *file = fopen(path, "re");
    char *text = file ? malloc(TOKEN_MAX_KEY_FILE + 1) : NULL;

    if (!file)
        return NULL;
    if (text) {
        *len = fread(text, 1, TOKEN_MAX_KEY_FILE + 1, file);
        if (ferror(file) || *len > TOKEN_MAX_KEY_FILE || memchr(text, '\0', *len)) {
            errno = ferror(file) ? EIO : EFBIG;
            free(text);
            text = NULL;
        }
    }
    if (text)
        text[*len] = '\0';
    (void)fclose(file);
    return text;
}

static int add_file(struct token_keys *keys, const char *entry, const char *id, const char *path,
                    struct config_error *error)
{
    char why[TOKEN_KEY_ERROR_MAX] = "";
    size_t len = 0;
    char *text = read_file(path, &len);
    int err;

    if (!text)
        return fail(error, -EINVAL, entry,
                    errno == EFBIG ? "the file is no text, or too large" : strerrordesc_np(errno));
    err = token_keys_add_file(keys, id, text, len, why);
    explicit_bzero(text, len);
    free(text);
    return err < 0 ? fail(error, err == -ENOMEM ? err : -EINVAL, entry, why) : 0;
}

static int add_entry(struct token_keys *keys, const char *entry, struct config_error *error)
{
    char id[CONFIG_ENTRY_MAX + 1] = "", why[TOKEN_KEY_ERROR_MAX] = "";
    const char *colon = strchr(entry, ':');
    int err;

    if (entry[0] == '@')
        return add_file(keys, entry, "", entry + 1, error);
    if (!colon || colon == entry)
        return fail(error, -EINVAL, "...", "must be ID:SECRET, ID:@FILE or @FILE");
    (void)snprintf(id, sizeof(id), "%.*s", (int)(colon - entry), entry);
    if (colon[1] == '@')
        return add_file(keys, entry, id, colon + 2, error);
    err = token_keys_add_secret(keys, id, colon + 1, strlen(colon + 1), why);
    return err < 0 ? fail(error, err == -ENOMEM ? err : -EINVAL, entry, why) : 0;
}

int access_read_keys(struct token_keys *keys, const struct config *config,
                     struct config_error *error)
{
    for (uint32_t i = 0; i < config->keys.n; i++) {
        int err = add_entry(keys, config->keys.text[i], error);

        if (err < 0) {
            token_keys_clear(keys);
            return err;
        }
    }
    return 0;
}

static void look_at_files(const struct config *config, struct key_files *ret)
{
    *ret = (struct key_files){0};
    for (uint32_t i = 0; i < config->keys.n; i++) {
        const char *at = strchr(config->keys.text[i], '@');
        const char *colon = strchr(config->keys.text[i], ':');
        struct stat status;

        if (!at || (colon && at > colon + 1) || stat(at + 1, &status) < 0)
            continue;
        ret->n++;
        ret->bytes += (uint64_t)status.st_size;
        ret->inodes += status.st_ino;
        ret->changed_ns += status.st_mtim.tv_sec * INT64_C(1000000000) + status.st_mtim.tv_nsec;
    }
}

static bool is_same(const struct key_files *a, const struct key_files *b)
{
    return a->changed_ns == b->changed_ns && a->bytes == b->bytes && a->inodes == b->inodes &&
           a->n == b->n;
}

static struct token_keys *free_keys(struct token_keys *keys)
{
    if (keys)
        token_keys_clear(keys);
    free(keys);
    return NULL;
}

int access_reload(struct access *a, struct config_error *error)
{
    struct token_keys *keys = calloc(1, sizeof(*keys));
    struct key_files files;
    int err;

    if (!keys) {
        (void)snprintf(error->message, sizeof(error->message), "out of memory");
        return -ENOMEM;
    }
    look_at_files(a->config, &files);
    err = access_read_keys(keys, a->config, error);
    if (err < 0) {
        free(keys);
        return err;
    }
    free_keys(a->keys);
    a->keys = keys;
    a->files = files;
    return 0;
}

int access_new(struct access **ret, const struct config *config, struct config_error *error)
{
    struct access *a = calloc(1, sizeof(*a));
    int err;

    if (!a) {
        (void)snprintf(error->message, sizeof(error->message), "out of memory");
        return -ENOMEM;
    }
    a->config = config;
    err = access_reload(a, error);
    if (err < 0) {
        access_free(a);
        return err;
    }
    *ret = a;
    return 0;
}

struct access *access_free(struct access *a)
{
    if (!a)
        return NULL;
    free_keys(a->keys);
    free(a);
    return NULL;
}

void access_advance(struct access *a, int64_t now_us)
{
    struct config_error error;
    struct key_files files;

    if (!a || now_us < a->look_us)
        return;
    a->look_us = now_us + ACCESS_LOOK_S * SECOND;
    look_at_files(a->config, &files);
    if (is_same(&files, &a->files))
        return;
    if (access_reload(a, &error) == 0) {
        log_info("access", "read the keys again: keys=%" PRIu32, a->keys->n);
        return;
    }
    a->files = files; /* say it once */
    log_warn("access", "the keys stay as they were: %s", error.message);
}

bool access_is_open(const struct access *a)
{
    return !a || a->keys->n == 0;
}

/* What a token may be used for. */

static int deny(struct message *error, const char *code, const char *text)
{
    (void)refuse(error, code, "%s", text);
    return -EACCES;
}

static int judge_join(const struct grants *g, enum access_want want, struct message *error)
{
    if (!g->join)
        return deny(error, "not_allowed", "the token does not let its bearer join");
    if (want == ACCESS_WHIP && !grants_may_publish(g))
        return deny(error, "not_allowed", "the token does not let its bearer publish");
    if (want == ACCESS_WHEP && !g->subscribe)
        return deny(error, "not_allowed", "the token does not let its bearer play");
    return 0;
}

static int judge(const struct grants *g, enum access_want want, const char *room,
                 struct message *error)
{
    bool everywhere = !g->room[0] || strcmp(g->room, "*") == 0;

    if (want == ACCESS_ADMIN) {
        if (g->admin && (everywhere || (room && grants_have_room(g, room))))
            return 0;
        return deny(error, "not_allowed", "the token does not let its bearer administer this");
    }
    if (!grants_have_room(g, room)) {
        (void)refuse(error, "token_room", "the token is not for the room %s", room);
        return -EACCES;
    }
    return judge_join(g, want, error);
}

static int explain(int err, const char *why, struct message *error)
{
    const char *code = err == -EKEYEXPIRED ? "token_expired"
                       : err == -EAGAIN    ? "token_not_yet"
                                           : "token_bad";

    (void)refuse(error, code, "the token does not count: %s", why);
    return -EACCES;
}

/* NOLINTNEXTLINE(readability-function-size): who, what for, where, when, and two answers */
int access_admit(struct access *a, const char *token, enum access_want want, const char *room,
                 int64_t now_s, struct grants *ret, struct message *error)
{
    char why[TOKEN_WHY_MAX];
    struct grants grants;
    int err;

    if (access_is_open(a)) {
        if (want == ACCESS_ADMIN)
            return deny(error, "token_missing", "this needs a token, and the server has no keys");
        grants_open(ret);
        return 0;
    }
    if (!token || !token[0])
        return deny(error, "token_missing", "this server asks for a token");
    err = token_verify(a->keys, token, now_s, &grants, why);
    if (err < 0)
        return explain(err, why, error);
    err = judge(&grants, want, room, error);
    if (err == 0)
        *ret = grants;
    return err;
}

/* Renewal */

static int64_t ttl_s(const struct access *a)
{
    return a->config->token_ttl_s;
}

bool access_must_renew(const struct access *a, const struct grants *g, int64_t now_s)
{
    int64_t before_s = ttl_s(a) / 2 < RENEW_BEFORE_S ? ttl_s(a) / 2 : RENEW_BEFORE_S;

    return g->expires_s && g->expires_s - now_s <= before_s && token_keys_sign(a->keys);
}

int access_sign(const struct access *a, const struct grants *g, int64_t now_s, char **ret)
{
    return access_is_open(a) ? -ENOKEY : token_sign(a->keys, g, now_s, ret);
}

int access_renew(const struct access *a, struct grants *g, int64_t now_s, char **ret)
{
    struct grants renewed = *g;
    int err;

    renewed.expires_s = now_s + ttl_s(a);
    err = token_sign(a->keys, &renewed, now_s, ret);
    if (err == 0)
        g->expires_s = renewed.expires_s;
    return err;
}
