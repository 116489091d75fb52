/* Time made longer or shorter by whole pitch periods, without a click (WSOLA): what an
 * adaptive jitter buffer does to change its delay while somebody talks. Pure. */
#ifndef MCU_STRETCH_H
#define MCU_STRETCH_H

#include <stddef.h>
#include <stdint.h>

#define MCU_STRETCH_LEAST 1440 /* samples that are needed at least: 30 ms at 48 kHz */

/* Takes one pitch period (2.5 … 15 ms) out of `samples`, or puts one in, overlap-adding where
 * the best match is. Returns the new count, and how good the match was in *match (normalised
 * correlation, 1: the same; quiet sound counts as 1). Writes to `out` (2 * count). Where the
 * match is below `least_match` nothing is changed and `count` is returned. */
size_t mcu_shrink(const int16_t *samples, size_t count, double least_match, int16_t *out,
                  double *match);
size_t mcu_grow(const int16_t *samples, size_t count, double least_match, int16_t *out,
                double *match);

#endif
