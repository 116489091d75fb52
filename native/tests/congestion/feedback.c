/* Reports of arrivals, written and read again. */
#include "tests.h"

#include <mcu/feedback.h>
#include <mcu/rtcp.h>

#include <stdlib.h>
#include <string.h>

#define MS 1000

/* What a report says, read from a copy that ends where it ends. */
struct said {
    struct mcu_feedback_packet packets[MCU_FEEDBACK_MOST];
    unsigned count, received;
    int64_t reference; /* us */
    size_t bytes;
};

static bool read_report(struct said *said, const uint8_t *data, size_t size)
{
    struct mcu_rtcp_reader reader = {.data = data, .size = size};
    struct mcu_rtcp_event event;
    struct mcu_feedback feedback;
    memset(said, 0, sizeof *said);
    if (mcu_rtcp_next(&reader, &event) != 1 || event.kind != MCU_RTCP_WIDE)
        return false;
    CHECK(event.ssrc == 7 && event.media_ssrc == 9);
    if (mcu_feedback_open(&feedback, event.body, event.body_size))
        return false;
    said->reference = (int64_t)feedback.reference * 64 * MS;
    said->bytes = size;
    while (mcu_feedback_next(&feedback, &said->packets[said->count]))
        said->received += said->packets[said->count++].received;
    return true;
}

static bool report(struct mcu_arrived *arrived, struct said *said)
{
    uint8_t out[MCU_RTCP_MAX];
    size_t size = 0;
    if (mcu_arrived_report(arrived, out, &size, 7, 9, 0))
        return false;
    CHECK(size <= MCU_RTCP_MAX && size % 4 == 0);
    uint8_t *exact = malloc(size);
    memcpy(exact, out, size);
    const bool read = read_report(said, exact, size);
    free(exact);
    CHECK(read);
    return read;
}

static bool says(const struct said *said, unsigned at, uint16_t number, int64_t time)
{
    const struct mcu_feedback_packet *packet = &said->packets[at];
    const int64_t off = said->reference + packet->at - time;
    return packet->number == number && packet->received && off <= 0 && off > -250;
}

static void what_arrived_is_read_as_it_was_written(void)
{
    struct mcu_arrived arrived = {0};
    struct said said;
    for (int round = 0; round < 500; round++) {
        int64_t at[40] = {0}, now = 5000000 + (int64_t)round * 200 * MS;
        const uint16_t base = (uint16_t)(65300 + round * 40);
        for (int i = 0; i < 40; i++) {
            now += between(0, i % 9 ? 400 : 120 * MS);
            if (i && i < 39 && between(0, 3) == 0)
                continue;
            at[i] = now;
            mcu_arrived_note(&arrived, (uint16_t)(base + i), true, now);
        }
        CHECK(report(&arrived, &said) && said.count == 40);
        for (unsigned i = 0; i < 40; i++)
            CHECK(at[i] ? says(&said, i, (uint16_t)(base + i), at[i])
                        : !said.packets[i].received);
    }
    CHECK(!report(&arrived, &said)); /* nothing new */
}

static void times_do_not_drift_over_a_long_report(void)
{
    struct mcu_arrived arrived = {0};
    struct said said;
    for (int i = 0; i < 400; i++)
        mcu_arrived_note(&arrived, (uint16_t)i, true, 1000000 + i * 1333);
    CHECK(report(&arrived, &said) && said.count == 400);
    CHECK(says(&said, 399, 399, 1000000 + 399 * 1333));
    CHECK(said.bytes < 500); /* a byte for each, and little more */
}

static void what_was_overtaken_is_put_right(void)
{
    struct mcu_arrived arrived = {0};
    struct said said;
    mcu_arrived_note(&arrived, 10, true, 1000 * MS);
    mcu_arrived_note(&arrived, 12, true, 1002 * MS);
    CHECK(report(&arrived, &said) && said.count == 3 && !said.packets[1].received);
    mcu_arrived_note(&arrived, 11, true, 1030 * MS);
    mcu_arrived_note(&arrived, 11, true, 1040 * MS); /* twice is once */
    mcu_arrived_note(&arrived, 9, true, 1050 * MS);  /* before the first of all */
    CHECK(report(&arrived, &said) && said.count == 4);
    CHECK(says(&said, 0, 9, 1050 * MS) && says(&said, 2, 11, 1030 * MS));
    CHECK(says(&said, 1, 10, 1000 * MS) && says(&said, 3, 12, 1002 * MS));
}

static void a_pause_begins_another_report(void)
{
    struct mcu_arrived arrived = {0};
    struct said said;
    mcu_arrived_note(&arrived, 1, true, 1000 * MS);
    mcu_arrived_note(&arrived, 2, true, 1000 * MS + 20000 * MS); /* no delta says that */
    CHECK(report(&arrived, &said) && said.count == 1);
    CHECK(report(&arrived, &said) && says(&said, 0, 2, 21000 * MS));
}

