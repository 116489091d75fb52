/* Sums of sound: what goes in comes out again, softer is rounded down, and limits hold. */
#include "harness.h"

#include <mcu/mix.h>

#include <string.h>

static const int16_t extremes[] = {-32768, -32767, -5, -4, -1, 0, 1, 3, 4, 5, 32767};
#define EXTREMES (sizeof extremes / sizeof extremes[0])

static void fill(int16_t row[MCU_TICK], size_t from)
{
    for (size_t i = 0; i < MCU_TICK; i++)
        row[i] = extremes[(i + from) % EXTREMES];
}

static void what_is_added_and_taken_out_leaves_the_rest(void)
{
    int32_t sum[MCU_TICK] = {0};
    int16_t one[MCU_TICK], other[MCU_TICK], out[MCU_TICK];
    fill(one, 0);
    fill(other, 3);
    mcu_mix_add(sum, one);
    mcu_mix_add(sum, other);
    for (size_t i = 0; i < MCU_TICK; i++)
        CHECK(sum[i] == one[i] + other[i]);
    mcu_mix_less(sum, other);
    mcu_mix_limit(sum, out);
    CHECK(memcmp(out, one, sizeof one) == 0);
}

static void what_does_not_fit_is_limited(void)
{
    int32_t sum[MCU_TICK] = {32768, -32769, 70000, -70000, 32767, -32768, 5};
    const int16_t limited[] = {32767, -32768, 32767, -32768, 32767, -32768, 5, 0};
    int16_t out[MCU_TICK];
    mcu_mix_limit(sum, out);
    CHECK(memcmp(out, limited, sizeof limited) == 0);
}

static void softer_is_a_quarter_rounded_down(void)
{
    int32_t sum[MCU_TICK] = {8, 7, 4, 3, 0, -1, -4, -5, 1 << 30, -(1 << 30)};
    const int32_t soft[] = {2, 1, 1, 0, 0, -1, -1, -2, 1 << 28, -(1 << 28)};
    mcu_mix_soften(sum);
    CHECK(memcmp(sum, soft, sizeof soft) == 0);
}

void mix_tests(void)
{
    TEST(what_is_added_and_taken_out_leaves_the_rest);
    TEST(what_does_not_fit_is_limited);
    TEST(softer_is_a_quarter_rounded_down);
}
