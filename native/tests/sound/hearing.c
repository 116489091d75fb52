/* Whatever comes, a tick is a tick: within bounds, counted, and heard again afterwards. What
 * it is like to hear is measured in tests/unit/native/test_hearing.py. */
#include "harness.h"

#include <mcu/hearing.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TICK_US = 20000, LONGEST = 1500, PHASE = 7000 };

void hearing_tests(void);

struct sender {
    struct mcu_encoder *encoder;
    uint8_t packet[MCU_AUDIO_PACKET];
    size_t size;
};

/* The packet of a tick of a tone. */
static void say(struct sender *sender, int tick)
{
    int16_t samples[MCU_TICK];
    for (int i = 0; i < MCU_TICK; i++)
        samples[i] = (int16_t)(8000 * sin(2 * M_PI * 440 * (tick * MCU_TICK + i) / MCU_RATE));
    const int size = mcu_encode(sender->encoder, samples, sender->packet);
    CHECK(size > 0);
    sender->size = (size_t)size;
}

static void send(struct sender *sender, struct mcu_hearing *hearing, int tick)
{
    mcu_hearing_push(hearing, MCU_OPUS, tick, (int64_t)tick * MCU_TICK, sender->packet,
                     sender->size, (int64_t)tick * TICK_US);
}

static enum mcu_heard hear(struct mcu_hearing *hearing, int tick, bool decode, int16_t *out)
{
    return mcu_hearing_tick(hearing, decode, (int64_t)tick * TICK_US + PHASE, out);
}

/* Says and hears ticks `from` up to `until`; returns how loud the last was. */
static int talk(struct sender *sender, struct mcu_hearing *hearing, int from, int until)
{
    int16_t out[MCU_TICK];
    for (int tick = from; tick < until; tick++) {
        say(sender, tick);
        send(sender, hearing, tick);
        hear(hearing, tick, true, out);
    }
    return mcu_level(out, MCU_TICK);
}

/* Bytes of their exact size, so that ASan sees one that is read beyond; some are a real packet
 * with a few wrong bits. */
static uint8_t *rubbish(const struct sender *sender, size_t *size)
{
    *size = noise() % 4 ? noise() % 40 : noise() % (LONGEST + 200);
    uint8_t *bytes = malloc(*size ? *size : 1);
    for (size_t i = 0; i < *size; i++)
        bytes[i] = (uint8_t)noise();
    if (noise() % 2 && *size)
        memcpy(bytes, sender->packet, *size < sender->size ? *size : sender->size);
    return bytes;
}

/* Time and sequence numbers go on, jump, or repeat. */
static int64_t leap(int64_t from)
{
    switch (noise() % 30) {
    case 0:
        return from + (int64_t)noise() - INT32_MAX;
    case 1:
        return from + between(-200000, 200000);
    case 2:
        return from - between(0, 5000);
    default:
        return from;
    }
}

static void whatever_comes_a_tick_is_a_tick(void)
{
    for (uint32_t round = 0; round < 60; round++) {
        seed(round + 1);
        struct sender sender = {.encoder = mcu_encoder_new(MCU_OPUS)};
        struct mcu_hearing *hearing = mcu_hearing_new((enum mcu_audio_codec)(noise() % 4));
        int64_t sequence = noise(), timestamp = noise(), now = noise();
        for (int tick = 0; tick < 300; tick++) {
            say(&sender, tick);
            for (uint32_t packets = noise() % 4; packets; packets--) {
                const enum mcu_audio_codec codec =
                    round % 2 ? MCU_OPUS : (enum mcu_audio_codec)(noise() % 4);
                size_t size;
                uint8_t *bytes = rubbish(&sender, &size);
                sequence = leap(sequence + 1);
                timestamp = leap(timestamp + MCU_TICK);
                if (noise() % 8)
                    mcu_hearing_push(hearing, codec, sequence, timestamp, bytes, size, now);
                else
                    mcu_hearing_skipped(hearing, codec, sequence, timestamp, now);
                free(bytes);
            }
            if (noise() % 200 == 0)
                mcu_hearing_restart(hearing, (enum mcu_audio_codec)(noise() % 4));
            now += noise() % 50 ? TICK_US : between(-100000, 3000000);
            int16_t *out = malloc(MCU_TICK * sizeof *out);
            mcu_hearing_tick(hearing, noise() % 16 != 0, now, out);
            free(out);
        }
        mcu_hearing_free(hearing);
        mcu_encoder_free(sender.encoder);
    }
}

