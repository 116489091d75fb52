/* The encoders of streams: made when somebody listens, primed by what that leg heard before,
 * and put back for the next stream when nobody does. */
#include "sounding.h"

#include <string.h>

#define SILENCE_TICKS 10 /* after which an encoder's packet of silence no longer changes */

static void tune(const struct mcu_plane *plane, struct mcu_encoder *encoder, bool mends)
{
    mcu_encoder_tune(encoder, plane->options.bits_per_second,
                     mends ? plane->options.loss_percent : 0, plane->options.complexity);
}

static struct mcu_encoder *take_encoder(struct mcu_plane *plane, int codec)
{
    struct sounding *sounding = plane->sounding;
    struct mcu_encoder *encoder = sounding->pooled[codec]
                                      ? sounding->pool[codec][--sounding->pooled[codec]]
                                      : mcu_encoder_new((enum mcu_audio_codec)codec);
    if (encoder)
        tune(plane, encoder, false);
    return encoder;
}

/* One listener who loses packets gives FEC to all who share the stream: it costs one encoder
 * more work, and the others nothing. */
static void follow_loss(struct mcu_plane *plane, struct voice *voice)
{
    if (voice->mends == plane->sounding->lossy)
        return;
    voice->mends = plane->sounding->lossy;
    tune(plane, voice->encoder, voice->mends);
}

/* Nothing of its stream stays in it. */
static void return_encoder(struct sounding *sounding, int codec, struct mcu_encoder *encoder)
{
    if (sounding->pooled[codec] == POOL) {
        mcu_encoder_free(encoder);
        return;
    }
    mcu_encoder_reset(encoder);
    sounding->pool[codec][sounding->pooled[codec]++] = encoder;
}

void sounding_free_encoders(struct sounding *sounding)
{
    for (int codec = 0; codec < MCU_AUDIO_CODECS; codec++)
        while (sounding->pooled[codec])
            mcu_encoder_free(sounding->pool[codec][--sounding->pooled[codec]]);
}

void sounding_put_back(struct sounding *sounding, struct sound *sound, bool all)
{
    for (int codec = 0; codec < MCU_AUDIO_CODECS; codec++) {
        struct voice *voice = &sound->voices[codec];
        if (!voice->encoder || (!all && sounding->sends - voice->used < IDLE_SENDS))
            continue;
        return_encoder(sounding, codec, voice->encoder);
        voice->encoder = NULL;
    }
}

bool sounding_alike(const struct sounding *sounding, const struct sound *one,
                    const struct sound *other)
{
    const int64_t last = sounding->sends - 1;
    return one->primed && other->primed && one->mixed == last && other->mixed == last &&
           (one == other || memcmp(one->recent, other->recent, sizeof one->recent) == 0);
}

/* An encoder that starts hears what its listener heard last. */
static void prime(const struct sounding *sounding, const struct sound *sound,
                  struct mcu_encoder *encoder, uint8_t *out, unsigned *encodes)
{
    const struct sound *from = sound->from;
    if (!sound->primed || sound->joined != sounding->sends || !from ||
        from->mixed != sounding->sends - 1)
        return;
    for (int tick = 0; tick < PRIMED_BY; tick++)
        (void)mcu_encode(encoder, from->recent[tick], out);
    *encodes += PRIMED_BY;
}

/* Whether somebody comes whose decoder has heard something else than this encoder. One that
 * starts has heard what `from` said, if the stream is primed. */
static bool is_strange(const struct sounding *sounding, const struct sound *sound, bool runs)
{
    if (sound->joined != sounding->sends)
        return false;
    return sound->strange || !sound->primed ||
           (runs && !sounding_alike(sounding, sound->from, sound));
}

/* The stream's encoder, ready for this tick; NULL: no memory. */
static struct mcu_encoder *ready(struct mcu_plane *plane, struct sound *sound, int codec,
                                 uint8_t *out, unsigned *encodes)
{
    struct sounding *sounding = plane->sounding;
    struct voice *voice = &sound->voices[codec];
    const bool runs = voice->encoder && voice->used == sounding->sends - 1;
    if (!voice->encoder) {
        voice->encoder = take_encoder(plane, codec);
        voice->mends = false;
    } else if (!runs) {
        mcu_encoder_reset(voice->encoder);
    }
    if (!voice->encoder)
        return NULL;
    follow_loss(plane, voice);
    if (!runs)
        prime(sounding, sound, voice->encoder, out, encodes);
    if (is_strange(sounding, sound, runs))
        mcu_encoder_fresh(voice->encoder);
    return voice->encoder;
}

int sounding_encode(struct mcu_plane *plane, struct sound *sound, int codec,
                    const int16_t *samples, uint8_t *out, unsigned *encodes)
{
    struct voice *voice = &sound->voices[codec];
    struct mcu_encoder *encoder = ready(plane, sound, codec, out, encodes);
    const int size = encoder ? mcu_encode(encoder, samples, out) : -1;
    ++*encodes;
    voice->used = plane->sounding->sends;
    if (size < 0 && encoder) { /* another one in the next tick */
        mcu_encoder_free(encoder);
        voice->encoder = NULL;
    }
    return size;
}

void sounding_remember(struct sounding *sounding, struct sound *sound, const int16_t *samples)
{
    const bool follows = sound->mixed == sounding->sends - 1;
    if (sound->mixed == sounding->sends)
        return;
    sound->mixed = sounding->sends;
    if (!sound->primed)
        return;
    if (follows)
        memmove(sound->recent[0], sound->recent[1],
                sizeof sound->recent - sizeof sound->recent[0]);
    else
        memset(sound->recent, 0, sizeof sound->recent);
    memcpy(sound->recent[PRIMED_BY - 1], samples, sizeof sound->recent[0]);
}

const uint8_t *sounding_silence(struct mcu_plane *plane, int codec, size_t *size)
{
    static const int16_t nothing[MCU_TICK];
    struct sounding *sounding = plane->sounding;
    uint8_t *packet = sounding->silence[codec];
    *size = sounding->silence_size[codec];
    if (*size)
        return packet;
    struct mcu_encoder *encoder = take_encoder(plane, codec);
    int made = -1;
    for (int tick = 0; encoder && tick < SILENCE_TICKS; tick++)
        made = mcu_encode(encoder, nothing, packet);
    if (encoder)
        return_encoder(sounding, codec, encoder);
    *size = sounding->silence_size[codec] = made > 0 ? (size_t)made : 0;
    return packet;
}
