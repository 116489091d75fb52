/* Fractional resampling by eight taps, interpolated between two rows of a table. */
#include "taps.h"

#include <math.h>
#include <string.h>

enum { TAPS = MCU_DRIFT_TAPS, BLOCK = 240 };

static inline int16_t read_at(const int16_t *samples, float fraction)
{
    const float place = fraction * MCU_DRIFT_PHASES;
    const int row = place < MCU_DRIFT_PHASES ? (int)place : MCU_DRIFT_PHASES - 1; /* rounded */
    const float weight = place - (float)row;
    const float *before = mcu_drift_taps[row], *after = mcu_drift_taps[row + 1];
    float sum = 0;
    for (int i = 0; i < TAPS; i++)
        sum += (before[i] + weight * (after[i] - before[i])) * (float)samples[i];
    const float limited = fminf(fmaxf(sum, INT16_MIN), INT16_MAX);
    return (int16_t)(limited + (limited < 0 ? -0.5f : 0.5f));
}

/* `count` at most BLOCK, and then at most BLOCK + BLOCK / 200 + 1 are used up. */
static size_t drift_block(struct mcu_drift *drift, double step, const int16_t *in,
                          int16_t *out, size_t count)
{
    int16_t samples[TAPS + BLOCK + BLOCK / 200 + 2];
    const double end = drift->position + (double)count * step;
    const size_t used = (size_t)end;
    memcpy(samples, drift->history, sizeof drift->history);
    memcpy(samples + TAPS, in, used * sizeof *in);
    for (size_t i = 0; i < count; i++) {
        const double place = drift->position + (double)i * step;
        const size_t whole = (size_t)place;
        out[i] = read_at(samples + whole, (float)(place - (double)whole));
    }
    memcpy(drift->history, samples + used, sizeof drift->history);
    drift->position = end - (double)used;
    return used;
}

size_t mcu_drift(struct mcu_drift *drift, double ppm, const int16_t *in, int16_t *out,
                 size_t count)
{
    const double step = 1 + fmax(-5000, fmin(5000, ppm)) / 1e6;
    size_t used = 0;
    for (size_t made = 0; made < count; made += BLOCK) {
        const size_t left = count - made;
        used += drift_block(drift, step, in + used, out + made, left < BLOCK ? left : BLOCK);
    }
    return used;
}
