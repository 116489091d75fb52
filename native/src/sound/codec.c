/* Which codec does it: everything here is one step to the table of codecs.h. */
#include "codecs.h"

#include <stdlib.h>
#include <time.h>

static const struct mcu_codec *const codecs[MCU_AUDIO_CODECS] = {
    [MCU_OPUS] = &mcu_codec_opus,
    [MCU_G722] = &mcu_codec_g722,
    [MCU_PCMA] = &mcu_codec_pcma,
    [MCU_PCMU] = &mcu_codec_pcmu,
};

struct mcu_decoder {
    const struct mcu_codec *codec;
    max_align_t state[];
};

struct mcu_encoder {
    const struct mcu_codec *codec;
    max_align_t state[];
};

/* -- what it costs -- */

static _Thread_local int64_t spent; /* ns */

/* CPU time of this thread, ns. */
static int64_t used(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int weighed(int result, int64_t since)
{
    spent += used() - since;
    return result;
}

int64_t mcu_codec_spent(void) { return spent; }

/* -- codecs -- */

uint32_t mcu_codec_clock(enum mcu_audio_codec codec) { return codecs[codec]->clock; }

int mcu_codec_duration(enum mcu_audio_codec codec, const uint8_t *payload, size_t size)
{
    return codecs[codec]->duration(payload, size);
}

struct mcu_decoder *mcu_decoder_new(enum mcu_audio_codec codec)
{
    struct mcu_decoder *decoder = calloc(1, sizeof *decoder + codecs[codec]->decoder_size());
    if (!decoder)
        return NULL;
    decoder->codec = codecs[codec];
    decoder->codec->begin_decoding(decoder->state);
    return decoder;
}

void mcu_decoder_free(struct mcu_decoder *decoder) { free(decoder); }

void mcu_decoder_reset(struct mcu_decoder *decoder)
{
    decoder->codec->reset_decoding(decoder->state);
}

int mcu_decode(struct mcu_decoder *decoder, const uint8_t *payload, size_t size, int16_t *out)
{
    if (decoder->codec->duration(payload, size) < 0)
        return -1;
    const int64_t since = used();
    return weighed(decoder->codec->decode(decoder->state, payload, size, out), since);
}

int mcu_decode_fec(struct mcu_decoder *decoder, const uint8_t *next, size_t size, int samples,
                   int16_t *out)
{
    const struct mcu_codec *codec = decoder->codec;
    if (!codec->decode_fec || codec->duration(next, size) < 0)
        return 0;
    const int64_t since = used();
    return weighed(codec->decode_fec(decoder->state, next, size, samples, out), since);
}

bool mcu_codec_has_fec(enum mcu_audio_codec codec, const uint8_t *payload, size_t size)
{
    return codecs[codec]->has_fec && codecs[codec]->duration(payload, size) > 0 &&
           codecs[codec]->has_fec(payload, size);
}

void mcu_conceal(struct mcu_decoder *decoder, int samples, int16_t *out)
{
    const int64_t since = used();
    decoder->codec->conceal(decoder->state, samples, out);
    spent += used() - since;
}

struct mcu_encoder *mcu_encoder_new(enum mcu_audio_codec codec)
{
    struct mcu_encoder *encoder = calloc(1, sizeof *encoder + codecs[codec]->encoder_size());
    if (!encoder)
        return NULL;
    encoder->codec = codecs[codec];
    encoder->codec->begin_encoding(encoder->state);
    return encoder;
}

void mcu_encoder_free(struct mcu_encoder *encoder) { free(encoder); }

void mcu_encoder_reset(struct mcu_encoder *encoder)
{
    encoder->codec->reset_encoding(encoder->state);
}

void mcu_encoder_tune(struct mcu_encoder *encoder, int bits_per_second, int loss_percent,
                      int complexity)
{
    if (encoder->codec->tune)
        encoder->codec->tune(encoder->state, bits_per_second, loss_percent, complexity);
}

void mcu_encoder_fresh(struct mcu_encoder *encoder)
{
    if (encoder->codec->fresh)
        encoder->codec->fresh(encoder->state);
}

int mcu_encode(struct mcu_encoder *encoder, const int16_t *samples, uint8_t *out)
{
    const int64_t since = used();
    return weighed(encoder->codec->encode(encoder->state, samples, out), since);
}
