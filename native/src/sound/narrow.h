/* What G.711 and G.722 share: a rate below 48 kHz, and concealment at that rate. */
#ifndef MCU_SOUND_NARROW_H
#define MCU_SOUND_NARROW_H

#include "conceal.h"

#include <mcu/codec.h>
#include <mcu/resample.h>

/* 120 ms at the highest rate of these, 16 kHz. */
#define MCU_NARROW_SAMPLES (MCU_PACKET_SAMPLES / 3)

/* All zeros to begin. */
struct mcu_narrow {
    struct mcu_concealer concealer;
    struct mcu_resampler up;
};

/* What a payload of one octet an RTP timestamp holds; -1: more than 120 ms, or nothing. */
int mcu_narrow_duration(const uint8_t *payload, size_t size);
/* Decoded samples of 48 / `factor` kHz to `out`; samples made. May write to `decoded`. */
int mcu_narrow_play(struct mcu_narrow *narrow, int factor, int16_t *decoded, int count,
                    int16_t *out);
/* `samples` of 48 kHz in the place of what is missing. */
void mcu_narrow_conceal(struct mcu_narrow *narrow, int factor, int samples, int16_t *out);

#endif
