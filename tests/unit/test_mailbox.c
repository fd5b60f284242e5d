#include "media/base/mailbox.h"

#include "tests/tap.h"

#include <pthread.h>
#include <sched.h>

enum { SENDERS = 2, MAILS = 20000 };

struct letter {
    struct mail mail;
    int sender, number;
};

static void mail_comes_out_oldest_first(void)
{
    struct mail mails[3] = {{.type = 1}, {.type = 2}, {.type = 3}};
    struct mailbox box;
    struct mail *taken;

    mailbox_init(&box);
    CHECK(!mailbox_take(&box));
    for (int i = 0; i < 3; i++)
        CHECK_EQ(mailbox_push(&box, &mails[i]), i == 0);
    taken = mailbox_take(&box);
    for (int type = 1; type <= 3; type++, taken = taken->next)
        CHECK_EQ(taken->type, type);
    CHECK(!taken);
    CHECK(!mailbox_take(&box));
}

static void push_into_a_box_just_emptied_wakes_again(void)
{
    struct mail first = {0};
    struct mail second = {0};
    struct mailbox box;

    mailbox_init(&box);
    CHECK(mailbox_push(&box, &first));
    CHECK(mailbox_take(&box) == &first);
    CHECK(mailbox_push(&box, &second));
    CHECK(mailbox_take(&box) == &second);
}

struct sender {
    struct mailbox *box;
    int id;
    int wakes; /* how often the box was empty */
};

static void *send_all(void *arg)
{
    struct sender *sender = arg;

    for (int i = 0; i < MAILS; i++) {
        struct letter *letter = calloc(1, sizeof(*letter));

        if (!letter)
            abort();
        letter->sender = sender->id;
        letter->number = i;
        sender->wakes += mailbox_push(sender->box, &letter->mail);
    }
    return NULL;
}

/* Take until everything has come. @return how many times the box was not empty */
static int receive_all(struct mailbox *box)
{
    int expected[SENDERS] = {0};
    int batches = 0;

    for (int left = SENDERS * MAILS; left > 0;) {
        struct mail *next;

        for (struct mail *mail = mailbox_take(box); mail; mail = next) {
            struct letter *letter = CONTAINER_OF(mail, struct letter, mail);

            next = mail->next;
            batches += next == NULL;
            left--;
            CHECK_EQ(letter->number, expected[letter->sender]++);
            free(letter);
        }
        sched_yield();
    }
    return batches;
}

static void two_senders_keep_their_order_and_wake_once_per_batch(void)
{
    struct mailbox box;
    struct sender senders[SENDERS] = {0};
    pthread_t threads[SENDERS];
    int wakes = 0;

    mailbox_init(&box);
    for (int i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){.box = &box, .id = i};
        CHECK_EQ(pthread_create(&threads[i], NULL, send_all, &senders[i]), 0);
    }

    int batches = receive_all(&box);

    for (int i = 0; i < SENDERS; i++) {
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
        wakes += senders[i].wakes;
    }
    CHECK_EQ(wakes, batches);
    CHECK(!mailbox_take(&box));
}

TAP_CASES(CASE(mail_comes_out_oldest_first), CASE(push_into_a_box_just_emptied_wakes_again),
          CASE(two_senders_keep_their_order_and_wake_once_per_batch))