static void nobody_can_invent_arrivals_far_away(void)
{
    struct mcu_arrived arrived = {0};
    struct said said;
    mcu_arrived_note(&arrived, 100, false, 1000 * MS); /* nothing authentic came yet */
    CHECK(!report(&arrived, &said));
    mcu_arrived_note(&arrived, 100, true, 1000 * MS);
    mcu_arrived_note(&arrived, 100 + MCU_ARRIVED_NEAR, false, 1001 * MS);
    for (uint16_t i = 1; i < 1000; i++) /* each a little further than the one before */
        mcu_arrived_note(&arrived, (uint16_t)(100 + MCU_ARRIVED_NEAR + i), false, 1001 * MS);
    mcu_arrived_note(&arrived, 40000, false, 1001 * MS);
    mcu_arrived_note(&arrived, 101, true, 1002 * MS);
    CHECK(report(&arrived, &said) && said.count == 1 + MCU_ARRIVED_NEAR);
    CHECK(said.received == 3 && says(&said, 1, 101, 1002 * MS));
}

static void whatever_comes_a_report_can_be_read(void)
{
    static struct mcu_arrived arrived;
    struct said said;
    for (uint32_t seeded = 1; seeded < 200; seeded++) {
        seed(seeded);
        memset(&arrived, 0, sizeof arrived);
        uint16_t number = (uint16_t)noise();
        int64_t now = between(1, 1 << 30);
        for (int i = 0; i < 2000; i++) {
            number = (uint16_t)(number + (between(0, 50) ? between(-4, 9) : between(0, 3000)));
            now += between(0, 30) ? between(0, 3 * MS) : between(0, 9000 * MS);
            mcu_arrived_note(&arrived, number, between(0, 3), now);
            if (between(0, 60) == 0)
                report(&arrived, &said);
        }
    }
}

static void what_is_malformed_is_refused(void)
{
    struct mcu_feedback feedback;
    const uint8_t missing[] = {0, 1, 0, 9, 0, 0, 1, 0, 0x20, 4, 1, 1, 1, 1};
    CHECK(mcu_feedback_open(&feedback, missing, 7) == -1);              /* no head */
    CHECK(mcu_feedback_open(&feedback, missing, 8) == -1);              /* no chunk */
    CHECK(mcu_feedback_open(&feedback, missing, sizeof missing) == -1); /* one chunk of two */
    uint8_t whole[] = {0, 1, 0, 4, 0, 0, 1, 0, 0x20, 4, 1, 1, 1, 1};
    CHECK(mcu_feedback_open(&feedback, whole, sizeof whole) == 0);
    CHECK(mcu_feedback_open(&feedback, whole, sizeof whole - 1) == -1); /* a delta */
    whole[8] = 0x60;
    CHECK(mcu_feedback_open(&feedback, whole, sizeof whole) == -1); /* reserved */
    const uint8_t many[] = {0, 1, 0xFF, 0xFF, 0, 0, 1, 0, 0x1F, 0xFF};
    CHECK(mcu_feedback_open(&feedback, many, sizeof many) == -1);
    const uint8_t none[] = {0, 1, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1};
    CHECK(mcu_feedback_open(&feedback, none, sizeof none) == 0); /* runs of none */
}

/* Of the draft's own words: a vector of one-bit symbols, one of two-bit ones, a run. */
static void chunks_are_read_as_the_draft_says(void)
{
    const uint8_t body[] = {0xFF, 0xFF, 0, 26, 0x01, 0x02, 0x03, 9, /* */
                            0x9F, 0x1C,                             /* */
                            0xC9, 0x54,                             /* */
                            0x00, 0x05,                             /* */
                            1,    2,    3, 4,  5,    6,    7,    8, /* one-bit */
                            0xFF, 0xFE, 9, 10, 11,   12};           /* two-bit */
    struct mcu_feedback feedback;
    struct mcu_feedback_packet packet;
    CHECK(mcu_feedback_open(&feedback, body, sizeof body) == 0);
    CHECK(feedback.reference == 0x010203);
    const char *expected = "01111100011100" /* 0 11111 000 111 00 */
                           "0211110"
                           "00000";
    for (const char *at = expected; *at; at++) {
        CHECK(mcu_feedback_next(&feedback, &packet));
        CHECK(packet.received == (*at != '0'));
        CHECK(packet.number == (uint16_t)(0xFFFF + (at - expected)));
    }
    CHECK(!mcu_feedback_next(&feedback, &packet));
}

void feedback_tests(void)
{
    TEST(what_arrived_is_read_as_it_was_written);
    TEST(times_do_not_drift_over_a_long_report);
    TEST(what_was_overtaken_is_put_right);
    TEST(a_pause_begins_another_report);
    TEST(nobody_can_invent_arrivals_far_away);
    TEST(whatever_comes_a_report_can_be_read);
    TEST(what_is_malformed_is_refused);
    TEST(chunks_are_read_as_the_draft_says);
}
