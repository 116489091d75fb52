/* What codec.c asks of each codec. A state is a block of `*_size()` bytes, aligned for
 * anything, that holds all of the codec's memory: there is nothing to free in it. */
#ifndef MCU_SOUND_CODECS_H
#define MCU_SOUND_CODECS_H

#include <mcu/codec.h>

struct mcu_codec {
    uint32_t clock;
    int (*duration)(const uint8_t *payload, size_t size);

    size_t (*decoder_size)(void);
    void (*begin_decoding)(void *state); /* `state` is zeros */
    void (*reset_decoding)(void *state);
    int (*decode)(void *state, const uint8_t *payload, size_t size, int16_t *out);
    int (*decode_fec)(void *state, const uint8_t *next, size_t size, int samples,
                      int16_t *out);
    bool (*has_fec)(const uint8_t *payload, size_t size);
    void (*conceal)(void *state, int samples, int16_t *out);

    size_t (*encoder_size)(void);
    void (*begin_encoding)(void *state); /* `state` is zeros */
    void (*reset_encoding)(void *state);
    void (*tune)(void *state, int bits_per_second, int loss_percent, int complexity);
    void (*fresh)(void *state);
    int (*encode)(void *state, const int16_t *samples, uint8_t *out);
};

/* `decode_fec`, `has_fec`, `tune` and `fresh` are null where a codec knows no such thing. */
extern const struct mcu_codec mcu_codec_opus, mcu_codec_g722, mcu_codec_pcma, mcu_codec_pcmu;

#endif
