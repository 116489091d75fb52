/* Fractional resampling by eight taps, interpolated between two rows of a table. Where the
 * fraction hardly changes from sample to sample, sixteen are read by the same two rows. */
#include "taps.h"

#include <math.h>
#include <string.h>

enum { TAPS = MCU_DRIFT_TAPS, PHASES = MCU_DRIFT_PHASES, BLOCK = 240, RUN = 16, LANES = 4 };

typedef float quad __attribute__((vector_size(LANES * sizeof(float))));

static inline quad four(const float *from)
{
    quad values;
    memcpy(&values, from, sizeof values);
    return values;
}

static inline int16_t rounded(float sample)
{
    const float low = sample < INT16_MIN ? INT16_MIN : sample;
    const float limited = low > INT16_MAX ? INT16_MAX : low;
    return (int16_t)((int)(limited - INT16_MIN + 0.5f) + INT16_MIN); /* positive: no sign */
}

/* RUN samples, each one further, by the taps of a row, and by what the next row has more. */
static void read_rows(const float *samples, int row, float by_row[RUN], float by_more[RUN])
{
    const float *taps = mcu_drift_taps[row], *next = mcu_drift_taps[row + 1];
    for (int first = 0; first < RUN; first += LANES) {
        quad sum = {0}, more = {0};
        for (int i = 0; i < TAPS; i++) {
            const quad values = four(samples + first + i);
            sum += taps[i] * values;
            more += (next[i] - taps[i]) * values;
        }
        memcpy(by_row + first, &sum, sizeof sum);
        memcpy(by_more + first, &more, sizeof more);
    }
}

/* How many can be read by the row that `fraction` is in, each `slide` further. */
static size_t near(double fraction, double slide, size_t most)
{
    const double rows = fabs(slide) * PHASES;
    size_t count = most < RUN ? most : RUN;
    if (rows * RUN > 0.5)
        count = (size_t)fmin((double)count, 1 + 0.5 / rows);
    while (count > 1 && (fraction + (double)(count - 1) * slide < 0 ||
                         fraction + (double)(count - 1) * slide >= 1))
        count--;
    return count;
}

/* Reads at `fraction` and, `slide` further each time, as long as that is near the same row;
 * `most` at most. Returns how many. */
static size_t read_run(const float *samples, double fraction, double slide, int16_t *out,
                       size_t most)
{
    const size_t count = near(fraction, slide, most);
    const int row = (int)(fraction * PHASES);
    const float weight = (float)(fraction * PHASES - row), more = (float)(slide * PHASES);
    float by_row[RUN], by_more[RUN];
    int16_t read[RUN];
    read_rows(samples, row, by_row, by_more);
    for (int i = 0; i < RUN; i++)
        read[i] = rounded(by_row[i] + (weight + (float)i * more) * by_more[i]);
    memcpy(out, read, count * sizeof *out);
    return count;
}

/* `count` at most BLOCK, and then at most BLOCK + BLOCK / 200 + 1 are used up. */
static size_t drift_block(struct mcu_drift *drift, double step, const int16_t *in,
                          int16_t *out, size_t count)
{
    float samples[TAPS + BLOCK + BLOCK / 200 + 2 + RUN] = {0};
    const double end = drift->position + (double)count * step;
    const size_t used = (size_t)end;
    for (size_t i = 0; i < TAPS; i++)
        samples[i] = drift->history[i];
    for (size_t i = 0; i < used; i++)
        samples[TAPS + i] = in[i];
    for (size_t made = 0; made < count;) {
        const double place = drift->position + (double)made * step;
        const size_t whole = (size_t)place;
        made += read_run(samples + whole, place - (double)whole, step - 1, out + made,
                         count - made);
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
