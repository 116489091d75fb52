/* Audio codecs: samples of 48 kHz mono in and out, whatever the codec's own rate is. Opus by
 * libopus, G.722 by spandsp, G.711 by its definition. Each object is one stream's and not
 * thread-safe.
 */
#ifndef MCU_CODEC_H
#define MCU_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MCU_RATE 48000
#define MCU_TICK 960            /* samples of 20 ms at MCU_RATE */
#define MCU_PACKET_SAMPLES 5760 /* 120 ms: no packet is longer */
#define MCU_AUDIO_PACKET                                                                      \
    1150 /* bytes an encoder makes at most: with its header in MCU_MTU                        \
          */

enum mcu_audio_codec { MCU_OPUS, MCU_G722, MCU_PCMA, MCU_PCMU, MCU_AUDIO_CODECS };

/* Hz of the RTP timestamps: Opus 48000, all others 8000 (G.722 too, RFC 3551 section 4.5.2).
 */
uint32_t mcu_codec_clock(enum mcu_audio_codec codec);
/* Samples at MCU_RATE that a payload holds, by its TOC or its size; -1: it is no payload of
 * this codec. */
int mcu_codec_duration(enum mcu_audio_codec codec, const uint8_t *payload, size_t size);

/* CPU time that the calling thread has spent in codecs so far, decoding, concealing and
 * encoding, ns. */
int64_t mcu_codec_spent(void);

/* -- decoding -- */

struct mcu_decoder;
struct mcu_decoder *mcu_decoder_new(enum mcu_audio_codec codec); /* NULL: no memory */
void mcu_decoder_free(struct mcu_decoder *decoder);
/* Back to the beginning of a stream. */
void mcu_decoder_reset(struct mcu_decoder *decoder);
/* Decodes a payload into `out` (MCU_PACKET_SAMPLES). Samples made, or -1 where it cannot be
 * decoded. */
int mcu_decode(struct mcu_decoder *decoder, const uint8_t *payload, size_t size, int16_t *out);
/* The packet before `next` is missing: what `next` carries of it in band (Opus LBRR).
 * `samples`: how long the gap is. Samples made; 0: `next` carries nothing of it, or the codec
 * knows no such thing. */
int mcu_decode_fec(struct mcu_decoder *decoder, const uint8_t *next, size_t size, int samples,
                   int16_t *out);
/* Whether a payload carries anything of the packet before it. */
bool mcu_codec_has_fec(enum mcu_audio_codec codec, const uint8_t *payload, size_t size);
/* Conceals `samples` (a multiple of 120, at most MCU_TICK): Opus by libopus, others by
 * repeating the last pitch period, which fades to silence in 60 ms. */
void mcu_conceal(struct mcu_decoder *decoder, int samples, int16_t *out);

/* -- encoding -- */

struct mcu_encoder;
struct mcu_encoder *mcu_encoder_new(enum mcu_audio_codec codec); /* NULL: no memory */
void mcu_encoder_free(struct mcu_encoder *encoder);
void mcu_encoder_reset(struct mcu_encoder *encoder);
/* Opus: bit/s, expected loss in percent, complexity 0 … 10; 48,000, 0 and 5 to begin. Without
 * loss no in-band FEC, and CELT only; with loss SILK, which carries FEC, for three times the
 * work. It may be changed between any two packets. At 5 % libopus 1.3.1 leaves out the FEC of
 * full band below some 34,000 bit/s, with complexity 0 and 1 below 44,000; above 5 % it gives
 * up bandwidth for it instead. Others: nothing to choose. */
void mcu_encoder_tune(struct mcu_encoder *encoder, int bits_per_second, int loss_percent,
                      int complexity);
/* The next packet is made without what came before (Opus: OPUS_SET_PREDICTION_DISABLED for one
 * frame), for a listener whose decoder has heard another encoder. */
void mcu_encoder_fresh(struct mcu_encoder *encoder);
/* Encodes MCU_TICK samples; bytes written to `out` (MCU_AUDIO_PACKET), or -1. */
int mcu_encode(struct mcu_encoder *encoder, const int16_t *samples, uint8_t *out);

/* -- levels -- */

/* -dBov of samples by their RMS, 0 … 127, as RFC 6464 says it; 127: digital silence. */
int mcu_level(const int16_t *samples, size_t count);
/* The same of a payload, where that takes no decoder (G.711); -1: it takes one. */
int mcu_level_of_payload(enum mcu_audio_codec codec, const uint8_t *payload, size_t size);

#endif
