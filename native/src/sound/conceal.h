/* Concealment by pitch waveform repetition, of the kind of ITU-T G.711 appendix I, at the
 * codec's own rate: the last pitch period is repeated without a seam, from 10 ms on it fades,
 * at 60 ms it is silence; what comes then is faded in over 5 ms. (spandsp's plc takes voices
 * between 66 and 400 Hz at 8 kHz, but only from 133 Hz on at 16; and it copies memory that
 * overlaps by memcpy.) */
#ifndef MCU_SOUND_CONCEAL_H
#define MCU_SOUND_CONCEAL_H

#include <stdint.h>

#define MCU_CONCEAL_PERIOD 240 /* 15 ms at 16 kHz, the highest rate */
#define MCU_CONCEAL_HISTORY (2 * MCU_CONCEAL_PERIOD + MCU_CONCEAL_PERIOD / 4)

/* All zeros to begin. */
struct mcu_concealer {
    int16_t history[MCU_CONCEAL_HISTORY]; /* what was played, the newest last */
    int16_t cycle[MCU_CONCEAL_PERIOD];
    int period;
    int missing; /* samples made since the last that came; 0: none is missing */
    int seam;    /* what the first made sample is off by, to be taken back little by little */
};

/* Samples of `rate` Hz (8000 or 16000) came; after a gap their beginning is blended. */
void mcu_conceal_heard(struct mcu_concealer *concealer, int rate, int16_t *samples, int count);
/* Makes `count` samples in the place of what is missing. */
void mcu_conceal_missing(struct mcu_concealer *concealer, int rate, int16_t *out, int count);

#endif
