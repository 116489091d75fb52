#include "load.h"

#include <stdlib.h>
#include <string.h>

#define LONGEST 4096 /* datagrams that are on their way; more are lost */

bool line_takes(struct leg *leg, struct way *way, const uint8_t *data, size_t size,
                int64_t now)
{
    if (!leg->far && !leg->lossy)
        return false;
    if (!way->ring)
        way->ring = malloc(LONGEST * sizeof *way->ring);
    if (per_mille(leg) < leg->lossy || !way->ring || way->count == LONGEST)
        return true;
    struct datagram *last = &way->ring[(way->first + way->count++) % LONGEST];
    last->due = now + leg->far;
    last->size = size;
    memcpy(last->data, data, size);
    return true;
}

/* The next that has come to the end of its way. NULL: none has. */
static struct datagram *arrived(struct way *way, int64_t now)
{
    if (!way->count || way->ring[way->first].due > now)
        return NULL;
    struct datagram *first = &way->ring[way->first];
    way->first = (way->first + 1) % LONGEST;
    way->count--;
    return first;
}

void line_moves(struct leg *leg, int64_t now, FILE *recording)
{
    struct datagram *moved;
    while ((moved = arrived(&leg->out, now)))
        put_now(leg, moved->data, moved->size);
    while ((moved = arrived(&leg->in, now)))
        take(leg, moved->data, moved->size, now, recording);
}
