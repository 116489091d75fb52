/* Resampling, drift, stretching and concealment stay within their memory, whatever they are
 * given: each buffer is of its exact size on the heap, which ASan guards. What they sound like
 * is measured in tests/unit/native. */
#include "harness.h"

#include <mcu/codec.h>
#include <mcu/resample.h>
#include <mcu/stretch.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

void stretching_tests(void);

enum kind { NOISE, EXTREMES, TONE, SILENCE, KINDS };

static int16_t *sound_of(enum kind kind, size_t count)
{
    int16_t *samples = malloc(count ? count * sizeof *samples : 1);
    const double step = 2 * M_PI * between(50, 9000) / MCU_RATE;
    for (size_t i = 0; i < count; i++)
        samples[i] = kind == NOISE      ? (int16_t)noise()
                     : kind == EXTREMES ? (noise() & 1 ? INT16_MAX : INT16_MIN)
                     : kind == TONE     ? (int16_t)(32000 * sin(step * (double)i))
                                        : 0;
    return samples;
}

static int16_t *room_for(size_t count) { return malloc(count ? count * sizeof(int16_t) : 1); }

static enum kind any_kind(void) { return (enum kind)between(0, KINDS - 1); }

static void resampling_keeps_within_its_memory(void)
{
    struct mcu_resampler up = {0}, down = {0};
    for (int round = 0; round < 300; round++) {
        const size_t factor = round % 2 ? 3 : 6;
        const size_t count = (size_t)between(0, 1000);
        int16_t *in = sound_of(any_kind(), count * factor);
        int16_t *low = room_for(count), *high = room_for(count * factor);
        mcu_downsample(&down, (int)factor, in, count * factor, low);
        mcu_upsample(&up, (int)factor, low, count, high);
        free(in);
        free(low);
        free(high);
    }
}

static void drift_takes_no_more_than_it_says(void)
{
    struct mcu_drift drift = {0};
    for (int round = 0; round < 1000; round++) {
        const size_t count = (size_t)between(0, 1500);
        const size_t available = count + count / 100 + 8;
        int16_t *in = sound_of(any_kind(), available), *out = room_for(count);
        const size_t used = mcu_drift(&drift, between(-6000, 6000), in, out, count);
        CHECK(used <= available);
        CHECK(drift.position >= 0 && drift.position < 1);
        free(in);
        free(out);
    }
}

/* Its position comes again and again so near to a whole sample that a float cannot tell. */
static void drift_goes_over_whole_samples_smoothly(void)
{
    struct mcu_drift drift = {0};
    int16_t in[2 * MCU_TICK], out[MCU_TICK];
    for (size_t i = 0; i < sizeof in / sizeof *in; i++)
        in[i] = 20000;
    mcu_drift(&drift, 0, in, out, MCU_TICK);
    for (int tick = 0; tick < 500; tick++) {
        mcu_drift(&drift, tick % 3 == 0 ? -300 : tick % 3 == 1 ? 20 : 5000, in, out, MCU_TICK);
        for (int i = 0; i < MCU_TICK; i++)
            CHECK(abs(out[i] - 20000) <= 1);
    }
}

static void stretching_keeps_within_its_memory(void)
{
    for (int round = 0; round < 300; round++) {
        const size_t count = (size_t)between(0, 3000);
        int16_t *in = sound_of(any_kind(), count), *out = room_for(2 * count);
        double match;
        const size_t shrunk = mcu_shrink(in, count, -1, out, &match);
        CHECK(shrunk <= count && match <= 1.0001);
        const size_t grown = mcu_grow(in, count, -1, out, &match);
        CHECK(grown >= count && grown - count == count - shrunk);
        CHECK(count < MCU_STRETCH_LEAST ? grown == count : grown >= count + 120);
        free(in);
        free(out);
    }
}

static void concealment_goes_on_for_as_long_as_it_must(void)
{
    static const enum mcu_audio_codec codecs[] = {MCU_G722, MCU_PCMA, MCU_PCMU};
    for (int round = 0; round < 60; round++) {
        struct mcu_decoder *decoder = mcu_decoder_new(codecs[round % 3]);
        int16_t *out = room_for(MCU_PACKET_SAMPLES);
        for (int packet = 0; packet < 20; packet++) {
            const size_t size = (size_t)between(1, 300);
            uint8_t *payload = malloc(size);
            for (size_t i = 0; i < size; i++)
                payload[i] = (uint8_t)noise();
            CHECK(mcu_decode(decoder, payload, size, out) == (int)size * 6);
            for (int gap = between(-8, 12); gap > 0; gap--)
                mcu_conceal(decoder, 120 * between(1, 8), out);
            free(payload);
        }
        free(out);
        mcu_decoder_free(decoder);
    }
}

void stretching_tests(void)
{
    TEST(resampling_keeps_within_its_memory);
    TEST(drift_takes_no_more_than_it_says);
    TEST(drift_goes_over_whole_samples_smoothly);
    TEST(stretching_keeps_within_its_memory);
    TEST(concealment_goes_on_for_as_long_as_it_must);
}
