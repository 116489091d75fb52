#include "conceal.h"
#include "pitch.h"

#include <string.h>

#define VOICED 0.5 /* below this match nothing is a pitch */
enum {
    SHORTEST = 400, /* Hz of the highest voice */
    HISTORY = MCU_CONCEAL_HISTORY
};

static int ms(int rate, int milliseconds) { return rate / 1000 * milliseconds; }

static int16_t limited(int value)
{
    return (int16_t)(value > INT16_MAX ? INT16_MAX : value < INT16_MIN ? INT16_MIN : value);
}

static void remember(struct mcu_concealer *concealer, const int16_t *samples, int count)
{
    int16_t *history = concealer->history;
    const int newest = count < HISTORY ? count : HISTORY;
    memmove(history, history + newest, (size_t)(HISTORY - newest) * sizeof *history);
    memcpy(history + HISTORY - newest, samples + count - newest,
           (size_t)newest * sizeof *history);
}

/* A hiss has no pitch: the longest period buzzes least. */
static int period_of(const int16_t *history, int rate)
{
    const int longest = ms(rate, 15);
    float samples[HISTORY];
    for (int i = 0; i < HISTORY; i++)
        samples[i] = history[i];
    const struct mcu_pitch pitch = mcu_pitch(samples + HISTORY - longest, (size_t)longest,
                                             (size_t)(rate / SHORTEST), (size_t)longest);
    return pitch.match < VOICED ? longest : (int)pitch.lag;
}

/* The last period, its last quarter led over into what came before its first sample. */
static void take_cycle(struct mcu_concealer *concealer, int rate)
{
    const int16_t *end = concealer->history + HISTORY;
    const int period = period_of(concealer->history, rate);
    const int overlap = period / 4;
    memcpy(concealer->cycle, end - period, (size_t)period * sizeof *concealer->cycle);
    for (int i = 0; i < overlap; i++) {
        const int last = end[i - overlap], before = end[i - overlap - period];
        concealer->cycle[period - overlap + i] =
            (int16_t)(last + (before - last) * (i + 1) / (overlap + 1));
    }
    concealer->period = period;
    concealer->seam = end[-1] - end[-1 - period];
}

/* The sample that is `missing` after the last that came. */
static int16_t made_up(const struct mcu_concealer *concealer, int rate, int missing)
{
    const int full = ms(rate, 10), silent = ms(rate, 60), overlap = concealer->period / 4;
    if (missing >= silent)
        return 0;
    int sample = concealer->cycle[missing % concealer->period];
    if (missing < overlap)
        sample += concealer->seam * (overlap - missing) / (overlap + 1);
    if (missing > full)
        sample = sample * (silent - missing) / (silent - full);
    return limited(sample);
}

void mcu_conceal_heard(struct mcu_concealer *concealer, int rate, int16_t *samples, int count)
{
    const int blend = ms(rate, 5);
    if (concealer->missing)
        for (int i = 0; i < blend && i < count; i++) {
            const int made = made_up(concealer, rate, concealer->missing + i);
            samples[i] = (int16_t)(made + (samples[i] - made) * (i + 1) / (blend + 1));
        }
    concealer->missing = 0;
    remember(concealer, samples, count);
}

void mcu_conceal_missing(struct mcu_concealer *concealer, int rate, int16_t *out, int count)
{
    if (!concealer->missing)
        take_cycle(concealer, rate);
    for (int i = 0; i < count; i++)
        out[i] = made_up(concealer, rate, concealer->missing + i);
    if (concealer->missing < rate) /* far beyond silence it need not be counted */
        concealer->missing += count;
    remember(concealer, out, count);
}
