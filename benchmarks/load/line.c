#include "load.h"

#include <stdlib.h>
#include <string.h>

#define LONGEST 4096 /* datagrams that are on their way; more are lost */

/* The place of one that is due at this time, behind all that are due before. */
static struct datagram *place(struct way *way, int64_t due)
{
    size_t at = way->first + way->count++;
    for (; at > way->first && way->ring[(at - 1) % LONGEST].due > due; at--)
        way->ring[at % LONGEST] = way->ring[(at - 1) % LONGEST];
    return &way->ring[at % LONGEST];
}

bool line_takes(struct leg *leg, struct way *way, const uint8_t *data, size_t size,
                int64_t from)
{
    if (!leg->far && !leg->lossy && !leg->jitter && !leg->pace)
        return false;
    if (!way->ring)
        way->ring = malloc(LONGEST * sizeof *way->ring);
    if (per_mille(leg) < leg->lossy || !way->ring || way->count == LONGEST)
        return true;
    const int64_t late = way == &leg->out ? leg->jitter * per_mille(leg) / 1000 : 0;
    const int64_t due = from + leg->far + late;
    struct datagram *placed = place(way, due);
    placed->due = due;
    placed->size = size;
    memcpy(placed->data, data, size);
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
