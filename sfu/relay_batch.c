#include "sfu/relay_batch.h"

#include "sfu/mail.h"

#include <stdatomic.h>
#include <stdlib.h>

/* A turn's packets for one worker are a few of audio in a quiet room, and hundreds in a large one.
 */
static const uint32_t sizes[] = {4 * 1024, 16 * 1024, RELAY_BATCH_MAX};

enum {
    SIZES = ARRAY_LEN(sizes),
    SPARE_MAX = 4, /* batches of a size that are kept */
};

struct relay_pipe {
    atomic_uint users;       /* the sender, and each batch that it has taken */
    struct mailbox returned; /* batches that were given back */
    /* the sender's */
    size_t bytes;
    struct mail *spare[SIZES]; /* the newest first: it is likely in the cache */
    uint32_t n_spare[SIZES];
};

static struct relay_batch *batch_of(struct mail *mail)
{
    return CONTAINER_OF(mail, struct relay_batch, mail);
}

struct relay_pipe *relay_pipe_new(void)
{
    struct relay_pipe *p = calloc(1, sizeof(*p));

    if (!p)
        return NULL;
    atomic_init(&p->users, 1);
    mailbox_init(&p->returned);
    return p;
}

static void free_all(struct mail *mail)
{
    struct mail *next;

    for (; mail; mail = next) {
        next = mail->next;
        free(batch_of(mail));
    }
}

static void leave(struct relay_pipe *p)
{
    /* What others did with the pipe happens before the last one frees it. */
    if (atomic_fetch_sub_explicit(&p->users, 1, memory_order_acq_rel) > 1)
        return;
    free_all(mailbox_take(&p->returned));
    free(p);
}

static void drop_spares(struct relay_pipe *p)
{
    for (size_t i = 0; i < SIZES; i++) {
        free_all(p->spare[i]);
        p->spare[i] = NULL;
        p->bytes -= (size_t)p->n_spare[i] * sizes[i];
        p->n_spare[i] = 0;
    }
}

struct relay_pipe *relay_pipe_free(struct relay_pipe *p)
{
    if (!p)
        return NULL;
    drop_spares(p);
    leave(p);
    return NULL;
}

static size_t size_index(size_t bytes)
{
    size_t i = 0;

    while (i < SIZES - 1 && sizes[i] - sizeof(struct relay_batch) < bytes)
        i++;
    return i;
}

static void keep(struct relay_pipe *p, struct relay_batch *b)
{
    size_t i = size_index(b->size - sizeof(*b));

    if (p->n_spare[i] == SPARE_MAX) {
        p->bytes -= b->size;
        free(b);
        return;
    }
    b->mail.next = p->spare[i];
    p->spare[i] = &b->mail;
    p->n_spare[i]++;
}

static void collect(struct relay_pipe *p)
{
    struct mail *next;

    for (struct mail *mail = mailbox_take(&p->returned); mail; mail = next) {
        next = mail->next;
        keep(p, batch_of(mail));
    }
}

static struct relay_batch *make(struct relay_pipe *p, size_t i)
{
    struct relay_batch *b;

    if (p->bytes + sizes[i] > RELAY_BYTES_MAX)
        drop_spares(p);
    if (p->bytes + sizes[i] > RELAY_BYTES_MAX)
        return NULL;
    b = malloc(sizes[i]);
    if (!b)
        return NULL;
    b->mail = (struct mail){.type = MAIL_RELAY_BATCH};
    b->pipe = p;
    b->size = sizes[i];
    p->bytes += sizes[i];
    return b;
}

static struct relay_batch *take_spare(struct relay_pipe *p, size_t i)
{
    struct mail *mail = p->spare[i];

    if (!mail)
        return NULL;
    p->spare[i] = mail->next;
    p->n_spare[i]--;
    return batch_of(mail);
}

struct relay_batch *relay_pipe_take(struct relay_pipe *p, size_t expected)
{
    size_t i = size_index(expected);
    struct relay_batch *b;

    if (!p->spare[i])
        collect(p);
    b = take_spare(p, i);
    if (!b)
        b = make(p, i);
    if (!b)
        return NULL;
    b->len = 0;
    (void)atomic_fetch_add_explicit(&p->users, 1, memory_order_relaxed);
    return b;
}

size_t relay_pipe_bytes(const struct relay_pipe *p)
{
    return p->bytes;
}

void relay_batch_give_back(struct relay_batch *b)
{
    struct relay_pipe *p = b->pipe;

    (void)!mailbox_push(&p->returned, &b->mail); /* nobody waits for it */
    leave(p);
}

/* Bytes of a record, to where the next one may begin. */
static size_t record_size(uint16_t len)
{
    return (sizeof(struct relay_record) + len + 7) / 8 * 8;
}

struct relay_record *relay_batch_add(struct relay_batch *b, uint16_t len)
{
    size_t size = record_size(len);
    struct relay_record *r = (void *)(b->contents + b->len);

    if (size > b->size - sizeof(*b) - b->len)
        return NULL;
    b->len += (uint32_t)size;
    r->len = len;
    return r;
}

const struct relay_record *relay_batch_next(const struct relay_batch *b, size_t *cursor)
{
    const struct relay_record *r = (const void *)(b->contents + *cursor);

    if (*cursor == b->len)
        return NULL;
    *cursor += record_size(r->len);
    return r;
}

uint8_t *relay_record_bytes(struct relay_record *r)
{
    return (uint8_t *)(r + 1);
}

const uint8_t *relay_record_content(const struct relay_record *r)
{
    return (const uint8_t *)(r + 1);
}
