/* What was sent and is not answered for yet. */
#ifndef MCU_CONGESTION_SENT_H
#define MCU_CONGESTION_SENT_H

#include <mcu/estimate.h>

enum sent_answer { SENT_WAITS, SENT_LOST, SENT_ARRIVED };

struct sent_packet {
    int64_t at;      /* us */
    uint64_t before; /* bytes that were sent before it, in all */
    uint16_t size;
    uint8_t answer;
};

struct sent {
    struct sent_packet ring[MCU_ESTIMATE_PACKETS]; /* by number */
    int64_t next;                                  /* the number of the next */
    int64_t answered; /* what is below is answered for, or given up */
    uint64_t bytes;   /* in all */
};

void sent_begin(struct sent *sent);
void sent_add(struct sent *sent, size_t size, int64_t now);
/* The packet that a report calls so, and its number; NULL: there is none any more, or not yet.
 */
struct sent_packet *sent_find(struct sent *sent, uint16_t wire, int64_t *number);
/* Everything up to this number is answered for. */
void sent_answered(struct sent *sent, int64_t number);
/* Bytes that are unanswered, but for what is too old to be waited for. */
uint64_t sent_outstanding(struct sent *sent, int64_t now);

#endif
