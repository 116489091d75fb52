/* Opus (RFC 6716, RFC 7587) by libopus, mono: a stereo stream is mixed down by the decoder. */
#include "codecs.h"

#include <opus/opus.h>

#include <string.h>

enum { CHANNELS = 1, FRAMES_MAX = 48, LARGEST = 65535 };

/* libopus' own memory follows the struct, as it follows any such header of its own. */
struct decoder {
    bool celt; /* what was decoded last: then no LBRR can follow it */
    max_align_t opus[];
};

struct encoder {
    bool fresh;
    max_align_t opus[];
};

static OpusDecoder *decoder_of(void *state)
{
    return (OpusDecoder *)((struct decoder *)state)->opus;
}

static OpusEncoder *encoder_of(void *state)
{
    return (OpusEncoder *)((struct encoder *)state)->opus;
}

static int duration(const uint8_t *payload, size_t size)
{
    if (size < 1 || size > LARGEST)
        return -1;
    const int samples = opus_packet_get_nb_samples(payload, (opus_int32)size, MCU_RATE);
    return samples > 0 ? samples : -1;
}

/* RFC 6716 section 3.1: configurations 16 and up are CELT only. */
static bool is_celt(uint8_t toc) { return toc & 0x80; }

/* RFC 6716 section 4.2.3: a SILK frame begins with a VAD bit for each of its 20 ms and an LBRR
 * bit, for the middle channel and then for the side. */
static bool has_lbrr(const uint8_t *packet, size_t size)
{
    const unsigned char *frames[FRAMES_MAX];
    opus_int16 sizes[FRAMES_MAX];
    if (is_celt(packet[0]) ||
        opus_packet_parse(packet, (opus_int32)size, NULL, frames, sizes, NULL) < 1 ||
        sizes[0] < 1)
        return false;
    const int parts = opus_packet_get_samples_per_frame(packet, MCU_RATE) / MCU_TICK;
    const int vads = parts > 1 ? parts : 1;
    const bool middle = frames[0][0] >> (7 - vads) & 1;
    const bool side = frames[0][0] >> (6 - 2 * vads) & 1;
    return middle || (opus_packet_get_nb_channels(packet) == 2 && side);
}

static size_t decoder_size(void)
{
    return sizeof(struct decoder) + (size_t)opus_decoder_get_size(CHANNELS);
}

static void begin_decoding(void *state)
{
    opus_decoder_init(decoder_of(state), MCU_RATE, CHANNELS);
}

static void reset_decoding(void *state)
{
    opus_decoder_ctl(decoder_of(state), OPUS_RESET_STATE);
    ((struct decoder *)state)->celt = false;
}

static int decode(void *state, const uint8_t *payload, size_t size, int16_t *out)
{
    const int samples =
        opus_decode(decoder_of(state), payload, (opus_int32)size, out, MCU_PACKET_SAMPLES, 0);
    if (samples < 1)
        return -1;
    ((struct decoder *)state)->celt = is_celt(payload[0]);
    return samples;
}

static int decode_fec(void *state, const uint8_t *next, size_t size, int samples, int16_t *out)
{
    if (((struct decoder *)state)->celt || !has_lbrr(next, size) ||
        samples < opus_packet_get_samples_per_frame(next, MCU_RATE))
        return 0; /* libopus would conceal, and not say so */
    const int made = opus_decode(decoder_of(state), next, (opus_int32)size, out, samples, 1);
    return made > 0 ? made : 0;
}

static void conceal(void *state, int samples, int16_t *out)
{
    if (opus_decode(decoder_of(state), NULL, 0, out, samples, 0) != samples)
        memset(out, 0, (size_t)samples * sizeof *out);
}

static size_t encoder_size(void)
{
    return sizeof(struct encoder) + (size_t)opus_encoder_get_size(CHANNELS);
}

/* FEC is SILK's alone. Without it CELT, which libopus takes for music, costs a third and
 * sounds better at the rates that are in use (docs/adr/0016). */
static void tune(void *state, int bits_per_second, int loss_percent, int complexity)
{
    OpusEncoder *opus = encoder_of(state);
    opus_encoder_ctl(
        opus, OPUS_SET_SIGNAL(loss_percent > 0 ? OPUS_SIGNAL_VOICE : OPUS_SIGNAL_MUSIC));
    opus_encoder_ctl(opus, OPUS_SET_BITRATE(bits_per_second));
    opus_encoder_ctl(opus, OPUS_SET_PACKET_LOSS_PERC(loss_percent));
    opus_encoder_ctl(opus, OPUS_SET_INBAND_FEC(loss_percent > 0));
    opus_encoder_ctl(opus, OPUS_SET_COMPLEXITY(complexity));
}

static void begin_encoding(void *state)
{
    opus_encoder_init(encoder_of(state), MCU_RATE, CHANNELS, OPUS_APPLICATION_VOIP);
    tune(state, 48000, 0, 5);
}

static void reset_encoding(void *state)
{
    opus_encoder_ctl(encoder_of(state), OPUS_RESET_STATE);
}

static void fresh(void *state) { ((struct encoder *)state)->fresh = true; }

static int encode(void *state, const int16_t *samples, uint8_t *out)
{
    struct encoder *encoder = state;
    OpusEncoder *opus = encoder_of(state);
    opus_encoder_ctl(opus, OPUS_SET_PREDICTION_DISABLED(encoder->fresh));
    encoder->fresh = false;
    const int size = opus_encode(opus, samples, MCU_TICK, out, MCU_AUDIO_PACKET);
    return size > 0 ? size : -1;
}

const struct mcu_codec mcu_codec_opus = {
    .clock = MCU_RATE,
    .duration = duration,
    .decoder_size = decoder_size,
    .begin_decoding = begin_decoding,
    .reset_decoding = reset_decoding,
    .decode = decode,
    .decode_fec = decode_fec,
    .has_fec = has_lbrr,
    .conceal = conceal,
    .encoder_size = encoder_size,
    .begin_encoding = begin_encoding,
    .reset_encoding = reset_encoding,
    .tune = tune,
    .fresh = fresh,
    .encode = encode,
};
