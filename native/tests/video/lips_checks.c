/* How long pictures wait for their sound, at times that are given. */
#include "checks.h"

#include "harness.h"

#include <mcu/lips.h>

#define MS INT64_C(1000)
#define PICTURE 3600 /* timestamp units at 25 a second */

/* A picture each 40 ms, late by chance up to `most`; how long the last waited. */
static int64_t pictures(struct mcu_lips *lips, uint32_t *timestamp, int64_t *clock, int count,
                        int most, int64_t sound)
{
    int64_t wait = 0;
    for (; count; count--) {
        const int64_t late = most ? between(0, most) * MS : 0;
        wait = mcu_lips_wait(lips, *timestamp += PICTURE, sound, (*clock += 40 * MS) + late);
        CHECK(wait >= 0 && wait <= MCU_LIPS_WAIT_US);
    }
    return wait;
}

static void a_sender_with_a_good_network_is_never_held(void)
{
    struct mcu_lips lips = {0};
    uint32_t timestamp = UINT32_MAX - 5 * PICTURE; /* over the turn of its 32 bits */
    int64_t clock = 1000000 * MS;
    for (int i = 0; i < 1000; i++)
        CHECK(pictures(&lips, &timestamp, &clock, 1, 0, 22500 + i % 35 * MS) == 0);
    CHECK(pictures(&lips, &timestamp, &clock, 100, 150, 0) == 0); /* nothing is heard of it */
}

static void a_picture_waits_for_sound_that_a_network_makes_late(void)
{
    struct mcu_lips lips = {0};
    uint32_t timestamp = 7;
    int64_t clock = 1000000 * MS;
    pictures(&lips, &timestamp, &clock, 250, 100, 150 * MS);
    for (int late = 0; late <= 150; late += 10) { /* seen at one delay, however late it came */
        const int64_t now = (clock += 40 * MS) + late * MS;
        const int64_t shown =
            now + mcu_lips_wait(&lips, timestamp += PICTURE, 150 * MS, now) - clock;
        CHECK(shown >= 105 * MS && (shown <= 115 * MS || shown <= late * MS));
    }
    CHECK(pictures(&lips, &timestamp, &clock, 1, 0, 900 * MS) == MCU_LIPS_WAIT_US);
}

static void another_clock_of_the_sender_holds_nothing_for_long(void)
{
    struct mcu_lips lips = {0};
    uint32_t timestamp = 7;
    int64_t clock = 1000000 * MS;
    pictures(&lips, &timestamp, &clock, 250, 0, 100 * MS);
    timestamp += 90000u * 3600;
    pictures(&lips, &timestamp, &clock, 1, 0, 100 * MS);
    CHECK(pictures(&lips, &timestamp, &clock, 1, 0, 100 * MS) == 60 * MS);
    clock += 200 * MS; /* its way has become longer: after a window or two that is how it is */
    CHECK(pictures(&lips, &timestamp, &clock, 1, 0, 100 * MS) == 0);
    CHECK(pictures(&lips, &timestamp, &clock, 600, 0, 100 * MS) == 60 * MS);
}

void lips_tests(void)
{
    TEST(a_sender_with_a_good_network_is_never_held);
    TEST(a_picture_waits_for_sound_that_a_network_makes_late);
    TEST(another_clock_of_the_sender_holds_nothing_for_long);
}
