/* Digits as tones in the sound, made here by their frequencies (Q.23), through each codec. */
#include "harness.h"

#include <mcu/tones.h>

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { LINES = 1024 };
static const char keys[] = "123A456B789C*0#D";
static const double low[] = {697, 770, 852, 941}, high[] = {1209, 1336, 1477, 1633};
static const enum mcu_audio_codec codecs[] = {MCU_PCMA, MCU_PCMU, MCU_G722, MCU_OPUS};

void tones_tests(void);

/* A telephone, and who listens to it. */
struct line {
    enum mcu_audio_codec codec;
    struct mcu_encoder *encoder;
    struct mcu_tones *tones;
    int64_t timestamp;
    double at; /* seconds */
    char told[LINES];
    size_t count;
};

static void begin(struct line *line, enum mcu_audio_codec codec)
{
    *line = (struct line){.codec = codec, .timestamp = 1000};
    line->encoder = mcu_encoder_new(codec);
    line->tones = mcu_tones_new(codec);
}

static void end(struct line *line)
{
    mcu_encoder_free(line->encoder);
    mcu_tones_free(line->tones);
}

/* What of a packet comes is what ASan lets be read. */
static void arrives(struct line *line, int64_t timestamp, const uint8_t *payload, size_t size)
{
    uint8_t *exact = malloc(size ? size : 1);
    memcpy(exact, payload, size);
    char digits[MCU_TONES_MOST];
    const size_t told = mcu_tones_packet(line->tones, timestamp, exact, size, digits);
    free(exact);
    for (size_t i = 0; i < told && line->count < LINES - 1; i++)
        line->told[line->count++] = digits[i];
}

static void says(struct line *line, const int16_t *samples, bool lost)
{
    uint8_t packet[MCU_AUDIO_PACKET];
    const int size = mcu_encode(line->encoder, samples, packet);
    CHECK(size > 0);
    if (!lost)
        arrives(line, line->timestamp, packet, (size_t)size);
    line->timestamp += mcu_codec_clock(line->codec) / 50;
}

/* 20 ms of two tones; of none where a level is 0. */
static void tick(struct line *line, double one, double other, double level, bool lost)
{
    int16_t samples[MCU_TICK];
    for (int i = 0; i < MCU_TICK; i++, line->at += 1.0 / MCU_RATE)
        samples[i] = (int16_t)(level * (sin(2 * M_PI * one * line->at) +
                                        sin(2 * M_PI * other * line->at)));
    says(line, samples, lost);
}

/* 20 ms of a vowel: a pitch with its harmonics, of which some are strong. */
static void vowel(struct line *line, double pitch, int first, int second)
{
    int16_t samples[MCU_TICK];
    for (int i = 0; i < MCU_TICK; i++, line->at += 1.0 / MCU_RATE) {
        double sum = 0;
        for (int n = 1; n < 16; n++)
            sum += (n == first || n == second ? 1.0 : 0.25) *
                   sin(2 * M_PI * n * pitch * line->at);
        samples[i] = (int16_t)(4000 * sum);
    }
    says(line, samples, false);
}

static void press(struct line *line, size_t key, int ticks, int pause)
{
    for (int i = 0; i < ticks; i++)
        tick(line, low[key / 4], high[key % 4], 4000, false);
    for (int i = 0; i < pause; i++)
        tick(line, 0, 0, 0, false);
}

static void each_key_is_told_once_in_each_codec(void)
{
    for (size_t i = 0; i < 4; i++) {
        struct line line;
        begin(&line, codecs[i]);
        for (int round = 0; round < 2; round++)
            for (size_t key = 0; key < 16; key++)
                press(&line, key, round ? 25 : 5, 4);
        CHECK(strlen(line.told) == 32 && !memcmp(line.told, keys, 16) &&
              !memcmp(line.told + 16, keys, 16));
        end(&line);
    }
}

static void a_lost_packet_makes_no_wrong_digit_and_no_second_one(void)
{
    for (uint32_t round = 0; round < 200; round++) {
        struct line line;
        seed(round + 1);
        begin(&line, MCU_PCMU);
        char meant[6] = "";
        for (int i = 0; i < 5; i++) {
            const size_t key = (size_t)between(0, 15);
            const int lost = between(0, 9);
            meant[i] = keys[key];
            for (int at = 0; at < 10; at++)
                tick(&line, low[key / 4], high[key % 4], 4000, at == lost);
            press(&line, 0, 0, 5);
        }
        CHECK(!strcmp(line.told, meant));
        end(&line);
    }
}

static void what_comes_late_or_twice_is_let_go(void)
{
    struct line line;
    uint8_t packet[MCU_AUDIO_PACKET] = {0};
    begin(&line, MCU_PCMA);
    press(&line, 0, 5, 5);
    for (int i = 0; i < 20; i++)
        arrives(&line, 1000 + 160 * i % 5, packet, 160);
    press(&line, 1, 5, 5);
    CHECK(!strcmp(line.told, "12"));
    end(&line);
}

static void voices_and_noise_are_no_digits(void)
{
    static const double voice[] = {110, 147, 196, 220, 294};
    struct line line;
    begin(&line, MCU_PCMU);
    for (int i = 0; i < 1500; i++)
        vowel(&line, voice[i / 7 % 5], 3 + i / 11 % 5, 5 + i / 13 % 7);
    seed(1);
    for (int i = 0; i < 1500; i++)
        tick(&line, between(300, 3400), between(300, 3400), 4000, false);
    for (int i = 0; i < 1500; i++) { /* one tone of a digit alone */
        const bool first = i / 25 % 2;
        tick(&line, first ? low[i / 50 % 4] : high[i / 50 % 4], 0, 8000, false);
    }
    CHECK(line.count == 0);
    end(&line);
}

static void a_stream_that_begins_anew_begins_anew(void)
{
    struct line line;
    begin(&line, MCU_OPUS);
    press(&line, 4, 5, 5);
    mcu_tones_restart(line.tones);
    line.timestamp = 50;
    press(&line, 4, 5, 5);
    CHECK(!strcmp(line.told, "44"));
    end(&line);
}

static void what_is_no_sound_is_let_go(void)
{
    for (size_t i = 0; i < 4; i++) {
        struct line line;
        begin(&line, codecs[i]);
        uint8_t bytes[2000];
        for (size_t size = 0; size < sizeof bytes; size += size < 8 ? 1 : 331) {
            for (size_t at = 0; at < size; at++)
                bytes[at] = (uint8_t)(at * 37 + size);
            arrives(&line, (int64_t)size * 1000, bytes, size);
        }
        press(&line, 9, 5, 5);
        CHECK(line.count <= 1);
        end(&line);
    }
}

void tones_tests(void)
{
    TEST(each_key_is_told_once_in_each_codec);
    TEST(a_lost_packet_makes_no_wrong_digit_and_no_second_one);
    TEST(what_comes_late_or_twice_is_let_go);
    TEST(voices_and_noise_are_no_digits);
    TEST(a_stream_that_begins_anew_begins_anew);
    TEST(what_is_no_sound_is_let_go);
}
