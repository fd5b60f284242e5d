/*
 * A stack that producers push with one compare-and-swap, and that the consumer takes whole with
 * one exchange and turns round. Because nothing is ever popped singly there is no ABA problem,
 * and no mail is touched by a producer once it has been pushed.
 */
#include "media/base/mailbox.h"

#include <stddef.h>

void mailbox_init(struct mailbox *m)
{
    atomic_init(&m->head, NULL);
}

bool mailbox_push(struct mailbox *m, struct mail *mail)
{
    struct mail *head = atomic_load_explicit(&m->head, memory_order_relaxed);

    do
        mail->next = head;
    while (!atomic_compare_exchange_weak_explicit(&m->head, &head, mail, memory_order_release,
                                                  memory_order_relaxed));
    return head == NULL;
}

struct mail *mailbox_take(struct mailbox *m)
{
    struct mail *newest = atomic_exchange_explicit(&m->head, NULL, memory_order_acquire);
    struct mail *oldest = NULL;

    while (newest) {
        struct mail *next = newest->next;

        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}
