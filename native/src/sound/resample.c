/* Polyphase: an upsampled sample is one phase's taps on the last 32 that came; a downsampled
 * one is the sum of all phases, each on every factor-th sample. */
#include "taps.h"

#include <string.h>

enum {
    TAPS = MCU_RESAMPLE_TAPS,
    PHASES = 6,  /* at most */
    BLOCK = 320, /* low-rate samples at a time: 20 ms at 16 kHz */
    SHIFT = 14   /* taps sum to 1 << SHIFT */
};

static inline int16_t limited(int value)
{
    return (int16_t)(value > INT16_MAX ? INT16_MAX : value < INT16_MIN ? INT16_MIN : value);
}

/* No row's magnitudes sum to 65536, so it fits. */
static inline int32_t dot(const int16_t *restrict taps, const int16_t *restrict samples)
{
    int32_t sum = 0;
    for (int i = 0; i < TAPS; i++)
        sum += taps[i] * samples[i];
    return sum;
}

static const int16_t (*rows_of(int factor))[TAPS]
{
    return factor == 3 ? mcu_taps_3 : mcu_taps_6;
}

static void upsample_block(int16_t *history, int factor, const int16_t *in, size_t count,
                           int16_t *out)
{
    const int16_t(*rows)[TAPS] = rows_of(factor);
    int16_t samples[TAPS + BLOCK];
    memcpy(samples, history, TAPS * sizeof *samples);
    memcpy(samples + TAPS, in, count * sizeof *samples);
    for (size_t i = 0; i < count; i++)
        for (int phase = 0; phase < factor; phase++)
            *out++ =
                limited((dot(rows[phase], samples + i + 1) + (1 << (SHIFT - 1))) >> SHIFT);
    memcpy(history, samples + count, TAPS * sizeof *samples);
}

void mcu_upsample(struct mcu_resampler *resampler, int factor, const int16_t *in, size_t count,
                  int16_t *out)
{
    while (count) {
        const size_t block = count < BLOCK ? count : BLOCK;
        upsample_block(resampler->history, factor, in, block, out);
        in += block;
        out += block * (size_t)factor;
        count -= block;
    }
}

/* The nearest whole number: a constant divisor is a multiplication. */
static inline int16_t divided(int64_t sum, int64_t divisor)
{
    return limited((int)((sum + (sum < 0 ? -divisor : divisor) / 2) / divisor));
}

static void downsample_block(int16_t *history, int factor, const int16_t *in, size_t count,
                             int16_t *out)
{
    const int16_t(*rows)[TAPS] = rows_of(factor);
    int16_t samples[PHASES][TAPS + BLOCK];
    for (int phase = 0; phase < factor; phase++) {
        int16_t *past = history + phase * TAPS;
        memcpy(samples[phase], past, TAPS * sizeof *past);
        for (size_t i = 0; i < count; i++)
            samples[phase][TAPS + i] = in[i * (size_t)factor + (size_t)(factor - 1 - phase)];
        memcpy(past, samples[phase] + count, TAPS * sizeof *past);
    }
    for (size_t i = 0; i < count; i++) {
        int64_t sum = 0;
        for (int phase = 0; phase < factor; phase++) /* the inner one: a dot is one thing */
            sum += dot(rows[phase], samples[phase] + i + 1);
        out[i] = factor == 3 ? divided(sum, 3 << SHIFT) : divided(sum, 6 << SHIFT);
    }
}

void mcu_downsample(struct mcu_resampler *resampler, int factor, const int16_t *in,
                    size_t count, int16_t *out)
{
    for (size_t left = count / (size_t)factor; left;) {
        const size_t block = left < BLOCK ? left : BLOCK;
        downsample_block(resampler->history, factor, in, block, out);
        in += block * (size_t)factor;
        out += block;
        left -= block;
    }
}
