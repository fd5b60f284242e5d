#include "sfu/relay_batch.h"

#include "sfu/mail.h"
#include "tests/tap.h"

#include <pthread.h>

enum { LARGE = RELAY_BATCH_MAX };

static struct relay_pipe *pipe_to;

static void make(void)
{
    pipe_to = relay_pipe_new();
    CHECK(pipe_to != NULL);
}

static void end(void)
{
    pipe_to = relay_pipe_free(pipe_to);
}

static void records_come_out_as_they_went_in(void)
{
    struct relay_batch *b;
    const struct relay_record *r;
    size_t cursor = 0;

    make();
    b = relay_pipe_take(pipe_to, LARGE);
    CHECK(b != NULL);
    CHECK_EQ(b->mail.type, MAIL_RELAY_BATCH);
    CHECK(!relay_batch_next(b, &cursor));
    for (uint16_t len = 0; len < 100; len++) {
        struct relay_record *record = relay_batch_add(b, len);

        CHECK(record != NULL);
        record->track = len;
        memset(relay_record_bytes(record), len, len);
    }
    for (uint16_t len = 0; len < 100; len++) {
        r = relay_batch_next(b, &cursor);
        CHECK(r != NULL);
        CHECK_EQ(r->len, len);
        CHECK_EQ(r->track, len);
        for (uint16_t i = 0; i < len; i++)
            CHECK_EQ(relay_record_content(r)[i], len);
    }
    CHECK(!relay_batch_next(b, &cursor));
    relay_batch_give_back(b);
    end();
}

static void a_full_batch_takes_no_more(void)
{
    struct relay_batch *b;
    uint32_t n = 0;

    make();
    b = relay_pipe_take(pipe_to, LARGE);
    while (relay_batch_add(b, 1000))
        n++;
    CHECK(n >= 55 && n <= 65);
    CHECK(b->len <= b->size - sizeof(*b));
    CHECK(!relay_batch_add(b, 1000));
    relay_batch_give_back(b);
    end();
}

static void the_smallest_batch_has_room_for_a_whole_packet(void)
{
    struct relay_batch *b;

    make();
    b = relay_pipe_take(pipe_to, 0);
    CHECK(b->size < LARGE);
    CHECK(relay_batch_add(b, 1536) != NULL);
    relay_batch_give_back(b);
    end();
}

static void what_comes_back_is_filled_again(void)
{
    struct relay_batch *b;
    size_t bytes;

    make();
    b = relay_pipe_take(pipe_to, LARGE);
    (void)relay_batch_add(b, 10);
    bytes = relay_pipe_bytes(pipe_to);
    for (int i = 0; i < 100; i++) {
        const struct relay_batch *before = b;

        mail_free(&b->mail); /* as a worker does that has read it */
        b = relay_pipe_take(pipe_to, LARGE);
        CHECK(b == before);
        CHECK_EQ(b->len, 0);
    }
    CHECK_EQ(relay_pipe_bytes(pipe_to), bytes);
    relay_batch_give_back(b);
    end();
}

/* Take batches of this size until there are no more. @return how many */
static size_t take_all(struct relay_batch **ret, size_t expected)
{
    size_t n = 0;

    while ((ret[n] = relay_pipe_take(pipe_to, expected)))
        n++;
    return n;
}

static void what_is_under_way_is_bounded(void)
{
    static struct relay_batch *batches[RELAY_BYTES_MAX / 1024];
    size_t n;

    make();
    n = take_all(batches, LARGE);
    CHECK_EQ(n, RELAY_BYTES_MAX / RELAY_BATCH_MAX);
    CHECK_EQ(relay_pipe_bytes(pipe_to), RELAY_BYTES_MAX);
    relay_batch_give_back(batches[--n]);
    batches[n] = relay_pipe_take(pipe_to, 0); /* of another size: the large one makes place */
    CHECK(batches[n] != NULL);
    CHECK(relay_pipe_bytes(pipe_to) < RELAY_BYTES_MAX);
    for (size_t i = 0; i <= n; i++)
        relay_batch_give_back(batches[i]);
    n = take_all(batches, 0);
    CHECK(n > 500); /* turns of a packet each may be that many ahead */
    CHECK(relay_pipe_bytes(pipe_to) <= RELAY_BYTES_MAX);
    for (size_t i = 0; i < n; i++)
        relay_batch_give_back(batches[i]);
    relay_batch_give_back(relay_pipe_take(pipe_to, 0));
    CHECK(relay_pipe_bytes(pipe_to) < RELAY_BYTES_MAX / 8); /* little is kept */
    end();
}

static void batches_may_come_back_after_their_sender_is_gone(void)
{
    struct relay_batch *first, *second;

    make();
    first = relay_pipe_take(pipe_to, 0);
    second = relay_pipe_take(pipe_to, LARGE);
    end();
    relay_batch_give_back(second);
    relay_batch_give_back(first); /* frees the pipe: address sanitizer knows */
}

enum { ROUNDS = 20000 };

static struct mailbox inbox;
static atomic_uint n_read;

static void *read_all(void *owner)
{
    (void)owner;
    while (atomic_load(&n_read) < ROUNDS) {
        struct mail *next;

        for (struct mail *mail = mailbox_take(&inbox); mail; mail = next) {
            const struct relay_batch *b = CONTAINER_OF(mail, struct relay_batch, mail);
            size_t cursor = 0;

            next = mail->next;
            (void)relay_batch_next(b, &cursor);
            mail_free(mail);
            atomic_fetch_add(&n_read, 1);
        }
    }
    return NULL;
}

static void two_threads_pass_batches_round(void)
{
    pthread_t reader;

    make();
    mailbox_init(&inbox);
    CHECK_EQ(pthread_create(&reader, NULL, read_all, NULL), 0);
    for (uint32_t i = 0; i < ROUNDS;) {
        struct relay_batch *b = relay_pipe_take(pipe_to, i % 3 * 10000);

        if (!b)
            continue; /* too far ahead */
        relay_batch_add(b, 100)->track = i;
        (void)!mailbox_push(&inbox, &b->mail);
        i++;
    }
    end();
    CHECK_EQ(pthread_join(reader, NULL), 0);
    CHECK_EQ(atomic_load(&n_read), ROUNDS);
}

TAP_CASES(CASE(records_come_out_as_they_went_in), CASE(a_full_batch_takes_no_more),
          CASE(the_smallest_batch_has_room_for_a_whole_packet),
          CASE(what_comes_back_is_filled_again), CASE(what_is_under_way_is_bounded),
          CASE(batches_may_come_back_after_their_sender_is_gone),
          CASE(two_threads_pass_batches_round))
