#include "pitch.h"

#include <math.h>

enum { LANES = 8 }; /* sums side by side, for the compiler to use wide registers */

static double dot(const float *restrict a, const float *restrict b, size_t count)
{
    float lanes[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t lane = 0; lane < LANES; lane++)
            lanes[lane] += a[i + lane] * b[i + lane];
    double sum = 0;
    for (; i < count; i++)
        sum += (double)(a[i] * b[i]);
    for (size_t lane = 0; lane < LANES; lane++)
        sum += (double)lanes[lane];
    return sum;
}

struct mcu_pitch mcu_pitch(const float *at, size_t window, size_t least, size_t most)
{
    struct mcu_pitch best = {least, 0};
    const double power = dot(at, at, window);
    for (size_t lag = least; lag <= most; lag++) {
        const float *before = at - lag;
        const double both = power * dot(before, before, window);
        const double match = both > 0 ? dot(at, before, window) / sqrt(both) : 0;
        if (match > best.match)
            best = (struct mcu_pitch){lag, match};
    }
    return best;
}
