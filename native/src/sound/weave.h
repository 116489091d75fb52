/* Decoded sound and what is made up in its place, woven into one stream without a seam. Knows
 * nothing of packets' places in time. Everything in samples at 48 kHz. */
#ifndef MCU_SOUND_WEAVE_H
#define MCU_SOUND_WEAVE_H

#include <mcu/codec.h>

#define MCU_WEAVE_MAX 8192
#define MCU_WEAVE_WANTED 1440 /* that one may ask for: then the longest packet still fits */
#define MCU_WEAVE_FADED 5760  /* made up after which there is silence: 120 ms */
#define MCU_WEAVE_JOIN 240    /* two pieces that do not belong together are joined in 5 ms */

struct mcu_weave {                                  /* zero it, then mcu_weave_restart */
    struct mcu_decoder *decoders[MCU_AUDIO_CODECS]; /* made when first needed */
    int codec;                                      /* of the present one; -1: none */
    int32_t made;   /* samples made up since the last that came, MCU_WEAVE_FADED at most */
    int32_t silent; /* zeros at the end of `samples` */
    int32_t joined; /* of MCU_WEAVE_JOIN, of what is being joined; so many: nothing is */
    bool torn;      /* it is joined to `tail`; if not, to itself at `gain` */
    float gain;
    int32_t piece; /* made up at a time */
    int32_t ahead; /* made up and not needed yet: the end of `more` */
    size_t count;  /* samples that wait */
    int16_t more[MCU_TICK + MCU_WEAVE_JOIN];
    int16_t tail[MCU_WEAVE_JOIN]; /* how what waits would go on */
    int16_t samples[MCU_WEAVE_MAX];
};

void mcu_weave_free(struct mcu_weave *weave);
/* Nothing waits; what comes next fades in, from a decoder without a past. */
void mcu_weave_restart(struct mcu_weave *weave);
/* Nothing waits; what comes next fades in. */
void mcu_weave_fall_silent(struct mcu_weave *weave);
bool mcu_weave_is_silent(const struct mcu_weave *weave);

/* Adds a payload but for its first `past` samples. False: it cannot be decoded. */
bool mcu_weave_decode(struct mcu_weave *weave, enum mcu_audio_codec codec,
                      const uint8_t *payload, size_t size, int32_t past);
/* Adds the last `gap` samples of the packet before `next`, out of it. False: there are none.
 */
bool mcu_weave_recover(struct mcu_weave *weave, enum mcu_audio_codec codec,
                       const uint8_t *next, size_t size, int32_t gap);
/* Decodes a payload that nobody will hear. */
void mcu_weave_warm(struct mcu_weave *weave, enum mcu_audio_codec codec,
                    const uint8_t *payload, size_t size);
/* Adds `samples` that nobody has said, fading: as the decoder would go on, a whole packet at a
 * time, for it fades at each time that it is asked, and goes on from what it made last. */
void mcu_weave_make_up(struct mcu_weave *weave, int32_t samples);
/* What comes next will not go on from what waits: something is left out. */
void mcu_weave_tear(struct mcu_weave *weave);

/* The first `old` of what waits become `count` others. */
void mcu_weave_replace(struct mcu_weave *weave, size_t old, const int16_t *samples,
                       size_t count);
/* The first `used` are played. */
void mcu_weave_use(struct mcu_weave *weave, size_t used);

#endif
