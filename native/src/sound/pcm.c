/* PCMA and PCMU (RFC 3551 section 4.5.14): G.711, with what lies between 8 kHz and 48. */
#include "codecs.h"
#include "g711.h"
#include "narrow.h"

#include <string.h>

enum { FACTOR = 6, OCTETS = MCU_TICK / FACTOR };

static size_t decoder_size(void) { return sizeof(struct mcu_narrow); }

static void begin_decoding(void *state) { memset(state, 0, sizeof(struct mcu_narrow)); }

static int decode_mulaw(void *state, const uint8_t *payload, size_t size, int16_t *out)
{
    int16_t decoded[MCU_NARROW_SAMPLES];
    for (size_t i = 0; i < size; i++)
        decoded[i] = mcu_mulaw[payload[i]];
    return mcu_narrow_play(state, FACTOR, decoded, (int)size, out);
}

static int decode_alaw(void *state, const uint8_t *payload, size_t size, int16_t *out)
{
    int16_t decoded[MCU_NARROW_SAMPLES];
    for (size_t i = 0; i < size; i++)
        decoded[i] = mcu_alaw[payload[i]];
    return mcu_narrow_play(state, FACTOR, decoded, (int)size, out);
}

static void conceal(void *state, int samples, int16_t *out)
{
    mcu_narrow_conceal(state, FACTOR, samples, out);
}

static size_t encoder_size(void) { return sizeof(struct mcu_resampler); }

static void begin_encoding(void *state) { memset(state, 0, sizeof(struct mcu_resampler)); }

static int encode_mulaw(void *state, const int16_t *samples, uint8_t *out)
{
    int16_t low[OCTETS];
    mcu_downsample(state, FACTOR, samples, MCU_TICK, low);
    for (int i = 0; i < OCTETS; i++)
        out[i] = mcu_to_mulaw(low[i]);
    return OCTETS;
}

static int encode_alaw(void *state, const int16_t *samples, uint8_t *out)
{
    int16_t low[OCTETS];
    mcu_downsample(state, FACTOR, samples, MCU_TICK, low);
    for (int i = 0; i < OCTETS; i++)
        out[i] = mcu_to_alaw(low[i]);
    return OCTETS;
}

const struct mcu_codec mcu_codec_pcma = {
    .clock = 8000,
    .duration = mcu_narrow_duration,
    .decoder_size = decoder_size,
    .begin_decoding = begin_decoding,
    .reset_decoding = begin_decoding,
    .decode = decode_alaw,
    .conceal = conceal,
    .encoder_size = encoder_size,
    .begin_encoding = begin_encoding,
    .reset_encoding = begin_encoding,
    .encode = encode_alaw,
};

const struct mcu_codec mcu_codec_pcmu = {
    .clock = 8000,
    .duration = mcu_narrow_duration,
    .decoder_size = decoder_size,
    .begin_decoding = begin_decoding,
    .reset_decoding = begin_decoding,
    .decode = decode_mulaw,
    .conceal = conceal,
    .encoder_size = encoder_size,
    .begin_encoding = begin_encoding,
    .reset_encoding = begin_encoding,
    .encode = encode_mulaw,
};
