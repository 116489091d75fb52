/* The streams of a leg: what each needs is made with it, so that packets make nothing. */
#include "leg.h"

#include <stdlib.h>
#include <string.h>

static void sound_in_free(struct sound_in *sound)
{
    if (!sound)
        return;
    mcu_hearing_free(sound->hearing);
    mcu_tones_free(sound->tones);
    free(sound);
}

static struct sound_in *sound_in_new(const struct mcu_stream_options *options)
{
    struct sound_in *sound = calloc(1, sizeof *sound);
    if (!sound)
        return NULL;
    sound->hearing = mcu_hearing_new((enum mcu_audio_codec)options->formats[0].codec);
    if (options->tones)
        sound->tones = mcu_tones_new((enum mcu_audio_codec)options->formats[0].codec);
    if (!sound->hearing || (options->tones && !sound->tones)) {
        sound_in_free(sound);
        return NULL;
    }
    sound->standing.level = 127;
    sound->levelled = options->extensions.level != 0;
    sound->level = 127;
    sound->bar = -1;
    return sound;
}

static struct in_stream *layer_new(const struct mcu_stream_options *options, int layer)
{
    struct in_stream *stream = calloc(1, sizeof *stream);
    if (!stream)
        return NULL;
    stream->source = options->source;
    stream->layer = layer;
    stream->options = *options;
    stream->codec = -1;
    stream->timestamp = stream->authentic = -1;
    if (options->source == MCU_AUDIO) {
        stream->clock = mcu_codec_clock((enum mcu_audio_codec)options->formats[0].codec);
        stream->sound = sound_in_new(options);
    } else {
        stream->clock = MCU_PICTURE_CLOCK;
        stream->frames = mcu_frames_new(options->pixels_max);
    }
    if (stream->sound || stream->frames)
        return stream;
    free(stream);
    return NULL;
}

struct in_stream *in_stream_new(const struct mcu_stream_options *options)
{
    struct in_stream *first = NULL;
    const int layers = options->rid_count ? (int)options->rid_count : 1;
    for (int layer = layers - 1; layer >= 0; layer--) {
        struct in_stream *stream = layer_new(options, layer);
        if (!stream) {
            in_stream_free(first);
            return NULL;
        }
        stream->next = first;
        first = stream;
    }
    return first;
}

void in_stream_free(struct in_stream *stream)
{
    while (stream) {
        struct in_stream *next = stream->next;
        sound_in_free(stream->sound);
        mcu_frames_free(stream->frames);
        free(stream);
        stream = next;
    }
}

/* A picture's packet that goes again without RTX is the very same: a nonce is never used for
 * two different ones (RFC 7714 section 8). So it has nothing in it that changes with time. */
static void drop_what_changes(struct mcu_rtp_extensions *extensions)
{
    extensions->send_time = extensions->sequence = 0;
}

struct out_stream *out_stream_new(const struct mcu_stream_options *options)
{
    struct out_stream *stream = calloc(1, sizeof *stream);
    if (!stream)
        return NULL;
    stream->source = options->source;
    stream->options = *options;
    stream->codec = options->formats[0].codec;
    stream->ssrc = options->ssrc ? options->ssrc : leg_random();
    stream->rtx_ssrc = options->rtx_ssrc ? options->rtx_ssrc : leg_random();
    stream->sequence = leg_random() & 0x7FFF; /* low: RFC 3711 section 3.3.1 */
    stream->rtx_sequence = leg_random() & 0x7FFF;
    stream->offset = leg_random();
    stream->tick = INT64_MIN;
    stream->fir_command = -1;
    stream->mid_size = strlen(options->mid);
    if (options->source != MCU_AUDIO && !options->formats[0].rtx)
        drop_what_changes(&stream->options.extensions);
    stream->numbered = stream->options.extensions.sequence != 0;
    if (options->source != MCU_AUDIO && options->nack) {
        stream->sent = calloc(1, sizeof *stream->sent);
        if (!stream->sent) {
            free(stream);
            return NULL;
        }
    }
    return stream;
}

void out_stream_clear(struct out_stream *stream)
{
    paced_clear(&stream->paced);
    if (stream->sent)
        mcu_sent_clear(stream->sent);
}

void out_stream_free(struct out_stream *stream)
{
    if (!stream)
        return;
    out_stream_clear(stream);
    free(stream->sent);
    free(stream);
}
