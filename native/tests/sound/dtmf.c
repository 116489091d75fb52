/* Digits as a telephone sends them (RFC 4733), through networks that lose, repeat and hurry.
 */
#include "harness.h"

#include <mcu/dtmf.h>

#include <stdlib.h>
#include <string.h>

enum { PRESSES = 6, EVERY = 160, LAST_TIMES = 3, END = 0x80, LOSS = 30 };
static const char keys[] = "0123456789*#ABCD";

void dtmf_tests(void);

/* What of a packet comes is what ASan lets be read. */
static int packet(struct mcu_dtmf *dtmf, int64_t timestamp, int event, bool end, int duration)
{
    const uint8_t bytes[] = {(uint8_t)event, end ? END | 10 : 10, (uint8_t)(duration >> 8),
                             (uint8_t)duration};
    uint8_t *exact = malloc(sizeof bytes);
    memcpy(exact, bytes, sizeof bytes);
    const int told = mcu_dtmf_packet(dtmf, timestamp, exact, sizeof bytes);
    free(exact);
    return told;
}

/* A press as a sender sends it: a packet every 20 ms, the last three times. Some are lost,
 * some come twice. Returns how many came; what was told is appended. */
static int press(struct mcu_dtmf *dtmf, int64_t timestamp, int event, int duration,
                 char **told)
{
    int came = 0;
    const int packets = duration / EVERY;
    for (int i = 1; i < packets + LAST_TIMES; i++) {
        const int so_far = i < packets ? i * EVERY : duration;
        for (int times = between(0, 99) < LOSS ? 0 : between(0, 9) ? 1 : 2; times; times--) {
            const int digit = packet(dtmf, timestamp, event, i >= packets, so_far);
            CHECK(digit >= 0);
            if (digit > 0)
                *(*told)++ = (char)digit;
            came++;
        }
    }
    return came;
}

static void of_a_thousand_entries_no_digit_is_wrong_or_missed(void)
{
    for (uint32_t round = 0; round < 1000; round++) {
        seed(round + 1);
        struct mcu_dtmf dtmf = {0};
        char told[64] = "", *end = told, meant[PRESSES + 1] = "";
        int64_t timestamp = noise();
        for (int i = 0, count = 0; i < PRESSES; i++) {
            const int event = between(0, 15), duration = EVERY * between(2, 25);
            if (press(&dtmf, timestamp, event, duration, &end))
                meant[count++] = keys[event];
            timestamp += duration + EVERY * between(2, 20);
        }
        *end = 0;
        CHECK(strcmp(told, meant) == 0);
    }
}

static void a_press_that_is_longer_than_its_counter_is_one_press(void)
{
    for (int lost = 0; lost < 2; lost++) {
        struct mcu_dtmf dtmf = {0};
        CHECK(packet(&dtmf, 1000, 5, false, EVERY) == '5');
        CHECK(lost || packet(&dtmf, 1000, 5, false, 0xffff) == 0);
        CHECK(packet(&dtmf, 1000 + 0xffff, 5, false, EVERY) == 0);
        CHECK(packet(&dtmf, 1000 + 0xffff, 5, true, 2 * EVERY) == 0);
        CHECK(packet(&dtmf, 1000 + 0xffff + 10 * EVERY, 5, true, 2 * EVERY) == '5');
    }
}

static void a_sender_whose_time_goes_on_during_a_press_presses_once(void)
{
    struct mcu_dtmf dtmf = {0};
    CHECK(packet(&dtmf, 1000, 7, false, EVERY) == '7');
    for (int i = 1; i < 6; i++)
        CHECK(packet(&dtmf, 1000 + EVERY * i, 7, i > 2, EVERY) == 0);
    CHECK(packet(&dtmf, 1000 + EVERY * 20, 7, false, EVERY) == '7');
}

static void a_packet_of_a_press_that_is_over_tells_nothing(void)
{
    struct mcu_dtmf dtmf = {0};
    CHECK(packet(&dtmf, 1000, 1, false, EVERY) == '1');
    CHECK(packet(&dtmf, 3000, 2, false, EVERY) == '2');
    CHECK(packet(&dtmf, 1000, 1, true, 4 * EVERY) == 0);
    CHECK(packet(&dtmf, 3000, 2, true, 4 * EVERY) == 0);
}

static void what_is_no_digit_is_refused(void)
{
    struct mcu_dtmf dtmf = {0};
    const uint8_t flash[] = {16, 0, 0, 160}, *short_one = malloc(3);
    CHECK(mcu_dtmf_packet(&dtmf, 0, flash, sizeof flash) == -1);
    CHECK(mcu_dtmf_packet(&dtmf, 0, short_one, 0) == -1);
    CHECK(mcu_dtmf_packet(&dtmf, 0, short_one, 3) == -1);
    CHECK(packet(&dtmf, 0, 15, false, EVERY) == 'D');
    free((void *)(uintptr_t)short_one);
}

void dtmf_tests(void)
{
    TEST(of_a_thousand_entries_no_digit_is_wrong_or_missed);
    TEST(a_press_that_is_longer_than_its_counter_is_one_press);
    TEST(a_sender_whose_time_goes_on_during_a_press_presses_once);
    TEST(a_packet_of_a_press_that_is_over_tells_nothing);
    TEST(what_is_no_digit_is_refused);
}