static void after_rubbish_a_stream_is_heard_as_ever(void)
{
    struct sender sender = {.encoder = mcu_encoder_new(MCU_OPUS)};
    struct mcu_hearing *hearing = mcu_hearing_new(MCU_OPUS);
    for (int i = 0; i < 500; i++) {
        size_t size;
        uint8_t *bytes = rubbish(&sender, &size);
        mcu_hearing_push(hearing, MCU_OPUS, i, leap((int64_t)i * MCU_TICK), bytes, size,
                         (int64_t)i * 1000);
        free(bytes);
    }
    mcu_hearing_restart(hearing, MCU_OPUS);
    CHECK(talk(&sender, hearing, 1000, 1020) < 20);
    mcu_hearing_free(hearing);
    mcu_encoder_free(sender.encoder);
}

static void what_cannot_be_played_is_counted(void)
{
    static const uint8_t too_long[LONGEST + 1] = {0};
    struct sender sender = {.encoder = mcu_encoder_new(MCU_OPUS)};
    struct mcu_hearing *hearing = mcu_hearing_new(MCU_OPUS);
    const uint64_t *drops = mcu_hearing_stats(hearing)->drops;
    talk(&sender, hearing, 0, 50);
    send(&sender, hearing, 49);
    CHECK(drops[MCU_HEARING_DUPLICATE] == 1);
    mcu_hearing_push(hearing, MCU_OPUS, 50, (int64_t)50 * MCU_TICK, NULL, 0, 50 * TICK_US);
    mcu_hearing_push(hearing, MCU_PCMA, 50, (int64_t)50 * 160, too_long, sizeof too_long, 0);
    CHECK(drops[MCU_HEARING_MALFORMED] == 2);
    say(&sender, 50);
    talk(&sender, hearing, 51, 60);
    send(&sender, hearing, 50);
    CHECK(drops[MCU_HEARING_LATE] == 1);
    for (int tick = 61; tick < 200; tick++)
        send(&sender, hearing, tick);
    CHECK(drops[MCU_HEARING_OVERFLOW] > 0);
    mcu_hearing_free(hearing);
    mcu_encoder_free(sender.encoder);
}

static void a_leg_is_loud_in_the_first_tick_that_is_heard(void)
{
    struct sender sender = {.encoder = mcu_encoder_new(MCU_OPUS)};
    mcu_encoder_tune(sender.encoder, 40000, 5, 5); /* as browsers send a voice */
    struct mcu_hearing *hearing = mcu_hearing_new(MCU_OPUS);
    struct {
        uint8_t bytes[MCU_AUDIO_PACKET];
        size_t size;
    } kept[100];
    int16_t out[MCU_TICK];
    for (int tick = 0; tick < 100; tick++) {
        say(&sender, tick);
        memcpy(kept[tick].bytes, sender.packet, sender.size);
        kept[tick].size = sender.size;
        mcu_hearing_skipped(hearing, MCU_OPUS, tick, (int64_t)tick * MCU_TICK,
                            (int64_t)tick * TICK_US);
        if (tick < 99)
            CHECK(hear(hearing, tick, false, out) == MCU_HEARD_NOTHING);
    }
    for (int tick = 96; tick < 100; tick++)
        mcu_hearing_push(hearing, MCU_OPUS, tick, (int64_t)tick * MCU_TICK, kept[tick].bytes,
                         kept[tick].size, (int64_t)99 * TICK_US);
    CHECK(hear(hearing, 99, true, out) == MCU_HEARD_SOUND);
    CHECK(mcu_level(out + MCU_TICK / 2, MCU_TICK / 2) < 17); /* the tone is at -15 */
    CHECK(mcu_hearing_stats(hearing)->drops[MCU_HEARING_DUPLICATE] == 0);
    CHECK(talk(&sender, hearing, 100, 150) < 17);
    CHECK(mcu_hearing_stats(hearing)->concealed == 0);
    mcu_hearing_free(hearing);
    mcu_encoder_free(sender.encoder);
}

/* Until by how much cannot be told in 32 bits. */
static void a_stream_that_comes_ever_sooner_is_a_stream(void)
{
    struct mcu_hearing *hearing = mcu_hearing_new(MCU_OPUS);
    int64_t sooner = 0, number = 0;
    for (; sooner < INT32_MAX + INT64_C(20000); number++) {
        mcu_hearing_skipped(hearing, MCU_OPUS, number, number * MCU_TICK + sooner,
                            number * TICK_US);
        sooner += sooner < INT32_MAX - 20000 ? 9600 : 500;
    }
    int16_t out[MCU_TICK];
    CHECK(hear(hearing, (int)number, false, out) == MCU_HEARD_NOTHING);
    CHECK(mcu_hearing_stats(hearing)->target <= 9600);
    mcu_hearing_free(hearing);
}

void hearing_tests(void)
{
    TEST(a_stream_that_comes_ever_sooner_is_a_stream);
    TEST(whatever_comes_a_tick_is_a_tick);
    TEST(after_rubbish_a_stream_is_heard_as_ever);
    TEST(what_cannot_be_played_is_counted);
    TEST(a_leg_is_loud_in_the_first_tick_that_is_heard);
}
