/* How fast sound is played: our clock, and what is done about a delay that is not as it is
 * wanted, by a little (resampling) or by much (pitch periods). */
#ifndef MCU_SOUND_PACE_H
#define MCU_SOUND_PACE_H

#include "supply.h"

#include <mcu/resample.h>

struct mcu_pace { /* zero it to begin */
    bool running;
    int64_t clock;    /* samples at 48 kHz; smooth, though ticks come late */
    double drift_ppm; /* the sender's clock is faster by so much, as far as is known */
    int32_t patience; /* ticks in which no good place to stretch was found */
    int32_t rest;     /* ticks until there may be another */
    struct mcu_drift drift;
};

/* A tick at `now` (samples). */
void mcu_pace_tick(struct mcu_pace *pace, int64_t now);
/* Nothing is played in this tick. */
void mcu_pace_silence(struct mcu_pace *pace);
/* Makes a tick of what waits in the supply. `excess`: samples by which the delay is larger
 * than it is wanted, or smaller if below 0. */
void mcu_pace_play(struct mcu_pace *pace, struct mcu_supply *supply, int64_t excess,
                   int16_t *out);

#endif
