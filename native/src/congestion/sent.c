#include "sent.h"

#include <mcu/rtp.h>

#define GIVEN_UP_US 1500000

static struct sent_packet *slot(struct sent *sent, int64_t number)
{
    return &sent->ring[number & (MCU_ESTIMATE_PACKETS - 1)];
}

void sent_begin(struct sent *sent) { sent->next = sent->answered = 1; }

void sent_add(struct sent *sent, size_t size, int64_t now)
{
    if (sent->next - sent->answered >= MCU_ESTIMATE_PACKETS)
        sent->answered = sent->next - MCU_ESTIMATE_PACKETS + 1;
    *slot(sent, sent->next++) = (struct sent_packet){
        .at = now, .before = sent->bytes, .size = (uint16_t)size, .answer = SENT_WAITS};
    sent->bytes += size;
}

struct sent_packet *sent_find(struct sent *sent, uint16_t wire, int64_t *number)
{
    *number = mcu_extend16(sent->next - 1, wire);
    if (*number < 1 || *number >= sent->next ||
        *number < sent->next - (MCU_ESTIMATE_PACKETS - 1))
        return NULL;
    return slot(sent, *number);
}

void sent_answered(struct sent *sent, int64_t number)
{
    if (number >= sent->answered)
        sent->answered = number + 1;
}

uint64_t sent_outstanding(struct sent *sent, int64_t now)
{
    while (sent->answered < sent->next && now - slot(sent, sent->answered)->at > GIVEN_UP_US)
        sent->answered++;
    if (sent->answered >= sent->next)
        return 0;
    return sent->bytes - slot(sent, sent->answered)->before;
}
