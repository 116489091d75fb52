/* Every codec takes whatever a peer sends, within its bounds. What the sound is like is
 * measured in tests/unit/native. */
#include "harness.h"

#include <mcu/codec.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

void codec_tests(void);

static void tone(int16_t *samples, int tick)
{
    for (int i = 0; i < MCU_TICK; i++)
        samples[i] = (int16_t)(8000 * sin(2 * M_PI * 440 * (tick * MCU_TICK + i) / MCU_RATE));
}

/* Copies of their exact size, so that ASan sees a byte read beyond. */
static uint8_t *exact(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    memcpy(copy, bytes, size);
    return copy;
}

static void each_codec_hears_what_it_said(void)
{
    for (int codec = 0; codec < MCU_AUDIO_CODECS; codec++) {
        struct mcu_encoder *encoder = mcu_encoder_new((enum mcu_audio_codec)codec);
        struct mcu_decoder *decoder = mcu_decoder_new((enum mcu_audio_codec)codec);
        int16_t said[MCU_TICK], heard[MCU_PACKET_SAMPLES];
        uint8_t packet[MCU_AUDIO_PACKET];
        for (int tick = 0; tick < 20; tick++) {
            tone(said, tick);
            const int size = mcu_encode(encoder, said, packet);
            CHECK(size > 0);
            CHECK(mcu_codec_duration((enum mcu_audio_codec)codec, packet, (size_t)size) ==
                  MCU_TICK);
            CHECK(mcu_decode(decoder, packet, (size_t)size, heard) == MCU_TICK);
        }
        CHECK(abs(mcu_level(heard, MCU_TICK) - mcu_level(said, MCU_TICK)) <= 1);
        mcu_encoder_free(encoder);
        mcu_decoder_free(decoder);
    }
}

static void what_a_codec_costs_is_counted_for_the_thread_that_pays(void)
{
    struct mcu_encoder *encoder = mcu_encoder_new(MCU_OPUS);
    struct mcu_decoder *decoder = mcu_decoder_new(MCU_OPUS);
    int16_t said[MCU_TICK], heard[MCU_PACKET_SAMPLES];
    uint8_t packet[MCU_AUDIO_PACKET];
    tone(said, 0);
    const int64_t before = mcu_codec_spent();
    const int size = mcu_encode(encoder, said, packet);
    const int64_t encoded = mcu_codec_spent();
    CHECK(encoded > before);
    mcu_decode(decoder, packet, (size_t)size, heard);
    const int64_t decoded = mcu_codec_spent();
    CHECK(decoded > encoded);
    mcu_conceal(decoder, MCU_TICK, heard);
    CHECK(mcu_codec_spent() > decoded);
    mcu_encoder_free(encoder);
    mcu_decoder_free(decoder);
}

static void noise_for_a_payload_makes_what_its_duration_says_or_is_refused(void)
{
    for (int codec = 0; codec < MCU_AUDIO_CODECS; codec++) {
        struct mcu_decoder *decoder = mcu_decoder_new((enum mcu_audio_codec)codec);
        for (int round = 0; round < 500; round++) {
            uint8_t bytes[2000];
            const size_t size = (size_t)between(0, round % 2 ? 40 : 2000);
            for (size_t i = 0; i < size; i++)
                bytes[i] = (uint8_t)noise();
            uint8_t *payload = exact(bytes, size);
            int16_t *out = malloc(MCU_PACKET_SAMPLES * sizeof *out);
            const int duration =
                mcu_codec_duration((enum mcu_audio_codec)codec, payload, size);
            const int recovered = mcu_decode_fec(decoder, payload, size, MCU_TICK, out);
            CHECK(recovered == 0 || recovered == MCU_TICK);
            const int made = mcu_decode(decoder, payload, size, out);
            CHECK(made == duration || made == -1);
            CHECK(duration <= MCU_PACKET_SAMPLES);
            free(payload);
            free(out);
        }
        mcu_decoder_free(decoder);
    }
}

static void an_empty_payload_is_none(void)
{
    for (int codec = 0; codec < MCU_AUDIO_CODECS; codec++) {
        struct mcu_decoder *decoder = mcu_decoder_new((enum mcu_audio_codec)codec);
        int16_t out[MCU_PACKET_SAMPLES];
        CHECK(mcu_codec_duration((enum mcu_audio_codec)codec, NULL, 0) == -1);
        CHECK(mcu_decode(decoder, NULL, 0, out) == -1);
        CHECK(mcu_decode_fec(decoder, NULL, 0, MCU_TICK, out) == 0);
        mcu_decoder_free(decoder);
    }
}

