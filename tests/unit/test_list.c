#include "media/base/list.h"

#include "tests/tap.h"

struct item {
    int value;
    struct list link;
};

static int value_of(struct list *link)
{
    return link ? CONTAINER_OF(link, struct item, link)->value : -1;
}

static void new_list_is_empty(void)
{
    struct list list;

    list_init(&list);
    CHECK(list_empty(&list));
    CHECK(!list_take_first(&list));
}

static void links_come_out_in_the_order_they_went_in(void)
{
    struct item items[3] = {{.value = 1}, {.value = 2}, {.value = 3}};
    struct list list;

    list_init(&list);
    for (size_t i = 0; i < ARRAY_LEN(items); i++)
        list_append(&list, &items[i].link);
    CHECK_EQ(value_of(list_take_first(&list)), 1);
    CHECK_EQ(value_of(list_take_first(&list)), 2);
    CHECK_EQ(value_of(list_take_first(&list)), 3);
    CHECK_EQ(value_of(list_take_first(&list)), -1);
}

static void unlinking_twice_does_no_harm(void)
{
    struct item items[2] = {{.value = 1}, {.value = 2}};
    struct list list;

    list_init(&list);
    CHECK(!list_linked(&items[0].link));
    list_append(&list, &items[0].link);
    list_append(&list, &items[1].link);
    CHECK(list_linked(&items[0].link));
    list_unlink(&items[0].link);
    list_unlink(&items[0].link);
    CHECK(!list_linked(&items[0].link));
    CHECK_EQ(value_of(list_take_first(&list)), 2);
    CHECK(list_empty(&list));
}

static void walk_visits_all_in_order(void)
{
    struct item items[3] = {{.value = 1}, {.value = 2}, {.value = 3}};
    struct list list;
    int seen = 0;

    list_init(&list);
    for (size_t i = 0; i < ARRAY_LEN(items); i++)
        list_append(&list, &items[i].link);
    LIST_FOREACH(it, &list)
        seen = 10 * seen + value_of(it);
    CHECK_EQ(seen, 123);
}

static void safe_walk_may_free_the_current_link(void)
{
    struct list list;
    int seen = 0;

    list_init(&list);
    for (int value = 1; value <= 3; value++) {
        struct item *item = calloc(1, sizeof(*item));

        CHECK(item != NULL);
        item->value = value;
        list_append(&list, &item->link);
    }
    LIST_FOREACH_SAFE(it, &list) {
        seen = 10 * seen + value_of(it);
        list_unlink(it);
        free(CONTAINER_OF(it, struct item, link));
    }
    CHECK_EQ(seen, 123);
    CHECK(list_empty(&list));
}

TAP_CASES(CASE(new_list_is_empty), CASE(links_come_out_in_the_order_they_went_in),
          CASE(unlinking_twice_does_no_harm), CASE(walk_visits_all_in_order),
          CASE(safe_walk_may_free_the_current_link))
