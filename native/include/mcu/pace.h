/* When a leg's pictures may leave: a leaky bucket that is as deep as one picture in a steady
 * stream, so that ordinary ones leave whole, at once, and a key frame in many small bursts.
 * Pure. */
#ifndef MCU_PACE_H
#define MCU_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mcu_pace {             /* zero it to begin */
    double level;             /* bytes that may leave; negative: owed */
    int64_t now;              /* when that was so, us */
    uint32_t bits_per_second; /* the line's estimate */
};

/* Time passes; and the estimate, which may have changed. */
void mcu_pace_at(struct mcu_pace *pace, uint32_t bits_per_second, int64_t now);
/* Whether a packet may leave: the level is above zero. */
bool mcu_pace_may(const struct mcu_pace *pace);
void mcu_pace_spend(struct mcu_pace *pace, size_t size);
/* When the next burst may begin: it is worth waking up for. */
int64_t mcu_pace_due(const struct mcu_pace *pace);

#endif
