#include "weave.h"

#include <string.h>

enum {
    JOIN = MCU_WEAVE_JOIN,
    SHORTEST = 480, /* the SILK of Opus makes up no less than 10 ms … */
    STEP = 120,     /* … and CELT so many, and as many again */
    FULL = 2880     /* made up before it fades: 60 ms */
};

void mcu_weave_free(struct mcu_weave *weave)
{
    for (int codec = 0; codec < MCU_AUDIO_CODECS; codec++)
        mcu_decoder_free(weave->decoders[codec]);
}

void mcu_weave_fall_silent(struct mcu_weave *weave)
{
    weave->count = 0;
    weave->silent = weave->ahead = 0;
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

static void add_silence(struct mcu_weave *weave, int32_t samples)
{
    memset(room(weave), 0, (size_t)samples * sizeof(int16_t));
    weave->made = MCU_WEAVE_FADED;
    weave->joined = JOIN;
    weave->ahead = 0;
    weave->count += (size_t)samples;
    weave->silent += samples;
}

/* The decoder goes on until it is `wanted` samples ahead, JOIN at most. Where they are. */
static const int16_t *ahead(struct mcu_weave *weave, int32_t wanted)
{
    int16_t *const end = weave->more + sizeof weave->more / sizeof *weave->more;
    while (weave->ahead < wanted) {
        memmove(end - weave->ahead - weave->piece, end - weave->ahead,
                (size_t)weave->ahead * sizeof *end);
        mcu_conceal(present(weave), weave->piece, end - weave->piece);
        weave->ahead += weave->piece;
    }
    return end - weave->ahead;
}

void mcu_weave_tear(struct mcu_weave *weave)
{
    int16_t next[JOIN];
    if (!can_conceal(weave) || (weave->torn && weave->joined == 0))
        return;
    memcpy(next, ahead(weave, JOIN), sizeof next);
    fade(next, JOIN, weave->made);
    join(weave, next, JOIN);
    begin_joining(weave, next, 0);
}

void mcu_weave_make_up(struct mcu_weave *weave, int32_t samples)
{
    while (samples > 0 && can_conceal(weave)) {
        const int16_t *from = ahead(weave, 1);
        const int32_t count = samples < weave->ahead ? samples : weave->ahead;
        memcpy(room(weave), from, (size_t)count * sizeof *from);
        fade(room(weave), count, weave->made);
        join(weave, room(weave), count);
        weave->ahead -= count;
        weave->made += count;
        weave->count += (size_t)count;
        weave->silent = 0;
        samples -= count;
    }
    if (samples > 0)
        add_silence(weave, samples);
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
    weave->made = weave->silent = weave->ahead = 0;
    const int32_t piece = count < SHORTEST ? SHORTEST : count < MCU_TICK ? count : MCU_TICK;
    weave->piece = piece - piece % STEP;
    weave->count += (size_t)kept;
}

bool mcu_weave_decode(struct mcu_weave *weave, enum mcu_audio_codec codec,
                      const uint8_t *payload, size_t size, int32_t past)
{
    if (past > 0 || weave->ahead > 0 || (int)codec != weave->codec)
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
    if (gap < duration || weave->ahead > 0)
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
