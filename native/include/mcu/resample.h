/* Sample rates: 8 and 16 kHz to 48 and back by fixed polyphase filters, and the small fraction
 * by which two clocks differ. Pure; state is the caller's, zeroed to begin. */
#ifndef MCU_RESAMPLE_H
#define MCU_RESAMPLE_H

#include <stddef.h>
#include <stdint.h>

#define MCU_RESAMPLE_TAPS 32 /* of each phase */

/* Up by 3 or 6, down by 3 or 6: linear phase, passband to 0.45 of the lower rate within 0.1
 * dB, from 0.55 of it on below -60 dB. Delays by 16 samples of the lower rate. */
struct mcu_resampler {
    int16_t history[6 * MCU_RESAMPLE_TAPS];
};
/* `count` samples in, `count * factor` out. */
void mcu_upsample(struct mcu_resampler *resampler, int factor, const int16_t *in, size_t count,
                  int16_t *out);
/* `count` samples in, a multiple of factor; `count / factor` out. */
void mcu_downsample(struct mcu_resampler *resampler, int factor, const int16_t *in,
                    size_t count, int16_t *out);

/* Drift: reads a stream at 1 + ppm / 1e6 of its rate by an interpolation of eight taps, exact
 * to -60 dB below 12 kHz, without a click when ppm changes. Delays by 5 samples. */
struct mcu_drift {
    double position; /* of the next output sample, in input samples from history[3] */
    int16_t history[8];
};
/* Makes exactly `count` samples of as many of `in` as that takes (at least available: count +
 * count / 100 + 8); returns how many of `in` are used up. ppm within ±5,000. */
size_t mcu_drift(struct mcu_drift *drift, double ppm, const int16_t *in, int16_t *out,
                 size_t count);

#endif
