#include "net/deadline.h"

void deadlines_init(struct deadlines *deadlines)
{
    for (unsigned kind = 0; kind < DEADLINE_KINDS; kind++) {
        struct deadline *head = &deadlines->heads[kind];
        head->next = head->previous = head;
        deadlines->limit_ms[kind] = 0;
    }
}

void deadline_add(struct deadlines *deadlines, struct deadline *deadline, enum deadline_kind kind,
                  uint64_t now_ms)
{
    struct deadline *head = &deadlines->heads[kind];
    deadline->kind = kind;
    deadline->since_ms = now_ms;
    deadline->next = head;
    deadline->previous = head->previous;
    head->previous->next = deadline;
    head->previous = deadline;
}

void deadline_remove(struct deadline *deadline)
{
    deadline->previous->next = deadline->next;
    deadline->next->previous = deadline->previous;
    deadline->next = deadline->previous = deadline;
}

void deadline_set(struct deadlines *deadlines, struct deadline *deadline, enum deadline_kind kind,
                  uint64_t now_ms)
{
    deadline_remove(deadline);
    deadline_add(deadlines, deadline, kind, now_ms);
}

struct deadline *deadline_first(const struct deadlines *deadlines, enum deadline_kind kind)
{
    const struct deadline *head = &deadlines->heads[kind];
    return head->next != head ? head->next : NULL;
}

struct deadline *deadline_due(const struct deadlines *deadlines, uint64_t now_ms)
{
    for (unsigned kind = 0; kind < DEADLINE_KINDS; kind++) {
        struct deadline *first = deadline_first(deadlines, (enum deadline_kind)kind);
        unsigned limit_ms = deadlines->limit_ms[kind];
        if (first != NULL && limit_ms > 0 && now_ms - first->since_ms >= limit_ms)
            return first;
    }
    return NULL;
}
