/* G.722 at 64 kbit/s (ITU-T G.722, RFC 3551 section 4.5.2) by spandsp: two samples of 16 kHz
 * an octet. */
#include "codecs.h"
#include "narrow.h"

#include <spandsp/telephony.h>

#include <spandsp/g722.h>
#include <spandsp/private/g722.h>

#include <string.h>

enum { FACTOR = 3, BITS_PER_SECOND = 64000 };

struct decoder {
    g722_decode_state_t g722;
    struct mcu_narrow narrow;
};

struct encoder {
    g722_encode_state_t g722;
    struct mcu_resampler down;
};

static size_t decoder_size(void) { return sizeof(struct decoder); }

static void begin_decoding(void *state)
{
    struct decoder *decoder = state;
    memset(decoder, 0, sizeof *decoder);
    g722_decode_init(&decoder->g722, BITS_PER_SECOND, 0);
}

static int decode(void *state, const uint8_t *payload, size_t size, int16_t *out)
{
    struct decoder *decoder = state;
    int16_t decoded[MCU_NARROW_SAMPLES];
    const int count = g722_decode(&decoder->g722, decoded, payload, (int)size);
    return mcu_narrow_play(&decoder->narrow, FACTOR, decoded, count, out);
}

static void conceal(void *state, int samples, int16_t *out)
{
    mcu_narrow_conceal(&((struct decoder *)state)->narrow, FACTOR, samples, out);
}

static size_t encoder_size(void) { return sizeof(struct encoder); }

static void begin_encoding(void *state)
{
    struct encoder *encoder = state;
    memset(encoder, 0, sizeof *encoder);
    g722_encode_init(&encoder->g722, BITS_PER_SECOND, 0);
}

static int encode(void *state, const int16_t *samples, uint8_t *out)
{
    struct encoder *encoder = state;
    int16_t low[MCU_TICK / FACTOR];
    mcu_downsample(&encoder->down, FACTOR, samples, MCU_TICK, low);
    return g722_encode(&encoder->g722, out, low, MCU_TICK / FACTOR);
}

const struct mcu_codec mcu_codec_g722 = {
    .clock = 8000,
    .duration = mcu_narrow_duration,
    .decoder_size = decoder_size,
    .begin_decoding = begin_decoding,
    .reset_decoding = begin_decoding,
    .decode = decode,
    .conceal = conceal,
    .encoder_size = encoder_size,
    .begin_encoding = begin_encoding,
    .reset_encoding = begin_encoding,
    .encode = encode,
};
