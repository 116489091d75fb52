/* How long sound waits, against the plain way to say it: sort all that is remembered. */
#include "harness.h"

#include "../../src/sound/arrivals.h"

#include <stdlib.h>

void arrivals_tests(void);

static int latest_first(const void *one, const void *other)
{
    const int32_t a = *(const int32_t *)one, b = *(const int32_t *)other;
    return a < b ? 1 : a > b ? -1 : 0;
}

/* Of what is remembered. */
static void check_spread(const struct mcu_arrivals *arrivals)
{
    int32_t sorted[MCU_ARRIVALS];
    for (int32_t i = 0; i < arrivals->count; i++)
        sorted[i] = arrivals->late[(arrivals->first + i) % MCU_ARRIVALS];
    qsort(sorted, (size_t)arrivals->count, sizeof *sorted, latest_first);
    const int32_t fastest = sorted[arrivals->count - 1];
    CHECK(arrivals->fastest == fastest);
    CHECK(arrivals->spread == sorted[arrivals->count / MCU_ARRIVALS_IN_TIME] - fastest);
}

/* `step` samples of sound in a packet, of which some are lost or late, and many come with
 * equal delays. */
static void come(struct mcu_arrivals *arrivals, int step)
{
    int64_t made = 0;
    for (int packet = 0; packet < 3000; packet++, made += step) {
        if (noise() % 50 == 0)
            continue;
        const int late = noise() % 20 ? between(0, 30) : between(0, 5000);
        mcu_arrivals_came(arrivals, made, 48000 + made + late);
        check_spread(arrivals);
    }
}

static void sound_waits_for_all_but_the_latest_of_what_is_remembered(void)
{
    struct mcu_arrivals arrivals = {0};
    come(&arrivals, 960);
}

static void of_packets_that_share_20_ms_the_latest_counts(void)
{
    struct mcu_arrivals arrivals = {0};
    come(&arrivals, 240);
}

static void a_stream_that_jumps_is_judged_by_what_came_since(void)
{
    struct mcu_arrivals arrivals = {0};
    come(&arrivals, 960);
    mcu_arrivals_forget(&arrivals);
    come(&arrivals, 960);
}

void arrivals_tests(void)
{
    TEST(sound_waits_for_all_but_the_latest_of_what_is_remembered);
    TEST(of_packets_that_share_20_ms_the_latest_counts);
    TEST(a_stream_that_jumps_is_judged_by_what_came_since);
}
