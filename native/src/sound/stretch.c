#include <mcu/stretch.h>

#include "pitch.h"

#include <math.h>
#include <string.h>

enum {
    SHORTEST = 120,       /* 2.5 ms */
    LONGEST = 720,        /* 15 ms */
    COARSE = 6,           /* the search is at 8 kHz first */
    STEP = 480,           /* from one place that is tried to the next */
    PLACES = 4,           /* at most: what lies beyond is not looked at */
    QUIET_POWER = 32 * 32 /* mean square: -60 dBov */
};

/* At `place` sound goes over into what is a period further on, or further back. */
struct seam {
    size_t place, period;
    double match;
};

/* The best period about a place, LONGEST samples on either side of it. */
static struct seam seam_at(const int16_t *samples, size_t place)
{
    float fine[2 * LONGEST], coarse[2 * LONGEST / COARSE] = {0};
    double power = 0;
    for (size_t i = 0; i < 2 * LONGEST; i++) {
        fine[i] = samples[place - LONGEST + i];
        coarse[i / COARSE] += fine[i];
        power += (double)(fine[i] * fine[i]);
    }
    if (power <= QUIET_POWER * 2 * LONGEST)
        return (struct seam){place, LONGEST, 1};
    const size_t about = COARSE * mcu_pitch(coarse + LONGEST / COARSE, LONGEST / COARSE,
                                            SHORTEST / COARSE, LONGEST / COARSE)
                                      .lag;
    const size_t least = about < SHORTEST + COARSE ? SHORTEST : about - COARSE;
    const size_t most = about > LONGEST - COARSE ? LONGEST : about + COARSE;
    const struct mcu_pitch pitch = mcu_pitch(fine + LONGEST, LONGEST, least, most);
    return (struct seam){place, pitch.lag, pitch.match};
}

static struct seam best_seam(const int16_t *samples, size_t count)
{
    struct seam best = {0, 0, -1};
    size_t place = LONGEST;
    for (int i = 0; i < PLACES && place + LONGEST <= count; i++, place += STEP) {
        const struct seam seam = seam_at(samples, place);
        if (seam.match > best.match)
            best = seam;
    }
    return best;
}

/* Goes over from one sound to the other in `count` samples. */
static void lead_over(const int16_t *from, const int16_t *to, size_t count, int16_t *out)
{
    const float step = 1.0f / (float)(count + 1);
    for (size_t i = 0; i < count; i++) {
        const float weight = (float)(i + 1) * step;
        const float sample = (float)from[i] + weight * (float)(to[i] - from[i]);
        out[i] = (int16_t)lrintf(sample);
    }
}

/* `out` begins as `samples` do, before `lead` goes over from before the seam to after it, or
 * the other way, and ends as they do from `rest` on. */
static size_t join(const int16_t *samples, size_t count, size_t lead, size_t rest,
                   const int16_t *from, const int16_t *to, size_t period, int16_t *out)
{
    memcpy(out, samples, lead * sizeof *out);
    lead_over(from, to, period, out + lead);
    memcpy(out + lead + period, samples + rest, (count - rest) * sizeof *out);
    return lead + period + count - rest;
}

static size_t unchanged(const int16_t *samples, size_t count, int16_t *out)
{
    memcpy(out, samples, count * sizeof *out);
    return count;
}

size_t mcu_shrink(const int16_t *samples, size_t count, double least_match, int16_t *out,
                  double *match)
{
    const struct seam seam = best_seam(samples, count);
    *match = seam.match;
    if (seam.match < least_match)
        return unchanged(samples, count, out);
    const int16_t *at = samples + seam.place;
    return join(samples, count, seam.place - seam.period, seam.place + seam.period,
                at - seam.period, at, seam.period, out);
}

size_t mcu_grow(const int16_t *samples, size_t count, double least_match, int16_t *out,
                double *match)
{
    const struct seam seam = best_seam(samples, count);
    *match = seam.match;
    if (seam.match < least_match)
        return unchanged(samples, count, out);
    const int16_t *at = samples + seam.place;
    return join(samples, count, seam.place, seam.place, at, at - seam.period, seam.period,
                out);
}
