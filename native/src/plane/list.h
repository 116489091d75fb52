/* Lists whose members bring what links them, as their first part: nothing is allocated, and
 * who is in one leaves it at once. Guarded as what is in them. */
#ifndef MCU_PLANE_LIST_H
#define MCU_PLANE_LIST_H

#include <stdbool.h>
#include <stddef.h>

/* A member's neighbours, NULL while it is in no list; or a list's last and first, which is its
 * own neighbour while it is empty. */
struct links {
    struct links *before, *after;
};

static inline void list_begin(struct links *list) { list->before = list->after = list; }

static inline bool list_has(const struct links *member) { return member->after != NULL; }

/* At the end. */
static inline void list_add(struct links *list, struct links *member)
{
    *member = (struct links){.before = list->before, .after = list};
    list->before->after = member;
    list->before = member;
}

static inline void list_remove(struct links *member)
{
    member->before->after = member->after;
    member->after->before = member->before;
    *member = (struct links){NULL, NULL};
}

/* Whether it is in it from now on. */
static inline void list_set(struct links *list, struct links *member, bool is_in)
{
    if (is_in && !list_has(member))
        list_add(list, member);
    if (!is_in && list_has(member))
        list_remove(member);
}

static inline size_t list_count(const struct links *list)
{
    size_t count = 0;
    for (const struct links *at = list->after; at != list; at = at->after)
        count++;
    return count;
}

/* The first, which is the last from now on; NULL: it is empty. So whoever looks after members
 * one after another can let any of them leave meanwhile, and stop anywhere. */
static inline struct links *list_turn(struct links *list)
{
    struct links *first = list->after;
    if (first == list)
        return NULL;
    list_remove(first);
    list_add(list, first);
    return first;
}

#endif
