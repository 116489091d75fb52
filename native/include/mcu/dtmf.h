/* DTMF as telephone-events (RFC 4733), received: one event for each key press, however its
 * packets were lost, repeated or reordered. Pure. */
#ifndef MCU_DTMF_H
#define MCU_DTMF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mcu_dtmf { /* zero it to begin */
    bool begun, ended;
    int64_t timestamp; /* extended, of the event that is in progress or was last told */
    uint8_t digit;
    uint32_t duration; /* in timestamp units */
};

/* A telephone-event packet came. Returns the digit as a character (0 … 9 * # A … D) when a
 * press is to be told, once for each press: at its first packet; 0: nothing new; -1:
 * malformed, or an event that is no DTMF digit. */
int mcu_dtmf_packet(struct mcu_dtmf *dtmf, int64_t timestamp, const uint8_t *payload,
                    size_t size);

#endif
