/* Fractional resampling by eight taps, interpolated between two rows of a table. */
#include "taps.h"

#include <math.h>
#include <string.h>

enum { TAPS = MCU_DRIFT_TAPS, BLOCK = 240 };

/* Four taps at once, which neither compiler sees by itself. */
typedef float quad __attribute__((vector_size(16)));

static inline quad four(const float *from)
{
    quad values;
    memcpy(&values, from, sizeof values);
    return values;
}

static inline int16_t read_at(const float *samples, float fraction)
{
    const float place = fraction * MCU_DRIFT_PHASES;
    const int row = place < MCU_DRIFT_PHASES ? (int)place : MCU_DRIFT_PHASES - 1; /* rounded */
    const float weight = place - (float)row;
    const float *before = mcu_drift_taps[row], *after = mcu_drift_taps[row + 1];
    quad terms = {0};
    for (int i = 0; i < TAPS; i += 4)
        terms += (four(before + i) + weight * (four(after + i) - four(before + i))) *
                 four(samples + i);
    const float sum = (terms[0] + terms[1]) + (terms[2] + terms[3]);
    const int from_lowest =
        (int)(sum - INT16_MIN + 0.5f); /* of what is positive no sign is asked */
    const int limited = from_lowest < 0            ? 0
                        : from_lowest > UINT16_MAX ? UINT16_MAX
                                                   : from_lowest;
    return (int16_t)(limited + INT16_MIN);
}

/* `count` at most BLOCK, and then at most BLOCK + BLOCK / 200 + 1 are used up. */
static size_t drift_block(struct mcu_drift *drift, double step, const int16_t *in,
                          int16_t *out, size_t count)
{
    float samples[TAPS + BLOCK + BLOCK / 200 + 2];
    const double end = drift->position + (double)count * step;
    const size_t used = (size_t)end;
    for (size_t i = 0; i < TAPS; i++)
        samples[i] = drift->history[i];
    for (size_t i = 0; i < used; i++)
        samples[TAPS + i] = in[i];
    for (size_t i = 0; i < count; i++) {
        const double place = drift->position + (double)i * step;
        const int whole = (int)place;
        out[i] = read_at(samples + whole, (float)(place - (double)whole));
    }
    for (size_t i = 0; i < TAPS; i++)
        drift->history[i] = (int16_t)samples[used + i];
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
