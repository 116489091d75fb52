#include "weave.h"

#include <string.h>

enum {
    PIECE = MCU_WEAVE_PIECE,
    JOIN = MCU_WEAVE_JOIN,
    FULL = 2880 /* made up before it fades: 60 ms */
};

void mcu_weave_free(struct mcu_weave *weave)
{
    for (int codec = 0; codec < MCU_AUDIO_CODECS; codec++)
        mcu_decoder_free(weave->decoders[codec]);
}

void mcu_weave_fall_silent(struct mcu_weave *weave)
{
    weave->count = 0;
    weave->silent = 0;
    weave->made = MCU_WEAVE_FADED;
    weave->joined = JOIN;
}

void mcu_weave_restart(struct mcu_weave *weave)
{
    mcu_weave_fall_silent(weave);
    weave->codec = -1;
}

bool mcu_weave_is_silent(const struct mcu_weave *weave)
{
    return weave->made >= MCU_WEAVE_FADED && (size_t)weave->silent >= weave->count;
}

/* -- decoders -- */

static struct mcu_decoder *present(const struct mcu_weave *weave)
{
    return weave->codec < 0 ? NULL : weave->decoders[weave->codec];
}

/* The decoder of a codec, which is the present one from now on. NULL: no memory. */
static struct mcu_decoder *decoder_for(struct mcu_weave *weave, enum mcu_audio_codec codec)
{
    struct mcu_decoder **decoder = &weave->decoders[codec];
    if (!*decoder)
        *decoder = mcu_decoder_new(codec);
    else if ((int)codec != weave->codec)
        mcu_decoder_reset(*decoder);
    if (*decoder)
        weave->codec = (int)codec;
    return *decoder;
}

/* -- joining -- */

static void begin_joining(struct mcu_weave *weave, const int16_t *tail, float gain)
{
    weave->joined = 0;
    weave->torn = tail;
    weave->gain = gain;
    if (tail)
        memcpy(weave->tail, tail, sizeof weave->tail);
}

/* `samples` come next: their beginning goes over from what waits. */
static void join(struct mcu_weave *weave, int16_t *samples, int32_t count)
{
    for (int32_t i = 0; i < count && weave->joined < JOIN; i++, weave->joined++) {
        const float rise = (float)(weave->joined + 1) / (JOIN + 1);
        const float from =
            weave->torn ? (float)weave->tail[weave->joined] : weave->gain * (float)samples[i];
        samples[i] = (int16_t)((float)samples[i] * rise + from * (1 - rise));
    }
}

static int16_t *room(struct mcu_weave *weave) { return weave->samples + weave->count; }

/* -- what is made up -- */

/* How loud it is, by how much was made before. */
static float gain_after(int32_t made)
{
    if (made <= FULL)
        return 1;
    return made >= MCU_WEAVE_FADED
               ? 0
               : (float)(MCU_WEAVE_FADED - made) / (MCU_WEAVE_FADED - FULL);
}

static void fade(int16_t *samples, int32_t count, int32_t made)
{
    for (int32_t i = 0; i < count && made + count > FULL; i++)
        samples[i] = (int16_t)((float)samples[i] * gain_after(made + i));
}

static bool can_conceal(const struct mcu_weave *weave)
{
    return present(weave) && weave->made < MCU_WEAVE_FADED;
}

void mcu_weave_tear(struct mcu_weave *weave)
{
    int16_t piece[PIECE];
    if (!can_conceal(weave) || (weave->torn && weave->joined == 0))
        return;
    mcu_conceal(present(weave), PIECE, piece);
    fade(piece, PIECE, weave->made);
    join(weave, piece, PIECE);
    begin_joining(weave, piece, 0);
}

/* What of the last piece is too much becomes the tail. */
static void conceal(struct mcu_weave *weave, int32_t samples)
{
    int16_t *out = room(weave);
    int32_t made = 0;
    while (made < samples || (made > samples && made < samples + JOIN)) {
        mcu_conceal(present(weave), PIECE, out + made);
        made += PIECE;
    }
    fade(out, made, weave->made);
    join(weave, out, made);
    if (made > samples)
        begin_joining(weave, out + samples, 0);
    weave->made += samples;
    weave->count += (size_t)samples;
    weave->silent = 0;
}

void mcu_weave_make_up(struct mcu_weave *weave, int32_t samples)
{
    if (can_conceal(weave)) {
        conceal(weave, samples);
        return;
    }
    memset(room(weave), 0, (size_t)samples * sizeof(int16_t));
    weave->made = MCU_WEAVE_FADED;
    weave->joined = JOIN;
    weave->count += (size_t)samples;
    weave->silent += samples;
}

/* -- what came -- */

/* `count` samples that came were written to the end; the first `past` are left out. */
static void add(struct mcu_weave *weave, int32_t count, int32_t past)
{
    int16_t *at = room(weave);
    const int32_t kept = count - past;
    if (past)
        memmove(at, at + past, (size_t)kept * sizeof *at);
    if (weave->joined == JOIN && gain_after(weave->made) < 1)
        begin_joining(weave, NULL, gain_after(weave->made));
    join(weave, at, kept);
    weave->made = weave->silent = 0;
    weave->count += (size_t)kept;
}

bool mcu_weave_decode(struct mcu_weave *weave, enum mcu_audio_codec codec,
                      const uint8_t *payload, size_t size, int32_t past)
{
    if (past > 0 || (int)codec != weave->codec)
        mcu_weave_tear(weave);
    struct mcu_decoder *decoder = decoder_for(weave, codec);
    const int count = decoder ? mcu_decode(decoder, payload, size, room(weave)) : -1;
    if (count <= past)
        return false;
    add(weave, count, past);
    return true;
}

bool mcu_weave_recover(struct mcu_weave *weave, enum mcu_audio_codec codec,
                       const uint8_t *next, size_t size, int32_t gap)
{
    const int duration = mcu_codec_duration(codec, next, size);
    if (!present(weave) || (int)codec != weave->codec || gap > duration ||
        !mcu_codec_has_fec(codec, next, size))
        return false;
    if (gap < duration)
        mcu_weave_tear(weave);
    const int count = mcu_decode_fec(present(weave), next, size, duration, room(weave));
    if (count != duration)
        return false;
    add(weave, count, count - gap);
    return true;
}

void mcu_weave_warm(struct mcu_weave *weave, enum mcu_audio_codec codec,
                    const uint8_t *payload, size_t size)
{
    struct mcu_decoder *decoder = decoder_for(weave, codec);
    if (decoder)
        (void)mcu_decode(decoder, payload, size, room(weave));
}

/* -- what is played -- */

void mcu_weave_replace(struct mcu_weave *weave, size_t old, const int16_t *samples,
                       size_t count)
{
    int16_t *at = weave->samples;
    memmove(at + count, at + old, (weave->count - old) * sizeof *at);
    memcpy(at, samples, count * sizeof *at);
    weave->count = weave->count - old + count;
}

void mcu_weave_use(struct mcu_weave *weave, size_t used)
{
    weave->count -= used;
    memmove(weave->samples, weave->samples + used, weave->count * sizeof *weave->samples);
    if ((size_t)weave->silent > weave->count)
        weave->silent = (int32_t)weave->count;
}