static void what_is_missing_is_concealed_and_fades_to_silence(void)
{
    for (int codec = 0; codec < MCU_AUDIO_CODECS; codec++) {
        struct mcu_encoder *encoder = mcu_encoder_new((enum mcu_audio_codec)codec);
        mcu_encoder_tune(encoder, 40000, 5, 5); /* CELT ends in noise, not in silence */
        struct mcu_decoder *decoder = mcu_decoder_new((enum mcu_audio_codec)codec);
        int16_t said[MCU_TICK], heard[MCU_PACKET_SAMPLES];
        uint8_t packet[MCU_AUDIO_PACKET];
        for (int tick = 0; tick < 20; tick++) {
            tone(said, tick);
            const int size = mcu_encode(encoder, said, packet);
            mcu_decode(decoder, packet, (size_t)size, heard);
        }
        mcu_conceal(decoder, MCU_TICK, heard);
        CHECK(mcu_level(heard, MCU_TICK) <= mcu_level(said, MCU_TICK) + 6);
        for (int tick = 0; tick < 50; tick++)
            for (int part = 0; part < MCU_TICK; part += 120)
                mcu_conceal(decoder, 120, heard + part);
        CHECK(mcu_level(heard, MCU_TICK) > 60);
        mcu_encoder_free(encoder);
        mcu_decoder_free(decoder);
    }
}

static void a_decoder_that_is_reset_has_heard_nothing(void)
{
    for (int codec = 0; codec < MCU_AUDIO_CODECS; codec++) {
        struct mcu_encoder *encoder = mcu_encoder_new((enum mcu_audio_codec)codec);
        struct mcu_decoder *used = mcu_decoder_new((enum mcu_audio_codec)codec);
        struct mcu_decoder *unused = mcu_decoder_new((enum mcu_audio_codec)codec);
        int16_t said[MCU_TICK], one[MCU_PACKET_SAMPLES], other[MCU_PACKET_SAMPLES];
        uint8_t packet[MCU_AUDIO_PACKET];
        for (int tick = 0; tick < 5; tick++) {
            tone(said, tick);
            mcu_decode(used, packet, (size_t)mcu_encode(encoder, said, packet), one);
        }
        mcu_encoder_reset(encoder);
        mcu_decoder_reset(used);
        for (int tick = 0; tick < 5; tick++) {
            tone(said, tick);
            const int size = mcu_encode(encoder, said, packet);
            mcu_decode(used, packet, (size_t)size, one);
            mcu_decode(unused, packet, (size_t)size, other);
            CHECK(memcmp(one, other, MCU_TICK * sizeof *one) == 0);
        }
        mcu_encoder_free(encoder);
        mcu_decoder_free(used);
        mcu_decoder_free(unused);
    }
}

static void the_level_is_that_of_rfc_6464(void)
{
    int16_t samples[MCU_TICK] = {0};
    CHECK(mcu_level(samples, MCU_TICK) == 127);
    CHECK(mcu_level(samples, 0) == 127);
    for (int i = 0; i < MCU_TICK; i++)
        samples[i] = i % 2 ? INT16_MAX : INT16_MIN;
    CHECK(mcu_level(samples, MCU_TICK) == 0);
    for (int i = 0; i < MCU_TICK; i++)
        samples[i] = i % 2 ? 3277 : -3277;
    CHECK(mcu_level(samples, MCU_TICK) == 20);
    for (int i = 0; i < MCU_TICK; i++)
        samples[i] = (int16_t)lrint(INT16_MAX * sin(2 * M_PI * 1000 * i / MCU_RATE));
    CHECK(mcu_level(samples, MCU_TICK) == 3);
}

void codec_tests(void)
{
    TEST(each_codec_hears_what_it_said);
    TEST(what_a_codec_costs_is_counted_for_the_thread_that_pays);
    TEST(noise_for_a_payload_makes_what_its_duration_says_or_is_refused);
    TEST(an_empty_payload_is_none);
    TEST(what_is_missing_is_concealed_and_fades_to_silence);
    TEST(a_decoder_that_is_reset_has_heard_nothing);
    TEST(the_level_is_that_of_rfc_6464);
}
