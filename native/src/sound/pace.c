#include "pace.h"

#include <mcu/stretch.h>

#include <string.h>

enum {
    ASKED = MCU_TICK + MCU_TICK / 100 + 8, /* samples that mcu_drift wants to see */
    LATEST = 2 * MCU_TICK, /* a tick that is later than this has been left out */
    SMOOTH = 64,           /* ticks over which the clock follows them */
    TOO_LONG = 360,        /* delay beyond which periods are taken out */
    SLACK = 60,            /* a period that is longer than the excess by this is too long */
    TOO_SHORT = 240,       /* … or put in */
    REST = 2,              /* ticks between two stretches */
    HURRY = 4800,          /* delay too long by so much: no rest */
    PATIENT = 50,          /* ticks after which half a match will do */
    LIKELY = 120           /* an excess up to this may come from drift */
};

/* A loop with a time constant of 5 s, critically damped: an excess decays at 0.048 samples a
 * second for each ppm. */
static const double per_sample = 4, per_sample_tick = 0.19 / 50;
static const double most_ppm = 2000, most_drift = 500;

static double limited(double value, double most)
{
    return value > most ? most : value < -most ? -most : value;
}

void mcu_pace_tick(struct mcu_pace *pace, int64_t now)
{
    const int64_t late = now - pace->clock - MCU_TICK;
    if (!pace->running || late > LATEST || late < -LATEST)
        pace->clock = now;
    else
        pace->clock += MCU_TICK + late / SMOOTH;
    pace->running = true;
}

void mcu_pace_silence(struct mcu_pace *pace)
{
    pace->drift = (struct mcu_drift){0};
    pace->patience = pace->rest = 0;
}

/* At first only what nobody can hear, then what can hardly be heard. */
static double least_match(const struct mcu_pace *pace)
{
    const double waited = pace->patience < PATIENT ? pace->patience : PATIENT;
    return 0.9 - 0.4 * waited / PATIENT;
}

static void stretch(struct mcu_pace *pace, struct mcu_supply *supply, int64_t excess)
{
    struct mcu_weave *weave = &supply->weave;
    int16_t out[2 * MCU_STRETCH_LEAST];
    double match;
    mcu_supply_receive(supply, MCU_STRETCH_LEAST);
    if (weave->count < MCU_STRETCH_LEAST)
        return;
    const size_t count = (excess > 0 ? mcu_shrink : mcu_grow)(
        weave->samples, MCU_STRETCH_LEAST, least_match(pace), out, &match);
    const int64_t beyond = MCU_STRETCH_LEAST - (int64_t)count - excess;
    pace->patience += count == MCU_STRETCH_LEAST;
    if (count == MCU_STRETCH_LEAST || (excess > 0 ? beyond > SLACK : beyond < -TOO_SHORT))
        return;
    mcu_weave_replace(weave, MCU_STRETCH_LEAST, out, count);
    if (count > MCU_STRETCH_LEAST)
        supply->stats->stretched += count - MCU_STRETCH_LEAST;
    else
        supply->stats->shrunk += MCU_STRETCH_LEAST - count;
    pace->patience = 0;
    pace->rest = REST;
}

static double ppm_for(struct mcu_pace *pace, int64_t excess)
{
    if (excess >= -LIKELY && excess <= LIKELY)
        pace->drift_ppm =
            limited(pace->drift_ppm + per_sample_tick * (double)excess, most_drift);
    return limited(pace->drift_ppm + per_sample * (double)excess, most_ppm);
}

void mcu_pace_play(struct mcu_pace *pace, struct mcu_supply *supply, int64_t excess,
                   int16_t *out)
{
    if (pace->rest)
        pace->rest--;
    if (!pace->rest || excess > HURRY) {
        if (excess > TOO_LONG || excess < -TOO_SHORT)
            stretch(pace, supply, excess);
        else
            pace->patience = 0;
    }
    const int64_t hold = excess < -MCU_TICK ? MCU_TICK : excess < -TOO_SHORT ? -excess : 0;
    mcu_supply_fill(supply, ASKED, (int32_t)hold);
    const size_t used =
        mcu_drift(&pace->drift, ppm_for(pace, excess), supply->weave.samples, out, MCU_TICK);
    mcu_weave_use(&supply->weave, used);
}
