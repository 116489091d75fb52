#include "tests.h"

#include <mcu/rtcp.h>

enum { RATE = 48000, STEP = 960, TICK = 20000 };

/* Packet `number` of a stream of 20 ms packets, `late` us after its time. */
static int64_t packet(struct mcu_reception *reception, int64_t number, int64_t late)
{
    return mcu_reception_packet(reception, (uint16_t)number, (uint32_t)(number * STEP), 100,
                                RATE, number * TICK + late);
}

static void numbers_grow_over_the_turn(void)
{
    struct mcu_reception reception = {0};
    for (int64_t number = 65000; number < 200000; number += 7)
        CHECK(packet(&reception, number, 0) == number);
    CHECK(reception.bytes == reception.received * 100);
}

static void what_did_not_come_is_lost(void)
{
    struct mcu_reception reception = {0};
    struct mcu_rtcp_block block;
    for (int64_t number = 65500; number < 65500 + 1000; number++)
        if (number % 4)
            packet(&reception, number, 0);
    CHECK(mcu_reception_lost(&reception) == 249); /* 65500 itself came never */
    mcu_reception_report(&reception, 5, 0, &block);
    CHECK(block.ssrc == 5 && block.lost == 249 && block.highest == 66499);
    CHECK(block.fraction_lost == 249 * 256 / 999);
    CHECK(block.last_sr == 0 && block.delay == 0);
    for (int64_t number = 66500; number < 66600; number++)
        packet(&reception, number, 0);
    mcu_reception_report(&reception, 5, 0, &block);
    CHECK(block.lost == 249 && block.fraction_lost == 0);
    packet(&reception, 66599 + 4, 0);
    mcu_reception_report(&reception, 5, 0, &block);
    CHECK(block.lost == 252 && block.fraction_lost == 192);
    packet(&reception, 66603 + 30000, 0);
    mcu_reception_report(&reception, 5, 0, &block);
    CHECK(block.fraction_lost == 255);
}

static void duplicates_make_the_loss_negative_but_no_fraction(void)
{
    struct mcu_reception reception = {0};
    struct mcu_rtcp_block block;
    for (int64_t number = 0; number < 10; number++) {
        packet(&reception, number, 0);
        packet(&reception, number, 0);
    }
    mcu_reception_report(&reception, 1, 0, &block);
    CHECK(block.lost == -10 && block.fraction_lost == 0);
}

static void what_comes_in_another_order_is_not_lost(void)
{
    struct mcu_reception reception = {0};
    static const int order[] = {1, 0, 3, 2, 5, 4};
    for (size_t i = 0; i < 6; i++)
        CHECK(packet(&reception, 65536 * 2 + order[i], 0) >= 0);
    CHECK(mcu_reception_lost(&reception) == 0);
}

static void a_stream_of_which_nothing_came_lost_nothing(void)
{
    struct mcu_reception reception = {0};
    struct mcu_rtcp_block block;
    mcu_reception_report(&reception, 1, 0, &block);
    CHECK(block.lost == 0 && block.fraction_lost == 0 && block.jitter == 0);
}

static void even_arrival_has_no_jitter_and_uneven_has_its_mean(void)
{
    struct mcu_reception reception = {0};
    for (int64_t number = 0; number < 500; number++)
        packet(&reception, number, 300);
    CHECK(reception.jitter < 1);
    packet(&reception, 500, 5300);
    CHECK(reception.jitter == 240.0 / 16);
    for (int64_t number = 501; number < 1000; number++)
        packet(&reception, number, number % 2 ? 5000 : 0); /* differs by 5 ms each time */
    CHECK(reception.jitter > 239 && reception.jitter < 241);
}

static void jitter_does_not_mind_the_timestamp_wrapping_or_years_of_uptime(void)
{
    struct mcu_reception reception = {0};
    const int64_t years = (int64_t)300 * 1000000 * 1000000, before = 0xFFFFFFFF / STEP - 50;
    for (int64_t number = before; number < before + 100; number++)
        packet(&reception, number, years);
    CHECK(reception.jitter < 1);
}

static void the_delay_since_a_sender_report_is_told(void)
{
    struct mcu_reception reception = {.last_sr = 0x12345678, .last_sr_at = 1000000};
    struct mcu_rtcp_block block;
    mcu_reception_report(&reception, 1, 3500000, &block);
    CHECK(block.last_sr == 0x12345678 && block.delay == 65536 * 5 / 2);
    mcu_reception_report(&reception, 1, 0, &block); /* taken before it came */
    CHECK(block.delay == 0);
    mcu_reception_report(&reception, 1, (int64_t)1 << 60, &block);
    CHECK(block.delay == UINT32_MAX);
}

void reception_tests(void)
{
    TEST(numbers_grow_over_the_turn);
    TEST(what_did_not_come_is_lost);
    TEST(duplicates_make_the_loss_negative_but_no_fraction);
    TEST(what_comes_in_another_order_is_not_lost);
    TEST(a_stream_of_which_nothing_came_lost_nothing);
    TEST(even_arrival_has_no_jitter_and_uneven_has_its_mean);
    TEST(jitter_does_not_mind_the_timestamp_wrapping_or_years_of_uptime);
    TEST(the_delay_since_a_sender_report_is_told);
}
