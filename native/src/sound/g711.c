/* G.711 (ITU-T G.711, RFC 3551 section 4.5.14): each octet a sign, a segment of 3 bits and a
 * step of 4; the step doubles with the segment. */
#include "codecs.h"
#include "narrow.h"

#include <string.h>

enum {
    FACTOR = 6,        /* 48 kHz to 8 */
    OCTETS = 160,      /* of 20 ms */
    U_BIAS = 132,      /* makes each segment of the mu-law begin at a power of two */
    U_LARGEST = 32635, /* what is louder is this */
    A_EVEN = 0x55      /* the bits that the A-law inverts */
};

static int16_t of_mulaw(uint8_t octet)
{
    const int bits = ~octet & 0xff;
    const int magnitude = ((((bits & 15) << 3) + U_BIAS) << (bits >> 4 & 7)) - U_BIAS;
    return (int16_t)(bits & 0x80 ? -magnitude : magnitude);
}

/* The segment of a magnitude whose segment 0 ends below `1 << first`. */
static int segment_of(int magnitude, int first)
{
    return 31 - __builtin_clz((unsigned)magnitude | 1) - first + 1;
}

static uint8_t to_mulaw(int16_t sample)
{
    const int loud = sample < 0 ? -sample : sample;
    const int magnitude = (loud < U_LARGEST ? loud : U_LARGEST) + U_BIAS;
    const int segment = segment_of(magnitude, 8);
    const int bits = segment << 4 | (magnitude >> (segment + 3) & 15);
    return (uint8_t) ~(sample < 0 ? bits | 0x80 : bits);
}

static int16_t of_alaw(uint8_t octet)
{
    const int bits = octet ^ A_EVEN;
    const int segment = bits >> 4 & 7;
    const int step = (bits & 15) << 4 | 8;
    const int magnitude = segment ? (step + 256) << (segment - 1) : step;
    return (int16_t)(bits & 0x80 ? magnitude : -magnitude);
}

static uint8_t to_alaw(int16_t sample)
{
    const int magnitude = sample < 0 ? ~sample : sample; /* no zero: -1 is the first below */
    const int segment = magnitude < 256 ? 0 : segment_of(magnitude, 8);
    const int bits = segment << 4 | (magnitude >> (segment ? segment + 3 : 4) & 15);
    return (uint8_t)((sample < 0 ? bits : bits | 0x80) ^ A_EVEN);
}

static size_t decoder_size(void) { return sizeof(struct mcu_narrow); }

static void begin_decoding(void *state) { memset(state, 0, sizeof(struct mcu_narrow)); }

static int decode_mulaw(void *state, const uint8_t *payload, size_t size, int16_t *out)
{
    int16_t decoded[MCU_NARROW_SAMPLES];
    for (size_t i = 0; i < size; i++)
        decoded[i] = of_mulaw(payload[i]);
    return mcu_narrow_play(state, FACTOR, decoded, (int)size, out);
}

static int decode_alaw(void *state, const uint8_t *payload, size_t size, int16_t *out)
{
    int16_t decoded[MCU_NARROW_SAMPLES];
    for (size_t i = 0; i < size; i++)
        decoded[i] = of_alaw(payload[i]);
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
        out[i] = to_mulaw(low[i]);
    return OCTETS;
}

static int encode_alaw(void *state, const int16_t *samples, uint8_t *out)
{
    int16_t low[OCTETS];
    mcu_downsample(state, FACTOR, samples, MCU_TICK, low);
    for (int i = 0; i < OCTETS; i++)
        out[i] = to_alaw(low[i]);
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
