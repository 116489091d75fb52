/* Bytes in time: how fast something went lately. */
#ifndef MCU_CONGESTION_METER_H
#define MCU_CONGESTION_METER_H

#include <stdint.h>

#define METER_SLOTS 16
#define METER_SLOT_US 32000 /* the whole is half a second */

struct meter { /* zero it to begin */
    uint32_t bytes[METER_SLOTS];
    int64_t slot;  /* the newest */
    int64_t first; /* the slot in which it began */
};

void meter_add(struct meter *meter, uint32_t bytes, int64_t now);
/* Bits per second of the half second before `now`, or of what there is; 0: of less than 100
 * ms. */
double meter_rate(const struct meter *meter, int64_t now);

#endif
