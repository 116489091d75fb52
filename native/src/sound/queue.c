#include "queue.h"

#include <string.h>

enum { SEEN = 64 };

bool mcu_queue_is_new(struct mcu_queue *queue, int64_t sequence)
{
    if (!queue->seen || sequence > queue->newest) {
        const int64_t ahead = sequence - queue->newest;
        queue->seen = !queue->seen || ahead >= SEEN ? 1 : queue->seen << ahead | 1;
        queue->newest = sequence;
        return true;
    }
    const int64_t behind = queue->newest - sequence;
    if (behind >= SEEN)
        return true;
    const uint64_t bit = UINT64_C(1) << behind;
    const bool is_new = !(queue->seen & bit);
    queue->seen |= bit;
    return is_new;
}

/* Where a sequence number is, or belongs: most packets are the newest. */
static size_t place_of(const struct mcu_queue *queue, int64_t sequence)
{
    size_t place = queue->count;
    while (place && queue->packets[place - 1].sequence >= sequence)
        place--;
    return place;
}

static void store(struct mcu_queue *queue, struct mcu_packet *at,
                  const struct mcu_packet *packet, const uint8_t *payload, uint8_t slot)
{
    *at = *packet;
    at->slot = slot;
    if (packet->size)
        memcpy(queue->payloads[slot], payload, packet->size);
}

void mcu_queue_put(struct mcu_queue *queue, const struct mcu_packet *packet,
                   const uint8_t *payload)
{
    const size_t place = place_of(queue, packet->sequence);
    struct mcu_packet *at = &queue->packets[place];
    const uint8_t slot = (uint8_t)__builtin_ctzll(~queue->used);
    memmove(at + 1, at, (queue->count - place) * sizeof *at);
    store(queue, at, packet, payload, slot);
    queue->used |= UINT64_C(1) << slot;
    queue->count++;
}

bool mcu_queue_complete(struct mcu_queue *queue, const struct mcu_packet *packet,
                        const uint8_t *payload)
{
    const size_t place = place_of(queue, packet->sequence);
    struct mcu_packet *at = &queue->packets[place];
    if (place == queue->count || at->sequence != packet->sequence || at->size)
        return false;
    store(queue, at, packet, payload, at->slot);
    return true;
}

const struct mcu_packet *mcu_queue_head(const struct mcu_queue *queue)
{
    return queue->count ? &queue->packets[0] : NULL;
}

const struct mcu_packet *mcu_queue_last(const struct mcu_queue *queue)
{
    return queue->count ? &queue->packets[queue->count - 1] : NULL;
}

const uint8_t *mcu_queue_payload(const struct mcu_queue *queue,
                                 const struct mcu_packet *packet)
{
    return queue->payloads[packet->slot];
}

void mcu_queue_drop_head(struct mcu_queue *queue)
{
    queue->used &= ~(UINT64_C(1) << queue->packets[0].slot);
    queue->count--;
    memmove(queue->packets, queue->packets + 1, queue->count * sizeof *queue->packets);
}

void mcu_queue_clear(struct mcu_queue *queue)
{
    queue->count = 0;
    queue->used = queue->seen = 0;
}
