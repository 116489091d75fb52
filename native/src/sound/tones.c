#include <mcu/tones.h>

#include "g711.h"

#include <mcu/resample.h>

#include <spandsp/telephony.h>

#include <spandsp/logging.h>

#include <spandsp/super_tone_rx.h>

#include <spandsp/dtmf.h>

#include <stdlib.h>
#include <string.h>

enum {
    FACTOR = 6, /* from MCU_RATE to the 8 kHz of the detector */
    SAMPLES = MCU_PACKET_SAMPLES / FACTOR,
    BRIDGED = 8000 / 10 /* samples of a gap that may be part of a press */
};

struct mcu_tones {
    enum mcu_audio_codec codec;
    struct mcu_decoder *decoder; /* NULL: of G.711, whose samples are those of the detector */
    struct mcu_resampler down;
    dtmf_rx_state_t *detector;
    int64_t next; /* timestamp; -1: none came yet */
};

struct mcu_tones *mcu_tones_new(enum mcu_audio_codec codec)
{
    struct mcu_tones *tones = calloc(1, sizeof *tones);
    if (!tones)
        return NULL;
    tones->codec = codec;
    const bool simple = codec == MCU_PCMA || codec == MCU_PCMU;
    tones->decoder = simple ? NULL : mcu_decoder_new(codec);
    tones->detector = dtmf_rx_init(NULL, NULL, NULL);
    tones->next = -1;
    if (tones->detector && (simple || tones->decoder))
        return tones;
    mcu_tones_free(tones);
    return NULL;
}

void mcu_tones_free(struct mcu_tones *tones)
{
    if (!tones)
        return;
    mcu_decoder_free(tones->decoder);
    if (tones->detector)
        dtmf_rx_free(tones->detector);
    free(tones);
}

void mcu_tones_restart(struct mcu_tones *tones)
{
    if (tones->decoder)
        mcu_decoder_reset(tones->decoder);
    memset(&tones->down, 0, sizeof tones->down);
    dtmf_rx_init(tones->detector, NULL, NULL);
    tones->next = -1;
}

/* Samples of 8 kHz; 0: it cannot be decoded. */
static int decode(struct mcu_tones *tones, const uint8_t *payload, size_t size, int16_t *out)
{
    if (mcu_codec_duration(tones->codec, payload, size) < 0)
        return 0;
    if (tones->decoder) {
        int16_t wide[MCU_PACKET_SAMPLES];
        const int count = mcu_decode(tones->decoder, payload, size, wide);
        if (count <= 0)
            return 0;
        mcu_downsample(&tones->down, FACTOR, wide, (size_t)count, out);
        return count / FACTOR;
    }
    for (size_t i = 0; i < size; i++)
        out[i] = tones->codec == MCU_PCMA ? mcu_alaw[payload[i]] : mcu_mulaw[payload[i]];
    return (int)size;
}

size_t mcu_tones_packet(struct mcu_tones *tones, int64_t timestamp, const uint8_t *payload,
                        size_t size, char *digits)
{
    int16_t samples[SAMPLES];
    const int64_t unit = mcu_codec_clock(tones->codec) / 8000;
    const int64_t gap = tones->next < 0 ? 0 : (timestamp - tones->next) / unit;
    if (gap < 0)
        return 0; /* late, or twice */
    const int count = decode(tones, payload, size, samples);
    if (!count)
        return 0;
    if (gap > 0 && gap <= BRIDGED)
        dtmf_rx_fillin(tones->detector, (int)gap);
    tones->next = timestamp + count * unit;
    dtmf_rx(tones->detector, samples, count);
    return dtmf_rx_get(tones->detector, digits, MCU_TONES_MOST);
}
